/** How far back accepted calls are counted, in ms. */
const WINDOW = 1_000;
/** Of what the server accepted in {@link WINDOW}, the rate is set to this share. */
const SHARE_OF_ACCEPTED = 0.97;
/** A 429 sooner than this after the last pause, in ms, shows that the rate was far too high. */
const SOON_AFTER_PAUSE = 2_000;
/** The rate is then cut to this share of itself. */
const SHARE_WHEN_FAR_TOO_HIGH = 0.85;
/** Fewer accepted calls than this after a rate limited one can be chance. */
const CHANCE = 5;
/** For how long the rate is not raised, in ms. */
const HOLD = 15_000;
/** The pauses after a 429: the shortest, the first without Retry-After, the longest without Retry-After, in ms. */
const SHORTEST_PAUSE = 200;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

/** What is known about a series of rate limited calls until the pause after it is over. */
interface Series {
	/** When the first of them was sent, in ms. */
	at: number;
	/** Calls sent after that one: how many were accepted and how many rate limited. */
	acceptedAfter: number;
	limitedAfter: number;
}

/**
 * How many calls a second are sent, by the server's 429. The rule is in `AdaptiveLimiter`.
 */
export class RateLimit {
	/** Infinity until the server has limited the rate. */
	perSecond = Infinity;

	/** When accepted calls were sent: those of the last {@link WINDOW} at least. */
	private accepted: number[] = [];
	private series?: Series;
	private lastResume = -Infinity;
	private raiseAt = Infinity;
	private raiseStep = 0;
	/** 429 in a row without an accepted call between: pauses, not calls. */
	private pauses = 0;

	/**
	 * @param small a burst of fewer calls says little about a rate
	 * @param now ms since any moment
	 */
	constructor(
		private readonly small: number,
		private readonly now: () => number,
	) {}

	/**
	 * A call was accepted.
	 * @param sentAt in ms
	 * @param isCurrent whether it was sent after the last pause
	 */
	noteAccepted(sentAt: number, isCurrent: boolean): void {
		this.accepted.push(sentAt);
		if (!this.series) {
			while (this.accepted[0] < sentAt - 2 * WINDOW) this.accepted.shift();
		} else if (sentAt > this.series.at) this.series.acceptedAfter++;
		if (!isCurrent) return;
		this.pauses = 0;
		this.raise();
	}

	/**
	 * A call was rate limited.
	 * @returns whether it is the first of a series
	 */
	noteRateLimited(sentAt: number): boolean {
		if (!this.series) {
			this.series = { at: sentAt, acceptedAfter: 0, limitedAfter: 0 };
			this.pauses++;
			return true;
		}
		if (sentAt > this.series.at) this.series.limitedAfter++;
		return false;
	}

	/**
	 * How long to pause after the present series, in ms.
	 * @param retryAfter what the server asked for, in ms
	 */
	pauseAfter(retryAfter?: number): number {
		const growing = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.max(0, this.pauses - 1));
		return Math.max(SHORTEST_PAUSE, retryAfter ?? growing);
	}

	/**
	 * Sets the rate once the pause is over: by then the responses to the calls of before are there.
	 * @returns whether there was a pause
	 */
	resume(): boolean {
		const { series } = this;
		if (!series) return false;
		const now = this.now();
		const isSoon = series.at - this.lastResume < SOON_AFTER_PAUSE;
		const taken = this.accepted.filter((sent) => sent > series.at - WINDOW).length;
		this.series = undefined;
		this.lastResume = now;
		this.accepted = [];
		if (this.perSecond !== Infinity || isAboutRate(series, taken)) this.cut(taken, isSoon);
		return true;
	}

	/** @param taken how many calls the server has accepted in the last {@link WINDOW} */
	private cut(taken: number, isSoon: boolean): void {
		const isBurst = this.perSecond === Infinity && taken < this.small;
		this.perSecond = Math.min(
			this.perSecond * (isSoon ? SHARE_WHEN_FAR_TOO_HIGH : SHARE_OF_ACCEPTED),
			(Math.max(1, taken) * SHARE_OF_ACCEPTED * 1_000) / WINDOW,
		);
		this.raiseAt = this.now() + (isBurst ? WINDOW : HOLD);
		this.raiseStep = isBurst ? 1 : 0.05;
	}

	private raise(): void {
		if (this.now() < this.raiseAt) return;
		this.perSecond *= 1 + this.raiseStep;
		this.raiseStep = Math.min(1, this.raiseStep * 2);
		this.raiseAt = this.now() + WINDOW;
	}
}

/** Where nothing was accepted, nothing is known of a rate. */
const isAboutRate = ({ acceptedAfter, limitedAfter }: Series, taken: number): boolean =>
	taken > 0 && (acceptedAfter < CHANCE || acceptedAfter <= limitedAfter);
