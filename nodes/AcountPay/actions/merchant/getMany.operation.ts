import { listFields, wantedFrom } from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';
import { readMerchants } from './readMerchants';

/** Lists the partner's merchants. */
export const getMany: Operation<{ wanted: number }> = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many merchants',
		description: 'Get your merchants and their status',
	},
	fields: listFields,

	check: (item) => ({ wanted: wantedFrom(item) }),

	run: async ({ wanted }, { client, options }) =>
		(await readMerchants(client, options, wanted)).map((json) => ({ json })),
};
