import type { Operation } from '../../operation/operation';
import { paymentIdFrom } from './sharedFields';
import { asWritten, paymentNumberField, readStatus } from './readStatus';
import {
	type Awaited,
	poll,
	timeoutField,
	timeoutMinutesOf,
	waitForCompletion,
} from './waitForCompletion.operation';

/** Waits until a payment has ended, with keys: by polling, since a payment has no webhook of its own. */
export const waitWithKeys: Operation<Awaited> = {
	option: waitForCompletion.option,
	fields: [paymentNumberField, timeoutField],
	mostlyWaits: true,

	check: (item) => ({
		paymentId: paymentIdFrom(item),
		timeoutMinutes: timeoutMinutesOf(item.get('timeoutMinutes')),
	}),

	async run(input, work) {
		const output = await poll(
			input,
			work,
			async (options) => await readStatus(work.client, input.paymentId, options, false),
		);
		return [{ ...output, json: { ...output.json, paymentId: asWritten(input.paymentId) } }];
	},
};
