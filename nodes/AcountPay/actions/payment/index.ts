import type { Operation } from '../../operation';
import { create } from './create.operation';
import { get } from './get.operation';

/** The operations of the resource 'Payment', in the order of the list. */
export const operations = [create, get] as ReadonlyArray<Operation<unknown>>;
