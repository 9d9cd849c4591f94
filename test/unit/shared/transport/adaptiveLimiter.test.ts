import fc from 'fast-check';

import {
	seededRandom,
	type ServerTraits,
	simulate,
	type SimulatedRun,
	VirtualClock,
} from '../../../../bench/simulation';
import {
	AdaptiveLimiter,
	type Verdict,
	ServerDown,
} from '../../../../nodes/shared/transport/adaptiveLimiter';

jest.setTimeout(120_000);

const OK = (): Verdict => ({ kind: 'ok' });
const FAILED = (): Verdict => ({ kind: 'failed' });
const refusedFor = (retryAfter?: number) => (): Verdict => ({ kind: 'rateLimited', retryAfter });

const limiterOn = (
	clock: VirtualClock,
	ceiling: number,
	{ seed = 1, busyTime = () => 0 }: { seed?: number; busyTime?: () => number } = {},
) =>
	new AdaptiveLimiter(ceiling, {
		now: () => clock.time,
		wait: async (ms) => await clock.wait(ms),
		random: seededRandom(seed),
		busyTime,
	});

/** A run on a simulated server, with how the limit went in it. */
async function run(
	traits: ServerTraits,
	count: number,
	{ ceiling = 200, seed = 1 } = {},
): Promise<
	SimulatedRun & {
		limits: Array<[ms: number, limit: number]>;
		sentAt: number[];
		limiter: AdaptiveLimiter;
	}
> {
	const sentAt: number[] = [];
	const limits: Array<[number, number]> = [];
	let limiter!: AdaptiveLimiter;
	const result = await simulate(
		traits,
		count,
		ceiling,
		(clock) => {
			limiter = limiterOn(clock, ceiling, { seed });
			return {
				run: async (work, verdictOf, options) => {
					const send = async () => {
						sentAt.push(clock.time);
						return await work();
					};
					const end = await limiter.run(send, verdictOf, options);
					limits.push([clock.time, limiter.limit]);
					return end;
				},
			};
		},
		seed,
	);
	return { ...result, limits, sentAt, limiter };
}

const seeds = fc.integer({ min: 1, max: 1_000_000 });

describe('On a server without limits', () => {
	test('500 calls at 300 ms take no more than 2.3 s, and 10 calls one latency', async () => {
		await fc.assert(
			fc.asyncProperty(
				seeds,
				fc.double({ min: 0, max: 0.5, noNaN: true }),
				async (seed, jitter) => {
					const { ms, mostInFlight } = await run({ latency: 300, jitter }, 500, { seed });
					expect(ms).toBeLessThanOrEqual(2_300);
					expect(mostInFlight).toBeGreaterThan(100);
				},
			),
			{ numRuns: 15 },
		);
		expect((await run({ latency: 300 }, 10)).ms).toBe(300);
	});

	test.each([300, 500])(
		'100 calls at %i ms take little more than two latencies',
		async (latency) => {
			expect((await run({ latency }, 100)).ms).toBeLessThan(latency * 2.3);
		},
	);

	test('1,000 calls at 20 ms take less than 0.6 s', async () => {
		expect((await run({ latency: 20, jitter: 0.5 }, 1_000)).ms).toBeLessThan(600);
	});

	test.each([
		[100, 3],
		[300, 1],
		[500, 1],
	])('%i ms away it is at a ceiling of 50 after %i latencies', async (latency, latencies) => {
		const { limits } = await run({ latency }, 300, { ceiling: 50 });
		const reachedAt = limits.find(([, limit]) => limit === 50)?.[0];
		// A limit that has gone up is filled within half a latency.
		expect(reachedAt).toBeGreaterThanOrEqual(latency * latencies);
		expect(reachedAt).toBeLessThan(latency * (latencies + 0.5));
	});

	test('a limit that has gone up is filled evenly, without a loss', async () => {
		const { ms, sentAt } = await run({ latency: 300 }, 500, { ceiling: 50 });
		const most = Math.max(
			...sentAt.map((from) => sentAt.filter((at) => at >= from && at < from + 30).length),
		);
		expect(most).toBeLessThanOrEqual(42);
		expect(ms).toBeLessThanOrEqual(3_600);
	});

	test('a latency that is longer for good costs some rounds, not the speed', async () => {
		const step = (time: number) => (time < 2_000 ? 100 : 500);
		const { ms, limits } = await run({ latency: step, jitter: 0.2 }, 3_000);
		// 3,000 calls need 2 s for the first 1,000 and 20 s for the others.
		expect(ms).toBeLessThan(24_000);
		expect(limits.some(([, limit]) => limit < 50)).toBe(true);
		expect(limits.at(-1)?.[1]).toBeGreaterThanOrEqual(45);
	});

	test('its own computing is not taken for a latency, and holds the limit at 50', async () => {
		const clock = new VirtualClock();
		let busy = 0;
		const limiter = limiterOn(clock, 200, { busyTime: () => busy });
		// Every call takes 10 ms of this process, so that 50 at once take 25 times as long as the server.
		let free = 0;
		const work = async () => {
			await clock.wait(20);
			free = Math.max(free, clock.time) + 10;
			await clock.wait(free - clock.time);
			busy += 10;
		};
		const calls = Array.from({ length: 2_000 }, async () => await limiter.run(work, OK));
		await clock.run(Promise.all(calls));
		expect(limiter.limit).toBe(50);
	});
});

describe('On a server with a hidden limit', () => {
	test('of work at once: it keeps the server busy and queues no more than twice as much again', async () => {
		await fc.assert(
			fc.asyncProperty(fc.integer({ min: 4, max: 20 }), seeds, async (capacity, seed) => {
				// Half of the 400 ms are the network, half the work: so many calls fill line and server.
				const ideal = capacity * 2;
				const { ms, limits } = await run({ latency: 400, jitter: 0.2, capacity }, 1_500, { seed });
				expect(ms).toBeLessThan((1_500 / capacity) * 200 * 1.15 + 1_500);
				const settled = limits.slice(limits.length / 2).map(([, limit]) => limit);
				const mean = settled.reduce((sum, limit) => sum + limit, 0) / settled.length;
				expect(mean).toBeGreaterThan(ideal * 0.7);
				expect(mean).toBeLessThan(Math.max(ideal * 3, 30));
			}),
			{ numRuns: 10 },
		);
	});

	test('20 a second in windows: 300 calls at 90 % of that, fewer than 40 refused', async () => {
		for (const seed of [1, 2, 3, 4, 5]) {
			const traits = {
				latency: 100,
				jitter: 0.2,
				fixedWindow: { perSecond: 20 },
				retryAfter: 1_000,
			};
			const { ms, refused } = await run(traits, 300, { seed });
			expect(ms).toBeLessThanOrEqual(16_700);
			expect(refused).toBeLessThan(40);
		}
	});

	test('20 a second in windows that began before: never much slower', async () => {
		const times: number[] = [];
		for (let phase = 0; phase < 1_000; phase += 50) {
			const fixedWindow = { perSecond: 20, phase };
			const traits = { latency: 100, jitter: 0.2, fixedWindow, retryAfter: 1_000 };
			const { ms, refused } = await run(traits, 300, { seed: phase + 1 });
			expect(refused).toBeLessThanOrEqual(48);
			times.push(ms);
		}
		times.sort((a, b) => a - b);
		expect(times[10]).toBeLessThan(16_700);
		expect(times.at(-1)).toBeLessThan(19_000);
	});

	test('20 a second by a token bucket of 20', async () => {
		await fc.assert(
			fc.asyncProperty(seeds, async (seed) => {
				const tokenBucket = { perSecond: 20, size: 20 };
				const traits = { latency: 100, jitter: 0.2, tokenBucket, retryAfter: 1_000 };
				const { ms, refused } = await run(traits, 300, { seed });
				expect(ms).toBeLessThanOrEqual(16_700);
				expect(refused).toBeLessThan(30);
			}),
			{ numRuns: 10 },
		);
	});

	test('a bucket of any size and rate is served at a third of its rate or more, with few refused', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 2, max: 50 }),
				fc.integer({ min: 3, max: 60 }),
				seeds,
				async (perSecond, size, seed) => {
					const calls = perSecond * 15;
					const tokenBucket = { perSecond, size };
					const traits = { latency: 100, jitter: 0.2, tokenBucket, retryAfter: 1_000 };
					const { ms, refused, accepted } = await run(traits, calls, { seed });
					expect(accepted).toBe(calls);
					expect(ms).toBeLessThan(45_000);
					expect(refused).toBeLessThan(70);
				},
			),
			{ numRuns: 25 },
		);
	});

	test('refusing more than 20 at once is not taken for a rate', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 50);
		let open = 0;
		const work = async () => {
			await clock.wait(50);
			const isTooMuch = ++open > 20;
			await clock.wait(50);
			open--;
			return isTooMuch ? refusedFor(500)() : OK();
		};
		const call = async () => {
			for (let again = false; ; again = true) {
				if ((await limiter.run(work, (end) => end, { again })).kind === 'ok') return;
			}
		};
		await clock.run(Promise.all(Array.from({ length: 600 }, call)));
		expect(limiter.callsPerSecond).toBe(Infinity);
		expect(clock.time).toBeLessThan(8_000);
	});

	test('after 15 s it tries more, and finds a rate that has grown', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 50);
		let window = 0;
		let inWindow = 0;
		const work = async () => {
			await clock.wait(50);
			const present = Math.floor(clock.time / 1_000);
			inWindow = present === window ? inWindow + 1 : 1;
			window = present;
			await clock.wait(50);
			return inWindow > (present < 10 ? 20 : 1_000) ? refusedFor(1_000)() : OK();
		};
		const call = async () => {
			for (let again = false; ; again = true) {
				if ((await limiter.run(work, (end) => end, { again })).kind === 'ok') return;
			}
		};
		await clock.run(Promise.all(Array.from({ length: 2_000 }, call)));
		// At 20 a second it would take 100 s.
		expect(clock.time).toBeLessThan(45_000);
	});
});

describe('On a server that falls over', () => {
	test('the unknown outcomes are those in flight and five probes; the rest is not sent', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 400 }),
				fc.integer({ min: 2, max: 200 }),
				fc.constantFrom(50, 30_000),
				seeds,
				async (failsFrom, ceiling, failsAfter, seed) => {
					const traits = { latency: 100, jitter: 0.2, failsFrom, failsAfter };
					const end = await run(traits, 600, { ceiling, seed });
					const { accepted, failed, notSent, mostInFlight } = end;
					expect(accepted).toBe(failsFrom - 1);
					expect(failed).toBeLessThanOrEqual(ceiling + 6);
					expect(notSent).toBe(600 - accepted - failed);
					expect(mostInFlight).toBeLessThanOrEqual(ceiling);
					expect(end.limiter.limit).toBe(1);
				},
			),
			{ numRuns: 20 },
		);
	});

	test('it goes on when the server is back within some seconds', async () => {
		const traits = { latency: 100, jitter: 0.2, failsFrom: 101, failsUntil: 5_000 };
		const { accepted, failed, notSent, ms } = await run(traits, 500);
		expect(notSent).toBe(0);
		expect(accepted + failed).toBe(500);
		expect(failed).toBeLessThanOrEqual(66);
		expect(ms).toBeLessThan(14_000);
	});

	test('a lone failure halves the limit', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 50);
		await clock.run(limiter.run(async () => undefined, FAILED));
		expect(limiter.limit).toBe(5);
		await clock.run(limiter.run(async () => undefined, FAILED));
		expect(limiter.limit).toBe(2);
	});

	test('a probe every 30 s finds a server that is back', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 1);
		let isBack = false;
		const call = async () =>
			await limiter.run(
				async () => isBack,
				(back) => (back ? OK() : FAILED()),
			);
		for (let probe = 0; probe <= 6; probe++) await clock.run(call());
		await expect(clock.run(call())).rejects.toBeInstanceOf(ServerDown);
		isBack = true;
		await expect(clock.run(call())).rejects.toBeInstanceOf(ServerDown);
		await clock.run(clock.wait(32_000));
		expect(await clock.run(call())).toBe(true);
		expect(await clock.run(call())).toBe(true);
	});
});

describe('Always', () => {
	test('between 1 and the ceiling, every call ends, whatever the server is like', async () => {
		const traits = fc.record({
			latency: fc.integer({ min: 1, max: 800 }),
			jitter: fc.double({ min: 0, max: 0.9, noNaN: true }),
			capacity: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
			refusesAbove: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
			failing: fc.constantFrom(0, 0.02, 0.2),
			retryAfter: fc.constantFrom(undefined, 0, 1_000, 5_000),
			fixedWindow: fc.option(fc.record({ perSecond: fc.integer({ min: 1, max: 100 }) }), {
				nil: undefined,
			}),
		});
		await fc.assert(
			fc.asyncProperty(
				traits,
				fc.integer({ min: 1, max: 60 }),
				seeds,
				async (on, ceiling, seed) => {
					const end = await run(on, 150, { ceiling, seed });
					expect(end.accepted + end.failed + end.notSent).toBe(150);
					expect(end.mostInFlight).toBeLessThanOrEqual(ceiling);
					for (const [, limit] of end.limits) {
						expect(limit).toBeGreaterThanOrEqual(1);
						expect(limit).toBeLessThanOrEqual(ceiling);
					}
					expect(end.limiter.inFlight).toBe(0);
				},
			),
			{ numRuns: 25 },
		);
	});

	test('with a ceiling of 1, one after the other and in order, also after a 429', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 1);
		const sent: number[] = [];
		let refusals = 3;
		const call = async (item: number) => {
			for (let again = false; ; again = true) {
				const end = await limiter.run(
					async () => {
						expect(limiter.inFlight).toBe(1);
						sent.push(item);
						await clock.wait(30);
						return item === 4 && refusals-- > 0 ? refusedFor()() : OK();
					},
					(outcome) => outcome,
					{ again },
				);
				if (end.kind === 'ok') return;
			}
		};
		await clock.run(Promise.all([1, 2, 3, 4, 5, 6].map(call)));
		expect(sent).toEqual([1, 2, 3, 4, 4, 4, 4, 5, 6]);
	});

	test('after a 429 nobody sends until Retry-After is over', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 50);
		await clock.run(limiter.run(async () => undefined, refusedFor(7_000)));
		expect(limiter.pausedFor).toBeGreaterThanOrEqual(7_000);
		const sentAt: number[] = [];
		const send = async () => void sentAt.push(clock.time);
		await clock.run(Promise.all([1, 2, 3].map(async () => await limiter.run(send, OK))));
		expect(Math.min(...sentAt)).toBeGreaterThanOrEqual(7_000);
		expect(limiter.pausedFor).toBe(0);
	});

	test('without Retry-After the pauses grow, and begin anew after a good response', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 1);
		const pauses: number[] = [];
		for (const outcome of [refusedFor(), refusedFor(), refusedFor(), OK, refusedFor()]) {
			await clock.run(limiter.run(async () => undefined, outcome));
			pauses.push(Math.round(limiter.pausedFor / 550));
		}
		expect(pauses).toEqual([1, 2, 4, 0, 1]);
	});

	test('a call whose signal is aborted leaves the queue, and is not cut off once it is sent', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 1);
		const abort = new AbortController();
		const { signal } = abort;
		const slow = async () => {
			await clock.wait(100);
			return 'sent';
		};
		const sent = limiter.run(slow, OK, { signal });
		const waiting = limiter.run(slow, OK, { signal });
		const other = limiter.run(slow, OK);
		const reason = new Error('stopped');
		abort.abort(reason);
		await expect(waiting).rejects.toBe(reason);
		expect(await clock.run(sent)).toBe('sent');
		expect(await clock.run(other)).toBe('sent');
		expect(clock.time).toBe(200);
		await expect(limiter.run(slow, OK, { signal })).rejects.toBe(reason);
	});

	test('what a call throws is thrown, and says nothing about the server', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 50);
		const broken = new Error('broken');
		const work = async () => {
			throw broken;
		};
		await expect(limiter.run(work, OK)).rejects.toBe(broken);
		expect([limiter.limit, limiter.inFlight, limiter.pausedFor]).toEqual([10, 0, 0]);
	});

	test('works with the real clock', async () => {
		const limiter = new AdaptiveLimiter(2);
		await limiter.run(async () => undefined, refusedFor(0));
		const startedAt = Date.now();
		await limiter.run(async () => undefined, OK);
		expect(Date.now() - startedAt).toBeGreaterThanOrEqual(190);
	});
});

describe('In real time', () => {
	test('does the work in turn, never more than its limit at once, and after failures too', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 5 }),
				fc.array(fc.record({ steps: fc.integer({ min: 1, max: 4 }), fails: fc.boolean() }), {
					maxLength: 30,
				}),
				async (limit, jobs) => {
					const limiter = new AdaptiveLimiter(limit);
					const started: number[] = [];
					let atWork = 0;
					let most = 0;
					const results = await Promise.allSettled(
						jobs.map(
							async ({ steps, fails }, index) =>
								await limiter.run(
									async () => {
										started.push(index);
										most = Math.max(most, ++atWork);
										for (let step = 0; step < steps; step++) await Promise.resolve();
										atWork--;
										if (fails) throw new Error('failed');
										return index;
									},
									() => ({ kind: 'ok' }),
								),
						),
					);
					expect(started).toEqual(jobs.map((_, index) => index));
					expect(most).toBe(Math.min(limit, jobs.length));
					expect(results.map(({ status }) => status === 'rejected')).toEqual(
						jobs.map(({ fails }) => fails),
					);
				},
			),
		);
	});
});
