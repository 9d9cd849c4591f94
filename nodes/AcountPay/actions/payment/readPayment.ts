import type { IDataObject } from 'n8n-workflow';
import { getPayment } from '../../../shared/api/payments';
import { readObject } from '../../../shared/api/responses';
import type { Client } from '../../../shared/transport/client';
import { read } from '../../../shared/transport/read';
import type { CallOptions } from '../../../shared/transport/send';

/**
 * Reads a payment and its status.
 * @returns AcountPay's response, whole
 * @throws ApiError or Cancelled
 */
export const readPayment = async (
	client: Client,
	merchantId: string,
	paymentId: string,
	options: CallOptions,
): Promise<IDataObject> =>
	await read(
		client,
		getPayment(merchantId, paymentId),
		{ merchantId, name: `payment '${paymentId}'` },
		options,
		({ body }) => readObject(body),
	);
