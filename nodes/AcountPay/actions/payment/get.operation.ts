import type { PaymentKey } from '../../../shared/api/payments';
import { withIsPaid } from '../../../shared/api/statuses';
import type { ItemOutput, ItemWork, Operation } from '../../operation/operation';
import { readPayment } from './readPayment';
import {
	type MerchantPayment,
	merchantPaymentFrom,
	paymentFieldsForTokens,
	paymentIdFrom,
	paymentNumberField,
} from './sharedFields';

async function runGet(key: PaymentKey, { client, options }: ItemWork): Promise<ItemOutput[]> {
	return [{ json: withIsPaid(await readPayment(client, key, options)) }];
}

/** Reads a payment and its status, with access tokens. */
export const get: Operation<MerchantPayment> = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get payment',
		description: 'Get a payment and its status',
	},
	fields: paymentFieldsForTokens,

	check: merchantPaymentFrom,

	run: runGet,
};

/** The same with keys: its response is only documented to have the status. */
export const getWithKeys: Operation<PaymentKey> = {
	option: get.option,
	fields: [paymentNumberField],

	check: (item) => ({ paymentId: paymentIdFrom(item) }),

	run: runGet,
};
