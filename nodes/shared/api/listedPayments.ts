import type { IDataObject } from 'n8n-workflow';
import { listedPaymentIdOf } from './payments';

/** A payment as the list of payments has it. What the list leaves out, or has in another form, is undefined. */
export interface ListedPayment {
	id?: string;
	merchantClientId?: string;
	/** What it calls `merchantId`: with keys a merchant's number. It is not documented for payments. */
	merchantNumber?: string;
	/** In place of its merchant: another one, in a list that shows no payment of the merchant that it was asked for. */
	otherMerchant?: string;
	referenceNumber?: string;
	/** In major units. */
	amount?: number;
	currency?: string;
	/** When AcountPay created it, by its own clock, in ms since 1970. */
	createdAt?: number;
	description?: string;
	storeId?: string;
	registerId?: string;
	status?: string;
	/** The whole entry of the list. */
	entry: IDataObject;
}

/** Date, time to the second, fraction, and a time zone: without one it is not known which moment is meant. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** AcountPay has no older payments. What is dated before, such as to 1970, has no date: 0 or null was written as one. */
const OLDEST = Date.UTC(2015, 0);

/** An amount as text: digits, and a point before the decimals. */
const AMOUNT = /^\d{1,15}(?:\.\d{1,15})?$/;

const textIn = (value: unknown): string | undefined =>
	typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;

const textOrNumberIn = (value: unknown): string | undefined =>
	typeof value === 'number' && Number.isFinite(value) ? String(value) : textIn(value);

function amountIn(value: unknown): number | undefined {
	const amount = typeof value === 'string' && AMOUNT.test(value.trim()) ? Number(value) : value;
	return typeof amount === 'number' && Number.isFinite(amount) ? amount : undefined;
}

function momentIn(value: unknown): number | undefined {
	const at = typeof value === 'string' && DATE_TIME.test(value) ? Date.parse(value) : NaN;
	return at >= OLDEST ? at : undefined;
}

/**
 * A payment of the list. The names are documented, except for `storeId` and `registerId`, which are assumed to be called as on
 * creation; that `createdAt` is ISO 8601 is assumed.
 */
export const listedPaymentOf = (entry: IDataObject): ListedPayment => ({
	id: listedPaymentIdOf(entry),
	merchantClientId: textOrNumberIn(entry.merchantClientId),
	merchantNumber: textOrNumberIn(entry.merchantId),
	referenceNumber: textOrNumberIn(entry.referenceNumber),
	amount: amountIn(entry.amount),
	currency: textIn(entry.currency),
	createdAt: momentIn(entry.createdAt),
	description: textIn(entry.description),
	storeId: textOrNumberIn(entry.storeId),
	registerId: textOrNumberIn(entry.registerId),
	status: textIn(entry.status),
	entry,
});
