/** Runs at most so many pieces of work at a time; the others wait, first come, first served. */
export class Limiter {
	private free: number;
	private readonly waiting: Array<() => void> = [];

	/** @param concurrency at least 1 */
	constructor(concurrency: number) {
		this.free = concurrency;
	}

	/** Runs a piece of work as soon as there is room for it. */
	async run<Result>(work: () => Promise<Result>): Promise<Result> {
		if (this.free > 0) this.free--;
		else await new Promise<void>((resolve) => this.waiting.push(resolve));
		try {
			return await work();
		} finally {
			const next = this.waiting.shift();
			if (next) next();
			else this.free++;
		}
	}
}
