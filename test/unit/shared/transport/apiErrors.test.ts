/** The words for everything that can become of a request. */
import {
	nothingDoneError,
	readError,
	type Subject,
} from '../../../../nodes/shared/transport/apiErrors';
import type { ApiError } from '../../../../nodes/shared/errors';
import { late, response, scripted, unreachable } from '../../support';

const { client } = scripted([]);

const PAYMENT: Subject = { name: "the payment with reference 'A'", merchantClientId: 'shop' };
const STORE: Subject = { name: "the store 'Aarhus'", noun: 'store' };
const CHANGE: Subject = { name: "the cancellation of payment '7'", isChange: true };

const partsOf = ({ outcome, message, description, status }: ApiError) => ({
	outcome,
	message,
	description,
	status,
});

const PROXY =
	'Check the proxy settings of n8n, and ask the administrator of the proxy to let n8n through.';

describe('a request that did not reach AcountPay', () => {
	it.each([
		[
			'was blocked by n8n, whose reason may hold anything',
			{ ...unreachable, blocked: 'Not s3cret' },
			"n8n blocked the request for the store 'Aarhus': Not [secret]",
			'Ask the administrator of n8n to allow https://acountpay.test. Nothing was sent, so this item can be run again.',
		],
		[
			'was refused by a proxy',
			{ ...unreachable, proxyStatus: 407 },
			"A proxy between n8n and AcountPay refused the request for the store 'Aarhus' (status 407)",
			`${PROXY} Nothing reached AcountPay, so this item can be run again.`,
		],
		[
			'found no server',
			unreachable,
			"AcountPay could not be reached for the store 'Aarhus'",
			'Check the environment of the credential, and whether https://acountpay.test can be reached from n8n. Nothing was sent, so this item can be run again.',
		],
	])('%s', (_what, failure, message, description) => {
		const expected = { outcome: 'unavailable', message, description, status: undefined };
		expect(partsOf(nothingDoneError(client, failure, STORE)!)).toEqual(expected);
		expect(partsOf(readError(client, failure, STORE))).toEqual(expected);
	});
});

describe('a request that AcountPay rejected', () => {
	it.each<[number, Subject, string, string]>([
		[
			401,
			PAYMENT,
			"AcountPay did not accept the access token for the payment with reference 'A': No",
			'Check Client ID, Client Secret and Environment of the credential.',
		],
		[
			403,
			PAYMENT,
			"AcountPay does not allow the payment with reference 'A' for merchant 'shop': No",
			'Check Merchant ID, and whether your AcountPay account may act for this merchant.',
		],
		[
			403,
			STORE,
			"AcountPay does not allow the store 'Aarhus': No",
			'Check whether your AcountPay account may do this.',
		],
		[
			404,
			PAYMENT,
			"AcountPay does not find the payment with reference 'A' for merchant 'shop': No",
			'Check Merchant ID and, when you read a payment, Payment ID. Sandbox and production have separate data.',
		],
		[
			404,
			{ ...PAYMENT, missing: { name: "the merchant 'shop'", fields: 'Merchant ID' } },
			"AcountPay does not know the merchant 'shop' for the payment with reference 'A': No",
			'Check Merchant ID. Sandbox and production have separate merchants.',
		],
		[
			404,
			STORE,
			"AcountPay does not find the store 'Aarhus': No",
			'Check the IDs in the fields of this item. Sandbox and production have separate data.',
		],
		[
			409,
			PAYMENT,
			"AcountPay reports that the payment with reference 'A' conflicts with an existing payment: No",
			'Look for this reference in AcountPay before you create it again.',
		],
		[
			409,
			STORE,
			"AcountPay reports that the store 'Aarhus' conflicts with an existing store: No",
			'Look for this store in AcountPay before you create it again.',
		],
		[
			409,
			CHANGE,
			"AcountPay reports that the cancellation of payment '7' is not possible now: No",
			'It may have been done already. Look in AcountPay before you run this item again.',
		],
		[
			429,
			PAYMENT,
			"AcountPay is rate limiting requests and did not accept the payment with reference 'A' despite retries: No",
			"Run this item again later, or lower the option 'Max Concurrency'.",
		],
		[
			422,
			STORE,
			"AcountPay refused the store 'Aarhus': No",
			'Check the fields of this item against what AcountPay says.',
		],
	])('%i, %j', (status, subject, message, advice) => {
		const rejected = response(status, { message: 'No' });
		const expected = { outcome: 'refused', message, status };
		expect(partsOf(nothingDoneError(client, rejected, subject, 'Nothing was created.')!)).toEqual({
			...expected,
			description: `${advice} Nothing was created.`,
		});
		expect(partsOf(readError(client, rejected, subject))).toEqual({
			...expected,
			description: advice,
		});
	});

	it('without a reason has its status, and with one no secret', () => {
		expect(nothingDoneError(client, response(422, ''), STORE)!.message).toBe(
			"AcountPay refused the store 'Aarhus' (status 422)",
		);
		expect(nothingDoneError(client, response(422, { message: 's3cret' }), STORE)!.message).toBe(
			"AcountPay refused the store 'Aarhus': [secret]",
		);
	});

	it.each([401, 403, 404, 422])('%i with a web page is not from AcountPay', (status) => {
		expect(partsOf(nothingDoneError(client, response(status, '<html></html>'), PAYMENT)!)).toEqual({
			outcome: 'refused',
			message: `A server between n8n and AcountPay, such as a proxy, refused the payment with reference 'A' (status ${status})`,
			description: `${PROXY} Check also the environment of the credential.`,
			status,
		});
	});
});

describe('a read without a usable response', () => {
	it.each([
		[late, undefined, 'did not respond within 30 seconds', undefined],
		[late, 'sent no list', 'did not respond within 30 seconds', undefined],
		[response(503), 'sent no list', 'returned a server error (status 503)', 503],
		[response(200, []), 'sent no list', 'sent no list', 200],
		[response(200, []), undefined, 'sent a response that could not be read (status 200)', 200],
	])('%j, %j', (failed, unusable, what, status) => {
		expect(partsOf(readError(client, failed, STORE, unusable))).toEqual({
			outcome: 'unavailable',
			message: `AcountPay was asked about the store 'Aarhus', but ${what}`,
			description: 'Reading changes nothing, so this item can be run again.',
			status,
		});
	});

	it('that was a change may have made it', () => {
		const { message, description } = readError(client, response(503), CHANGE);
		expect(message).toBe(
			"AcountPay was asked about the cancellation of payment '7', but returned a server error (status 503)",
		);
		expect(description).toBe(
			'It may have been done already. Look in AcountPay before you run this item again.',
		);
	});
});
