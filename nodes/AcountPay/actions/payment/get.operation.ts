import { withIsPaid } from '../../../shared/api/statuses';
import type { Operation } from '../../operation/operation';
import { merchantIdFields, merchantIdFrom, paymentIdField, paymentIdFrom } from './sharedFields';
import { readPayment } from './readPayment';

interface GetInput {
	merchantId: string;
	paymentId: string;
}

/** Reads a payment and its status. */
export const get: Operation<GetInput> = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get payment',
		description: 'Get a payment and its status',
	},
	fields: [...merchantIdFields, paymentIdField],

	check: (item) => ({ merchantId: merchantIdFrom(item), paymentId: paymentIdFrom(item) }),

	run: async ({ merchantId, paymentId }, { client, options }) => [
		{ json: withIsPaid(await readPayment(client, merchantId, paymentId, options)) },
	],
};
