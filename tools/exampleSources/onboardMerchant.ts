import {
	acountPay,
	acountPayTrigger,
	createTable,
	editFields,
	escaped,
	filter,
	getRows,
	ifAll,
	ifSent,
	MAILING,
	manualTrigger,
	n8n,
	node,
	noOp,
	note,
	notSent,
	numberOf,
	stopAndError,
	switchTo,
	updateRows,
	type ExampleSource,
	type Way,
} from './kit';
import { MERCHANTS } from './tables';

const ROW = "$('Claim the Merchants').item.json";
const STORE_ROW = "$('Claim the Store').item.json";
const NO_STORE_ID = "'Create Store in execution ' + $execution.id + ' gave no ID of a store'";
const WAYS: Way[] = ['apiKeys'];

/** Whether Get Merchant gave the row's merchant: the sandbox and production may have the same number for different companies. */
const IS_ITS_MERCHANT =
	"!!$json.clientId && $json.clientId === $('Invited Merchants').item.json.merchantId";

/** Only the row that this execution has claimed: somebody may have freed it, and another execution have claimed it. */
const claimed = (row: string, state: string) =>
	[
		['id', 'eq', `={{ ${row}.id }}`],
		['state', 'eq', state],
		['note', 'eq', `={{ ${row}.note }}`],
	] as Array<[string, string, string]>;

/** The state after an error: an error without an outcome, or no error at all, leaves it unknown. */
const stateAfter = (notCreated: string, unknown: string) =>
	`['invalid', 'refused', 'unavailable'].includes($json.details?.outcome) ? '${notCreated}' : '${unknown}'`;

/** Why there is nothing to mail. */
const NO_LINK =
	"={{ $json.error ?? 'Create Merchant in execution ' + $execution.id + ' gave no number, client ID or link of the merchant' }}";

const MAIL = `=<p>Hello {{ ${escaped(`${ROW}.companyName`)} }},</p>
<p>To get paid by bank, please finish your registration with AcountPay:</p>
<p><a href="{{ ${escaped('$json.onboardingUrl')} }}">Finish the registration</a></p>
<p>Please don't pass it on: whoever has it can act for your company.</p>`;

/** Creates the new merchants of the table, and mails each the link where it does the rest. */
export const onboardMerchant: ExampleSource = {
	file: 'onboard-merchant',
	title: 'onboard a merchant',
	ways: WAYS,

	draw: (way) => ({
		nodes: [
			note(
				'rows',
				[-48, -304, 896, 464],
				7,
				'## 1. Take the merchants that are new\nEach row of the data table **AcountPay merchants** is a merchant with its first store. A row whose *state* is empty is new.\nThe first execution creates the table. Then add your rows under *Data tables* and run the workflow again.\n\nA row is marked *creating* before its merchant is created, so that no other execution creates it too. *Execute step* on **Create Merchant** creates another one.',
			),
			note(
				'create',
				[872, -304, 256, 464],
				4,
				'## 2. Create the merchant\nThe output has the link where the merchant does the rest. Whoever has the link can act for the merchant: it goes into the mail, not into the table.',
			),
			note(
				'mail',
				[1152, -304, 1360, 912],
				5,
				"## 3. Mail the link\nChoose your mail account in **Send the Link**, and put the sender's address into **Settings**.\nWhat goes wrong is in the column *note*, and the execution fails, so that you see it.\nA row that stays *creating* or becomes *unknown*: wait until the execution that its *note* names has ended. Then look for the company in AcountPay. If it is there, enter *merchantNumber* (its number), *merchantId* (its client ID) and *invited* as *state*. Empty *state* only if it certainly is not there.\nThe example **Merchant stores** creates the store when the merchant has done its part.",
			),
			node('Start', [0, 0], manualTrigger()),
			node('Settings', [176, 0], editFields({ sender: 'partner@example.com' })),
			node('Create the Table', [352, 0], createTable(MERCHANTS)),
			node('New Merchants', [528, 0], getRows(MERCHANTS, [['state', 'isEmpty']])),
			node(
				'Claim the Merchants',
				[704, 0],
				updateRows(
					MERCHANTS,
					[
						['id', 'eq', '={{ $json.id }}'],
						['state', 'isEmpty'],
					],
					{ state: 'creating', note: '=Execution {{ $execution.id }} is creating the merchant' },
				),
			),
			node(
				'Create Merchant',
				[952, 0],
				acountPay(way, 'merchant.create', {
					companyName: '={{ $json.companyName }}',
					contactEmail: '={{ $json.contactEmail }}',
					additionalFields: { partnerRefId: '=row-{{ $json.id }}' },
					options: {},
				}),
				{ onError: 'continueRegularOutput' },
			),
			node(
				'Is There a Link?',
				[1200, 0],
				ifAll([
					'={{ !!$json.merchantId && !!$json.clientId && !!$json.onboardingUrl }}',
					'boolean true',
				]),
			),
			node(
				'Note the Merchant',
				[1408, -112],
				updateRows(MERCHANTS, claimed(ROW, 'creating'), {
					state: 'invited',
					merchantNumber: '={{ String($json.merchantId) }}',
					merchantId: '={{ $json.clientId }}',
					note: MAILING,
				}),
			),
			node(
				'Was It Noted?',
				[1408, 48],
				ifAll([
					`={{ $('Note the Merchant').all().some((row) => row.json.id === ${ROW}.id) }}`,
					'boolean true',
				]),
			),
			node(
				'Not Noted',
				[1616, 224],
				editFields({
					companyName: `={{ ${ROW}.companyName }}`,
					note: '=merchant {{ $json.merchantId }} was created for it and got no mail, because somebody changed its row meanwhile. Wait until all executions for it have ended, then look in AcountPay for all merchants of this company, and enter the one that counts',
				}),
			),
			node(
				'Send the Link',
				[1616, 0],
				n8n('emailSend', 2.1, {
					resource: 'email',
					operation: 'send',
					fromEmail: "={{ $('Settings').first().json.sender }}",
					toEmail: `={{ ${ROW}.contactEmail }}`,
					subject: `=Get paid by bank: {{ ${ROW}.companyName }}`,
					emailFormat: 'html',
					html: MAIL,
					options: { appendAttribution: false },
				}),
				{ onError: 'continueRegularOutput' },
			),
			node('Was It Sent?', [1808, 0], ifSent()),
			node(
				'Not Sent',
				[2000, 80],
				editFields({ companyName: `={{ ${ROW}.companyName }}`, note: notSent('Send the Link') }),
			),
			node(
				'Note the Mail',
				[2192, -96],
				updateRows(
					MERCHANTS,
					[
						['id', 'eq', `={{ ${ROW}.id }}`],
						['note', 'eq', MAILING],
					],
					{ note: "={{ $json.note ?? '' }}" },
				),
			),
			node(
				'Note the Merchant Error',
				[1408, 320],
				updateRows(MERCHANTS, claimed(ROW, 'creating'), {
					state: `={{ ${stateAfter('notCreated', 'unknown')} }}`,
					note: NO_LINK,
				}),
			),
			node(
				'Not Created',
				[1616, 432],
				editFields({ companyName: `={{ ${ROW}.companyName }}`, note: NO_LINK }),
			),
			node('All That Went Wrong', [2192, 224], n8n('merge', 3, { numberInputs: 3 })),
			node(
				'Look Into It',
				[2368, 240],
				stopAndError(
					"={{ $('All That Went Wrong').all().length }} of {{ $('Claim the Merchants').all().length }} merchants need you: {{ $('All That Went Wrong').all().map((item) => item.json.companyName + ' (' + item.json.note + ')').join('; ') }}",
				),
			),
		],
		connections: [
			'Start > Settings > Create the Table > New Merchants > Claim the Merchants > Create Merchant > Is There a Link? > Note the Merchant',
			'Is There a Link? > Was It Noted? > Send the Link > Was It Sent? > Note the Mail',
			'Was It Sent?[1] > Not Sent > All That Went Wrong > Look Into It',
			'Not Sent > Note the Mail',
			'Was It Noted?[1] > Not Noted > All That Went Wrong@1',
			'Is There a Link?[1] > Note the Merchant Error',
			'Is There a Link?[1] > Not Created > All That Went Wrong@2',
		],
	}),
};

/** Creates a merchant's store once it is active: when AcountPay says so, or when it is found out. */
export const merchantStores: ExampleSource = {
	file: 'merchant-stores',
	title: 'merchant stores',
	ways: WAYS,

	draw: (way) => ({
		nodes: [
			note(
				'event',
				[-48, -256, 720, 480],
				7,
				'## 1. A merchant has done its part\nChoose your AcountPay credential, run the example **Onboard a merchant** once for its table, and publish this workflow: **Merchant Activated** then registers itself at AcountPay.',
			),
			note(
				'hour',
				[-48, 248, 720, 448],
				4,
				"## Or it is found out\nEvery hour, AcountPay is asked about each merchant that is invited: an event can be lost, or come before the row is noted. When AcountPay can't say it, the execution fails.",
			),
			note(
				'store',
				[696, -256, 1200, 952],
				6,
				'## 2. Create the store\nThe row is marked *opening* first: the store is created once, however often AcountPay sends the event. Put your own steps behind **Ready to Be Paid**.',
			),
			node('Merchant Activated', [0, 0], acountPayTrigger(way, ['merchant.activated'])),
			node(
				'Find the Merchant',
				[192, 0],
				getRows(MERCHANTS, [
					['merchantNumber', 'eq', '={{ String($json.data.merchantId) }}'],
					['merchantId', 'eq', '={{ String($json.data.clientId) }}'],
				]),
				{ alwaysOutputData: true },
			),
			node(
				'Does It Wait for a Store?',
				[448, -16],
				switchTo(
					{
						Yes: [
							[
								"={{ $('Find the Merchant').all().length === 1 && $json.state === 'invited' }}",
								'boolean true',
							],
						],
						'Has one': [["={{ ['opening', 'active'].includes($json.state) }}", 'boolean true']],
					},
					'No row',
				),
			),
			node(
				'Every Hour',
				[0, 448],
				n8n('scheduleTrigger', 1.2, { rule: { interval: [{ field: 'hours' }] } }),
			),
			node('Invited Merchants', [176, 448], getRows(MERCHANTS, [['state', 'eq', 'invited']])),
			node(
				'Get Merchant',
				[352, 448],
				acountPay(way, 'merchant.get', {
					merchantNumber: '={{ $json.merchantNumber }}',
					options: {},
				}),
				{ onError: 'continueRegularOutput' },
			),
			node(
				'Is It Active?',
				[528, 432],
				switchTo(
					{
						Yes: [[`={{ ${IS_ITS_MERCHANT} && $json.status === 'active' }}`, 'boolean true']],
						'Not yet': [[`={{ ${IS_ITS_MERCHANT} }}`, 'boolean true']],
					},
					'Not known',
				),
			),
			node(
				'Its Row',
				[768, 400],
				editFields({ id: numberOf("={{ $('Invited Merchants').item.json.id }}") }),
			),
			node(
				'Claim the Store',
				[960, -64],
				updateRows(
					MERCHANTS,
					[
						['id', 'eq', '={{ $json.id }}'],
						['state', 'eq', 'invited'],
					],
					{ state: 'opening', note: '=Execution {{ $execution.id }} is creating the store' },
				),
			),
			node(
				'Create Store',
				[1152, -64],
				acountPay(way, 'store.create', {
					merchantNumber: '={{ $json.merchantNumber }}',
					name: '={{ $json.storeName || $json.companyName }}',
					additionalFields: {
						city: '={{ $json.city }}',
						isDefault: true,
						postalCode: '={{ $json.postalCode }}',
						streetAddress: '={{ $json.streetAddress }}',
					},
					options: {},
				}),
				{ onError: 'continueRegularOutput' },
			),
			node(
				'Note the Store',
				[1344, -112],
				updateRows(MERCHANTS, claimed(STORE_ROW, 'opening'), {
					state: `={{ $json.storeId ? 'active' : ${stateAfter('storeNotCreated', 'storeUnknown')} }}`,
					storeId: "={{ String($json.storeId ?? '') }}",
					note: `={{ $json.storeId ? '' : $json.error ?? ${NO_STORE_ID} }}`,
				}),
			),
			node('With a Store', [1536, -112], filter(['={{ $json.state }}', 'string equals', 'active'])),
			node('Ready to Be Paid', [1728, -112], noOp()),
			node('Nothing Left to Do', [768, 80], noOp()),
			node(
				'Not Known',
				[768, 544],
				stopAndError(
					"=It is not known whether these merchants are active: {{ $input.all().map((item, index) => $('Invited Merchants').itemMatching(index).json.companyName + ' (' + (item.json.error ?? 'Get Merchant gave another client ID than its row has, or none. Is the credential for the environment that it was invited in?') + ')').join('; ') }}",
				),
			),
			node(
				'Without a Store',
				[1344, 96],
				filter([
					`={{ $('Note the Store').all().some((row) => row.json.id === ${STORE_ROW}.id && row.json.state === 'active') }}`,
					'boolean false',
				]),
			),
			node(
				'No Store',
				[1536, 96],
				stopAndError(
					`={{ $input.all().map((item, index) => $('Claim the Store').itemMatching(index).json.companyName + (item.json.storeId ? ': store ' + item.json.storeId + ' was created, and somebody changed the row meanwhile. Enter in the row the one store that counts' : ' is active, but has no store in the table: ' + (item.json.error ?? ${NO_STORE_ID}))).join('; ') }}`,
				),
			),
			node(
				'No Row for It',
				[768, 240],
				stopAndError(
					"=Merchant {{ $('Merchant Activated').first().json.data.merchantId }} is active, but no row of the table with its number and its client ID waits for a store now. If it was invited from here, Every Hour creates the store once its row is noted. Otherwise create it yourself.",
				),
			),
		],
		connections: [
			'Merchant Activated > Find the Merchant > Does It Wait for a Store? > Claim the Store',
			'Does It Wait for a Store?[1] > Nothing Left to Do',
			'Does It Wait for a Store?[2] > No Row for It',
			'Every Hour > Invited Merchants > Get Merchant > Is It Active? > Its Row > Claim the Store',
			'Is It Active?[2] > Not Known',
			'Claim the Store > Create Store > Note the Store > With a Store > Ready to Be Paid',
			'Create Store > Without a Store > No Store',
		],
	}),
};
