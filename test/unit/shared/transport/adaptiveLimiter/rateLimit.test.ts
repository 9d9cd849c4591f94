/** How many calls a second are sent after a 429. What becomes of a whole run is in adaptiveLimiter.test.ts. */
import { RateLimit } from '../../../../../nodes/shared/transport/adaptiveLimiter/rateLimit';

let now: number;
let rate: RateLimit;
beforeEach(() => {
	now = 10_000;
	rate = new RateLimit(20, () => now);
});

/** Calls that were sent evenly in the ms before now, and accepted. */
function accept(count: number, ms = 1_000) {
	for (let i = 1; i <= count; i++) rate.noteAccepted(now - ms + (ms * i) / (count + 1));
}

/** A 429 to a call that is sent now, and the pause after it. */
function limit(pause = 1_000) {
	rate.noteRateLimited(now);
	now += pause;
	expect(rate.resume()).toBe(true);
}

it('there is no rate before the server has limited it, and no pause to end', () => {
	accept(100);
	expect(rate.perSecond).toBe(Infinity);
	expect(rate.resume()).toBe(false);
});

describe('the pause', () => {
	it('doubles from 500 ms to a minute while nothing is accepted', () => {
		for (const ms of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
			expect(rate.noteRateLimited(now)).toBe(ms);
			now += ms;
			rate.resume();
		}
		for (let i = 0; i < 5; i++) rate.noteAccepted(now);
		expect(rate.noteRateLimited(now)).toBe(500);
	});

	it('stays after fewer than five, and is halved when its first try was accepted', () => {
		for (let i = 0; i < 4; i++) limit();
		rate.noteAccepted(now);
		expect(rate.noteRateLimited(now)).toBe(4_000);
		now += 4_000;
		rate.resume();
		rate.noteAccepted(now);
		expect(rate.noteRateLimited(now)).toBe(2_000);
	});

	it('is one for all calls of a series, and a call from before it ends and begins nothing', () => {
		for (const sentAt of [now, now + 1, now + 2]) {
			expect(rate.noteRateLimited(sentAt)).toBe(500);
		}
		now += 500;
		rate.resume();
		rate.noteAccepted(now - 600);
		expect(rate.noteRateLimited(now - 400)).toBe(0);
		expect(rate.noteRateLimited(now)).toBe(1_000);
	});

	it('of less than a second that the server asks for takes a second while nothing is accepted', () => {
		expect(rate.noteRateLimited(now, 0)).toBe(200);
		now += 200;
		rate.resume();
		expect(rate.noteRateLimited(now, 0)).toBe(1_000);
		now += 1_000;
		rate.resume();
		expect(rate.noteRateLimited(now, 3_000)).toBe(3_000);
	});

	it.each([
		[0, 200],
		[199, 200],
		[201, 201],
		[120_000, 120_000],
	])('of %i ms that the server asks for takes %i ms', (retryAfter, ms) => {
		expect(rate.noteRateLimited(now, retryAfter)).toBe(ms);
	});
});

describe('the rate after a pause', () => {
	it('is 92 % of what was accepted within the second before the 429', () => {
		accept(30, 4_000);
		accept(40);
		limit();
		expect(rate.perSecond).toBeGreaterThan(40 * 0.92);
		expect(rate.perSecond).toBeLessThan(50 * 0.92);
	});

	it('leaves out what a new window has taken after the last 429', () => {
		accept(40);
		rate.noteRateLimited(now);
		for (let i = 1; i <= 8; i++) rate.noteAccepted(now + 100);
		now += 1_000;
		rate.resume();
		expect(rate.perSecond).toBeCloseTo(36.8);
	});

	it('counts what was accepted up to the last 429 of a series, in whatever order they come', () => {
		accept(40);
		rate.noteRateLimited(now);
		for (let i = 0; i < 10; i++) rate.noteAccepted(now + 50);
		rate.noteRateLimited(now + 100);
		rate.noteRateLimited(now + 20);
		now += 1_000;
		rate.resume();
		expect(rate.perSecond).toBeCloseTo(50 * 0.92);
	});

	it('stays what it was where nothing was accepted since the last pause', () => {
		accept(40);
		limit();
		for (let i = 0; i < 20; i++) limit(60_000);
		expect(rate.perSecond).toBeCloseTo(36.8);
	});

	it('falls to 97 %, or to what was accepted', () => {
		accept(40);
		limit();
		now += 5_000;
		accept(60);
		limit();
		expect(rate.perSecond).toBeCloseTo(36.8 * 0.97);
		now += 5_000;
		accept(10);
		limit();
		expect(rate.perSecond).toBeCloseTo(9.2);
		now += 5_000;
		rate.noteAccepted(now);
		limit();
		expect(rate.perSecond).toBe(1);
	});
});

describe('a rate goes up', () => {
	it('15 seconds after the pause, by 5 %, 10 %, 20 % …, once a second', () => {
		accept(40);
		limit();
		now += 14_999;
		rate.noteAccepted(now);
		expect(rate.perSecond).toBeCloseTo(36.8);
		let expected = 36.8;
		now += 1;
		for (const step of [0.05, 0.1, 0.2, 0.4, 0.8, 1, 1]) {
			rate.noteAccepted(now);
			rate.noteAccepted(now);
			expected *= 1 + step;
			expect(rate.perSecond).toBeCloseTo(expected);
			now += 1_000;
		}
	});

	it('after a first burst, which says little about it, twofold each second from the first on', () => {
		accept(19);
		limit();
		let expected = 19 * 0.92;
		for (let second = 0; second < 3; second++) {
			now += 999;
			rate.noteAccepted(now);
			expect(rate.perSecond).toBeCloseTo(expected);
			now += 1;
			rate.noteAccepted(now);
			expected *= 2;
			expect(rate.perSecond).toBeCloseTo(expected);
		}
	});

	it('not sooner than that once as many calls were accepted as tell a rate', () => {
		accept(20);
		limit();
		now += 14_999;
		rate.noteAccepted(now);
		expect(rate.perSecond).toBeCloseTo(20 * 0.92);
	});

	it('after 5 seconds to half of what was accepted before a series of 429, and on after 15 more', () => {
		accept(100);
		limit();
		now += 1_000;
		rate.noteAccepted(now);
		limit();
		expect(rate.perSecond).toBe(1);
		for (const [ms, expected] of [
			[4_999, 1],
			[1, 50],
			[14_999, 50],
			[1, 52.5],
		]) {
			now += ms;
			rate.noteAccepted(now);
			expect(rate.perSecond).toBeCloseTo(expected);
		}
	});

	it('not to what was accepted before a rate that has held for 15 seconds', () => {
		accept(100);
		limit();
		now += 15_000;
		accept(10);
		limit();
		now += 5_000;
		rate.noteAccepted(now);
		expect(rate.perSecond).toBeCloseTo(9.2);
	});

	it('not by a call that was sent before the pause', () => {
		accept(40);
		limit();
		now += 20_000;
		rate.noteAccepted(now - 20_001);
		expect(rate.perSecond).toBeCloseTo(36.8);
	});
});
