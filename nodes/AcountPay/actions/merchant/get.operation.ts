import { getMerchant, merchantNumberOf, withMerchantNumber } from '../../../shared/api/merchants';
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
			({ body }) => {
				const response = readResponse(body);
				const number = response && merchantNumberOf(response);
				return number === undefined || number === merchantNumber ? response : undefined;
			},
			'responded about another merchant, or in a way that could not be read',
		);
		return [{ json: withMerchantNumber(merchant) }];
	},
};
