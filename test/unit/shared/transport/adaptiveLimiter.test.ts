import { getEventListeners } from 'node:events';
import fc from 'fast-check';

import {
	adaptiveLimiterOn as limiterOn,
	type ServerTraits,
	simulate,
	type SimulatedRun,
	type SimulatedServer,
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

/** A run on a simulated server, with how the limit went in it. */
async function run(
	traits: ServerTraits,
	count: number,
	{ ceiling = 200, seed = 1, computes = 0 } = {},
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
	const result = await simulate({
		traits,
		count,
		ceiling,
		seed,
		computes,
		limiterOn: (clock) => {
			limiter = limiterOn(clock, ceiling, seed);
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
	});
	return { ...result, limits, sentAt, limiter };
}

const seeds = fc.integer({ min: 1, max: 1_000_000 });

/** The most moments within one of these many ms. */
const mostWithin = (ms: number, moments: number[]): number => {
	let first = 0;
	return moments.reduce((most, at, index) => {
		while (moments[first] <= at - ms) first++;
		return Math.max(most, index - first + 1);
	}, 0);
};

describe('On a server without limits', () => {
	it('500 calls at 300 ms, give or take 40 %, take no more than 2.6 s, and 10 calls one latency', async () => {
		await fc.assert(
			fc.asyncProperty(
				seeds,
				fc.double({ min: 0, max: 0.4, noNaN: true }),
				async (seed, jitter) => {
					const { ms, mostInFlight } = await run({ latency: 300, jitter }, 500, { seed });
					expect(ms).toBeLessThanOrEqual(2_600);
					expect(mostInFlight).toBeGreaterThan(100);
				},
			),
			{ numRuns: 15 },
		);
		expect((await run({ latency: 300 }, 10)).ms).toBe(300);
	});

	it.each([300, 500])('100 calls at %i ms take less than 2.9 latencies', async (latency) => {
		expect((await run({ latency }, 100)).ms).toBeLessThan(latency * 2.9);
	});

	it('1,000 calls at 20 ms take less than 1 s', async () => {
		expect((await run({ latency: 20, jitter: 0.5 }, 1_000)).ms).toBeLessThan(1_000);
	});

	it('the limit grows up to the ceiling, also while calls only wait to be sent evenly', async () => {
		const { limiter } = await run({ latency: 100, jitter: 0.2 }, 2_000);
		expect(limiter.limit).toBe(200);
	});

	it('a latency that is longer for good costs some rounds, not the speed', async () => {
		const step = (time: number) => (time < 2_000 ? 100 : 500);
		const { ms, limits } = await run({ latency: step, jitter: 0.2 }, 8_000);
		expect(ms).toBeLessThan(30_000);
		expect(limits.some(([, limit]) => limit <= 20)).toBe(true);
		expect(limits.at(-1)?.[1]).toBeGreaterThanOrEqual(150);
	});

	it('calls leave as a stream: no more in flight than the speed needs, and none that waits', async () => {
		await fc.assert(
			fc.asyncProperty(
				seeds,
				fc.integer({ min: 100, max: 500 }),
				fc.double({ min: 2, max: 6, noNaN: true }),
				fc.double({ min: 0, max: 0.2, noNaN: true }),
				async (seed, latency, computes, jitter) => {
					const count = 1_500;
					const { ms, mostInFlight, sentAt } = await run({ latency, jitter }, count, {
						seed,
						computes,
						ceiling: 1_000,
					});
					expect(ms).toBeLessThan(count * computes * 1.1 + latency * 4);
					const backInALatency = latency / computes;
					const start = 30 + latency * (1 + jitter) * 0.3;
					expect(mostInFlight).toBeLessThanOrEqual(Math.max(start, 2 + backInALatency * 1.75));
					const later = sentAt.slice(count / 2);
					const evenly = 100 / computes;
					// At a low speed some more come together: jitter, and 40 ms of credit.
					expect(mostWithin(100, later)).toBeLessThanOrEqual(Math.max(54, evenly * 3));
				},
			),
			{ numRuns: 20 },
		);
	});
});

describe('A storm of 429', () => {
	const SECOND = 1_000;
	const RETRY_AFTERS: Record<string, ServerTraits['retryAfter']> = {
		'none, or a negative one': undefined,
		'0, or a date in the past': 0,
		'1 s': SECOND,
		'60 s': 60 * SECOND,
		'a date in the future': (nth) => SECOND + ((nth * 7_919) % (5 * SECOND)),
		'on some only': (nth) => (nth % 3 === 0 ? 2 * SECOND : undefined),
	};
	const from = fc.integer({ min: 1, max: 300 });
	const network = {
		latency: fc.integer({ min: 20, max: 500 }),
		jitter: fc.double({ min: 0, max: 0.3, noNaN: true }),
	};
	const window = fc.record({
		calls: fc.integer({ min: 10, max: 100 }),
		ms: fc.constant(SECOND),
		kind: fc.constantFrom('fixed' as const, 'sliding' as const, 'block' as const),
		countsRefused: fc.boolean(),
		phase: fc.integer({ min: 0, max: 999 }),
	});
	/**
	 * Half of what was accepted in the second before the storm, or of what the server takes, is back within so many ms of the first
	 * call accepted after it, or after the last pause that began in it: responses take up to `latest` ms.
	 */
	const expectHalf = (
		{ accepted, storm }: SimulatedServer,
		{ within = 10 * SECOND, takesAtMost = Infinity, latest = 0 },
	) => {
		const had = accepted.filter((at) => at < storm!.from && at > storm!.from - SECOND);
		const after = accepted.filter((at) => at >= storm!.until);
		const first = after.find((at) => at >= storm!.until + latest)!;
		const soon = after.filter((at) => at < first + within);
		const takes = Math.min(had.length, takesAtMost);
		expect(mostWithin(SECOND, soon)).toBeGreaterThanOrEqual(takes / 2);
	};

	it.each(Object.entries(RETRY_AFTERS))(
		'leaves no mark, with Retry-After: %s',
		async (_name, retryAfter) => {
			await fc.assert(
				fc.asyncProperty(
					fc.record({
						...network,
						storm: fc.record({ from, ms: fc.integer({ min: 100, max: 150 * SECOND }) }),
						window: fc.option(window, { nil: undefined }),
					}),
					seeds,
					async (traits, seed) => {
						const { from } = traits.storm;
						const end = await run({ ...traits, retryAfter }, from + 900, { seed });
						const { accepted, refused, storm } = end.server;
						expect(end.accepted).toBe(from + 900);
						const asked = typeof retryAfter === 'number' ? retryAfter : 0;
						const within = 10 * SECOND + asked;
						expectHalf(end.server, { within, takesAtMost: traits.window?.calls });

						// Meanwhile the tries are few, and never more than a minute apart.
						const tries = refused.filter((at) => at < storm!.until);
						const sent = [...accepted, ...refused].sort((a, b) => a - b);
						const gaps = sent.map((at, index) => at - (sent[index - 1] ?? at));
						expect(Math.max(...gaps)).toBeLessThanOrEqual(
							Math.max(60 * SECOND, asked * 1.05) + traits.latency * 2 + 2 * SECOND,
						);
						const late = tries.filter((at) => at > storm!.from + 10 * SECOND + traits.latency);
						const longest = retryAfter === undefined ? 8 * SECOND : Math.max(200, asked);
						expect(late.length).toBeLessThanOrEqual(2 + traits.storm.ms / longest);
					},
				),
				{ numRuns: 25 },
			);
		},
	);

	it('says nothing about how many calls in flight the server takes: their limit stays', async () => {
		const traits = { latency: 100, jitter: 0.2, retryAfter: SECOND };
		const storm = { from: 1_500, ms: 5 * SECOND };
		const { limits, server } = await run({ ...traits, storm }, 4_000);
		const after = limits.filter(([ms]) => ms > server.storm!.until).map(([, limit]) => limit);
		expect(after.length).toBeGreaterThan(2_000);
		expect(Math.min(...after)).toBe(200);
	});

	it.each(Object.entries(RETRY_AFTERS))(
		'that refuses only some calls leaves no mark either, with Retry-After: %s',
		async (_name, retryAfter) => {
			const longest = typeof retryAfter === 'number' ? retryAfter : retryAfter ? 6 * SECOND : 0;
			await fc.assert(
				fc.asyncProperty(
					fc.record({
						...network,
						storm: fc.record({
							from,
							ms: fc.integer({ min: 5 * SECOND, max: 60 * SECOND }),
							share: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
						}),
						window: fc.option(window, { nil: undefined }),
					}),
					seeds,
					async (traits, seed) => {
						const { server } = await run({ ...traits, retryAfter }, traits.storm.from + 1_500, {
							seed,
						});
						expectHalf(server, {
							within: 10 * SECOND + longest,
							takesAtMost: traits.window?.calls,
							latest: traits.latency * (1 + traits.jitter),
						});
					},
				),
				{ numRuns: 25 },
			);
		},
	);
});

describe('On a server with a hidden limit', () => {
	it('of work at once: it keeps the server busy and queues no more than twice as much again', async () => {
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

	const PER_SECOND = 20;
	const COUNT = 300;
	/** So long it takes at 85 % of the rate, less what n8n needs before the first call, in ms. */
	const IN_TIME = (COUNT / PER_SECOND / 0.85) * 1_000 - 550;
	const limited = (kind: 'fixed' | 'sliding' | 'block', phase = 0, jitter = 0.2) => ({
		latency: 100,
		jitter,
		window: { calls: PER_SECOND, ms: 1_000, kind, phase },
		retryAfter: 1_000,
	});

	it.each(['sliding', 'block'] as const)(
		'%s, 20 a second: 85 % of that and fewer than 40 refused of 300, each time',
		async (kind) => {
			await fc.assert(
				fc.asyncProperty(
					seeds,
					fc.double({ min: 0, max: 0.4, noNaN: true }),
					async (seed, jitter) => {
						const { ms, refused } = await run(limited(kind, 0, jitter), COUNT, {
							seed,
							computes: 2.5,
						});
						expect(ms).toBeLessThanOrEqual(IN_TIME);
						expect(refused).toBeLessThan(40);
					},
				),
				{ numRuns: 40 },
			);
		},
	);

	it('fixed, 20 a second: the same, unless the first calls lie on the border of two windows', async () => {
		const ends: SimulatedRun[] = [];
		for (let phase = 0; phase < 1_000; phase += 20) {
			ends.push(await run(limited('fixed', phase), COUNT, { seed: phase + 1, computes: 2.5 }));
		}
		const slow = ends.filter(({ ms, refused }) => ms > IN_TIME || refused >= 40);
		expect(slow.length).toBeLessThanOrEqual(ends.length * 0.14);
		expect(Math.max(...ends.map(({ ms }) => ms))).toBeLessThan(20_000);
		expect(Math.max(...ends.map(({ refused }) => refused))).toBeLessThan(55);
	});

	it('however it counts, within a second: at least half of the rate', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.record({
					calls: fc.integer({ min: 5, max: 60 }),
					ms: fc.constant(1_000),
					kind: fc.constantFrom('fixed' as const, 'sliding' as const, 'block' as const),
					countsRefused: fc.boolean(),
					phase: fc.integer({ min: 0, max: 999 }),
				}),
				fc.constantFrom(undefined, 0, 1_000),
				fc.integer({ min: 20, max: 300 }),
				seeds,
				async (window, retryAfter, latency, seed) => {
					const count = window.calls * 15;
					const { ms } = await run({ latency, jitter: 0.2, window, retryAfter }, count, { seed });
					expect(ms).toBeLessThan(15_000 / 0.5);
				},
			),
			{
				numRuns: 60,
				// Each try counts, and the server asks for no delay between them.
				examples: [
					[{ calls: 5, ms: 1_000, kind: 'sliding', countsRefused: true, phase: 0 }, 0, 20, 1],
				],
			},
		);
	});

	it('however it counts, within a minute: every call within two minutes of the last', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.record({
					calls: fc.integer({ min: 1, max: 100 }),
					ms: fc.constant(60_000),
					kind: fc.constantFrom('fixed' as const, 'sliding' as const, 'block' as const),
					countsRefused: fc.boolean(),
					phase: fc.integer({ min: 0, max: 59_999 }),
				}),
				fc.constantFrom(undefined, 0, 1_000, 60_000),
				seeds,
				async (window, retryAfter, seed) => {
					// A server that asks for less, and counts that too, is never free.
					fc.pre(
						![0, 1_000].includes(retryAfter!) || !window.countsRefused || window.kind !== 'sliding',
					);
					const traits = { latency: 100, jitter: 0.2, window, retryAfter };
					const { server } = await run(traits, window.calls * 5 + 5, { seed });
					const { accepted } = server;
					const gaps = accepted.map((at, index) => at - (accepted[index - 1] ?? at));
					expect(Math.max(...gaps)).toBeLessThan(130_000);
				},
			),
			{ numRuns: 60 },
		);
	});

	it.each(['fixed', 'sliding', 'block'] as const)(
		'one call a minute, %s: about as often as that is asked',
		async (kind) => {
			const window = { calls: 1, ms: 60_000, kind, countsRefused: true };
			const { ms, refused } = await run({ latency: 100, jitter: 0.2, window }, 20);
			expect(ms).toBeLessThan(20 * 60_000 * 1.4);
			expect(refused).toBeLessThan(60);
		},
	);

	it('20 a second by a token bucket of 20', async () => {
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

	it('a bucket of any size and rate is served at a third of its rate or more, with few refused', async () => {
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

	it('after 15 s it tries more, and finds a rate that has grown', async () => {
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
	it('the unknown outcomes are those in flight and five probes; the rest is not sent', async () => {
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

	it('it goes on when the server is back within some seconds', async () => {
		const traits = { latency: 100, jitter: 0.2, failsFrom: 101, failsUntil: 5_000 };
		const { accepted, failed, notSent, ms } = await run(traits, 500);
		expect(notSent).toBe(0);
		expect(accepted + failed).toBe(500);
		expect(failed).toBeLessThanOrEqual(66);
		expect(ms).toBeLessThan(14_000);
	});

	it('a lone failure halves the limit', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 50);
		await clock.run(limiter.run(async () => undefined, FAILED));
		expect(limiter.limit).toBe(5);
		await clock.run(limiter.run(async () => undefined, FAILED));
		expect(limiter.limit).toBe(2);
	});

	it('a failure after a response is a lone one again, and nothing pauses until the next', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 1);
		for (const verdict of [FAILED, OK, FAILED]) {
			await clock.run(limiter.run(async () => undefined, verdict));
			expect(limiter.pausedFor).toBe(0);
		}
		await clock.run(limiter.run(async () => undefined, FAILED));
		expect(limiter.pausedFor).toBeGreaterThanOrEqual(250);
	});

	it('a probe every 30 s finds a server that is back', async () => {
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
		await clock.run(clock.wait(29_000));
		await expect(clock.run(call())).rejects.toBeInstanceOf(ServerDown);
		await clock.run(clock.wait(3_000));
		expect(await clock.run(call())).toBe(true);
		expect(await clock.run(call())).toBe(true);
	});
});

describe('Always', () => {
	it('between 1 and the ceiling, every call ends, whatever the server is like', async () => {
		const traits = fc.record({
			latency: fc.integer({ min: 1, max: 800 }),
			jitter: fc.double({ min: 0, max: 0.9, noNaN: true }),
			capacity: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
			failsAbove: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
			failing: fc.constantFrom(0, 0.02, 0.2),
			retryAfter: fc.constantFrom(undefined, 0, 1_000, 5_000),
			refusesAbove: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
			window: fc.option(
				fc.record({
					calls: fc.integer({ min: 1, max: 100 }),
					ms: fc.constant(1_000),
					kind: fc.constantFrom('fixed' as const, 'sliding' as const, 'block' as const),
				}),
				{ nil: undefined },
			),
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
				},
			),
			{ numRuns: 25 },
		);
	});

	it('with a ceiling of 1, one after the other and in order, also after a 429', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 1);
		const sent: number[] = [];
		let refusals = 3;
		let atWork = 0;
		const call = async (item: number) => {
			for (let again = false; ; again = true) {
				const end = await limiter.run(
					async () => {
						expect(++atWork).toBe(1);
						sent.push(item);
						await clock.wait(30);
						atWork--;
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

	it('after a 429 nobody sends until Retry-After is over', async () => {
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

	it.each([
		[0, 1_000],
		[1, 1_050],
	])('a pause is up to 5 % longer than asked for, at random (%p): %i ms', async (random, ms) => {
		const limiter = new AdaptiveLimiter(1, { now: () => 60_000, random: () => random });
		await limiter.run(async () => undefined, refusedFor(1_000));
		expect(limiter.pausedFor).toBe(ms);
	});

	it('without Retry-After the pauses grow, and begin anew after five good responses', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 1);
		const pauses: number[] = [];
		const limited = refusedFor();
		for (const outcome of [limited, limited, limited, OK, OK, OK, OK, OK, limited]) {
			await clock.run(limiter.run(async () => undefined, outcome));
			pauses.push(Math.round(limiter.pausedFor / 550));
		}
		expect(pauses).toEqual([1, 2, 4, 0, 0, 0, 0, 0, 1]);
	});

	it('a call whose signal is aborted leaves the queue, and is not cut off once it is sent', async () => {
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

	it.each([
		['are sent', OK],
		['are given up', FAILED],
	])('lets go of the signal of calls that %s: it outlives thousands', async (_end, verdict) => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 1);
		const { signal } = new AbortController();
		const calls = Array.from(
			{ length: 8 },
			async () => await limiter.run(async () => await clock.wait(100), verdict, { signal }),
		);
		expect(getEventListeners(signal, 'abort')).toHaveLength(8);
		await clock.run(Promise.allSettled(calls));
		expect(getEventListeners(signal, 'abort')).toEqual([]);
	});

	it('what a call throws is thrown, and says nothing about the server', async () => {
		const clock = new VirtualClock();
		const limiter = limiterOn(clock, 50);
		const broken = new Error('broken');
		const work = async () => {
			throw broken;
		};
		await expect(limiter.run(work, OK)).rejects.toBe(broken);
		expect([limiter.limit, limiter.pausedFor]).toEqual([10, 0]);
		await expect(limiter.run(async () => 'next', OK)).resolves.toBe('next');
	});

	it('works with the real clock', async () => {
		const limiter = new AdaptiveLimiter(2);
		await limiter.run(async () => undefined, refusedFor(0));
		const startedAt = Date.now();
		await limiter.run(async () => undefined, OK);
		expect(Date.now() - startedAt).toBeGreaterThanOrEqual(190);
	});
});

describe('In real time', () => {
	it('does the work in turn, never more than its limit at once, and after failures too', async () => {
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

it('ends a pause in time when the clock of the machine is set back', async () => {
	jest.useFakeTimers();
	try {
		const limiter = new AdaptiveLimiter(200, { busyTime: () => 0 });
		await limiter.run(async () => 1, refusedFor(2_000));
		jest.setSystemTime(Date.now() - 3_600_000);
		const ended = limiter.run(async () => 2, OK);
		await jest.advanceTimersByTimeAsync(3_000);
		await expect(Promise.race([ended, Promise.resolve('still waiting')])).resolves.toBe(2);
	} finally {
		jest.useRealTimers();
	}
});
