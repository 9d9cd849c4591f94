import { listedPaymentOf } from '../../../../nodes/shared/api/listedPayments';

const AT = Date.UTC(2026, 10, 26, 9, 30, 15);
const readOne = (entry: object) => listedPaymentOf(entry as never);

it('a payment of the list is read by its documented names', () => {
	const entry = {
		paymentId: 'pay_1',
		merchantClientId: ' mer_1 ',
		referenceNumber: ' ORDER-1 ',
		amount: 149.99,
		currency: 'DKK',
		createdAt: '2026-11-26T09:30:15.250Z',
		status: 'pending',
		description: ' Two tickets',
		storeId: 'loc_1',
		registerId: 7,
	};
	expect(readOne(entry)).toEqual({
		id: 'pay_1',
		merchantClientId: 'mer_1',
		referenceNumber: 'ORDER-1',
		amount: 149.99,
		currency: 'DKK',
		createdAt: AT + 250,
		description: 'Two tickets',
		storeId: 'loc_1',
		registerId: '7',
		status: 'pending',
		entry,
	});
});

it('what the list leaves out is undefined, and so is what has another form', () => {
	const nothing = {
		id: undefined,
		merchantClientId: undefined,
		referenceNumber: undefined,
		amount: undefined,
		currency: undefined,
		createdAt: undefined,
		description: undefined,
		storeId: undefined,
		registerId: undefined,
		status: undefined,
	};
	for (const entry of [
		{},
		{ merchantClientId: ' ', referenceNumber: '', amount: ' ', currency: '', createdAt: '' },
		{ merchantClientId: true, amount: 'x', currency: ['DKK'], createdAt: 7 },
		{ amount: '1e3', storeId: {}, description: 7, status: 7 },
		{ amount: '1,5', registerId: ' ' },
		{ merchantClientId: null, referenceNumber: null, amount: null, createdAt: null },
		{ referenceNumber: {}, amount: true, currency: {}, createdAt: {} },
	]) {
		expect(readOne(entry)).toEqual({ ...nothing, entry });
	}
});

it('an amount may be text, and a reference a number', () => {
	expect(readOne({ amount: '149.90', referenceNumber: 1001 })).toMatchObject({
		amount: 149.9,
		referenceNumber: '1001',
	});
	expect(readOne({ amount: 'Infinity', referenceNumber: NaN })).toMatchObject({
		amount: undefined,
		referenceNumber: undefined,
	});
	expect(readOne({ amount: 0, referenceNumber: 0 })).toMatchObject({
		amount: 0,
		referenceNumber: '0',
	});
});

describe('the moment when a payment was created', () => {
	const createdAt = (text: string) => readOne({ createdAt: text }).createdAt;

	it('is read to the millisecond', () => {
		expect(createdAt('2026-11-26T09:30:15Z')).toBe(AT);
		expect(createdAt('2026-11-26T09:30:15.9Z')).toBe(AT + 900);
		expect(createdAt('2026-11-26T09:30:15.123456Z')).toBe(AT + 123);
	});

	it('has a time zone', () => {
		expect(createdAt('2026-11-26T10:30:15+01:00')).toBe(AT);
		expect(createdAt('2026-11-26T04:00:15.5-05:30')).toBe(AT + 500);
	});

	it.each([
		['2026-11-26T09:30:15'],
		['2026-11-26 09:30:15Z'],
		['2026-11-26'],
		['2026-11-26T09:30Z'],
		['2026-13-26T09:30:15Z'],
		['2026-11-26T09:30:15Z '],
		['x2026-11-26T09:30:15Z'],
		['2026-11-26T09:30:15.Z'],
		['2026-11-26T09:30:15+0100'],
		['Thu, 26 Nov 2026 09:30:15 GMT'],
		['1795685415'],
		['1970-01-01T00:00:00.000Z'],
		['0001-01-01T00:00:00Z'],
	])('is not in %p', (text) => {
		expect(createdAt(text)).toBeUndefined();
	});
});
