/** How far back accepted calls are counted, in ms: servers mostly count by the second. */
const WINDOW = 1_000;
/** The rate as a share of the calls accepted within {@link WINDOW}: calls do not arrive as evenly as they are sent. */
const SHARE_OF_ACCEPTED = 0.92;
/** A rate that turns out to be too high is cut to this share of itself at least. */
const SHARE_OF_RATE = 0.97;
/** The lowest rate, in calls a second. If a server takes fewer, the pauses find out how many. */
const LOWEST = 1;
/** For how long the rate is not raised after it was cut, in ms. */
const HOLD = 15_000;
/** After this time without a 429 a rate goes back to half of what was accepted before, in ms: those 429s may have been a storm. */
const STORM_OVER = 5_000;
/** By what share the rate is raised first; each raise is twice the one before. */
const FIRST_RAISE = 0.05;
/** The time from one raise to the next, in ms. */
const RAISE_INTERVAL = 1_000;
/** The shortest delay after a 429 with Retry-After, in ms; a {@link WINDOW} once nothing is accepted: 429s may count, too. */
const SHORTEST_PAUSE = 200;
/** The delay after a 429 without Retry-After, in ms; it doubles while nothing is accepted. */
const FIRST_PAUSE = 500;
export const LONGEST_PAUSE = 60_000;
/**
 * After this many accepted calls the delay starts over. After fewer it is halved; but if nothing was accepted after the pause
 * before the last one, it stays.
 */
const ENOUGH = 5;

/** How many calls a second are sent, and when again after a 429. A 429 never changes how many are in flight. */
export class RateLimit {
	/** Infinity until the server has limited the rate. */
	perSecond = Infinity;

	/** When accepted calls were sent, in ms: at least those of the last two {@link WINDOW}s, since responses overtake one another. */
	private accepted: number[] = [];
	/** When the first and the last call of the present series of 429 were sent, in ms. */
	private series?: { first: number; last: number };
	private lastResume = -Infinity;
	/** Whether nothing was accepted between the last two pauses. */
	private nothingAccepted = false;
	/** How many calls were accepted that were sent after the last pause. */
	private sinceResume = 0;
	/** How often the delay has doubled. */
	private doublings = 0;
	private raiseAt = Infinity;
	private raise = FIRST_RAISE;
	/** How many calls a second were accepted before a 429, if none had come for {@link HOLD}. */
	private rateBefore = 0;

	/**
	 * @param minSample a first 429 after fewer accepted calls says little about a rate
	 * @param now a clock in ms; only differences matter
	 */
	constructor(
		private readonly minSample: number,
		private readonly now: () => number,
	) {}

	/** A call that was sent at `sentAt` was accepted. */
	noteAccepted(sentAt: number): void {
		this.accepted.push(sentAt);
		if (!this.series) {
			while (this.accepted[0] < sentAt - 2 * WINDOW) this.accepted.shift();
		}
		if (sentAt < this.lastResume) return;
		this.sinceResume++;
		if (this.now() < this.raiseAt) return;
		if (this.perSecond < this.rateBefore / 2) {
			this.perSecond = this.rateBefore / 2;
			this.raiseAt = this.now() + HOLD;
			return;
		}
		this.perSecond *= 1 + this.raise;
		this.raise = Math.min(1, this.raise * 2);
		this.raiseAt = this.now() + RAISE_INTERVAL;
	}

	/**
	 * A call that was sent at `sentAt` got a 429.
	 * @param retryAfter the delay that the server asked for, in ms
	 * @returns how long to pause, in ms
	 */
	noteRateLimited(sentAt: number, retryAfter?: number): number {
		// A response to a call from before the pause: the pause was about it, too.
		if (sentAt < this.lastResume) return retryAfter ?? 0;
		if (!this.series) this.beginSeries(sentAt);
		else this.series.last = Math.max(this.series.last, sentAt);
		if (retryAfter !== undefined) {
			return Math.max(this.nothingAccepted ? WINDOW : SHORTEST_PAUSE, retryAfter);
		}
		return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.doublings);
	}

	/**
	 * Sets the rate once the pause is over: by then the responses to earlier calls have arrived.
	 * @returns whether there was a pause
	 */
	resume(): boolean {
		if (!this.series) return false;
		// If nothing was accepted since the last pause, nothing is known about a rate.
		if (!this.nothingAccepted) this.cut(this.series);
		this.series = undefined;
		this.sinceResume = 0;
		this.lastResume = this.now();
		return true;
	}

	private beginSeries(sentAt: number): void {
		const earlierPauseHelped = !this.nothingAccepted;
		this.nothingAccepted = this.sinceResume === 0 && this.lastResume > -Infinity;
		if (this.nothingAccepted) this.doublings++;
		else if (this.sinceResume >= ENOUGH) this.doublings = 0;
		else if (earlierPauseHelped) this.doublings = Math.max(0, this.doublings - 1);
		this.series = { first: sentAt, last: sentAt };
	}

	private cut({ first, last }: { first: number; last: number }): void {
		const inWindow = this.accepted.filter((sent) => sent > first - WINDOW && sent <= last);
		const accepted = inWindow.length / (WINDOW / 1_000);
		if (first - this.lastResume >= HOLD) this.rateBefore = accepted;
		const isUnsure = this.perSecond === Infinity && accepted < this.minSample;
		this.perSecond = Math.max(
			LOWEST,
			Math.min(this.perSecond * SHARE_OF_RATE, accepted * SHARE_OF_ACCEPTED),
		);
		this.raise = isUnsure ? 1 : FIRST_RAISE;
		const hold = this.perSecond < this.rateBefore / 2 ? STORM_OVER : HOLD;
		this.raiseAt = this.now() + (isUnsure ? RAISE_INTERVAL : hold);
	}
}
