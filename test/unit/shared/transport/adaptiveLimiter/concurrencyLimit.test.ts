/** How many calls may be in flight. What becomes of a whole run is in adaptiveLimiter.test.ts. */
import { ConcurrencyLimit } from '../../../../../nodes/shared/transport/adaptiveLimiter/concurrencyLimit';

let now: number;
let limit: ConcurrencyLimit;
beforeEach(() => {
	now = 1_000;
	limit = new ConcurrencyLimit(10, 60, () => now);
});

/**
 * A round of good responses with these latencies, in ms.
 * @param isFull whether the limit held calls back
 * @param busy for how much of each this process was busy itself, in ms
 */
function round(latency: number | number[], isFull = true, busy = 0) {
	const count = limit.current;
	if (isFull) limit.noteInFlight(count);
	for (let i = 0; i < count; i++) {
		limit.noteAccepted(Array.isArray(latency) ? latency[i % latency.length] : latency, busy);
	}
}

describe('up', () => {
	test.each([
		[1, [11, 12, 13]],
		[20, [16, 22, 28]],
		[90, [20, 40, 60, 60]],
		[120, [25, 60]],
		[135, [28, 60]],
		[300, [60]],
	])('with %i ms', (latency, limits) => {
		for (const expected of limits) {
			round(latency);
			expect(limit.current).toBe(expected);
		}
	});

	test('only when it held calls back, at any time of the round', () => {
		limit.noteInFlight(9);
		round(100, false);
		expect(limit.current).toBe(10);
		limit.noteInFlight(10);
		limit.noteInFlight(3);
		round(90, false);
		expect(limit.current).toBe(20);
		round(90, false);
		expect(limit.current).toBe(20);
	});

	test('not before as many calls as it allows have ended', () => {
		limit.noteInFlight(10);
		for (let i = 0; i < 9; i++) limit.noteAccepted(90, 0);
		expect([limit.current, limit.baseline]).toEqual([10, Infinity]);
		limit.noteAccepted(90, 0);
		expect([limit.current, limit.baseline]).toEqual([20, 90]);
	});

	test.each([
		// Above 50 only while this process is idle for a fifth of the time.
		[800, 200],
		[801, 50],
		[1_000, 50],
	])('with %i of 1,000 ms busy it ends at %i', (busy, expected) => {
		limit = new ConcurrencyLimit(10, 200, () => now);
		for (let i = 0; i < 200; i++) round(1_000, true, busy);
		expect(limit.current).toBe(expected);
	});

	test('a busy process does not bring the limit down', () => {
		limit = new ConcurrencyLimit(10, 200, () => now);
		for (let i = 0; i < 3; i++) round(500);
		round(500, true, 499);
		expect(limit.current).toBe(200);
	});

	test('by the time that a call takes, also where this process takes most of it', () => {
		round(120, true, 110);
		expect(limit.current).toBe(25);
	});

	test('by the time of the fastest call: the others may have waited for this process', () => {
		round([300, 90, 300, 300]);
		expect(limit.current).toBe(20);
	});

	test('a lone busy call says nothing', () => {
		limit = new ConcurrencyLimit(60, 200, () => now);
		limit.noteInFlight(60);
		limit.noteAccepted(1_000, 1_000);
		for (let i = 0; i < 59; i++) limit.noteAccepted(100, 0);
		expect(limit.current).toBe(90);
	});
});

describe('latency', () => {
	test('the baseline is the shortest median of a round', () => {
		round([5, 100, 90]);
		expect(limit.baseline).toBe(90);
		round(80);
		round(100);
		expect(limit.baseline).toBe(80);
	});

	test.each([
		// Twice the baseline, and at least 50 ms more.
		[10, 60, 26],
		[10, 61, 12],
		[90, 180, 60],
		[90, 181, 19],
	])('%i ms at first, then %i ms: %i', (first, then, expected) => {
		round(first);
		round(then);
		expect(limit.current).toBe(expected);
	});

	test('is cut to the share that takes as long as it may, and goes up by one a round', () => {
		round(100);
		round(800);
		expect(limit.current).toBe(5);
		round(100);
		expect(limit.current).toBe(6);
		round(100);
		expect(limit.current).toBe(7);
	});

	test('that cuts do not bring down becomes the baseline, and the limit doubles again', () => {
		round(100);
		round(500);
		expect(limit.current).toBe(8);
		round(450);
		// Calls of before the cut may still be ahead of these.
		expect([limit.current, limit.baseline]).toEqual([3, 100]);
		round(500, true, 50);
		expect([limit.current, limit.baseline]).toEqual([60, 500]);
	});

	test('that cuts bring down is a queue at the server: the baseline stays', () => {
		round(100);
		round(500);
		round(400);
		expect([limit.current, limit.baseline]).toEqual([4, 100]);
	});

	test('after a small cut tells nothing yet', () => {
		round(90);
		round(200);
		expect(limit.current).toBe(18);
		round(200);
		expect([limit.current, limit.baseline]).toEqual([16, 90]);
	});

	test('is compared without what this process was busy with, and with the whole time of the baseline', () => {
		limit = new ConcurrencyLimit(20, 60, () => now);
		// Of 300 ms away, this process was busy for 250: the server may have needed 50, or 300.
		round(300, false, 250);
		expect(limit.baseline).toBe(300);
		round(1_000, false, 600);
		expect(limit.current).toBe(20);
		round(850, false, 250);
		expect(limit.current).toBe(20);
		round(851, false, 250);
		expect(limit.current).toBe(19);
	});
});

describe('calls that say nothing about the limit', () => {
	test('are those that were sent before it was cut', () => {
		expect(limit.isCurrent(0)).toBe(true);
		round(100);
		round(800);
		expect([limit.isCurrent(999), limit.isCurrent(1_000)]).toEqual([false, true]);
		now = 2_000;
		limit.forgetCalls();
		expect([limit.isCurrent(1_999), limit.isCurrent(2_000)]).toEqual([false, true]);
	});

	test('a cut begins a new round', () => {
		limit.noteInFlight(10);
		for (let i = 0; i < 9; i++) limit.noteAccepted(20, 0);
		limit.noteRateLimited();
		for (let i = 0; i < 4; i++) limit.noteAccepted(20, 0);
		expect(limit.baseline).toBe(Infinity);
		limit.noteAccepted(20, 0);
		expect(limit.baseline).toBe(20);
	});
});

describe('a 429', () => {
	test('halves the limit when it held calls back, and then it goes up by one a round', () => {
		limit.noteInFlight(10);
		limit.noteRateLimited();
		expect(limit.current).toBe(5);
		for (const expected of [6, 7, 8, 9]) {
			round(20);
			expect(limit.current).toBe(expected);
		}
	});

	test('says nothing about a limit that held nothing back', () => {
		limit.noteRateLimited();
		expect(limit.current).toBe(10);
	});

	test('keeps the limit below where it came for 15 seconds', () => {
		limit.noteInFlight(10);
		limit.noteRateLimited();
		for (let i = 0; i < 20; i++) round(20);
		expect(limit.current).toBe(9);
		now += 14_999;
		round(20);
		expect(limit.current).toBe(9);
		now += 1;
		round(20);
		expect(limit.current).toBe(10);
	});
});

describe('failures', () => {
	test('each halves the limit, down to one call at a time, which is a probe', () => {
		for (const expected of [5, 2, 1, 1]) {
			expect(limit.isProbing).toBe(limit.current === 1);
			limit.noteFailure(now);
			expect(limit.current).toBe(expected);
		}
		expect(limit.isProbing).toBe(true);
		limit.noteResponse();
		expect(limit.isProbing).toBe(false);
	});

	test('with a ceiling of one, no call is a probe before one has failed', () => {
		limit = new ConcurrencyLimit(1, 1, () => now);
		expect(limit.isProbing).toBe(false);
		limit.noteFailure(now);
		expect(limit.isProbing).toBe(true);
	});

	test('of a call from before a cut counts only in a row', () => {
		limit.noteInFlight(10);
		now = 2_000;
		limit.noteRateLimited();
		limit.noteFailure(1_999);
		expect(limit.current).toBe(5);
		limit.noteFailure(1_999);
		expect(limit.current).toBe(2);
	});

	test('the limit doubles back to 75 % of where they came, then adds one', () => {
		for (let i = 0; i < 4; i++) round(90);
		expect(limit.current).toBe(60);
		for (let i = 0; i < 3; i++) limit.noteFailure(now);
		expect(limit.current).toBe(7);
		limit.noteResponse();
		for (const expected of [14, 28, 45, 46, 47]) {
			round(90);
			expect(limit.current).toBe(expected);
		}
	});

	test('and stays below where they came for 15 seconds', () => {
		limit.noteFailure(now);
		limit.noteResponse();
		for (let i = 0; i < 20; i++) round(20);
		expect(limit.current).toBe(9);
		now += 15_000;
		round(20);
		expect(limit.current).toBe(10);
	});
});
