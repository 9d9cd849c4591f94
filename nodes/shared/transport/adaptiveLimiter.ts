import { sleep } from 'n8n-workflow';
import { ConcurrencyLimit } from './adaptiveLimiter/concurrencyLimit';
import { LONGEST_PAUSE, RateLimit } from './adaptiveLimiter/rateLimit';

/** What the end of a call says about the server. */
export type Verdict =
	/** The server responded and had capacity: success, or a refusal that is about the request itself. */
	| { kind: 'ok' }
	/** The server did nothing because of too many requests (429). `retryAfter`: the delay that it asked for, in ms. */
	| { kind: 'rateLimited'; retryAfter?: number }
	/** The server is in trouble: 5xx, timeout, connection reset or refused. */
	| { kind: 'failed' }
	/** Says nothing about the server, such as an error before anything was sent. */
	| { kind: 'ignored' };

/** How a call is queued. */
interface QueueOptions {
	/** A repeat of a call that was rate limited: it comes before those that were never sent. */
	again?: boolean;
	/** Takes the call out of the queue. A call that was sent is not cut off. */
	signal?: AbortSignal;
}

/** A call that was not sent, since the server failed several probes in a row. Sending it later is safe. */
export class ServerDown extends Error {}

interface WaitingCall {
	/** Gets whether it is the first after a pause. */
	start: (isFirst: boolean) => void;
	fail: (error: unknown) => void;
}

interface StartedCall {
	/** When it was sent, in ms. */
	at: number;
	/** How long the event loop had been busy by then, in ms. */
	busyAt: number;
	/** Whether it alone finds out if a failing server is back. */
	isProbe: boolean;
	/** Whether it is the first after a 429, which goes alone. */
	isFirst: boolean;
}

/** What tests override, so that they don't have to wait. */
const DEFAULTS = {
	/** How many calls are in flight at first. */
	start: 10,
	/** How long the event loop has been busy since the process began, in ms: that part of a latency is not the server's. */
	busyTime: (): number => performance.eventLoopUtilization().active,
	/** A clock in ms; only differences matter. Not Date.now(): a pause would last longer when the machine's clock is set back. */
	now: (): number => performance.now(),
	/** Takes ms. */
	wait: async (ms: number): Promise<void> => await sleep(ms),
	/** 0 to 1. */
	random: (): number => Math.random(),
};

/** The length of the longest timer, in ms: a longer one left running would keep the process from exiting. */
const SLICE = 1_000;
/** How far the schedule may fall behind and still be made up for, in ms. */
const CREDIT = 40;
/** Up to this share is added to each pause at random, within {@link LONGEST_PAUSE}: other workflows wait for the same server. */
const PAUSE_SPREAD = 0.05;
/** The pauses after a failed probe, in ms, and how many failed probes mean that the server is down. */
const FIRST_PROBE_PAUSE = 250;
const LONGEST_PROBE_PAUSE = 30_000;
const MAX_PROBES = 6;

/**
 * Finds out how many calls at once, and how many a second, a server takes. First come, first served.
 *
 * - **In flight** ({@link ConcurrencyLimit}): 10 at first. The limit doubles while calls complete in time; from then on it is
 *   the number of calls that complete within one and a half latencies, whether the server or this process is the slower one.
 * - **429** ({@link RateLimit}): nothing is sent until Retry-After has passed. Then one call goes first, and when it is accepted
 *   the others follow, evenly, at nearly the rate that the server has accepted. After 15 seconds the rate goes up again, and
 *   after 5 to half of what was accepted before.
 * - **Failures** (5xx, timeouts): each halves the limit, down to one call at a time. Each of these is a probe, with growing
 *   pauses between. After 6 failed probes the waiting calls are not sent at all ({@link ServerDown}), and there is a probe every
 *   30 seconds.
 *
 * Calls in flight are never more than the ceiling. With a ceiling of 1, calls are sent strictly one after the other.
 */
export class AdaptiveLimiter {
	private readonly waiting: WaitingCall[] = [];
	private readonly options: typeof DEFAULTS;
	private readonly now: () => number;
	private readonly concurrency: ConcurrencyLimit;
	private readonly rate: RateLimit;
	private running = 0;
	private isAsleep = false;
	private pausedUntil = 0;
	/** What has become of the first call after a 429. */
	private first: 'due' | 'sent' | 'ended' = 'ended';
	private nextStart = 0;
	private failedProbes = 0;

	/** @param ceiling the most calls in flight at once, at least 1 */
	constructor(ceiling: number, options: Partial<typeof DEFAULTS> = {}) {
		this.options = { ...DEFAULTS, ...options };
		const { start, now } = this.options;
		this.now = now;
		const gentle = Math.min(start, ceiling);
		this.concurrency = new ConcurrencyLimit(gentle, ceiling, now);
		this.rate = new RateLimit(2 * gentle, now);
	}

	/** How many calls may be in flight at present. */
	get limit(): number {
		return this.concurrency.current;
	}

	/** For how long no call is sent, in ms: the shared pause after a 429 or a failed probe. */
	get pausedFor(): number {
		return Math.max(0, this.pausedUntil - this.now());
	}

	/**
	 * Makes a call when it is its turn.
	 * @param work the call; when it throws, it counts as 'ignored'
	 * @param verdictOf what its result says about the server
	 * @throws what `work` throws; the signal's reason when it is aborted before the call is sent; ServerDown
	 */
	async run<Result>(
		work: () => Promise<Result>,
		verdictOf: (result: Result) => Verdict,
		{ again = false, signal }: QueueOptions = {},
	): Promise<Result> {
		const isFirst = await this.turn(again, signal);
		const call: StartedCall = {
			isFirst,
			at: this.now(),
			busyAt: this.options.busyTime(),
			isProbe: this.concurrency.isProbing && this.running === 1,
		};
		let verdict: Verdict = { kind: 'ignored' };
		try {
			const result = await work();
			verdict = verdictOf(result);
			return result;
		} finally {
			this.concurrency.noteEnd(this.running, this.waiting.length > 0 && !this.isRateLimited);
			this.running--;
			this.learn(call, verdict);
			this.startWaiting();
		}
	}

	/** @returns whether the call is the first after a 429 */
	private async turn(again: boolean, signal?: AbortSignal): Promise<boolean> {
		signal?.throwIfAborted();
		if (this.isDown()) throw new ServerDown();
		let leave = () => {};
		try {
			return await new Promise<boolean>((start, fail) => {
				const call: WaitingCall = { start, fail };
				if (again) this.waiting.unshift(call);
				else this.waiting.push(call);
				leave = () => {
					const place = this.waiting.indexOf(call);
					if (place >= 0) this.waiting.splice(place, 1);
					fail(signal?.reason);
				};
				signal?.addEventListener('abort', leave, { once: true });
				this.startWaiting();
			});
		} finally {
			// The signal outlives thousands of calls.
			signal?.removeEventListener('abort', leave);
		}
	}

	private startWaiting(): void {
		while (this.waiting.length > 0 && this.running < this.limit) {
			this.resume();
			if (this.delay() > 0) {
				void this.sleepThenStart();
				return;
			}
			if (this.first === 'sent') return;
			const isFirst = this.first === 'due';
			if (isFirst) this.first = 'sent';
			const perSecond = Math.min(this.rate.perSecond, this.concurrency.perSecond);
			this.nextStart = Math.max(this.nextStart, this.now() - CREDIT) + 1_000 / perSecond;
			this.running++;
			this.waiting.shift()?.start(isFirst);
		}
	}

	/** Whether calls are held back by the server's rate limit rather than by how fast calls complete. */
	private get isRateLimited(): boolean {
		return this.pausedFor > 0 || this.rate.perSecond < this.concurrency.perSecond;
	}

	/** Lets calls go on once the pause after a 429 is over. */
	private resume(): void {
		if (this.now() < this.pausedUntil || !this.rate.resume()) return;
		this.first = 'due';
		this.nextStart = this.now();
	}

	/** ms until the next call may be sent. */
	private delay(): number {
		return Math.ceil(Math.max(this.pausedUntil, this.nextStart) - this.now());
	}

	private async sleepThenStart(): Promise<void> {
		if (this.isAsleep) return;
		this.isAsleep = true;
		while (this.waiting.length > 0 && this.delay() > 0)
			await this.options.wait(Math.min(SLICE, this.delay()));
		this.isAsleep = false;
		this.startWaiting();
	}

	private learn(call: StartedCall, verdict: Verdict): void {
		if (call.isFirst) this.endFirst();
		if (verdict.kind === 'ok') this.learnAccepted(call);
		else if (verdict.kind === 'rateLimited')
			this.pause(this.rate.noteRateLimited(call.at, verdict.retryAfter));
		else if (verdict.kind === 'failed') this.learnFailed(call);
	}

	private endFirst(): void {
		this.first = 'ended';
		this.nextStart = this.now();
		this.concurrency.beginRound();
	}

	private learnAccepted(call: StartedCall): void {
		this.failedProbes = 0;
		this.concurrency.noteResponse();
		this.concurrency.noteAccepted(call.at, this.options.busyTime() - call.busyAt);
		this.rate.noteAccepted(call.at);
	}

	private learnFailed(call: StartedCall): void {
		this.concurrency.noteFailure(call.at);
		if (!call.isProbe) return;
		this.pause(Math.min(LONGEST_PROBE_PAUSE, FIRST_PROBE_PAUSE * 2 ** this.failedProbes));
		this.failedProbes++;
		if (this.failedProbes < MAX_PROBES) return;
		this.pause(LONGEST_PROBE_PAUSE);
		for (const { fail } of this.waiting.splice(0)) fail(new ServerDown());
	}

	private isDown(): boolean {
		return this.failedProbes >= MAX_PROBES && this.now() < this.pausedUntil;
	}

	/** Holds back all calls. */
	private pause(ms: number): void {
		const spread = Math.min(
			ms * (1 + this.options.random() * PAUSE_SPREAD),
			Math.max(ms, LONGEST_PAUSE),
		);
		this.pausedUntil = Math.max(this.pausedUntil, this.now() + spread);
	}
}
