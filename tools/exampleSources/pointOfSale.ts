import {
	acountPay,
	editFields,
	ifAll,
	isSameAmount,
	merchantIdToRead,
	n8n,
	node,
	noOp,
	note,
	paymentIdIn,
	stopAndError,
	switchTo,
	type ExampleSource,
} from './kit';

const SALE = "$('Sale').first().json";
/** As the till has posted it: Edit Fields would make a number of whatever comes. */
const AMOUNT = "$('Sale Comes In').first().json.body.amount";
const PAYMENT_ID = `={{ ${paymentIdIn("$('Create Payment').first().json")} }}`;

const NOTES = {
	accessTokens: {
		body: '{ "amount": 149.99, "reference": "SALE-1001" }',
		before: 'choose your credentials, and put your merchant ID into **Sale**',
		register: '',
		wait: "AcountPay's event resumes this execution when the customer has paid or declined, or the payment has expired.\nWhen no event comes within 35 minutes, the workflow reads the payment once more.",
		outcomes: '**Paid**, **Declined** and **Expired**',
	},
	apiKeys: {
		body: '{ "amount": 149.99, "reference": "SALE-1001", "register": "REG-001" }',
		before: 'choose your credentials, and your merchant in **Create Payment**',
		register: ' It may leave out the register.',
		wait: 'The node asks AcountPay every 2 to 15 seconds until the customer has paid or declined, or the payment has expired. A restart of n8n ends the wait.',
		outcomes: '**Paid** and **Not Paid**',
	},
};

/** A till posts a sale, shows the QR code, and the workflow waits for the customer. */
export const pointOfSale: ExampleSource = {
	file: 'point-of-sale',
	title: 'point of sale',

	draw: (way) => {
		const isKeys = way === 'apiKeys';
		const notes = NOTES[way];
		const left = isKeys ? 968 : 1312;
		const failed = ['={{ $json.status }}', 'string equals', 'failed'] as const;
		const expired = ['={{ $json.status }}', 'string equals', 'expired'] as const;
		const isOneOf = "={{ ['failed', 'expired'].includes($json.status) }}";
		return {
			nodes: [
				note(
					'ask',
					[-48, -320, 720, 480],
					7,
					`## 1. Ask for the money\nYour till posts \`${notes.body}\` to the webhook's address and shows the image that it gets.${notes.register}\n\n**Before you publish:** ${notes.before}.`,
				),
				note(
					'wait',
					[696, -320, isKeys ? 200 : 544, 480],
					4,
					`## 2. Wait${isKeys ? '' : ' for the customer'}\n${notes.wait}`,
				),
				note(
					'go on',
					[left - 48, -320, 432, isKeys ? 640 : 720],
					5,
					`## 3. Continue\nPut your own steps behind ${notes.outcomes}. *Paid* means: amount and currency are the sale's. Anything else is not paid: such an execution fails, so that you see it.`,
				),
				node(
					'Sale Comes In',
					[0, 0],
					n8n('webhook', 2, {
						httpMethod: 'POST',
						path: isKeys ? 'point-of-sale-keys' : 'point-of-sale',
						authentication: 'headerAuth',
						responseMode: 'responseNode',
						options: {},
					}),
				),
				node(
					'Sale',
					[176, 0],
					editFields({
						...(!isKeys && { merchantId: 'merchant_abc123' }),
						currency: 'DKK',
						reference: '={{ $json.body.reference }}',
						...(isKeys && { register: "={{ $json.body.register ?? '' }}" }),
					}),
				),
				node(
					'Create Payment',
					[352, 0],
					acountPay(way, 'payment.create', {
						merchantId: isKeys
							? {
									__rl: true,
									mode: 'list',
									value: '11111111-1111-4111-8111-111111111111',
									cachedResultName: 'Sandbox Shop',
								}
							: '={{ $json.merchantId }}',
						amount: `={{ ${AMOUNT} }}`,
						referenceNumber: '={{ $json.reference }}',
						additionalFields: {
							currency: '={{ $json.currency }}',
							...(isKeys
								? { registerId: '={{ $json.register }}' }
								: { webhookUrl: '={{ $execution.resumeUrl }}' }),
						},
						options: { qrCode: true },
					}),
				),
				node(
					'Show QR Code',
					[528, 0],
					n8n('respondToWebhook', 1.1, { respondWith: 'binary', options: {} }),
				),
				node(
					'Wait for Customer',
					[744, 0],
					acountPay(way, 'payment.waitForCompletion', {
						...merchantIdToRead(way, `={{ ${SALE}.merchantId }}`),
						paymentId: PAYMENT_ID,
						...(!isKeys && { resumeOn: 'webhook' }),
						timeoutMinutes: 35,
						options: {},
					}),
				),
				...(isKeys
					? []
					: [
							node(
								'Timed Out?',
								[920, 0],
								ifAll(['={{ $json.waitEndedBy }}', 'string equals', 'timeout']),
							),
							node(
								'Read Once More',
								[1096, -128],
								acountPay(way, 'payment.get', {
									merchantId: `={{ ${SALE}.merchantId }}`,
									paymentId: PAYMENT_ID,
									options: {},
								}),
							),
						]),
				node(
					'How Did It End?',
					[left, isKeys ? -8 : -16],
					switchTo(
						{
							Paid: [
								['={{ $json.isPaid }}', 'boolean true'],
								[`={{ ${isSameAmount(`$json.amount ?? ${AMOUNT}`, AMOUNT)} }}`, 'boolean true'],
								[
									`={{ $json.currency ?? ${SALE}.currency }}`,
									'string equals',
									`={{ ${SALE}.currency }}`,
								],
							],
							...(isKeys
								? { 'Not paid': [[isOneOf, 'boolean true']] }
								: { Declined: [[...failed]], Expired: [[...expired]] }),
						},
						'Anything else',
					),
				),
				...(isKeys ? ['Paid', 'Not Paid'] : ['Paid', 'Declined', 'Expired']).map((name, index) =>
					node(name, [left + 240, (isKeys ? -160 : -192) + index * (isKeys ? 160 : 144)], noOp()),
				),
				node(
					'Look Into It',
					[left + 240, isKeys ? 160 : 240],
					stopAndError(
						`=It is unclear whether {{ ${SALE}.reference }} over {{ ${AMOUNT} }} {{ ${SALE}.currency }} is paid: AcountPay calls payment {{ ${PAYMENT_ID.slice(4, -3)} }} '{{ $json.status }}', {{ $json.amount }} {{ $json.currency }}. Look at it in AcountPay before you hand out the goods or ask again.`,
					),
				),
			],
			connections: [
				'Sale Comes In > Sale > Create Payment > Show QR Code > Wait for Customer',
				...(isKeys
					? ['Wait for Customer > How Did It End?']
					: [
							'Wait for Customer > Timed Out?[0] > Read Once More > How Did It End?',
							'Timed Out?[1] > How Did It End?',
						]),
				...(isKeys ? ['Paid', 'Not Paid'] : ['Paid', 'Declined', 'Expired'])
					.concat('Look Into It')
					.map((name, index) => `How Did It End?[${index}] > ${name}`),
			],
		};
	},
};
