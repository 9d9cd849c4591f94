import { readReason } from '../api/responses';
import { ApiError } from '../errors';
import type { Client } from './client';
import {
	type ApiResponse,
	describeFailure,
	isRejection,
	isSuccess,
	isUnreachable,
	type Sent,
} from './response';

/** What a request is about, for the words of an error. */
export interface Subject {
	/** The merchant it is sent for. */
	merchantId: string;
	/** As part of a sentence: "the payment with reference 'ORDER-1'". */
	name: string;
}

/** The error for a request that never reached AcountPay. */
export const unreachableError = ({ baseUrl }: Client, { name }: Subject): ApiError =>
	new ApiError(
		'unavailable',
		`AcountPay could not be reached for ${name}`,
		`Check the environment of the credential, and whether ${baseUrl} can be reached from n8n. Nothing was sent, so this item can be run again.`,
	);

/**
 * The error for a read that got nothing usable.
 * @param unusable the words for a successful response that can't be used, as the end of 'AcountPay …'
 */
export function readError(
	client: Client,
	failed: Sent,
	subject: Subject,
	unusable?: string,
): ApiError {
	const { status } = failed;
	if (isUnreachable(failed)) return unreachableError(client, subject);
	if (isRejection(failed)) return rejectionError(client, failed, subject, '');
	return new ApiError(
		'unavailable',
		`AcountPay was asked about ${subject.name}, but ${(isSuccess(failed) && unusable) || describeFailure(failed)}`,
		'Reading changes nothing, so this item can be run again.',
		{ status },
	);
}

/**
 * The error for a response with a status of 400 to 499.
 * @param consequence what it means for what was asked for, as a sentence of its own
 */
export function rejectionError(
	client: Client,
	{ status, body }: ApiResponse,
	subject: Subject,
	consequence: string,
): ApiError {
	const reason = readReason(body, (text) => client.redact(text));
	const { message, advice } = wordsFor(client, status, subject);
	return new ApiError(
		'refused',
		`${message}${reason ? `: ${reason}` : ` (status ${status})`}`,
		`${advice} ${consequence}`.trim(),
		{ status },
	);
}

function wordsFor(
	client: Client,
	status: number,
	{ name, merchantId }: Subject,
): { message: string; advice: string } {
	switch (status) {
		case 401:
			return client.rejectedWords(name);
		case 403:
			return {
				message: `AcountPay does not allow ${name} for merchant '${merchantId}'`,
				advice: 'Check Merchant ID, and whether your AcountPay account may act for this merchant.',
			};
		case 404:
			return {
				message: `AcountPay does not find ${name} for merchant '${merchantId}'`,
				advice:
					'Check Merchant ID and, when you read a payment, Payment ID. Sandbox and production know nothing of each other.',
			};
		case 409:
			return {
				message: `AcountPay says that ${name} conflicts with what it already has`,
				advice: 'Look for this reference in AcountPay before you ask again.',
			};
		case 429:
			return {
				message: `AcountPay is getting too many requests and did not take ${name}, however often it was asked`,
				advice: "Run this item again later, or lower the option 'Max Concurrency'.",
			};
		default:
			return {
				message: `AcountPay refused ${name}`,
				advice: 'Check the fields of this item against what AcountPay says.',
			};
	}
}
