import { getMerchant, withMerchantNumber } from '../../../shared/api/merchants';
import { readResponse } from '../../../shared/api/responses';
import { read } from '../../../shared/transport/read';
import { merchantNumberField, merchantNumberFrom } from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';

/** Reads a merchant. */
export const get: Operation<{ merchantNumber: string }> = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get merchant',
		description: 'Get a merchant and its status',
	},
	fields: [merchantNumberField],

	check: (item) => ({ merchantNumber: merchantNumberFrom(item) }),

	async run({ merchantNumber }, { client, options }) {
		const merchant = await read(
			client,
			getMerchant(merchantNumber),
			{ name: `merchant '${merchantNumber}'` },
			options,
			({ body }) => readResponse(body),
		);
		return [{ json: withMerchantNumber(merchant) }];
	},
};
