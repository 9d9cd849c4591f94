/**
 * The limit is what comes back within so many latencies, or within a latency and so many ms where that is longer: enough that
 * neither the server nor this process waits for the other, and no queue beyond that.
 */
const LATENCIES = 1.5;
const LATENCY_MARGIN = 50;
/** Calls leave evenly, at so many times the speed at which they come back. */
const FASTER_THAN_BACK = 1.25;
/** At first the limit doubles once in so many ms of latency, and once a round at least: a server far away has had time for more. */
const DOUBLING_TIME = 90;
/** The most that it goes up then, in calls for each ms of latency. */
const GROWTH = 0.3;
/** How many calls come back in a ms as far as is known at first: about what n8n can send. */
const FIRST_SPEED = 0.4;
/** The first failure holds the limit below where calls failed for this long, in ms; it doubles back to this share of it. */
const HOLD = 15_000;
const SHARE_AFTER_FAILURE = 0.75;

/** How many calls may be in flight: as many as come back in time. A round is as many accepted calls as the limit has. */
export class ConcurrencyLimit {
	/** How many calls may be in flight at present. */
	get current(): number {
		return Math.floor(this.limit);
	}
	/** How long a call takes when nothing queues: the shortest median of a round, in ms; Infinity before the first round. */
	latency = Infinity;

	private limit: number;
	/** Whether the limit still doubles; later it follows what comes back. */
	private isStarting = true;
	/** How long each accepted call of this round took, in ms. */
	private round: number[] = [];
	private roundStart = 0;
	/** How long the fastest of them took without the time in which this process was busy, in ms. */
	private fastest = Infinity;
	/** How many calls were in flight when the round began, and are now. */
	private inFlightAtStart = 0;
	private inFlight = 0;
	/** How many calls came back in each ms of the last round. */
	private speed = 0;
	/** Whether the limit has held calls back in this round. */
	private isFull = false;
	/** Calls sent before say nothing about the present limit, in ms. */
	private lastCut = 0;
	/** Failed calls in a row. */
	private failures = 0;
	/** The most calls at once while it is remembered where they failed. */
	private held = Infinity;
	private heldUntil = 0;

	/**
	 * @param start how many calls are in flight at first; a slow server does not bring the limit below this
	 * @param ceiling the most calls in flight at once
	 * @param now ms since any moment
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

	/** How many calls a second leave at most. */
	get perSecond(): number {
		if (this.latency === Infinity) return Infinity;
		const least = this.isStarting ? FIRST_SPEED : this.current / this.patience;
		return 1_000 * Math.max(least, this.speed) * FASTER_THAN_BACK;
	}

	/**
	 * A call ends.
	 * @param count how many calls are in flight, with it
	 * @param isHeldBack whether the limit, or how evenly calls leave, holds calls back
	 */
	noteEnd(count: number, isHeldBack: boolean): void {
		this.inFlight = count - 1;
		if (isHeldBack || count >= this.current) this.isFull = true;
		// So few are wanted that they tell nothing.
		else if (count <= this.current / 2) this.beginRound();
	}

	/** The server has responded: it is up. */
	noteResponse(): void {
		this.failures = 0;
	}

	/**
	 * A call was accepted.
	 * @param sentAt in ms
	 * @param busy how long this process has computed meanwhile, in ms
	 */
	noteAccepted(sentAt: number, busy: number): void {
		if (sentAt < this.lastCut) return;
		const elapsed = this.now() - sentAt;
		if (this.round.length === 0) this.roundStart = Math.max(this.roundStart, sentAt);
		this.round.push(elapsed);
		this.fastest = Math.min(this.fastest, Math.max(0, elapsed - busy));
		if (this.round.length >= this.current) this.endRound();
	}

	/** A call failed that was sent then. */
	noteFailure(sentAt: number): void {
		if (sentAt >= this.lastCut || this.failures > 0) {
			if (this.failures === 0) {
				this.held = Math.max(1, Math.floor(this.current * SHARE_AFTER_FAILURE));
				this.heldUntil = this.now() + HOLD;
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
		this.inFlightAtStart = this.inFlight;
		this.isFull = false;
	}

	private endRound(): void {
		const { round, isFull, current } = this;
		const median = medianOf(round);
		this.latency = Math.min(this.latency, median);
		const took = Math.max(1, this.now() - this.roundStart);
		// What was not in flight when the round began came back a latency later.
		const filling = this.latency * Math.max(0, 1 - this.inFlightAtStart / current);
		if (isFull) {
			this.speed = current / took;
			this.follow((current * this.patience) / Math.max(1, took - filling), median);
		}
		this.beginRound();
	}

	/** @param inTime how many calls come back in time */
	private follow(inTime: number, median: number): void {
		if (inTime >= this.current) {
			const doubled = this.limit * 2 ** Math.max(1, this.fastest / DOUBLING_TIME);
			const more = this.limit + Math.max(1, this.fastest * GROWTH);
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
		const held = this.now() < this.heldUntil ? this.held : Infinity;
		this.limit = Math.min(limit, Math.max(this.limit, Math.min(this.ceiling, held)));
	}
}

/** Of an even number of values the larger one in the middle. */
const medianOf = (values: number[]): number =>
	[...values].sort((a, b) => a - b)[values.length >> 1];
