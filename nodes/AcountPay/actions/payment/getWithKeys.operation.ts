import { withIsPaid } from '../../../shared/api/statuses';
import type { Operation } from '../../operation/operation';
import { paymentIdFrom } from './sharedFields';
import { get } from './get.operation';
import { paymentNumberField, readStatus } from './readStatus';

/** Reads a payment and its status, with keys. */
export const getWithKeys: Operation<{ paymentId: string }> = {
	option: get.option,
	fields: [paymentNumberField],

	check: (item) => ({ paymentId: paymentIdFrom(item) }),

	run: async ({ paymentId }, { client, options }) => [
		{ json: withIsPaid(await readStatus(client, paymentId, options)) },
	],
};
