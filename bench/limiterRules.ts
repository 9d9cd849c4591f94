import type { Verdict } from '../nodes/shared/transport/adaptiveLimiter';
import { median } from './pairs';
import { markdownTable } from './report';
import {
	adaptiveLimiterOn,
	type CallWindow,
	type Limiting,
	type ServerTraits,
	type SimulatedRun,
	simulate,
	type VirtualClock,
} from './simulation';

const CEILING = 200;
const SEEDS = [1, 2, 3, 4, 5];
/** Some rules never end where refused calls count: so long they may try, in ms of the virtual clock. */
const UNTIL = 30 * 60_000;

/** A latency of 100 ms, as uneven as that of a network. */
const near: ServerTraits = { latency: 100, jitter: 0.2 };
const perSecond = (kind: CallWindow['kind']): ServerTraits => ({
	...near,
	window: { calls: 20, ms: 1_000, kind },
	retryAfter: 1_000,
});
const perMinute = (calls: number, kind: CallWindow['kind'], countsRefused = false) => ({
	...near,
	window: { calls, ms: 60_000, kind, countsRefused },
});
const bucket = (size: number): ServerTraits => ({
	...near,
	tokenBucket: { perSecond: 20, size },
	retryAfter: 1_000,
});

const storm = (ms: number): ServerTraits => ({ ...near, storm: { from: 101, ms } });
const slower: ServerTraits = { ...near, latency: (time) => (time < 2_000 ? 100 : 500) };

/** The servers that rules are compared on, and how many calls each gets. */
const SERVERS: Array<[name: string, calls: number, traits: ServerTraits]> = [
	['latency of 20 ms', 1_000, { latency: 20, jitter: 0.2 }],
	['latency of 300 ms', 500, { latency: 300, jitter: 0.2 }],
	['latency of 100 ms, then 500 ms', 1_000, slower],
	['queues above 10 at once', 1_000, { ...near, capacity: 10 }],
	['503 above 20 at once', 1_000, { ...near, failsAbove: 20 }],
	['429 above 20 at once', 1_000, { ...near, refusesAbove: 20 }],
	['20 a second, fixed window', 300, perSecond('fixed')],
	['20 a second, sliding window', 300, perSecond('sliding')],
	['20 a second, then a block of a second (NestJS)', 300, perSecond('block')],
	['20 a second, bucket of 20', 300, bucket(20)],
	['20 a second, bucket of 5', 300, bucket(5)],
	['300 a minute, fixed window', 900, perMinute(300, 'fixed')],
	['300 a minute, sliding, refused calls count', 900, perMinute(300, 'sliding', true)],
	['1 a minute, sliding, refused calls count', 10, perMinute(1, 'sliding', true)],
	['429 for 20 s, Retry-After 1 s', 400, { ...storm(20_000), retryAfter: 1_000 }],
	['429 for a minute, no Retry-After', 2_000, storm(60_000)],
	['1 % fail, latency of 300 ms', 500, { latency: 300, jitter: 0.2, failing: 0.01 }],
	['down after 200', 500, { ...near, failsFrom: 201 }],
];

/** What a rule makes of its limit after a good response, from how long that took (ms). */
type Grow = (limit: number, latency: number) => number;

/** A rule by the book: so many calls at once; each waits by itself after a 429. */
class Rule implements Limiting {
	private running = 0;
	private readonly waiting: Array<() => void> = [];

	/** @param grow without it the limit stays; with it, a bad response halves it */
	constructor(
		private readonly clock: VirtualClock,
		private limit: number,
		private readonly grow?: Grow,
	) {}

	async run<Result>(
		work: () => Promise<Result>,
		verdictOf: (result: Result) => Verdict,
	): Promise<Result> {
		if (this.running >= this.limit) await new Promise<void>((start) => this.waiting.push(start));
		else this.running++;
		const startedAt = this.clock.time;
		const result = await work();
		const verdict = verdictOf(result);
		if (this.grow) {
			const isGood = verdict.kind === 'ok';
			const next = isGood ? this.grow(this.limit, this.clock.time - startedAt) : this.limit / 2;
			this.limit = Math.min(CEILING, Math.max(1, next));
		}
		if (verdict.kind === 'rateLimited') await this.clock.wait((verdict.retryAfter ?? 500) + 300);
		this.running--;
		while (this.running < this.limit && this.waiting.length > 0) {
			this.running++;
			this.waiting.shift()?.();
		}
		return result;
	}
}

/** Additive increase, multiplicative decrease: one more for each limit's worth of good responses. */
const aimd: Grow = (limit) => limit + 1 / limit;

/** TCP Vegas: compares the calls in flight with the number that the shortest latency would need. */
function vegas(): Grow {
	let shortest = Infinity;
	return (limit, latency) => {
		shortest = Math.min(shortest, latency);
		const queued = limit * (1 - shortest / latency);
		if (queued < 3) return limit + 3 / limit;
		return queued > 6 ? limit - 1 / limit : limit;
	};
}

/** The gradient rule of Netflix's concurrency-limits: the limit follows the ratio of the long-term latency to the present one. */
function gradient(): Grow {
	let longTerm: number | undefined;
	return (limit, latency) => {
		longTerm = (longTerm ?? latency) * 0.99 + latency * 0.01;
		const ratio = Math.max(0.5, Math.min(1, (1.5 * longTerm) / latency));
		return limit * 0.8 + (limit * ratio + Math.sqrt(limit)) * 0.2;
	};
}

const RULES: Record<string, (clock: VirtualClock, seed: number) => Limiting> = {
	'fixed 10': (clock) => new Rule(clock, 10),
	'fixed 50': (clock) => new Rule(clock, 50),
	AIMD: (clock) => new Rule(clock, 10, aimd),
	Vegas: (clock) => new Rule(clock, 10, vegas()),
	gradient: (clock) => new Rule(clock, 10, gradient()),
	'this node': (clock, seed) => adaptiveLimiterOn(clock, CEILING, seed),
};

/** The median time of some runs, and the highest of their counts. */
function cell(runs: SimulatedRun[]): string {
	const seconds = median(runs.map(({ ms }) => ms))! / 1_000;
	const most = (name: string, of: (run: SimulatedRun) => number) => {
		const count = Math.max(...runs.map(of));
		return count ? [`${count} ${name}`] : [];
	};
	return [
		`${seconds.toFixed(1)} s`,
		...most('refused', ({ refused }) => refused),
		...most('failed', ({ failed }) => failed),
		...most('not sent', ({ notSent }) => notSent),
		...most('given up', ({ givenUp }) => givenUp),
	].join(', ');
}

/**
 * Compares rules on simulated servers.
 * @returns a Markdown table: the median time and the highest counts of five runs
 */
export async function compareRules(): Promise<string> {
	const rows: string[][] = [];
	for (const [name, count, traits] of SERVERS) {
		const row = [`${count.toLocaleString('en-US')} calls, ${name}`];
		for (const rule of Object.values(RULES)) {
			const simulated = SEEDS.map(async (seed) => {
				const limiterOn = (clock: VirtualClock) => rule(clock, seed);
				return await simulate({ traits, count, ceiling: CEILING, limiterOn, seed, until: UNTIL });
			});
			row.push(cell(await Promise.all(simulated)));
		}
		rows.push(row);
	}
	return markdownTable(Object.keys(RULES), rows);
}
