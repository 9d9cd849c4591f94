import { randomInt } from 'node:crypto';

import { apiError, Refusal } from './answer';
import type { Clock } from './clock';

/** `completed` is documented; that the others are spelled like their events is assumed. */
export type PaymentStatus = 'pending' | 'processing' | 'completed' | 'failed' | 'expired';

/** The five documented webhook events. */
export type PaymentEvent = `payment.${'created' | Exclude<PaymentStatus, 'pending'>}`;

/** A payment as the sandbox keeps it; moments are ISO 8601 on the sandbox's clock. */
export interface Payment {
	id: string | number;
	/** The client id that the payment was made with. */
	partner: string;
	merchant: string;
	status: PaymentStatus;
	/** In major units: 149.99. */
	amount: number;
	/** ISO 4217. */
	currency: string;
	referenceNumber: string;
	description?: string;
	metadata?: Record<string, unknown>;
	webhookUrl?: string;
	/** What else the create's body held. */
	customFields: Record<string, unknown>;
	createdAt: string;
	expiresAt: string;
	paidAt?: string;
}

/** How a payment goes on by itself: to processing at once, to its end after some milliseconds. */
interface Course {
	end: 'completed' | 'failed';
	afterMs: number;
}

/** Documented: a payment expires 30 minutes after it was created. */
export const LIFETIME_MS = 30 * 60_000;

/** Assumed: how long the bank takes once the customer has said yes. */
export const PROCESSING_MS = 1_000;

/** The documented test merchants. Any other merchant's payments wait for the customer. */
export const TEST_MERCHANTS: Record<string, Course> = {
	test_merchant_success: { end: 'completed', afterMs: PROCESSING_MS },
	test_merchant_fail: { end: 'failed', afterMs: PROCESSING_MS },
	test_merchant_slow: { end: 'completed', afterMs: 30_000 },
};

/** The documented values of the header X-Mock-Payment, which goes before the test merchant. */
export const MOCK_PAYMENTS: Record<string, Course> = {
	true: { end: 'completed', afterMs: 0 },
	fail: { end: 'failed', afterMs: 0 },
	delay: { end: 'completed', afterMs: 10_000 },
};

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

const isText = (value: unknown) => typeof value === 'string';
const isFilledText = (value: unknown) => typeof value === 'string' && value.trim() !== '';
const isObject = (value: unknown) =>
	typeof value === 'object' && value !== null && !Array.isArray(value);
const isWebUrl = (value: unknown) =>
	typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
const hasTwoDecimals = (value: unknown) =>
	isNumber(value) && Math.round(Number(value) * 100) / 100 === value;

/**
 * What a create's body must hold: field, whether it is required, its rule, and what is said when
 * the rule is broken. Documented: the fields' names and types, and that amount and referenceNumber
 * are required. Assumed: the sentences, and that a number of at least 0.01 has two decimals at most.
 */
const BODY_RULES: Array<[string, boolean, (value: unknown) => boolean, string]> = [
	['amount', true, isNumber, 'amount must be a number'],
	['amount', true, (value) => Number(value) >= 0.01, 'amount must not be less than 0.01'],
	['amount', true, hasTwoDecimals, 'amount must have at most 2 decimal places'],
	['referenceNumber', true, isText, 'referenceNumber must be a string'],
	['referenceNumber', true, isFilledText, 'referenceNumber should not be empty'],
	['webhookUrl', false, isWebUrl, 'webhookUrl must be a URL address'],
	[
		'currency',
		false,
		(value) => isText(value) && CURRENCIES.has(String(value)),
		'currency must be a valid ISO4217 currency code',
	],
	['description', false, isText, 'description must be a string'],
	['metadata', false, isObject, 'metadata must be an object'],
];

/** A create's body that has passed the rules. */
interface CreateBody {
	amount: number;
	referenceNumber: string;
	webhookUrl?: string;
	currency?: string;
	description?: string;
	metadata?: Record<string, unknown>;
}

/** One sentence for each field that breaks its rule, in the order of the rules. */
function complaints(body: Record<string, unknown>): string[] {
	const said = new Map<string, string>();
	for (const [field, required, rule, sentence] of BODY_RULES) {
		const absent = body[field] === undefined && !required;
		if (!absent && !said.has(field) && !rule(body[field])) said.set(field, sentence);
	}
	return [...said.values()];
}

const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Documented: ids look like pay_abc123def456. */
const newId = () =>
	`pay_${Array.from({ length: 12 }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('')}`;

/** The sandbox's payments and their life. */
export class Payments {
	private readonly byId = new Map<string, Payment>();
	private lastNumber = 1_000_000;

	/**
	 * @param tell is told of every event as it happens, with its moment on the sandbox's clock
	 * @param settings `numericIds`: ids of new payments are numbers, as in a later revision of the API
	 */
	constructor(
		private readonly clock: Clock,
		private readonly settings: { numericIds: boolean },
		private readonly tell: (event: PaymentEvent, payment: Payment, at: Date) => void,
	) {}

	/**
	 * Makes a payment; the same body twice makes two, since nothing is said of idempotency.
	 * @param body the parsed JSON body
	 * @param mock the header X-Mock-Payment
	 * @throws Refusal with 400 that names every wrong field
	 */
	create(partner: string, merchant: string, mock: string | undefined, body: unknown): Payment {
		if (!isObject(body)) throw new Refusal(apiError(400, 'The body must be a JSON object'));
		const wrong = complaints(body as Record<string, unknown>);
		if (mock !== undefined && !Object.hasOwn(MOCK_PAYMENTS, mock)) {
			wrong.push('X-Mock-Payment must be true, fail or delay');
		}
		if (wrong.length > 0) throw new Refusal(apiError(400, wrong.length > 1 ? wrong : wrong[0]));

		const {
			amount,
			referenceNumber,
			webhookUrl,
			currency,
			description,
			metadata,
			...customFields
		} = body as CreateBody;
		const now = new Date(this.clock.now());
		const payment: Payment = {
			id: this.settings.numericIds ? ++this.lastNumber : newId(),
			partner,
			merchant,
			status: 'pending',
			amount,
			currency: currency ?? 'DKK',
			referenceNumber,
			description,
			metadata,
			webhookUrl,
			customFields,
			createdAt: now.toISOString(),
			expiresAt: new Date(now.getTime() + LIFETIME_MS).toISOString(),
		};
		this.byId.set(String(payment.id), payment);
		this.tell('payment.created', payment, now);
		this.clock.after(LIFETIME_MS, () => {
			if (payment.status === 'pending') this.move(payment, 'expired');
		});
		const course =
			mock !== undefined
				? MOCK_PAYMENTS[mock]
				: Object.hasOwn(TEST_MERCHANTS, merchant) && TEST_MERCHANTS[merchant];
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

/** Where the payment's customer pays, and where its QR image is. */
const paths = (payment: Payment) => ({
	pay: `/pay/${payment.id}`,
	qr: `/v1/partner/payments/${payment.id}/qr`,
});

/** The customer's page, which the QR code shows. */
export const paymentUrl = (baseUrl: string, payment: Payment) => baseUrl + paths(payment).pay;

/** A payment as create and get answer it. */
export function presentPayment(baseUrl: string, payment: Payment): Record<string, unknown> {
	return {
		// Documented: that the answer holds qrCodeUrl, and what an id looks like.
		qrCodeUrl: baseUrl + paths(payment).qr,
		// Assumed: that there are an id, a URL to pay at and a status, and what they are called.
		id: payment.id,
		paymentId: payment.id,
		status: payment.status,
		paymentUrl: paymentUrl(baseUrl, payment),
		// Assumed: everything else.
		amount: payment.amount,
		currency: payment.currency,
		referenceNumber: payment.referenceNumber,
		description: payment.description,
		metadata: payment.metadata,
		createdAt: payment.createdAt,
		expiresAt: payment.expiresAt,
		paidAt: payment.paidAt,
	};
}
