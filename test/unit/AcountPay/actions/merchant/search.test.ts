import { pickerItems } from '../../../../../nodes/AcountPay/actions/merchant/search';

const merchant = (companyName: unknown, clientId: unknown, more = {}) =>
	({ companyName, clientId, status: 'active', ...more }) as never;

const MERCHANTS = [
	merchant('Nordic Coffee ApS', 'client-1', { merchantId: 42, partnerRefId: 'customer-7' }),
	merchant('æble', 'client-2', { status: 'pending' }),
	merchant('Bageri', 'client-3', { status: undefined }),
];
const names = (filter?: string) => pickerItems(MERCHANTS, filter).map(({ name }) => name);

it('merchants are picked by name, and paid by their client ID', () => {
	expect(pickerItems(MERCHANTS)).toEqual([
		{ name: 'æble (pending)', value: 'client-2' },
		{ name: 'Bageri', value: 'client-3' },
		{ name: 'Nordic Coffee ApS', value: 'client-1' },
	]);
});

it.each([
	['', 3],
	[' nordic ', 1],
	['COFFEE', 1],
	['client-', 3],
	['42', 1],
	['customer-7', 1],
	['undefined', 0],
	['nobody', 0],
])('%j finds %i', (filter, count) => {
	expect(names(filter)).toHaveLength(count);
});

it('a merchant without a name goes by its ID, one without an ID can not be paid', () => {
	expect(
		pickerItems([
			merchant('', 'client-4'),
			merchant(undefined, 'client-5'),
			merchant(7, 'client-6'),
			merchant('No client', ''),
			merchant('No client', undefined),
			merchant('A number', 8),
		]),
	).toEqual(['client-4', 'client-5', 'client-6'].map((value) => ({ name: value, value })));
});

it('merchants with one name are told by their IDs, also when one of them is looked for', () => {
	const shops = [
		merchant('Shop', 'client-8'),
		merchant('Shop', 'client-7'),
		merchant('Shop', 'client-9', { status: 'pending' }),
	];
	expect(pickerItems(shops).map(({ name }) => name)).toEqual([
		'Shop (pending)',
		'Shop, client-7',
		'Shop, client-8',
	]);
	expect(pickerItems(shops, 'client-7')).toEqual([{ name: 'Shop, client-7', value: 'client-7' }]);
});
