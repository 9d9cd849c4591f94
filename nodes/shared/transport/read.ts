import type { ApiRequest } from '../api/request';
import { readError, type Subject } from './apiErrors';
import type { Client } from './client';
import type { ApiResponse } from '../http/response';
import { type CallOptions, sendUntilUsable } from './sendWithRetries';

/**
 * Reads from AcountPay, with retries.
 * @param parse takes what is wanted out of a successful response; undefined: the response can't be used
 * @param unusable the words for that, as the end of 'AcountPay …'
 * @throws ApiError or Cancelled
 */
export async function read<Result>(
	client: Client,
	request: ApiRequest,
	subject: Subject,
	options: CallOptions,
	parse: (response: ApiResponse) => Result | undefined,
	unusable?: string,
): Promise<Result> {
	const outcome = await sendUntilUsable(client, request, options, parse);
	if ('result' in outcome) return outcome.result;
	throw readError(client, outcome.failure, subject, unusable);
}
