/** n8n's editor as a person with keys uses it, from the credential to a published trigger: each test goes on where the last one ended. */
import type { IDataObject } from 'n8n-workflow';
import type { Browser } from 'playwright-core';

import { startSandbox, type Sandbox } from '../../sandbox';
import { pagePath } from '../../sandbox/payments';
import { launchBrowser } from '../../tools/browser';
import { isFinished, itemsOf, type StoredCredential } from '../../tools/n8n/api';
import { pickedValue } from '../../nodes/AcountPay/operation/parameters';
import { Editor } from '../../tools/n8n/editor';
import type { N8n } from '../../tools/n8n/server';
import { acountPay, manualTrigger, workflow, type WorkflowNode } from '../../tools/n8n/workflow';
import { expectFields, expectOptions, expectTexts } from '../kit/editor';
import { KEY_CREDENTIAL, SHOP } from '../kit/keys';
import { startOwnN8n } from '../kit/n8n';
import { credentialFor, requestsFor, until } from '../kit/payments';
import { keyPartnerOf } from '../sandbox/client';

jest.setTimeout(180_000);

const OAUTH2 = 'Shop with OAuth2';
const MERCHANT = 'Corner Shop ApS';

let sandbox: Sandbox;
let n8n: N8n;
let browser: Browser;
let editor: Editor;

beforeAll(async () => {
	sandbox = await startSandbox();
	browser = await launchBrowser();
	n8n = await startOwnN8n({ hasEditor: true });
	editor = await Editor.open(browser, n8n.api);
});

afterAll(async () => {
	await browser?.close();
	await n8n?.stop();
	await sandbox?.close();
});

// What was to be seen at the end tells most about a test that failed.
afterEach(async () => {
	const name = expect.getState().currentTestName!.replace(/\W+/g, '-');
	await editor.picture(`keys-end-of-${name}`);
});

const picker = () => editor.fields.getByTestId('resource-locator-merchantId');

it('wrong keys are said to be wrong, and with the right ones a test merchant is made', async () => {
	const { credential } = editor;
	const save = async () => await credential.getByTestId('credential-save-button').click();
	await editor.beginWith('Create test merchant');
	await editor.fields.getByText('Connect to AcountPay').click();
	await credential.getByText('AcountPay (API Keys) API').waitFor();
	const asked = credential.getByTestId('credential-connection-parameter').locator('label');
	await expectTexts(asked, ['Client ID *', 'Client Secret *', 'Environment', 'Webhook Secret']);
	const { clientId, clientSecret } = sandbox.keys;
	await editor.choose('environment', 'Custom');
	await editor.fill('baseUrl', sandbox.url);
	await editor.fill('clientId', clientId);
	await editor.fill('clientSecret', 'mistyped');
	await save();
	await credential.getByText('More details').click();
	await credential.getByText('AcountPay refused these API keys').waitFor();
	await editor.picture('keys-01-wrong-keys');

	await editor.fill('clientSecret', clientSecret);
	await save();
	await credential.waitFor({ state: 'hidden' });
	expect(sandbox.counts).toEqual({
		'profile 401': expect.any(Number),
		'profile 200': expect.any(Number),
	});
	await editor.picture('keys-02-connected');

	await editor.fill('companyName', MERCHANT);
	await editor.executeStep();
	await editor.output.getByText(MERCHANT).first().waitFor();
	await editor.picture('keys-03-test-merchant');
	expect(sandbox.merchants.at(-1)).toMatchObject({ companyName: MERCHANT, status: 'active' });
});

it('a payment is created for the merchant that is picked by name, with its QR code', async () => {
	await editor.beginWith('Create payment');
	await expectOptions(editor, 'resource', ['Merchant', 'Payment', 'Store']);
	await expectOptions(editor, 'operation', [
		'Create',
		'Find by Reference',
		'Get',
		'Get Many',
		'Get QR Code',
		'Wait for Completion',
	]);
	await picker().locator('input').last().click();
	await editor.page.getByTestId('rlc-item').getByText(MERCHANT).waitFor();
	await editor.picture('keys-04-merchants');
	const merchants = editor.page.getByTestId('rlc-item');
	expect(await merchants.count()).toBe(sandbox.merchants.length);
	await editor.page.getByTestId('rlc-search').pressSequentially('corner');
	await expectTexts(merchants, [MERCHANT]);
	await editor.picture('keys-05-merchant-found');
	await merchants.getByText(MERCHANT).click();
	await editor.fill('amount', '49.50');
	await editor.fill('referenceNumber', 'ORDER-1002');
	await editor.addField('Options', 'QR Code');
	await editor.executeStep();
	await editor.output.getByTestId('ndv-view-binary-data').click();
	const image = editor.output.locator('img');
	await image.waitFor();
	await editor.picture('keys-06-qr-code');
	expect(await image.evaluate(({ naturalWidth }) => naturalWidth as number)).toBeGreaterThan(100);
	const { clientId } = sandbox.merchants.at(-1)!;
	expect(sandbox.payments).toEqual([
		expect.objectContaining({ merchant: clientId, amount: 49.5, referenceNumber: 'ORDER-1002' }),
	]);
});

it('the QR code of a payment is drawn from its link', async () => {
	await editor.beginWith('Get QR code of payment');
	await editor.fill('paymentUrl', `${sandbox.url}/pay/1`);
	await editor.executeStep();
	await editor.output.getByTestId('ndv-view-binary-data').click();
	await editor.output.locator('img').waitFor();
	await editor.picture('keys-07-qr-code-of-link');
});

it('payments are listed, also from the panel of actions', async () => {
	await keyPartnerOf(sandbox).create({ referenceNumber: 'ORDER-1003' });
	await editor.beginWith('Get many payments');
	await expectFields(editor, [
		'Credential',
		'Resource',
		'Operation',
		'Return All',
		'Limit',
		'Filters',
		'Options',
	]);
	await editor.executeStep();
	await editor.output.getByText('2 items').waitFor();
	await editor.showOutputAs('table');
	for (const reference of ['ORDER-1002', 'ORDER-1003']) {
		await editor.output.getByText(reference).first().waitFor();
	}
	await editor.picture('keys-08-list');
});

it('a payment is read by its ID', async () => {
	await editor.beginWith('Get payment');
	await expectFields(editor, ['Credential', 'Resource', 'Operation', 'Payment ID', 'Options']);
	const [{ id }] = sandbox.payments;
	await editor.fill('paymentId', String(id));
	await editor.executeStep();
	await editor.showOutputAs('table');
	for (const text of [String(id), 'ORDER-1002', 'pending']) {
		await editor.output.getByText(text, { exact: true }).waitFor();
	}
	await editor.picture('keys-09-get');
	expect(requestsFor(sandbox, 'get')).toMatchObject([
		{ path: `/v1/partner/payments/${id}/status`, status: 200 },
	]);
});

it('the trigger registers itself when it is published', async () => {
	await editor.beginWith('On payment completed');
	await editor.fields.getByText('There is no URL to copy').waitFor();
	await editor.picture('keys-10-trigger');
	await editor.closeNode();
	await editor.publish();
	await editor.picture('keys-11-published');
	await until(() => sandbox.registrations.length === 1);
	expect(sandbox.registrations).toMatchObject([
		{
			url: expect.stringContaining(`${n8n.url}/webhook/`),
			events: ['payment.completed'],
		},
	]);
});

it('the trigger says which events do not come with API keys', async () => {
	await editor.beginWith('On payment created');
	await editor.fields.getByText('With API Keys, AcountPay does not send Payment Created').waitFor();
	await editor.picture('keys-11-foreign-event');
	await editor.field('events').click();
	await expectTexts(editor.page.getByRole('option').filter({ visible: true }), [
		'Merchant Activated',
		'Merchant Deactivated',
		'Payment Completed',
		'Payment Failed',
	]);
	await editor.page.keyboard.press('Escape');
});

it('the wait for a payment goes on when the customer has paid', async () => {
	const data = { environment: 'custom', baseUrl: sandbox.url, ...sandbox.keys };
	const till = await n8n.api.createCredential('Till', KEY_CREDENTIAL, data);
	const withKeys = (name: string, parameters: WorkflowNode['parameters']) =>
		acountPay(
			till,
			{ authentication: 'apiKey', ...parameters },
			{ name, credentials: { [KEY_CREDENTIAL]: till } },
		);
	const order = { merchantId: SHOP.clientId, amount: 49.5, referenceNumber: 'ORDER-1005' };
	const { id } = await n8n.api.createWorkflow(
		workflow([
			manualTrigger(),
			withKeys('Create payment', { operation: 'create', ...order }),
			withKeys('Wait for completion', { operation: 'waitForCompletion' }),
		]),
	);
	await editor.openWorkflow(id);
	await editor.openNode('Wait for completion');
	await expectFields(editor, [
		'Credential',
		'Resource',
		'Operation',
		'Payment ID',
		'Timeout (Minutes)',
		'Options',
	]);
	await editor.drag('paymentId', 'paymentId');
	const asked = requestsFor(sandbox, 'get').length;
	const payAsCustomer = async () => {
		await until(() => requestsFor(sandbox, 'get').length > asked);
		await editor.picture('keys-12-waiting');
		const customer = await editor.page.context().newPage();
		await customer.goto(sandbox.url + pagePath(sandbox.payments.at(-1)!));
		await customer.getByText('49.50 DKK').waitFor();
		await editor.picture('keys-13-asked-to-pay', customer);
		await customer.getByRole('button', { name: 'Pay' }).click();
		await customer.getByText('The payment has arrived').waitFor();
		await customer.close();
	};
	await Promise.all([editor.executeStep(), payAsCustomer()]);
	await editor.showOutputAs('schema');
	await editor.output.getByText('completed', { exact: true }).waitFor();
	await editor.picture('keys-14-paid');
	const { id: paymentId } = sandbox.payments.at(-1)!;
	const execution = await n8n.api.waitForExecution((it) => it.workflowId === id && isFinished(it));
	expect(itemsOf(execution, 'Wait for completion').map(({ json }) => json)).toMatchObject([
		{ paymentId, referenceNumber: 'ORDER-1005', status: 'completed', waitEndedBy: 'status' },
	]);
});

describe('the authentication of a saved node is switched by choosing another credential', () => {
	let keys: StoredCredential;
	let oAuth2: StoredCredential;

	beforeAll(async () => {
		const data = { environment: 'custom', baseUrl: sandbox.url, ...sandbox.keys };
		keys = await n8n.api.createCredential('Stored keys', KEY_CREDENTIAL, data);
		oAuth2 = await n8n.api.createCredential(OAUTH2, 'acountPayApi', credentialFor(sandbox));
	});

	/** Opens a node of a workflow that is stored. @returns what reads it as it is stored by then */
	async function open(node: WorkflowNode): Promise<() => Promise<WorkflowNode>> {
		const { id } = await n8n.api.createWorkflow(workflow([manualTrigger(), node]));
		await editor.openWorkflow(id);
		await editor.openNode('AcountPay');
		return async () => (await n8n.api.getWorkflow(id)).nodes[1];
	}

	/** Waits until n8n has stored the node with that credential. */
	const stored = async (read: () => Promise<WorkflowNode>, type: string): Promise<IDataObject> => {
		await until(async () => Object.keys((await read()).credentials ?? {}).join() === type);
		return (await read()).parameters as IDataObject;
	};

	it('from access tokens and back: fields and credential follow, and what both have stays', async () => {
		const shared = {
			amount: '149.99',
			referenceNumber: 'ORDER-1004',
			additionalFields: { description: 'Two tickets' },
			options: { qrCode: true },
		};
		const merchantId = 'merchant_copenhagen';
		const read = await open(acountPay(oAuth2, { operation: 'create', merchantId, ...shared }));
		await editor.chooseCredential(keys.name);
		await editor.fields.getByText('To choose from the list of merchants').waitFor();
		await editor.picture('keys-15-switched-to-keys');
		expect(await editor.field('merchantId').locator('input').inputValue()).toBe(merchantId);
		expect(await stored(read, KEY_CREDENTIAL)).toMatchObject({
			authentication: 'apiKey',
			...shared,
		});

		await editor.chooseCredential(oAuth2.name);
		await editor.fields.getByText('To choose from the list').waitFor({ state: 'hidden' });
		await editor.picture('keys-16-switched-back');
		expect(await stored(read, 'acountPayApi')).toMatchObject({ merchantId, ...shared });
		expect((await read()).parameters).not.toHaveProperty('authentication', 'apiKey');
	});

	it('a typed merchant gives way to the list, and a picked one to an ID', async () => {
		const node = acountPay(oAuth2, { operation: 'create', merchantId: 'merchant_copenhagen' });
		const read = await open(node);
		await editor.chooseCredential(keys.name);
		await editor.reset('merchantId');
		await picker().locator('input').last().click();
		await editor.page.getByTestId('rlc-item').getByText(SHOP.companyName).click();
		await until(
			async () => pickedValue((await stored(read, KEY_CREDENTIAL)).merchantId) === SHOP.clientId,
		);

		await editor.chooseCredential(oAuth2.name);
		await editor.fields.getByText('no list of merchants for access tokens').waitFor();
		await editor.picture('keys-18-picked-then-tokens');
		await picker().locator('input').last().click();
		await editor.page
			.getByTestId('rlc-error-container')
			.getByText('no list of merchants for access tokens. Choose By ID.')
			.waitFor();
		await editor.page.keyboard.press('Escape');
		await picker().getByTestId('rlc-mode-selector').click();
		await editor.page.getByRole('option', { name: 'By ID' }).click();
		await editor.fields
			.getByText('no list of merchants for access tokens')
			.waitFor({ state: 'hidden' });
		await picker().getByTestId('rlc-input').fill('merchant_aarhus');
		await picker().getByTestId('rlc-input').blur();
		await until(
			async () =>
				pickedValue((await stored(read, 'acountPayApi')).merchantId) === 'merchant_aarhus',
		);
	});

	it('a filter by merchant that is added and left empty is left out', async () => {
		const node = acountPay(keys, { authentication: 'apiKey', operation: 'getAll' });
		await open({ ...node, credentials: { [KEY_CREDENTIAL]: keys } });
		await editor.addField('Filters', 'Merchant ID');
		await editor.executeStep();
		await editor.output
			.getByText(/^\d+ items$/)
			.first()
			.waitFor();
		await editor.picture('keys-19-empty-filter');
		const [list] = requestsFor(sandbox, 'list').slice(-1);
		expect(list).toMatchObject({ status: 200 });
		expect(list.path).not.toContain('merchantClientId');
	});

	it.each([
		['payment', 'find', 'Find by Reference'],
		['payment', 'getAll', 'Get Many'],
		['merchant', 'createTest', 'Create Test Merchant'],
		['merchant', 'getAll', 'Get Many'],
	])(
		'%s, %s: what OAuth2 does not have is kept, and n8n says what it needs',
		async (resource, operation, name) => {
			const node = acountPay(keys, { authentication: 'apiKey', resource, operation });
			const read = await open({ ...node, credentials: { [KEY_CREDENTIAL]: keys } });
			await editor.chooseCredential(oAuth2.name);
			await editor.fields.getByText(`${name} needs a credential for API Keys`).waitFor();
			await editor.picture(`keys-17-${resource}-${operation}-needs-keys`);
			await stored(read, 'acountPayApi');

			await editor.chooseCredential(keys.name);
			await editor.fields.getByText('needs a credential for').waitFor({ state: 'hidden' });
			expect(await stored(read, KEY_CREDENTIAL)).toMatchObject({ operation });
		},
	);

	it('a new node offers the list of merchants when the keys are chosen', async () => {
		await editor.beginWith('Create payment');
		await editor.chooseCredential(oAuth2.name);
		await picker().waitFor({ state: 'hidden' });
		await editor.chooseCredential(keys.name);
		await picker().locator('input').last().click();
		await editor.page.getByTestId('rlc-item').getByText(SHOP.companyName).waitFor();
		await editor.picture('keys-20-list-after-switch');
	});
});
