import type { Operation } from '../operation';
import { create } from './create.operation';
import { get } from './get.operation';
import { getQrCode } from './getQrCode.operation';
import { waitForCompletion } from './waitForCompletion.operation';

/** The operations of the resource 'Payment', in the order of the list. */
export const operations = [create, get, getQrCode, waitForCompletion] as ReadonlyArray<
	Operation<unknown>
>;
