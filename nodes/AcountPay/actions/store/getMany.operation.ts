import { listStores, storeIdOf, withStoreId } from '../../../shared/api/stores';
import { readList } from '../../../shared/transport/readList';
import {
	listFields,
	merchantNumberField,
	merchantNumberFrom,
	limitFrom,
} from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';

/** Lists the stores of a merchant. */
export const getMany: Operation<{ merchantNumber: string; limit: number }> = {
	option: {
		name: 'Get Many',
		// n8n's convention for 'Get Many'.
		value: 'getAll',
		action: 'Get many stores',
		description: 'Get the stores of a merchant',
	},
	fields: [merchantNumberField, ...listFields],

	check: (item) => ({ merchantNumber: merchantNumberFrom(item), limit: limitFrom(item) }),

	async run({ merchantNumber, limit }, { client, options }) {
		const list = {
			subject: {
				name: `the list of stores of merchant '${merchantNumber}'`,
				missing: { name: 'the merchant', fields: 'Merchant Number' },
			},
			request: listStores(merchantNumber),
			name: 'stores' as const,
			idOf: storeIdOf,
		};
		const stores = await readList(client, list, options, limit);
		return stores.map((store) => ({ json: withStoreId(store) }));
	},
};
