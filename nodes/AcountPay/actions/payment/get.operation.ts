import { readPayment } from '../../calls';
import type { Operation } from '../../operation';
import { merchantIdField, merchantIdOf, paymentIdField, paymentIdOf } from './fields';

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
	fields: [merchantIdField, paymentIdField],

	check: (item) => ({ merchantId: merchantIdOf(item), paymentId: paymentIdOf(item) }),

	run: async ({ merchantId, paymentId }, { connection, options }) => ({
		json: await readPayment(connection, merchantId, paymentId, options),
	}),
};
