import { DEMO_AMOUNTS, DEMO_MERCHANTS } from './demoPayments';
import {
	acountPay,
	manualTrigger,
	merchantIdToRead,
	node,
	note,
	paymentIdIn,
	type ExampleSource,
	type Way,
} from './kit';

/** A merchant of this package's sandbox whose payments are paid after a second. */
const merchantOf = (way: Way) =>
	way === 'apiKeys'
		? {
				__rl: true,
				mode: 'list',
				value: DEMO_MERCHANTS.apiKeys[0],
				cachedResultName: 'Always Paid ApS',
			}
		: DEMO_MERCHANTS.accessTokens[0];

/** A payment with its QR code, and the wait until it has ended. */
export const createAndWait: ExampleSource = {
	file: 'create-and-wait',
	title: 'create a payment and wait for it',

	draw: (way) => ({
		nodes: [
			note(
				'create',
				[-48, -288, 520, 464],
				7,
				`## 1. Create a payment\nChoose your AcountPay credential in both AcountPay nodes, and your merchant in **Create Payment**. *${way === 'apiKeys' ? 'Always Paid ApS' : 'test_merchant_success'}* is a merchant of this package's sandbox: its payments are paid after a second, without a customer.\n\nThe output of **Create Payment** has the page where the customer pays (\`paymentUrl\`), and its QR code as an image.`,
			),
			note(
				'wait',
				[496, -288, 320, 464],
				4,
				'## 2. Wait for the customer\nThe node asks AcountPay every 2 to 15 seconds until the payment has ended. `isPaid` says whether the money has come.',
			),
			node('Start', [0, 0], manualTrigger()),
			node(
				'Create Payment',
				[272, 0],
				acountPay(way, 'payment.create', {
					merchantId: merchantOf(way),
					amount: DEMO_AMOUNTS[0],
					referenceNumber: '=ORDER-{{ $execution.id }}',
					additionalFields: {},
					options: { qrCode: true },
				}),
			),
			node(
				'Wait for Completion',
				[592, 0],
				acountPay(way, 'payment.waitForCompletion', {
					...merchantIdToRead(way, 'test_merchant_success'),
					paymentId: `={{ ${paymentIdIn('$json')} }}`,
					...(way === 'accessTokens' && { resumeOn: 'polling' }),
					timeoutMinutes: 35,
					options: {},
				}),
			),
		],
		connections: ['Start > Create Payment > Wait for Completion'],
	}),
};
