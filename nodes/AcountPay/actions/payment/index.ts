import type { Resource } from '../../operation/operation';
import { create } from './create.operation';
import { createWithKeys } from './createWithKeys.operation';
import { find } from './find.operation';
import { get } from './get.operation';
import { getMany } from './getMany.operation';
import { getQrCode } from './getQrCode.operation';
import { getQrCodeWithKeys } from './getQrCodeWithKeys.operation';
import { getWithKeys } from './getWithKeys.operation';
import { waitForCompletion } from './waitForCompletion.operation';
import { waitWithKeys } from './waitWithKeys.operation';

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
