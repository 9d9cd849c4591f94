/**
 * What is sent, byte for byte, and what comes out of the node: exactly the documented headers and bodies, one token for
 * all items and all later runs, and AcountPay's answers whole.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { engineFor } from '../kit/engine';
import { create, get, type Order, orders, paymentRequests, useSandbox } from '../kit/payments';

const sandbox = useSandbox();

/** The headers without those that belong to the connection rather than to the request. */
function ownHeaders({ ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
	for (const name of ['host', 'connection', 'user-agent', 'accept-encoding', 'content-length'])
		delete headers[name];
	return headers;
}

describe('three payments for three merchants', () => {
	const items = orders(3);

	it('are one token request and three requests with the documented headers and bodies', async () => {
		const engine = await engineFor(sandbox);
		const execution = await engine.runNode({ node: { parameters: create() }, items });

		expect(execution.status).toBe('success');
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 3 });
		const [token, ...creates] = sandbox.requests;
		expect(token.path).toBe('/oauth/token');
		expect(token.rawBody).toBe(
			'grant_type=client_credentials&client_id=sandbox_partner&client_secret=sandbox_secret_for_trying_out',
		);
		expect(ownHeaders(token.headers)).toEqual({
			accept: expect.stringContaining('application/json'),
			'content-type': 'application/x-www-form-urlencoded',
		});
		const { access_token: accessToken } = (await engine.credential.oauthTokenData())!;
		expect(
			creates
				.map(({ method, path, headers, rawBody }) => [method, path, ownHeaders(headers), rawBody])
				.sort(),
		).toEqual(
			items.map(({ merchant, amount, reference }) => [
				'POST',
				'/v1/partner/payments',
				{
					accept: 'application/json',
					authorization: `Bearer ${accessToken}`,
					'content-type': 'application/json',
					'x-merchant-client-id': merchant,
				},
				`{"amount":${amount},"referenceNumber":"${reference}"}`,
			]),
		);
	});

	it('are handed on in the order of the items, each paired with its own', async () => {
		const engine = await engineFor(sandbox);
		sandbox.faults.add({ match: { endpoint: 'create', reference: 'ORDER-0' }, latencyMs: 50 });
		const execution = await engine.runNode({ node: { parameters: create() }, items });

		expect(execution.items()).toEqual(
			items.map(({ merchant, amount, reference }, item) => {
				const { id } = sandbox.payments.find((payment) => payment.merchant === merchant)!;
				return {
					json: expect.objectContaining({ id, amount, referenceNumber: reference }),
					pairedItem: { item },
				};
			}),
		);
	});

	it('are read back with three requests and the same token', async () => {
		const engine = await engineFor(sandbox);
		const made = await engine.runNode({ node: { parameters: create() }, items });
		const ids = made
			.json()
			.map(({ id }, item) => ({ id, merchant: items[item].merchant }) as IDataObject);
		const read = await engine.runNode({ node: { parameters: get() }, items: ids });

		expect(read.items()).toEqual(
			made.json().map((json, item) => ({ json: { ...json, isPaid: false }, pairedItem: { item } })),
		);
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 3, 'get 200': 3 });
		const { access_token: accessToken } = (await engine.credential.oauthTokenData())!;
		expect(
			paymentRequests(sandbox)
				.slice(3)
				.map(({ method, path, headers, rawBody }) => [method, path, ownHeaders(headers), rawBody])
				.sort(),
		).toEqual(
			ids
				.map(({ id, merchant }) => [
					'GET',
					`/v1/partner/payments/${id as string}`,
					{
						accept: 'application/json',
						authorization: `Bearer ${accessToken}`,
						'x-merchant-client-id': merchant,
					},
					'',
				])
				.sort(),
		);
	});
});

describe('an answer', () => {
	const answer = {
		id: 'pay_abc123def456',
		status: 'a status of tomorrow',
		qrCodeUrl: null,
		'a key: with signs': [{ deep: { deeper: [1, null, true, 'æøå 💶'] } }, []],
		error: { code: 'none' },
		empty: '',
		zero: 0,
	};

	it.each([
		['create', create(), 201, {}],
		['create', create(), 200, {}],
		['get', get({ paymentId: 'pay_abc123def456' }), 200, { isPaid: false }],
	] as const)(
		'of %s goes out whole, unknown fields included',
		async (endpoint, parameters, status, added) => {
			const engine = await engineFor(sandbox, {}, { expressions: 'legacy' });
			sandbox.faults.add({ match: { endpoint }, status, body: answer });
			const execution = await engine.runNode({ node: { parameters }, items: orders(1) });

			expect(execution.items()).toStrictEqual([
				{ json: { ...answer, ...added }, pairedItem: { item: 0 } },
			]);
		},
	);
});

describe('the body', () => {
	/** Creates one payment of an order with `changes`. @returns its body and its headers as they were sent */
	async function sent(additionalFields: INodeParameters, changes: Partial<Order> = {}) {
		const engine = await engineFor(sandbox);
		const parameters = create({ additionalFields });
		const items = orders(1).map((order) => ({ ...order, ...changes }));
		const execution = await engine.runNode({ node: { parameters }, items });
		expect(execution.error).toBeUndefined();
		const [{ rawBody, headers }] = paymentRequests(sandbox);
		return { body: JSON.parse(rawBody) as unknown, headers };
	}

	const basic = { amount: 10.5, referenceNumber: 'ORDER-0' };

	it.each([
		['nothing more', {}, {}],
		['a currency', { currency: 'EUR' }, { currency: 'EUR' }],
		['a description', { description: 'To billetter 🎟' }, { description: 'To billetter 🎟' }],
		['an empty description', { description: '' }, {}],
		['a number as description', { description: '={{ 42 }}' }, { description: '42' }],
		[
			'metadata as text',
			{ metadata: '{"a":[1,{"b":null}]}' },
			{ metadata: { a: [1, { b: null }] } },
		],
		[
			'metadata as object',
			{ metadata: '={{ ({ a: [1, { b: null }] }) }}' },
			{ metadata: { a: [1, { b: null }] } },
		],
		['empty metadata', { metadata: '{}' }, { metadata: {} }],
		[
			'names that JavaScript has a use for',
			{ metadata: '{"constructor":"Ib"}', customFields: '{"prototype":1}' },
			{ metadata: { constructor: 'Ib' }, prototype: 1 },
		],
		[
			'custom fields as text',
			{ customFields: '{"branch":{"id":7},"till":"A"}' },
			{ branch: { id: 7 }, till: 'A' },
		],
		[
			'custom fields as object',
			{ customFields: '={{ ({ branch: { id: 7 } }) }}' },
			{ branch: { id: 7 } },
		],
		[
			'a custom field that only looks like one of ours',
			{ customFields: '{"Amount":1,"amount ":2}' },
			{ Amount: 1, 'amount ': 2 },
		],
		[
			'a webhook URL',
			{ webhookUrl: 'https://shop.example/hook?a=b' },
			{ webhookUrl: 'https://shop.example/hook?a=b' },
		],
	])('holds what was asked for and nothing else: %s', async (_what, additionalFields, more) => {
		const { body, headers } = await sent(additionalFields);
		expect(body).toStrictEqual({ ...basic, ...more });
		expect(headers).not.toHaveProperty('x-mock-payment');
	});

	it('holds everything at once, and the mock payment is a header', async () => {
		const { body, headers } = await sent({
			currency: 'SEK',
			customFields: '{"till":"A"}',
			description: 'Coffee',
			metadata: '{"order":1}',
			mockPayment: 'fail',
			webhookUrl: 'http://shop.example/',
		});
		expect(body).toStrictEqual({
			...basic,
			currency: 'SEK',
			description: 'Coffee',
			metadata: { order: 1 },
			till: 'A',
			webhookUrl: 'http://shop.example/',
		});
		expect(headers['x-mock-payment']).toBe('fail');
	});

	it.each(['true', 'fail', 'delay'])(
		"holds no mock payment: '%s' is a header",
		async (mockPayment) => {
			const { body, headers } = await sent({ mockPayment });
			expect(body).toStrictEqual(basic);
			expect(headers['x-mock-payment']).toBe(mockPayment);
		},
	);

	it.each([
		['12345', 12345],
		['0', 0],
		['-7', -7],
		['1.5', 1.5],
		['9007199254740991', Number.MAX_SAFE_INTEGER],
	])('has the text %s where reference and merchant are that number', async (text, number) => {
		const { body, headers } = await sent({}, { reference: number, merchant: number });
		expect(body).toStrictEqual({ ...basic, referenceNumber: text });
		expect(headers['x-merchant-client-id']).toBe(text);
	});

	it.each([
		['signs that JSON escapes', 'A"B\\C\n\t</script>'],
		['letters beyond ASCII', 'Ordre nº 7 – æøå 💶'],
		['spaces around it', '  ORDER 1  '],
		['an expression in its value', '{{ $json.secret }}'],
	])('has a reference as it was given: %s', async (_what, reference) => {
		const { body } = await sent({}, { reference });
		expect(body).toStrictEqual({ ...basic, referenceNumber: reference });
	});
});

describe('the id of a payment to get', () => {
	it.each([false, true])('is the one that create answered; a number: %s', async (numericIds) => {
		sandbox.settings.numericIds = numericIds;
		const engine = await engineFor(sandbox);
		const made = await engine.runNode({ node: { parameters: create() }, items: orders(1) });
		const [{ id }] = made.json();
		const items = [{ id, merchant: 'merchant_0' }];
		const read = await engine.runNode({ node: { parameters: get() }, items });

		expect(typeof id).toBe(numericIds ? 'number' : 'string');
		expect(read.json()).toEqual([{ ...made.json()[0], isPaid: false }]);
		expect(paymentRequests(sandbox)[1].path).toBe(`/v1/partner/payments/${String(id)}`);
	});

	it.each([
		[' pay_1 ', 'pay_1'],
		['æ', '%C3%A6'],
		['a&b=c;d', 'a%26b%3Dc%3Bd'],
		['...', '...'],
		['pay_1:2', 'pay_1%3A2'],
	])('%j stays one part of the path', async (paymentId, part) => {
		const engine = await engineFor(sandbox, {}, { expressions: 'legacy' });
		sandbox.faults.add({
			match: { endpoint: 'get' },
			status: 200,
			body: { id: paymentId, status: 'new' },
		});
		const items = [{ id: paymentId, merchant: 'merchant_0' }];
		const read = await engine.runNode({ node: { parameters: get() }, items });

		expect(read.json()).toEqual([{ id: paymentId, status: 'new', isPaid: false }]);
		expect(paymentRequests(sandbox)[0].path).toBe(`/v1/partner/payments/${part}`);
	});
});

describe('the token', () => {
	it('is asked for once by 30 items that start together, and serves later runs', async () => {
		const engine = await engineFor(sandbox);
		sandbox.settings.latencyMs = 20;
		for (const count of [30, 2, 1]) {
			const execution = await engine.runNode({
				node: { parameters: create() },
				items: orders(count),
			});
			expect(execution.json()).toHaveLength(count);
		}

		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 33 });
		expect(engine.credential.tokenWrites).toBe(1);
	});
});

describe('a custom base URL', () => {
	it.each([
		['ends with a slash', (url: string) => `${url}/`],
		['has spaces around it', (url: string) => `  ${url}//  `],
		['names localhost', (url: string) => url.replace('127.0.0.1', 'localhost')],
		['is in capital letters', (url: string) => url.toUpperCase()],
	])('that %s is asked at the documented paths', async (_what, edit) => {
		const engine = await engineFor(sandbox, { baseUrl: edit(sandbox.url) });
		const execution = await engine.runNode({ node: { parameters: create() }, items: orders(1) });

		expect(execution.error).toBeUndefined();
		expect(sandbox.requests.map(({ path }) => path)).toEqual([
			'/oauth/token',
			'/v1/partner/payments',
		]);
	});

	it('that has a path goes before the documented ones', async () => {
		const engine = await engineFor(sandbox, { baseUrl: `${sandbox.url}/gateway/` });
		await engine.runNode({ node: { parameters: create() }, items: orders(1) });
		expect(sandbox.requests.map(({ path }) => path)).toEqual(['/gateway/oauth/token']);
	});
});
