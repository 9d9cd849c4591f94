import type { IDataObject } from 'n8n-workflow';
import { idIn, withId } from './lists';
import { placesIn, readCreated } from './created';
import { type ApiRequest, create, get } from './request';
import { isId } from './responses';

/** How AcountPay's sandbox can end a payment without a customer (documented, sandbox only). */
export const MOCK_PAYMENTS = ['true', 'fail', 'delay'] as const;
/** One of {@link MOCK_PAYMENTS}. */
export type MockPayment = (typeof MOCK_PAYMENTS)[number];

/** The body of a new payment, with both ways to authenticate, except for the merchant. */
interface NewPayment {
	/** In major units: 149.99 is 149 kroner and 99 øre. */
	amount: number;
	/** The merchant's own order or invoice number. */
	referenceNumber: string;
	/** ISO 4217; AcountPay takes DKK when there is none. */
	currency?: string;
	/** Shown to the customer. */
	description?: string;
}

/**
 * The same with access tokens. `amount`, `referenceNumber` and `webhookUrl` are documented as input;
 * `currency` and `metadata` are documented in webhooks and assumed as input; `description` is assumed.
 */
export interface NewTokenPayment extends NewPayment {
	/** Given back in the webhooks. */
	metadata?: IDataObject;
	/** Where AcountPay sends this payment's events. */
	webhookUrl?: string;
}

const PAYMENTS_PATH = '/v1/partner/payments';

/**
 * The request that creates a payment (documented, with both ways to authenticate).
 * @param mockPayment sent as the header `X-Mock-Payment`; with access tokens only
 */
export const createPayment = (
	merchantClientId: string,
	payment: NewPayment & IDataObject,
	mockPayment?: MockPayment,
): ApiRequest =>
	create(PAYMENTS_PATH, payment, {
		merchantClientId,
		...(mockPayment && { headers: { 'X-Mock-Payment': mockPayment } }),
	});

/** What AcountPay finds a payment by: its ID, and with access tokens its merchant too (documented). */
export interface PaymentKey {
	paymentId: string;
	/** With keys there is none. */
	merchantClientId?: string;
}

/** The request that reads a payment and its status (documented): with keys, one that only shows the status. */
export const getPayment = ({ paymentId, merchantClientId }: PaymentKey): ApiRequest => {
	const path = `${PAYMENTS_PATH}/${encodeURIComponent(paymentId)}`;
	return merchantClientId === undefined ? get(`${path}/status`) : get(path, { merchantClientId });
};

/** The request that reads the image of a payment's QR code, with access tokens (documented). */
export const getQrCodeImage = (merchantClientId: string, paymentId: string): ApiRequest =>
	get(`${PAYMENTS_PATH}/${encodeURIComponent(paymentId)}/qr`, {
		merchantClientId,
		accept: 'image/*',
	});

/** The values under a name in a response about a payment. */
const valuesOf = (response: IDataObject, name: string): unknown[] =>
	placesIn(response, 'payment').map((place) => place[name]);

const firstId = (values: unknown[]): string | undefined => {
	const id = values.find(isId);
	return id === undefined ? undefined : String(id).trim();
};

/**
 * The id in AcountPay's response for a payment: `paymentId`, or else `id`, text or number (documented with keys as the
 * number `paymentId`, assumed with access tokens). Where both stand and differ, `id` belongs to something else.
 * @returns the id as text, or undefined when the response has none
 */
export const paymentIdOf = (response: IDataObject): string | undefined =>
	firstId([...valuesOf(response, 'paymentId'), ...valuesOf(response, 'id')]);

/** `number`, the prefix of an id such as `pay_abc123`, or `text`. */
const formOf = (id: string): string =>
	/^\d+$/.test(id) ? 'number' : (/^[a-z]+_/i.exec(id)?.[0] ?? 'text');

/**
 * The payment that a response is about, when that is another one than was asked for: it has another `paymentId`, or none
 * and an `id` of the same form that differs. An `id` of another form may belong to anything: it is not documented.
 * @param paymentId the one that was asked for
 * @returns its id as text; undefined when the response names no other payment
 */
export function otherPaymentIn(response: IDataObject, paymentId: string): string | undefined {
	const named = firstId(valuesOf(response, 'paymentId'));
	const id = named ?? firstId(valuesOf(response, 'id'));
	if (id === undefined || id === paymentId) return undefined;
	return named !== undefined || formOf(id) === formOf(paymentId) ? id : undefined;
}

/** What tells that a response is about a payment: `qrCodeUrl` is documented, ids are assumed. */
const NAMES_PAYMENT = ['qrCodeUrl', 'paymentId', 'id'] as const;

/**
 * The payment in the response to a create.
 * @returns undefined when the body can't be read or names no payment, such as an error that is sent with status 200
 */
export const readCreatedPayment = (body: Buffer): IDataObject | undefined =>
	readCreated(body, 'payment', NAMES_PAYMENT);

/* With keys. */

/** The body of a new payment with keys (documented). */
export interface NewKeyPayment extends NewPayment {
	/** The store that sells. */
	storeId?: string;
	/** The till within the store. */
	registerId?: string;
}

/** What AcountPay takes when a payment names no currency (documented). */
export const DEFAULT_CURRENCY = 'DKK';

/** Which payments are listed; all when both are left out. */
export interface PaymentFilters {
	merchantClientId?: string;
	status?: string;
}

/**
 * The request that reads one page of the list of payments (documented with keys).
 * @param page from 1
 * @param limit how many payments a page is to have
 */
export const listPayments = (
	{ merchantClientId, status }: PaymentFilters,
	page: number,
	limit: number,
): ApiRequest =>
	get(PAYMENTS_PATH, {
		query: { ...(status !== undefined && { status }), page, limit },
		merchantClientId,
	});

/** What AcountPay calls a payment's id: `paymentId` on creation and in webhooks, `id` in lists (documented). */
const ID_NAMES = ['paymentId', 'id'] as const;

/** A payment of the list with its id as `paymentId`, whatever AcountPay calls it. */
export const withPaymentId = (payment: IDataObject): IDataObject => withId(payment, ID_NAMES);

/** The id of a payment of the list as text; undefined when it has none. */
export const listedPaymentIdOf = (payment: IDataObject): string | undefined =>
	idIn(payment, ID_NAMES)?.toString();
