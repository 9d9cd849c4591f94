/** Lets at most so many pieces of work be done at a time; the others wait their turn. */
export class Limiter {
	private free: number;
	private readonly waiting: Array<() => void> = [];

	/** @param most at least 1 */
	constructor(most: number) {
		this.free = most;
	}

	/** Does a piece of work when it is its turn, first come, first served. */
	async inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
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
