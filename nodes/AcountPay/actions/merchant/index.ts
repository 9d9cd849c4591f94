import type { Resource } from '../../operation/operation';
import { create, createFastTrack, createTest } from './create.operation';
import { get } from './get.operation';
import { getMany } from './getMany.operation';

/** The resource 'Merchant', with keys only. */
export const merchant: Resource = {
	name: 'Merchant',
	operations: [
		{ apiKey: create },
		{ apiKey: createFastTrack },
		{ apiKey: createTest },
		{ apiKey: get },
		{ apiKey: getMany },
	],
};
