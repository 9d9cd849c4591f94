import axios from 'axios';

import type { Clock } from './clock';
import type { Fault, Faults } from './faults';
import type { MerchantEvent } from './keys/merchants';
import type { Api, PaymentEvent } from './payments';

/** Assumed: the pauses between the attempts of one delivery, in milliseconds on the sandbox's clock. */
export const REPEAT_PAUSES_MS = [1_000, 5_000, 30_000, 120_000, 600_000];

/** How many deliveries are under way at once; more would only make each of them slower. */
const MAX_AT_ONCE = 100;

/** What a delivery is about. */
export interface About {
	api: Api;
	/** For events of payments. */
	paymentId?: string | number;
	/** The merchant's number, for events of merchants. */
	merchantId?: number;
	/** With keys: the registered webhook. */
	webhookId?: number;
}

/** One attempt to deliver an event. */
export interface Delivery extends About {
	event: PaymentEvent | MerchantEvent;
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

const asText = (body: string | object) => (typeof body === 'string' ? body : JSON.stringify(body));

/** An event that is to be delivered to one receiver. */
export interface Message {
	about: About;
	/** Messages of the same queue are sent one after another, in their first attempt. */
	queue: string;
	event: PaymentEvent | MerchantEvent;
	/** What faults are matched against. */
	match: { merchant: string; reference?: string };
	rawBody: string;
	/** Where an attempt goes and what it is signed with, now; undefined when there is nobody to tell any more. */
	target: () => { url: string; headers: Record<string, string> } | undefined;
}

/**
 * Delivers the events of both APIs. Assumed: all about the order and the repeats. The first attempts of a
 * queue are made one after another; an attempt without a 2xx within the time is repeated after
 * {@link REPEAT_PAUSES_MS}, signed again, and does not hold up the events that follow.
 */
export class Deliveries {
	/** Every attempt, in the order in which they ended. */
	readonly all: Delivery[] = [];
	private readonly lastOf = new Map<string, Promise<void>>();
	private underWay = 0;
	private sending = 0;
	private readonly waiting: Array<() => void> = [];
	private whenIdle: Array<() => void> = [];
	private ending = new AbortController();

	/** @param timeoutMs how long the receiver may take, in real milliseconds; assumed: 10,000 */
	constructor(
		private readonly clock: Clock,
		private readonly faults: Faults,
		private readonly timeoutMs: number,
	) {}

	/** Queues a message behind the earlier ones of its queue. */
	send(message: Message): void {
		const { queue } = message;
		const before = this.lastOf.get(queue) ?? Promise.resolve();
		const { signal } = this.ending;
		const own = this.track(async () => {
			await before;
			if (!signal.aborted) await this.attempt(message, 1);
			if (this.lastOf.get(queue) === own) this.lastOf.delete(queue);
		});
		this.lastOf.set(queue, own);
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
		this.all.length = 0;
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
		const target = message.target();
		if (!target) return;
		const fault = this.faults.take({
			endpoint: 'webhook',
			api: message.about.api,
			method: 'POST',
			path: new URL(target.url).pathname,
			event: message.event,
			...message.match,
		});
		if (fault?.latencyMs) {
			const late = () => void this.track(async () => await this.deliver(message, attempt, fault));
			this.clock.after(fault.latencyMs, late);
		} else await this.deliver(message, attempt, fault);
	}

	private async deliver(message: Message, attempt: number, fault?: Fault): Promise<void> {
		const { about, event, rawBody } = message;
		const target = message.target();
		if (!target) return;
		const { url } = target;
		const { signal } = this.ending;
		const at = new Date(this.clock.now()).toISOString();
		const headers = { ...target.headers, ...fault?.headers };
		const sent = fault?.body === undefined ? rawBody : asText(fault.body);
		const delivery: Delivery = { ...about, event, url, attempt, at, headers, rawBody: sent };
		const lost = fault !== undefined && !fault.made && (fault.reset ?? fault.status) !== undefined;
		if (lost) delivery.error = 'lost, as ordered by a fault';
		else Object.assign(delivery, await this.post(url, sent, headers, signal));
		if (signal.aborted) return;
		if (fault?.status !== undefined) delivery.status = fault.status;
		this.all.push(delivery);

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
