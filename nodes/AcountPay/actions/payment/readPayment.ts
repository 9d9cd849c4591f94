import type { IDataObject } from 'n8n-workflow';
import { placesIn } from '../../../shared/api/created';
import { getPayment, otherPaymentIn, type PaymentKey } from '../../../shared/api/payments';
import { readResponse } from '../../../shared/api/responses';
import { finalStatusOf, hasStatus } from '../../../shared/api/statuses';
import { ApiError, ReadError } from '../../../shared/errors';
import type { Client } from '../../../shared/transport/client';
import type { ApiResponse } from '../../../shared/http/response';
import { read } from '../../../shared/transport/read';
import type { CallOptions } from '../../../shared/transport/sendWithRetries';
import { contradictionIn } from './lookUp/samePayment';

/** AcountPay has responded about another payment than it was asked about. */
export class OtherPaymentError extends ReadError {
	constructor(paymentId: string, what: string) {
		const advice =
			'Look at this payment in AcountPay. Reading changes nothing, so this item can be run again.';
		super(`payment '${paymentId}'`, what, advice);
	}
}

/** Why a response does not show a payment's status; undefined when it does. */
function problemWith(
	payment: IDataObject,
	{ paymentId, merchantClientId: merchantId }: PaymentKey,
	status: number,
	needsStatus: boolean,
): ApiError | undefined {
	const other = otherPaymentIn(payment, paymentId);
	if (other !== undefined) {
		return new OtherPaymentError(paymentId, `responded about payment '${other}'`);
	}
	const contradiction = contradictionIn({ merchantId }, payment);
	if (contradiction !== undefined) return new OtherPaymentError(paymentId, contradiction);
	const isMissing = needsStatus && !hasStatus(payment);
	// One around the payment, such as 'success', is not the payment's.
	const statuses = placesIn(payment, 'payment')
		.filter(hasStatus)
		.map(({ status: shown }) => finalStatusOf(shown) ?? shown);
	if (!isMissing && new Set(statuses).size <= 1) return undefined;
	const what = `sent a response ${isMissing ? 'without its' : 'with more than one'} status`;
	return new ReadError(`payment '${paymentId}'`, what, undefined, { status });
}

/** A payment's id as AcountPay writes it: with keys a number, where it is one. */
export const idAsWritten = ({ paymentId, merchantClientId }: PaymentKey): string | number =>
	merchantClientId === undefined && /^[1-9]\d{0,14}$/.test(paymentId)
		? Number(paymentId)
		: paymentId;

/**
 * Reads a payment and its status. A response about another payment, without a status (documented for both ways to
 * authenticate), or with more than one, counts as none, and is asked for again.
 * @param needsStatus false for callers that ask again anyway: then a response without a status counts
 * @returns AcountPay's response, whole; with keys after the payment's id, which it is not documented to have
 * @throws OtherPaymentError, ApiError or Cancelled
 */
export async function readPayment(
	client: Client,
	key: PaymentKey,
	options: CallOptions,
	needsStatus = true,
): Promise<IDataObject> {
	const { paymentId, merchantClientId } = key;
	let problem: ApiError | undefined;
	const own = ({ body, status }: ApiResponse) => {
		const payment = readResponse(body);
		problem = payment && problemWith(payment, key, status, needsStatus);
		if (!payment || problem) return undefined;
		return merchantClientId === undefined ? { paymentId: idAsWritten(key), ...payment } : payment;
	};
	const subject = { merchantClientId, name: `payment '${paymentId}'` };
	return await read(client, getPayment(key), subject, options, own).catch((error: unknown) => {
		throw problem && error instanceof ApiError ? problem : error;
	});
}
