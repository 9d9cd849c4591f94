/**
 * The limit is the number of calls that complete within LATENCIES × the latency, or within the latency + LATENCY_MARGIN if that
 * is longer: enough that neither the server nor this process waits for the other, and no queue beyond that.
 */
const LATENCIES = 1.5;
const LATENCY_MARGIN = 50;
/** Calls are sent evenly, this many times as fast as they complete. */
const FASTER_THAN_COMPLETED = 1.25;
/**
 * At first the limit doubles every DOUBLING_TIME ms of latency, and at least once a round. Otherwise a distant server would slow
 * the ramp-up.
 */
const DOUBLING_TIME = 90;
/** At first, the most it grows in a round, in calls per ms of latency. */
const GROWTH = 0.3;
/** At first, the least speed that is assumed, in calls per ms: a little more than n8n can send. */
const FIRST_SPEED = 0.56;
/** For how long after a first failure the limit stays under the cap, in ms. */
const HOLD = 15_000;
/** That cap, as a share of the limit at which the call failed. */
const SHARE_AFTER_FAILURE = 0.75;

/**
 * How many calls may be in flight: as many as complete in time. A round ends once as many calls have been accepted as the limit
 * allows.
 */
export class ConcurrencyLimit {
	/** How many calls may be in flight at present. */
	get current(): number {
		return Math.floor(this.limit);
	}
	/** How long a call takes when nothing queues: the shortest median of a round, in ms; Infinity before the first round. */
	latency = Infinity;

	private limit: number;
	/** Whether the limit still doubles; later it follows how many calls complete in time. */
	private isStarting = true;
	/** How long each accepted call of this round took, in ms. */
	private round: number[] = [];
	private roundStart = 0;
	/** The shortest of these times, and the shortest without the time for which the event loop was busy; in ms. */
	private fastest = Infinity;
	private leastIdle = Infinity;
	/** The longest {@link leastIdle} of a round, at most the present {@link fastest}: how far away the server is, in ms. */
	private farthest = 0;
	/** How many calls were in flight when the round began, and are now. */
	private inFlightAtStart = 0;
	private inFlight = 0;
	/** How many calls completed per ms in the last full round. */
	private speed = 0;
	/** Whether the limit has held calls back in this round. */
	private isFull = false;
	/** When the limit was last cut, in ms. Calls sent earlier say nothing about the present limit. */
	private lastCut = 0;
	/** Failed calls in a row. */
	private failures = 0;
	/** The cap on the limit until {@link cappedUntil}. */
	private capAfterFailure = Infinity;
	private cappedUntil = 0;

	/**
	 * @param start how many calls are in flight at first; a slow server does not bring the limit below this
	 * @param ceiling the most calls in flight at once
	 * @param now a clock in ms; only differences matter
	 */
	constructor(
		private readonly start: number,
		private readonly ceiling: number,
		private readonly now: () => number,
	) {
		this.limit = start;
	}

	/** Whether calls go one at a time, to find out if a failing server is back. */
	get isProbing(): boolean {
		return this.failures > 0 && this.current === 1;
	}

	/** How many calls a second are sent at most. */
	get perSecond(): number {
		if (this.latency === Infinity) return Infinity;
		const least = this.isStarting ? FIRST_SPEED : this.current / this.patience;
		return 1_000 * Math.max(least, this.speed) * FASTER_THAN_COMPLETED;
	}

	/**
	 * A call ends.
	 * @param count how many calls are in flight, with it
	 * @param isHeldBack whether the limit, or how evenly calls are sent, holds calls back
	 */
	noteEnd(count: number, isHeldBack: boolean): void {
		this.inFlight = count - 1;
		if (isHeldBack || count >= this.current) this.isFull = true;
		// With so little demand there is nothing to learn.
		else if (count <= this.current / 2) this.beginRound();
	}

	/** The server has responded: it is up. */
	noteResponse(): void {
		this.failures = 0;
	}

	/**
	 * A call was accepted.
	 * @param sentAt in ms
	 * @param busy how long the event loop was busy meanwhile, in ms
	 */
	noteAccepted(sentAt: number, busy: number): void {
		if (sentAt < this.lastCut) return;
		const elapsed = this.now() - sentAt;
		if (this.round.length === 0) this.roundStart = Math.max(this.roundStart, sentAt);
		this.round.push(elapsed);
		this.fastest = Math.min(this.fastest, elapsed);
		this.leastIdle = Math.min(this.leastIdle, Math.max(0, elapsed - busy));
		if (this.round.length >= this.current) this.endRound();
	}

	/** A call that was sent at `sentAt` has failed. */
	noteFailure(sentAt: number): void {
		if (sentAt >= this.lastCut || this.failures > 0) {
			if (this.failures === 0) {
				this.capAfterFailure = Math.max(1, Math.floor(this.current * SHARE_AFTER_FAILURE));
				this.cappedUntil = this.now() + HOLD;
			}
			this.limit = Math.max(1, this.current >> 1);
			this.isStarting = true;
			this.lastCut = this.now();
			this.beginRound();
		}
		this.failures++;
	}

	/** Forgets the present round: calls were held back for another reason than the limit. */
	beginRound(): void {
		this.round = [];
		this.roundStart = this.now();
		this.fastest = Infinity;
		this.leastIdle = Infinity;
		this.inFlightAtStart = this.inFlight;
		this.isFull = false;
	}

	private endRound(): void {
		const { round, isFull, current } = this;
		const median = medianOf(round);
		this.latency = Math.min(this.latency, median);
		this.farthest = Math.min(this.fastest, Math.max(this.farthest, this.leastIdle));
		const took = Math.max(1, this.now() - this.roundStart);
		// Calls that were not in flight when the round began completed a latency later.
		const filling = this.latency * Math.max(0, 1 - this.inFlightAtStart / current);
		if (isFull) {
			this.speed = current / took;
			this.follow((current * this.patience) / Math.max(1, took - filling), median);
		}
		this.beginRound();
	}

	/** @param inTime how many calls complete in time */
	private follow(inTime: number, median: number): void {
		if (inTime >= this.current) {
			// A busy process hides a part of the distance; but it has less room for more calls, too.
			const distance = (this.farthest + this.leastIdle) / 2;
			const doubled = this.limit * 2 ** Math.max(1, distance / DOUBLING_TIME);
			const more = this.limit + Math.max(1, distance * GROWTH);
			this.raiseTo(this.isStarting ? Math.min(doubled, more) : inTime);
		} else if (this.limit > this.start) {
			this.isStarting = false;
			this.limit = Math.max(this.start, inTime);
		} else {
			// So few calls do not queue: the server itself takes longer now.
			this.latency = median;
			this.isStarting = true;
		}
	}

	/** How long a round may take, in ms. */
	private get patience(): number {
		return Math.max(this.latency * LATENCIES, this.latency + LATENCY_MARGIN);
	}

	private raiseTo(limit: number): void {
		const cap = this.now() < this.cappedUntil ? this.capAfterFailure : Infinity;
		this.limit = Math.min(limit, Math.max(this.limit, Math.min(this.ceiling, cap)));
	}
}

/** Of an even number of values the larger one in the middle. */
const medianOf = (values: number[]): number =>
	[...values].sort((a, b) => a - b)[values.length >> 1];
