/** When a payment of AcountPay's list is the one that is wanted, and when that is not known. */
import fc from 'fast-check';
import type { IDataObject } from 'n8n-workflow';
import {
	ageOf,
	asListOf,
	compare,
	contradictionIn,
	couldBe,
	decide,
	fixedFieldsOf,
	keyOf,
	mayBeReference,
	type Relation,
	type WantedPayment,
} from '../../../../../../nodes/AcountPay/actions/payment/lookUp/samePayment';
import { listedPaymentOf } from '../../../../../../nodes/shared/api/listedPayments';

const LEFT = Date.UTC(2026, 10, 26, 12);
const iso = (ms: number) => new Date(ms).toISOString();

const wanted: WantedPayment = {
	merchantId: 'shop',
	referenceNumber: 'ORDER-1',
	amount: 149.99,
	currency: 'DKK',
	description: 'Two tickets for the evening of 5 May',
	storeId: 'aarhus',
	registerId: 'REG-1',
};

const entryOf = (
	{ merchantId, referenceNumber, ...rest }: WantedPayment,
	changes: IDataObject = {},
): IDataObject => ({
	id: 7,
	merchantClientId: merchantId,
	referenceNumber,
	...rest,
	createdAt: iso(LEFT),
	...changes,
});

const relationTo = (changes: IDataObject, other = wanted): Relation =>
	compare(other, listedPaymentOf(entryOf(other, changes))).relation;

it.each([
	// AcountPay documents two kinds of ID for a store: the response may show the other.
	[{ storeId: 'odense' }, undefined],
	[{ registerId: 'REG-2' }, undefined],
	[
		{ merchantClientId: 'kiosk', amount: 1 },
		'has the merchant kiosk instead of shop, has the amount 1 instead of 149.99',
	],
	[{ merchantClientId: ' SHOP', description: 'Words' }, undefined],
	[{ merchantClientId: null }, undefined],
])('what a create shows of it as %j contradicts what was asked for: %s', (shown, why) => {
	expect(contradictionIn(wanted, entryOf(wanted, shown))).toBe(
		why && `responded about a payment that ${why} (payment 7)`,
	);
});

it('a payment that is wrapped, or has no ID, contradicts as well', () => {
	const payment = entryOf(wanted, { id: null, currency: 'EUR' });
	expect(contradictionIn(wanted, { success: true, payment })).toBe(
		'responded about a payment that has the currency EUR instead of DKK',
	);
});

it('a payment that is asked for by its ID alone may be of any merchant', () => {
	expect(contradictionIn({}, entryOf(wanted))).toBeUndefined();
});

describe('what is told later of a payment', () => {
	const known = fixedFieldsOf({
		amount: 149.99,
		payment: { currency: 'DKK', data: { referenceNumber: 'ORDER-1' }, merchantClientId: 'shop' },
	});

	it.each<[string | undefined, unknown]>([
		[undefined, {}],
		[undefined, { amount: '149.990', currency: ' dkk', merchantClientId: 'SHOP' }],
		[undefined, { amount: null, currency: '', referenceNumber: undefined }],
		[undefined, { payment: { amount: 149.99, referenceNumber: 'ORDER-1' } }],
		[undefined, { status: 'failed', metadata: { amount: 1 } }],
		// In a form that can't be read it says nothing.
		[undefined, { amount: [1], currency: { toString: 1 }, merchantClientId: { valueOf: 1 } }],
		['amount 1 instead of 149.99', { amount: 1 }],
		['amount 0 instead of 149.99', { amount: 0 }],
		['amount 1 instead of 149.99', { amount: null, data: { amount: '1' } }],
		['currency EUR instead of DKK', { currency: 'EUR' }],
		['reference ORDER-2 instead of ORDER-1', { referenceNumber: 'ORDER-2' }],
		['reference ORDER-2 instead of ORDER-1', { payment: { referenceNumber: 'ORDER-2' } }],
		['merchant kiosk instead of shop', { merchantClientId: 'kiosk' }],
	])('has the %s: %j', (difference, told) => {
		expect(contradictionIn(known, told as IDataObject)).toBe(
			difference && `responded about a payment that has the ${difference}`,
		);
		expect(contradictionIn({}, told as IDataObject)).toBeUndefined();
		expect(fixedFieldsOf(told as IDataObject, known)).toEqual(known);
	});
});

describe('a list that shows no payment of its merchant', () => {
	const listed = (...merchants: unknown[]) =>
		asListOf(
			'shop',
			merchants.map((merchantClientId, id) =>
				listedPaymentOf(entryOf(wanted, { id, merchantClientId } as IDataObject)),
			),
		);

	it.each<unknown>([42, 'm_42', 'sh op'])('may write its ID as %p: a doubt', (form) => {
		for (const payment of listed(form, 'kiosk')) {
			expect(compare(wanted, payment)).toEqual({
				relation: 'incomplete',
				differences: [`is listed for the merchant '${payment.id === '0' ? form : 'kiosk'}'`],
			});
			expect(compare(withReference('ORDER-2'), payment).relation).toBe('other');
		}
		const bare = { ...listed(form)[0], amount: undefined };
		expect(decide([bare], { payment: wanted }, () => false)).toEqual({
			kind: 'doubt',
			why: `shows payment 0, which is listed for the merchant '${form}' and is listed without its amount`,
		});
		expect(compare(wanted, listed(undefined)[0]).differences).toEqual([
			'is listed without its merchant',
		]);
	});

	it('is none when one is, however it is spaced and spelled', () => {
		for (const own of ['shop', ' SHOP ']) {
			expect(listed('kiosk', own, 42).map((payment) => compare(wanted, payment).relation)).toEqual([
				'other',
				'same',
				'other',
			]);
		}
	});
});

const withReference = (referenceNumber: string) => ({ ...wanted, referenceNumber });

describe('a listed payment', () => {
	it.each<[string, IDataObject]>([
		['all equal', {}],
		[
			'spaces around its texts',
			{ referenceNumber: ' ORDER-1 ', description: `${wanted.description} ` },
		],
		["the case of the merchant's ID", { merchantClientId: ' SHOP' }],
		['the case of the currency', { currency: 'dkk' }],
		['an amount as text', { amount: '149.990' }],
		['nothing of what is optional', { description: null, storeId: null, registerId: undefined }],
		['a description that is cut off', { description: 'Two tickets for the…' }],
		['more than was asked for', { status: 'paid', note: 1 }],
	])('is the same with %s', (_what, changes) => {
		expect(relationTo(changes)).toBe('same');
	});

	it('is the same with a description that is cut off behind dots of its own', () => {
		const order = { ...wanted, description: 'Soup... or salad for two' };
		expect(relationTo({ description: 'Soup... or sal...' }, order)).toBe('same');
	});

	it('is the same when something is shown that was not asked for', () => {
		const order = { merchantId: 'shop', referenceNumber: 'ORDER-1' };
		expect(compare(order, listedPaymentOf(entryOf(wanted))).relation).toBe('same');
	});

	it.each<[string, IDataObject]>([
		['has the amount 149.98 instead of 149.99', { amount: 149.98 }],
		['has the currency EUR instead of DKK', { currency: 'EUR' }],
		[`has the description Bo instead of ${wanted.description}`, { description: 'Bo' }],
		['has the store odense instead of aarhus', { storeId: 'odense' }],
		['has the register REG-2 instead of REG-1', { registerId: 'REG-2' }],
	])('differs: it %s', (difference, changes) => {
		expect(compare(wanted, listedPaymentOf(entryOf(wanted, changes)))).toEqual({
			relation: 'differs',
			differences: [difference],
		});
	});

	it.each(['id', 'merchantClientId', 'referenceNumber', 'amount', 'currency', 'createdAt'])(
		'is incomplete without its %s, unless the rest says that it is another one',
		(name) => {
			expect(relationTo({ [name]: undefined })).toBe('incomplete');
			expect(relationTo({ [name]: '' })).toBe('incomplete');
			if (name !== 'referenceNumber') {
				expect(relationTo({ [name]: undefined, referenceNumber: 'ORDER-2' })).toBe('other');
			}
			if (name !== 'merchantClientId') {
				expect(relationTo({ [name]: undefined, merchantClientId: 'kiosk' })).toBe('other');
			}
		},
	);

	it.each<[string, string, Relation]>([
		['ORDER-1', 'ORDER-1\u200b', 'same'],
		['\ufeffORD\u00adER-1', ' ORDER-1', 'same'],
		['ORDER-1', 'order-1', 'similar'],
		['ORDER-1', 'ORDER 1', 'similar'],
		['ORDER-1', 'ORDER/1/', 'similar'],
		['Sørensen-1', 'SORENSEN-1', 'similar'],
		['Sørensen-1', 'Soerensen 1', 'similar'],
		['Ærø-Århus', 'AEROE-AARHUS', 'similar'],
		['Café 1', 'Cafe 1', 'similar'],
		['ORDER-1 🎉', 'ORDER-1', 'similar'],
		['INVOICE-2026-000017-B', 'INVOICE-2026-00001', 'similar'],
		['INVOICE-2026-000017-B', 'invoice 2026 00001', 'similar'],
		['INVOICE-2026-000017-B', 'INVOICE-2026-0000', 'other'],
		['INVOICE-2026-00001', 'INVOICE-2026-000017-B', 'other'],
		['ORDER-1', 'ORDER-10', 'other'],
		['ORDER-10', 'ORDER-1', 'other'],
		['ORDER-1-0', 'ORDER-10', 'other'],
		['ORDER-1', 'ORDER-2', 'other'],
		['---', '///', 'other'],
		['Cafe\u0301', 'Caf\u00e9', 'same'],
	])('of %p with the reference %p is %s', (ours, theirs, relation) => {
		const one = withReference(ours);
		expect(relationTo({ referenceNumber: theirs }, one)).toBe(relation);
	});

	it('may be one whose reference has neither letters nor digits only as it was written', () => {
		expect([' ---', '///'].map((shown) => mayBeReference('---', shown))).toEqual([true, false]);
	});

	it('is another one with another merchant, whatever else is equal', () => {
		expect(relationTo({ merchantClientId: 'kiosk' })).toBe('other');
	});

	it('has the same key exactly when merchant and reference are equal', () => {
		expect(keyOf({ merchantId: ' SHOP', referenceNumber: 'Cafe\u0301 ' })).toBe(
			keyOf({ merchantId: 'shop', referenceNumber: 'Caf\u00e9' }),
		);
		expect(keyOf(wanted)).not.toBe(keyOf(withReference('order-1')));
	});
});

describe('the age of a payment', () => {
	const times = { from: LEFT, to: LEFT + 900, until: LEFT + 60_900 };

	it.each([
		[LEFT - 120_001, 'before'],
		[LEFT - 120_000, 'around'],
		[LEFT - 1_101, 'around'],
		[LEFT - 1_100, 'since'],
		[LEFT + 60_900, 'since'],
		[LEFT + 60_901, 'around'],
	])('%i is %s', (createdAt, age) => {
		expect(ageOf(createdAt, times)).toBe(age);
	});

	it('is not known without a clock or a date', () => {
		expect(ageOf(LEFT, {})).toBe('around');
		expect(ageOf(undefined, times)).toBe('around');
	});
});

describe('a request with an unknown outcome', () => {
	const request = { payment: wanted, from: LEFT, to: LEFT + 900, until: LEFT + 60_900 };
	const nobodys = () => false;
	const decided = (
		entries: IDataObject[],
		more: object = {},
		isTaken: (id: string) => boolean = nobodys,
	) => decide(entries.map(listedPaymentOf), { ...request, ...more }, isTaken);
	const mine = entryOf(wanted);
	const long = 'has the description Bo instead of Two tickets for the evening of 5 May';

	it('has created the one payment that is the same, since it left', () => {
		const other = entryOf(wanted, { id: 8, referenceNumber: 'ORDER-10' });
		const older = entryOf(wanted, { id: 9, createdAt: iso(LEFT - 120_001) });
		expect(decided([other, mine, older])).toMatchObject({ kind: 'found', payment: { id: '7' } });
	});

	it("has not created somebody else's, an older or another one", () => {
		expect(decided([mine], {}, (id) => id === '7')).toEqual({ kind: 'none', older: [] });
		const old = { createdAt: iso(LEFT - 200_000) };
		const similar = entryOf(wanted, { ...old, id: 9, referenceNumber: 'order-1' });
		const differing = entryOf(wanted, { ...old, id: 8, amount: 1 });
		expect(decided([entryOf(wanted, old), differing, similar])).toEqual({
			kind: 'none',
			older: ['7', '8'],
		});
		for (const no of [[], [entryOf(wanted, { ...old, referenceNumber: 'ORDER-10' })]]) {
			expect(decided(no)).toEqual({ kind: 'none', older: [] });
		}
	});

	it.each<[string, string, IDataObject[], object]>([
		['several', 'shows 2 payments that could be it: 7, 8', [mine, { ...mine, id: 8 }], {}],
		['no clock', 'shows payment 7, which may be older or newer', [mine], { from: undefined }],
		[
			'a similar one besides',
			"shows payment 8, which has the reference 'order-1' instead of 'ORDER-1' and has the amount 1 instead of 149.99",
			[mine, { ...mine, id: 8, referenceNumber: 'order-1', amount: 1 }],
			{},
		],
		[
			'one that differs besides',
			`shows payment 8, which ${long}`,
			[mine, { ...mine, id: 8, description: 'Bo' }],
			{},
		],
		[
			'an incomplete one',
			'shows payment without an ID, which is listed without its ID',
			[{ ...mine, id: undefined }],
			{},
		],
		[
			'one that has failed',
			'shows payment 7, which has already failed',
			[{ ...mine, status: 'failed' }],
			{},
		],
		[
			'company',
			'shows payment 7, but another payment with this reference was requested too',
			[mine],
			{ wasNotAlone: true },
		],
	])('is in doubt with %s', (_what, why, entries, more) => {
		expect(decided(entries, more)).toEqual({ kind: 'doubt', why });
	});

	it('names three of many', () => {
		const many = [7, 8, 9, 10, 11].map((id) => ({ ...mine, id }));
		expect(decided(many)).toEqual({
			kind: 'doubt',
			why: 'shows 5 payments that could be it: 7, 8, 9 and 2 more',
		});
	});

	const offset = fc.integer({ min: -200_000, max: 200_000 });
	const change = fc.oneof(
		fc.constant({}),
		fc.record({
			referenceNumber: fc.constantFrom('ORDER-1', 'order 1', 'ORDER-10', 'X', '', ' ORDER-1'),
		}),
		fc.record({ amount: fc.constantFrom(149.99, '149.99', 1, 'x', null) }),
		fc.record({ description: fc.constantFrom('Two', 'Bo', null) }),
		fc.record({ merchantClientId: fc.constantFrom('SHOP', 'kiosk', undefined) }),
		fc.record({ createdAt: fc.constantFrom('yesterday', undefined) }),
	);
	const anyEntry = fc.tuple(fc.integer({ min: 1, max: 9 }), offset, change, change).map(
		([id, after, one, two]): IDataObject => ({
			...entryOf(wanted, { id, createdAt: iso(LEFT + after) }),
			...one,
			...two,
		}),
	);
	const anyList = fc.uniqueArray(anyEntry, { selector: ({ id }) => id, maxLength: 6 });
	const anyOwner = fc.uniqueArray(fc.integer({ min: 1, max: 9 }).map(String), { maxLength: 3 });

	it('is given a payment only when the list leaves no other reading, whatever it shows', () => {
		fc.assert(
			fc.property(anyList, anyOwner, fc.boolean(), (entries, owned, wasNotAlone) => {
				const isTaken = (id: string) => owned.includes(id);
				const decision = decided(entries, { wasNotAlone }, isTaken);
				const possible = entries.map(listedPaymentOf).filter((listed) => {
					const isOthers = listed.id !== undefined && isTaken(listed.id);
					const isBefore = listed.createdAt !== undefined && listed.createdAt < LEFT - 120_000;
					return !isOthers && !isBefore && compare(wanted, listed).relation !== 'other';
				});
				if (decision.kind === 'none') return possible.length === 0;
				if (decision.kind === 'doubt') return possible.length > 0;
				const [only] = possible;
				return (
					!wasNotAlone &&
					possible.length === 1 &&
					only.id === decision.payment.id &&
					compare(wanted, only).relation === 'same' &&
					only.createdAt! >= LEFT - 1_100
				);
			}),
			{ numRuns: 3_000 },
		);
	});

	it('keeps a doubt whatever else comes into the list, and no order of the list matters', () => {
		fc.assert(
			fc.property(anyList, anyEntry, fc.nat(), (entries, more, turn) => {
				const before = decided(entries);
				const turned = [
					...entries.slice(turn % (entries.length + 1)),
					...entries.slice(0, turn % (entries.length + 1)),
				];
				expect(decided(turned).kind).toBe(before.kind);
				const added = { ...more, id: 99 };
				const after = decided([...entries, added]);
				if (before.kind === 'doubt') expect(after.kind).toBe('doubt');
				if (before.kind === 'found' && after.kind === 'found')
					expect(after.payment.id).toBe(before.payment.id);
			}),
			{ numRuns: 3_000 },
		);
	});

	it('is found each of 200 times with distinct references and an orderly list', () => {
		const orders = Array.from({ length: 200 }, (_, index) => withReference(`ORDER-${index + 1}`));
		fc.assert(
			fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 30_000 })), (delays) => {
				const entries = orders.map((order, id) =>
					entryOf(order, { id, createdAt: iso(LEFT + delays.next().value!) }),
				);
				const list = entries.map(listedPaymentOf);
				for (const [id, payment] of orders.entries()) {
					expect(decide(list, { ...request, payment }, nobodys)).toMatchObject({
						payment: { id: String(id) },
					});
				}
			}),
			{ numRuns: 5 },
		);
	});
});

describe('what speaks against sending again', () => {
	const against = (changes: IDataObject, taken: string[] = []) =>
		couldBe([listedPaymentOf(entryOf(wanted, changes))], wanted, LEFT, (id) => taken.includes(id));

	it.each<[string, IDataObject]>([
		['another reference', { referenceNumber: 'X' }],
		['a merchant that is written otherwise', { merchantClientId: '1001' }],
		['a clock in the wrong zone', { createdAt: iso(LEFT - 26 * 3_600_000) }],
		['a later date', { createdAt: iso(LEFT + 48 * 3_600_000) }],
		['no date', { createdAt: null }],
		['no amount', { amount: null }],
		['no currency', { currency: '' }],
		['another description', { description: 'Bo' }],
	])('is a payment of the same amount with %s', (_what, changes) => {
		expect(against(changes)).toEqual(['7']);
	});

	it('is any payment of that amount when it is not known when the request left', () => {
		const old = [listedPaymentOf(entryOf(wanted, { createdAt: '2020-01-01T00:00:00Z' }))];
		expect(couldBe(old, wanted, undefined, () => false)).toEqual(['7']);
	});

	it('is a payment without an ID, too', () => {
		expect(against({ id: null }, ['7'])).toEqual(['without an ID']);
	});

	it.each<[string, IDataObject, string[]]>([
		['of another amount', { amount: 1 }, []],
		['of another currency', { currency: 'EUR' }, []],
		['that is more than 26 hours old', { createdAt: iso(LEFT - 26 * 3_600_000 - 1) }, []],
		["that is known to be somebody else's", {}, ['7']],
	])('is no payment %s', (_what, changes, taken) => {
		expect(against(changes, taken)).toEqual([]);
	});
});
