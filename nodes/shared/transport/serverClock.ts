/** A moment on AcountPay's clock that is not known exactly, in ms since 1970: not before `from`, not after `to`. */
interface Moment {
	from: number;
	to: number;
}

/** By how much the clocks of AcountPay's servers may differ, in ms (assumed). */
const SLACK = 250;

/** The header has whole seconds, cut off: the moment was up to this much later, in ms. */
const CUT_OFF = 999;

/** The date of an HTTP header, as RFC 9110 has servers write it. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * AcountPay's clock, as far as the `Date` of its responses shows it: to about a second. Once two responses contradict each other,
 * since one of the clocks was set meanwhile, nothing is known any more.
 */
export class ServerClock {
	/** AcountPay's clock is ahead of this machine's by no less and no more than this, in ms. */
	private ahead: Moment = { from: -Infinity, to: Infinity };

	/**
	 * @param headers of a response that AcountPay itself made
	 * @param sentAt when the request left, in ms since 1970 on this machine
	 * @param receivedAt when the response was there
	 */
	observe(headers: Record<string, unknown>, sentAt: number, receivedAt: number): void {
		const { date, age } = headers;
		// A response from a cache has the date of when it was created.
		if (age !== undefined || typeof date !== 'string' || !HTTP_DATE.test(date)) return;
		const stated = Date.parse(date);
		if (Number.isNaN(stated)) return;
		const { from, to } = this.ahead;
		this.ahead = {
			from: Math.max(from, stated - receivedAt - SLACK),
			to: Math.min(to, stated + CUT_OFF - sentAt + SLACK),
		};
	}

	/**
	 * What AcountPay's clock showed.
	 * @param at ms since 1970 on this machine
	 * @returns undefined when it is not known
	 */
	at(at: number): Moment | undefined {
		const { from, to } = this.ahead;
		return from === -Infinity || from > to ? undefined : { from: at + from, to: at + to };
	}
}
