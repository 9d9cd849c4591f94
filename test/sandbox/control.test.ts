import { setTimeout as sleep } from 'node:timers/promises';

import { ENDPOINTS, KEY_MERCHANTS, startSandbox, type Sandbox } from '../../sandbox';
import { askToken, http, keyPartnerOf, partnerOf, startReceiver } from './client';

const ROUTES = [
	{ method: 'get', path: '/requests' },
	{ method: 'get', path: '/counts' },
	{ method: 'get', path: '/payments' },
	{ method: 'get', path: '/merchants' },
	{ method: 'get', path: '/stores' },
	{ method: 'get', path: '/registrations' },
	{ method: 'get', path: '/deliveries' },
	{ method: 'post', path: '/clock', data: { advanceMs: 0 } },
	{ method: 'get', path: '/faults' },
	{ method: 'post', path: '/faults', data: { status: 500 } },
	{ method: 'delete', path: '/faults' },
	{ method: 'post', path: '/tokens/revoke' },
	{ method: 'patch', path: '/settings', data: {} },
	{ method: 'patch', path: '/credentials', data: {} },
	{ method: 'post', path: '/payments/pay_x/pay' },
	{ method: 'post', path: '/payments/pay_x/decline' },
	{ method: 'post', path: '/payments/pay_x/expire' },
	{ method: 'post', path: '/merchants/x/activate' },
	{ method: 'post', path: '/merchants/x/deactivate' },
	{ method: 'patch', path: '/keys', data: {} },
	{ method: 'post', path: '/reset' },
];

describe('the control API', () => {
	let sandbox: Sandbox;
	beforeAll(async () => {
		sandbox = await startSandbox({ control: true });
	});
	afterEach(() => sandbox.reset());
	afterAll(async () => await sandbox.close());

	const call = async (method: string, path: string, data?: object) =>
		await http.request({ method, url: `${sandbox.url}/_sandbox${path}`, data });

	it('shows requests, counts and payments, and not itself', async () => {
		const { id } = (await (await partnerOf(sandbox)).create()).data;
		expect((await call('get', '/requests')).data).toMatchObject([
			{ endpoint: 'token', status: 200 },
			{ endpoint: 'create', status: 201 },
		]);
		expect((await call('get', '/counts')).data).toEqual({
			counts: { 'token 200': 1, 'create 201': 1 },
			maxInFlight: 1,
		});
		expect((await call('get', '/payments')).data).toMatchObject([{ id, status: 'pending' }]);
		expect(sandbox.requests).toHaveLength(2);
	});

	it('pays, declines and moves the clock', async () => {
		const partner = await partnerOf(sandbox);
		const ids = [1, 2, 3].map(async () => (await partner.create()).data.id);
		const [paid, declined, late] = await Promise.all(ids);
		expect((await call('post', `/payments/${paid}/pay`)).data.status).toBe('processing');
		expect((await call('post', `/payments/${declined}/decline`)).data.status).toBe('failed');
		expect((await call('post', '/payments/pay_x/pay')).status).toBe(404);
		const { now } = (await call('post', '/clock', { advanceMs: 1_800_000 })).data;
		expect(Math.abs(Date.parse(now) - Date.now() - 1_800_000)).toBeLessThan(5_000);
		expect(sandbox.payment(paid).status).toBe('completed');
		expect(sandbox.payment(late).status).toBe('expired');
		for (const advanceMs of [-1, '5', undefined]) {
			expect((await call('post', '/clock', { advanceMs })).status).toBe(400);
		}
	});

	it('answers with the deliveries when none is under way', async () => {
		const receiver = await startReceiver();
		try {
			await (await partnerOf(sandbox)).create({ webhookUrl: receiver.url });
			expect((await call('get', '/deliveries')).data).toMatchObject([
				{ event: 'payment.created', status: 200 },
			]);
		} finally {
			await receiver.close();
		}
	});

	it('orders faults, lists them and takes them back', async () => {
		const fault = {
			match: { endpoint: 'create', nth: 1 },
			times: 'always',
			status: 500,
			headers: { a: 'b' },
			body: { c: ['d'] },
		};
		expect((await call('post', '/faults', fault)).status).toBe(201);
		expect((await call('get', '/faults')).data).toEqual([fault]);
		const partner = await partnerOf(sandbox);
		const { status, headers, data } = await partner.create();
		expect([status, headers.a, data]).toEqual([500, 'b', { c: ['d'] }]);
		expect((await call('delete', '/faults')).status).toBe(204);
		expect((await partner.create()).status).toBe(201);
	});

	it.each([
		{ stauts: 500 },
		{ status: '500' },
		{ match: { endpoint: 'creat' } },
		{ match: { ref: 'A' } },
		{ times: 0 },
		{ reset: true },
		{ rate: 2 },
	])('refuses the misspelt fault %j', async (fault) => {
		expect((await call('post', '/faults', fault)).status).toBe(400);
		expect(sandbox.faults.list()).toEqual([]);
	});

	it('revokes tokens, changes settings and credentials, and resets', async () => {
		const partner = await partnerOf(sandbox);
		expect((await call('post', '/tokens/revoke')).status).toBe(204);
		expect((await partner.create()).status).toBe(401);
		expect((await call('patch', '/settings', { numericIds: true })).data.numericIds).toBe(true);
		expect((await (await partnerOf(sandbox)).create()).data.id).toEqual(expect.any(Number));
		expect((await call('patch', '/settings', { latency: 5 })).status).toBe(400);
		const changed = await call('patch', '/credentials', { clientSecret: 'changed' });
		expect(changed.data.clientSecret).toBe('changed');
		expect((await askToken(sandbox, { client_secret: 'changed' })).status).toBe(200);
		expect((await call('post', '/reset')).status).toBe(204);
		expect((await askToken(sandbox, { client_secret: 'changed' })).status).toBe(401);
		expect(sandbox.payments).toEqual([]);
	});

	it('expires payments, and steers the API with keys', async () => {
		const { paymentId } = (await keyPartnerOf(sandbox).create()).data;
		expect((await call('post', `/payments/${paymentId}/expire`)).data.status).toBe('expired');
		const merchant = `/merchants/${KEY_MERCHANTS.shop.id}`;
		expect((await call('post', `${merchant}/deactivate`)).data.status).toBe('inactive');
		expect((await call('post', `${merchant}/activate`)).data.status).toBe('active');
		expect((await call('post', '/merchants/99/activate')).status).toBe(404);
		const keys = await call('patch', '/keys', { clientSecret: 'rotated' });
		expect(keys.data).toEqual({ ...sandbox.keys, clientSecret: 'rotated' });
		const { status, data } = await call('patch', '/settings', sandbox.settings);
		expect([status, data]).toEqual([200, sandbox.settings]);
		expect((await call('patch', '/settings', { listOrder: 'random' })).status).toBe(400);
		expect((await call('get', '/merchants')).data).toEqual(sandbox.merchants);
		expect((await call('get', '/registrations')).data).toEqual([]);
		expect((await call('get', '/stores')).data).toEqual([]);
	});

	it.each(ENDPOINTS)('orders faults for %s', async (endpoint) => {
		const fault = { match: { endpoint, api: 'keys' }, listLag: { ms: 1, looks: 2 } };
		expect((await call('post', '/faults', fault)).status).toBe(201);
		expect(sandbox.faults.list()).toEqual([fault]);
	});

	it.each(ROUTES)('knows $method $path only when it is on', async ({ method, path, data }) => {
		const missing = `Cannot ${method.toUpperCase()} /_sandbox${path}`;
		const on = await call(method, path, data);
		expect(on.data?.message).not.toBe(missing);
		const off = await startSandbox();
		try {
			const answer = await http.request({ method, url: `${off.url}/_sandbox${path}`, data });
			expect([answer.status, answer.data.message]).toEqual([404, missing]);
		} finally {
			await off.close();
		}
	});
});

it('listens on loopback only, and lets go of everything when it is closed', async () => {
	const sandbox = await startSandbox();
	expect(sandbox.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
	const partner = await partnerOf(sandbox);
	sandbox.faults.add({ hang: true });
	const hanging = partner.create();
	const broken = expect(hanging).rejects.toMatchObject({ code: 'ECONNRESET' });
	while (sandbox.requests.length < 2) await sleep(5);
	await sandbox.close();
	await broken;
	await expect(http.get(sandbox.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
