import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { getPaymentStatus } from '../../../shared/api/payments';
import { readObject } from '../../../shared/api/responses';
import type { Client } from '../../../shared/transport/client';
import { read } from '../../../shared/transport/read';
import type { CallOptions } from '../../../shared/transport/send';
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
 * Reads what became of a payment, with keys. What the response holds beside the status is not documented.
 * @returns AcountPay's response, whole, with the payment's id where it has none
 * @throws ApiError or Cancelled
 */
export async function readStatus(
	client: Client,
	paymentId: string,
	options: CallOptions,
): Promise<IDataObject> {
	const response = await read(
		client,
		getPaymentStatus(paymentId),
		{ name: `payment '${paymentId}'` },
		options,
		({ body }) => readObject(body),
	);
	return { paymentId: asWritten(paymentId), ...response };
}
