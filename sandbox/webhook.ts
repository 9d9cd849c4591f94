import { createHmac } from 'node:crypto';

import axios from 'axios';

import type { Clock } from './clock';
import type { Fault, Faults } from './faults';
import type { Credentials } from './oauth';
import type { Payment, PaymentEvent } from './payments';

/** Assumed: the pauses between the attempts of one delivery, in milliseconds on the sandbox's clock. */
export const REPEAT_PAUSES_MS = [1_000, 5_000, 30_000, 120_000, 600_000];

/** How many deliveries are under way at once; more would only make each of them slower. */
const MAX_AT_ONCE = 100;

/** One attempt to deliver an event. */
export interface Delivery {
	paymentId: string | number;
	event: PaymentEvent;
	url: string;
	/** 1 for the first, more for repeats. */
	attempt: number;
	/** What the receiver answered; absent when it gave no answer. */
	status?: number;
	/** Why there was no answer. */
	error?: string;
	/** When it was sent: ISO 8601 on the sandbox's clock. */
	at: string;
	/** As sent. */
	headers: Record<string, string>;
	/** As sent, byte for byte. */
	rawBody: string;
}

/**
 * The signature of a webhook, as documented: lower-case hex HMAC-SHA256 over `<timestamp>.<raw body>`.
 * @param timestamp Unix seconds, as sent in X-AcountPay-Timestamp
 */
export function signWebhook(
	rawBody: string | Buffer,
	webhookSecret: string,
	timestamp: number | string,
): string {
	return createHmac('sha256', webhookSecret).update(`${timestamp}.`).update(rawBody).digest('hex');
}

/**
 * The documented headers of a signed webhook.
 * @param timestamp Unix seconds, by default the real present: receivers compare it to their own
 * clock, which knows nothing of the sandbox's
 */
export function webhookHeaders(
	rawBody: string | Buffer,
	webhookSecret: string,
	timestamp = Math.floor(Date.now() / 1000),
): Record<string, string> {
	return {
		'Content-Type': 'application/json',
		'X-AcountPay-Timestamp': String(timestamp),
		'X-AcountPay-Signature': signWebhook(rawBody, webhookSecret, timestamp),
	};
}

/**
 * The documented body of a webhook.
 * @param at when the event happened
 */
export function webhookBody(event: PaymentEvent, payment: Payment, at: Date) {
	const { id, status, amount, currency, referenceNumber, paidAt, metadata } = payment;
	return {
		event,
		timestamp: at.toISOString(),
		data: { paymentId: id, status, amount, currency, referenceNumber, paidAt, metadata },
	};
}

const asText = (body: string | object) => (typeof body === 'string' ? body : JSON.stringify(body));

interface Message {
	event: PaymentEvent;
	payment: Payment;
	url: string;
	rawBody: string;
}

/**
 * Sends the events of payments that have a webhookUrl. Documented: body, headers and signature.
 * Assumed: all about the order and the repeats. The first attempts of a payment's events are made one
 * after another; an attempt without a 2xx within the time is repeated after {@link REPEAT_PAUSES_MS},
 * signed anew, and does not hold up the events that follow.
 */
export class Webhooks {
	/** Every attempt, in the order in which they ended. */
	readonly deliveries: Delivery[] = [];
	private readonly lastOf = new Map<Payment, Promise<void>>();
	private underWay = 0;
	private sending = 0;
	private readonly waiting: Array<() => void> = [];
	private whenIdle: Array<() => void> = [];
	private ending = new AbortController();

	/** @param timeoutMs how long the receiver may take, in real milliseconds; assumed: 10,000 */
	constructor(
		private readonly credentials: Credentials,
		private readonly clock: Clock,
		private readonly faults: Faults,
		private readonly timeoutMs: number,
	) {}

	/**
	 * Queues an event behind the payment's earlier ones; does nothing without a webhookUrl.
	 * @param at the event's moment on the sandbox's clock
	 */
	send(event: PaymentEvent, payment: Payment, at: Date): void {
		const url = payment.webhookUrl;
		if (url === undefined) return;
		const rawBody = JSON.stringify(webhookBody(event, payment, at));
		const before = this.lastOf.get(payment) ?? Promise.resolve();
		const { signal } = this.ending;
		const own = this.track(async () => {
			await before;
			if (!signal.aborted) await this.attempt({ event, payment, url, rawBody }, 1);
			if (this.lastOf.get(payment) === own) this.lastOf.delete(payment);
		});
		this.lastOf.set(payment, own);
	}

	/**
	 * Waits until nothing is being sent. What waits for the clock (a repeat, an ordered delay) doesn't
	 * count: move the clock, then wait again.
	 */
	async idle(): Promise<void> {
		if (this.underWay > 0) await new Promise<void>((resolve) => this.whenIdle.push(resolve));
	}

	/** Forgets all deliveries and breaks off those under way. */
	clear(): void {
		this.ending.abort();
		this.ending = new AbortController();
		this.deliveries.length = 0;
	}

	private async track(work: () => Promise<void>): Promise<void> {
		this.underWay++;
		try {
			await work();
		} finally {
			if (--this.underWay === 0) this.whenIdle.splice(0).forEach((resolve) => resolve());
		}
	}

	private async attempt(message: Message, attempt: number): Promise<void> {
		const { event, payment } = message;
		const fault = this.faults.take({
			endpoint: 'webhook',
			method: 'POST',
			path: new URL(message.url).pathname,
			merchant: payment.merchant,
			reference: payment.referenceNumber,
			event,
		});
		if (fault?.latencyMs) {
			const late = () => void this.track(async () => await this.deliver(message, attempt, fault));
			this.clock.after(fault.latencyMs, late);
		} else await this.deliver(message, attempt, fault);
	}

	private async deliver(message: Message, attempt: number, fault?: Fault): Promise<void> {
		const { event, payment, url, rawBody } = message;
		const { signal } = this.ending;
		const at = new Date(this.clock.now()).toISOString();
		const headers = {
			...webhookHeaders(rawBody, this.credentials.webhookSecret),
			...fault?.headers,
		};
		const sent = fault?.body === undefined ? rawBody : asText(fault.body);
		const delivery: Delivery = {
			paymentId: payment.id,
			event,
			url,
			attempt,
			at,
			headers,
			rawBody: sent,
		};
		const lost = fault !== undefined && !fault.made && (fault.reset ?? fault.status) !== undefined;
		if (lost) delivery.error = 'lost, as ordered by a fault';
		else Object.assign(delivery, await this.post(url, sent, headers, signal));
		if (signal.aborted) return;
		if (fault?.status !== undefined) delivery.status = fault.status;
		this.deliveries.push(delivery);

		const arrived =
			delivery.status !== undefined && delivery.status >= 200 && delivery.status < 300;
		const pause = REPEAT_PAUSES_MS[attempt - 1];
		if (arrived || pause === undefined) return;
		this.clock.after(pause, () => void this.track(async () => this.attempt(message, attempt + 1)));
	}

	private async post(
		url: string,
		body: string,
		headers: Record<string, string>,
		signal: AbortSignal,
	): Promise<Pick<Delivery, 'status' | 'error'>> {
		if (this.sending >= MAX_AT_ONCE) await new Promise<void>((go) => this.waiting.push(go));
		else this.sending++;
		try {
			const { status } = await axios.post(url, Buffer.from(body), {
				headers,
				maxRedirects: 0,
				proxy: false,
				responseType: 'text',
				signal: AbortSignal.any([signal, AbortSignal.timeout(this.timeoutMs)]),
				validateStatus: () => true,
			});
			return { status };
		} catch (error) {
			return { error: error instanceof Error ? error.message : String(error) };
		} finally {
			const next = this.waiting.shift();
			if (next) next();
			else this.sending--;
		}
	}
}
