import { randomInt } from 'node:crypto';

import type { Clock } from './clock';

/** The two APIs: with access tokens, and with keys. */
export type Api = 'tokens' | 'keys';

/**
 * A payment's status as the sandbox keeps it, and as the API with tokens says it: `completed` is
 * documented; that the others are spelled like their events is assumed. The API with keys has names of its own.
 */
export type PaymentStatus = 'pending' | 'processing' | 'completed' | 'failed' | 'expired';

/** The five documented webhook events of the API with tokens; keys have two of them. */
export type PaymentEvent = `payment.${'created' | Exclude<PaymentStatus, 'pending'>}`;

/** A payment as the sandbox keeps it; moments are ISO 8601 on the sandbox's clock. */
export interface Payment {
	/** The API that it was made with. */
	api: Api;
	/** With keys a number. */
	id: string | number;
	/** The client id that the payment was made with. */
	partner: string;
	/** The merchant's client id. */
	merchant: string;
	/** With keys: the merchant's name. */
	merchantName?: string;
	status: PaymentStatus;
	/** In major units: 149.99. */
	amount: number;
	/** ISO 4217. */
	currency: string;
	referenceNumber: string;
	description?: string;
	/** With tokens only. */
	metadata?: Record<string, unknown>;
	/** With tokens only. */
	webhookUrl?: string;
	/** With keys only. */
	storeId?: string;
	/** With keys only. */
	registerId?: string;
	/** What else the create's body held. */
	customFields: Record<string, unknown>;
	createdAt: string;
	expiresAt: string;
	paidAt?: string;
}

/** What a payment is made of; the sandbox adds the rest. */
export type NewPayment = Omit<
	Payment,
	'id' | 'status' | 'currency' | 'createdAt' | 'expiresAt' | 'paidAt'
> & { currency?: string };

/** How a payment goes on by itself: to processing at once, to its end after some milliseconds. */
export interface Course {
	end: 'completed' | 'failed';
	afterMs: number;
}

/** Documented with tokens: a payment expires 30 minutes after it was created. With keys assumed. */
export const LIFETIME_MS = 30 * 60_000;

/** Assumed: how long the bank takes once the customer has said yes. */
export const PROCESSING_MS = 1_000;

const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Documented with tokens: ids look like pay_abc123def456. */
const newId = () =>
	`pay_${Array.from({ length: 12 }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('')}`;

/** The sandbox's payments and their life, in both APIs. */
export class Payments {
	private readonly byId = new Map<string, Payment>();
	private lastNumber = 1_000_000;

	/**
	 * @param tell is told of every event as it happens, with its moment on the sandbox's clock
	 * @param settings `numericIds`: ids of new payments with tokens are numbers, as in a later revision
	 */
	constructor(
		private readonly clock: Clock,
		private readonly settings: { numericIds: boolean },
		private readonly tell: (event: PaymentEvent, payment: Payment, at: Date) => void,
	) {}

	/**
	 * Makes a payment; the same twice makes two, since nothing is said of idempotency.
	 * @param fields checked already
	 * @param course how it goes on by itself; without one it waits for the customer
	 */
	create(fields: NewPayment, course?: Course): Payment {
		const now = new Date(this.clock.now());
		const isNumber = fields.api === 'keys' || this.settings.numericIds;
		const payment: Payment = {
			...fields,
			currency: fields.currency ?? 'DKK',
			id: isNumber ? ++this.lastNumber : newId(),
			status: 'pending',
			createdAt: now.toISOString(),
			expiresAt: new Date(now.getTime() + LIFETIME_MS).toISOString(),
		};
		this.byId.set(String(payment.id), payment);
		this.tell('payment.created', payment, now);
		this.clock.after(LIFETIME_MS, () => this.expire(payment));
		if (course) this.clock.after(0, () => this.process(payment, course));
		return payment;
	}

	/** The payment of that id, whosever it is. */
	find(id: string | number): Payment | undefined {
		return this.byId.get(String(id));
	}

	/** All payments, in the order in which they were made. */
	all(): Payment[] {
		return [...this.byId.values()];
	}

	/** The customer pays: processing at once, completed after {@link PROCESSING_MS}. */
	pay(payment: Payment): void {
		this.process(payment, { end: 'completed', afterMs: PROCESSING_MS });
	}

	/** The customer declines: failed at once. */
	decline(payment: Payment): void {
		if (payment.status === 'pending') this.move(payment, 'failed');
	}

	/** The time to pay is over. */
	expire(payment: Payment): void {
		if (payment.status === 'pending') this.move(payment, 'expired');
	}

	/** Forgets every payment. */
	clear(): void {
		this.byId.clear();
	}

	private process(payment: Payment, course: Course): void {
		if (payment.status !== 'pending') return;
		this.move(payment, 'processing');
		this.clock.after(course.afterMs, () => this.move(payment, course.end));
	}

	private move(payment: Payment, status: Exclude<PaymentStatus, 'pending'>): void {
		const now = new Date(this.clock.now());
		payment.status = status;
		if (status === 'completed') payment.paidAt = now.toISOString();
		this.tell(`payment.${status}`, payment, now);
	}
}

/** The path of the customer's page. Documented with keys: that it begins with /p/. */
export const pagePath = ({ api, id }: Payment) => `/${api === 'keys' ? 'p' : 'pay'}/${id}`;
