import type { Verdict } from '../nodes/shared/transport/adaptiveLimiter';

/** A clock that jumps to the next thing to do, once nothing is left to do now. */
export class VirtualClock {
	/** ms since the start. */
	time = 0;
	private alarms: Array<{ at: number; ring: () => void }> = [];

	async wait(ms: number): Promise<void> {
		await new Promise<void>((ring) => this.alarms.push({ at: this.time + Math.max(0, ms), ring }));
	}

	/** Lets time pass until `work` is done. @throws Error when nothing would ever happen again */
	async run<Result>(work: Promise<Result>): Promise<Result> {
		let isDone = false;
		const done = () => (isDone = true);
		work.then(done, done);
		for (;;) {
			await new Promise((resolve) => setImmediate(resolve));
			if (isDone) return await work;
			if (this.alarms.length === 0) throw new Error('Nothing is left to wait for');
			const next = this.alarms.reduce((first, alarm) => (alarm.at < first.at ? alarm : first));
			this.alarms = this.alarms.filter((alarm) => alarm !== next);
			this.time = next.at;
			next.ring();
		}
	}
}

/** Mulberry32: random numbers from 0 to 1 that are the same in each run. */
export function seededRandom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
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
	refusesAbove?: number;
	/** Accepts so many requests in each second; `phase` ms of the first have passed at the start. */
	fixedWindow?: { perSecond: number; phase?: number };
	/** Accepts a request for each token; tokens come evenly. */
	tokenBucket?: { perSecond: number; size: number };
	/** What a 429 asks for, in ms. */
	retryAfter?: number;
	/** Fails each request from this one on, counted from 1. */
	failsFrom?: number;
	/** Until when it fails. */
	failsUntil?: number;
	/** Fails this share of all requests. */
	failing?: number;
	/** How long a failing request takes. */
	failsAfter?: number;
}

/** A server behind a network, on a virtual clock. */
export class SimulatedServer {
	accepted = 0;
	refused = 0;
	failed = 0;
	/** Requests at the same time, as the client sees it: now, and the most there were. */
	open = 0;
	mostOpen = 0;
	private seen = 0;
	private working = 0;
	private readonly queue: Array<() => void> = [];
	private window = 0;
	private inWindow = 0;
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
		const base = typeof latency === 'number' ? latency : latency(this.clock.time);
		const time = base * (1 + jitter * (2 * this.random() - 1));
		await this.clock.wait(time / 2);
		const outcome = await this.handle(time / 2);
		this.open--;
		return outcome;
	}

	private async handle(rest: number): Promise<Verdict> {
		const { clock, traits } = this;
		this.seen++;
		if (!this.takesMore()) {
			this.refused++;
			await clock.wait(rest);
			return { kind: 'rateLimited', retryAfter: traits.retryAfter };
		}
		const isDown =
			this.seen >= (traits.failsFrom ?? Infinity) && clock.time < (traits.failsUntil ?? Infinity);
		if (
			isDown ||
			this.working >= (traits.refusesAbove ?? Infinity) ||
			this.random() < (traits.failing ?? 0)
		) {
			this.failed++;
			await clock.wait(traits.failsAfter ?? rest);
			return { kind: 'failed' };
		}
		if (this.working >= (traits.capacity ?? Infinity)) {
			await new Promise<void>((start) => this.queue.push(start));
		} else this.working++;
		await clock.wait(rest);
		const next = this.queue.shift();
		if (next) next();
		else this.working--;
		this.accepted++;
		return { kind: 'ok' };
	}

	private takesMore(): boolean {
		const { fixedWindow, tokenBucket } = this.traits;
		const { time } = this.clock;
		if (fixedWindow) {
			const window = Math.floor((time + (fixedWindow.phase ?? 0)) / 1_000);
			if (window !== this.window) this.inWindow = 0;
			this.window = window;
			if (this.inWindow >= fixedWindow.perSecond) return false;
			this.inWindow++;
		}
		if (tokenBucket) {
			const { perSecond, size } = tokenBucket;
			this.tokens = Math.min(size, this.tokens + ((time - this.tokensAt) * perSecond) / 1_000);
			this.tokensAt = time;
			if (this.tokens < 1) return false;
			this.tokens--;
		}
		return true;
	}
}

/** What finds out how many calls a server takes. */
export interface Limiting {
	run<Result>(
		work: () => Promise<Result>,
		verdictOf: (result: Result) => Verdict,
		options?: { again?: boolean },
	): Promise<Result>;
}

/** How a simulated run has ended. */
export interface SimulatedRun {
	/** ms of the virtual clock. */
	ms: number;
	accepted: number;
	/** 429. */
	refused: number;
	/** Outcomes that a client does not know. */
	failed: number;
	/** Calls that were not sent. */
	notSent: number;
	mostInFlight: number;
}

/**
 * Makes `count` calls, as the item runner does: as many workers as the ceiling, each repeats what was refused and goes on
 * after a failure.
 */
export async function simulate(
	traits: ServerTraits,
	count: number,
	ceiling: number,
	limiterOn: (clock: VirtualClock) => Limiting,
	seed = 1,
): Promise<SimulatedRun> {
	const clock = new VirtualClock();
	const server = new SimulatedServer(clock, traits, seed);
	const limiter = limiterOn(clock);
	let next = 0;
	let notSent = 0;
	const worker = async () => {
		while (next < count) {
			next++;
			for (let again = false; ; again = true) {
				const outcome = await limiter
					.run(
						async () => await server.send(),
						(end) => end,
						{ again },
					)
					.catch(() => undefined);
				if (!outcome) notSent++;
				if (outcome?.kind !== 'rateLimited') break;
			}
		}
	};
	await clock.run(Promise.all(Array.from({ length: Math.min(ceiling, count) }, worker)));
	const { accepted, refused, failed, mostOpen } = server;
	return { ms: clock.time, accepted, refused, failed, notSent, mostInFlight: mostOpen };
}
