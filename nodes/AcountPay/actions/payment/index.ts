import type { Resource } from '../../operation/operation';
import { create, createWithKeys } from './create.operation';
import { find } from './find.operation';
import { get, getWithKeys } from './get.operation';
import { getMany } from './getMany.operation';
import { getQrCode, getQrCodeWithKeys } from './getQrCode.operation';
import { waitForCompletion, waitWithKeys } from './waitForCompletion.operation';

/** The resource 'Payment'. `…WithKeys` is the second of a pair; an operation that only API keys have has no such ending. */
export const payment: Resource = {
	name: 'Payment',
	operations: [
		{ oAuth2: create, apiKey: createWithKeys },
		{ apiKey: find },
		{ oAuth2: get, apiKey: getWithKeys },
		{ apiKey: getMany },
		{ oAuth2: getQrCode, apiKey: getQrCodeWithKeys },
		{ oAuth2: waitForCompletion, apiKey: waitWithKeys },
	],
};
