import { AdaptiveLimiter, type Verdict } from '../nodes/shared/transport/adaptiveLimiter';
import {
	type CallWindow,
	type Limiting,
	seededRandom,
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
const perSecond = (kind: CallWindow['kind'], countsRefused = false): ServerTraits => ({
	...near,
	window: { calls: 20, ms: 1_000, kind, countsRefused },
	retryAfter: 1_000,
});
const perMinute = (
	calls: number,
	kind: CallWindow['kind'],
	countsRefused = false,
): ServerTraits => ({
	...near,
	window: { calls, ms: 60_000, kind, countsRefused },
});

/** The servers that rules are compared on. */
const SERVERS: Record<string, { traits: ServerTraits; calls: number }> = {
	'latency of 20 ms': { traits: { latency: 20, jitter: 0.2 }, calls: 1_000 },
	'latency of 300 ms': { traits: { latency: 300, jitter: 0.2 }, calls: 500 },
	'latency of 100 ms, then 500 ms': {
		traits: { latency: (time) => (time < 2_000 ? 100 : 500), jitter: 0.2 },
		calls: 1_000,
	},
	'queues above 10 at once': { traits: { ...near, capacity: 10 }, calls: 1_000 },
	'503 above 20 at once': { traits: { ...near, failsAbove: 20 }, calls: 1_000 },
	'429 above 20 at once': { traits: { ...near, refusesAbove: 20 }, calls: 1_000 },
	'20 a second, fixed window': { traits: perSecond('fixed'), calls: 300 },
	'20 a second, sliding window': { traits: perSecond('sliding'), calls: 300 },
	'20 a second, sliding, refused calls count': { traits: perSecond('sliding', true), calls: 300 },
	'20 a second, then a block of a second (NestJS)': { traits: perSecond('block'), calls: 300 },
	'20 a second, bucket of 20': {
		traits: { ...near, tokenBucket: { perSecond: 20, size: 20 }, retryAfter: 1_000 },
		calls: 300,
	},
	'20 a second, bucket of 5': {
		traits: { ...near, tokenBucket: { perSecond: 20, size: 5 }, retryAfter: 1_000 },
		calls: 300,
	},
	'300 a minute, fixed window': { traits: perMinute(300, 'fixed'), calls: 900 },
	'300 a minute, sliding, refused calls count': {
		traits: perMinute(300, 'sliding', true),
		calls: 900,
	},
	'1 a minute, sliding, refused calls count': { traits: perMinute(1, 'sliding', true), calls: 10 },
	'429 for 20 s, Retry-After 1 s': {
		traits: { ...near, storm: { from: 101, ms: 20_000 }, retryAfter: 1_000 },
		calls: 400,
	},
	'429 for a minute, no Retry-After': {
		traits: { ...near, storm: { from: 101, ms: 60_000 } },
		calls: 2_000,
	},
	'1 % fail, latency of 300 ms': {
		traits: { latency: 300, jitter: 0.2, failing: 0.01 },
		calls: 500,
	},
	'down after 200': { traits: { ...near, failsFrom: 201 }, calls: 500 },
};

/** So many calls at once, whatever happens; each waits by itself after a 429. */
class Fixed implements Limiting {
	/** Adapts the limit to a call's outcome and latency (ms). */
	protected learn?(outcome: Verdict, latency: number): void;

	protected running = 0;
	private readonly waiting: Array<() => void> = [];

	constructor(
		protected limit: number,
		private readonly clock: VirtualClock,
	) {}

	async run<Result>(
		work: () => Promise<Result>,
		verdictOf: (result: Result) => Verdict,
	): Promise<Result> {
		if (this.running >= this.limit) await new Promise<void>((start) => this.waiting.push(start));
		else this.running++;
		const startedAt = this.clock.time;
		const result = await work();
		const outcome = verdictOf(result);
		this.learn?.(outcome, this.clock.time - startedAt);
		if (outcome.kind === 'rateLimited') await this.clock.wait((outcome.retryAfter ?? 500) + 300);
		this.running--;
		while (this.running < this.limit && this.waiting.length > 0) {
			this.running++;
			this.waiting.shift()?.();
		}
		return result;
	}
}

/** Additive increase, multiplicative decrease: one more for each limit's worth of good responses, half at each bad one. */
class Aimd extends Fixed {
	protected override learn(outcome: Verdict): void {
		if (outcome.kind === 'ok') this.limit = Math.min(CEILING, this.limit + 1 / this.limit);
		else this.limit = Math.max(1, this.limit / 2);
	}
}

/** TCP Vegas: compares the calls in flight with the number that the shortest latency would need. */
class Vegas extends Fixed {
	private shortest = Infinity;

	protected override learn(outcome: Verdict, latency: number): void {
		if (outcome.kind !== 'ok') {
			this.limit = Math.max(1, this.limit / 2);
			return;
		}
		this.shortest = Math.min(this.shortest, latency);
		const queued = this.limit * (1 - this.shortest / latency);
		if (queued < 3) this.limit = Math.min(CEILING, this.limit + 3 / this.limit);
		else if (queued > 6) this.limit = Math.max(1, this.limit - 1 / this.limit);
	}
}

/** The gradient rule of Netflix's concurrency-limits: the limit follows the ratio of the long-term latency to the present one. */
class Gradient extends Fixed {
	private longTerm?: number;

	protected override learn(outcome: Verdict, latency: number): void {
		if (outcome.kind !== 'ok') {
			this.limit = Math.max(1, this.limit / 2);
			return;
		}
		this.longTerm = (this.longTerm ?? latency) * 0.99 + latency * 0.01;
		const gradient = Math.max(0.5, Math.min(1, (1.5 * this.longTerm) / latency));
		const next = this.limit * gradient + Math.sqrt(this.limit);
		this.limit = Math.min(CEILING, Math.max(1, this.limit * 0.8 + next * 0.2));
	}
}

const RULES: Record<string, (clock: VirtualClock, seed: number) => Limiting> = {
	'fixed 10': (clock) => new Fixed(10, clock),
	'fixed 50': (clock) => new Fixed(50, clock),
	AIMD: (clock) => new Aimd(10, clock),
	Vegas: (clock) => new Vegas(10, clock),
	gradient: (clock) => new Gradient(10, clock),
	'this node': (clock, seed) =>
		new AdaptiveLimiter(CEILING, {
			now: () => clock.time,
			wait: async (ms) => await clock.wait(ms),
			random: seededRandom(seed),
			busyTime: () => 0,
		}),
};

function cell(runs: SimulatedRun[]): string {
	const worst = (of: (run: SimulatedRun) => number) => Math.max(...runs.map(of));
	const [middle] = runs
		.map(({ ms }) => ms)
		.sort((a, b) => a - b)
		.slice(runs.length >> 1);
	const counts = [
		[worst((run) => run.refused), 'refused'],
		[worst((run) => run.failed), 'failed'],
		[worst((run) => run.notSent), 'not sent'],
		[worst((run) => run.givenUp), 'given up'],
	];
	const named = counts.filter(([count]) => count).map(([count, name]) => `${count} ${name}`);
	return [`${(middle / 1_000).toFixed(1)} s`, ...named].join(', ');
}

/**
 * Compares rules on simulated servers.
 * @returns a Markdown table: the median time and the highest counts of five runs
 */
export async function compareRules(): Promise<string> {
	const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
	const lines = [
		line(['', ...Object.keys(RULES)]),
		line(['---', ...Object.keys(RULES).map(() => '---')]),
	];
	for (const [name, { traits, calls }] of Object.entries(SERVERS)) {
		const cells = [`${calls.toLocaleString('en-US')} calls, ${name}`];
		for (const rule of Object.values(RULES)) {
			const runs: SimulatedRun[] = [];
			for (const seed of SEEDS) {
				const limiterOn = (clock: VirtualClock) => rule(clock, seed);
				runs.push(
					await simulate({ traits, count: calls, ceiling: CEILING, limiterOn, seed, until: UNTIL }),
				);
			}
			cells.push(cell(runs));
		}
		lines.push(line(cells));
	}
	return lines.join('\n');
}

if (require.main === module) void compareRules().then((table) => console.log(table));
