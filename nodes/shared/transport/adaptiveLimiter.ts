import { sleep } from 'n8n-workflow';

/** What a call's end says about the server. */
export type Verdict =
	/** The server responded and had capacity: success, and a rejection that is about the request itself. */
	| { kind: 'ok' }
	/** The server did nothing because of too many requests (429). `retryAfter`: the delay that it asked for, in ms. */
	| { kind: 'refused'; retryAfter?: number }
	/** The server is in trouble: 5xx, timeout, connection reset or refused. */
	| { kind: 'failed' }
	/** Says nothing about the server, such as an error before anything was sent. */
	| { kind: 'ignored' };

/** How a call is queued. */
export interface QueueOptions {
	/** A repeat of a call that was refused: it comes before those that were never sent. */
	again?: boolean;
	/** Takes the call out of the queue. A call that was sent is not cut off. */
	signal?: AbortSignal;
}

/** A call that was not sent, since the server failed several probes in a row. Sending it later is safe. */
export class ServerDown extends Error {
	constructor() {
		super('Not sent: the server failed several requests in a row');
	}
}

interface WaitingCall {
	start: () => void;
	fail: (error: unknown) => void;
}

/** What is known about a series of refused calls until the pause after it is over. */
interface Refusal {
	/** When the first of them was sent, in ms. */
	at: number;
	/** Calls sent after that one: how many were accepted and how many refused. */
	acceptedAfter: number;
	refusedAfter: number;
}

interface StartedCall {
	/** When it was sent, in ms. */
	at: number;
	/** How long this process has computed until then, in ms. */
	busyAt: number;
	/** Whether it alone finds out if a failing server is back. */
	isProbe: boolean;
}

/** What may be replaced to try the rule without waiting. */
export interface AdaptiveOptions {
	/** How many calls are in flight at first. */
	start?: number;
	/** For how long this process has computed since it began, in ms: that much of a latency is not the server's. */
	busyTime?: () => number;
	/** ms since any moment. */
	now?: () => number;
	/** Takes ms. */
	wait?: (ms: number) => Promise<void>;
	/** 0 to 1. */
	random?: () => number;
}

/** The length of the longest timer, in ms: a timer left over keeps a process alive that wants to end. */
const SLICE = 1_000;
/** The most that the limit goes up after a round of {@link ROUND_TIME}. */
const LARGEST_STEP = 15;
/** A round of more ms than this counts as more than one: a server far away has as much time to show what it takes. */
const ROUND_TIME = 150;
/** A latency has grown when it is longer than this many times the baseline, and by at least this many ms. */
const LATENCY_TOLERANCE = 2;
const LATENCY_MARGIN = 50;
/** Once the limit is cut to this share, a latency of more than the second share of what it was has another cause. */
const TELLING_CUT = 0.5;
const LATENCY_LEFT = 0.8;
/** The rate is kept at this share of what the server accepted in {@link RATE_WINDOW} ms. */
const RATE_SHARE = 0.95;
const RATE_WINDOW = 1_000;
/** A rate that was refused sooner than this after the last refusal is cut to {@link RATE_CUT} of itself, in ms. */
const SOON = 3_000;
const RATE_CUT = 0.7;
/** How far a call may be late and still be caught up with, in ms. */
const RATE_CREDIT = 100;
/**
 * A limit that has gone up is filled evenly, so often within a latency. Calls that are sent together come back together, and then
 * wait for this process, which handles one response at a time.
 */
const FILLS_A_LATENCY = 2;
/** How far such a call may be late and still be caught up with, in ms. */
const FILL_CREDIT = 20;
/** Up to this share of a limit at which calls failed, the limit doubles again. */
const GOAL_AFTER_FAILURE = 0.75;
/** Fewer accepted calls than this after a refused one can be chance. */
const FEW = 5;
/** For how long nothing is raised above what was refused, in ms. */
const HOLD = 15_000;
/** The pauses after a 429: the shortest, the first without Retry-After, the longest without Retry-After, in ms. */
const SHORTEST_PAUSE = 200;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
/** Up to this share is added to each pause at random: other workflows wait for the same server. */
const PAUSE_SPREAD = 0.05;
/** The pauses after a failed probe, in ms, and how many failed probes mean that the server is down. */
const FIRST_PROBE_PAUSE = 250;
const LONGEST_PROBE_PAUSE = 30_000;
const MAX_PROBES = 6;

/**
 * Finds out how many calls at once, and how many a second, a server takes. First come, first served.
 *
 * The rule:
 * - **Up.** 10 calls are in flight at first. After each round of good responses (as many as calls were allowed) the limit
 *   doubles, by 15 at most, up to the ceiling. A round of 300 ms counts as two. Only a limit that holds calls back goes up.
 * - **Latency.** The baseline is the shortest median latency of a round, without the time in which this process was busy itself.
 *   When a round takes more than twice the baseline, calls queue at the server. The limit is cut to the share that takes
 *   twice the baseline, and then goes up by one a round. A latency that cuts do not bring down has another
 *   cause, and becomes the baseline.
 * - **429.** All calls hold back until Retry-After has passed. The limit is halved, then goes up by one a round. Calls are
 *   spread evenly from now on, at 95 % of what the server accepted within a second. A rate that is refused
 *   within 3 seconds of the last pause is cut to 70 %. For 15 seconds limit and rate stay below what was refused, then they
 *   try more in growing steps. Two cases differ. When most calls after the refused one were accepted, only the limit was
 *   too high, and there is no rate. When a burst of less than twice the start was refused, its size says little
 *   about a rate: the rate doubles each second until it is refused.
 * - **Failures** (5xx, timeouts). The first halves the limit, each further one in a row too, down to one call at a time. The
 *   limit doubles back to 75 % of where calls failed. At one call at a time each call is a probe, with growing pauses
 *   between. After 6 failed probes the waiting calls are not sent at all ({@link ServerDown}), and there is a probe every 30 seconds.
 *
 * Calls in flight are never more than the ceiling. With a ceiling of 1, calls are sent strictly one after the other.
 */
export class AdaptiveLimiter {
	private readonly waiting: WaitingCall[] = [];
	private readonly now: () => number;
	private readonly random: () => number;
	private readonly busyTime: () => number;
	private readonly wait: (ms: number) => Promise<void>;
	private readonly startLimit: number;
	private isAsleep = false;

	private currentLimit: number;
	private running = 0;
	/** Up to here the limit doubles, above it adds one. */
	private goal: number;
	/** The most calls at once while what was refused is remembered. */
	private heldLimit = Infinity;
	private heldUntil = 0;
	/** When the limit was last cut. Calls sent before say nothing about the new limit. */
	private lastCut = 0;

	/** The latencies of this round, in ms. */
	private round: number[] = [];
	/** Whether the limit has held calls back in this round. */
	private isFull = false;
	private baseline = Infinity;
	/** Latency (ms) and limit before a series of cuts, until later rounds show whether they helped. */
	private beforeCuts?: { latency: number; limit: number };

	private pausedUntil = 0;
	/** Calls a second. */
	private rate = Infinity;
	private nextStart = 0;
	/** When accepted calls were sent: those of the last {@link RATE_WINDOW} at least. */
	private accepted: number[] = [];
	/** The present series of refused calls. */
	private refusal?: Refusal;
	private lastResume = -Infinity;
	private raiseAt = Infinity;
	private raiseStep = 0;
	/** 429 in a row without an accepted call between: pauses, not calls. */
	private pauses = 0;

	/** Failed calls in a row. */
	private failures = 0;
	private failedProbes = 0;

	/** @param ceiling the most calls in flight at once, at least 1 */
	constructor(
		private readonly ceiling: number,
		{
			start = 10,
			now = () => Date.now(),
			wait = async (ms) => await sleep(ms),
			random = () => Math.random(),
			busyTime = () => performance.eventLoopUtilization().active,
		}: AdaptiveOptions = {},
	) {
		this.startLimit = Math.min(start, ceiling);
		this.currentLimit = this.startLimit;
		this.goal = ceiling;
		this.now = now;
		this.wait = wait;
		this.random = random;
		this.busyTime = busyTime;
	}

	/** How many calls may be in flight at present. */
	get limit(): number {
		return this.currentLimit;
	}

	/** How many calls are in flight. */
	get inFlight(): number {
		return this.running;
	}

	/** For how long no call is sent, in ms: the shared pause after a 429 or a failed probe. */
	get pausedFor(): number {
		return Math.max(0, this.pausedUntil - this.now());
	}

	/** How many calls a second are sent at most; Infinity until the server has refused one. */
	get callsPerSecond(): number {
		return this.rate;
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
		await this.turn(again, signal);
		const call: StartedCall = {
			at: this.now(),
			busyAt: this.busyTime(),
			isProbe: this.failures > 0 && this.currentLimit === 1 && this.running === 1,
		};
		let verdict: Verdict = { kind: 'ignored' };
		try {
			const result = await work();
			verdict = verdictOf(result);
			return result;
		} finally {
			this.isFull ||= this.running >= this.currentLimit;
			this.running--;
			this.learn(call, verdict);
			this.startWaiting();
		}
	}

	private async turn(again: boolean, signal?: AbortSignal): Promise<void> {
		signal?.throwIfAborted();
		if (this.isDown()) throw new ServerDown();
		const started = new AbortController();
		try {
			await new Promise<void>((start, fail) => {
				const call: WaitingCall = { start, fail };
				if (again) this.waiting.unshift(call);
				else this.waiting.push(call);
				const leave = () => {
					const place = this.waiting.indexOf(call);
					if (place >= 0) this.waiting.splice(place, 1);
					fail(signal?.reason);
				};
				signal?.addEventListener('abort', leave, { once: true, signal: started.signal });
				this.startWaiting();
			});
		} finally {
			// Lets go of a signal that outlives thousands of calls.
			started.abort();
		}
	}

	private startWaiting(): void {
		while (this.waiting.length > 0 && this.running < this.currentLimit) {
			this.judgeRefusal();
			if (this.delay() > 0) {
				void this.sleepThenStart();
				return;
			}
			const { rate, credit } = this.pace();
			this.nextStart = Math.max(this.nextStart, this.now() - credit) + 1_000 / rate;
			this.running++;
			this.waiting.shift()?.start();
		}
	}

	/** How many calls a second are sent, and how far (ms) a call that is late may be caught up with. */
	private pace(): { rate: number; credit: number } {
		const even = (this.currentLimit * 1_000 * FILLS_A_LATENCY) / this.baseline;
		return this.baseline === Infinity || this.rate < even
			? { rate: this.rate, credit: RATE_CREDIT }
			: { rate: even, credit: FILL_CREDIT };
	}

	/** ms until the next call may be sent. */
	private delay(): number {
		return Math.ceil(Math.max(this.pausedUntil, this.nextStart) - this.now());
	}

	private async sleepThenStart(): Promise<void> {
		if (this.isAsleep) return;
		this.isAsleep = true;
		while (this.waiting.length > 0 && this.delay() > 0)
			await this.wait(Math.min(SLICE, this.delay()));
		this.isAsleep = false;
		this.startWaiting();
	}

	private learn(call: StartedCall, verdict: Verdict): void {
		if (verdict.kind === 'ok') this.learnAccepted(call);
		else if (verdict.kind === 'refused') this.learnRefused(call, verdict.retryAfter);
		else if (verdict.kind === 'failed') this.learnFailed(call);
	}

	private learnAccepted(call: StartedCall): void {
		this.failures = 0;
		this.failedProbes = 0;
		this.accepted.push(call.at);
		if (!this.refusal) {
			while (this.accepted[0] < call.at - 2 * RATE_WINDOW) this.accepted.shift();
		} else if (call.at > this.refusal.at) this.refusal.acceptedAfter++;
		if (call.at < this.lastCut) return;
		this.pauses = 0;
		this.raiseRate();
		const elapsed = this.now() - call.at;
		this.round.push(Math.max(0, elapsed - (this.busyTime() - call.busyAt)));
		if (this.round.length >= this.currentLimit) this.endRound();
	}

	private endRound(): void {
		const latency = [...this.round].sort((a, b) => a - b)[this.round.length >> 1];
		const { isFull } = this;
		this.beginRound();
		this.learnBaseline(latency);
		const most = Math.max(this.baseline * LATENCY_TOLERANCE, this.baseline + LATENCY_MARGIN);
		if (latency > most) {
			// Calls of a limit that has just gone up come later, so the latency can grow for a while.
			if (latency > (this.beforeCuts?.latency ?? 0)) {
				this.beforeCuts = { latency, limit: this.currentLimit };
			}
			this.cutTo((this.currentLimit * most) / latency);
			return;
		}
		this.beforeCuts = undefined;
		if (isFull) {
			const rounds = Math.max(1, latency / ROUND_TIME);
			const doubled = this.currentLimit * 2 ** rounds;
			const fast = Math.min(doubled, this.currentLimit + LARGEST_STEP * rounds, this.goal);
			const more = Math.max(Math.floor(fast), this.currentLimit + 1);
			const held = this.now() < this.heldUntil ? this.heldLimit : Infinity;
			this.currentLimit = Math.max(this.currentLimit, Math.min(more, this.ceiling, held));
		}
	}

	private learnBaseline(latency: number): void {
		this.baseline = Math.min(this.baseline, latency);
		if (!this.beforeCuts) return;
		if (this.currentLimit > this.beforeCuts.limit * TELLING_CUT) return;
		if (latency <= this.beforeCuts.latency * LATENCY_LEFT) return;
		this.baseline = latency;
		this.beforeCuts = undefined;
		this.goal = this.ceiling;
	}

	private beginRound(): void {
		this.round = [];
		this.isFull = false;
	}

	/** @param goal up to where the limit may double again */
	private cutTo(limit: number, goal = limit): void {
		this.goal = goal;
		this.currentLimit = Math.max(1, Math.floor(limit));
		this.lastCut = this.now();
		this.beginRound();
	}

	/** Stays below the present limit for a while. */
	private holdLimit(): void {
		this.heldLimit = Math.max(1, this.currentLimit - 1);
		this.heldUntil = this.now() + HOLD;
	}

	private learnRefused(call: StartedCall, retryAfter?: number): void {
		if (this.refusal) {
			if (call.at > this.refusal.at) this.refusal.refusedAfter++;
		} else {
			this.refusal = { at: call.at, acceptedAfter: 0, refusedAfter: 0 };
			this.pauses++;
			// With a rate, it is the rate that was too high, unless the limit held calls back as well.
			if (this.isFull) {
				this.holdLimit();
				this.cutTo(this.currentLimit / 2);
			}
		}
		const growing = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.max(0, this.pauses - 1));
		this.pause(Math.max(SHORTEST_PAUSE, retryAfter ?? growing));
	}

	/** Sets the rate once the pause is over: by then the responses to the calls of before are there. */
	private judgeRefusal(): void {
		const { refusal } = this;
		const now = this.now();
		if (!refusal || now < this.pausedUntil) return;
		const { at, acceptedAfter, refusedAfter } = refusal;
		const isSoon = at - this.lastResume < SOON;
		const taken = this.accepted.filter((sent) => sent > at - RATE_WINDOW).length;
		this.refusal = undefined;
		this.lastResume = now;
		this.lastCut = now;
		this.nextStart = now;
		this.accepted = [];
		// Where nothing was accepted, nothing is known of a rate.
		const isAboutRate = taken > 0 && (acceptedAfter < FEW || acceptedAfter <= refusedAfter);
		if (this.rate === Infinity && !isAboutRate) return;

		const isBurst = this.rate === Infinity && taken < 2 * this.startLimit;
		this.rate = Math.min(
			this.rate * (isSoon ? RATE_CUT : RATE_SHARE),
			(Math.max(1, taken) * RATE_SHARE * 1_000) / RATE_WINDOW,
		);
		this.raiseAt = now + (isBurst ? RATE_WINDOW : HOLD);
		this.raiseStep = isBurst ? 1 : 0.05;
	}

	private raiseRate(): void {
		if (this.now() < this.raiseAt) return;
		this.rate *= 1 + this.raiseStep;
		this.raiseStep = Math.min(1, this.raiseStep * 2);
		this.raiseAt = this.now() + RATE_WINDOW;
	}

	private learnFailed(call: StartedCall): void {
		if (call.at >= this.lastCut || this.failures > 0) {
			const isFirst = this.failures === 0;
			if (isFirst) this.holdLimit();
			this.cutTo(
				this.currentLimit / 2,
				isFirst ? this.currentLimit * GOAL_AFTER_FAILURE : this.goal,
			);
		}
		this.failures++;
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
		const until = this.now() + ms * (1 + this.random() * PAUSE_SPREAD);
		this.pausedUntil = Math.max(this.pausedUntil, until);
	}
}
