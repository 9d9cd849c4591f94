import { listFields, limitFrom } from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';
import { readMerchants } from './readMerchants';

/** Lists the partner's merchants. */
export const getMany: Operation<{ limit: number }> = {
	option: {
		name: 'Get Many',
		// n8n's convention for 'Get Many'.
		value: 'getAll',
		action: 'Get many merchants',
		description: 'Get your merchants and their status',
	},
	fields: listFields,

	check: (item) => ({ limit: limitFrom(item) }),

	run: async ({ limit }, { client, options }) =>
		(await readMerchants(client, options, limit)).map((json) => ({ json })),
};
