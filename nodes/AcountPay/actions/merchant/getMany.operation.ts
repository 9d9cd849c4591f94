import type { IDataObject } from 'n8n-workflow';
import { listMerchants, merchantNumberOf, withMerchantNumber } from '../../../shared/api/merchants';
import type { Client } from '../../../shared/transport/client';
import { readList } from '../../../shared/transport/readList';
import type { CallOptions } from '../../../shared/transport/sendWithRetries';
import { listFields, limitFrom } from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';

/**
 * Reads the partner's merchants.
 * @param limit how many at most
 * @throws ApiError or Cancelled
 */
export async function readMerchants(
	client: Client,
	options: CallOptions,
	limit: number,
): Promise<IDataObject[]> {
	const list = {
		subject: { name: 'the list of merchants' },
		request: listMerchants(),
		name: 'merchants' as const,
		idOf: merchantNumberOf,
	};
	return (await readList(client, list, options, limit)).map(withMerchantNumber);
}

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
