import {
	acountPay,
	acountPayTrigger,
	createTable,
	editFields,
	getRows,
	ifAll,
	isSameAmount,
	merchantId,
	merchantIdToRead,
	node,
	noOp,
	note,
	stopAndError,
	switchTo,
	updateRows,
	type ExampleSource,
} from './kit';
import { ORDERS } from './tables';

const EVENT = "$('AcountPay Trigger').first().json.data";
const ORDER = "$('Find the Order').first().json";
const PAYMENT_ID = `String(${EVENT}.paymentId)`;
const EVENT_MONEY = `{{ ${EVENT}.amount }} {{ ${EVENT}.currency }}`;

/** The states in which an order waits for money. A shop's own, such as `cancelled`, is none of them. */
const WAITING = ['', 'creating', 'created', 'declined', 'expired', 'notCreated', 'unknown'];

/** What becomes of an order when only AcountPay's status or list lags behind. */
const NIGHTLY =
	"Nightly reconciliation marks the order once AcountPay reports it as paid, provided that its state is 'created' and its paymentId is noted.";

/** What the table has instead of an order that waits. */
const IN_THE_TABLE = `{{ $('Find the Order').all().filter(({ json }) => json.id).map(({ json }) => "one with the state '" + (json.state ?? '') + "' and " + (json.paymentId ? 'payment ' + json.paymentId : 'no payment')).join(', and ') || 'none' }}`;

/** Marks an order as paid when AcountPay says so, once. */
export const paidOrders: ExampleSource = {
	file: 'paid-orders',
	title: 'paid orders',

	draw: (way) => {
		const isKeys = way === 'apiKeys';
		/** What the nodes that find the payment take, in pixels. */
		const shift = isKeys ? 416 : 0;
		return {
			nodes: [
				note(
					'event',
					[-48, -352, 752, 528],
					7,
					`## 1. AcountPay says: paid\nChoose your AcountPay credential, and write into **Settings** which environment it is for: \`sandbox\` or \`production\`. Then publish this workflow.${isKeys ? ' The trigger registers itself.' : ' Copy the *Production URL* of the trigger into *Webhook URL* of every node that creates payments.'}\n\nThe order is looked up by its reference in the data table **AcountPay orders**. An order that has another payment or a state of your own, or several with the same reference, are left to you.`,
				),
				note(
					'check',
					[728, -352, 736 + shift, 528],
					4,
					`## 2. Check it\n${isKeys ? '**Find Payment** compares the payment with the order: merchant, reference, amount and currency. Then ' : 'AcountPay is asked for the payment of this merchant, and amount, currency and reference are compared with the order.\n'}**Wait for the Status** asks AcountPay until the payment is paid there too, for up to ten minutes: an event can come before its status.`,
				),
				note(
					'mark',
					[1488 + shift, -352, 576, 528],
					5,
					'## 3. Mark the order as paid, once\nPut your own steps behind **Paid Just Now**: they run at most once per order, however often AcountPay sends the event. They do not run for an order that **Nightly reconciliation** marks.',
				),
				note(
					'odd',
					[728, 200, 1336 + shift, 272],
					3,
					'## What does not fit\nThe execution fails, so that you see it: compare the payment in AcountPay with the order before you ship or pay back.',
				),
				node('AcountPay Trigger', [0, 0], acountPayTrigger(way, ['payment.completed'])),
				node('Settings', [176, 0], editFields({ environment: 'sandbox' })),
				node('Create the Table', [352, 0], createTable(ORDERS)),
				node(
					'Find the Order',
					[528, 0],
					getRows(ORDERS, [
						['reference', 'eq', `={{ ${EVENT}.referenceNumber }}`],
						['environment', 'eq', "={{ $('Settings').first().json.environment }}"],
					]),
					{ alwaysOutputData: true },
				),
				node(
					'Does It Wait for Money?',
					[776, -16],
					switchTo(
						{
							Yes: [
								["={{ $('Find the Order').all().length }}", 'number equals', 1],
								['={{ $json.id }}', 'number exists'],
								[
									`={{ ${JSON.stringify(WAITING).replaceAll('"', "'")}.includes($json.state ?? '') }}`,
									'boolean true',
								],
								[`={{ [${PAYMENT_ID}, ''].includes($json.paymentId ?? '') }}`, 'boolean true'],
							],
							'Paid by it': [
								["={{ $json.state ?? '' }}", 'string equals', 'paid'],
								["={{ $json.paymentId ?? '' }}", 'string equals', `={{ ${PAYMENT_ID} }}`],
							],
						},
						'No',
					),
				),
				...(isKeys
					? [
							node(
								'Find Payment',
								[1096, 0],
								acountPay(way, 'payment.find', {
									merchantId: merchantId(way, '={{ $json.merchantId }}'),
									referenceNumber: '={{ $json.reference }}',
									additionalFields: {
										amount: '={{ $json.amount }}',
										currency: "={{ $json.currency || 'DKK' }}",
									},
									// For each event, the list is read.
									options: { lookBackDays: 2 },
								}),
							),
							node(
								'Is It Its Payment?',
								[1288, 0],
								ifAll([
									`={{ $json.candidates.some((one) => one.relation === 'same' && String(one.payment.paymentId) === ${PAYMENT_ID}) }}`,
									'boolean true',
								]),
							),
						]
					: []),
				node(
					'Wait for the Status',
					[1096 + shift, 0],
					acountPay(way, 'payment.waitForCompletion', {
						...merchantIdToRead(way, `={{ ${ORDER}.merchantId }}`),
						paymentId: `={{ ${EVENT}.paymentId }}`,
						...(!isKeys && { resumeOn: 'polling' }),
						timeoutMinutes: 10,
						options: {},
					}),
				),
				node(
					'As Ordered?',
					[1304 + shift, 0],
					ifAll(
						['={{ $json.isPaid }}', 'boolean true'],
						[
							`={{ ${isSameAmount(`$json.amount ?? ${EVENT}.amount`, `${ORDER}.amount`)} }}`,
							'boolean true',
						],
						[
							`={{ $json.currency ?? ${EVENT}.currency }}`,
							'string equals',
							`={{ ${ORDER}.currency || 'DKK' }}`,
						],
						[
							`={{ $json.referenceNumber ?? ${EVENT}.referenceNumber }}`,
							'string equals',
							`={{ ${ORDER}.reference }}`,
						],
					),
				),
				node(
					'Mark as Paid',
					[1536 + shift, 0],
					updateRows(
						ORDERS,
						[
							['id', 'eq', `={{ ${ORDER}.id }}`],
							[
								'state',
								`={{ ${ORDER}.state === null ? 'isEmpty' : 'eq' }}`,
								`={{ ${ORDER}.state }}`,
							],
						],
						{ state: 'paid', paymentId: `={{ ${PAYMENT_ID} }}`, note: '' },
					),
					{ alwaysOutputData: true },
				),
				node('Marked?', [1728 + shift, 0], ifAll(['={{ $json.id }}', 'number exists'])),
				node('Paid Just Now', [1920 + shift, -8], noOp()),
				node('Nothing Left to Do', [1096, -176], noOp()),
				node(
					'No Order for It',
					[1096, 304],
					stopAndError(
						`=Payment {{ ${EVENT}.paymentId }} of ${EVENT_MONEY} is paid, but no order '{{ ${EVENT}.referenceNumber }}' waits for it. The table has ${IN_THE_TABLE}.`,
					),
				),
				...(isKeys
					? [
							node(
								'Not Its Payment',
								[1512, 304],
								stopAndError(
									`=Payment {{ ${EVENT}.paymentId }} of ${EVENT_MONEY} is paid, but AcountPay does not list it for the order '{{ ${ORDER}.reference }}' of merchant {{ ${ORDER}.merchantId }} with {{ ${ORDER}.amount }} {{ ${ORDER}.currency }}.{{ $json.candidates.map((one) => ' It lists payment ' + one.payment.paymentId + (one.differences.length ? ', which ' + one.differences.join(' and ') : '') + '.').join('') }} If its list only lags behind, ${NIGHTLY}`,
								),
							),
						]
					: []),
				node(
					'Not as Ordered',
					[1536 + shift, 304],
					stopAndError(
						`=AcountPay calls payment {{ ${EVENT}.paymentId }} '{{ $json.status }}', {{ $json.amount ?? ${EVENT}.amount }} {{ $json.currency ?? ${EVENT}.currency }} for '{{ $json.referenceNumber ?? ${EVENT}.referenceNumber }}'. The order '{{ ${ORDER}.reference }}' is {{ ${ORDER}.amount }} {{ ${ORDER}.currency }}. If only the status lags behind, ${NIGHTLY}`,
					),
				),
			],
			connections: [
				'AcountPay Trigger > Settings > Create the Table > Find the Order > Does It Wait for Money?',
				...(isKeys
					? [
							'Does It Wait for Money? > Find Payment > Is It Its Payment? > Wait for the Status',
							'Is It Its Payment?[1] > Not Its Payment',
						]
					: ['Does It Wait for Money? > Wait for the Status']),
				'Does It Wait for Money?[1] > Nothing Left to Do',
				'Does It Wait for Money?[2] > No Order for It',
				'Wait for the Status > As Ordered? > Mark as Paid > Marked? > Paid Just Now',
				'As Ordered?[1] > Not as Ordered',
				'Marked?[1] > Find the Order',
			],
		};
	},
};
