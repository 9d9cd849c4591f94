/** In this time the limit doubles at most, in ms; after shorter calls it doubles too. A server far away has had time for more. */
const DOUBLING_TIME = 90;
/** The most that the limit goes up, in calls for each ms that a call takes: 300 a second. */
const GROWTH = 0.3;
/** Up to here the limit goes up however busy this process is: other workflows may be why. */
const FREE_LIMIT = 50;
/** When this process is busy for a larger share of the time, more calls in flight would only wait for it. */
const LARGEST_BUSY_SHARE = 0.8;
/** A latency has grown when it is longer than this many times the baseline, and by at least this many ms. */
const LATENCY_TOLERANCE = 2;
const LATENCY_MARGIN = 50;
/** Once the limit is cut to this share, a latency of more than the second share of what it was has another cause. */
const TELLING_CUT = 0.25;
const LATENCY_LEFT = 0.8;
/** Up to this share of a limit at which calls failed, the limit doubles again. */
const GOAL_AFTER_FAILURE = 0.75;
/** For how long the limit stays below one at which calls failed or were rate limited, in ms. */
const HOLD = 15_000;

/**
 * How many calls may be in flight, by latencies and failures. The rule is in `AdaptiveLimiter`.
 */
export class ConcurrencyLimit {
	/** How many calls may be in flight at present. */
	current: number;
	/** The shortest median time of a round's calls, in ms; Infinity before the first round has ended. */
	baseline = Infinity;

	/** Up to here the limit doubles, above it adds one. */
	private goal: number;
	/** The most calls at once while it is remembered where they failed or were rate limited. */
	private heldLimit = Infinity;
	private heldUntil = 0;
	/** When the limit was last cut. Calls sent before say nothing about the new limit. */
	private lastCut = 0;
	/** The accepted calls of this round: how long each took, and how much of that this process was busy itself, in ms. */
	private round: Array<{ elapsed: number; busy: number }> = [];
	/** Whether the limit has held calls back in this round. */
	private isFull = false;
	/** Latency (ms) and limit before a series of cuts, until later rounds show whether they helped. */
	private beforeCuts?: { latency: number; limit: number };
	/** Failed calls in a row. */
	private failures = 0;

	/**
	 * @param start how many calls are in flight at first
	 * @param ceiling the most calls in flight at once
	 * @param now ms since any moment
	 */
	constructor(
		start: number,
		private readonly ceiling: number,
		private readonly now: () => number,
	) {
		this.current = start;
		this.goal = ceiling;
	}

	/** Whether calls go one at a time, to find out if a failing server is back. */
	get isProbing(): boolean {
		return this.failures > 0 && this.current === 1;
	}

	/** A call ends while so many are in flight. */
	noteInFlight(count: number): void {
		this.isFull ||= count >= this.current;
	}

	/** Whether a call that was sent then says something about the present limit. */
	isCurrent(sentAt: number): boolean {
		return sentAt >= this.lastCut;
	}

	/** Calls that were sent until now say nothing about the limit. */
	forgetCalls(): void {
		this.lastCut = this.now();
	}

	/** The server has responded: it is up. */
	noteResponse(): void {
		this.failures = 0;
	}

	/**
	 * A call was accepted under the present limit.
	 * @param elapsed from its start to its end, in ms
	 * @param busy for how much of that this process was busy itself, in ms: that need not be the server's latency
	 */
	noteAccepted(elapsed: number, busy: number): void {
		this.round.push({ elapsed, busy });
		if (this.round.length >= this.current) this.endRound();
	}

	/** A call was rate limited, the first of a series. A limit that held no calls back has no part in that. */
	noteRateLimited(): void {
		if (!this.isFull) return;
		this.hold();
		this.cutTo(this.current / 2);
	}

	/** A call failed that was sent then. */
	noteFailure(sentAt: number): void {
		if (this.isCurrent(sentAt) || this.failures > 0) {
			const isFirst = this.failures === 0;
			if (isFirst) this.hold();
			this.cutTo(this.current / 2, isFirst ? this.current * GOAL_AFTER_FAILURE : this.goal);
		}
		this.failures++;
	}

	private endRound(): void {
		const times = this.round.map((call) => call.elapsed);
		const elapsed = medianOf(times);
		// At least this long the server had the calls: it may have had them while this process was busy, too.
		const latency = medianOf(this.round.map((call) => Math.max(0, call.elapsed - call.busy)));
		const isBusy =
			medianOf(this.round.map((call) => call.busy / Math.max(1, call.elapsed))) >
			LARGEST_BUSY_SHARE;
		const { isFull } = this;
		this.beginRound();
		this.learnBaseline(elapsed, latency);
		const most = Math.max(this.baseline * LATENCY_TOLERANCE, this.baseline + LATENCY_MARGIN);
		if (latency > most) {
			// Calls of a limit that has just gone up come later, so the latency can grow for a while.
			if (latency > (this.beforeCuts?.latency ?? 0)) {
				this.beforeCuts = { latency, limit: this.current };
			}
			this.cutTo((this.current * most) / latency);
			return;
		}
		this.beforeCuts = undefined;
		if (isFull) this.raise(Math.min(...times), isBusy ? FREE_LIMIT : Infinity);
	}

	/**
	 * @param fastest how long the fastest call of the round took, in ms
	 * @param most where the limit stays
	 */
	private raise(fastest: number, most: number): void {
		const doubled = this.current * 2 ** Math.max(1, fastest / DOUBLING_TIME);
		const fast = Math.min(doubled, this.current + fastest * GROWTH, this.goal);
		const more = Math.max(Math.floor(fast), this.current + 1);
		const held = this.now() < this.heldUntil ? this.heldLimit : Infinity;
		this.current = Math.max(this.current, Math.min(more, most, this.ceiling, held));
	}

	private learnBaseline(elapsed: number, latency: number): void {
		this.baseline = Math.min(this.baseline, elapsed);
		if (!this.beforeCuts) return;
		if (this.current > this.beforeCuts.limit * TELLING_CUT) return;
		if (latency <= this.beforeCuts.latency * LATENCY_LEFT) return;
		this.baseline = elapsed;
		this.beforeCuts = undefined;
		this.goal = this.ceiling;
	}

	private beginRound(): void {
		this.round = [];
		this.isFull = false;
	}

	/** @param goal up to where the limit may double again */
	private cutTo(limit: number, goal = limit): void {
		this.goal = goal;
		this.current = Math.max(1, Math.floor(limit));
		this.lastCut = this.now();
		this.beginRound();
	}

	/** Stays below the present limit for a while. */
	private hold(): void {
		this.heldLimit = Math.max(1, this.current - 1);
		this.heldUntil = this.now() + HOLD;
	}
}

/** Of an even number of values the larger one in the middle. */
const medianOf = (values: number[]): number =>
	[...values].sort((a, b) => a - b)[values.length >> 1];
