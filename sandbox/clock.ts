interface Task {
	due: number;
	run: () => void;
}

/** The longest pause that `setTimeout` can hold. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The sandbox's time: real time plus an offset that tests push forward. Whatever waits for a moment
 * (a payment's end, a webhook's repeat) waits on this clock, and keeps no process alive.
 */
export class Clock {
	private offset = 0;
	/** Stands still while tasks run, so that a step of no length ends at the moment at which it began. */
	private frozen?: number;
	/** Ordered by moment; what is due at the same moment runs in the order in which it was asked for. */
	private readonly tasks: Task[] = [];
	private timer?: NodeJS.Timeout;

	/** The sandbox's present moment, in milliseconds since 1970. */
	now(): number {
		return this.frozen ?? Date.now() + this.offset;
	}

	/** Runs `run` once when `delayMs` milliseconds have passed on this clock, never at once. */
	after(delayMs: number, run: () => void): void {
		const task = { due: this.now() + delayMs, run };
		let low = 0;
		let high = this.tasks.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (this.tasks[middle].due <= task.due) low = middle + 1;
			else high = middle;
		}
		this.tasks.splice(low, 0, task);
		if (low === 0) this.arm();
	}

	/**
	 * Moves the clock forward by `ms` milliseconds. All that becomes due on the way runs before this
	 * returns, in order, each at its own moment, including what such a step itself asks for.
	 * @throws RangeError when `ms` is no finite number of at least 0
	 */
	advance(ms: number): void {
		if (!Number.isFinite(ms) || ms < 0) throw new RangeError('The clock only moves forward');
		const start = this.now();
		this.runDue(start, start + ms);
		this.offset = start + ms - Date.now();
		this.arm();
	}

	/** Forgets what waits and goes back to real time. */
	reset(): void {
		this.tasks.length = 0;
		this.offset = 0;
		clearTimeout(this.timer);
	}

	private runDue(start: number, until: number): void {
		this.frozen = start;
		try {
			while (this.tasks.length > 0 && this.tasks[0].due <= until) {
				const task = this.tasks.shift()!;
				this.frozen = Math.max(this.frozen, task.due);
				task.run();
			}
		} finally {
			this.frozen = undefined;
		}
	}

	private arm(): void {
		clearTimeout(this.timer);
		if (this.tasks.length === 0) return;
		const wait = Math.min(Math.max(this.tasks[0].due - this.now(), 1), LONGEST_TIMER_MS);
		this.timer = setTimeout(() => {
			const now = this.now();
			this.runDue(now, now);
			this.arm();
		}, wait).unref();
	}
}
