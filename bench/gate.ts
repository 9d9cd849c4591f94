import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** What lies between n8n and the sandbox. */
export interface GateSettings {
	/** From a request to its response at least, in ms. */
	latencyMs: number;
	/** Accepts this many requests a second, and answers 429 with `Retry-After: 1` to the others. */
	perSecond?: number;
	/** Whether a second means the last 1,000 ms, as NestJS's throttler counts; if not, each second by the clock. */
	isSliding?: boolean;
	/** Answers 503 to each request from this one on, counted from 1. */
	failsFrom?: number;
	/** Customers pay this long after the first request, in ms; without, every payment that is read is paid. */
	paidAfterMs?: number;
}

/** Where the gate is set and read. */
export const GATE_PATH = '/_sandbox/gate';
/** How long a point of {@link GateRecord.inFlight} stands for, in ms. */
export const POINT_MS = 100;
/** Where AcountPay's payments are. */
export const PAYMENTS_PATH = '/v1/partner/payments';
/** Of any payment. */
export const PAYMENT = { amount: 149.99, currency: 'DKK', referenceNumber: 'ORDER-1' };
/** A PNG of one pixel. */
const IMAGE = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64',
);

const newRecord = () => ({
	/** Requests for a new payment, and reads, that went well. */
	done: 0,
	/** 429. */
	refused: 0,
	/** 503. */
	failed: 0,
	/** The most in flight in each {@link POINT_MS} since the first request. */
	inFlight: [] as number[],
});
/** What the gate saw of requests about payments since it was last set. */
export type GateRecord = ReturnType<typeof newRecord>;

const isAboutPayments = ({ url }: FastifyRequest) => url.startsWith(PAYMENTS_PATH);

/**
 * A latency, a rate limit and a breakdown in front of the sandbox. It answers reads of payments itself: any payment exists, and
 * the sandbox need not remember thousands. It passes on everything else.
 */
export class Gate {
	private settings: GateSettings = { latencyMs: 0 };
	private record = newRecord();
	private open = 0;
	private seen = 0;
	private startedAt = 0;
	/** When the requests of this second were accepted. */
	private accepted: number[] = [];

	/** Stands in front of the routes of a sandbox, as its option `extend`. */
	readonly extend = (app: FastifyInstance): void => {
		app.get(GATE_PATH, async () => this.record);
		app.put<{ Body: GateSettings }>(GATE_PATH, async ({ body }) => this.set(body));
		app.addHook('onRequest', async (request, reply) => {
			if (!isAboutPayments(request)) return;
			this.count(1);
			reply.raw.once('close', () => this.count(-1));
		});
		// Half of the latency is the way there, the other half the way back.
		app.addHook('preHandler', async (request, reply) => {
			if (!isAboutPayments(request)) return;
			await sleep(this.settings.latencyMs / 2);
			await this.answer(request, reply);
		});
		app.addHook('onSend', async (request) => {
			if (isAboutPayments(request)) await sleep(this.settings.latencyMs / 2);
		});
	};

	/** Forgets what was recorded and behaves like this from now on. */
	private set(settings: GateSettings): void {
		this.settings = settings;
		this.record = newRecord();
		this.seen = 0;
		this.accepted = [];
	}

	private async answer({ method, url }: FastifyRequest, reply: FastifyReply): Promise<unknown> {
		if (!this.takesMore()) {
			this.record.refused++;
			return await reply.code(429).header('retry-after', '1').send();
		}
		if (++this.seen >= (this.settings.failsFrom ?? Infinity)) {
			this.record.failed++;
			return await reply.code(503).send();
		}
		this.record.done++;
		if (method === 'POST') return undefined;
		if (url.endsWith('/qr')) return await reply.type('image/png').send(IMAGE);
		const isPaid = performance.now() - this.startedAt >= (this.settings.paidAfterMs ?? 0);
		return await reply.send({
			id: url.slice(PAYMENTS_PATH.length + 1),
			status: isPaid ? 'completed' : 'pending',
			...PAYMENT,
		});
	}

	private takesMore(): boolean {
		const { perSecond, isSliding } = this.settings;
		if (perSecond === undefined) return true;
		const now = performance.now();
		const from = isSliding ? now - 1_000 : Math.floor(now / 1_000) * 1_000;
		this.accepted = this.accepted.filter((at) => at > from);
		if (this.accepted.length >= perSecond) return false;
		this.accepted.push(now);
		return true;
	}

	private count(change: 1 | -1): void {
		const before = this.open;
		this.open += change;
		const { inFlight } = this.record;
		const now = performance.now();
		if (inFlight.length === 0) this.startedAt = now;
		const point = Math.floor((now - this.startedAt) / POINT_MS);
		while (inFlight.length <= point) inFlight.push(before);
		inFlight[point] = Math.max(inFlight[point], this.open);
	}
}
