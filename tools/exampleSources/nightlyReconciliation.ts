import {
	acountPay,
	createTable,
	editFields,
	filter,
	getRows,
	ifAll,
	isSameAmount,
	listOf,
	merchantId,
	n8n,
	node,
	note,
	numberOf,
	ordersWhere,
	stopAndError,
	updateRows,
	type ExampleSource,
	type NodeKind,
	type Way,
} from './kit';
import { ORDERS } from './tables';

const ORDER = "$('Open Orders').item.json";
const DECIDED = "$('State').all().map((item) => item.json)";

/** With access tokens: the first sentence that applies is the order's problem. */
const PROBLEM_OF_NOTED = `={{
${ORDER}.problem ? ${ORDER}.problem :
${ORDER}.state !== 'created' || !${ORDER}.paymentId ? 'it is not known whether its payment exists: ' + (${ORDER}.state === 'creating' ? 'wait until the execution that its note names has ended, then ' : '') + 'look for the reference in AcountPay' :
$json.error ? $json.error :
($json.referenceNumber ?? ${ORDER}.reference) !== ${ORDER}.reference ? 'payment ' + ${ORDER}.paymentId + ' is for ' + $json.referenceNumber :
$json.isPaid && (!(${isSameAmount(`$json.amount ?? ${ORDER}.amount`, `${ORDER}.amount`)}) || ($json.currency ?? (${ORDER}.currency || 'DKK')) !== (${ORDER}.currency || 'DKK')) ? 'paid, but ' + $json.amount + ' ' + $json.currency :
!$json.isPaid && !['pending', 'processing', 'failed', 'expired'].includes($json.status) ? 'AcountPay calls payment ' + ${ORDER}.paymentId + ' ' + $json.status + ', which says nothing about money' :
!$json.referenceNumber && !(${isSameAmount('$json.amount', `${ORDER}.amount`)}) ? 'AcountPay shows neither the reference of payment ' + ${ORDER}.paymentId + ' nor the amount ' + ${ORDER}.amount :
!$json.referenceNumber && ${ORDER}.sharesPayment ? 'AcountPay does not show the reference of payment ' + ${ORDER}.paymentId + ', and another row has it too' : ''
}}`;

/** Find says which payments are the order's; this only decides between them, by their status and the one that is noted. */
const DECIDE = `// Find says which payments are the order's. This decides what they mean for it, one order at a time.
const order = $('Open Orders').item.json;
const { error, found, candidates = [] } = $json;
const hasEnded = ({ isPaid, status }) => !isPaid && ['failed', 'expired'].includes(status);
const named = (list) => list.map(({ payment, differences }) =>
	'payment ' + payment.paymentId + ' (' + payment.status + ')' + (differences.length ? ', which ' + differences.join(' and ') : '')).join(', ');
const decided = (payment, problem) => ({ json: { ...payment, noted: payment ? String(payment.paymentId) : '', problem } });
const person = (problem) => decided(undefined, problem);

if (error) return person(error);
if (order.problem) return person(order.problem);

// Payments of this merchant with this reference: as ordered, or of another amount or currency.
const own = candidates.filter(({ relation }) => ['same', 'differs'].includes(relation));
const noted = order.state === 'created' ? order.paymentId : '';
const mine = own.filter(({ relation, payment }) => relation === 'same' && (noted ? String(payment.paymentId) === noted : !hasEnded(payment)));
const others = own.filter((one) => !mine.includes(one) && !hasEnded(one.payment));

const other = noted && own.find(({ relation, payment }) => relation !== 'same' && String(payment.paymentId) === noted);
if (other) return person('AcountPay has ' + named([other]));
if (noted && mine.length === 0) return person('AcountPay does not list payment ' + noted + ' for it' + (own.length ? ', but ' + named(own) : ''));
if (others.length || mine.length > 1) return person('AcountPay lists for it ' + named([...mine, ...others]) + ': look which one counts');
// The row was last changed before its payment was created; if its outcome is unknown, within a day after. Two minutes, because n8n and AcountPay each have a clock.
const since = new Date(order.updatedAt).getTime() - (order.state === 'unknown' ? 24 * 60 : 2) * 60000;
const isOlder = ({ createdAt }) => !(new Date(createdAt).getTime() >= since);
if (mine.length === 1) {
	const [{ payment }] = mine;
	if (noted) return decided(payment, '');
	if (String(payment.paymentId) === order.paymentId) return person(named(mine) + " is noted for it, but its state is '" + (order.state ?? '') + "': if the payment counts, enter created");
	return isOlder(payment) ? person(named(mine) + ' has its reference, but is older than the last change of the row') : decided(payment, '');
}
if (found === 'doubt') return person('AcountPay lists something like it: ' + named(candidates));

// Nothing is open or paid. The only payment since the row was claimed is its payment; one before an unknown outcome need not be.
if (!['creating', 'unknown'].includes(order.state)) return decided(undefined, '');
if (order.state === 'creating' && own.length === 1 && !isOlder(own[0].payment)) return decided(own[0].payment, '');
if (own.length) return person('AcountPay lists only ' + named(own));
return person('AcountPay lists no payment for it: ' + (order.state === 'creating' ? 'wait until the execution that its note names has ended, then ' : '') + 'look for the reference in AcountPay');
`;

const DECIDE_NODE: NodeKind = n8n('code', 2, { mode: 'runOnceForEachItem', jsCode: DECIDE });

/** The row, as long as this column is as it was read. */
const asRead = (column: string): [string, string, string] => [
	column,
	`={{ ${ORDER}.${column} ? 'eq' : 'isEmpty' }}`,
	`={{ ${ORDER}.${column} }}`,
];

/** The order's state after this night. A problem leaves it as it is. */
const AFTER = `={{
$json.problem ? $json.before :
$json.isPaid ? 'paid' :
$json.status === 'failed' ? 'declined' :
$json.status === 'expired' ? 'expired' :
$json.status ? 'created' : $json.before
}}`;

/** Rows that would be left alone for ever, and nobody would hear of it. */
const passedOver = (
	open: string,
) => `// A wrong environment in Settings, or a state such as 'Created', would leave orders alone for ever.
const { environment } = $('Settings').first().json;
const open = ${open};
const known = [...open, 'paid', 'declined', 'expired', 'notCreated'];
const like = (state) => known.find((one) => one.toLowerCase() === state.trim().toLowerCase());
const rows = $input.all().map(({ json }) => json).filter(({ environment: its, state }) =>
	like(state ?? '') !== undefined && like(state ?? '') !== (state ?? '') || open.includes(state ?? '') && (its || environment) !== environment);
if (rows.length === 0) return [];
const names = rows.slice(0, 20).map(({ reference, environment: its, state }) => \`\${reference} ('\${state ?? ''}' in '\${its ?? ''}')\`);
throw new Error(\`\${rows.length} orders were passed over. Settings says '\${environment}': correct it, or their rows: \${names.join(', ')}\`);`;

/** What others have noted: of the mail, of a payment that was found. */
const OTHERS = "$json.oldNote.replace(/^Nightly: .*?(; before: |$)/s, '')";

/** What others have noted stays until the order is paid, with this night's problem before it. An execution knows its row by its note. */
const NOTE = `={{
$json.problem && ['creating', 'unknown'].includes($json.before) && $json.oldNote ? $json.oldNote :
$json.problem ? 'Nightly: ' + $json.problem + (${OTHERS} && '; before: ' + ${OTHERS}) :
$json.isFound ? 'Found in AcountPay' + ($json.after === 'created' ? ': the customer may not have the link' : '') :
$json.isPaid ? '' : ${OTHERS}
}}`;

const NOTES: Record<Way, [string, string, string]> = {
	accessTokens: [
		'Every night, each row of the data table **AcountPay orders** whose payment has not ended. The example **Invoices by mail** fills this table; other workflows can do so too.\n\n**Settings** says which environment your credential is for: `sandbox` or `production`. Orders of the other one are left alone; while they have not ended, **Passed Over** names them.',
		"Choose your AcountPay credential here. *On Error* is *Continue*: one payment that can't be read does not stop the others.",
		'A payment counts only for the order whose reference it has. **Report** says what changed: send it to yourself from there.\nWhen an order needs you, the execution fails, so that you see it.',
	],
	apiKeys: [
		'Every night, each row of the data table **AcountPay orders** whose payment has not ended. Rows without a payment are among them: a killed n8n may have created a payment that is not in the table. An order that is being created is left alone for an hour.\n\n**Settings** says which environment your credential is for: `sandbox` or `production`. Orders of the other one are left alone; while they have not ended, **Passed Over** names them.',
		"Choose your AcountPay credential here. All orders of a merchant are served by one reading of its list. *On Error* is *Continue*: a list that can't be read does not stop the other merchants' orders.",
		'**Decide** takes what **Find Payments** says. What is in doubt is left to you. **Report** says what was found and what changed: send it to yourself from there.\nWhen an order needs you, the execution fails, so that you see it.',
	],
};

/** Each night, the status of the orders' payments. */
export const nightlyReconciliation: ExampleSource = {
	file: 'nightly-reconciliation',
	title: 'nightly reconciliation',

	draw: (way) => {
		const isKeys = way === 'apiKeys';
		const [open, read, update] = NOTES[way];
		const states = isKeys
			? "['', 'creating', 'created', 'notCreated', 'unknown']"
			: "['creating', 'created', 'unknown']";
		return {
			nodes: [
				note('open', [-48, -352, 928, 624], 7, `## 1. Take what is open\n${open}`),
				note('read', [904, -352, 256, 624], 4, `## 2. Ask AcountPay\n${read}`),
				note(
					'update',
					[1184, -352, isKeys ? 1104 : 928, 624],
					5,
					`## 3. Update the table and report\n${update}`,
				),
				node(
					'Every Night',
					[0, 0],
					n8n('scheduleTrigger', 1.2, {
						rule: { interval: [{ field: 'days', triggerAtHour: 3 }] },
					}),
				),
				node('Settings', [176, 0], editFields({ environment: 'sandbox' })),
				node('Create the Table', [352, 0], createTable(ORDERS)),
				node('All Orders', [528, 0], getRows(ORDERS, [], 'anyCondition')),
				node(
					'Open Orders',
					[704, 0],
					ordersWhere(
						`${states}.includes(row.state ?? '') && isHere(row)
	&& !(row.state === 'creating' && new Date(row.updatedAt).getTime() > Date.now() - 60 * 60000)`,
					),
				),
				node('Passed Over', [704, 128], n8n('code', 2, { jsCode: passedOver(states) })),
				isKeys
					? node(
							'Find Payments',
							[976, 0],
							acountPay(way, 'payment.find', {
								merchantId: merchantId(way, '={{ $json.merchantId }}'),
								referenceNumber: '={{ $json.reference }}',
								additionalFields: {
									amount: '={{ $json.amount }}',
									currency: "={{ $json.currency || 'DKK' }}",
								},
								options: {},
							}),
							{ onError: 'continueRegularOutput' },
						)
					: node(
							'Get Payment',
							[976, 0],
							acountPay(way, 'payment.get', {
								merchantId: '={{ $json.merchantId }}',
								paymentId: '={{ $json.paymentId }}',
								options: {},
							}),
							{ onError: 'continueRegularOutput' },
						),
				...(isKeys ? [node('Decide', [1232, 0], DECIDE_NODE)] : []),
				node(
					'Compare',
					[isKeys ? 1408 : 1232, 0],
					editFields({
						id: numberOf(`={{ ${ORDER}.id }}`),
						reference: `={{ ${ORDER}.reference }}`,
						before: `={{ ${ORDER}.state ?? '' }}`,
						paymentId: isKeys
							? `={{ $json.noted || (${ORDER}.paymentId ?? '') }}`
							: `={{ ${ORDER}.paymentId ?? '' }}`,
						isFound: {
							value: isKeys
								? `={{ Boolean($json.noted) && !(${ORDER}.state === 'created' && ${ORDER}.paymentId) }}`
								: false,
							type: 'boolean',
						},
						isPaid: { value: '={{ $json.isPaid === true }}', type: 'boolean' },
						status: "={{ $json.status ?? '' }}",
						problem: isKeys
							? "={{ $json.problem || ($json.isPaid || ['', 'pending', 'processing', 'failed', 'expired'].includes($json.status ?? '') ? '' : 'AcountPay calls payment ' + $json.paymentId + ' ' + $json.status + ', which says nothing about money') }}"
							: PROBLEM_OF_NOTED,
						oldNote: `={{ ${ORDER}.note ?? '' }}`,
					}),
				),
				node(
					'State',
					[isKeys ? 1584 : 1408, 0],
					editFields(
						{
							after: AFTER,
							note: NOTE,
						},
						{ includeOtherFields: true },
					),
				),
				node(
					'Changed',
					[isKeys ? 1760 : 1584, -96],
					filter([
						`={{ $json.after !== $json.before || $json.note !== $json.oldNote || $json.isFound || !!$json.status && !$json.problem && !${ORDER}.environment }}`,
						'boolean true',
					]),
				),
				node(
					'Update the Table',
					[isKeys ? 1936 : 1760, -96],
					updateRows(
						ORDERS,
						[
							['id', 'eq', '={{ $json.id }}'],
							asRead('state'),
							asRead('environment'),
							asRead('paymentId'),
						],
						{
							environment: `={{ $json.status && !$json.problem ? $('Settings').first().json.environment : (${ORDER}.environment ?? '') }}`,
							state: '={{ $json.after }}',
							paymentId: '={{ $json.paymentId }}',
							note: '={{ $json.note }}',
						},
					),
				),
				node(
					'Report',
					[isKeys ? 1760 : 1584, 96],
					editFields({
						...(isKeys && { found: listOf(`={{ ${DECIDED}.filter((order) => order.isFound) }}`) }),
						changed: listOf(`={{ ${DECIDED}.filter((order) => order.after !== order.before) }}`),
						stillOpen: listOf(`={{ ${DECIDED}.filter((order) => order.after === order.before) }}`),
						problems: listOf(`={{ ${DECIDED}.filter((order) => order.problem) }}`),
					}),
					{ executeOnce: true },
				),
				node(
					'Problems?',
					[isKeys ? 1936 : 1760, 96],
					ifAll(['={{ $json.problems }}', 'array notEmpty']),
				),
				node(
					'Look Into It',
					[isKeys ? 2112 : 1936, 96],
					stopAndError(
						"={{ $json.problems.length }} orders need you: {{ $json.problems.map((order) => order.reference + ' (' + order.problem + ')').join('; ') }}",
					),
				),
			],
			connections: [
				`Every Night > Settings > Create the Table > All Orders > Open Orders > ${isKeys ? 'Find Payments > Decide' : 'Get Payment'} > Compare > State > Changed > Update the Table`,
				'State > Report > Problems? > Look Into It',
				'All Orders > Passed Over',
			],
		};
	},
};
