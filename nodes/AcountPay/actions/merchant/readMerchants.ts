import type { IDataObject } from 'n8n-workflow';
import {
	listMerchants,
	merchantNumberOf,
	readMerchantsPage,
	withMerchantNumber,
} from '../../../shared/api/merchants';
import type { Client } from '../../../shared/transport/client';
import { readList } from '../../../shared/transport/readList';
import type { CallOptions } from '../../../shared/transport/sendWithRetries';

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
		readPage: readMerchantsPage,
		idOf: merchantNumberOf,
	};
	return (await readList(client, list, options, limit)).map(withMerchantNumber);
}
