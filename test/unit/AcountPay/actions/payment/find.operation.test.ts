import fc from 'fast-check';
import type { IDataObject } from 'n8n-workflow';
import { find, findAmong } from '../../../../../nodes/AcountPay/actions/payment/find.operation';
import { compare } from '../../../../../nodes/AcountPay/actions/payment/lookUp/samePayment';
import { listedPaymentOf } from '../../../../../nodes/shared/api/listedPayments';
import { parameters, refusal } from '../../../support';

const WANTED = { merchantId: 'shop', referenceNumber: 'ORDER-1', amount: 10, currency: 'DKK' };

const entry = (changes: IDataObject = {}): IDataObject => ({
	id: 7,
	merchantClientId: 'shop',
	referenceNumber: 'ORDER-1',
	amount: 10,
	currency: 'DKK',
	status: 'pending',
	createdAt: '2026-01-01T10:00:00Z',
	...changes,
});

const foundIn = (entries: IDataObject[], wanted = WANTED) =>
	findAmong(entries.map(listedPaymentOf), wanted) as {
		found: string;
		payment?: IDataObject;
		candidates: Array<{ relation: string; differences: string[]; payment: IDataObject }>;
		candidatesLeftOut?: number;
	};

describe('what is found', () => {
	const differs = entry({ id: 8, amount: '12.00' });
	const similar = entry({ id: 9, referenceNumber: 'order 1' });
	const incomplete = entry({ id: 10, createdAt: 'today' });
	const other = entry({ id: 11, referenceNumber: 'ORDER-10' });

	it.each<[string, IDataObject[], string, number[]]>([
		['nothing', [], 'none', []],
		['only others', [other], 'none', []],
		['the same', [entry()], 'one', [7]],
		['the same, an amount as text', [entry({ amount: '10.00', currency: 'dkk' })], 'one', [7]],
		['the same and one that differs', [differs, other, entry()], 'one', [7, 8]],
		[
			'the same and all that is like it',
			[similar, incomplete, differs, entry()],
			'one',
			[7, 8, 10, 9],
		],
		['two', [entry(), entry({ id: 12 })], 'several', [7, 12]],
		['failed ones too', [entry({ status: 'failed' }), entry({ id: 12 })], 'several', [7, 12]],
		['one that differs', [differs], 'doubt', [8]],
		['a similar one', [similar, other], 'doubt', [9]],
		['one that does not tell all', [incomplete], 'doubt', [10]],
	])('%s', (_what, entries, found, ids) => {
		const output = foundIn(entries);
		expect(output.found).toBe(found);
		expect(output.candidates.map(({ payment }) => payment.paymentId)).toEqual(ids);
		expect(output.payment?.paymentId).toBe(found === 'one' ? 7 : undefined);
	});

	it('what differs is said in words', () => {
		expect(foundIn([entry({ amount: 12, currency: 'EUR' })]).candidates[0]).toEqual({
			relation: 'differs',
			differences: ['has the amount 12 instead of 10', 'has the currency EUR instead of DKK'],
			payment: expect.objectContaining({ paymentId: 7, id: 7, amount: 12, isPaid: false }),
		});
	});

	it('amount and currency that are not asked for make no difference', () => {
		const { merchantId, referenceNumber } = WANTED;
		const wanted = { merchantId, referenceNumber } as typeof WANTED;
		expect(foundIn([entry({ amount: 12, currency: 'EUR' })], wanted).found).toBe('one');
	});

	it('a list without references does not make an output of endless length', () => {
		const entries = Array.from({ length: 60 }, (_, id) =>
			entry({ id, referenceNumber: undefined }),
		);
		const { found, candidates, candidatesLeftOut } = foundIn([...entries, entry({ id: 99 })]);
		expect([found, candidates.length, candidatesLeftOut]).toEqual(['one', 50, 11]);
		expect(candidates[0].payment.paymentId).toBe(99);
	});

	it('it says what the comparisons say, for any list', () => {
		const entries = fc.array(
			fc.record({
				id: fc.option(fc.nat(), { nil: undefined }),
				merchantClientId: fc.constantFrom('shop', 'SHOP', 'cafe', undefined),
				referenceNumber: fc.constantFrom(
					'ORDER-1',
					' ORDER-1',
					'order 1',
					'ORDER-10',
					1,
					undefined,
				),
				amount: fc.constantFrom(10, '10.00', 12, 'ten'),
				currency: fc.constantFrom('DKK', 'dkk', 'EUR', ''),
				createdAt: fc.constantFrom('2026-01-01T10:00:00Z', undefined),
			}),
		);
		fc.assert(
			fc.property(entries, (all) => {
				const { found, payment, candidates } = foundIn(all as IDataObject[]);
				const relations = (all as IDataObject[])
					.map((one) => compare(WANTED, listedPaymentOf(one)).relation)
					.filter((relation) => relation !== 'other');
				const same = relations.filter((relation) => relation === 'same').length;
				const like = relations.length > 0 ? 'doubt' : 'none';
				expect(found).toBe(same === 0 ? like : same === 1 ? 'one' : 'several');
				expect(payment !== undefined).toBe(same === 1);
				expect(candidates.map(({ relation }) => relation).sort()).toEqual(relations.sort());
			}),
		);
	});
});

describe('what a person enters', () => {
	const required = { merchantId: ' shop ', referenceNumber: 4711 };
	const check = (values: IDataObject = {}) =>
		find.check(parameters({ ...required, ...values }), {} as never);

	it('merchant and reference will do', () => {
		expect(check()).toEqual({
			wanted: { merchantId: 'shop', referenceNumber: '4711' },
			lookBackDays: 30,
		});
		expect(check({ additionalFields: { amount: '', currency: null } })).toEqual(check());
	});

	it('amount, currency and look back', () => {
		const additionalFields = { amount: '149.9', currency: 'EUR' };
		expect(check({ additionalFields, options: { lookBackDays: 7 } })).toEqual({
			wanted: { merchantId: 'shop', referenceNumber: '4711', amount: 149.9, currency: 'EUR' },
			lookBackDays: 7,
		});
	});

	it.each<[IDataObject, RegExp]>([
		[{ merchantId: '' }, /^Merchant ID must not be empty/],
		[{ referenceNumber: ' ' }, /^Reference Number must not be empty/],
		[{ additionalFields: { amount: '149,99' } }, /^Amount must be a number/],
		[{ additionalFields: { currency: 'kroner' } }, /^Currency must be a currency code/],
		[{ options: { lookBackDays: 0 } }, /^Look Back \(Days\) must be a whole number from 1/],
		[{ options: { lookBackDays: 1.5 } }, /^Look Back \(Days\) must be a whole number from 1/],
	])('%j is refused', (values, words) => {
		expect(refusal(() => check(values))).toMatch(words);
	});
});
