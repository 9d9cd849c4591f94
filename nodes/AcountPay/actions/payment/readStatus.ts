import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { getPaymentStatus } from '../../../shared/api/payments';
import type { Client } from '../../../shared/transport/client';
import type { CallOptions } from '../../../shared/transport/sendWithRetries';
import { readAbout } from './readPayment';
import { paymentIdField } from './sharedFields';

/** The payment that an operation is about, with keys. */
export const paymentNumberField: INodeProperties = {
	...paymentIdField,
	placeholder: 'e.g. 456',
};

/** A payment's id as AcountPay writes it with keys: a number, where it is one. */
export const asWritten = (paymentId: string): string | number =>
	/^[1-9]\d{0,14}$/.test(paymentId) ? Number(paymentId) : paymentId;

/**
 * Reads a payment and its status, with keys. The other fields of the response are not documented.
 * @returns AcountPay's response, whole, with the payment's id where it has none
 * @throws as {@link readAbout}
 */
export async function readStatus(
	client: Client,
	paymentId: string,
	options: CallOptions,
	needsStatus = true,
): Promise<IDataObject> {
	const request = getPaymentStatus(paymentId);
	const response = await readAbout(client, paymentId, request, options, needsStatus);
	return { paymentId: asWritten(paymentId), ...response };
}
