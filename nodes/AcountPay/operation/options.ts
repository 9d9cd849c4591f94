import type { INodeProperties } from 'n8n-workflow';
import type { Noun } from '../../shared/transport/apiErrors';
import type { CallOptions } from '../../shared/transport/sendWithRetries';
import { type ItemParameters, wholeNumber } from './parameters';

const DEFAULT_CONCURRENCY = 200;
const DEFAULT_TIMEOUT = 30_000;
const MAX_CONCURRENCY = 1_000;
const MAX_TIMEOUT = 10 * 60_000;

/** The most requests in flight at once. */
const maxConcurrencyOption: INodeProperties = {
	displayName: 'Max Concurrency',
	name: 'maxConcurrency',
	type: 'number',
	typeOptions: { minValue: 1 },
	default: DEFAULT_CONCURRENCY,
	description:
		'The most requests that wait for a response at once. The node starts with 10 and finds out by itself how many AcountPay takes.',
};

/** Whether a request whose outcome is unknown may be sent again. */
export const resendUnknownOptionFor = (noun: Noun): INodeProperties => ({
	displayName: 'Resend Unknown',
	name: 'resendUnknown',
	type: 'boolean',
	default: false,
	description: `Whether to resend a ${noun} whose outcome is unknown when the node is retried, automatically or by hand. ${noun === 'payment' ? 'The customer may be charged twice' : `The ${noun} may then exist twice`}.`,
});

/** How long one request may take. */
const timeoutOption: INodeProperties = {
	displayName: 'Request Timeout',
	name: 'timeout',
	type: 'number',
	typeOptions: { minValue: 1 },
	default: DEFAULT_TIMEOUT,
	description: 'How long to wait for the response to one request, in milliseconds',
};

/** The options that every operation has. */
export const COMMON_OPTIONS: INodeProperties[] = [maxConcurrencyOption, timeoutOption];

/**
 * The checked options of one item that its requests follow.
 * @throws ValidationError
 */
export function callOptionsOf(item: ItemParameters): CallOptions {
	const { timeout = DEFAULT_TIMEOUT, resendUnknown } = item.collection('options');
	return {
		timeout: wholeNumber(timeoutOption.displayName, timeout, 1, MAX_TIMEOUT),
		resendUnknown: resendUnknown === true,
	};
}

/**
 * The checked option that holds for all items; an expression is evaluated for the first.
 * @throws ValidationError
 */
export function concurrencyOf(item: ItemParameters): number {
	const { maxConcurrency = DEFAULT_CONCURRENCY } = item.collection('options');
	return wholeNumber(maxConcurrencyOption.displayName, maxConcurrency, 1, MAX_CONCURRENCY);
}
