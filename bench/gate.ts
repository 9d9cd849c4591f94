import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
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
	/** Customers pay this long after the first read, in ms; without, every payment that is read is paid. */
	paidAfterMs?: number;
}

const PAYMENTS_PATH = '/v1/partner/payments';
/** A PNG of one pixel. */
const IMAGE = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64',
);

/** What the gate saw of requests about payments since it was last set. */
export interface GateRecord {
	/** Requests for a new payment, and reads, that went well. */
	done: number;
	/** 429. */
	refused: number;
	/** 503. */
	failed: number;
	mostInFlight: number;
	/** How many were in flight, each time that this changed: ms since the first request, and the number. */
	inFlight: Array<[ms: number, count: number]>;
}

const newRecord = (): GateRecord => ({
	done: 0,
	refused: 0,
	failed: 0,
	mostInFlight: 0,
	inFlight: [],
});

/**
 * A latency, a rate limit and a breakdown in front of the sandbox. It answers reads of payments itself: any payment exists, and
 * the sandbox need not remember thousands. It passes on everything else.
 */
export class Gate {
	private settings: GateSettings = { latencyMs: 0 };
	private record = newRecord();
	private open = 0;
	private seen = 0;
	private startedAt?: number;
	/** When the requests of this second were accepted. */
	private accepted: number[] = [];
	private readonly agent = new Agent({ keepAlive: true });
	private readonly server = createServer((incoming, outgoing) => {
		this.handle(incoming, outgoing).catch((error: Error) => outgoing.destroy(error));
	});

	private constructor(private readonly target: string) {}

	/** @param target the sandbox's address, without a slash at the end */
	static async start(target: string): Promise<Gate> {
		const gate = new Gate(target);
		await new Promise<void>((listening) => gate.server.listen(0, '127.0.0.1', listening));
		return gate;
	}

	get url(): string {
		return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
	}

	/** Forgets what was recorded and behaves like this from now on. */
	set(settings: GateSettings): void {
		this.settings = settings;
		this.record = newRecord();
		this.seen = 0;
		this.accepted = [];
		this.startedAt = undefined;
	}

	async stop(): Promise<void> {
		this.agent.destroy();
		this.server.closeAllConnections();
		await new Promise((closed) => this.server.close(closed));
	}

	private async handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
		const { method, url = '/' } = incoming;
		if (url === '/_gate') {
			if (method === 'PUT') this.set(JSON.parse(String(await bodyOf(incoming))) as GateSettings);
			outgoing.end(JSON.stringify(this.record));
			return;
		}
		if (!url.startsWith(PAYMENTS_PATH)) {
			await this.forward(incoming, await bodyOf(incoming), outgoing);
			return;
		}
		this.count(1);
		try {
			const body = await bodyOf(incoming);
			await sleep(this.settings.latencyMs / 2);
			await this.answer(incoming, body, outgoing);
		} finally {
			this.count(-1);
		}
	}

	private async answer(
		incoming: IncomingMessage,
		body: Buffer,
		outgoing: ServerResponse,
	): Promise<void> {
		const { latencyMs, failsFrom = Infinity } = this.settings;
		const isTooMany = !this.takesMore();
		if (isTooMany || ++this.seen >= failsFrom) {
			this.record[isTooMany ? 'refused' : 'failed']++;
			await sleep(latencyMs / 2);
			const headers = isTooMany ? { 'retry-after': '1' } : {};
			outgoing.writeHead(isTooMany ? 429 : 503, headers).end();
			return;
		}
		this.record.done++;
		if (incoming.method === 'POST') await this.forward(incoming, body, outgoing, latencyMs / 2);
		else await this.answerRead(incoming.url!, outgoing);
	}

	private async answerRead(url: string, outgoing: ServerResponse): Promise<void> {
		const { latencyMs, paidAfterMs = 0 } = this.settings;
		const isPaid = performance.now() - this.startedAt! >= paidAfterMs;
		await sleep(latencyMs / 2);
		if (url.endsWith('/qr')) {
			outgoing.writeHead(200, { 'content-type': 'image/png' }).end(IMAGE);
			return;
		}
		const payment = {
			id: url.slice(PAYMENTS_PATH.length + 1),
			status: isPaid ? 'completed' : 'pending',
			amount: 149.99,
			currency: 'DKK',
			referenceNumber: 'ORDER-1',
		};
		outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(payment));
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
		this.open += change;
		this.startedAt ??= performance.now();
		const { record } = this;
		record.mostInFlight = Math.max(record.mostInFlight, this.open);
		record.inFlight.push([Math.round(performance.now() - this.startedAt), this.open]);
	}

	private async forward(
		{ method, url, headers }: IncomingMessage,
		body: Buffer,
		outgoing: ServerResponse,
		delay = 0,
	): Promise<void> {
		const response = await new Promise<IncomingMessage>((resolve, reject) => {
			request(this.target + url, { method, headers, agent: this.agent }, resolve)
				.on('error', reject)
				.end(body);
		});
		const content = await bodyOf(response);
		if (delay) await sleep(delay);
		const answered = { ...response.headers, 'content-length': content.length };
		delete answered['transfer-encoding'];
		outgoing.writeHead(response.statusCode ?? 502, answered);
		outgoing.end(content);
	}
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
	const parts: Buffer[] = [];
	for await (const part of message) parts.push(part as Buffer);
	return Buffer.concat(parts);
}
