import type { IDataObject } from 'n8n-workflow';
import { placesIn } from '../api/created';
import { endNamedBy, type WebhookEvent } from '../api/events';
import { finalStatusOf } from '../api/statuses';

/** Statuses that a payment may have when it is not paid, or no longer (assumed, except `failed` and `expired`). */
const UNPAID =
	/^(?:payment_)?(?:failed|expired|declined|rejected|refused|abandoned|cancell?ed|reversed|refunded|chargeback|unpaid|not_paid|timeout|timed_out)$/;

/** Statuses of a payment that has not ended: such a one was read too early, and lags behind the event. */
const OPEN = /^(?:created|pending|processing)$/;

const isMissing = (value: unknown) => value === undefined || value === null || value === '';

const isOneOf = (names: RegExp, status: unknown) =>
	typeof status === 'string' && names.test(status);

/**
 * Why the status in the final event of a payment is not believed. It must be that of its end, or lag behind, or be missing.
 * Case does not matter, nor which end without a payment it is: the API with keys has one event for all of them (documented).
 * @returns as the end of 'does not act on …: …'; undefined for an event that is believed, or that is not final
 */
export function doubtAboutStatus(event: WebhookEvent): string | undefined {
	const end = endNamedBy(event);
	const { status: given } = event.data;
	const status = typeof given === 'string' ? given.trim().toLowerCase() : given;
	if (end === undefined || isMissing(status)) return undefined;
	const isPaid = finalStatusOf(status) === 'completed';
	const isUnpaid = isOneOf(UNPAID, status);
	if (isOneOf(OPEN, status) || (end === 'completed' ? isPaid : isUnpaid)) return undefined;
	return isPaid || isUnpaid ? 'its status contradicts its name' : 'its status is not known';
}

/** A number as text is the number: `"149.90"` is 149.9. */
const amountOf = (value: unknown): string | number => {
	const text = textOf(value);
	const number = text === '' ? NaN : Number(text);
	return Number.isFinite(number) ? number : text;
};
/** An object as its JSON: whoever sent it chose what it calls its `toString`. */
const textOf = (value: unknown) =>
	typeof value === 'object' ? JSON.stringify(value) : String(value).trim();

/** The fields of which a payment has one value from its creation on, with the form in which they are compared. */
const FIXED_FIELDS: ReadonlyArray<[field: string, form: (value: unknown) => string | number]> = [
	['amount', amountOf],
	['currency', (value) => textOf(value).toUpperCase()],
	['referenceNumber', textOf],
	['merchantId', textOf],
	['merchantClientId', textOf],
];

/**
 * What a response or an event says of a payment that does not change, in the form in which it is compared. It may be nested,
 * as in {@link placesIn}.
 * @returns without the fields that it lacks
 */
export const fixedFieldsOf = (payment: IDataObject): Record<string, string | number> =>
	Object.fromEntries(
		FIXED_FIELDS.flatMap(([field, form]) => {
			const values = placesIn(payment, 'payment').map((place) => place[field]);
			const value = values.find((one) => !isMissing(one));
			return value === undefined ? [] : [[field, form(value)]];
		}),
	);

/**
 * The field in which an event, or a response, differs from what is known of its payment. A field that either of them lacks
 * is no difference.
 * @param known for example AcountPay's response when the payment was read
 * @param told a later response, or the data of an event
 * @returns the first such field; undefined when there is none
 */
export function differenceBetween(known: IDataObject, told: IDataObject): string | undefined {
	const [before, now] = [fixedFieldsOf(known), fixedFieldsOf(told)];
	return Object.keys(now).find((field) => field in before && before[field] !== now[field]);
}
