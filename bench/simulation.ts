import { AdaptiveLimiter, type Verdict } from '../nodes/shared/transport/adaptiveLimiter';

/** A clock that jumps to the next thing to do, once nothing is left to do now. */
export class VirtualClock {
	/** ms since the start. */
	time = 0;
	/** The next one last; of those at the same time, the first that was set. */
	private readonly alarms: Array<{ at: number; ring: () => void }> = [];

	async wait(ms: number): Promise<void> {
		const at = this.time + Math.max(0, ms);
		const place = this.alarms.findIndex((alarm) => alarm.at <= at);
		await new Promise<void>((ring) =>
			this.alarms.splice(place < 0 ? this.alarms.length : place, 0, { at, ring }),
		);
	}

	/** Lets time pass until `work` is done. @throws Error when nothing would ever happen again */
	async run<Result>(work: Promise<Result>): Promise<Result> {
		let isDone = false;
		const done = () => (isDone = true);
		work.then(done, done);
		for (;;) {
			await new Promise((resolve) => setImmediate(resolve));
			if (isDone) return await work;
			const next = this.alarms.pop();
			if (!next) throw new Error('Nothing is left to wait for');
			this.time = next.at;
			next.ring();
		}
	}
}

/** Mulberry32: random numbers from 0 to 1 that are the same in each run. */
function seededRandom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** `calls` in `ms` milliseconds, however they are counted. */
export interface CallWindow {
	calls: number;
	ms: number;
	/**
	 * `fixed`: by the server's clock; `sliding`: in the last ms; `block`: from a first call on, and after the first call too many
	 * none for a whole window, as NestJS's throttler does it.
	 */
	kind: 'fixed' | 'sliding' | 'block';
	/** Whether a refused call counts too. */
	countsRefused?: boolean;
	/** How much of a fixed window has passed at the start, in ms. */
	phase?: number;
}

/** What a simulated server is like. Times are in ms of the virtual clock. */
export interface ServerTraits {
	/** From a request to its response; half of it passes before the server sees the request. */
	latency: number | ((time: number) => number);
	/** The share by which each latency may differ at random. */
	jitter?: number;
	/** How many requests it works on at once; further ones wait in its queue. */
	capacity?: number;
	/** How many requests it works on at once; further ones get a 503. */
	failsAbove?: number;
	/** How many requests it works on at once; further ones get a 429. */
	refusesAbove?: number;
	/** Accepts this many calls, and answers 429 to the others. */
	window?: CallWindow;
	/** Accepts a request for each token; tokens come evenly. */
	tokenBucket?: { perSecond: number; size: number };
	/** Answers 429 for a while, from the nth request on: to everything, or to this share of all requests at random. */
	storm?: { from: number; ms: number; share?: number };
	/** What a 429 asks for, in ms; for the nth one, counted from 1. */
	retryAfter?: number | ((nth: number) => number | undefined);
	/** Fails each request from this one on, counted from 1. */
	failsFrom?: number;
	/** Until when it fails. */
	failsUntil?: number;
	/** Fails this share of all requests. */
	failing?: number;
	/** How long a failing request takes. */
	failsAfter?: number;
}

/** A trait, or what it is for this number. */
const traitAt = <Trait>(trait: Trait | ((of: number) => Trait), of: number): Trait =>
	trait instanceof Function ? trait(of) : trait;

/** A server behind a network, on a virtual clock. */
export class SimulatedServer {
	/** When it saw the calls that it accepted, and the ones that it refused. */
	readonly accepted: number[] = [];
	readonly refused: number[] = [];
	failed = 0;
	/** When a storm began and ended. */
	storm?: { from: number; until: number };
	/** Requests at the same time, as the client sees it: now, and the most there were. */
	open = 0;
	mostOpen = 0;
	private seen = 0;
	private working = 0;
	private readonly queue: Array<() => void> = [];
	/** When calls came that count for the window. */
	private counted: number[] = [];
	private blockedUntil = -Infinity;
	private tokens: number;
	private tokensAt = 0;
	private readonly random: () => number;

	constructor(
		private readonly clock: VirtualClock,
		private readonly traits: ServerTraits,
		seed = 1,
	) {
		this.random = seededRandom(seed);
		this.tokens = traits.tokenBucket?.size ?? 0;
	}

	async send(): Promise<Verdict> {
		this.open++;
		this.mostOpen = Math.max(this.mostOpen, this.open);
		const { latency, jitter = 0 } = this.traits;
		const time = traitAt(latency, this.clock.time) * (1 + jitter * (2 * this.random() - 1));
		await this.clock.wait(time / 2);
		const outcome = await this.handle(time / 2);
		this.open--;
		return outcome;
	}

	private async handle(rest: number): Promise<Verdict> {
		const { clock, traits } = this;
		this.seen++;
		if (!this.takesMore()) {
			this.refused.push(clock.time);
			const retryAfter = traitAt(traits.retryAfter, this.refused.length);
			await clock.wait(rest);
			return { kind: 'rateLimited', retryAfter };
		}
		const isDown =
			this.seen >= (traits.failsFrom ?? Infinity) && clock.time < (traits.failsUntil ?? Infinity);
		if (
			isDown ||
			this.working >= (traits.failsAbove ?? Infinity) ||
			this.random() < (traits.failing ?? 0)
		) {
			this.failed++;
			await clock.wait(traits.failsAfter ?? rest);
			return { kind: 'failed' };
		}
		this.accepted.push(clock.time);
		if (this.working >= (traits.capacity ?? Infinity)) {
			await new Promise<void>((start) => this.queue.push(start));
		} else this.working++;
		await clock.wait(rest);
		const next = this.queue.shift();
		if (next) next();
		else this.working--;
		return { kind: 'ok' };
	}

	private takesMore(): boolean {
		const { storm, window, refusesAbove = Infinity } = this.traits;
		const { time } = this.clock;
		if (storm && this.seen >= storm.from) {
			this.storm ??= { from: time, until: time + storm.ms };
			if (time < this.storm.until && this.random() < (storm.share ?? 1)) return false;
		}
		if (this.working >= refusesAbove) return false;
		return this.hasToken() && (!window || this.hasRoom(window));
	}

	private hasToken(): boolean {
		if (!this.traits.tokenBucket) return true;
		const { perSecond, size } = this.traits.tokenBucket;
		const { time } = this.clock;
		this.tokens = Math.min(size, this.tokens + ((time - this.tokensAt) * perSecond) / 1_000);
		this.tokensAt = time;
		if (this.tokens < 1) return false;
		this.tokens--;
		return true;
	}

	private hasRoom({ calls, ms, kind, countsRefused, phase = 0 }: CallWindow): boolean {
		const { time } = this.clock;
		if (time < this.blockedUntil) return false;
		const [first = time] = this.counted;
		const number = (at: number) => Math.floor((at + phase) / ms);
		const isOver = {
			fixed: (at: number) => number(at) < number(time),
			sliding: (at: number) => at <= time - ms,
			block: () => first <= time - ms || first < this.blockedUntil,
		}[kind];
		this.counted = this.counted.filter((at) => !isOver(at));
		const hasRoom = this.counted.length < calls;
		if (hasRoom || countsRefused) this.counted.push(time);
		if (!hasRoom && kind === 'block') this.blockedUntil = time + ms;
		return hasRoom;
	}
}

/** What finds out how many calls a server takes. */
export type Limiting = Pick<AdaptiveLimiter, 'run'>;

/** This node's, on a virtual clock; its process is never busy. */
export const adaptiveLimiterOn = (clock: VirtualClock, ceiling: number, seed = 1) =>
	new AdaptiveLimiter(ceiling, {
		now: () => clock.time,
		wait: async (ms) => await clock.wait(ms),
		random: seededRandom(seed),
		busyTime: () => 0,
	});

/** A run to simulate. */
export interface Simulation {
	traits: ServerTraits;
	count: number;
	ceiling: number;
	limiterOn: (clock: VirtualClock) => Limiting;
	seed?: number;
	/** Until when a refused call is repeated, in ms of the virtual clock. */
	until?: number;
	/** How long this process computes for each call, one after the other, in ms: half before it is sent, half after it. */
	computes?: number;
}

/**
 * Makes calls, as the item runner does: as many workers as the ceiling, each repeats refused calls and goes on after a
 * failure.
 *
 * @returns `ms` of the virtual clock, and how many calls ended how: `refused` counts each 429, `failed` the outcomes that a client
 * does not know, `givenUp` the calls that were refused until there was no time left
 */
export async function simulate(simulation: Simulation) {
	const { traits, count, ceiling, limiterOn } = simulation;
	const { seed = 1, until = Infinity, computes = 0 } = simulation;
	const clock = new VirtualClock();
	const server = new SimulatedServer(clock, traits, seed);
	const limiter = limiterOn(clock);
	let next = 0;
	let notSent = 0;
	let givenUp = 0;
	let idleFrom = 0;
	const compute = async () => {
		if (!computes) return;
		idleFrom = Math.max(idleFrom, clock.time) + computes / 2;
		await clock.wait(idleFrom - clock.time);
	};
	const call = async () => {
		await compute();
		const outcome = await server.send();
		await compute();
		return outcome;
	};
	const worker = async () => {
		while (next < count) {
			next++;
			for (let again = false; ; again = true) {
				const outcome = await limiter.run(call, (end) => end, { again }).catch(() => undefined);
				if (!outcome) notSent++;
				if (outcome?.kind !== 'rateLimited') break;
				if (clock.time >= until) {
					givenUp++;
					break;
				}
			}
		}
	};
	await clock.run(Promise.all(Array.from({ length: Math.min(ceiling, count) }, worker)));
	return {
		ms: clock.time,
		accepted: server.accepted.length,
		refused: server.refused.length,
		failed: server.failed,
		notSent,
		givenUp,
		mostInFlight: server.mostOpen,
		server,
	};
}
export type SimulatedRun = Awaited<ReturnType<typeof simulate>>;
