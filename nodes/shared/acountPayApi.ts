import type { IDataObject, IHttpRequestMethods } from 'n8n-workflow';
import { digitsLost, type Written } from './digits';

/**
 * What AcountPay's Partner API is like: hosts, paths, headers, answers. Everything else in this package asks here.
 * "Documented" is what AcountPay's partner guides say; "assumed" is inferred, and nothing may break when it is wrong.
 */

/** The environments of a credential. Production and sandbox have separate client ids and secrets (documented). */
export type Environment = 'production' | 'sandbox' | 'custom';

/** The hosts of AcountPay's own environments (documented). */
export const HOSTS: Readonly<Record<Exclude<Environment, 'custom'>, string>> = {
	production: 'https://api.acountpay.com',
	sandbox: 'https://acount-apis-staging-a8cdb2402163.herokuapp.com',
};

/** Where an access token is asked for (documented). */
export const TOKEN_PATH = '/oauth/token';

/**
 * A base URL that may be given a client secret: https anywhere, or http on this machine. As the source of a
 * case-insensitive regular expression, since the credential's own expressions must apply the same rule.
 */
export const SAFE_BASE_URL_PATTERN =
	'^(https:\\/\\/[^\\s\\/?#\\\\@]+|http:\\/\\/(localhost|127(\\.\\d+){3}|\\[::1\\])(:\\d+)?)(\\/[^\\s?#\\\\]*)?$';

const SAFE_BASE_URL = new RegExp(SAFE_BASE_URL_PATTERN, 'i');

/** The fields of the credential 'AcountPay API' that say where to send requests. */
export interface AcountPayHost {
	environment: Environment;
	/** Only looked at when `environment` is `custom`. */
	baseUrl?: string;
}

/**
 * The URL that all paths are appended to, without a slash at its end.
 * @returns undefined when a custom base URL is neither https nor http on this machine, or the environment is unknown.
 */
export function baseUrlOf({ environment, baseUrl }: AcountPayHost): string | undefined {
	if (environment !== 'custom') return HOSTS[environment];
	const typed = String(baseUrl ?? '').trim();
	const isSafe = SAFE_BASE_URL.test(typed) && URL.canParse(typed);
	return isSafe ? typed.replace(/\/+$/, '') : undefined;
}

/** A request to AcountPay, complete but for the base URL and the access token. */
export interface ApiRequest {
	method: IHttpRequestMethods;
	path: string;
	headers: Record<string, string>;
	body?: IDataObject;
	/**
	 * Whether AcountPay makes a payment when it gets this request. Nothing is known of idempotency, so such a request
	 * is never sent twice on a doubt.
	 */
	makesPayment: boolean;
}

/** What AcountPay's sandbox is told to do with a payment at once (documented, sandbox only). */
export const MOCK_PAYMENTS = ['true', 'fail', 'delay'] as const;
export type MockPayment = (typeof MOCK_PAYMENTS)[number];

/**
 * The body of a new payment. `amount` and `referenceNumber` are documented as input; `webhookUrl` too;
 * `currency` and `metadata` are documented in answers and assumed as input; `description` is assumed.
 */
export interface NewPayment {
	/** In major units: 149.99 is 149 kroner and 99 øre. */
	amount: number;
	/** The merchant's own order or invoice number. */
	referenceNumber: string;
	/** ISO 4217; AcountPay takes DKK when there is none. */
	currency?: string;
	/** Shown to the customer. */
	description?: string;
	/** Given back in the webhooks. */
	metadata?: IDataObject;
	/** Told of this payment's events. */
	webhookUrl?: string;
}

/** The names in {@link NewPayment}: a custom field may not be called like one of them. */
export const NEW_PAYMENT_FIELDS: ReadonlyArray<keyof NewPayment> = [
	'amount',
	'referenceNumber',
	'currency',
	'description',
	'metadata',
	'webhookUrl',
];

const PAYMENTS_PATH = '/v1/partner/payments';

const headersFor = (merchantId: string) => ({
	Accept: 'application/json',
	'X-Merchant-Client-Id': merchantId,
});

/**
 * The request that makes a payment (documented).
 * @param payment the body; what is in it is sent, and nothing more
 * @param mockPayment sent as the header `X-Mock-Payment`
 */
export function createPayment(
	merchantId: string,
	payment: NewPayment & IDataObject,
	mockPayment?: MockPayment,
): ApiRequest {
	return {
		method: 'POST',
		path: PAYMENTS_PATH,
		headers: {
			...headersFor(merchantId),
			'Content-Type': 'application/json',
			...(mockPayment && { 'X-Mock-Payment': mockPayment }),
		},
		body: payment,
		makesPayment: true,
	};
}

/** The request that reads a payment and its status (documented). */
export function getPayment(merchantId: string, paymentId: string): ApiRequest {
	return {
		method: 'GET',
		path: `${PAYMENTS_PATH}/${encodeURIComponent(paymentId)}`,
		headers: headersFor(merchantId),
		makesPayment: false,
	};
}

/** The request that reads the image of a payment's QR code (documented). */
export function getQrCode(merchantId: string, paymentId: string): ApiRequest {
	const { path } = getPayment(merchantId, paymentId);
	return {
		method: 'GET',
		path: `${path}/qr`,
		headers: { ...headersFor(merchantId), Accept: 'image/*' },
		makesPayment: false,
	};
}

/** How a payment has ended. `completed` is documented as a status; `failed` and `expired` are named after their events (assumed). */
export type FinalStatus = 'completed' | 'failed' | 'expired';

const FINAL_STATUSES: ReadonlyMap<unknown, FinalStatus> = new Map([
	['completed', 'completed'],
	// What a later revision of the API calls completed.
	['paid', 'completed'],
	['failed', 'failed'],
	['expired', 'expired'],
]);

/**
 * How a payment has ended, from the `status` in an answer or an event.
 * @returns undefined when it has not ended, and for every status that is not known: such a payment is not paid
 */
export function finalStatusOf(status: unknown): FinalStatus | undefined {
	return FINAL_STATUSES.get(status);
}

/** What AcountPay tells by webhook (documented). */
export const EVENTS = [
	'payment.created',
	'payment.processing',
	'payment.completed',
	'payment.failed',
	'payment.expired',
] as const;
export type EventName = (typeof EVENTS)[number];

/** The body of a webhook (documented). */
export interface PaymentEvent extends IDataObject {
	/** One of {@link EVENTS}; others may come. */
	event: string;
	data: IDataObject & {
		/** Text; a later revision makes ids numbers, and both are taken. */
		paymentId: string | number;
	};
}

/** What a payment is called before it has ended (documented as the life of a payment; how they are spelled is assumed). */
const OPEN_STATUSES: readonly unknown[] = ['pending', 'processing'];

/**
 * How a payment has ended, from an event: `payment.completed` gives `completed`. The `status` inside may lag behind, but
 * one that says of another end, or that nobody knows, proves no payment.
 * @returns undefined for every other event, and for one that contradicts itself
 */
export function finalStatusOfEvent({ event, data }: PaymentEvent): FinalStatus | undefined {
	const [, name] = /^payment\.(\w+)$/.exec(event) ?? [];
	const ended = finalStatusOf(name);
	const told = finalStatusOf(data.status ?? name);
	if (told !== undefined) return told === ended ? ended : undefined;
	return ended === 'completed' && !OPEN_STATUSES.includes(data.status) ? undefined : ended;
}

/** How webhooks are signed (documented): headers, and how old a signature may be, in seconds, either way. */
export const SIGNATURE = {
	timestampHeader: 'x-acountpay-timestamp',
	signatureHeader: 'x-acountpay-signature',
	maxAge: 300,
} as const;

/**
 * The id in AcountPay's answer for a payment: `id` or `paymentId`, text or number (assumed: only webhooks are documented
 * to call it `paymentId`, and a later revision makes it a number), at the top or in `data` or `payment` (assumed).
 * @returns the id as text, or undefined when the answer has none
 */
export function paymentIdOf(answer: IDataObject): string | undefined {
	const id = [answer, answer.data, answer.payment]
		.filter(isRecord)
		.flatMap((place) => [place.id, place.paymentId])
		.find((value) => (typeof value === 'string' && value !== '') || typeof value === 'number');
	return id === undefined ? undefined : String(id);
}

/** Some servers put it before their JSON; RFC 8259 lets readers pass over it. */
const BYTE_ORDER_MARK = /^\uFEFF/;

const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * For `JSON.parse`: a whole number that JavaScript would round comes as its digits, and so does every id that is too large
 * to be told from its neighbours. A rounded id is that of another payment.
 */
const inFull = (key: string, value: unknown, written?: Written): unknown => {
	const isLargeId =
		['id', 'paymentId'].includes(key) && Number.isInteger(value) && !Number.isSafeInteger(value);
	return digitsLost(value, written) ?? (isLargeId ? String(value) : value);
};

/**
 * The JSON object in the body of an answer.
 * @returns undefined when the body is cut off, empty, HTML, or JSON of another kind: then it says nothing about a payment
 */
export function readObject(body: Buffer): IDataObject | undefined {
	try {
		const text = body.toString('utf8').replace(BYTE_ORDER_MARK, '');
		const value: unknown = JSON.parse(text, inFull);
		return isRecord(value) && Object.keys(value).length > 0 ? (value as IDataObject) : undefined;
	} catch {
		return undefined;
	}
}

/** What tells that an answer is about a payment: `qrCodeUrl` is documented, ids are assumed, and so is where they stand. */
const NAMES_PAYMENT = /"(?:qrCodeUrl|paymentId|id)":(?!null|"")/;

/** Where an answer speaks of something else, or gives back what was sent. */
const NOT_THE_PAYMENT = ['error', 'errors', 'metadata'];

/**
 * The payment in the answer to a create.
 * @returns undefined when the body can't be read or names no payment anywhere, as an error that is sent with status 200
 */
export function readCreated(body: Buffer): IDataObject | undefined {
	const answer = readObject(body);
	if (!answer) return undefined;
	const text = JSON.stringify(answer, (key, value: unknown) =>
		NOT_THE_PAYMENT.includes(key) ? undefined : value,
	);
	return NAMES_PAYMENT.test(text) ? answer : undefined;
}

const MAX_REASON_LENGTH = 500;

/** All texts in a part of an answer: of an object its `message`, or else each text with the name that it has there. */
const textsIn = (value: unknown): string[] => {
	if (typeof value === 'string') return value.trim() === '' ? [] : [value.trim()];
	if (Array.isArray(value)) return value.flatMap(textsIn);
	if (!isRecord(value)) return [];
	const message = textsIn(value.message);
	if (message.length) return message;
	return Object.entries(value).flatMap(([name, part]) =>
		textsIn(part).map((text) => `${name}: ${text}`),
	);
};

/** What an answer says where errors are expected to say it. */
const statedIn = ({ message, error, errors }: Record<string, unknown>): string[] => {
	const [summary = []] = [message, error].map(textsIn).filter((texts) => texts.length);
	return [...new Set([...summary, ...textsIn(errors)])];
};

const visibleText = (html: string) =>
	html
		.replace(/<(script|style|head)\b[\s\S]*?<\/\1\s*>/gi, ' ')
		.replace(/<[^>]*>/g, ' ')
		.replace(/\s+/g, ' ')
		.trim();

/**
 * The event in the body of a webhook.
 * @returns undefined when the body is no event of a payment
 */
export function readEvent(body: Buffer): PaymentEvent | undefined {
	const value = readObject(body);
	const isEvent =
		typeof value?.event === 'string' &&
		isRecord(value.data) &&
		['string', 'number'].includes(typeof value.data.paymentId);
	return isEvent ? (value as PaymentEvent) : undefined;
}

/**
 * What AcountPay says about why it refused, for a person to read. The shape of errors is assumed: `message` (text or
 * list) as NestJS sends it, else `error` (text or object with `message`), with `errors`, which may name fields; else every
 * text that there is. HTML is stripped of its tags.
 * @param hide takes out what must not get out; before the text is cut, since half a secret is not found
 * @returns at most 500 characters; an empty string when the body says nothing
 */
export function readReason(body: Buffer, hide: (text: string) => string): string {
	const text = body.toString('utf8').trim();
	let reason: string;
	try {
		const value: unknown = JSON.parse(text);
		const texts = isRecord(value) ? statedIn(value) : [];
		reason = (texts.length ? texts : textsIn(value)).join('; ');
	} catch {
		reason = visibleText(text);
	}
	reason = hide(reason);
	return reason.length > MAX_REASON_LENGTH ? `${reason.slice(0, MAX_REASON_LENGTH - 1)}…` : reason;
}
