import type { INodeParameters } from 'n8n-workflow';
import { identifierFor } from '../../../../nodes/AcountPay/creation/identityHashes';

const item = { json: { order: 1 } };
const built = {
	baseUrl: 'https://api.example.com',
	method: 'POST' as const,
	path: '/payments',
	headers: { 'X-Merchant-Client-Id': 'merchant_1' },
	body: Buffer.from('{}'),
};
const label = { referenceNumber: 'ORDER-1' };
const parameters = { merchantId: 'merchant_1', referenceNumber: 'ORDER-1', amount: '10' };

const identityOf = (changes: INodeParameters = {}, changedLabel = {}, changedItem = item) =>
	identifierFor({ ...parameters, ...changes })(changedItem, built as never, {
		...label,
		...changedLabel,
	});

it('options, and a field that 0.1.0 did not have, change no hash', () => {
	expect(identityOf()).toMatchObject({
		request: expect.stringMatching(/^[\w-]{43}$/),
		origin: expect.stringMatching(/^[\w-]{43}$/),
	});
	expect(identityOf({ authentication: 'oAuth2' })).toEqual(identityOf());
	expect(identityOf({ authentication: 'apiKey' }).origin).not.toBe(identityOf().origin);
	expect(identityOf({ options: { timeout: 1 } })).toEqual(identityOf());
});

it.each(['merchantId', 'referenceNumber', 'merchantNumber', 'name', 'companyName'])(
	'an item with another %s is known by another label',
	(name) => {
		const changed = identityOf({ [name]: 'another' });
		expect(changed.labelOrigin).not.toBe(identityOf().labelOrigin);
		expect(changed.origin).not.toBe(identityOf().origin);
	},
);

it('an item with another amount is known by the same label', () => {
	const changed = identityOf({ amount: '11' });
	expect(changed.labelOrigin).toBe(identityOf().labelOrigin);
	expect(changed.origin).not.toBe(identityOf().origin);
});

it('other items and other addresses have no hash in common', () => {
	const own = identityOf();
	const other = identityOf({}, {}, { json: { order: 2 } });
	expect(other.request).toBe(own.request);
	expect(other.origin).not.toBe(own.origin);
	expect(other.labelOrigin).not.toBe(own.labelOrigin);
	const elsewhere = identifierFor(parameters)(
		item,
		{ ...built, baseUrl: 'https://other.example.com' } as never,
		{ ...label, key: 'k' },
	);
	const here = identityOf({}, { key: 'k' });
	for (const name of ['request', 'origin', 'labelOrigin', 'key'] as const) {
		expect([name, elsewhere[name]]).not.toEqual([name, here[name]]);
	}
});

it('how a merchant was picked changes the origin alone, and is kept besides', () => {
	const fromList = identityOf({ merchantId: { __rl: true, mode: 'list', value: 'merchant_1' } });
	const byId = identityOf({ merchantId: { __rl: true, mode: 'id', value: 'merchant_1' } });
	expect(fromList.labelOrigin).toBe(identityOf().labelOrigin);
	expect(byId.labelOrigin).toBe(fromList.labelOrigin);
	expect(byId.pickedOrigin).not.toBe(fromList.pickedOrigin);
	expect(fromList.pickedOrigin).toMatch(/^[\w-]{43}$/);
	expect(identityOf()).not.toHaveProperty('pickedOrigin');
});

it('a parameter without a value is one, too', () => {
	expect(identityOf({ name: null as never }).labelOrigin).not.toBe(identityOf().labelOrigin);
	expect(identifierFor({ amount: '10' })(item, built as never, label)).not.toHaveProperty(
		'labelOrigin',
	);
});

it('what the label leaves out is left out', () => {
	expect(Object.keys(identityOf())).toEqual([
		'request',
		'origin',
		'labelOrigin',
		'referenceNumber',
	]);
	expect(identityOf({}, { key: 'k', terms: '10 DKK', merchantId: 'merchant_1' })).toMatchObject({
		key: expect.stringMatching(/^[\w-]{43}$/),
		terms: '10 DKK',
		merchantId: 'merchant_1',
	});
});
