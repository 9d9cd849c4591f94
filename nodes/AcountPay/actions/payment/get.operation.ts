import { withIsPaid } from '../../../shared/api/statuses';
import type { Operation } from '../../operation/operation';
import {
	merchantFieldsForTokens,
	merchantClientIdFrom,
	paymentIdField,
	paymentIdFrom,
} from './sharedFields';
import { readPayment } from './readPayment';

interface GetInput {
	merchantClientId: string;
	paymentId: string;
}

/** Reads a payment and its status, with access tokens. */
export const get: Operation<GetInput> = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get payment',
		description: 'Get a payment and its status',
	},
	fields: [...merchantFieldsForTokens, paymentIdField],

	check: (item) => ({
		merchantClientId: merchantClientIdFrom(item),
		paymentId: paymentIdFrom(item),
	}),

	run: async ({ merchantClientId, paymentId }, { client, options }) => [
		{ json: withIsPaid(await readPayment(client, merchantClientId, paymentId, options)) },
	],
};
