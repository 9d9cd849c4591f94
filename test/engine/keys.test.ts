/** The node with keys: what goes over the wire, what comes out, and that nothing is made twice. */
import { inspect } from 'node:util';
import type { INodeParameters } from 'n8n-workflow';
import { KEY_MERCHANTS } from '../../sandbox';
import { engineFor, loopOver, serve } from '../kit/engine';
import { createPayments, engineWithKeys, KEY_CREDENTIAL, nodeFor, SHOP } from '../kit/keys';
import { packageWithQuickLooks } from '../kit/lookUp';
import {
	continueOnError,
	oneOfEach,
	orders,
	countsByReference,
	requestsFor,
	retryOnFail,
	until,
	upTo,
	useSandbox,
} from '../kit/payments';
import { textIn } from '../kit/qrCode';
import type { Engine, Execution } from './harness';

jest.setTimeout(60_000);

const sandbox = useSandbox();
/** An outcome that is looked up would take about 10 s for each of n8n's tries. */
const quick = { folder: packageWithQuickLooks(10) };

const run = async (engine: Engine, resource: string, operation: string, more?: INodeParameters) =>
	await engine.runNode({ node: nodeFor(resource, operation, more) });

const succeed = async (
	engine: Engine,
	resource: string,
	operation: string,
	more?: INodeParameters,
) => {
	const execution = await run(engine, resource, operation, more);
	expect(execution.error).toBeUndefined();
	return execution;
};

describe('on the wire', () => {
	it('the two headers and nothing of OAuth2, and the merchant in the body', async () => {
		const engine = await engineWithKeys(sandbox);
		const execution = await engine.runNode({ node: createPayments(), items: orders(1) });
		expect(execution.json()).toEqual([
			expect.objectContaining({ paymentId: expect.any(Number), referenceNumber: 'ORDER-0' }),
		]);
		const [{ method, path, headers, body }, ...others] = sandbox.requests;
		expect(others).toEqual([]);
		expect({ method, path, body }).toEqual({
			method: 'POST',
			path: '/v1/partner/payments',
			body: { merchantClientId: SHOP.clientId, amount: 10.5, referenceNumber: 'ORDER-0' },
		});
		expect(headers).toMatchObject({
			'x-partner-client-id': sandbox.keys.clientId,
			'x-partner-client-secret': sandbox.keys.clientSecret,
		});
		expect(Object.keys(headers)).not.toEqual(
			expect.arrayContaining([expect.stringMatching(/authorization|merchant/)]),
		);
	});

	it('every additional field, and none that is empty', async () => {
		sandbox.settings.allowUnknownFields = true;
		sandbox.settings.allowUnknownMerchants = true;
		const engine = await engineWithKeys(sandbox);
		const additionalFields = {
			currency: 'EUR',
			description: 'Two tickets',
			registerId: 'REG-001',
			storeId: 'loc_abc123',
			customFields: '{ "agreed": { "deep": [1] }, "constructor": 1 }',
		};
		const empty = {
			currency: '',
			description: '',
			registerId: '',
			storeId: null,
			customFields: '',
		};
		for (const fields of [additionalFields, empty]) {
			const node = createPayments({ additionalFields: fields as INodeParameters });
			expect((await engine.runNode({ node, items: orders(1) })).error).toBeUndefined();
		}
		const own = { merchantClientId: SHOP.clientId, amount: 10.5, referenceNumber: 'ORDER-0' };
		const { customFields, ...texts } = additionalFields;
		expect(sandbox.requests.map(({ body }) => body)).toEqual([
			{ ...own, ...texts, ...JSON.parse(customFields) },
			own,
		]);
	});

	it.each(['merchantClientId', 'amount', 'referenceNumber', 'storeId', 'currency'])(
		'a custom field can not replace %s',
		async (name) => {
			const engine = await engineWithKeys(sandbox);
			const customFields = JSON.stringify({ [name]: 'x' });
			const node = createPayments({ additionalFields: { customFields } });
			const { error } = await engine.runNode({ node, items: orders(1) });
			expect(error?.message).toMatch(`Custom Fields must not contain ${name}`);
			expect(sandbox.requests).toEqual([]);
		},
	);

	it('a prototype key among the custom fields replaces nothing', async () => {
		sandbox.settings.allowUnknownFields = true;
		const engine = await engineWithKeys(sandbox);
		const customFields = '{ "__proto__": { "amount": 1, "merchantClientId": "x" } }';
		const node = createPayments({ additionalFields: { customFields } });
		await engine.runNode({ node, items: orders(1) });
		// The sandbox refuses such a body; what counts is what was sent.
		const { rawBody } = sandbox.requests[0];
		expect(rawBody).toContain('"__proto__"');
		expect({ ...(JSON.parse(rawBody) as object) }).toMatchObject({
			amount: 10.5,
			merchantClientId: SHOP.clientId,
		});
	});

	it('the base URL with /v1 or /v1/partner at its end', async () => {
		for (const baseUrl of ['/v1', '/v1/', '/v1/partner', '/'].map((end) => sandbox.url + end)) {
			const engine = await engineWithKeys(sandbox, { baseUrl });
			expect(await engine.testCredential()).toMatchObject({ status: 'OK' });
			const execution = await engine.runNode({ node: createPayments(), items: orders(1) });
			expect(execution.error).toBeUndefined();
		}
		expect(new Set(sandbox.requests.map(({ path }) => path))).toEqual(
			new Set(['/v1/partner/profile', '/v1/partner/payments']),
		);
	});

	it.each(['http://example.com', 'https://x@example.com', '', 'ftp://localhost'])(
		'an unsafe base URL (%s) gets nothing',
		async (baseUrl) => {
			const engine = await engineWithKeys(sandbox, { baseUrl });
			const { error } = await engine.runNode({ node: createPayments(), items: orders(1) });
			expect(error?.message).toMatch(
				/^Base URL of the credential 'AcountPay account' must start with/,
			);
			expect(await engine.testCredential()).toMatchObject({ status: 'Error' });
		},
	);

	it('the dialog refuses wrong keys, and its test follows no redirect', async () => {
		const wrong = await engineWithKeys(sandbox, { clientSecret: 'wrong' });
		expect(await wrong.testCredential()).toMatchObject({ status: 'Error' });
		let asked = 0;
		const baseUrl = await serve((_request, response) => {
			asked++;
			response.writeHead(302, { Location: `${sandbox.url}/v1/partner/profile` }).end();
		});
		const engine = await engineWithKeys(sandbox, { baseUrl }, quick);
		await engine.testCredential();
		const { error } = await engine.runNode({ node: createPayments(), items: orders(1) });
		expect(error?.context).toMatchObject({ outcome: 'unknown' });
		// The test, the payment and five looks for it.
		expect(asked).toBe(7);
		expect(requestsFor(sandbox, 'create')).toEqual([]);
	});
});

describe('payments', () => {
	it('are made, read, drawn, waited for and listed', async () => {
		const engine = await engineWithKeys(sandbox);
		const made = await engine.runNode({
			node: createPayments({ merchantId: KEY_MERCHANTS.success.clientId }),
			items: orders(1),
		});
		const [{ paymentId, paymentUrl }] = made.json();
		const read = await succeed(engine, 'payment', 'get', { paymentId: paymentId as number });
		expect(read.json()).toMatchObject([{ paymentId, status: 'pending', isPaid: false }]);
		sandbox.clock.advance(60_000);
		const waited = await succeed(engine, 'payment', 'waitForCompletion', {
			paymentId: String(paymentId),
		});
		expect(waited.json()).toMatchObject([
			{ paymentId, status: 'completed', isPaid: true, waitEndedBy: 'status' },
		]);
		const listed = await succeed(engine, 'payment', 'getAll');
		expect(listed.json()).toMatchObject([
			{ paymentId, id: paymentId, status: 'paid', isPaid: true },
		]);
		const drawn = await succeed(engine, 'payment', 'getQrCode', {
			paymentUrl: paymentUrl as string,
		});
		expect(await textIn(await engine.binary(drawn.items()[0]))).toBe(paymentUrl);
	});

	it("'QR Code' of Create draws the link", async () => {
		const engine = await engineWithKeys(sandbox);
		const execution = await engine.runNode({
			node: createPayments({ options: { qrCode: true } }),
			items: orders(1),
		});
		const [item] = execution.items();
		expect(await textIn(await engine.binary(item))).toBe(item.json.paymentUrl);
	});

	it('a payment without a link is named as made', async () => {
		sandbox.faults.add({ status: 201, body: { paymentId: 7, status: 'pending' }, made: true });
		const engine = await engineWithKeys(sandbox);
		const { error } = await engine.runNode({
			node: createPayments({ options: { qrCode: true } }),
			items: orders(1),
		});
		expect(error?.message).toMatch(/^The payment was created \(7\), but its QR code is missing/);
	});

	it('once each with Retry On Fail, and a retry by hand hands them out', async () => {
		sandbox.faults.add({
			match: { endpoint: 'create', reference: 'ORDER-3' },
			status: 422,
			times: 3,
		});
		const engine = await engineWithKeys(sandbox);
		const node = createPayments({ options: { maxConcurrency: 1 } }, retryOnFail());
		const failed = await engine.runNode({ node, items: orders(5) });
		expect(failed.error?.context).toMatchObject({
			paymentsMade: [{ itemIndex: 0 }, { itemIndex: 1 }, { itemIndex: 2 }],
		});
		const retried = await engine.retry(failed);
		expect(retried.json()).toHaveLength(5);
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(5)));
	});

	it('an unknown outcome is not sent again', async () => {
		sandbox.faults.add({ match: { endpoint: 'create' }, reset: 'before' });
		const engine = await engineWithKeys(sandbox, {}, quick);
		const failed = await engine.runNode({
			node: createPayments({}, retryOnFail()),
			items: orders(1),
		});
		expect(failed.error?.context).toMatchObject({ outcome: 'unknown' });
		expect(requestsFor(sandbox, 'create')).toHaveLength(1);
	});

	it('429 is waited out', async () => {
		sandbox.faults.add({ status: 429, headers: { 'Retry-After': '0' }, times: 4 });
		const engine = await engineWithKeys(sandbox);
		const execution = await engine.runNode({ node: createPayments(), items: orders(3) });
		expect(execution.error).toBeUndefined();
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(3)));
	});
});

describe('time limits and stops', () => {
	it('a create that gets no answer in time is left open, and named', async () => {
		const fault = { hang: true, made: true, listLag: { looks: 6 } };
		sandbox.faults.add({ match: { endpoint: 'create' }, ...fault });
		const engine = await engineWithKeys(sandbox, {}, quick);
		const startedAt = Date.now();
		const node = createPayments({ options: { timeout: 200 } });
		const { error } = await engine.runNode({ node, items: orders(1) });
		expect(error?.message).toMatch(/^Payment 'ORDER-0' may or may not exist/);
		expect(Date.now() - startedAt).toBeLessThan(20_000);
	});

	it('a stop ends a read at once', async () => {
		sandbox.faults.add({ match: { endpoint: 'list' }, hang: true });
		const engine = await engineWithKeys(sandbox);
		const running = engine.startNode({ node: nodeFor('payment', 'getAll') });
		await until(() => sandbox.requests.length === 1);
		const stoppedAt = Date.now();
		running.cancel();
		await running.finished;
		expect(Date.now() - stoppedAt).toBeLessThan(5_000);
	});

	it('a stop lets creates in flight end, and names them in the log', async () => {
		sandbox.settings.latencyMs = 300;
		const engine = await engineWithKeys(sandbox);
		const node = createPayments({ options: { maxConcurrency: 3 } });
		const running = engine.startNode({ node, items: orders(20) });
		await until(() => sandbox.requests.length === 3);
		running.cancel();
		await running.finished;
		expect(sandbox.payments).toHaveLength(3);
		for (const { referenceNumber, id } of sandbox.payments) {
			expect(engine.log.text()).toContain(`${referenceNumber} = ${id}`);
		}
	});

	it('every turn of a loop makes its own', async () => {
		const engine = await engineWithKeys(sandbox);
		const loop = loopOver(2, createPayments({}, retryOnFail()));
		const execution = await engine.runWorkflow(loop, { items: orders(6) });
		expect(execution.error).toBeUndefined();
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(6)));
	});
});

it('no other node can be made to send the keys: n8n adds them to nothing', async () => {
	const engine = await engineWithKeys(sandbox);
	const { credentialsHelper } = engine.additionalData();
	const request = { url: 'https://example.com/' };
	const workflow = engine.instance({ id: '1', nodes: [], connections: {} } as never);
	const sent = await credentialsHelper.authenticate(
		await engine.credential.data(),
		KEY_CREDENTIAL,
		{ ...request },
		workflow,
		{ parameters: {} } as never,
	);
	expect(sent).toEqual(request);
});

describe('wrong keys', () => {
	it.each([
		['stops', {}],
		['continues', continueOnError],
	])(
		'are said once, and nothing is sent after the calls in flight (%s)',
		async (_what, settings) => {
			const engine = await engineWithKeys(sandbox, { clientSecret: 'a-wrong-secret' });
			const node = createPayments({ options: { maxConcurrency: 2 } }, settings);
			const execution = await engine.runNode({ node, items: orders(20) });
			const message = execution.error?.message ?? String(execution.json()[5].error);
			expect(message).toMatch(
				/^AcountPay refused the API keys of the credential 'AcountPay account'/,
			);
			expect(message).not.toMatch(/token/);
			expect(sandbox.requests.length).toBeLessThanOrEqual(2);
			expect(sandbox.payments).toEqual([]);
		},
	);

	it('of a rotated pair stop a run', async () => {
		const engine = await engineWithKeys(sandbox);
		const node = createPayments({ options: { maxConcurrency: 1 } });
		const running = engine.startNode({ node, items: orders(200) });
		await until(() => sandbox.payments.length >= 3);
		sandbox.setKeys({ clientSecret: 'another' });
		const { error } = await running.finished;
		expect(error?.message).toMatch(/^AcountPay refused the API keys/);
		expect(sandbox.counts['create 401']).toBe(1);
	});
});

describe('merchants and stores', () => {
	it('are made, read and listed', async () => {
		const engine = await engineWithKeys(sandbox);
		const made = await succeed(engine, 'merchant', 'create', {
			companyName: 'Nordic Coffee ApS',
			contactEmail: 'owner@example.com',
			additionalFields: { contactPhone: '+45 12345678', partnerRefId: 'p-1' },
		});
		const [{ merchantId, onboardingUrl }] = made.json();
		expect(onboardingUrl).toMatch(/^http/);
		const fast = await succeed(engine, 'merchant', 'createFastTrack', {
			companyName: 'Fast ApS',
			contactEmail: 'fast@example.com',
			registrationNumber: '12345678',
			website: 'https://shop.example.com',
			iban: 'DK5000400440116243',
			additionalFields: { bic: 'DABADKKK', customFields: '{ "industry": "5611" }' },
		});
		expect(fast.json()).toMatchObject([{ companyName: 'Fast ApS' }]);
		expect(sandbox.requests.at(-1)!.body).toEqual({
			companyName: 'Fast ApS',
			contactEmail: 'fast@example.com',
			registrationNumber: '12345678',
			website: 'https://shop.example.com',
			iban: 'DK5000400440116243',
			bic: 'DABADKKK',
			industry: '5611',
		});
		const test = await succeed(engine, 'merchant', 'createTest', { companyName: 'Test ApS' });
		expect(test.json()).toMatchObject([{ status: 'activated' }]);

		const merchantNumber = String(merchantId);
		const read = await succeed(engine, 'merchant', 'get', { merchantNumber });
		expect(read.json()).toMatchObject([{ merchantId, partnerRefId: 'p-1', status: 'pending' }]);
		const store = await succeed(engine, 'store', 'create', {
			merchantNumber,
			name: 'Aarhus',
			additionalFields: { city: 'Aarhus', isDefault: false, email: '' },
		});
		expect(sandbox.requests.at(-1)!.body).toEqual({
			name: 'Aarhus',
			city: 'Aarhus',
			isDefault: false,
		});
		const [{ storeId }] = store.json();
		const stores = await succeed(engine, 'store', 'getAll', { merchantNumber });
		expect(stores.json()).toMatchObject([{ storeId, name: 'Aarhus' }]);
		const merchants = await succeed(engine, 'merchant', 'getAll', { returnAll: true });
		expect(merchants.json()).toHaveLength(sandbox.merchants.length);
		const some = await succeed(engine, 'merchant', 'getAll', { limit: 2 });
		expect(some.json()).toMatchObject([{ merchantId: 1 }, { merchantId: 2 }]);
	});

	it('in the other forms that are documented', async () => {
		Object.assign(sandbox.settings, {
			merchantList: 'object',
			merchantIdKey: 'merchantId',
			storeList: 'array',
			storeIdKey: 'id',
		});
		const engine = await engineWithKeys(sandbox);
		const merchantNumber = '1';
		const store = await succeed(engine, 'store', 'create', { merchantNumber, name: 'Odense' });
		const [{ storeId, id }] = store.json();
		expect(storeId).toBe(id);
		const stores = await succeed(engine, 'store', 'getAll', { merchantNumber });
		expect(stores.json()).toMatchObject([{ storeId, id }]);
		const merchants = await succeed(engine, 'merchant', 'getAll');
		expect(merchants.json()).toMatchObject([{ merchantId: 1 }, {}, {}, {}]);
		expect((await succeed(engine, 'merchant', 'get', { merchantNumber })).json()).toMatchObject([
			{ merchantId: 1 },
		]);
	});

	it.each([
		['merchant', 'merchantsMade', 'merchantId'],
		['store', 'storesMade', 'storeId'],
	])('a %s is made once, and named', async (resource, key, idKey) => {
		const engine = await engineWithKeys(sandbox);
		const endpoint = resource === 'merchant' ? 'createMerchant' : 'createStore';
		sandbox.faults.add({ match: { endpoint, nth: 2 }, reset: 'after' });
		const parameters =
			resource === 'merchant'
				? { companyName: '={{ $json.reference }}', contactEmail: 'a@example.com' }
				: { merchantNumber: '1', name: '={{ $json.reference }}' };
		const node = nodeFor(
			resource,
			'create',
			{ ...parameters, options: { maxConcurrency: 1 } },
			retryOnFail(),
		);
		const failed = await engine.runNode({ node, items: orders(4) });
		expect(failed.error?.message).toMatch(
			new RegExp(
				`^${resource === 'merchant' ? 'Merchant' : 'Store'} 'ORDER-1'.* may or may not exist`,
			),
		);
		expect(failed.error?.context).toMatchObject({
			[key]: expect.arrayContaining([
				{ itemIndex: 0, name: 'ORDER-0', [idKey]: expect.anything() },
			]),
			outcomesUnknown: [{ itemIndex: 1, name: 'ORDER-1' }],
		});
		expect(JSON.stringify(failed.error)).not.toMatch(/payment/i);
		await engine.retry(failed);
		const made = resource === 'merchant' ? sandbox.merchants.slice(4) : sandbox.stores;
		const names = made.map((it) => ('fields' in it ? it.fields.name : it.companyName));
		expect([...names].sort()).toEqual(['ORDER-0', 'ORDER-1', 'ORDER-2', 'ORDER-3']);
	});

	it('no test merchant in production', async () => {
		const engine = await engineWithKeys(sandbox, { environment: 'production' });
		const { error } = await run(engine, 'merchant', 'createTest', { companyName: 'X' });
		expect(error?.message).toMatch(/can't be used with a credential for production/);
	});

	it('a merchant that is not there', async () => {
		const engine = await engineWithKeys(sandbox);
		const { error } = await run(engine, 'merchant', 'get', { merchantNumber: '99' });
		expect(error?.message).toBe(
			"AcountPay does not find merchant '99': Merchant not found [item 0]",
		);
	});
});

describe('lists of payments', () => {
	const make = async (engine: Engine, count: number, parameters: INodeParameters = {}) =>
		await engine.runNode({ node: createPayments(parameters), items: orders(count) });

	it.each([
		['newest', 'clamp'],
		['newest', 'refuse'],
		['oldest', 'clamp'],
	] as const)(
		'205, %s first, a larger page is met by %s: 12 requests at most',
		async (order, above) => {
			Object.assign(sandbox.settings, { listOrder: order, listAboveMax: above });
			const engine = await engineWithKeys(sandbox, {}, { expressions: 'legacy' });
			await make(engine, 205);
			const execution = await succeed(engine, 'payment', 'getAll', { returnAll: true });
			expect(new Set(execution.json().map(({ paymentId }) => paymentId)).size).toBe(205);
			expect(execution.json()).toHaveLength(205);
			expect(requestsFor(sandbox, 'list').length).toBeLessThanOrEqual(12);
		},
	);

	it('300 of equal sort keys, in another order on each request: all 300', async () => {
		const engine = await engineWithKeys(sandbox, {}, { expressions: 'legacy' });
		await make(engine, 300);
		sandbox.settings.listOrder = 'shuffled';
		const execution = await succeed(engine, 'payment', 'getAll', { returnAll: true });
		expect(execution.json()).toHaveLength(300);
		expect(new Set(execution.json().map(({ paymentId }) => paymentId)).size).toBe(300);
	});

	it('a list that has fewer payments than its count is an error', async () => {
		const engine = await engineWithKeys(sandbox);
		const body = { payments: [{ id: 1 }, { id: 2 }], total: 3, page: 1, limit: 50 };
		sandbox.faults.add({ match: { endpoint: 'list' }, times: 'always', status: 200, body });
		const { error } = await run(engine, 'payment', 'getAll', { returnAll: true });
		expect(error?.message).toBe(
			'AcountPay was asked about the list of payments, but its pages kept changing [item 0]',
		);
	});

	it('limit stops asking, an empty list is no error, filters go to the server', async () => {
		const engine = await engineWithKeys(sandbox, {}, { expressions: 'legacy' });
		const none = await succeed(engine, 'payment', 'getAll');
		expect(none.json()).toEqual([]);
		await make(engine, 60);
		expect((await succeed(engine, 'payment', 'getAll')).json()).toHaveLength(50);
		expect((await succeed(engine, 'payment', 'getAll', { limit: 7 })).json()).toHaveLength(7);
		expect(requestsFor(sandbox, 'list')).toHaveLength(3);
		const filters = { merchantId: KEY_MERCHANTS.fail.clientId, status: 'paid' };
		expect((await succeed(engine, 'payment', 'getAll', { filters })).json()).toEqual([]);
		expect(requestsFor(sandbox, 'list').at(-1)).toMatchObject({
			path: `/v1/partner/payments?status=paid&page=1&limit=50&merchantClientId=${filters.merchantId}`,
		});
		// A filter that was added and left empty is none.
		const left = { merchantId: { __rl: true, mode: 'list', value: '' }, status: '' };
		expect((await succeed(engine, 'payment', 'getAll', { filters: left })).json()).toHaveLength(50);
		expect(requestsFor(sandbox, 'list').at(-1)).toMatchObject({
			path: '/v1/partner/payments?page=1&limit=50',
		});
	});
});

describe('the merchant', () => {
	it.each<[string, INodeParameters[string]]>([
		[
			'picked from the list',
			{ __rl: true, mode: 'list', value: SHOP.clientId, cachedResultName: 'Shop' },
		],
		['typed as an ID', { __rl: true, mode: 'id', value: SHOP.clientId }],
		['by expression', { __rl: true, mode: 'id', value: '={{ $json.shop }}' }],
		['as plain text', SHOP.clientId],
		['as an expression alone', '={{ $json.shop }}'],
	])('%s', async (_how, merchantId) => {
		const engine = await engineWithKeys(sandbox);
		const [order] = orders(1);
		const execution = await engine.runNode({
			node: createPayments({ merchantId }),
			items: [{ ...order, shop: SHOP.clientId }],
		});
		expect(execution.error).toBeUndefined();
		expect(sandbox.payments).toMatchObject([{ merchant: SHOP.clientId }]);
	});

	it('of a picker is taken when the node changes to OAuth2', async () => {
		const engine = await engineFor(sandbox);
		const execution = await engine.runNode({
			node: createPayments({
				authentication: 'oAuth2',
				merchantId: { __rl: true, mode: 'id', value: 'merchant_1' },
			}),
			items: orders(1),
		});
		expect(execution.error).toBeUndefined();
		expect(sandbox.payments).toMatchObject([{ merchant: 'merchant_1' }]);
	});
});

describe('the list of merchants to pick from', () => {
	const search = async (engine: Engine, filter?: string) => {
		const { methods } = engine.types.getByNameAndVersion(engine.types.fullName('acountPay'));
		const context = engine.loadOptionsContext({
			name: 'AcountPay',
			type: 'acountPay',
			...createPayments(),
		});
		return await methods!.listSearch!.searchMerchants.call(context, filter);
	};

	it.each(['array', 'object'] as const)('has names, in order (%s)', async (merchantList) => {
		sandbox.settings.merchantList = merchantList;
		const engine = await engineWithKeys(sandbox);
		expect(await search(engine)).toEqual({
			results: Object.values(KEY_MERCHANTS)
				.map(({ companyName, clientId }) => ({ name: companyName, value: clientId }))
				.sort((a, b) => a.name.localeCompare(b.name)),
		});
	});

	it('is searched by name and ID, and says which merchant is not active', async () => {
		sandbox.deactivate(3);
		const engine = await engineWithKeys(sandbox);
		const { fail, slow } = KEY_MERCHANTS;
		expect(await search(engine, 'never')).toEqual({
			results: [{ name: `${fail.companyName} (inactive)`, value: fail.clientId }],
		});
		expect(await search(engine, ` ${slow.clientId.slice(0, 9).toUpperCase()} `)).toEqual({
			results: [{ name: slow.companyName, value: slow.clientId }],
		});
		expect(await search(engine, 'nobody')).toEqual({ results: [] });
	});

	it('is given up at once when it has no end, and the ID can be entered', async () => {
		const engine = await engineWithKeys(sandbox);
		const body = { merchants: [{ merchantId: 1, clientId: 'a' }], total: 1e9 };
		sandbox.faults.add({ match: { endpoint: 'listMerchants' }, body, times: 'always' });
		await expect(search(engine)).rejects.toMatchObject({
			message: expect.stringContaining('the list of merchants, but it is too long'),
			description: expect.stringContaining("'By ID'"),
		});
		expect(requestsFor(sandbox, 'listMerchants')).toHaveLength(2);
	});

	it('says that keys are wrong', async () => {
		const engine = await engineWithKeys(sandbox, { clientSecret: 'wrong' });
		await expect(search(engine)).rejects.toThrow(/refused the API keys of the credential/);
	});
});

describe('the secret', () => {
	it('is in no URL, item, error or log, also when AcountPay says it', async () => {
		const clientSecret = ['s3cr3t', 'of-the-partner'].join('-');
		sandbox.setKeys({ clientSecret });
		const engine = await engineWithKeys(sandbox, {}, quick);
		const leftBehind = (execution: Execution) =>
			[
				execution.stored.data,
				inspect(execution, { depth: Infinity, maxStringLength: Infinity }),
				engine.log.text(),
			].join('\n');
		sandbox.faults.add({ status: 401, body: { message: `No partner ${clientSecret}` } });
		sandbox.faults.add({ match: { nth: 2 }, reset: 'before' });
		for (let turn = 0; turn < 3; turn++) {
			const execution = await engine.runNode({ node: createPayments(), items: orders(1) });
			expect(leftBehind(execution)).not.toContain(clientSecret);
		}
		const waited = await engine.runNode({
			node: createPayments({ options: { timeout: 50 } }),
			items: orders(1),
		});
		expect(leftBehind(waited)).not.toContain(clientSecret);
		for (const { path } of sandbox.requests) expect(path).not.toContain(clientSecret);
	});
});

describe('a secret that AcountPay echoes', () => {
	const clientSecret = ['cs', '5up3r/s3cret+w1th=s1gns&m0re"and-more'].join('_');
	const webhookSecret = ['whsec', 'n0b0dy-needs-t0-see-th1s'].join('_');
	const forms: Array<[string, (secret: string) => string]> = [
		['as it is', (secret) => secret],
		['in base64', (secret) => Buffer.from(secret).toString('base64')],
		['in base64 of a header', (secret) => Buffer.from(`id:${secret}`).toString('base64')],
		['URL-encoded', (secret) => encodeURIComponent(secret)],
		['JSON-escaped', (secret) => JSON.stringify(JSON.stringify(secret))],
		['in hexadecimal', (secret) => Buffer.from(secret).toString('hex')],
		['cut off', (secret) => secret.slice(0, 20)],
	];

	it.each(forms)('%s, is in no item, error or log', async (_what, form) => {
		sandbox.setKeys({ clientSecret });
		const engine = await engineWithKeys(sandbox, { webhookSecret });
		const said = [clientSecret, webhookSecret].map(form);
		const echoes: Array<[number, object | string]> = [
			[201, { paymentId: 7, echo: said }],
			[201, { paymentId: 7, [said[0]]: { deep: [said[1]] } }],
			[400, { message: said.join(' and ') }],
			[401, { error: said[0], message: [said[1]] }],
			[403, `<html><pre>${said.join('</pre><pre>')}</pre></html>`],
		];
		for (const [index, [status, body]] of echoes.entries()) {
			sandbox.faults.add({ match: { endpoint: 'create' }, status, body });
			const node = createPayments({}, index % 2 ? {} : { onError: 'continueErrorOutput' });
			const execution = await engine.runNode({ node, items: orders(1) });
			const left = [
				execution.stored.data,
				inspect(execution, { depth: Infinity, maxStringLength: Infinity }),
				engine.log.text(),
			].join('\n');
			expect(left).toContain('[secret]');
			for (const text of said) {
				// What comes before a secret in a longer text is no part of it.
				for (const part of [text.slice(8, 18), text.slice(-10)]) {
					expect([status, left.includes(part)]).toEqual([status, false]);
				}
			}
		}
	});
});

it('a choice of authentication that does not exist is said', async () => {
	const engine = await engineFor(sandbox);
	const { error } = await engine.runNode({
		node: { parameters: { authentication: 'apiKey', resource: 'payment', operation: 'cancel' } },
	});
	expect(error?.message).toBeDefined();
	expect(sandbox.requests).toEqual([]);
});

it('an operation that only keys have says so, and sends nothing', async () => {
	const engine = await engineFor(sandbox);
	const { error } = await engine.runNode({
		node: { parameters: { resource: 'payment', operation: 'getAll' } },
	});
	expect(error?.message).toContain("The operation 'Get Many' needs a credential for API Keys");
	expect(error?.description).toContain('Nothing was sent');
	expect(sandbox.requests).toEqual([]);
});
