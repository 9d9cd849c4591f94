import { listStores, readStoresPage, storeIdOf, withStoreId } from '../../../shared/api/stores';
import { readList } from '../../../shared/transport/readList';
import {
	listFields,
	merchantNumberField,
	merchantNumberFrom,
	wantedFrom,
} from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';

interface GetManyInput {
	merchantNumber: string;
	/** How many stores are wanted at most. */
	wanted: number;
}

/** Lists the stores of a merchant. */
export const getMany: Operation<GetManyInput> = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many stores',
		description: 'Get the stores of a merchant',
	},
	fields: [merchantNumberField, ...listFields],

	check: (item) => ({ merchantNumber: merchantNumberFrom(item), wanted: wantedFrom(item) }),

	async run({ merchantNumber, wanted }, { client, options }) {
		const list = {
			subject: {
				name: `the list of stores of merchant '${merchantNumber}'`,
				missing: { name: 'the merchant', fields: 'Merchant Number' },
			},
			request: listStores(merchantNumber),
			readPage: readStoresPage,
			idOf: storeIdOf,
		};
		const stores = await readList(client, list, options, wanted);
		return stores.map((store) => ({ json: withStoreId(store) }));
	},
};
