import { readListed } from '../../../nodes/shared/api/listedPayments';

const AT = Date.UTC(2026, 10, 26, 9, 30, 15);
const readOne = (entry: object) => readListed([entry as never])[0];

test('a payment of the list is read by its documented names', () => {
	const entry = {
		paymentId: 'pay_1',
		merchantClientId: ' mer_1 ',
		referenceNumber: ' ORDER-1 ',
		amount: 149.99,
		currency: 'DKK',
		createdAt: '2026-11-26T09:30:15.250Z',
		status: 'pending',
	};
	expect(readOne(entry)).toEqual({
		id: 'pay_1',
		merchantId: 'mer_1',
		referenceNumber: 'ORDER-1',
		amount: 149.99,
		currency: 'DKK',
		createdAt: { from: AT + 250, to: AT + 251 },
		entry,
	});
});

test('what the list leaves out is undefined, and so is what has another form', () => {
	const nothing = {
		id: undefined,
		merchantId: undefined,
		referenceNumber: undefined,
		amount: undefined,
		currency: undefined,
		createdAt: undefined,
	};
	for (const entry of [
		{},
		{ merchantClientId: ' ', referenceNumber: '', amount: ' ', currency: '', createdAt: '' },
		{ merchantClientId: 7, amount: 'x', currency: ['DKK'], createdAt: 7 },
		{ merchantClientId: null, referenceNumber: null, amount: null, createdAt: null },
		{ referenceNumber: {}, amount: true, currency: {}, createdAt: {} },
	]) {
		expect(readOne(entry)).toEqual({ ...nothing, entry });
	}
});

test('an amount may be text, and a reference a number', () => {
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

describe('the moment when a payment was made', () => {
	const madeAt = (createdAt: string, other?: string) =>
		readListed([{ createdAt }, ...(other ? [{ createdAt: other }] : [])])[0].createdAt;

	test('may have been cut off or rounded where the list has whole seconds', () => {
		expect(madeAt('2026-11-26T09:30:15Z')).toEqual({ from: AT - 500, to: AT + 999 });
		expect(madeAt('2026-11-26T09:30:15.000Z')).toEqual({ from: AT - 500, to: AT + 999 });
	});

	test('is exact where any payment of the list has a fraction', () => {
		expect(madeAt('2026-11-26T09:30:15Z', '2026-11-26T09:30:14.001Z')).toEqual({
			from: AT,
			to: AT + 1,
		});
		expect(madeAt('2026-11-26T09:30:15.9Z')).toEqual({ from: AT + 900, to: AT + 901 });
		expect(madeAt('2026-11-26T09:30:15.123456Z')).toEqual({ from: AT + 123, to: AT + 124 });
	});

	test('has a time zone', () => {
		expect(madeAt('2026-11-26T10:30:15+01:00')).toEqual(madeAt('2026-11-26T09:30:15Z'));
		expect(madeAt('2026-11-26T04:00:15.5-05:30')).toEqual({ from: AT + 500, to: AT + 501 });
	});

	test.each([
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
	])('is not in %p', (text) => {
		expect(madeAt(text)).toBeUndefined();
	});
});

test('each payment is there once, as it came last; those without an id all are', () => {
	const payments = readListed([
		{ paymentId: 'pay_1', status: 'pending' },
		{ status: 'a' },
		{ paymentId: 'pay_2' },
		{ paymentId: 'pay_1', status: 'paid' },
		{ status: 'b' },
	]);
	expect(payments.map(({ id, entry }) => [id, entry.status])).toEqual([
		['pay_1', 'paid'],
		[undefined, 'a'],
		['pay_2', undefined],
		[undefined, 'b'],
	]);
	expect(readListed([])).toEqual([]);
});
