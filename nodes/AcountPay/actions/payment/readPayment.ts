import type { IDataObject } from 'n8n-workflow';
import { getPayment, otherPaymentIn } from '../../../shared/api/payments';
import type { ApiRequest } from '../../../shared/api/request';
import { readObject } from '../../../shared/api/responses';
import { ApiError } from '../../../shared/errors';
import type { Client } from '../../../shared/transport/client';
import type { ApiResponse } from '../../../shared/http/response';
import { read } from '../../../shared/transport/read';
import type { CallOptions } from '../../../shared/transport/sendWithRetries';

/**
 * Reads a payment and its status, with access tokens.
 * @returns AcountPay's response, whole
 * @throws as {@link readAbout}
 */
export const readPayment = async (
	client: Client,
	merchantClientId: string,
	paymentId: string,
	options: CallOptions,
): Promise<IDataObject> =>
	await readAbout(client, paymentId, getPayment(merchantClientId, paymentId), options);

/** AcountPay has responded about another payment than it was asked about. */
export class OtherPaymentError extends ApiError {
	constructor(paymentId: string, what: string) {
		super(
			'unavailable',
			`AcountPay was asked about payment '${paymentId}', but ${what}`,
			'Look at this payment in AcountPay. Reading changes nothing, so this item can be run again.',
		);
	}
}

/**
 * Reads what AcountPay says of a payment. A response about another payment counts for none, and is asked for again.
 * @returns AcountPay's response, whole
 * @throws OtherPaymentError, ApiError or Cancelled
 */
export async function readAbout(
	client: Client,
	paymentId: string,
	request: ApiRequest,
	options: CallOptions,
): Promise<IDataObject> {
	let other: string | undefined;
	const own = ({ body }: ApiResponse) => {
		const payment = readObject(body);
		other = payment && otherPaymentIn(payment, paymentId);
		return other === undefined ? payment : undefined;
	};
	const subject = { merchantClientId: request.merchantClientId, name: `payment '${paymentId}'` };
	return await read(client, request, subject, options, own).catch((error: unknown) => {
		if (other === undefined || !(error instanceof ApiError)) throw error;
		throw new OtherPaymentError(paymentId, `responded about payment '${other}'`);
	});
}
