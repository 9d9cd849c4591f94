import type { IDataObject } from 'n8n-workflow';
import type { Moment } from '../transport/serverClock';
import { listedPaymentIdOf } from './payments';

/** A payment as the list of payments has it. What the list leaves out, or has in another form, is undefined. */
export interface ListedPayment {
	id?: string;
	merchantId?: string;
	referenceNumber?: string;
	/** In major units. */
	amount?: number;
	currency?: string;
	/** When AcountPay made it, by its own clock. */
	createdAt?: Moment;
	/** All that the list has. */
	entry: IDataObject;
}

/** Date, time to the second, fraction, and a time zone: without one it is not known which moment is meant. */
const DATE_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;

/** A moment that is stated in whole seconds may have been cut off or rounded, in ms. */
const WHOLE_SECONDS = { before: 500, after: 999 };

const textIn = (value: unknown): string | undefined =>
	typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;

const numberIn = (value: unknown): number | undefined => {
	const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
	return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
};

const isExact = ({ createdAt }: IDataObject) =>
	/[1-9]/.test(DATE_TIME.exec(String(createdAt))?.[2] ?? '');

function momentIn(value: unknown, isExactToMs: boolean): Moment | undefined {
	const at = typeof value === 'string' && DATE_TIME.test(value) ? Date.parse(value) : NaN;
	if (Number.isNaN(at)) return undefined;
	return isExactToMs
		? { from: at, to: at + 1 }
		: { from: at - WHOLE_SECONDS.before, to: at + WHOLE_SECONDS.after };
}

/**
 * The payments in the entries of the list, each once. The names are documented; that `createdAt` is ISO 8601 is assumed,
 * and whether it has fractions of a second is told from the entries.
 */
export function readListed(entries: readonly IDataObject[]): ListedPayment[] {
	const isExactToMs = entries.some(isExact);
	const payments = new Map<unknown, ListedPayment>();
	for (const entry of entries) {
		const id = listedPaymentIdOf(entry);
		payments.set(id ?? entry, {
			id,
			merchantId: textIn(entry.merchantClientId),
			referenceNumber: textIn(entry.referenceNumber) ?? numberIn(entry.referenceNumber)?.toString(),
			amount: numberIn(entry.amount),
			currency: textIn(entry.currency),
			createdAt: momentIn(entry.createdAt, isExactToMs),
			entry,
		});
	}
	return [...payments.values()];
}
