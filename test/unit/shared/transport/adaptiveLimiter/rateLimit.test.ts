/** How many calls a second are sent after a 429. What becomes of a whole run is in adaptiveLimiter.test.ts. */
import { RateLimit } from '../../../../../nodes/shared/transport/adaptiveLimiter/rateLimit';

let now: number;
let rate: RateLimit;
beforeEach(() => {
	now = 0;
	rate = new RateLimit(20, () => now);
});

/** Calls that were sent evenly in the second before a moment, and accepted. */
function accept(count: number, until = now, isCurrent = true) {
	for (let i = 1; i <= count; i++)
		rate.noteAccepted(until - 1_000 + (1_000 * i) / (count + 1), isCurrent);
}

/** A 429 to a call that is sent now, and the pause after it. */
function limit(pause = 1_000, { acceptedAfter = 0, limitedAfter = 0 } = {}) {
	expect(rate.noteRateLimited(now)).toBe(true);
	for (let i = 0; i < acceptedAfter; i++) rate.noteAccepted(now + 1, false);
	for (let i = 0; i < limitedAfter; i++) expect(rate.noteRateLimited(now + 1)).toBe(false);
	now += pause;
	expect(rate.resume()).toBe(true);
}

/** A call that is accepted now. */
const acceptOne = () => rate.noteAccepted(now, true);

test('there is no rate before the server has limited it, and no pause to end', () => {
	accept(100);
	expect(rate.perSecond).toBe(Infinity);
	expect(rate.resume()).toBe(false);
});

describe('the pause', () => {
	test('doubles from 500 ms to 30 s while nothing is accepted between', () => {
		for (const ms of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
			rate.noteRateLimited(now);
			expect(rate.pauseAfter()).toBe(ms);
			now += ms;
			rate.resume();
		}
		acceptOne();
		rate.noteRateLimited(now);
		expect(rate.pauseAfter()).toBe(500);
	});

	test('counts once for all calls of a series, and a call from before it ends nothing', () => {
		rate.noteRateLimited(now);
		rate.noteRateLimited(now + 1);
		rate.noteRateLimited(now + 2);
		expect(rate.pauseAfter()).toBe(500);
		now += 500;
		rate.resume();
		rate.noteAccepted(now - 600, false);
		rate.noteRateLimited(now);
		expect(rate.pauseAfter()).toBe(1_000);
	});

	test.each([
		[0, 200],
		[199, 200],
		[201, 201],
		[120_000, 120_000],
	])('of %i ms that the server asks for takes %i ms', (retryAfter, ms) => {
		rate.noteRateLimited(now);
		expect(rate.pauseAfter(retryAfter)).toBe(ms);
	});
});

describe('the rate after a pause', () => {
	test('is 97 % of what was accepted within the second before', () => {
		now = 10_000;
		accept(30, 8_000);
		accept(40);
		limit();
		expect(rate.perSecond).toBeCloseTo(38.8);
	});

	test('is none where nothing was accepted', () => {
		limit();
		expect(rate.perSecond).toBe(Infinity);
	});

	test.each([
		[4, 0, 38.8 + 4 * 0.97],
		[5, 4, Infinity],
		[5, 5, 38.8 + 5 * 0.97],
		[6, 5, Infinity],
	])(
		'when %i were accepted and %i limited after the first is %d',
		(acceptedAfter, limitedAfter, perSecond) => {
			now = 10_000;
			accept(40);
			limit(1_000, { acceptedAfter, limitedAfter });
			expect(rate.perSecond).toBeCloseTo(perSecond);
		},
	);

	test('falls to 85 % within 2 seconds of the last pause, to 97 % later', () => {
		now = 10_000;
		accept(40);
		limit();
		now += 1_999;
		accept(100);
		limit();
		expect(rate.perSecond).toBeCloseTo(38.8 * 0.85);
		now += 2_000;
		accept(100);
		limit();
		expect(rate.perSecond).toBeCloseTo(38.8 * 0.85 * 0.97);
	});

	test('is never more than what was accepted, and at least one call in a second', () => {
		now = 10_000;
		accept(40);
		limit();
		now += 5_000;
		accept(10);
		limit();
		expect(rate.perSecond).toBeCloseTo(9.7);
		now += 5_000;
		limit();
		expect(rate.perSecond).toBeCloseTo(0.97);
	});
});

describe('a rate goes up', () => {
	test('15 seconds after the pause, by 5 %, 10 %, 20 % …, once a second', () => {
		now = 10_000;
		accept(40);
		limit();
		now += 14_999;
		acceptOne();
		expect(rate.perSecond).toBeCloseTo(38.8);
		now += 1;
		acceptOne();
		acceptOne();
		let expected = 38.8 * 1.05;
		expect(rate.perSecond).toBeCloseTo(expected);
		for (const step of [0.1, 0.2, 0.4, 0.8, 1, 1]) {
			now += 999;
			acceptOne();
			expect(rate.perSecond).toBeCloseTo(expected);
			now += 1;
			acceptOne();
			expected *= 1 + step;
			expect(rate.perSecond).toBeCloseTo(expected);
		}
	});

	test('after a burst, which says little about it, twofold each second from the first on', () => {
		now = 10_000;
		accept(19);
		limit();
		expect(rate.perSecond).toBeCloseTo(19 * 0.97);
		now += 999;
		acceptOne();
		expect(rate.perSecond).toBeCloseTo(19 * 0.97);
		now += 1;
		acceptOne();
		expect(rate.perSecond).toBeCloseTo(2 * 19 * 0.97);
		now += 1_000;
		acceptOne();
		expect(rate.perSecond).toBeCloseTo(4 * 19 * 0.97);
	});

	test('not by a call that was sent before the pause', () => {
		now = 10_000;
		accept(40);
		limit();
		now += 20_000;
		rate.noteAccepted(now, false);
		expect(rate.perSecond).toBeCloseTo(38.8);
	});
});
