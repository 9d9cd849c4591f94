import { readReason } from '../api/responses';
import { ApiError, ReadError } from '../errors';
import type { Client } from './client';
import {
	describeFailure,
	isRefusal,
	isSuccess,
	isUnreachable,
	isWebPage,
	type NetworkFailure,
	PROXY_ADVICE,
	type SendResult,
} from '../http/response';

/** What a request can create. */
export type Noun = 'payment' | 'merchant' | 'store';

/** What a request is about, for the words of an error. */
export interface Subject {
	/** The merchant it is sent for, where the request names one. */
	merchantClientId?: string;
	/** What is to be created; a payment when not given. */
	noun?: Noun | 'webhook';
	/** Whether something is to be changed, and nothing created: even without a response, it may have been changed. */
	isChange?: boolean;
	/** As part of a sentence: "the payment with reference 'ORDER-1'". */
	name: string;
	/**
	 * What is not there when AcountPay responds 404, as part of a sentence, where that can't be the thing itself: what is to be
	 * created names its merchant.
	 */
	missing?: { name: string; fields: string };
}

/** The error for a request that never reached AcountPay. */
function unreachableError(
	client: Client,
	{ name }: Subject,
	{ blocked, proxyStatus }: NetworkFailure,
): ApiError {
	let message = `AcountPay could not be reached for ${name}`;
	let advice = `Check the environment of the credential, and whether ${client.baseUrl} can be reached from n8n. Nothing was sent`;
	if (blocked !== undefined) {
		message = `n8n blocked the request for ${name}: ${client.redact(blocked)}`;
		advice = `Ask the administrator of n8n to allow ${client.baseUrl}. Nothing was sent`;
	} else if (proxyStatus !== undefined) {
		message = `A proxy between n8n and AcountPay refused the request for ${name} (status ${proxyStatus})`;
		advice = `${PROXY_ADVICE} Nothing reached AcountPay`;
	}
	return new ApiError('unavailable', message, `${advice}, so this item can be run again.`);
}

/**
 * The error for a request that has done nothing: it never reached AcountPay, or AcountPay refused it.
 * @param consequence what a refusal means for the item, as a sentence of its own
 * @returns undefined when AcountPay may have acted on the request
 */
export function nothingDoneError(
	client: Client,
	result: SendResult,
	subject: Subject,
	consequence = '',
): ApiError | undefined {
	if (isUnreachable(result)) return unreachableError(client, subject, result);
	if (!isRefusal(result)) return undefined;
	const { status, body } = result;
	const reason = readReason(body, (text) => client.redact(text));
	const { message, advice } = isWebPage(result)
		? webPageWords(subject)
		: wordsFor(client, status, subject);
	const why = reason ? `: ${reason}` : ` (status ${status})`;
	return new ApiError('refused', message + why, `${advice} ${consequence}`.trim(), { status });
}

/** A change that may be sent again may have been made by an earlier request. */
const LOOK_FIRST =
	'It may have been done already. Look in AcountPay before you run this item again.';

/**
 * The error for a read, or for a change that may be sent again, that got nothing usable.
 * @param unusable the words for a successful response that can't be used, as the end of 'AcountPay …'
 */
export function readError(
	client: Client,
	failure: SendResult,
	subject: Subject,
	unusable?: string,
): ApiError {
	const { status } = failure;
	const what = (isSuccess(failure) && unusable) || describeFailure(failure);
	const advice = subject.isChange ? LOOK_FIRST : undefined;
	return (
		nothingDoneError(client, failure, subject) ??
		new ReadError(subject.name, what, advice, { status })
	);
}

/** AcountPay responds in JSON. A web page comes from somewhere else, and its status says nothing about the item. */
const webPageWords = ({ name }: Subject) => ({
	message: `A server between n8n and AcountPay, such as a proxy, refused ${name}`,
	advice: `${PROXY_ADVICE} Check also the environment of the credential.`,
});

function wordsFor(
	client: Client,
	status: number,
	{ name, merchantClientId, noun = 'payment', isChange, missing }: Subject,
): { message: string; advice: string } {
	const forMerchant = merchantClientId === undefined ? '' : ` for merchant '${merchantClientId}'`;
	switch (status) {
		case 401:
			return client.unauthorizedWords(name);
		case 403:
			return {
				message: `AcountPay does not allow ${name}${forMerchant}`,
				advice: forMerchant
					? 'Check Merchant ID, and whether your AcountPay account may act for this merchant.'
					: 'Check whether your AcountPay account may do this.',
			};
		case 404:
			if (missing) {
				return {
					message: `AcountPay does not know ${missing.name} for ${name}`,
					advice: `Check ${missing.fields}. Sandbox and production have separate merchants.`,
				};
			}
			return {
				message: `AcountPay does not find ${name}${forMerchant}`,
				advice: `Check ${forMerchant ? 'Merchant ID and, when you read a payment, Payment ID' : 'the IDs in the fields of this item'}. Sandbox and production have separate data.`,
			};
		case 409:
			if (isChange) {
				return {
					message: `AcountPay reports that ${name} is not possible now`,
					advice: LOOK_FIRST,
				};
			}
			return {
				message: `AcountPay reports that ${name} conflicts with an existing ${noun}`,
				advice: `Look for this ${noun === 'payment' ? 'reference' : noun} in AcountPay before you create it again.`,
			};
		case 429:
			return {
				message: `AcountPay is rate limiting requests and did not accept ${name} despite retries`,
				advice: "Run this item again later, or lower the option 'Max Concurrency'.",
			};
		default:
			return {
				message: `AcountPay refused ${name}`,
				advice: 'Check the fields of this item against what AcountPay says.',
			};
	}
}
