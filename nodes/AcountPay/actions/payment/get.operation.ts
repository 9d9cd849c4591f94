import { withIsPaid } from '../../../shared/api/statuses';
import type { Operation } from '../../operation/operation';
import { type MerchantPayment, merchantPaymentFrom, paymentFieldsForTokens } from './sharedFields';
import { readPayment } from './readPayment';

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
		{ json: withIsPaid(await readPayment(client, merchantClientId, paymentId, options)) },
	],
};
