import type { IDataObject } from 'n8n-workflow';
import { isId, isRecord, readObject } from './responses';
import { finalStatusOf, type FinalStatus, OPEN_STATUSES } from './statuses';

/** The events that AcountPay sends by webhook (documented). */
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

/** How webhooks are signed (documented): headers, and how old a signature may be, in seconds, either way. */
export const SIGNATURE = {
	timestampHeader: 'x-acountpay-timestamp',
	signatureHeader: 'x-acountpay-signature',
	maxAge: 300,
} as const;

/**
 * The event in the body of a webhook.
 * @returns undefined when the body is no event of a payment
 */
export function readEvent(body: Buffer): PaymentEvent | undefined {
	const value = readObject(body);
	const isEvent =
		typeof value?.event === 'string' && isRecord(value.data) && isId(value.data.paymentId);
	return isEvent ? (value as PaymentEvent) : undefined;
}

/**
 * How a payment has ended, from an event: `payment.completed` gives `completed`. The `status` inside may lag behind, but
 * a status of another end, or an unknown one, proves no payment.
 * @returns undefined for every other event, and for one that contradicts itself
 */
export function finalStatusOfEvent({ event, data }: PaymentEvent): FinalStatus | undefined {
	const [, name] = /^payment\.(\w+)$/.exec(event) ?? [];
	const ended = finalStatusOf(name);
	const stated = finalStatusOf(data.status ?? name);
	if (stated !== undefined) return stated === ended ? ended : undefined;
	return ended === 'completed' && !OPEN_STATUSES.includes(data.status) ? undefined : ended;
}
