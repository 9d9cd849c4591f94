import type { Resource } from '../../operation/operation';
import { create } from './create.operation';
import { createFastTrack } from './createFastTrack.operation';
import { createTest } from './createTest.operation';
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
