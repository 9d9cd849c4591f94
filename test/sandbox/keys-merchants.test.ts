import { KEY_MERCHANTS, ONBOARDING_MS, startSandbox, type Sandbox } from '../../sandbox';
import { http, keyPartnerOf } from './client';

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

const SMALLEST = { companyName: 'Café Nord', contactEmail: 'nord@example.com' };
const FAST = {
	...SMALLEST,
	registrationNumber: '12345678',
	website: 'https://nord.example.com',
	iban: 'DK5000400440116243',
};

describe('a merchant', () => {
	it('is created, onboarded by a click, and can be paid then', async () => {
		const { status, data } = await partner.call('post', '/merchants', {
			...SMALLEST,
			partnerRefId: 'our-7',
		});
		expect([status, data]).toEqual([
			201,
			{
				merchantId: expect.any(Number),
				clientId: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
				...SMALLEST,
				onboardingUrl: `${sandbox.url}/onboarding/${data.onboardingToken}`,
				onboardingToken: expect.stringMatching(/^[\w-]{32}$/),
				status: 'pending_onboarding',
				expiresAt: expect.any(String),
			},
		]);
		const { merchantId, clientId: merchantClientId, onboardingUrl } = data;
		const statusOf = async () =>
			(await partner.call('get', `/merchants/${merchantId}`)).data.status;
		expect(await statusOf()).toBe('pending');
		expect((await partner.create({ merchantClientId })).status).toBe(400);

		const page = (await http.get<string>(onboardingUrl)).data;
		expect(page).toContain('Café Nord');
		const [, action] = /<form method="post" action="([^"]+)">/.exec(page)!;
		expect((await http.post(sandbox.url + action, '')).status).toBe(303);
		expect(await statusOf()).toBe('active');
		expect((await partner.create({ merchantClientId })).status).toBe(201);

		const [, deactivate] = /action="([^"]+)"/.exec((await http.get<string>(onboardingUrl)).data)!;
		await http.post(sandbox.url + deactivate, '');
		expect(await statusOf()).toBe('inactive');
		expect((await partner.call('get', `/merchants/${merchantId}`)).data).toEqual({
			id: merchantId,
			clientId: merchantClientId,
			...SMALLEST,
			status: 'inactive',
			partnerRefId: 'our-7',
			createdAt: expect.any(String),
		});
	});

	it('is not onboarded any more when the link has expired', async () => {
		const { data } = await partner.call('post', '/merchants', SMALLEST);
		sandbox.clock.advance(ONBOARDING_MS);
		expect((await http.get(data.onboardingUrl)).data).toContain('Too late');
		await http.post(`${data.onboardingUrl}/activate`, '');
		expect(sandbox.merchant(data.merchantId).status).toBe('pending');
		expect((await http.get(`${sandbox.url}/onboarding/unknown`)).status).toBe(404);
	});

	it('is created on the fast track with full data, and with fields that are not known here', async () => {
		const { status, data } = await partner.call('post', '/merchants/fast-track', {
			...FAST,
			bic: 'DABADKKK',
			industry: 'café',
		});
		expect([status, data.status]).toEqual([201, 'pending_onboarding']);
		expect(sandbox.merchant(data.merchantId).customFields).toMatchObject({
			iban: FAST.iban,
			industry: 'café',
		});
	});

	it.each(Object.keys(FAST))('is not created on the fast track without %s', async (field) => {
		const { status, data } = await partner.call('post', '/merchants/fast-track', {
			...FAST,
			[field]: undefined,
		});
		expect([status, data.message]).toEqual([400, [expect.stringContaining(`${field} must be`)]]);
	});

	it.each([
		[{ companyName: ' ' }, 'companyName should not be empty'],
		[{ contactEmail: 'nord' }, 'contactEmail must be an email'],
		[{ iban: 'DK50' }, 'property iban should not exist'],
	])('is refused with %j', async (body, message) => {
		const { status, data } = await partner.call('post', '/merchants', { ...SMALLEST, ...body });
		expect([status, data.message]).toEqual([400, [message]]);
	});

	it('for tests is active at once, and there is none in production', async () => {
		const { status, data } = await partner.call('post', '/merchants/test', { companyName: 'Test' });
		expect([status, data]).toEqual([
			201,
			{
				merchantId: expect.any(Number),
				clientId: expect.any(String),
				companyName: 'Test',
				status: 'activated',
				message: expect.any(String),
			},
		]);
		expect((await partner.create({ merchantClientId: data.clientId })).status).toBe(201);
		sandbox.settings.production = true;
		expect((await partner.call('post', '/merchants/test', { companyName: 'T' })).status).toBe(404);
	});

	it('is listed in both shapes, under both names of its number', async () => {
		const array = (await partner.call('get', '/merchants')).data;
		expect(array).toHaveLength(Object.keys(KEY_MERCHANTS).length);
		expect(array[0]).toMatchObject({ ...KEY_MERCHANTS.shop, status: 'active' });
		Object.assign(sandbox.settings, { merchantList: 'object', merchantIdKey: 'merchantId' });
		const { merchants } = (await partner.call('get', '/merchants')).data;
		expect(merchants[0].merchantId).toBe(KEY_MERCHANTS.shop.id);
		expect(merchants[0]).not.toHaveProperty('id');
	});

	it.each([
		['999', 404],
		[KEY_MERCHANTS.shop.clientId, 400],
	])('is read by its number only: %s is refused with %d', async (id, status) => {
		expect((await partner.call('get', `/merchants/${id}`)).status).toBe(status);
		expect((await partner.call('get', `/merchants/${id}/stores`)).status).toBe(status);
	});
});

describe('a store', () => {
	const stores = `/merchants/${KEY_MERCHANTS.shop.id}/stores`;

	it('is created, listed and paid at, in both shapes', async () => {
		const { status, data } = await partner.call('post', stores, { name: 'Main', isDefault: true });
		expect([status, data]).toMatchObject([
			201,
			{ storeId: expect.stringMatching(/^[0-9a-f-]{36}$/), name: 'Main', countryCode: 'DK' },
		]);
		expect((await partner.call('get', stores)).data).toEqual({ stores: [data] });
		expect((await partner.create({ storeId: data.storeId })).status).toBe(201);
		Object.assign(sandbox.settings, { storeList: 'array', storeIdKey: 'id' });
		const other = (await partner.call('post', stores, { name: 'Other' })).data;
		expect(other.id).toMatch(/^loc_/);
		expect((await partner.call('get', stores)).data).toHaveLength(2);
		expect(sandbox.stores.map(({ merchantId }) => merchantId)).toEqual([1, 1]);
	});

	it.each([
		[{}, 'name must be a string'],
		[{ name: 'Main', isDefault: 'yes' }, 'isDefault must be a boolean'],
		[{ name: 'Main', town: 'Aarhus' }, 'property town should not exist'],
	])('is refused with %j', async (body, message) => {
		const { status, data } = await partner.call('post', stores, body);
		expect([status, data.message]).toEqual([400, [message]]);
	});
});
