import {
	acountPay,
	booleanOf,
	createTable,
	editFields,
	getRows,
	ifAll,
	isSameAmount,
	listOf,
	manualTrigger,
	merchantId,
	merchantIdToRead,
	n8n,
	node,
	noOp,
	note,
	numberOf,
	paymentIdIn,
	stopAndError,
	switchTo,
	updateRows,
	upsertRow,
	type ExampleSource,
} from './kit';
import { PAYMENTS } from './tables';

const ORDER = "$('This Order').first().json";
const KNOWN = "$('What Is Known').first().json";
const CREATED = "$('Create Payment').first().json";
const READ = "$('Get Payment').first(0).json";
const PROBLEMS = "$('Each Order').all(0).filter((item) => item.json.problem)";

const MERCHANT = {
	accessTokens: 'merchant_abc123',
	apiKeys: '11111111-1111-4111-8111-111111111111',
};

const CHECK = `// No payment is created when one of the orders has no merchant, reference or amount.
const { environment } = $('Settings').first().json;
// '1.000', '1,5' or true would become another amount than the one that was meant.
const isAmount = (value) => Number.isFinite(value) || typeof value === 'string' && /^(0|[1-9]\\d*)(\\.\\d{1,2})?$/.test(value);
// Two orders may have the same text if it was made from anything else: 12345678901234567890 and …891 are one number.
const isText = (value) => value == null || typeof value === 'string' || typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
return $input.first().json.orders.map((json, index) => {
	const inexact = ['merchantId', 'reference'].find((name) => !isText(json[name]));
	if (inexact) throw new Error(\`Order \${index + 1} has a \${inexact} that is neither text nor an exact number: \${JSON.stringify(json[inexact])}. No payment was created.\`);
	const order = {
		merchantId: String(json.merchantId ?? '').trim(),
		// Written in another Unicode form, or with letters that nobody sees, it is the same reference.
		reference: String(json.reference ?? '').replace(/\\p{Default_Ignorable_Code_Point}/gu, '').normalize('NFC').trim(),
		amount: isAmount(json.amount) ? Number(json.amount) : NaN,
		currency: String(json.currency || 'DKK'),
		environment,
	};
	const missing = ['merchantId', 'reference'].find((name) => !order[name]);
	if (missing) throw new Error(\`Order \${index + 1} has no \${missing}. No payment was created.\`);
	if (!(order.amount > 0)) {
		throw new Error(\`Order '\${order.reference}' has no amount such as 149.99, but \${JSON.stringify(json.amount)}. No payment was created.\`);
	}
	return { json: order, pairedItem: index };
});`;

const WHAT_IS_KNOWN = `// Decides about one order from all rows that have its reference. There is usually one.
const order = $('This Order').first().json;
const rows = $input.all().map(({ json }) => json);
const isMine = (row) => row.state === 'creating' && row.run === order.run;
const others = rows.filter((row) => row.state && !isMine(row));
const [other] = others;
const elsewhere = others.find((row) => row.environment !== order.environment);
const known = others.find((row) => row.state === 'created');
const different = others.find((row) =>
	['merchantId', 'currency'].some((name) => row[name] !== order[name]) || !(${isSameAmount('row.amount', 'order.amount')}),
);
const person = (problem) => [{ json: { ...order, verdict: 'person', problem } }];
const executionOf = (run) => (run ? 'execution ' + String(run).split('-')[0] : 'the execution');

if (elsewhere) {
	const { environment, run, state } = elsewhere;
	return person(\`the table has it as '\${state}' in '\${environment ?? ''}', and now it is to be in '\${order.environment}': \${state === 'creating' ? 'wait until ' + executionOf(run) + ' has ended, then ' : ''}empty the state of that row if it was only a try, or correct its environment if its payment counts\`);
}
if (different) {
	const { amount, currency, merchantId, state } = different;
	return person(\`the table has it as '\${state}' with \${amount} \${currency} for \${merchantId}, and now it is to be \${order.amount} \${order.currency} for \${order.merchantId}\`);
}
if (known) {
	const { paymentId, paymentUrl } = known;
	if (!paymentId) return person("the table has it as 'created' without a paymentId");
	return [{ json: { ...order, verdict: 'known', paymentId, paymentUrl } }];
}
if (!other && rows.some(isMine)) return [{ json: { ...order, verdict: 'ask' } }];
if (Date.now() < order.waitUntil) return [{ json: { ...order, verdict: 'wait' } }];
if (!other) return person('other executions keep claiming it');
return person(
	other.state === 'creating'
		? \`wait until \${executionOf(other.run)}, which asked AcountPay for it, has ended. If it has noted no payment by then, \${other.note ? 'this is why: ' + other.note : 'look for the reference in AcountPay'}\`
		: \`the table has it in an unknown state '\${other.state}'\`,
);`;

/** All rows of the order. */
const ITS_ROWS = [['reference', 'eq', `={{ ${ORDER}.reference }}`]] as Array<
	[string, string, string]
>;

/** Its rows in this environment. */
const ITS_ROWS_HERE = [...ITS_ROWS, ['environment', 'eq', `={{ ${ORDER}.environment }}`]] as Array<
	[string, string, string]
>;

/** The row, as long as it is this execution's. */
const ITS_CLAIM = [
	...ITS_ROWS_HERE,
	['run', 'eq', `={{ ${ORDER}.run }}`],
	['state', 'eq', 'creating'],
] as Array<[string, string, string]>;

const ONE_UPDATE = { executeOnce: true, alwaysOutputData: true };

/** What the caller gets. @param response AcountPay's, with the payment's status */
const output = (response: string, paymentId: string, paymentUrl: string, isNew: string) =>
	editFields({
		reference: `={{ ${ORDER}.reference }}`,
		merchantId: `={{ ${ORDER}.merchantId }}`,
		amount: numberOf(`={{ ${ORDER}.amount }}`),
		currency: `={{ ${ORDER}.currency }}`,
		environment: `={{ ${ORDER}.environment }}`,
		paymentId: `={{ String(${paymentId} ?? '') }}`,
		paymentUrl: `={{ ${paymentUrl} ?? '' }}`,
		isNew: booleanOf(`={{ ${isNew} }}`),
		status: `={{ ${response}.status ?? '' }}`,
		isPaid: booleanOf(`={{ ${response}.isPaid === true }}`),
	});

const problem = (text: string) =>
	editFields({ reference: `={{ ${ORDER}.reference }}`, problem: text });

/** A sub-workflow that creates one payment for an order, and returns it whenever the order comes again. */
export const payOnce: ExampleSource = {
	file: 'pay-once',
	title: 'pay once',

	draw: (way) => {
		const isKeys = way === 'apiKeys';
		/** Makes room for the nodes that only API keys have. */
		const known = (left: number) => left - (isKeys ? 176 : 0);
		const samples = [
			{ merchantId: MERCHANT[way], reference: 'SAMPLE-1', amount: 149.99 },
			{ merchantId: MERCHANT[way], reference: 'SAMPLE-2', amount: 49.5 },
		];
		return {
			nodes: [
				note(
					'take',
					[-48, -384, 1024, 632],
					7,
					'## 1. Take an order\nCall this workflow with **Execute Sub-workflow**: an item for each order, with *merchantId*, *reference*, *amount*, and *currency* if it is not DKK.\n\n**Before you use it:** choose your AcountPay credential in **Create Payment** and **Get Payment**, and write into **Settings** which environment it is for: `sandbox` or `production`. An order that has a payment in the other one is left to you. Put your merchant ID into **Sample Orders**, and run it with *Execute workflow*. Then publish it.',
				),
				note(
					'claim',
					[1000, -384, 864, 632],
					4,
					'## 2. Claim it\nThe data table **AcountPay payments** has a row for each reference and environment. **Claim It** marks the row *creating*, only where it has no state.\nAn execution creates the payment only when no other execution has marked the reference.',
				),
				note(
					'create',
					[1888, -384, 1096, 632],
					5,
					'## 3. Create the payment, once\nThe row gets the payment ID. Its state becomes empty again only if the payment was certainly not created. Otherwise no second request is sent.\n**Empty the *state* of a row yourself only after the execution that it names in *run* has ended.**',
				),
				note(
					'known',
					[1888, 272, 1096, 704],
					6,
					`## Or return the known payment\n${isKeys ? '**Get Payment**, or else **Find Payment**, finds it in AcountPay' : '**Get Payment** reads it first: AcountPay has to know it'}, with the reference of this order. While another execution creates it, this one waits up to 10 seconds.`,
				),
				note(
					'end',
					[-48, 272, 1024, 496],
					5,
					'## 4. Return the payments\nOne item for each order. When an order needs a person, the execution fails and names it: call this workflow again later. It creates no payment twice.',
				),
				node(
					'When Called',
					[0, -112],
					n8n('executeWorkflowTrigger', 1.2, {
						inputSource: 'workflowInputs',
						workflowInputs: {
							values: [
								{ name: 'merchantId' },
								{ name: 'reference' },
								// A number would be made of whatever comes.
								{ name: 'amount', type: 'any' },
								{ name: 'currency' },
							],
						},
					}),
				),
				node('Try It', [0, 80], manualTrigger()),
				node(
					'Their Orders',
					[176, -112],
					editFields({ orders: listOf("={{ $('When Called').all().map((item) => item.json) }}") }),
					{ executeOnce: true },
				),
				node(
					'Sample Orders',
					[176, 80],
					editFields({ orders: listOf(JSON.stringify(samples, null, 2)) }),
				),
				node(
					'Settings',
					[352, -112],
					editFields({ environment: 'sandbox' }, { includeOtherFields: true }),
				),
				node('Check the Orders', [528, -112], n8n('code', 2, { jsCode: CHECK })),
				node('Each Order', [704, -112], n8n('splitInBatches', 3, { options: {} })),
				node(
					'This Order',
					[1048, 0],
					editFields(
						{
							run: '={{ $execution.id }}-{{ $runIndex }}',
							waitUntil: numberOf('={{ $now.plus({ seconds: 10 }).toMillis() }}'),
						},
						{ includeOtherFields: true },
					),
				),
				node('Create the Table', [1216, 0], createTable(PAYMENTS)),
				node(
					'Create the Row',
					[1384, 0],
					upsertRow(PAYMENTS, ITS_ROWS_HERE, {
						reference: `={{ ${ORDER}.reference }}`,
						environment: `={{ ${ORDER}.environment }}`,
					}),
				),
				node(
					'Claim It',
					[1552, 0],
					updateRows(PAYMENTS, [...ITS_ROWS_HERE, ['state', 'isEmpty']], {
						state: 'creating',
						run: `={{ ${ORDER}.run }}`,
						merchantId: `={{ ${ORDER}.merchantId }}`,
						amount: `={{ ${ORDER}.amount }}`,
						currency: `={{ ${ORDER}.currency }}`,
						note: '',
					}),
					ONE_UPDATE,
				),
				node('Look at the Rows', [1720, 0], getRows(PAYMENTS, ITS_ROWS), ONE_UPDATE),
				node('What Is Known', [1936, 0], n8n('code', 2, { jsCode: WHAT_IS_KNOWN })),
				node(
					'May I Create It?',
					[2104, 0],
					ifAll(['={{ $json.verdict }}', 'string equals', 'ask']),
				),
				node(
					'Create Payment',
					[2272, -32],
					acountPay(way, 'payment.create', {
						merchantId: merchantId(way, '={{ $json.merchantId }}'),
						amount: '={{ $json.amount }}',
						referenceNumber: '={{ $json.reference }}',
						additionalFields: { currency: '={{ $json.currency }}' },
						options: isKeys ? { existingPayment: 'return' } : {},
					}),
					{ onError: 'continueErrorOutput' },
				),
				node(
					'Note the Payment',
					[2448, -64],
					updateRows(PAYMENTS, ITS_CLAIM, {
						state: 'created',
						paymentId: `={{ String(${paymentIdIn('$json')} ?? '') }}`,
						paymentUrl: "={{ $json.paymentUrl ?? '' }}",
						note: '',
					}),
					ONE_UPDATE,
				),
				node('Noted?', [2616, -64], ifAll(['={{ $json.id }}', 'number exists'])),
				node(
					'Note the Error',
					[2448, 96],
					updateRows(PAYMENTS, ITS_CLAIM, {
						state:
							"={{ ['invalid', 'refused', 'unavailable'].includes($json.details?.outcome) ? '' : 'creating' }}",
						note: '={{ $json.error }}',
					}),
					ONE_UPDATE,
				),
				node(
					'Release It',
					[known(2104), 480],
					updateRows(PAYMENTS, ITS_CLAIM, { state: '' }),
					ONE_UPDATE,
				),
				node(
					'What Now?',
					[known(2272), 464],
					switchTo({
						Known: [[`={{ ${KNOWN}.verdict }}`, 'string equals', 'known']],
						Wait: [[`={{ ${KNOWN}.verdict }}`, 'string equals', 'wait']],
						Person: [[`={{ ${KNOWN}.verdict }}`, 'string equals', 'person']],
					}),
				),
				node('Wait a Second', [known(2448), 816], n8n('wait', 1.1, { amount: 1, unit: 'seconds' })),
				node(
					'Get Payment',
					[known(2448), 400],
					acountPay(way, 'payment.get', {
						...merchantIdToRead(way, `={{ ${KNOWN}.merchantId }}`),
						paymentId: `={{ ${KNOWN}.paymentId }}`,
						options: {},
					}),
					{ onError: 'continueErrorOutput' },
				),
				node(
					'Its Reference?',
					[known(2616), 384],
					ifAll([
						isKeys
							? "={{ $json.referenceNumber ?? '' }}"
							: `={{ $json.referenceNumber ?? (${isSameAmount('$json.amount', `${ORDER}.amount`)} ? ${ORDER}.reference : '') }}`,
						'string equals',
						`={{ ${ORDER}.reference }}`,
					]),
				),
				...(isKeys
					? [
							node(
								'Find Payment',
								[2512, 544],
								acountPay(way, 'payment.find', {
									merchantId: merchantId(way, `={{ ${ORDER}.merchantId }}`),
									referenceNumber: `={{ ${ORDER}.reference }}`,
									additionalFields: {
										amount: `={{ ${ORDER}.amount }}`,
										currency: `={{ ${ORDER}.currency }}`,
									},
									options: {},
								}),
								{ onError: 'continueErrorOutput' },
							),
							node(
								'Is It There?',
								[2664, 528],
								ifAll([
									`={{ $json.candidates.some((one) => one.relation === 'same' && String(one.payment.paymentId) === ${KNOWN}.paymentId) }}`,
									'boolean true',
								]),
							),
						]
					: []),
				node(
					'New Payment',
					[2808, -160],
					output(
						CREATED,
						paymentIdIn(CREATED),
						`${CREATED}.paymentUrl`,
						isKeys ? `${CREATED}.existing !== true` : 'true',
					),
				),
				node(
					'Not Noted',
					[2808, 0],
					problem(
						`=wait until all executions for it have ended: payment {{ ${paymentIdIn(CREATED)} }} was created for it, but its row was changed meanwhile, so there may be a second payment. Then look in AcountPay, and enter the payment that counts`,
					),
				),
				node('Not Created', [2616, 96], problem("={{ $('Create Payment').first(1).json.error }}")),
				node(
					'Known Payment',
					[2808, 368],
					output(READ, `${KNOWN}.paymentId`, `${KNOWN}.paymentUrl`, 'false'),
				),
				node(
					'Not Its Payment',
					[2808, isKeys ? 656 : 528],
					problem(
						`=the table has payment {{ ${KNOWN}.paymentId }} for it, {{ $json.error ? 'which could not be read: ' + $json.error : 'which AcountPay ' + (${READ}.referenceNumber ? 'has for ' + ${READ}.referenceNumber : 'does not show for this order') }}`,
					),
				),
				node('For a Person', [known(2448), 656], problem(`={{ ${KNOWN}.problem }}`)),
				node('Next Order', [3016, -304], noOp()),
				node(
					'All Have a Payment?',
					[0, 544],
					ifAll([
						"={{ $('Each Order').all(0).every((item) => !item.json.problem) }}",
						'boolean true',
					]),
				),
				node('Payments', [352, 464], noOp()),
				node(
					'Look Into It',
					[352, 608],
					stopAndError(
						`={{ ${PROBLEMS}.length }} of {{ $('Each Order').all(0).length }} orders need you: {{ ${PROBLEMS}.map((item) => item.json.reference + ' (' + item.json.problem + ')').join('; ') }}`,
					),
					{ executeOnce: true },
				),
			],
			connections: [
				'When Called > Their Orders > Settings > Check the Orders > Each Order',
				'Try It > Sample Orders > Settings',
				'Each Order > All Have a Payment? > Payments',
				'Each Order[1] > This Order > Create the Table > Create the Row > Claim It > Look at the Rows > What Is Known > May I Create It?',
				'May I Create It? > Create Payment > Note the Payment > Noted? > New Payment > Next Order > Each Order',
				'Noted?[1] > Not Noted > Next Order',
				'Create Payment[1] > Note the Error > Not Created > Next Order',
				'May I Create It?[1] > Release It > What Now? > Get Payment > Its Reference? > Known Payment > Next Order',
				'Get Payment[1] > Not Its Payment > Next Order',
				...(isKeys
					? [
							'Its Reference?[1] > Find Payment > Is It There? > Known Payment',
							'Find Payment[1] > Not Its Payment',
							'Is It There?[1] > Not Its Payment',
						]
					: ['Its Reference?[1] > Not Its Payment']),
				'What Now?[1] > Wait a Second > Create the Row',
				'What Now?[2] > For a Person > Next Order',
				'All Have a Payment?[1] > Look Into It',
			],
		};
	},
};
