import { setTimeout as sleep } from 'node:timers/promises';

import { KEY_MERCHANTS, startSandbox, type Sandbox } from '../../sandbox';
import { http, keyPartnerOf, partnerOf } from './client';

let sandbox: Sandbox;
let partner: ReturnType<typeof keyPartnerOf>;
beforeAll(async () => {
	sandbox = await startSandbox();
});
beforeEach(() => {
	partner = keyPartnerOf(sandbox);
});
afterEach(() => sandbox.reset());
afterAll(async () => await sandbox.close());

const SHOP = KEY_MERCHANTS.shop;

/** Makes payments with the references 1 to `count`, one after another. */
async function make(count: number, body: object = {}) {
	for (let i = 1; i <= count; i++) await partner.create({ referenceNumber: `${i}`, ...body });
}

const references = (data: { payments: Array<{ referenceNumber: string }> }) =>
	data.payments.map(({ referenceNumber }) => Number(referenceNumber));

describe('which API answers', () => {
	it('is decided by the headers of each request, on one path', async () => {
		const withToken = await (await partnerOf(sandbox)).create();
		const withKeys = await partner.create();
		expect(withToken.data.id).toMatch(/^pay_/);
		expect(withKeys.data.paymentId).toEqual(expect.any(Number));
		expect(sandbox.payments.map(({ api }) => api)).toEqual(['tokens', 'keys']);
		expect(sandbox.requests).toMatchObject([
			{ endpoint: 'token', api: 'tokens' },
			{ endpoint: 'create', api: 'tokens' },
			{
				endpoint: 'create',
				api: 'keys',
				headers: { 'x-partner-client-id': sandbox.keys.clientId },
				body: { merchantClientId: SHOP.clientId, amount: 149.99 },
				status: 201,
			},
		]);
	});

	it.each(['Authorization', 'X-Merchant-Client-Id', 'X-Mock-Payment'])(
		'is none with %s beside keys',
		async (name) => {
			const { status, data } = await keyPartnerOf(sandbox, { [name]: 'Bearer x' }).create();
			expect([status, data.error]).toEqual([400, 'Bad Request']);
			expect(data.message).toContain(name);
			expect(sandbox.payments).toEqual([]);
		},
	);

	it.each([
		['a wrong secret', { 'X-Partner-Client-Secret': 'wrong' }],
		['a wrong id', { 'X-Partner-Client-Id': 'wrong' }],
	])('refuses %s with 401, whatever the body', async (_what, headers) => {
		const wrong = keyPartnerOf(sandbox, headers);
		for (const { status, data } of [
			await wrong.create({ amount: 0 }),
			await wrong.list(),
			await wrong.status(1),
			await wrong.call('get', '/profile'),
			await wrong.call('get', '/merchants'),
			await wrong.call('post', '/webhooks', {}),
		]) {
			expect([status, data]).toEqual([401, { message: 'Unauthorized', statusCode: 401 }]);
		}
	});

	it('takes changed keys at once, and the former ones no more', async () => {
		sandbox.setKeys({ clientSecret: 'rotated' });
		expect((await partner.list()).status).toBe(401);
		expect((await keyPartnerOf(sandbox).list()).status).toBe(200);
	});

	it('keeps the payments of both apart', async () => {
		const tokens = await partnerOf(sandbox, SHOP.clientId);
		const { id } = (await tokens.create()).data;
		const { paymentId } = (await partner.create()).data;
		expect((await tokens.get(paymentId)).status).toBe(404);
		expect((await partner.status(id)).status).toBe(400);
		expect((await partner.list()).data.payments).toMatchObject([{ id: paymentId }]);
		const withBearer = await http.get(`${sandbox.url}/v1/partner/payments`, {
			headers: { Authorization: `Bearer ${tokens.token}` },
		});
		expect(withBearer.status).toBe(401);
	});

	it('says who the partner is', async () => {
		const { status, data } = await partner.call('get', '/profile');
		expect([status, data.clientId]).toEqual([200, sandbox.keys.clientId]);
	});

	it("says the time by the sandbox's clock", async () => {
		sandbox.clock.advance(86_400_000);
		const { headers } = await partner.create();
		const seconds = (text: string) => Math.floor(Date.parse(text) / 1000);
		expect(seconds(headers.date) - seconds(sandbox.payments[0].createdAt)).toBeLessThanOrEqual(1);
		const { date } = (await http.get(`${sandbox.url}/nothing`)).headers;
		expect(Date.parse(date) - Date.now()).toBeGreaterThan(86_000_000);
		sandbox.faults.add({ headers: { Date: '' } });
		expect((await partner.list()).headers).not.toHaveProperty('date');
	});
});

describe('create with keys', () => {
	it('answers with the documented fields', async () => {
		const optional = { currency: 'EUR', description: 'Two chairs', registerId: 'REG-001' };
		const { status, data } = await partner.create(optional);
		expect([status, data]).toEqual([
			201,
			{
				paymentId: expect.any(Number),
				paymentUrl: `${sandbox.url}/p/${data.paymentId}`,
				referenceNumber: 'ORDER-123',
				status: 'pending',
				amount: 149.99,
				currency: 'EUR',
			},
		]);
		expect(sandbox.payment(data.paymentId)).toMatchObject({
			...optional,
			merchant: SHOP.clientId,
			merchantName: SHOP.companyName,
			partner: sandbox.keys.clientId,
		});
	});

	it('names every wrong and every unknown field in one list', async () => {
		const { status, data } = await partner.create({
			merchantClientId: undefined,
			amount: 0,
			referenceNumber: '',
			currency: 'KRO',
			description: 1,
			webhookUrl: 'https://example.com',
		});
		expect([status, data]).toEqual([
			400,
			{
				message: [
					'merchantClientId must be a string',
					'amount must not be less than 0.01',
					'referenceNumber should not be empty',
					'description must be a string',
					'currency must be a valid ISO4217 currency code',
					'property webhookUrl should not exist',
				],
				error: 'Bad Request',
				statusCode: 400,
			},
		]);
		expect(sandbox.payments).toEqual([]);
	});

	it('takes unknown fields when that is wanted', async () => {
		sandbox.settings.allowUnknownFields = true;
		expect((await partner.create({ colour: 'red' })).status).toBe(201);
		expect(sandbox.payments[0].customFields).toEqual({ colour: 'red' });
		expect((await partner.create({ colour: 'red', amount: 1.234 })).data.message).toEqual([
			'amount must have at most 2 decimal places',
		]);
	});

	it('needs a merchant that is there and active, unless any is wanted', async () => {
		const unknown = { merchantClientId: 'merchant_abc123', storeId: 'loc_abc123' };
		expect((await partner.create(unknown)).status).toBe(404);
		expect((await partner.create({ merchantClientId: String(SHOP.id) })).status).toBe(404);
		expect((await partner.create({ storeId: 'loc_abc123' })).data.message).toBe('Store not found');
		sandbox.deactivate(SHOP.clientId);
		expect((await partner.create()).data.message).toBe('Merchant is not active');
		sandbox.settings.allowUnknownMerchants = true;
		expect((await partner.create(unknown)).status).toBe(201);
		expect((await partner.create({ merchantClientId: 'test_merchant_fail' })).status).toBe(201);
		sandbox.clock.advance(1_000);
		expect(sandbox.payments.map(({ status }) => status)).toEqual(['pending', 'failed']);
	});
});

describe('the status with keys', () => {
	const statusOf = async (id: number) => (await partner.status(id)).data.status;

	it('is pending until the payment is paid or has failed, however it failed', async () => {
		await make(3);
		const [paid, declined, late] = sandbox.payments.map(({ id }) => Number(id));
		sandbox.pay(paid);
		expect(await statusOf(paid)).toBe('pending');
		sandbox.clock.advance(1_000);
		sandbox.decline(declined);
		sandbox.expire(late);
		expect([await statusOf(paid), await statusOf(declined), await statusOf(late)]).toEqual([
			'paid',
			'failed',
			'failed',
		]);
		sandbox.settings.keyStatuses.expired = 'expired';
		expect(await statusOf(late)).toBe('expired');
		sandbox.reset();
		expect(sandbox.settings.keyStatuses.expired).toBe('failed');
	});

	it.each([
		[KEY_MERCHANTS.shop, 1_000, 'pending'],
		[KEY_MERCHANTS.success, 1_000, 'paid'],
		[KEY_MERCHANTS.fail, 1_000, 'failed'],
		[KEY_MERCHANTS.slow, 29_000, 'pending'],
		[KEY_MERCHANTS.slow, 30_000, 'paid'],
	])('of %j goes on by itself', async ({ clientId: merchantClientId }, afterMs, status) => {
		const { paymentId } = (await partner.create({ merchantClientId })).data;
		sandbox.clock.advance(afterMs);
		expect(await statusOf(paymentId)).toBe(status);
	});

	it.each([
		['abc', 400],
		['999', 404],
	])('of payment %s is refused with %d', async (id, status) => {
		expect((await partner.status(id)).status).toBe(status);
	});
});

describe('the list', () => {
	it('has the documented shape', async () => {
		await partner.create({ description: 'Two chairs' });
		const [{ id, createdAt }] = sandbox.payments;
		expect((await partner.list()).data).toEqual({
			payments: [
				{
					id,
					referenceNumber: 'ORDER-123',
					amount: 149.99,
					currency: 'DKK',
					status: 'pending',
					merchantClientId: SHOP.clientId,
					merchantName: SHOP.companyName,
					description: 'Two chairs',
					createdAt,
				},
			],
			total: 1,
			page: 1,
			limit: 20,
		});
	});

	it('comes in pages of 20, or of what is asked for up to a maximum, newest first', async () => {
		await make(23);
		sandbox.settings.listMax = 21;
		expect(references((await partner.list()).data)).toHaveLength(20);
		expect(references((await partner.list({ page: 2 })).data)).toEqual([3, 2, 1]);
		expect(references((await partner.list({ page: 5, limit: 5 })).data)).toEqual([3, 2, 1]);
		expect(references((await partner.list({ page: 3 })).data)).toEqual([]);
		const clamped = (await partner.list({ limit: 100 })).data;
		expect([clamped.limit, clamped.total, clamped.payments.length]).toEqual([21, 23, 21]);
		sandbox.settings.listAboveMax = 'refuse';
		expect((await partner.list({ limit: 22 })).status).toBe(400);
		expect((await partner.list({ limit: 21 })).status).toBe(200);
		sandbox.settings.listOrder = 'oldest';
		expect(references((await partner.list({ limit: 2 })).data)).toEqual([1, 2]);
	});

	it('puts payments of the same second in another order on each request, if it is told to', async () => {
		await make(20);
		sandbox.clock.advance(2_000);
		await partner.create({ referenceNumber: '21' });
		sandbox.settings.listOrder = 'shuffled';
		const looks = [];
		for (let look = 0; look < 3; look++) {
			const shown = references((await partner.list({ limit: 21 })).data);
			expect(shown[0]).toBe(21);
			expect(new Set(shown).size).toBe(21);
			looks.push(String(shown));
		}
		expect(new Set(looks).size).toBeGreaterThan(1);
	});

	it('shifts its pages when a payment is made meanwhile', async () => {
		await make(4);
		expect(references((await partner.list({ limit: 2 })).data)).toEqual([4, 3]);
		await partner.create({ referenceNumber: '5' });
		expect(references((await partner.list({ limit: 2, page: 2 })).data)).toEqual([3, 2]);
	});

	it('is filtered by merchant and status', async () => {
		await make(2);
		await partner.create({ merchantClientId: KEY_MERCHANTS.slow.clientId, referenceNumber: '3' });
		sandbox.decline(sandbox.payments[0].id);
		const { clientId: merchantClientId } = SHOP;
		expect(references((await partner.list({ merchantClientId })).data)).toEqual([2, 1]);
		expect(references((await partner.list({ status: 'pending' })).data)).toEqual([3, 2]);
		const both = (await partner.list({ merchantClientId, status: 'failed' })).data;
		expect([references(both), both.total]).toEqual([[1], 1]);
	});

	it.each(['page=0', 'limit=0', 'limit=x', 'page=-1', 'reference=A'])(
		'refuses ?%s',
		async (query) => {
			expect((await partner.call('get', `/payments?${query}`)).status).toBe(400);
		},
	);

	it('lags behind by time, by looks, or for one payment only', async () => {
		sandbox.settings.listLagMs = 5_000;
		await make(1);
		expect(references((await partner.list()).data)).toEqual([]);
		sandbox.clock.advance(5_000);
		expect(references((await partner.list()).data)).toEqual([1]);
		Object.assign(sandbox.settings, { listLagMs: 0, listLagLooks: 2 });
		await partner.create({ referenceNumber: '2' });
		const looks: number[][] = [];
		for (let i = 0; i < 3; i++) looks.push(references((await partner.list()).data));
		expect(looks).toEqual([[1], [1], [2, 1]]);
		sandbox.settings.listLagLooks = 0;
		sandbox.faults.add({
			match: { endpoint: 'create', reference: '3' },
			listLag: { looks: 1 },
			made: true,
			status: 500,
		});
		expect((await partner.create({ referenceNumber: '3' })).status).toBe(500);
		await partner.create({ referenceNumber: '4' });
		expect(references((await partner.list()).data)).toEqual([4, 2, 1]);
		expect(references((await partner.list()).data)).toEqual([4, 3, 2, 1]);
	});
});

describe('trouble with keys', () => {
	const BODIES: Record<string, [string, string, object?]> = {
		profile: ['get', '/profile'],
		list: ['get', '/payments'],
		get: ['get', '/payments/1000001/status'],
		listMerchants: ['get', '/merchants'],
		createMerchant: ['post', '/merchants', {}],
		getMerchant: ['get', '/merchants/1'],
		fastTrackMerchant: ['post', '/merchants/fast-track', {}],
		testMerchant: ['post', '/merchants/test', {}],
		listStores: ['get', '/merchants/1/stores'],
		createStore: ['post', '/merchants/1/stores', {}],
		listWebhooks: ['get', '/webhooks'],
		registerWebhook: ['post', '/webhooks', {}],
		changeWebhook: ['put', '/webhooks/1', {}],
		removeWebhook: ['delete', '/webhooks/1'],
	};

	it.each(Object.keys(BODIES))('can be ordered for %s', async (endpoint) => {
		sandbox.faults.add({
			match: { endpoint: endpoint as 'list', api: 'keys' },
			status: 503,
			headers: { 'Retry-After': '3' },
		});
		const { status, headers } = await partner.call(...BODIES[endpoint]);
		expect([status, headers['retry-after'], sandbox.faults.list()]).toEqual([503, '3', []]);
		expect(sandbox.counts).toEqual({ [`${endpoint} 503`]: 1 });
	});

	it('can be ordered for one of the APIs, a merchant or a reference', async () => {
		sandbox.faults.add({ match: { api: 'keys', endpoint: 'create' }, reset: 'after' });
		expect((await (await partnerOf(sandbox)).create()).status).toBe(201);
		await expect(partner.create()).rejects.toMatchObject({ code: 'ECONNRESET' });
		expect(sandbox.payments.map(({ api }) => api)).toEqual(['tokens', 'keys']);
		const { id } = sandbox.payments[1];
		sandbox.faults.add({ match: { merchant: SHOP.clientId, reference: 'ORDER-123' }, hang: true });
		await expect(
			partner.call('get', `/payments/${id}/status`, undefined, 200),
		).rejects.toMatchObject({ code: 'ECONNABORTED' });
		sandbox.faults.add({ match: { merchant: SHOP.clientId }, status: 500 });
		expect((await partner.call('get', `/merchants/${KEY_MERCHANTS.slow.id}`)).status).toBe(200);
		expect((await partner.call('get', `/merchants/${SHOP.id}`)).status).toBe(500);
		sandbox.faults.add({ match: { merchant: SHOP.clientId }, cutOff: true });
		await expect(partner.list({ merchantClientId: SHOP.clientId })).rejects.toThrow(/aborted/);
	});

	it('is a limit of requests a second, and tokens do not count', async () => {
		const tokens = await partnerOf(sandbox);
		sandbox.settings.ratePerSecond = 3;
		const answers = await Promise.all([
			tokens.create(),
			...[1, 2, 3, 4].map(async () => await partner.create()),
		]);
		const refused = answers.filter(({ status }) => status === 429);
		expect(refused).toHaveLength(2);
		expect(refused[0].headers['retry-after']).toBe('1');
		expect(sandbox.payments).toHaveLength(3);
		expect((await partnerOf(sandbox)).token).toEqual(expect.any(String));
		await sleep(1_050);
		expect((await partner.create()).status).toBe(201);
	});

	it('is latency at every endpoint', async () => {
		sandbox.settings.latencyMs = 60;
		for (const [method, path, body] of Object.values(BODIES)) {
			const start = Date.now();
			await partner.call(method, path, body);
			expect(Date.now() - start).toBeGreaterThanOrEqual(58);
		}
	});
});

describe('the page of the customer, with keys', () => {
	it('pays or declines', async () => {
		await make(2);
		const [paid, declined] = sandbox.payments;
		const url = `${sandbox.url}/p/${paid.id}`;
		const { data } = await http.get<string>(url);
		for (const shown of ['149.99 DKK', SHOP.companyName, `action="/p/${paid.id}/pay"`]) {
			expect(data).toContain(shown);
		}
		const pressed = await http.post(`${url}/pay`, '');
		expect([pressed.status, pressed.headers.location]).toEqual([303, `/p/${paid.id}`]);
		await http.post(`${sandbox.url}/p/${declined.id}/decline`, '');
		sandbox.clock.advance(1_000);
		expect(sandbox.payments.map(({ status }) => status)).toEqual(['completed', 'failed']);
		expect((await http.get(`${sandbox.url}/pay/${paid.id}`)).status).toBe(404);
	});
});
