import { setTimeout as sleep } from 'node:timers/promises';

import QRCode from 'qrcode';

import { startSandbox, type Sandbox } from '../../sandbox';
import { http, partnerOf } from './client';

let sandbox: Sandbox;
beforeAll(async () => {
	sandbox = await startSandbox();
});
afterEach(() => sandbox.reset());
afterAll(async () => await sandbox.close());

describe('create', () => {
	it('answers the documented request with a payment that waits for its customer', async () => {
		const { status, data } = await (await partnerOf(sandbox)).create();
		expect(status).toBe(201);
		expect(data).toEqual({
			id: expect.stringMatching(/^pay_[a-z0-9]{12}$/),
			paymentId: data.id,
			status: 'pending',
			amount: 149.99,
			currency: 'DKK',
			referenceNumber: 'ORDER-123',
			paymentUrl: `${sandbox.url}/pay/${data.id}`,
			qrCodeUrl: `${sandbox.url}/v1/partner/payments/${data.id}/qr`,
			createdAt: expect.any(String),
			expiresAt: expect.any(String),
		});
		expect(Date.parse(data.expiresAt) - Date.parse(data.createdAt)).toBe(30 * 60_000);
		expect(Math.abs(Date.parse(data.createdAt) - Date.now())).toBeLessThan(5_000);
	});

	it('gives back what is optional, and keeps unknown fields without giving them back', async () => {
		const optional = { currency: 'EUR', description: 'Two chairs', metadata: { shelf: [1, 'b'] } };
		const { data } = await (await partnerOf(sandbox)).create({ ...optional, shopColour: 'red' });
		expect(data).toMatchObject(optional);
		expect(data).not.toHaveProperty('shopColour');
		expect(sandbox.payment(data.id)).toMatchObject({
			...optional,
			merchant: 'merchant_abc123',
			partner: 'sandbox_partner',
			customFields: { shopColour: 'red' },
		});
	});

	it('makes two payments of the same body sent twice', async () => {
		const partner = await partnerOf(sandbox);
		const [one, two] = [await partner.create(), await partner.create()];
		expect(one.data.id).not.toBe(two.data.id);
		expect(sandbox.payments.map(({ id }) => id)).toEqual([one.data.id, two.data.id]);
	});

	it('gives numbers as ids when that is wanted', async () => {
		sandbox.settings.numericIds = true;
		const partner = await partnerOf(sandbox);
		const { data } = await partner.create();
		expect(data.id).toEqual(expect.any(Number));
		expect((await partner.get(data.id)).data.paymentId).toBe(data.id);
	});

	it.each([
		[{ amount: '149.99' }, 'amount must be a number'],
		[{ amount: null }, 'amount must be a number'],
		[{ amount: undefined }, 'amount must be a number'],
		[{ amount: 0 }, 'amount must not be less than 0.01'],
		[{ amount: 0.009 }, 'amount must not be less than 0.01'],
		[{ amount: -5 }, 'amount must not be less than 0.01'],
		[{ amount: 12.345 }, 'amount must have at most 2 decimal places'],
		[{ amount: 3 * 49.95 }, 'amount must have at most 2 decimal places'],
		[{ referenceNumber: undefined }, 'referenceNumber must be a string'],
		[{ referenceNumber: 7 }, 'referenceNumber must be a string'],
		[{ referenceNumber: ' \t' }, 'referenceNumber should not be empty'],
		[{ webhookUrl: 'ftp://example.com' }, 'webhookUrl must be a URL address'],
		[{ webhookUrl: 'example.com' }, 'webhookUrl must be a URL address'],
		[{ webhookUrl: null }, 'webhookUrl must be a URL address'],
		[{ currency: 'dkk' }, 'currency must be a valid ISO4217 currency code'],
		[{ currency: 'KRO' }, 'currency must be a valid ISO4217 currency code'],
		[{ currency: 208 }, 'currency must be a valid ISO4217 currency code'],
		[{ description: 1 }, 'description must be a string'],
		[{ metadata: '{}' }, 'metadata must be an object'],
		[{ metadata: [] }, 'metadata must be an object'],
		[{ metadata: null }, 'metadata must be an object'],
	])('refuses %j with one sentence', async (body, message) => {
		const { status, data } = await (await partnerOf(sandbox)).create(body);
		expect([status, data]).toEqual([400, { message, error: 'Bad Request', statusCode: 400 }]);
		expect(sandbox.payments).toEqual([]);
	});

	it.each([0.01, 0.1, 1, 149.99, 4.35, 1.005e3, 1_000_000_000_000.01])(
		'takes %p',
		async (amount) => {
			const { status, data } = await (await partnerOf(sandbox)).create({ amount });
			expect([status, data.amount]).toEqual([201, amount]);
		},
	);

	it('names every wrong field in one answer', async () => {
		const partner = await partnerOf(sandbox);
		const { status, data } = await partner.create(
			{ amount: 0, referenceNumber: '', currency: 'X' },
			{ 'X-Mock-Payment': 'perhaps' },
		);
		expect(status).toBe(400);
		expect(data.message).toEqual([
			'amount must not be less than 0.01',
			'referenceNumber should not be empty',
			'currency must be a valid ISO4217 currency code',
			'X-Mock-Payment must be true, fail or delay',
		]);
	});

	it.each([
		['an array', '[]', 'application/json', 400],
		['text that is no JSON', '{"amount":', 'application/json', 400],
		['nothing', '', 'application/json', 400],
		['a form', 'amount=1&referenceNumber=A', 'application/x-www-form-urlencoded', 415],
		['plain text', '{"amount":1,"referenceNumber":"A"}', 'text/plain', 415],
	])('refuses %s as a body', async (_what, body, type, status) => {
		const { token } = await partnerOf(sandbox);
		const answer = await http.post(`${sandbox.url}/v1/partner/payments`, body, {
			headers: {
				Authorization: `Bearer ${token}`,
				'X-Merchant-Client-Id': 'merchant_abc123',
				'Content-Type': type,
			},
			transformRequest: (data) => data,
		});
		expect([answer.status, answer.data.statusCode]).toEqual([status, status]);
		expect(sandbox.payments).toEqual([]);
	});

	it.each([undefined, ' '])('needs a merchant: %j is refused', async (merchant) => {
		const { token } = await partnerOf(sandbox);
		const { status, data } = await http.post(
			`${sandbox.url}/v1/partner/payments`,
			{ amount: 1, referenceNumber: 'A' },
			{ headers: { Authorization: `Bearer ${token}`, 'X-Merchant-Client-Id': merchant } },
		);
		expect([status, data.message]).toEqual([400, 'X-Merchant-Client-Id header is required']);
	});
});

describe('get and QR code', () => {
	it('read back what create answered', async () => {
		const partner = await partnerOf(sandbox);
		const created = await partner.create({ metadata: { a: 1 } });
		const read = await partner.get(created.data.id);
		expect([read.status, read.data]).toEqual([200, created.data]);
	});

	it('hide the payments of other merchants', async () => {
		const { data } = await (await partnerOf(sandbox)).create();
		const other = await partnerOf(sandbox, 'merchant_other');
		for (const answer of [await other.get(data.id), await other.qr(data.id)]) {
			expect(answer.status).toBe(404);
		}
		expect((await other.get('pay_unknown')).data).toEqual({
			message: 'Payment not found',
			error: 'Not Found',
			statusCode: 404,
		});
	});

	it('show the payment URL as a PNG', async () => {
		const partner = await partnerOf(sandbox);
		const { data } = await partner.create();
		const qr = await partner.qr(data.id);
		expect([qr.status, qr.headers['content-type']]).toEqual([200, 'image/png']);
		const expected = await QRCode.toBuffer(data.paymentUrl, { scale: 8 });
		expect(qr.data.equals(expected)).toBe(true);
	});
});

describe('the records', () => {
	it('hold each request as it came and was answered, in order', async () => {
		const partner = await partnerOf(sandbox);
		const { data } = await partner.create({ amount: 5 });
		await partner.get(data.id);
		await http.delete(`${sandbox.url}/v1/nothing?a=b`);
		expect(sandbox.requests).toMatchObject([
			{
				endpoint: 'token',
				method: 'POST',
				path: '/oauth/token',
				headers: { 'content-type': expect.stringContaining('x-www-form-urlencoded') },
				body: { grant_type: 'client_credentials', client_id: 'sandbox_partner' },
				status: 200,
			},
			{
				endpoint: 'create',
				headers: {
					authorization: `Bearer ${partner.token}`,
					'x-merchant-client-id': 'merchant_abc123',
				},
				rawBody: '{"amount":5,"referenceNumber":"ORDER-123"}',
				body: { amount: 5, referenceNumber: 'ORDER-123' },
				status: 201,
			},
			{ endpoint: 'get', path: `/v1/partner/payments/${data.id}`, rawBody: '', status: 200 },
			{ endpoint: undefined, method: 'DELETE', path: '/v1/nothing?a=b', status: 404 },
		]);
		for (const { startedAt, endedAt } of sandbox.requests) {
			expect(endedAt).toBeGreaterThanOrEqual(startedAt);
		}
		expect(sandbox.counts).toEqual({
			'token 200': 1,
			'create 201': 1,
			'get 200': 1,
			'unknown 404': 1,
		});
	});

	it('say how many requests for payments were under way at once', async () => {
		const partner = await partnerOf(sandbox);
		expect(sandbox.maxInFlight).toBe(0);
		sandbox.settings.latencyMs = 50;
		await Promise.all([partner.create(), partner.create(), partner.create()]);
		await partner.create();
		expect(sandbox.maxInFlight).toBe(3);
		sandbox.reset();
		expect([sandbox.maxInFlight, sandbox.requests.length, sandbox.counts]).toEqual([0, 0, {}]);
	});

	it('count a request once, though its client has gone before it was handled', async () => {
		const partner = await partnerOf(sandbox);
		sandbox.settings.latencyMs = 100;
		await expect(partner.create({}, {}, 30)).rejects.toMatchObject({ code: 'ECONNABORTED' });
		while (sandbox.payments.length === 0) await sleep(10);
		await partner.create();
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create none': 1, 'create 201': 1 });
		expect(sandbox.requests[1].status).toBeUndefined();
		expect(sandbox.maxInFlight).toBe(1);
	});

	it('stay empty without `record`, while the counts go on', async () => {
		const lean = await startSandbox({ record: false });
		try {
			await (await partnerOf(lean)).create();
			expect(lean.requests).toEqual([]);
			expect(lean.counts).toEqual({ 'token 200': 1, 'create 201': 1 });
		} finally {
			await lean.close();
		}
	});

	it('go with reset, together with payments and changed settings; tokens stay', async () => {
		const partner = await partnerOf(sandbox);
		const { data } = await partner.create();
		sandbox.settings.expiresIn = 1;
		sandbox.clock.advance(1_000_000);
		sandbox.setCredentials({ clientSecret: 'changed' });
		sandbox.faults.add({ status: 500 });
		sandbox.reset();
		expect(sandbox.payments).toEqual([]);
		expect(sandbox.settings.expiresIn).toBe(3600);
		expect(sandbox.credentials.clientSecret).not.toBe('changed');
		expect(Math.abs(sandbox.clock.now() - Date.now())).toBeLessThan(1_000);
		expect((await partner.get(data.id)).status).toBe(404);
	});
});

it('takes 1,000 payments, 50 at a time, within a few seconds', async () => {
	sandbox.settings.latencyMs = 20;
	const partner = await partnerOf(sandbox);
	let left = 1_000;
	const statuses = new Set<number>();
	const work = async () => {
		while (left-- > 0) statuses.add((await partner.create()).status);
	};
	await Promise.all(Array.from({ length: 50 }, work));
	expect([...statuses]).toEqual([201]);
	expect(new Set(sandbox.payments.map(({ id }) => id)).size).toBe(1_000);
	// How many of them meet depends on the machine.
	expect(sandbox.maxInFlight).toBeGreaterThan(10);
	expect(sandbox.maxInFlight).toBeLessThanOrEqual(50);
}, 20_000);
