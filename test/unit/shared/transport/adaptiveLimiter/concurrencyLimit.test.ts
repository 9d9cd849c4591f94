/** How many calls may be in flight. What becomes of a whole run is in adaptiveLimiter.test.ts. */
import { ConcurrencyLimit } from '../../../../../nodes/shared/transport/adaptiveLimiter/concurrencyLimit';

let now: number;
let limit: ConcurrencyLimit;
const limitOf = (ceiling: number, start = 10) => new ConcurrencyLimit(start, ceiling, () => now);
beforeEach(() => {
	now = 1_000;
	limit = limitOf(60);
});

/** A round whose calls are sent together and come back together, each after so many ms. */
function burst(latency: number, { busy = 0, isHeldBack = true } = {}) {
	const sentAt = now;
	now += latency;
	for (let left = limit.current; left > 0; left--) {
		limit.noteEnd(left, isHeldBack);
		limit.noteAccepted(sentAt, busy);
	}
}

/** A round of a stream: for each call that comes back another one leaves. */
function stream(latency: number, took: number) {
	const count = limit.current;
	for (let call = 0; call < count; call++) {
		now += took / count;
		limit.noteEnd(count, true);
		limit.noteAccepted(now - latency, 0);
	}
}

describe('at first it doubles', () => {
	it.each([
		[1, [11, 12, 13]],
		[20, [16, 22, 28]],
		[90, [20, 40, 60, 60]],
		[120, [25, 60]],
		[135, [28, 60]],
		[300, [60]],
	])('with %i ms', (latency, limits) => {
		for (const expected of limits) {
			burst(latency);
			expect(limit.current).toBe(expected);
		}
	});

	it('not while fewer are wanted', () => {
		now += 5_000;
		for (let i = 0; i < 50; i++) {
			limit.noteEnd(2, false);
			limit.noteAccepted(now - 90, 0);
		}
		expect(limit.current).toBe(10);
	});

	it('by the time that the server took, not by that of this process', () => {
		burst(300, { busy: 210 });
		expect(limit.current).toBe(20);
	});

	it('and half of what a busy process hides of a distance that it has shown', () => {
		limit = limitOf(200);
		burst(300);
		expect(limit.current).toBe(100);
		burst(300, { busy: 250 });
		expect(limit.current).toBe(152);
	});

	it('and a slow first round of this process is no distance', () => {
		burst(300, { busy: 290 });
		expect(limit.current).toBe(13);
		burst(300, { busy: 200 });
		expect(limit.current).toBe(28);
	});

	it('and less once the server turns out to be near', () => {
		limit = limitOf(200);
		burst(300);
		burst(20);
		expect(limit.current).toBe(106);
	});

	it('and calls leave as fast as n8n can send them', () => {
		expect(limit.perSecond).toBe(Infinity);
		burst(300);
		expect(limit.perSecond).toBeCloseTo(700);
	});
});

describe('a round', () => {
	/** So many calls end one by one, of which each was sent 90 ms ago. */
	function end(count: number, inFlight: number) {
		for (let call = 0; call < count; call++) {
			limit.noteEnd(inFlight, false);
			limit.noteAccepted(now - 90, 0);
		}
	}

	it.each([
		['as many in flight as may be: more may be now', 10, 20, 90],
		['more than half as many: the latency is known', 6, 10, 90],
		['half as many: nothing is known', 5, 10, Infinity],
	])('with %s', (_what, inFlight, expected, latency) => {
		now += 5_000;
		end(10, inFlight);
		expect([limit.current, limit.latency]).toEqual([expected, latency]);
	});

	it('is as long as the median of its calls', () => {
		for (const elapsed of [500, 20, 400, 30, 300, 40, 200, 50, 100, 60]) {
			limit.noteAccepted(now - elapsed, 0);
		}
		expect(limit.latency).toBe(100);
	});

	it('begins anew with a failure, and without the calls from before it', () => {
		end(4, 10);
		limit.noteFailure(now);
		now += 50;
		end(5, 5);
		limit.noteAccepted(now, 0);
		expect([limit.current, limit.latency]).toEqual([5, Infinity]);
	});
});

describe('later it is what comes back within one and a half latencies', () => {
	beforeEach(() => {
		limit = limitOf(200);
		burst(300);
		expect(limit.current).toBe(100);
	});

	it.each([
		[600, 75],
		[450, 190],
		[1_500, 30],
		[9_000, 10],
	])('with 100 calls in %i ms: %i', (took, expected) => {
		// The first of these rounds begins with nothing in flight, which takes a latency.
		stream(300, took + 297);
		expect(limit.current).toBe(expected);
	});

	it('up and down, and calls leave a quarter faster than they come back', () => {
		stream(300, 897);
		expect(limit.current).toBe(75);
		stream(300, 600);
		expect(limit.current).toBe(56);
		expect(limit.perSecond).toBeCloseTo((75 / 600) * 1_000 * 1.25, 0);
		stream(300, 300);
		expect(limit.current).toBeGreaterThan(80);
	});

	it('or within a latency and 50 ms, where that is longer', () => {
		limit = limitOf(200);
		for (let i = 0; i < 5; i++) burst(20);
		expect(limit.current).toBe(40);
		stream(20, 160 + 20);
		// In 160 ms 40 calls came back, in 70 ms 17.
		expect(limit.current).toBe(17);
	});

	it('a slower server is a longer latency once there are only 10 calls', () => {
		stream(300, 9_000);
		expect([limit.current, limit.latency]).toEqual([10, 300]);
		stream(1_000, 1_000);
		expect([limit.current, limit.latency]).toEqual([10, 1_000]);
		burst(1_000);
		expect(limit.current).toBe(200);
	});
});

describe('failures', () => {
	it('each halves the limit, down to one call at a time, which is a probe', () => {
		for (const expected of [5, 2, 1, 1]) {
			expect(limit.isProbing).toBe(limit.current === 1);
			limit.noteFailure(now);
			expect(limit.current).toBe(expected);
		}
		expect(limit.isProbing).toBe(true);
		limit.noteResponse();
		expect(limit.isProbing).toBe(false);
	});

	it('with a ceiling of one, no call is a probe before one has failed', () => {
		limit = limitOf(1, 1);
		expect(limit.isProbing).toBe(false);
		limit.noteFailure(now);
		expect(limit.isProbing).toBe(true);
	});

	it('of a call from before a cut counts only in a row', () => {
		now = 2_000;
		limit.noteFailure(now);
		limit.noteResponse();
		limit.noteFailure(1_999);
		expect(limit.current).toBe(5);
		limit.noteFailure(1_999);
		expect(limit.current).toBe(2);
	});

	it('the limit doubles back to 75 % of where they came, for 15 seconds', () => {
		for (let i = 0; i < 4; i++) burst(90);
		expect(limit.current).toBe(60);
		for (let i = 0; i < 3; i++) limit.noteFailure(now);
		expect(limit.current).toBe(7);
		limit.noteResponse();
		for (const expected of [14, 28, 45, 45, 45]) {
			burst(90);
			expect(limit.current).toBe(expected);
		}
		now += 15_000;
		burst(90);
		expect(limit.current).toBe(60);
	});
});
