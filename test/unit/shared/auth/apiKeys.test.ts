/** Keys: where they and the merchant go, and what a rejection of them means. That they are sent is tested on n8n's engine. */
import type { IExecuteFunctions, IHttpRequestOptions } from 'n8n-workflow';
import type { ApiRequest } from '../../../../nodes/shared/api/request';
import { ApiKeys } from '../../../../nodes/shared/auth/apiKeys';
import type { RequestContext } from '../../../../nodes/shared/requestContext';
import { errorFrom, response, unreachable } from '../../support';

const KEYS = {
	environment: 'sandbox',
	clientId: 'id',
	clientSecret: 's3cret',
	webhookSecret: 'whsec',
};

const contextWith = (credential: object) =>
	({
		getCredentials: async (type: string) => {
			expect(type).toBe('acountPayKeyApi');
			return credential;
		},
		getNode: () => ({ credentials: { acountPayKeyApi: { name: 'Shop' } } }),
	}) as unknown as RequestContext;

const open = async (changes: object = {}) =>
	await ApiKeys.open(contextWith({ ...KEYS, ...changes }));

describe('the credential', () => {
	it('is read whole', async () => {
		const keys = await open();
		expect(ApiKeys.credentialType).toBe('acountPayKeyApi');
		expect(keys.baseUrl).toBe('https://sandbox.api.acountpay.com');
		expect(keys.credential).toEqual(KEYS);
	});

	it('with an unsafe base URL is not used', async () => {
		const error = await errorFrom(open({ environment: 'custom', baseUrl: 'http://shop.example' }));
		expect(error).toMatchObject({
			message:
				"Base URL of the credential 'Shop' must start with https://, or with http:// and be on this machine (localhost)",
			description: 'Open the credential and correct it. Nothing was sent.',
		});
	});

	it.each([
		[{}, ['s3cret', 'whsec']],
		[{ webhookSecret: '' }, ['s3cret']],
		[{ webhookSecret: undefined }, ['s3cret']],
	])('%j: its secrets are those that it has', async (changes, secrets) => {
		expect((await open(changes)).secrets()).toEqual(secrets);
	});
});

it('the account is told from others by ID and secret, and gives neither away', async () => {
	const all = await Promise.all([{}, { clientId: 'other' }, { clientSecret: 'other' }].map(open));
	const accounts = all.map(({ account }) => account);
	expect(new Set(accounts).size).toBe(3);
	expect((await open({ webhookSecret: 'other' })).account).toBe(accounts[0]);
	expect(accounts[0]).not.toMatch(/s3cret/);
});

describe('the merchant', () => {
	const build = async (request: Partial<ApiRequest>) =>
		(await open()).partsOf({ method: 'POST', path: '/', repeatable: false, ...request });

	it.each<[string, Partial<ApiRequest>, object]>([
		[
			'in the body of what is created',
			{ merchantClientId: 'm', body: { amount: 1 }, query: { page: 1 } },
			{ body: { amount: 1, merchantClientId: 'm' }, query: { page: 1 } },
		],
		[
			'never as a custom field',
			{ merchantClientId: 'm', body: { merchantClientId: 'another' } },
			{ body: { merchantClientId: 'm' } },
		],
		[
			'in the query of a list',
			{ merchantClientId: 'm', query: { page: 1 } },
			{ query: { page: 1, merchantClientId: 'm' } },
		],
		[
			'nowhere when there is none',
			{ body: { a: 1 }, query: { b: 2 } },
			{ body: { a: 1 }, query: { b: 2 } },
		],
	])('%s', async (_what, request, placed) => {
		expect(await build(request)).toEqual(placed);
	});
});

it('n8n is given the keys in headers, beside those of the request', async () => {
	const abortSignal = new AbortController().signal;
	const asked: IHttpRequestOptions[] = [];
	const caller = {
		helpers: {
			httpRequest: async (options: IHttpRequestOptions) => {
				asked.push(options);
				return 'response';
			},
		},
		getExecutionCancelSignal: () => abortSignal,
	} as unknown as IExecuteFunctions;
	const options = { url: 'https://acountpay.test', headers: { Accept: 'application/json' } };
	expect(await (await open()).call(caller, options)).toBe('response');
	expect(asked).toEqual([
		{
			...options,
			headers: {
				Accept: 'application/json',
				'X-Partner-Client-Id': 'id',
				'X-Partner-Client-Secret': 's3cret',
			},
			abortSignal,
		},
	]);
});

describe('a rejection', () => {
	const ADVICE =
		'Copy Client ID and Client Secret from the Partner Dashboard into that credential again, and check that they are those of its environment (sandbox).';

	it('of the keys stops all that comes after it', async () => {
		const keys = await open();
		const rejected = response(401, { message: 'Unauthorized' });
		expect(await keys.authenticate(async () => rejected)).toBe(rejected);
		const send = jest.fn();
		expect(await errorFrom(keys.authenticate(send))).toMatchObject({
			outcome: 'refused',
			status: 401,
			message: "AcountPay refused the API keys of the credential 'Shop'",
			description: `${ADVICE} Nothing was sent for this item.`,
		});
		expect(send).not.toHaveBeenCalled();
	});

	it('is forgotten after ten seconds: a wait asks again', async () => {
		jest.useFakeTimers();
		try {
			const keys = await open();
			await keys.authenticate(async () => response(401, {}));
			jest.advanceTimersByTime(9_999);
			const send = jest.fn(async () => response(200, {}));
			expect(await errorFrom(keys.authenticate(send))).toMatchObject({ status: 401 });
			jest.advanceTimersByTime(1);
			expect(await keys.authenticate(send)).toMatchObject({ status: 200 });
			expect(send).toHaveBeenCalledTimes(1);
		} finally {
			jest.useRealTimers();
		}
	});

	it.each([
		['another status', response(403, {})],
		['a web page with 401, which is not from AcountPay', response(401, '<html></html>')],
		['no response', unreachable],
		['a success', response(200, {})],
	])('%s stops nothing', async (_what, first) => {
		const keys = await open();
		const second = response(200, { id: 2 });
		expect(await keys.authenticate(async () => first)).toBe(first);
		expect(await keys.authenticate(async () => second)).toBe(second);
	});

	it('is said with the name of what was asked for', async () => {
		expect((await open()).unauthorizedWords("the payment with reference 'A'")).toEqual({
			message:
				"AcountPay refused the API keys of the credential 'Shop' for the payment with reference 'A'",
			advice: ADVICE,
		});
	});
});
