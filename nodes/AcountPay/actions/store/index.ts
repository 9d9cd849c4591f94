import type { Resource } from '../../operation/operation';
import { create } from './create.operation';
import { getMany } from './getMany.operation';

/** The resource 'Store', with keys only. */
export const store: Resource = {
	name: 'Store',
	operations: [{ apiKey: create }, { apiKey: getMany }],
};
