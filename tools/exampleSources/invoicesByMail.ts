import {
	acountPay,
	createTable,
	editFields,
	escaped,
	getRows,
	ifAll,
	ifSent,
	MAILING,
	manualTrigger,
	merchantId,
	n8n,
	node,
	note,
	notSent,
	ordersWhere,
	paymentIdIn,
	stopAndError,
	updateRows,
	type ExampleSource,
} from './kit';
import { ORDERS } from './tables';

const ROW = "$('Claim the Invoices').item.json";
const SETTINGS = "$('Settings').first().json";

/** Only the row that this execution has claimed: somebody may have freed it, and another execution have claimed it. */
const CLAIMED = [
	['id', 'eq', `={{ ${ROW}.id }}`],
	['state', 'eq', 'creating'],
	['note', 'eq', `={{ ${ROW}.note }}`],
] as Array<[string, string, string]>;

const MAIL = `=<p>Dear {{ ${escaped(`${ROW}.customer`)} }},</p>
<p>Please pay {{ ${ROW}.amount.toFixed(2) }} {{ ${escaped(`(${ROW}.currency || 'DKK')`)} }} for invoice {{ ${escaped(`${ROW}.reference`)} }}.</p>
<p>{{ $json.paymentUrl ? '<a href="' + ${escaped('$json.paymentUrl')} + '">Pay with your bank</a>, or scan' : 'Scan' }} this code with your phone:</p>
<p><img src="cid:data" alt="QR code to pay" width="240"></p>
<p>The link and the code are good for 30 minutes. After that, write to us and we send new ones.</p>`;

const STATE =
	"={{ ['invalid', 'refused', 'unavailable'].includes($json.details?.outcome) ? 'notCreated' : $json.details?.outcome === 'made' ? 'created' : 'unknown' }}";

/** Creates a payment for each new row of the table, and mails link and QR code. */
export const invoicesByMail: ExampleSource = {
	file: 'invoices-by-mail',
	title: 'invoices by mail',

	draw: (way) => ({
		nodes: [
			note(
				'rows',
				[-48, -288, 1248, 464],
				7,
				`## 1. Take the invoices that are new\nEach row of the data table **AcountPay orders** is an invoice. A row whose *state* is empty is new; if another row has its reference, it is left to you. The first execution creates the table. Then add your rows under *Data tables* and run the workflow again.\n\n**Settings** says which environment your credential is for: \`sandbox\` or \`production\`. It is noted in each row, so that orders that you try in the sandbox stay there.\nA row is marked *creating* before its payment is created, so that no execution creates a second one.`,
			),
			note(
				'create',
				[1224, -288, 256, 464],
				4,
				way === 'apiKeys'
					? '## 2. Create the payment\nChoose your AcountPay credential here.'
					: '## 2. Create the payment\nChoose your AcountPay credential here.\nWith the example **Paid orders**, add *Webhook URL* under *Additional Fields*: the *Production URL* of its trigger.',
			),
			note(
				'mail',
				[1504, -288, 1152, 928],
				5,
				"## 3. Send the mail\nChoose your mail account in **Send the Mail**, and put the sender's address into **Settings**.\nWhat goes wrong is in the column *note*, and the execution fails, so that you see it.\nA row that stays *creating* or becomes *unknown*: wait until the execution that its *note* names has ended. Then look for the reference in AcountPay. Empty *state* only if there is no payment with it.",
			),
			node('Start', [0, 0], manualTrigger()),
			node(
				'Settings',
				[176, 0],
				editFields({ environment: 'sandbox', sender: 'shop@example.com' }),
			),
			node('Create the Table', [352, 0], createTable(ORDERS)),
			node('All Orders', [528, 0], getRows(ORDERS, [], 'anyCondition')),
			node('New Invoices', [704, 0], ordersWhere('!row.state && isHere(row)')),
			node('Only One?', [880, 0], ifAll(['={{ $json.problem }}', 'string empty'])),
			node(
				'Claim the Invoices',
				[1056, 0],
				updateRows(
					ORDERS,
					[
						['id', 'eq', '={{ $json.id }}'],
						['state', 'isEmpty'],
						[
							'environment',
							"={{ $json.environment ? 'eq' : 'isEmpty' }}",
							`={{ ${SETTINGS}.environment }}`,
						],
					],
					{
						state: 'creating',
						environment: `={{ ${SETTINGS}.environment }}`,
						paymentId: '',
						note: '=Execution {{ $execution.id }} is creating the payment',
					},
				),
			),
			node(
				'Create Payment',
				[1304, 0],
				acountPay(way, 'payment.create', {
					merchantId: merchantId(way, '={{ $json.merchantId }}'),
					amount: '={{ $json.amount }}',
					referenceNumber: '={{ $json.reference }}',
					additionalFields: { currency: '={{ $json.currency }}' },
					options: { qrCode: true, ...(way === 'apiKeys' && { existingPayment: 'fail' }) },
				}),
				{ onError: 'continueErrorOutput' },
			),
			node(
				'Note the Payment',
				[1552, -64],
				updateRows(ORDERS, CLAIMED, {
					state: 'created',
					paymentId: `={{ ${paymentIdIn('$json')} }}`,
					note: MAILING,
				}),
			),
			node(
				'Was It Noted?',
				[1552, 112],
				ifAll([
					`={{ $('Note the Payment').all().some((row) => row.json.id === ${ROW}.id) }}`,
					'boolean true',
				]),
			),
			node(
				'Send the Mail',
				[1760, 48],
				n8n('emailSend', 2.1, {
					resource: 'email',
					operation: 'send',
					fromEmail: `={{ ${SETTINGS}.sender }}`,
					toEmail: `={{ ${ROW}.email }}`,
					subject: `=Invoice {{ ${ROW}.reference }}`,
					emailFormat: 'html',
					html: MAIL,
					options: { appendAttribution: false, attachments: 'data' },
				}),
				{ onError: 'continueRegularOutput' },
			),
			node('Was It Sent?', [1952, 48], ifSent()),
			node(
				'Not Noted',
				[1760, 256],
				editFields({
					reference: `={{ ${ROW}.reference }}`,
					note: `=payment {{ ${paymentIdIn('$json')} }} was created for it and not mailed, because somebody changed its row meanwhile. Wait until all executions for it have ended, then look in AcountPay for all payments with this reference, and enter the one that counts`,
				}),
			),
			node(
				'Not Sent',
				[2144, 128],
				editFields({ reference: `={{ ${ROW}.reference }}`, note: notSent('Send the Mail') }),
			),
			node(
				'Note the Mail',
				[2336, -48],
				updateRows(
					ORDERS,
					[
						['id', 'eq', `={{ ${ROW}.id }}`],
						['note', 'eq', MAILING],
					],
					{ note: "={{ $json.note ?? '' }}" },
				),
			),
			node(
				'Note the Payment Error',
				[1552, 336],
				updateRows(ORDERS, CLAIMED, {
					state: STATE,
					paymentId: "={{ $json.details?.payment?.paymentId ?? $json.details?.payment?.id ?? '' }}",
					note: '={{ $json.error }}',
				}),
			),
			node(
				'Not Created',
				[1760, 464],
				editFields({ reference: `={{ ${ROW}.reference }}`, note: '={{ $json.error }}' }),
			),
			node('All That Went Wrong', [2336, 272], n8n('merge', 3, { numberInputs: 4 })),
			node(
				'Look Into It',
				[2512, 288],
				stopAndError(
					"={{ $('All That Went Wrong').all().length }} of {{ $('New Invoices').all().length }} invoices need you: {{ $('All That Went Wrong').all().map((item) => item.json.reference + ' (' + (item.json.problem || item.json.note) + ')').join('; ') }}",
				),
			),
		],
		connections: [
			'Start > Settings > Create the Table > All Orders > New Invoices > Only One? > Claim the Invoices > Create Payment > Note the Payment',
			'Create Payment > Was It Noted? > Send the Mail > Was It Sent? > Note the Mail',
			'Was It Sent?[1] > Not Sent > All That Went Wrong > Look Into It',
			'Not Sent > Note the Mail',
			'Only One?[1] > All That Went Wrong@3',
			'Was It Noted?[1] > Not Noted > All That Went Wrong@1',
			'Create Payment[1] > Note the Payment Error',
			'Create Payment[1] > Not Created > All That Went Wrong@2',
		],
	}),
};
