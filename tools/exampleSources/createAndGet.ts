import {
	acountPay,
	editFields,
	listOf,
	manualTrigger,
	merchantId,
	merchantIdToRead,
	n8n,
	node,
	note,
	paymentIdIn,
	type ExampleSource,
} from './kit';

/** Merchants of this package's sandbox: the first pays at once, the second never, the third waits for the customer. */
const MERCHANTS = {
	accessTokens: ['test_merchant_success', 'test_merchant_fail', 'merchant_abc123'],
	apiKeys: [
		'22222222-2222-4222-8222-222222222222',
		'33333333-3333-4333-8333-333333333333',
		'11111111-1111-4111-8111-111111111111',
	],
};

const AMOUNTS = [149.99, 49.5, 899];

/** Three payments for three merchants, and what becomes of them. */
export const createAndGet: ExampleSource = {
	file: 'create-and-get',
	title: 'create payments and read them back',

	draw: (way) => {
		const orders = AMOUNTS.map((amount, index) => ({
			merchantId: MERCHANTS[way][index],
			reference: `ORDER-${1001 + index}`,
			amount,
		}));
		return {
			nodes: [
				note(
					'orders',
					[-48, -256, 800, 432],
					7,
					"## 1. Create the payments\nChoose your AcountPay credential in **Create Payment** and **Get Payment**. **Orders** holds sample orders of three merchants; they are merchants of this package's sandbox, so put your own merchant IDs in their place.",
				),
				note(
					'read',
					[776, -256, 464, 432],
					4,
					'## 2. Read them back\nAfter two seconds, each payment is read. `isPaid` says whether the money has come.',
				),
				node('Start', [0, 0], manualTrigger()),
				node('Orders', [192, 0], editFields({ orders: listOf(JSON.stringify(orders, null, 2)) })),
				node(
					'Each Order',
					[384, 0],
					n8n('splitOut', 1, { fieldToSplitOut: 'orders', options: {} }),
				),
				node(
					'Create Payment',
					[576, 0],
					acountPay(way, 'payment.create', {
						merchantId: merchantId(way, '={{ $json.merchantId }}'),
						amount: '={{ $json.amount }}',
						referenceNumber: '={{ $json.reference }}',
						additionalFields: {},
						options: {},
					}),
				),
				node('Wait', [832, 0], n8n('wait', 1.1, { amount: 2, unit: 'seconds' })),
				node(
					'Get Payment',
					[1056, 0],
					acountPay(way, 'payment.get', {
						...merchantIdToRead(way, "={{ $('Each Order').item.json.merchantId }}"),
						paymentId: `={{ ${paymentIdIn('$json')} }}`,
						options: {},
					}),
				),
			],
			connections: ['Start > Orders > Each Order > Create Payment > Wait > Get Payment'],
		};
	},
};
