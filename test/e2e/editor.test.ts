import axios from 'axios';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Locator } from 'playwright-core';

import { startSandbox, webhookHeaders, type Sandbox } from '../../sandbox';
import { launchBrowser } from '../../tools/browser';
import { EXAMPLES_DIR, exampleNames, readExample } from '../../tools/exampleFiles';
import { isFinished, itemsOf, type StoredCredential } from '../../tools/n8n/api';
import { Editor } from '../../tools/n8n/editor';
import type { N8n } from '../../tools/n8n/server';
import {
	acountPay,
	itemsNode,
	manualTrigger,
	workflow,
	type WorkflowNode,
} from '../../tools/n8n/workflow';
import { expectFields, expectOptions, expectTexts, texts } from '../kit/editor';
import { startOwnN8n } from '../kit/n8n';
import {
	create as createOfOrders,
	credentialFor,
	createPayment,
	THREE_ORDERS,
} from '../kit/payments';

jest.setTimeout(180_000);

const ICONS = {
	light: '/icons/n8n-nodes-acountpay/dist/icons/acountpay.svg',
	dark: '/icons/n8n-nodes-acountpay/dist/icons/acountpay.dark.svg',
};

/** In the order of the panel, each once. */
const ACTIONS = [
	'Create merchant',
	'Create merchant by fast track',
	'Create test merchant',
	'Get merchant',
	'Get many merchants',
	'Create payment',
	'Find payment by reference',
	'Get payment',
	'Get many payments',
	'Get QR code of payment',
	'Wait for completion of payment',
	'Create store',
	'Get many stores',
];

/** What n8n asks of other machines: through this proxy, which writes it down and lets nothing through. */
const proxied: string[] = [];
let proxy: Server;
let sandbox: Sandbox;
let n8n: N8n;
let browser: Browser;
let editor: Editor;

beforeAll(async () => {
	proxy = createServer((request, answer) => {
		proxied.push(request.url!);
		answer.writeHead(502).end();
	})
		.on('connect', (request, socket) => {
			proxied.push(request.url!);
			socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
		})
		.listen(0, '127.0.0.1');
	await once(proxy, 'listening');
	const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;

	sandbox = await startSandbox();
	browser = await launchBrowser();
	n8n = await startOwnN8n({
		hasEditor: true,
		env: { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl, NO_PROXY: '127.0.0.1,localhost' },
	});
	editor = await Editor.open(browser, n8n.api);
});

afterAll(async () => {
	await browser?.close();
	await n8n?.stop();
	await sandbox?.close();
	proxy?.close();
});

beforeEach(() => sandbox.reset());

// What was to be seen at the end tells most about a test that failed.
afterEach(async () => {
	await editor.page.emulateMedia({ colorScheme: 'light' });
	const name = expect.getState().currentTestName!.replace(/\W+/g, '-');
	await editor.picture(`end-of-${name}`);
});

/** The width of an image in its own pixels; 0 for one that could not be loaded. */
const widthOf = async (image: Locator) =>
	await image.evaluate(({ naturalWidth }) => naturalWidth as number);

describe('without a credential', () => {
	it('the node is found, and says what it can do', async () => {
		await editor.openWorkflow();
		await editor.searchFirstNode('acount');
		const found = editor.nodePanel.getByTestId('node-creator-item-name');
		await found.getByText('AcountPay').waitFor();
		await editor.picture('01-search');
		await expectTexts(found, ['AcountPay']);

		await found.click();
		await editor.nodePanel.getByText('Actions (13)').click();
		await editor.nodePanel.getByText('Create payment').waitFor();
		await editor.picture('02-actions');
		await expectTexts(found, [
			'On merchant activated',
			'On merchant deactivated',
			'On payment completed',
			'On payment created',
			'On payment expired',
			'On payment failed',
			'On payment processing',
			...ACTIONS,
		]);
		const icon = editor.nodePanel.locator('img').first();
		expect(await icon.getAttribute('src')).toBe(ICONS.light);
		expect(await widthOf(icon)).toBeGreaterThan(0);
	});

	it('the credential dialog asks for little, and says whether it is right', async () => {
		const { credential, page } = editor;
		const save = async () => await credential.getByTestId('credential-save-button').click();
		await editor.openWorkflow();
		await editor.searchFirstNode('acount');
		await editor.nodePanel.getByText('AcountPay', { exact: true }).click();
		await editor.nodePanel.getByText('Actions (13)').click();
		await editor.nodePanel.getByText('Create payment').click();
		await editor.fields.getByText('Connect to AcountPay').click();
		await credential.getByTestId('credential-connection-parameter').first().waitFor();
		await editor.picture('03-credential');
		const asked = credential.getByTestId('credential-connection-parameter').locator('label');
		await expectTexts(asked, ['Client ID *', 'Client Secret *', 'Environment', 'Webhook Secret']);

		const { clientId, clientSecret, webhookSecret } = sandbox.credentials;
		await editor.fill('clientId', clientId);
		await editor.fill('clientSecret', 'mistyped');
		await editor.fill('webhookSecret', webhookSecret);
		await editor.choose('environment', 'Custom');
		await editor.fill('baseUrl', 'http://evil.example');
		await save();
		await credential.getByText('More details').click();
		await credential.getByText('base-url-must-start-with-https').waitFor();
		await editor.picture('04-base-url-refused');
		expect(proxied.filter((url) => url.includes('evil.example'))).toEqual([]);

		// So the secret would have been seen on its way.
		await editor.fill('baseUrl', 'https://safe.example');
		await save();
		await credential.getByText('base-url-must-start-with-https').waitFor({ state: 'hidden' });
		expect(proxied).toContain('safe.example:443');

		await editor.fill('baseUrl', sandbox.url);
		await save();
		await credential.getByText('Client authentication failed').waitFor();
		await editor.picture('05-wrong-secret');

		await editor.fill('clientSecret', clientSecret);
		await save();
		await credential.waitFor({ state: 'hidden' });
		await page.getByTestId('credential-edit-button').click();
		await credential.getByText('Connection tested successfully').waitFor();
		await editor.picture('06-connected');
		expect(sandbox.counts).toEqual({ 'token 401': 1, 'token 200': expect.any(Number) });
	});
});

describe('with a credential', () => {
	let credential: StoredCredential;

	beforeAll(async () => {
		const data = credentialFor(sandbox);
		credential = await n8n.api.createCredential('AcountPay sandbox', 'acountPayApi', data);
	});

	/** Opens a workflow that was stored before: the manual trigger, then these nodes. */
	const open = async (...nodes: WorkflowNode[]) => {
		const { id } = await n8n.api.createWorkflow(workflow([manualTrigger(), ...nodes]));
		await editor.openWorkflow(id);
		return id;
	};
	const create = (parameters: WorkflowNode['parameters'] = {}) =>
		acountPay(credential, { operation: 'create', ...parameters }, { name: 'Create payment' });
	const finished = async (workflowId: string) =>
		await n8n.api.waitForExecution(
			(execution) => execution.workflowId === workflowId && isFinished(execution),
		);

	it('a payment is created by hand, and its QR code shown', async () => {
		await open(create());
		await editor.openNode('Create payment');
		await expectOptions(editor, 'resource', ['Payment']);
		await editor.picture('07-create');
		await expectFields(editor, [
			'Credential',
			'Resource',
			'Operation',
			'Merchant ID',
			'Amount',
			'Reference Number',
			'Additional Fields',
			'Options',
		]);
		await editor.fill('merchantId', 'merchant_copenhagen');
		await editor.fill('amount', '149.99');
		await editor.fill('referenceNumber', 'ORDER-1001');
		await editor.addField('Options', 'QR Code');
		await editor.executeStep();
		await editor.output.getByTestId('ndv-view-binary-data').click();
		const image = editor.output.locator('img');
		await image.waitFor();
		// Wide enough that the tabs of the output are whole.
		await editor.page.setViewportSize({ width: 1500, height: 860 });
		await editor.picture('08-qr-code');
		await editor.page.setViewportSize({ width: 1280, height: 800 });
		expect(await widthOf(image)).toBeGreaterThan(100);

		await editor.output.getByText('Back to list').click();
		await editor.showOutputAs('schema');
		const [payment] = sandbox.payments;
		await editor.output.getByText(`${sandbox.url}/pay/${payment.id}`).waitFor();
		await editor.picture('09-created');
		expect(sandbox.payments).toEqual([
			expect.objectContaining({
				merchant: 'merchant_copenhagen',
				amount: 149.99,
				currency: 'DKK',
				referenceNumber: 'ORDER-1001',
			}),
		]);
	});

	it('an amount that is typed with a comma is refused, and not taken for a hundred times as much', async () => {
		await open(create({ merchantId: 'merchant_copenhagen', referenceNumber: 'ORDER-1001' }));
		await editor.openNode('Create payment');
		await editor.type('amount', '149,99');
		await editor.executeStep();
		await editor.output.getByText('but is "149,99"').first().waitFor();
		expect(sandbox.requests).toEqual([]);
	});

	it('payments are created from items, with fields dragged from them', async () => {
		await open(itemsNode(THREE_ORDERS), create());
		await editor.openNode('Create payment');
		await editor.input.getByTestId('execute-previous-node').click();
		await editor.input.getByText('ORDER-1001').waitFor();
		await editor.drag('merchant', 'merchantId');
		await editor.drag('amount', 'amount');
		await editor.drag('reference', 'referenceNumber');
		await editor.addField('Additional Fields', 'Description');
		await editor.fillExpression('description', 'For {{ $json.reference }}');
		await editor.fields.getByText('For ORDER-1001', { exact: true }).waitFor();
		await editor.executeStep();
		await editor.output.getByText('3 items').waitFor();
		await editor.picture('10-from-items');
		expect(sandbox.payments).toHaveLength(3);
		for (const { merchant, reference, amount } of THREE_ORDERS) {
			expect(sandbox.payments).toContainEqual(
				expect.objectContaining({
					merchant,
					amount,
					referenceNumber: reference,
					description: `For ${reference}`,
				}),
			);
		}
	});

	it('what a payment will have can be dragged before the first run', async () => {
		const id = await open(
			create({ merchantId: 'merchant_aarhus', amount: 49.5, referenceNumber: 'ORDER-1002' }),
			acountPay(
				credential,
				{ operation: 'get', merchantId: 'merchant_aarhus' },
				{ name: 'Get payment' },
			),
		);
		await editor.openNode('Get payment');
		await editor.input.getByText('Usually outputs the following fields').waitFor();
		const chips = editor.input.getByTestId('run-data-schema-node-name');
		await chips.getByText('paymentUrl').waitFor();
		const promised = await texts(chips.filter({ hasNotText: '$' }));
		await editor.drag('id', 'paymentId');
		await editor.picture('11-preview');
		await editor.executeStep();
		await editor.output.getByText('ORDER-1002').waitFor();
		await editor.picture('12-read-back');

		const execution = await finished(id);
		for (const node of ['Create payment', 'Get payment']) {
			expect(Object.keys(itemsOf(execution, node)[0].json)).toEqual(
				expect.arrayContaining(promised),
			);
		}
	});

	it('an error says what happened, and which payments were made', async () => {
		sandbox.faults.add({ match: { endpoint: 'create', nth: 3 }, reset: 'after' });
		await open(
			itemsNode(THREE_ORDERS),
			create({ ...createOfOrders(), options: { maxConcurrency: 1 } }),
		);
		await editor.openNode('Create payment');
		await editor.executeStep();
		await editor.output.getByText('Error details').waitFor();
		await editor.picture('13-error');
		const said = await editor.output.innerText();
		expect(said.match(/\[item 2\]/g)).toHaveLength(1);
		expect(said).toContain("Payment 'ORDER-1003' may or may not exist");
		const [first, second] = sandbox.payments;
		expect(said).toContain(`ORDER-1001 = ${first.id}, ORDER-1002 = ${second.id}`);
	});

	it('the trigger shows an event that AcountPay has signed, and no other', async () => {
		await editor.openWorkflow();
		await editor.searchFirstNode('acount');
		await editor.nodePanel.getByText('AcountPay', { exact: true }).click();
		await editor.nodePanel.getByText('On payment completed').click();
		await editor.fields.waitFor();
		await editor.page.getByText('Webhook URLs', { exact: true }).click();
		const url = (await editor.page.getByText('/webhook-test/').innerText()).trim();
		await editor.picture('14-trigger');
		await expectFields(editor, ['Credential', 'Trigger On', 'Options']);

		await editor.page.getByTestId('trigger-execute-button').click();
		await editor.page.getByText('Listening for test event').waitFor();
		await editor.picture('15-listening');
		const forged = JSON.stringify({
			event: 'payment.completed',
			data: { paymentId: 'pay_forged' },
		});
		const { status } = await axios.post(url, forged, {
			headers: webhookHeaders(forged, 'guessed'),
			proxy: false,
			validateStatus: () => true,
		});
		expect(status).toBe(401);
		const order = { amount: 149.99, referenceNumber: 'ORDER-1001', webhookUrl: url };
		const { id } = await createPayment(sandbox, order, 'merchant_copenhagen');
		sandbox.pay(id);
		sandbox.clock.advance(1_000);
		await editor.output.getByText('payment.completed').waitFor();
		await editor.output.getByText(id).waitFor();
		await editor.picture('16-event');
	});

	it.each([
		['Pay', 'dark', 'completed'],
		['Decline', 'light', 'failed'],
	] as const)('the workflow goes on when the customer presses %s', async (button, mode, status) => {
		await editor.page.emulateMedia({ colorScheme: mode });
		const id = await open(
			create({
				merchantId: 'merchant_aarhus',
				amount: 49.5,
				referenceNumber: 'ORDER-1002',
				additionalFields: {
					description: 'Two tickets, 5 May',
					webhookUrl: '={{ $execution.resumeUrl }}',
				},
			}),
			acountPay(
				credential,
				{
					operation: 'waitForCompletion',
					resumeOn: 'webhook',
					merchantId: 'merchant_aarhus',
					paymentId: '={{ $json.id }}',
				},
				{ name: 'Wait for completion' },
			),
		);
		await editor.page.getByTestId('execute-workflow-button').click();
		await n8n.api.waitForExecution(
			(execution) => execution.workflowId === id && execution.status === 'waiting',
		);
		const icon = editor.node('Wait for completion').locator('img');
		expect(await icon.getAttribute('src')).toBe(ICONS[mode]);
		expect(await widthOf(icon)).toBeGreaterThan(0);
		await editor.page.getByText('wait for completion: payment', { exact: true }).waitFor();
		await editor.picture(`17-waiting-${mode}`);

		const customer = await editor.page.context().newPage();
		await customer.emulateMedia({ colorScheme: mode });
		await customer.goto(`${sandbox.url}/pay/${sandbox.payments[0].id}`);
		await customer.getByText('49.50 DKK').waitFor();
		await editor.picture(`18-asked-to-pay-${mode}`, customer);
		await customer.getByRole('button', { name: button }).click();
		const answer = { completed: 'The payment has arrived', failed: 'The payment was declined' };
		await customer.getByText(answer[status]).waitFor();
		await editor.picture(`19-${status}`, customer);
		await customer.close();

		await editor.openNode('Wait for completion');
		await editor.showOutputAs('schema');
		await editor.output.getByText(status, { exact: true }).waitFor();
		await editor.picture(`20-went-on-${status}`);
		const execution = await finished(id);
		expect(itemsOf(execution, 'Wait for completion')).toEqual([
			expect.objectContaining({
				json: expect.objectContaining({
					paymentId: sandbox.payments[0].id,
					status,
					waitEndedBy: 'status',
				}),
			}),
		]);
	});

	it.each(exampleNames())('the example %s can be imported', async (name) => {
		await editor.openWorkflow();
		await editor.importFile(join(EXAMPLES_DIR, `${name}.json`));
		const { nodes } = readExample(name);
		for (const node of nodes.filter(({ type }) => !type.endsWith('.stickyNote'))) {
			await editor.node(node.name).waitFor();
			if (!node.type.startsWith('n8n-nodes-acountpay.')) continue;
			expect(await widthOf(editor.node(node.name).locator('img'))).toBeGreaterThan(0);
		}
		await editor.picture(`21-example-${name}`);
	});
});
