import { demoPayments } from './demoPayments';
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

/** Three payments for three merchants, and what becomes of them. */
export const createAndGet: ExampleSource = {
	file: 'create-and-get',
	title: 'create payments and read them back',

	draw: (way) => {
		const orders = demoPayments(way);
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
