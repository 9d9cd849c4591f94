import { type IHttpRequestOptions, type ILoadOptionsFunctions, sleep } from 'n8n-workflow';
import {
	pickerItems,
	searchMerchants,
} from '../../../../../nodes/AcountPay/actions/merchant/search';
import { buffer, end, useFakeTime } from '../../../support';

const merchant = (companyName: unknown, clientId: unknown, more = {}) =>
	({ companyName, clientId, status: 'active', ...more }) as never;

const MERCHANTS = [
	merchant('Nordic Coffee ApS', 'client-1', { merchantId: 42, partnerRefId: 'customer-7' }),
	merchant('æble', 'client-2', { status: 'pending' }),
	merchant('Bageri', 'client-3', { status: undefined }),
];
const names = (filter?: string) => pickerItems(MERCHANTS, filter).map(({ name }) => name);

it('merchants are picked by name, and paid by their client ID', () => {
	expect(pickerItems(MERCHANTS)).toEqual([
		{ name: 'æble (pending)', value: 'client-2' },
		{ name: 'Bageri', value: 'client-3' },
		{ name: 'Nordic Coffee ApS', value: 'client-1' },
	]);
});

it.each([
	['', 3],
	[' nordic ', 1],
	['COFFEE', 1],
	['client-', 3],
	['42', 1],
	['customer-7', 1],
	['undefined', 0],
	['nobody', 0],
])('%j finds %i', (filter, count) => {
	expect(names(filter)).toHaveLength(count);
});

it('a merchant without a name goes by its ID, one without an ID can not be paid', () => {
	expect(
		pickerItems([
			merchant('', 'client-4'),
			merchant(undefined, 'client-5'),
			merchant(7, 'client-6'),
			merchant('No client', ''),
			merchant('No client', undefined),
			merchant('A number', 8),
		]),
	).toEqual(['client-4', 'client-5', 'client-6'].map((value) => ({ name: value, value })));
});

it('merchants with one name are told by their IDs, also when one of them is looked for', () => {
	const shops = [
		merchant('Shop', 'client-8'),
		merchant('Shop', 'client-7'),
		merchant('Shop', 'client-9', { status: 'pending' }),
	];
	expect(pickerItems(shops).map(({ name }) => name)).toEqual([
		'Shop (pending)',
		'Shop, client-7',
		'Shop, client-8',
	]);
	expect(pickerItems(shops, 'client-7')).toEqual([{ name: 'Shop, client-7', value: 'client-7' }]);
});

describe('the list of a picker', () => {
	useFakeTime();

	/** The editor of a node whose requests get this status and body, after `delay` ms. */
	async function searching(
		{ status = 200, body = {} as unknown, delay = 0, authentication = 'apiKey' } = {},
		filter?: string,
	) {
		const asked: IHttpRequestOptions[] = [];
		const context = {
			getNode: () => ({ name: 'AcountPay', parameters: { authentication } }),
			getCredentials: async () => ({
				environment: 'sandbox',
				clientId: 'id',
				clientSecret: 'abcdefghijklmnop',
			}),
			helpers: {
				httpRequest: async (options: IHttpRequestOptions) => {
					asked.push(options);
					await sleep(delay);
					return { statusCode: status, headers: {}, body: buffer(body) };
				},
			},
		} as unknown as ILoadOptionsFunctions;
		return { ...(await end(searchMerchants.call(context, filter))), asked };
	}

	it('has the merchants that fit what is typed', async () => {
		const { value, asked } = await searching({ body: MERCHANTS }, 'nordic');
		expect(value).toEqual({ results: [{ name: 'Nordic Coffee ApS', value: 'client-1' }] });
		expect(asked).toMatchObject([{ method: 'GET', timeout: 15_000 }]);
		expect(asked[0].url).toBe('https://sandbox.api.acountpay.com/v1/partner/merchants');
	});

	it('does not exist with access tokens: nothing is asked, and an ID can be entered', async () => {
		const { error, asked } = await searching({ authentication: 'oAuth2' });
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: 'AcountPay has no list of merchants for access tokens. Choose By ID.',
		});
		expect(asked).toEqual([]);
	});

	it('that can not be read leaves the ID to be entered', async () => {
		const { error } = await searching({ body: 'no list' });
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: expect.stringContaining('AcountPay was asked about the list of merchants, but'),
			description: "Choose 'By ID' and enter the merchant's client ID.",
		});
	});

	it('that is refused says why, and what to do', async () => {
		const { error } = await searching({ status: 403 });
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: 'AcountPay does not allow the list of merchants (status 403)',
			description: 'Check whether your AcountPay account may do this.',
		});
	});

	it('is not asked for again after 15 seconds', async () => {
		const { error, asked } = await searching({ status: 503, delay: 15_000 });
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: expect.stringContaining('returned a server error (status 503)'),
		});
		expect(asked).toHaveLength(1);
	});
});
