import type { IDataObject } from 'n8n-workflow';
import { readObject } from './responses';
import { type FinalStatus, finalStatusOf } from './statuses';

/** The events of the API with access tokens (documented). */
export const EVENTS = [
	'payment.created',
	'payment.processing',
	'payment.completed',
	'payment.failed',
	'payment.expired',
] as const;

/** The events of the API with keys (documented). */
export const KEY_EVENTS = [
	'payment.completed',
	'payment.failed',
	'merchant.activated',
	'merchant.deactivated',
] as const;

/**
 * How webhooks are signed with access tokens (documented): headers, and how far a timestamp may be from the present, in
 * seconds.
 */
export const SIGNATURE = {
	timestampHeader: 'x-acountpay-timestamp',
	signatureHeader: 'x-acountpay-signature',
	maxAge: 300,
} as const;

/** The header with the signature of a webhook, with keys (documented). */
export const KEY_SIGNATURE_HEADER = 'x-webhook-signature';

/** The body of a webhook (documented): what happened, to what, and when. */
export interface WebhookEvent extends IDataObject {
	/** For example `payment.completed`; names that are not documented may come. */
	event: string;
	data: IDataObject;
}

/** The payment or merchant that an event is about. */
interface EventSubject {
	kind: 'payment' | 'merchant';
	/** AcountPay's ID as text; both APIs are documented with text and number. */
	id: string;
}

/** No white space, control character or half of a surrogate pair. */
const TEXT_ID = /^[^\s\p{Cc}\p{Cs}]+$/u;

/** A number that is negative, has decimals or an exponent. Large integers arrive as the text of their digits. */
const isOddNumber = (text: string): boolean =>
	!/^\d+$/.test(text) && /^[-+.\d][-+.\de]*$/i.test(text) && !Number.isNaN(Number(text));

/** JSON that is out of range for a number (`1e400`) arrives as Infinity, and `-0` as negative zero. */
function idOf(value: unknown): string | undefined {
	const isNumber = Number.isSafeInteger(value) && Number(value) >= 0 && !Object.is(value, -0);
	const isText = typeof value === 'string' && TEXT_ID.test(value) && !isOddNumber(value);
	return isNumber || isText ? String(value) : undefined;
}

/**
 * What an event is about. Events of merchants name `merchantId` and `clientId`, all others `paymentId` (documented).
 * @returns undefined when the event names nothing that can be an ID
 */
export function subjectOf({ event, data }: WebhookEvent): EventSubject | undefined {
	const isMerchant = event.startsWith('merchant.');
	const id = isMerchant ? (idOf(data.merchantId) ?? idOf(data.clientId)) : idOf(data.paymentId);
	return id === undefined ? undefined : { kind: isMerchant ? 'merchant' : 'payment', id };
}

/**
 * The event in the body of a webhook.
 * @returns undefined when the body is no event, or names nothing that it could be about
 */
export function readWebhookEvent(body: Buffer): WebhookEvent | undefined {
	const value = readObject(body);
	const { event, data } = value ?? {};
	if (typeof event !== 'string' || typeof data !== 'object' || data === null) return undefined;
	const read = value as WebhookEvent;
	return subjectOf(read) ? read : undefined;
}

/** How events are named: in words with points between them. */
const EVENT_NAME = /^\w[\w.:-]{0,99}$/;

/**
 * The name of an event in the body of a webhook that is none of the known ones, such as one that tries a webhook out.
 * @param known the documented names
 * @returns undefined when the body names no event, or a known one
 */
export function unknownEventIn(body: Buffer, known: readonly string[]): string | undefined {
	const { event } = readObject(body) ?? {};
	const isName = typeof event === 'string' && EVENT_NAME.test(event);
	return isName && !known.includes(event) ? event : undefined;
}

/** ISO 8601 with at least minutes; without a zone it is UTC. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * When an event happened, by the `timestamp` in its body (documented as ISO 8601).
 * @returns ms since 1970; undefined when it does not say
 */
export function timeOf({ timestamp }: WebhookEvent): number | undefined {
	const [text, , , zone] = (typeof timestamp === 'string' && ISO_TIME.exec(timestamp)) || [];
	if (text === undefined) return undefined;
	const time = Date.parse(zone === undefined ? `${text}Z` : text);
	return Number.isNaN(time) ? undefined : time;
}

/** How a payment has ended, by the name of an event alone; undefined for every event that is no end. */
export const endNamedBy = ({ event }: WebhookEvent): FinalStatus | undefined =>
	finalStatusOf(/^payment\.(\w+)$/.exec(event)?.[1]);
