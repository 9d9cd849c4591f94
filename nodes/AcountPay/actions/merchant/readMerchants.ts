import type { IDataObject } from 'n8n-workflow';
import {
	listMerchants,
	merchantNumberOf,
	readMerchantsPage,
	withMerchantId,
} from '../../../shared/api/merchants';
import type { Client } from '../../../shared/transport/client';
import type { CallOptions } from '../../../shared/transport/send';
import { readWholeList } from '../readList';

/**
 * Reads the partner's merchants.
 * @param wanted how many are wanted at most
 * @throws ApiError or Cancelled
 */
export const readMerchants = async (
	client: Client,
	options: CallOptions,
	wanted: number,
): Promise<IDataObject[]> =>
	await readWholeList(
		client,
		{
			subject: { name: 'the list of merchants' },
			request: listMerchants(),
			readPage: readMerchantsPage,
			complete: withMerchantId,
			idOf: merchantNumberOf,
		},
		options,
		wanted,
	);
