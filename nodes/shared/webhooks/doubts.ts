import type { IDataObject } from 'n8n-workflow';
import { endNamedBy, type WebhookEvent } from '../api/events';
import { finalStatusOf } from '../api/statuses';

/** Statuses that a payment may have when it is not paid, or no longer (assumed, except `failed` and `expired`). */
const UNPAID =
	/^(?:failed|expired|declined|rejected|refused|abandoned|cancell?ed|reversed|refunded|unpaid)$/;

/**
 * Whether an event says that a payment was paid and that it was not: `payment.completed` with the status of an unpaid payment,
 * or the end of an unpaid payment with the status completed. A status that lags behind is no contradiction, nor one that is
 * spelled in another way or that nobody knows: AcountPay has signed the name. Neither is 'expired' for 'failed': the API with
 * keys has one event for both (documented).
 */
export function contradictsItself(event: WebhookEvent): boolean {
	const end = endNamedBy(event);
	const { status: given } = event.data;
	const status = typeof given === 'string' ? given.trim().toLowerCase() : '';
	if (end === 'completed') return UNPAID.test(status);
	return end !== undefined && finalStatusOf(status) === 'completed';
}

const isMissing = (value: unknown) => value === undefined || value === null || value === '';

/** A number as text is the number: `"149.90"` is 149.9. */
const amountOf = (value: unknown): unknown => {
	const text = textOf(value);
	const number = text === '' ? NaN : Number(text);
	return Number.isFinite(number) ? number : text;
};
/** An object as its JSON: whoever sent it chose what it calls its `toString`. */
const textOf = (value: unknown) =>
	typeof value === 'object' ? JSON.stringify(value) : String(value).trim();

/** The fields of which a payment has one value from its creation on, with the form in which they are compared. */
const FIXED_FIELDS: ReadonlyArray<[field: string, form: (value: unknown) => unknown]> = [
	['amount', amountOf],
	['currency', (value) => textOf(value).toUpperCase()],
	['referenceNumber', textOf],
	['merchantId', textOf],
	['merchantClientId', textOf],
];

/**
 * The field in which an event differs from what is known of its payment. A field that either of them lacks is no difference.
 * @param known for example AcountPay's response when the payment was read
 * @returns the first such field; undefined when there is none
 */
export const differenceBetween = (known: IDataObject, { data }: WebhookEvent): string | undefined =>
	FIXED_FIELDS.find(
		([field, form]) =>
			!isMissing(known[field]) &&
			!isMissing(data[field]) &&
			form(known[field]) !== form(data[field]),
	)?.[0];
