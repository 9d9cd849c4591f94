import { getPayment, getPaymentStatus } from '../../../shared/api/payments';
import { withIsPaid } from '../../../shared/api/statuses';
import type { Operation } from '../../operation/operation';
import { asWritten, readPayment } from './readPayment';
import {
	type MerchantPayment,
	merchantPaymentFrom,
	paymentFieldsForTokens,
	paymentIdFrom,
	paymentNumberField,
} from './sharedFields';

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

	run: async ({ merchantClientId, paymentId }, { client, options }) => [
		{
			json: withIsPaid(
				await readPayment(client, getPayment(merchantClientId, paymentId), paymentId, options),
			),
		},
	],
};

/** The same with keys: its response is only documented to have the status. */
export const getWithKeys: Operation<{ paymentId: string }> = {
	option: get.option,
	fields: [paymentNumberField],

	check: (item) => ({ paymentId: paymentIdFrom(item) }),

	async run({ paymentId }, { client, options }) {
		const payment = await readPayment(client, getPaymentStatus(paymentId), paymentId, options);
		return [{ json: withIsPaid({ paymentId: asWritten(paymentId), ...payment }) }];
	},
};
