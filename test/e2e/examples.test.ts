import axios from 'axios';
import type { IDataObject, INode, INodeTypeDescription } from 'n8n-workflow';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';

import {
	KEY_MERCHANTS,
	LIFETIME_MS,
	startSandbox,
	webhookBody,
	webhookHeaders,
	type Payment,
	type Sandbox,
} from '../../sandbox';
import { pagePath } from '../../sandbox/payments';
import { launchBrowser } from '../../tools/browser';
import {
	EXAMPLES_DIR,
	exampleNames,
	importExample,
	parametersOf,
	readExample,
	withKeys,
} from '../../tools/examples';
import {
	errorOf,
	isFinished,
	itemsOf,
	type Execution,
	type N8nApi,
	type StoredCredential,
	type StoredWorkflow,
} from '../../tools/n8n/api';
import { SCREENSHOTS_DIR } from '../../tools/n8n/editor';
import {
	itemsNode,
	manualTrigger,
	workflow as workflowOf,
	type WorkflowJson,
} from '../../tools/n8n/workflow';
import { Chat } from './chat';
import {
	DataTable,
	nodesRun,
	startFrom,
	type MerchantRow,
	type OrderRow,
	type PaymentRow,
} from './example';
import { startMailbox, type Mailbox } from './mailbox';
import { startModel, type Model, type Reply } from './model';
import { sharedN8n, startOwnN8n } from '../kit/n8n';
import { credentialFor, makePayment, readQrCode, until } from '../kit/payments';
import { textIn } from '../kit/qrCode';
import { keyPartnerOf } from '../sandbox/client';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const MERCHANT = 'merchant_abc123';
/** A merchant with keys whose payments wait for the customer. */
const SHOP = KEY_MERCHANTS.shop.clientId;
const TILL_KEY = { 'X-Till-Key': 'of-the-till' };

const { api } = sharedN8n();
const table = new DataTable<OrderRow>(api, 'AcountPay orders');
const imported: string[] = [];
let sandbox: Sandbox;
let credential: StoredCredential;
let keys: StoredCredential;

/** Imports an example, to be switched off after the test. */
async function load(
	name: string,
	credentials: StoredCredential[] = [],
	change?: (workflow: WorkflowJson) => void,
): Promise<StoredWorkflow> {
	const workflow = await importExample(api, name, [credential, keys, ...credentials], change);
	imported.push(workflow.id);
	return workflow;
}

/** The execution when it is finished. */
const finished = async (executionId: string, timeoutMs?: number): Promise<Execution> =>
	await api.waitForExecution(
		(execution) => execution.id === executionId && isFinished(execution),
		timeoutMs,
	);

/** Runs a workflow from one of its triggers to its end. */
const run = async ({ id }: StoredWorkflow, trigger: string): Promise<Execution> =>
	await finished(await startFrom(api, id, trigger));

/** Publishes a workflow as the editor does, and sees that n8n could set up its triggers. */
const publish = async ({ id }: StoredWorkflow) =>
	expect(await api.publish(id)).toMatchObject({ status: 'published' });

/** The executions of a workflow, the first first. */
const executionsOf = async ({ id }: StoredWorkflow) =>
	(await api.listExecutions()).filter(({ workflowId }) => workflowId === id).reverse();

const paymentFor = (reference: string): Payment => {
	const payments = sandbox.payments.filter(({ referenceNumber }) => referenceNumber === reference);
	expect(payments).toHaveLength(1);
	return payments[0];
};

/** What the sandbox takes as keys, as a person enters it. */
const keyData = () => ({ environment: 'custom', baseUrl: `${sandbox.url}/v1`, ...sandbox.keys });

/** The page where the customer pays. */
const pageOf = (payment: Payment) => sandbox.url + pagePath(payment);

/** Makes a payment with keys for the shop, without n8n. */
const makeKeyPayment = async (body: object): Promise<number> =>
	(await keyPartnerOf(sandbox).create(body)).data.paymentId as number;

const tillCredential = async () => {
	const [[name, value]] = Object.entries(TILL_KEY);
	return await api.createCredential('Till', 'httpHeaderAuth', { name, value });
};

/** What the till does; the answer is the image to show. */
const callTill = async (path: string, sale: object, headers: Record<string, string> = TILL_KEY) =>
	await axios.post<Buffer>(api.webhookUrl(path), sale, {
		headers,
		proxy: false,
		responseType: 'arraybuffer',
		validateStatus: () => true,
	});

/** The customer pays, and the bank has done its part. */
const payAndSettle = async (reference: string) => {
	sandbox.pay(paymentFor(reference).id);
	sandbox.clock.advance(1_000);
	await sandbox.webhooksIdle();
};

beforeAll(async () => {
	sandbox = await startSandbox();
	credential = await api.createCredential('AcountPay', 'acountPayApi', credentialFor(sandbox));
	keys = await api.createCredential('AcountPay keys', 'acountPayKeyApi', keyData());
});

beforeEach(async () => {
	sandbox.reset();
	await table.remove();
});

afterEach(async () => {
	for (const id of imported.splice(0)) await api.deactivate(id);
});

afterAll(async () => {
	await sandbox.close();
});

describe('every example', () => {
	const names = exampleNames();
	const readme = readFileSync(join(EXAMPLES_DIR, 'README.md'), 'utf8');

	it.each(names)('%s has its place and its picture in the README', (name) => {
		expect(readme).toContain(`](${name}.json)`);
		expect(readme).toContain(`](images/${name}.webp)`);
		expect(existsSync(join(EXAMPLES_DIR, 'images', `${name}.webp`))).toBe(true);
	});

	it.each(names)('%s holds nothing of the n8n that it was made with', (name) => {
		const example = readExample(name);
		expect(Object.keys(example)).toEqual(['name', 'nodes', 'connections', 'settings']);
		for (const node of example.nodes) {
			expect(node).not.toHaveProperty('credentials');
			expect(node).not.toHaveProperty('webhookId');
		}
	});

	it('is made of nodes that n8n knows, in versions that it knows', async () => {
		const { data } = await axios.get<INodeTypeDescription[]>(`${api.url}/types/nodes.json`, {
			proxy: false,
			headers: { cookie: api.cookie },
		});
		const known = new Set(
			data.flatMap(({ name, version }) => [version].flat().map((number) => `${name} ${number}`)),
		);
		const used = names
			.flatMap((name) => readExample(name).nodes)
			.map(({ type, typeVersion }) => `${type} ${typeVersion}`);
		expect(used.filter((node) => !known.has(node))).toEqual([]);
	});
});

describe('point of sale', () => {
	const OUTCOMES = ['Paid', 'Declined', 'Expired', 'Look Into It'];
	let workflow: StoredWorkflow;

	const open = async (change?: (workflow: WorkflowJson) => void) => {
		workflow = await load('point-of-sale', [await tillCredential()], change);
		await publish(workflow);
	};

	const sell = async (reference: string, headers?: Record<string, string>) =>
		await callTill('point-of-sale', { amount: 149.99, reference }, headers);

	/** The execution of the only sale when it waits for the customer. */
	const parked = async () =>
		await api.waitForExecution(
			(execution) => execution.workflowId === workflow.id && execution.status === 'waiting',
		);

	const outcomeOf = (execution: Execution) =>
		nodesRun(execution).filter((name) => OUTCOMES.includes(name));

	it('asks for nothing when somebody else than the till calls', async () => {
		await open();
		expect((await sell('SALE-1', {})).status).toBe(403);
		expect((await sell('SALE-1', { 'X-Till-Key': 'guessed' })).status).toBe(403);
		expect(sandbox.payments).toEqual([]);
		expect(await executionsOf(workflow)).toEqual([]);
	});

	it.each([
		['Paid', async () => await payAndSettle('SALE-2')],
		['Declined', async () => sandbox.decline(paymentFor('SALE-2').id)],
		['Expired', async () => sandbox.clock.advance(LIFETIME_MS)],
	])('shows the till the QR code, and goes on with %s', async (outcome, customer) => {
		await open();
		const answer = await sell('SALE-2');
		const payment = paymentFor('SALE-2');
		expect(payment).toMatchObject({ merchant: MERCHANT, amount: 149.99, currency: 'DKK' });
		expect(answer.headers['content-type']).toBe('image/png');
		expect(answer.data).toEqual(await readQrCode(sandbox, MERCHANT, payment.id));

		const { id } = await parked();
		await customer();
		const execution = await finished(id);
		expect(execution.status).toBe('success');
		expect(outcomeOf(execution)).toEqual([outcome]);
		expect(itemsOf(execution, outcome)).toHaveLength(1);
		expect(nodesRun(execution)).not.toContain('Read Once More');
	});

	it('fails when no payment could be made, and tells the till', async () => {
		await open();
		sandbox.faults.add({ match: { endpoint: 'create' }, status: 400, times: 'always' });
		expect((await sell('SALE-3')).status).toBe(500);
		const [{ id }] = await executionsOf(workflow);
		const execution = await finished(id);
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toContain(
			"AcountPay refused the payment with reference 'SALE-3'",
		);
		expect(sandbox.payments).toEqual([]);
	});

	describe('when AcountPay stays silent', () => {
		beforeEach(async () => {
			sandbox.faults.add({ match: { endpoint: 'webhook' }, status: 500, times: 'always' });
			await open((example) => {
				parametersOf(example, 'Wait for Customer').timeoutMinutes = 0.05;
			});
		});

		it('asks once more, and takes only a status that it knows and the money that it asked for', async () => {
			await sell('SALE-4');
			await sell('SALE-5');
			await sell('SALE-6');
			await sell('SALE-7');
			await sell('SALE-8');
			await payAndSettle('SALE-4');
			sandbox.faults.add({
				match: { endpoint: 'get', reference: 'SALE-5' },
				body: { id: paymentFor('SALE-5').id, status: 'settling' },
				times: 'always',
			});
			const otherMoney = [
				['SALE-7', { amount: 1, currency: 'DKK' }],
				['SALE-8', { amount: 149.99, currency: 'EUR' }],
			] as const;
			for (const [reference, paid] of otherMoney) {
				sandbox.faults.add({
					match: { endpoint: 'get', reference },
					body: { id: paymentFor(reference).id, status: 'completed', ...paid },
					times: 'always',
				});
			}
			const executions = await executionsOf(workflow);
			// n8n looks for waits that have timed out once a minute.
			const [paid, unknown, pending, ...others] = await Promise.all(
				executions.map(async ({ id }) => await finished(id, 90_000)),
			);
			expect(itemsOf(paid, 'Wait for Customer')[0].json.waitEndedBy).toBe('timeout');
			expect(paid.status).toBe('success');
			expect(outcomeOf(paid)).toEqual(['Paid']);
			for (const [execution, status] of [
				[unknown, 'settling'],
				[pending, 'pending'],
			] as const) {
				expect(execution.status).toBe('error');
				expect(outcomeOf(execution)).toEqual(['Look Into It']);
				expect(errorOf(execution)?.message).toContain(`'${status}'`);
			}
			otherMoney.forEach(([reference, { amount, currency }], index) => {
				expect(outcomeOf(others[index])).toEqual(['Look Into It']);
				const { message } = errorOf(others[index])!;
				expect(message).toContain(`${reference} over 149.99 DKK is paid`);
				expect(message).toContain(`'completed', ${amount} ${currency}`);
			});
			expect(sandbox.counts['create 201']).toBe(5);
		});
	});
});

describe('point of sale with keys', () => {
	const SALE = { amount: 149.99, reference: 'SALE-1', register: 'REG-001' };
	const OUTCOMES = ['Paid', 'Not Paid', 'Look Into It'];
	let workflow: StoredWorkflow;

	/** Opens the point of sale, and sells as a till does. @returns the payment and the image that the till shows */
	const sell = async (timeoutMinutes = 35) => {
		workflow = await load('point-of-sale-keys', [await tillCredential()], (example) => {
			parametersOf(example, 'Wait for Customer').timeoutMinutes = timeoutMinutes;
		});
		await publish(workflow);
		const { data: image, status } = await callTill('point-of-sale-keys', SALE);
		expect(status).toBe(200);
		return { payment: paymentFor('SALE-1'), image };
	};

	/** The only sale when it has ended: its way, and what it failed with. */
	const ended = async () => {
		const execution = await api.waitForExecution(
			(candidate) => candidate.workflowId === workflow.id && isFinished(candidate),
		);
		return {
			outcome: nodesRun(execution).filter((name) => OUTCOMES.includes(name)),
			message: errorOf(execution)?.message,
		};
	};

	it.each([
		['Paid', async () => await payAndSettle('SALE-1')],
		['Not Paid', async () => sandbox.decline(paymentFor('SALE-1').id)],
		['Not Paid', async () => sandbox.clock.advance(LIFETIME_MS)],
	])('shows the till the QR code, and goes on with %s', async (outcome, customer) => {
		const { payment, image } = await sell();
		expect(payment).toMatchObject({
			api: 'keys',
			merchant: SHOP,
			amount: 149.99,
			currency: 'DKK',
			registerId: 'REG-001',
		});
		expect(await textIn(image)).toBe(pageOf(payment));
		await customer();
		expect(await ended()).toEqual({ outcome: [outcome], message: undefined });
		expect(sandbox.counts).not.toHaveProperty(['token 200']);
	});

	it.each([
		['another amount', { status: 'paid', amount: 1, currency: 'DKK' }],
		['another currency', { status: 'paid', amount: 149.99, currency: 'EUR' }],
		['an unknown status', { status: 'settling' }],
	])('takes %s for no payment', async (_what, body) => {
		sandbox.faults.add({ match: { endpoint: 'get' }, body, times: 'always' });
		const { payment } = await sell(0.05);
		const { outcome, message } = await ended();
		expect(outcome).toEqual(['Look Into It']);
		expect(message).toContain('SALE-1 over 149.99 DKK is paid');
		expect(message).toContain(
			`payment ${payment.id} '${body.status.replace('paid', 'completed')}'`,
		);
	});

	it('asks for nothing when somebody else than the till calls, and takes a sale without a register', async () => {
		workflow = await load('point-of-sale-keys', [await tillCredential()]);
		await publish(workflow);
		expect((await callTill('point-of-sale-keys', SALE, {})).status).toBe(403);
		expect(sandbox.payments).toEqual([]);
		await callTill('point-of-sale-keys', { ...SALE, register: undefined });
		expect(paymentFor('SALE-1').registerId).toBeUndefined();
		sandbox.decline(paymentFor('SALE-1').id);
		expect((await ended()).outcome).toEqual(['Not Paid']);
	});
});

describe('invoices by mail', () => {
	const REFUSED = 'nobody@example.com';
	let mailbox: Mailbox;
	let smtp: StoredCredential;
	let workflow: StoredWorkflow;

	beforeEach(async () => {
		mailbox = await startMailbox([REFUSED]);
		smtp = await api.createCredential('Mail', 'smtp', mailbox.credential);
		workflow = await load('invoices-by-mail', [smtp]);
		await run(workflow, 'Start');
	});

	afterEach(async () => await mailbox.close());

	const invoice = (reference: string, more: Partial<OrderRow> = {}): OrderRow => ({
		reference,
		merchantId: MERCHANT,
		amount: 1234.5,
		currency: 'DKK',
		customer: 'Anna',
		email: `${reference.toLowerCase()}@example.com`,
		...more,
	});

	it('makes the table first, and asks for nothing', async () => {
		expect(await table.rows()).toEqual([]);
		expect(sandbox.counts).toEqual({});
	});

	it('sends each invoice with the link and the image of its own payment', async () => {
		await table.add(invoice('INV-1'), invoice('INV-2', { amount: 99, customer: 'Bo' }));
		const execution = await run(workflow, 'Start');
		expect(errorOf(execution)).toBeUndefined();
		expect(mailbox.mails).toHaveLength(2);
		for (const [reference, name, amount] of [
			['INV-1', 'Anna', '1234.50 DKK'],
			['INV-2', 'Bo', '99.00 DKK'],
		]) {
			const { id } = paymentFor(reference);
			const mail = mailbox.mails.find(({ subject }) => subject === `Invoice ${reference}`)!;
			expect(mail.to).toMatchObject({ text: `${reference.toLowerCase()}@example.com` });
			expect(mail.html).toContain(`Dear ${name}`);
			expect(mail.html).toContain(amount);
			expect(mail.html).toContain(`href="${sandbox.url}/pay/${id}"`);
			expect(mail.attachments).toHaveLength(1);
			const [image] = mail.attachments;
			expect(image).toMatchObject({ cid: 'data', contentType: 'image/png' });
			expect(image.content).toEqual(await readQrCode(sandbox, MERCHANT, id));
			expect(await table.row(reference)).toMatchObject({ state: 'created', paymentId: id });
		}
	});

	it('takes keys instead of access tokens', async () => {
		workflow = await load('invoices-by-mail', [smtp], withKeys);
		await table.add(invoice('INV-1', { merchantId: SHOP }));
		await run(workflow, 'Start');
		const payment = paymentFor('INV-1');
		expect(payment).toMatchObject({ api: 'keys', merchant: SHOP, amount: 1234.5 });
		const [{ html, attachments }] = mailbox.mails;
		expect(html).toContain(`href="${pageOf(payment)}"`);
		expect(await textIn(attachments[0].content)).toBe(pageOf(payment));
		const paymentId = String(payment.id);
		expect(await table.row('INV-1')).toMatchObject({ state: 'created', paymentId });
	});

	it('sends the image alone when AcountPay gives no link under this name', async () => {
		await table.add(invoice('INV-1'));
		const { id } = await makePayment(sandbox, {
			amount: 1234.5,
			referenceNumber: 'INV-1',
		});
		const body = { id, status: 'pending', qrCodeUrl: 'https://acountpay.example.com/qr' };
		sandbox.faults.add({ match: { endpoint: 'create' }, status: 201, body });
		await run(workflow, 'Start');
		const [{ html, attachments }] = mailbox.mails;
		expect(html).toContain('<p>Scan this code with your phone:</p>');
		expect(html).not.toContain('href');
		expect(attachments).toHaveLength(1);
	});

	it('asks for no invoice a second time', async () => {
		await table.add(invoice('INV-1'));
		await run(workflow, 'Start');
		const again = await run(workflow, 'Start');
		expect(again.status).toBe('success');
		expect(nodesRun(again)).not.toContain('Create Payment');
		expect(mailbox.mails).toHaveLength(1);
		paymentFor('INV-1');
	});

	it('sends the others when one fails, says what went wrong, and does not ask again', async () => {
		await table.add(
			invoice('INV-1', { amount: 0 }),
			invoice('INV-2', { email: REFUSED }),
			invoice('INV-3'),
			invoice('INV-4'),
			invoice('INV-5'),
		);
		// AcountPay makes the payment, and its answer is lost.
		sandbox.faults.add({ match: { endpoint: 'create', reference: 'INV-4' }, reset: 'after' });
		sandbox.faults.add({ match: { endpoint: 'qr', reference: 'INV-5' }, status: 400 });
		const execution = await run(workflow, 'Start');
		expect(execution.status).toBe('error');
		const { message } = errorOf(execution)!;
		expect(message).toMatch(/^4 of 5 invoices need you: /);
		for (const reference of ['INV-1', 'INV-2', 'INV-4', 'INV-5']) {
			expect(message).toContain(reference);
		}
		expect(mailbox.mails.map(({ subject }) => subject)).toEqual(['Invoice INV-3']);
		expect(await table.rows()).toMatchObject([
			{ state: 'notCreated', note: expect.stringContaining('Amount') },
			{ state: 'created', note: expect.stringContaining('The mail was not sent') },
			{ state: 'created', note: null },
			{ state: 'unknown', note: expect.stringContaining('may or may not exist') },
			{
				state: 'created',
				paymentId: paymentFor('INV-5').id,
				note: expect.stringContaining('QR code is missing'),
			},
		]);

		const again = await run(workflow, 'Start');
		expect(nodesRun(again)).not.toContain('Create Payment');
		expect(sandbox.payments).toHaveLength(4);
	});

	it('leaves a row that another run has taken since it was read', async () => {
		await table.add(invoice('INV-1', { state: 'creating' }));
		parametersOf(workflow, 'New Invoices').filters = {};
		await api.updateWorkflow(workflow.id, workflow);
		const execution = await run(workflow, 'Start');
		expect(itemsOf(execution, 'New Invoices')).toMatchObject([{ json: { reference: 'INV-1' } }]);
		expect(nodesRun(execution)).not.toContain('Create Payment');
		expect(await table.row('INV-1')).toMatchObject({ state: 'creating' });
	});
});

describe('paid orders', () => {
	let workflow: StoredWorkflow;
	let url: string;

	const publishTrigger = async (options: object = {}, change?: (example: WorkflowJson) => void) => {
		workflow = await load('paid-orders', [], (example) => {
			parametersOf(example, 'AcountPay Trigger').options = options;
			change?.(example);
		});
		await run(workflow, 'Set Up');
		const trigger = workflow.nodes.find(({ name }) => name === 'AcountPay Trigger')!;
		url = api.webhookUrl(`${trigger.webhookId}/webhook`);
		await publish(workflow);
	};

	const order = (reference: string, more: Partial<OrderRow> = {}): OrderRow => ({
		reference,
		merchantId: MERCHANT,
		amount: 250,
		currency: 'DKK',
		state: 'created',
		...more,
	});

	/** A payment whose events go to the trigger. */
	const ask = async (referenceNumber: string, more: object = {}) =>
		await makePayment(sandbox, {
			amount: 250,
			referenceNumber,
			webhookUrl: url,
			...more,
		});

	/** The executions that something starts, when they are finished. */
	const startedBy = async (
		happening: () => Promise<unknown>,
		count: number,
	): Promise<Execution[]> => {
		const seen = new Set((await executionsOf(workflow)).map(({ id }) => id));
		await happening();
		const started: Execution[] = [];
		while (started.length < count) {
			const execution = await api.waitForExecution(
				(run) => run.workflowId === workflow.id && !seen.has(run.id) && isFinished(run),
			);
			seen.add(execution.id);
			started.push(execution);
		}
		return started;
	};

	/** The customers of these payments pay in the same moment; the executions that this starts. */
	const pay = async (...payments: Array<{ id: string | number }>): Promise<Execution[]> =>
		await startedBy(async () => {
			for (const { id } of payments) sandbox.pay(id);
			sandbox.clock.advance(1_000);
			await sandbox.webhooksIdle();
		}, payments.length);

	/** A signed event about a payment, as AcountPay sends it. */
	const deliver = async (payment: Payment) => {
		const body = JSON.stringify(webhookBody('payment.completed', payment, new Date()));
		const headers = webhookHeaders(body, sandbox.credentials.webhookSecret);
		await axios.post(url, Buffer.from(body), { headers, proxy: false });
	};

	it('marks the order paid', async () => {
		await publishTrigger();
		await table.add(order('ORDER-1'), order('ORDER-2'));
		const { id } = await ask('ORDER-1');
		const [execution] = await pay({ id });
		expect(execution.status).toBe('success');
		expect(itemsOf(execution, 'Paid Just Now')).toMatchObject([
			{ json: { reference: 'ORDER-1', state: 'paid', paymentId: id } },
		]);
		expect(await table.row('ORDER-1')).toMatchObject({ state: 'paid', paymentId: id });
		expect(await table.row('ORDER-2')).toMatchObject({ state: 'created', paymentId: null });
	});

	it('takes keys instead of access tokens', async () => {
		await publishTrigger({}, withKeys);
		await table.add(order('ORDER-1', { merchantId: SHOP }));
		const id = await makeKeyPayment({ amount: 250, referenceNumber: 'ORDER-1' });
		const [execution] = await pay({ id });
		expect(errorOf(execution)).toBeUndefined();
		const paymentId = String(id);
		expect(itemsOf(execution, 'Paid Just Now')).toMatchObject([
			{ json: { reference: 'ORDER-1', state: 'paid', paymentId } },
		]);
		expect(await table.row('ORDER-1')).toMatchObject({ state: 'paid', paymentId });
	});

	it('has nothing left to do when AcountPay tells twice', async () => {
		await publishTrigger({ ignoreRepeats: false });
		await table.add(order('ORDER-1'));
		const { id } = await ask('ORDER-1');
		const [first] = await pay({ id });
		expect(nodesRun(first)).toContain('Paid Just Now');
		const [second] = await startedBy(async () => await deliver(sandbox.payment(id)), 1);
		expect(second.status).toBe('success');
		expect(nodesRun(second)).toContain('Nothing Left to Do');
		expect(nodesRun(second)).not.toContain('Get Payment');
	});

	it.each([
		['another amount', { amount: 25 }, '25 DKK'],
		['another currency', { currency: 'EUR' }, '250 EUR'],
	])('does not take %s', async (_what, asked, money) => {
		await publishTrigger();
		await table.add(order('ORDER-1'));
		const { id } = await ask('ORDER-1', asked);
		const [execution] = await pay({ id });
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toMatch(
			new RegExp(`payment ${id} 'completed', ${money} .*is 250 DKK`),
		);
		expect(await table.row('ORDER-1')).toMatchObject({ state: 'created', paymentId: null });
	});

	it('takes no word for it when AcountPay, asked, says otherwise', async () => {
		await publishTrigger();
		await table.add(order('ORDER-1'));
		const { id } = await ask('ORDER-1');
		const lying: Payment = { ...sandbox.payment(id), status: 'completed' };
		const [execution] = await startedBy(async () => await deliver(lying), 1);
		expect(execution.status).toBe('error');
		expect(nodesRun(execution)).not.toContain('Mark as Paid');
		expect(await table.row('ORDER-1')).toMatchObject({ state: 'created' });
	});

	it('says so when there is no such order', async () => {
		await publishTrigger();
		await table.add(order('ORDER-1'));
		const [execution] = await pay(await ask('ORDER-9'));
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toContain("'ORDER-9'");
	});

	it('says so when two orders have the same reference, and marks neither', async () => {
		await publishTrigger();
		await table.add(order('ORDER-1'), order('ORDER-1'));
		const [execution] = await pay(await ask('ORDER-1'));
		expect(execution.status).toBe('error');
		expect(await table.rows()).toMatchObject([{ state: 'created' }, { state: 'created' }]);
	});

	it('says so when two payments of an order come at the same moment, and marks it once', async () => {
		await publishTrigger();
		await table.add(order('ORDER-1'));
		const payments = [await ask('ORDER-1'), await ask('ORDER-1')];
		// Both runs have found the order open before one of them marks it.
		sandbox.faults.add({ match: { endpoint: 'get' }, latencyMs: 3_000, times: 'always' });
		const both = await pay(...payments);
		expect(both.map(({ status }) => status).sort()).toEqual(['error', 'success']);
		const failed = both.find(({ status }) => status === 'error')!;
		const [winner, loser] = [...payments].sort(({ id }) =>
			errorOf(failed)?.message.includes(id) ? 1 : -1,
		);
		expect(errorOf(failed)?.message).toMatch(new RegExp(`in the same moment.*${loser.id}`));
		expect(await table.row('ORDER-1')).toMatchObject({ state: 'paid', paymentId: winner.id });
	});

	it('says so when an order is paid a second time', async () => {
		await publishTrigger();
		await table.add(order('ORDER-1'));
		const [first, second] = [await ask('ORDER-1'), await ask('ORDER-1')];
		expect((await pay(first))[0].status).toBe('success');
		const [execution] = await pay(second);
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toContain(second.id);
		expect(nodesRun(execution)).not.toContain('Paid Just Now');
		expect(await table.row('ORDER-1')).toMatchObject({ state: 'paid', paymentId: first.id });
	});
});

describe('nightly reconciliation', () => {
	let workflow: StoredWorkflow;

	beforeEach(async () => {
		workflow = await load('nightly-reconciliation');
		await run(workflow, 'Every Night');
	});

	/** A row as the other examples leave it, and its payment. */
	const open = async (reference: string, more: Partial<OrderRow> = {}) => {
		const { id } = await makePayment(sandbox, { amount: 80, referenceNumber: reference });
		await table.add({
			reference,
			merchantId: MERCHANT,
			amount: 80,
			currency: 'DKK',
			state: 'created',
			paymentId: id,
			...more,
		});
		return id;
	};

	it('can be published', async () => {
		await publish(workflow);
	});

	it('brings the table up to date and says what changed', async () => {
		await open('DECLINED');
		await open('PAID');
		await open('EXPIRED');
		sandbox.decline(paymentFor('DECLINED').id);
		await payAndSettle('PAID');
		sandbox.clock.advance(LIFETIME_MS);
		await open('PENDING');
		const execution = await run(workflow, 'Every Night');
		expect(execution.status).toBe('success');
		expect(await table.rows()).toMatchObject([
			{ reference: 'DECLINED', state: 'declined' },
			{ reference: 'PAID', state: 'paid' },
			{ reference: 'EXPIRED', state: 'expired' },
			{ reference: 'PENDING', state: 'created' },
		]);
		expect(itemsOf(execution, 'Report')).toMatchObject([
			{
				json: {
					changed: [
						{ reference: 'DECLINED', before: 'created', after: 'declined' },
						{ reference: 'PAID', before: 'created', after: 'paid' },
						{ reference: 'EXPIRED', before: 'created', after: 'expired' },
					],
					stillOpen: [{ reference: 'PENDING', after: 'created' }],
					problems: [],
				},
			},
		]);
	});

	it('keeps what it does not understand open, does the others, and says so', async () => {
		await open('UNKNOWN');
		sandbox.faults.add({
			match: { endpoint: 'get', reference: 'UNKNOWN' },
			body: { id: paymentFor('UNKNOWN').id, status: 'paid_out' },
			times: 'always',
		});
		await open('MISSING', { paymentId: 'pay_gone' });
		await open('LEFT', { state: 'creating', paymentId: undefined });
		await open('CHEAPER', { amount: 800 });
		await open('PAID');
		await payAndSettle('CHEAPER');
		await payAndSettle('PAID');
		const execution = await run(workflow, 'Every Night');
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toMatch(/^4 payments need you: UNKNOWN .*; MISSING /);
		expect(await table.rows()).toMatchObject([
			{ reference: 'UNKNOWN', state: 'created', note: expect.stringContaining('paid_out') },
			{ reference: 'MISSING', state: 'created', note: expect.stringContaining('pay_gone') },
			{
				reference: 'LEFT',
				state: 'creating',
				note: expect.stringContaining('may or may not exist'),
			},
			{ reference: 'CHEAPER', state: 'created', note: 'Paid, but 80 DKK' },
			{ reference: 'PAID', state: 'paid', note: '' },
		]);
	});

	it('leaves a row that another workflow changes meanwhile', async () => {
		await open('PAID');
		sandbox.faults.add({ match: { endpoint: 'get' }, latencyMs: 3_000 });
		const executionId = await startFrom(api, workflow.id, 'Every Night');
		while (!sandbox.requests.some(({ endpoint }) => endpoint === 'get')) await sleep(100);
		await table.change('PAID', { state: 'paid' });
		await finished(executionId);
		expect(await table.row('PAID')).toMatchObject({ state: 'paid', note: null });
	});

	it('asks no more about a payment that has ended', async () => {
		await open('PAID');
		await payAndSettle('PAID');
		await run(workflow, 'Every Night');
		const asked = sandbox.counts['get 200'];
		expect((await run(workflow, 'Every Night')).status).toBe('success');
		expect(sandbox.counts['get 200']).toBe(asked);
	});
});

describe('nightly reconciliation with keys', () => {
	const REFERENCES = ['INV-1', 'INV-2', 'INV-3'];
	let workflow: StoredWorkflow;

	/** Imports the example, which then waits for no order that may be on its way. */
	const loadInto = async (n8n: N8nApi, credential: StoredCredential) =>
		await importExample(n8n, 'nightly-reconciliation-keys', [credential], (example) => {
			const compare = parametersOf(example, 'Compare');
			expect(compare.jsCode).toContain('PATIENCE_MINUTES = 60;');
			compare.jsCode = String(compare.jsCode).replace(
				'PATIENCE_MINUTES = 60',
				'PATIENCE_MINUTES = 0',
			);
		});

	beforeEach(async () => {
		workflow = await loadInto(api, keys);
		imported.push(workflow.id);
		await run(workflow, 'Every Night');
	});

	const order = (reference: string, more: Partial<OrderRow> = {}): OrderRow => ({
		reference,
		merchantId: SHOP,
		amount: 80,
		currency: 'DKK',
		state: 'creating',
		...more,
	});

	const pay = async (referenceNumber: string, more: object = {}) =>
		await makeKeyPayment({ amount: 80, referenceNumber, ...more });

	/** A row whose payment is noted. */
	const asked = async (reference: string) => {
		const paymentId = await pay(reference);
		await table.add(order(reference, { state: 'created', paymentId: String(paymentId) }));
		return paymentId;
	};

	it('can be published, and asks for nothing while nothing is open', async () => {
		await publish(workflow);
		expect(sandbox.counts).not.toHaveProperty(['list 200']);
	});

	it('brings the table up to date and says what changed', async () => {
		// Three pages.
		sandbox.settings.listMax = 2;
		sandbox.decline(await asked('DECLINED'));
		await asked('PAID');
		await payAndSettle('PAID');
		await asked('PENDING');
		await table.add(order('OTHER', { merchantId: KEY_MERCHANTS.slow.clientId, state: 'creating' }));
		const other = await pay('OTHER', { merchantClientId: KEY_MERCHANTS.slow.clientId });
		const execution = await run(workflow, 'Every Night');
		expect(errorOf(execution)).toBeUndefined();
		expect(await table.rows()).toMatchObject([
			{ reference: 'DECLINED', state: 'declined' },
			{ reference: 'PAID', state: 'paid' },
			{ reference: 'PENDING', state: 'created' },
			{ reference: 'OTHER', state: 'created', paymentId: String(other) },
		]);
		expect(itemsOf(execution, 'Report')).toMatchObject([
			{
				json: {
					found: [{ reference: 'OTHER' }],
					changed: [{ reference: 'DECLINED' }, { reference: 'PAID' }, { reference: 'OTHER' }],
					stillOpen: [{ reference: 'PENDING' }],
					problems: [],
				},
			},
		]);
	});

	it('finds payments that no order has noted', async () => {
		await table.add(
			order('CLAIMED'),
			order('NEW', { state: undefined }),
			order('UNKNOWN', { state: 'unknown', note: 'It may or may not exist' }),
			order('AGAIN', { paymentId: String(await pay('AGAIN')) }),
			order('REFUSED', { state: 'notCreated', note: 'AcountPay refused it' }),
			order('LOST', { state: undefined }),
			order('DECLINED'),
		);
		const claimed = await pay('CLAIMED');
		const paid = await pay('NEW');
		await payAndSettle('NEW');
		const unknown = await pay('UNKNOWN');
		const again = await pay('AGAIN');
		// It was declined, so the order is still to be asked for.
		sandbox.decline(await pay('LOST'));
		const declined = await pay('DECLINED');
		sandbox.decline(declined);
		const execution = await run(workflow, 'Every Night');
		expect(errorOf(execution)).toBeUndefined();
		const note = expect.stringContaining('Found in AcountPay');
		expect(await table.rows()).toMatchObject([
			{ reference: 'CLAIMED', state: 'created', paymentId: String(claimed), note },
			{ reference: 'NEW', state: 'paid', paymentId: String(paid), note },
			{ reference: 'UNKNOWN', state: 'created', paymentId: String(unknown), note },
			{ reference: 'AGAIN', state: 'created', paymentId: String(again), note },
			{ reference: 'REFUSED', state: 'notCreated', paymentId: null, note: 'AcountPay refused it' },
			{ reference: 'LOST', state: null, paymentId: null },
			{ reference: 'DECLINED', state: 'declined', paymentId: String(declined), note },
		]);
	});

	it('leaves to a person what is in doubt, and mixes up no payments', async () => {
		const doubts: Array<[OrderRow, string]> = [
			[order('NONE'), 'lists no payment'],
			[order('TWICE'), 'several payments'],
			[order('SHARED'), 'fits several orders'],
			[order('SHARED'), 'fits several orders'],
			[order('AMOUNT', { amount: 800 }), 'lists no payment'],
			[order('CURRENCY', { currency: 'EUR' }), 'lists no payment'],
			[order('MERCHANT', { merchantId: KEY_MERCHANTS.fail.clientId }), 'lists no payment'],
			[order('GONE', { state: 'created', paymentId: '42' }), 'does not list payment 42'],
		];
		await table.add(...doubts.map(([row]) => row));
		for (const reference of ['TWICE', 'TWICE', 'SHARED', 'AMOUNT', 'CURRENCY', 'MERCHANT']) {
			await pay(reference);
		}
		const cheaper = await asked('CHEAPER');
		await payAndSettle('CHEAPER');
		await table.change('CHEAPER', { amount: 800 });
		const before = await table.rows();
		const execution = await run(workflow, 'Every Night');
		expect(execution.status).toBe('error');
		const { message } = errorOf(execution)!;
		expect(message).toMatch(/^9 orders need you: /);
		for (const [{ reference }, problem] of doubts) {
			expect(message).toMatch(new RegExp(`${reference} \\([^)]*${problem}`));
		}
		expect(message).toContain('CHEAPER (Paid, but 80 DKK)');
		const rows = await table.rows();
		expect(rows.map(({ state, paymentId }) => [state, paymentId])).toEqual(
			before.map(({ state, paymentId }) => [state, paymentId]),
		);
		expect(await table.row('CHEAPER')).toMatchObject({ paymentId: String(cheaper) });
	});

	it('leaves alone an order that may be on its way, and one that another workflow changes meanwhile', async () => {
		const patient = await load('nightly-reconciliation-keys');
		await table.add(order('ON-ITS-WAY'));
		await asked('CHANGED');
		await payAndSettle('CHANGED');
		sandbox.faults.add({ match: { endpoint: 'list' }, latencyMs: 3_000 });
		const executionId = await startFrom(api, patient.id, 'Every Night');
		await until(() => sandbox.requests.some(({ endpoint }) => endpoint === 'list'));
		await table.change('CHANGED', { state: 'expired' });
		expect(errorOf(await finished(executionId))).toBeUndefined();
		expect(await table.row('ON-ITS-WAY')).toMatchObject({ state: 'creating', note: null });
		expect(await table.row('CHANGED')).toMatchObject({ state: 'expired' });
	});

	it('finds what a killed n8n has made', async () => {
		const n8n = await startOwnN8n();
		const mailbox = await startMailbox();
		try {
			const own = await n8n.api.createCredential('AcountPay', 'acountPayKeyApi', keyData());
			const smtp = await n8n.api.createCredential('Mail', 'smtp', mailbox.credential);
			const invoices = await importExample(n8n.api, 'invoices-by-mail', [own, smtp], withKeys);
			const night = await loadInto(n8n.api, own);
			const orders = new DataTable<OrderRow>(n8n.api, 'AcountPay orders');
			const runThere = async (id: string, trigger: string) => {
				const executionId = await startFrom(n8n.api, id, trigger);
				return await n8n.api.waitForExecution((one) => one.id === executionId && isFinished(one));
			};
			await runThere(invoices.id, 'Start');
			await orders.add(...REFERENCES.map((reference) => order(reference, { state: undefined })));
			// AcountPay makes the payment, and n8n ends before the answer has come.
			sandbox.faults.add({
				match: { endpoint: 'create', reference: 'INV-2' },
				latencyMs: 60_000,
			});
			await startFrom(n8n.api, invoices.id, 'Start');
			await until(() => sandbox.payments.length === 3);
			await n8n.restart('kill');
			expect(await orders.rows()).toMatchObject(REFERENCES.map(() => ({ state: 'creating' })));
			await payAndSettle('INV-3');

			const execution = await runThere(night.id, 'Every Night');
			expect(errorOf(execution)).toBeUndefined();
			const found = REFERENCES.map((reference, index) => ({
				reference,
				state: index === 2 ? 'paid' : 'created',
				paymentId: String(paymentFor(reference).id),
			}));
			expect(await orders.rows()).toMatchObject(found);
			expect(itemsOf(execution, 'Report')[0].json.found).toHaveLength(3);
			const again = await runThere(invoices.id, 'Start');
			expect(nodesRun(again)).not.toContain('Create Payment');
			expect(sandbox.payments).toHaveLength(3);
			expect(mailbox.mails).toEqual([]);
		} finally {
			await mailbox.close();
			await n8n.stop();
		}
		// It starts an n8n of its own twice.
	}, 480_000);
});

describe('invoices, paid orders and the night together', () => {
	it.each([
		['texts', false],
		['numbers', true],
	])(
		'take a payment from the mail to the paid order, and leave nothing for the night: ids are %s',
		async (_what, numericIds) => {
			sandbox.settings.numericIds = numericIds;
			const orders = await load('paid-orders');
			await run(orders, 'Set Up');
			const trigger = orders.nodes.find(({ name }) => name === 'AcountPay Trigger')!;
			const url = api.webhookUrl(`${trigger.webhookId}/webhook`);
			await publish(orders);
			const mailbox = await startMailbox();
			try {
				const smtp = await api.createCredential('Mail', 'smtp', mailbox.credential);
				const invoices = await load('invoices-by-mail', [smtp], (example) => {
					const { additionalFields } = parametersOf(example, 'Create Payment');
					Object.assign(additionalFields!, { webhookUrl: url });
				});
				await table.add({
					reference: 'INV-1',
					merchantId: MERCHANT,
					amount: 75.25,
					currency: 'DKK',
					customer: 'Anna',
					email: 'anna@example.com',
				});
				await run(invoices, 'Start');
				expect(mailbox.mails).toHaveLength(1);

				await payAndSettle('INV-1');
				await api.waitForExecution(
					(execution) =>
						execution.workflowId === orders.id &&
						execution.mode === 'webhook' &&
						isFinished(execution),
				);
				const { id } = paymentFor('INV-1');
				expect(await table.rows()).toMatchObject([{ state: 'paid', paymentId: String(id) }]);

				const night = await run(await load('nightly-reconciliation'), 'Every Night');
				expect(nodesRun(night)).not.toContain('Get Payment');
			} finally {
				await mailbox.close();
			}
		},
	);
});

describe('pay once', () => {
	const ORDER = { merchantId: MERCHANT, reference: 'ORDER-1', amount: 149.99, currency: 'DKK' };

	/** The example in an n8n, and how a person's workflow calls it. */
	class PayOnce {
		readonly payments: DataTable<PaymentRow>;
		private child!: StoredWorkflow;

		constructor(private readonly n8n: N8nApi) {
			this.payments = new DataTable<PaymentRow>(n8n, 'AcountPay payments');
		}

		/** @param patience how long a run waits for another one, in seconds; 10 in the example */
		async load(
			credentials: StoredCredential[],
			patience = 1,
			change?: (example: WorkflowJson) => void,
		): Promise<StoredWorkflow> {
			await this.payments.remove();
			this.child = await importExample(this.n8n, 'pay-once', credentials, (example) => {
				change?.(example);
				const order = parametersOf(example, 'This Order') as unknown as {
					assignments: { assignments: Array<{ name: string; value: string }> };
				};
				const until = order.assignments.assignments.find(({ name }) => name === 'waitUntil')!;
				expect(until.value).toContain('seconds: 10');
				until.value = until.value.replace('10', String(patience));
			});
			await this.n8n.publish(this.child.id);
			return this.child;
		}

		/** Stores a workflow that calls the example with these items. */
		async caller(orders: IDataObject[], more: Partial<INode> = {}): Promise<string> {
			const inputs = ['merchantId', 'reference', 'amount', 'currency'];
			const { id } = await this.n8n.createWorkflow(
				workflowOf([
					manualTrigger(),
					itemsNode(orders),
					{
						name: 'Pay Once',
						type: 'n8n-nodes-base.executeWorkflow',
						typeVersion: 1.2,
						parameters: {
							workflowId: { __rl: true, mode: 'id', value: this.child.id },
							workflowInputs: {
								mappingMode: 'defineBelow',
								value: Object.fromEntries(inputs.map((name) => [name, `={{ $json.${name} }}`])),
							},
							options: {},
						},
						...more,
					},
				]),
			);
			return id;
		}

		/** Calls the example with these orders from a new workflow, to the end. */
		async call(...orders: IDataObject[]): Promise<Execution> {
			return await this.n8n.runWorkflow(await this.caller(orders));
		}
	}

	const payOnce = new PayOnce(api);

	beforeEach(async () => imported.push((await payOnce.load([credential])).id));

	const handedOut = (execution: Execution) =>
		itemsOf(execution, 'Pay Once').map(({ json }) => json);

	const created = () => sandbox.requests.filter(({ endpoint }) => endpoint === 'create').length;

	it('hands out a payment for each order, and the same ones in a new run', async () => {
		const second = { ...ORDER, reference: 'ORDER-2', amount: 50, currency: undefined };
		const first = await payOnce.call(ORDER, second, ORDER);
		expect(errorOf(first)).toBeUndefined();
		const [one, two] = [paymentFor('ORDER-1'), paymentFor('ORDER-2')];
		const urlOf = ({ id }: Payment) => `${sandbox.url}/pay/${id}`;
		expect(handedOut(first)).toEqual([
			{ ...ORDER, paymentId: one.id, paymentUrl: urlOf(one), isNew: true },
			{ ...second, currency: 'DKK', paymentId: two.id, paymentUrl: urlOf(two), isNew: true },
			{ ...ORDER, paymentId: one.id, paymentUrl: urlOf(one), isNew: false },
		]);
		const again = await payOnce.call(second, ORDER);
		expect(handedOut(again)).toMatchObject([
			{ paymentId: two.id, isNew: false },
			{ paymentId: one.id, isNew: false },
		]);
		expect(created()).toBe(2);
		expect(await payOnce.payments.rows()).toMatchObject([
			{ reference: 'ORDER-1', state: 'created', paymentId: one.id },
			{ reference: 'ORDER-2', state: 'created', paymentId: two.id },
		]);
	});

	it('takes keys instead of access tokens', async () => {
		imported.push((await payOnce.load([keys], 1, withKeys)).id);
		const order = { ...ORDER, merchantId: SHOP };
		const first = await payOnce.call(order);
		const payment = paymentFor('ORDER-1');
		expect(payment.api).toBe('keys');
		const known = { paymentId: String(payment.id), paymentUrl: pageOf(payment) };
		expect(handedOut(first)).toMatchObject([{ ...known, isNew: true }]);
		expect(handedOut(await payOnce.call(order))).toMatchObject([{ ...known, isNew: false }]);
		expect(created()).toBe(1);
	});

	it('makes one payment when runs ask at the same moment', async () => {
		imported.push((await payOnce.load([credential], 60)).id);
		await payOnce.call({ ...ORDER, reference: 'MAKES-THE-TABLE' });
		// The first is asked for until the others have looked.
		sandbox.faults.add({ match: { endpoint: 'create' }, latencyMs: 500, times: 'always' });
		const id = await payOnce.caller([ORDER]);
		const started = await Promise.all([...Array(6)].map(async () => await api.startWorkflow(id)));
		const executions = await Promise.all(started.map(async (run) => await finished(run)));
		expect(executions.map((execution) => errorOf(execution)?.message)).toEqual(
			executions.map(() => undefined),
		);
		const payment = paymentFor('ORDER-1');
		const payments = executions.flatMap(handedOut);
		expect(payments.map(({ paymentId }) => paymentId)).toEqual(payments.map(() => payment.id));
		expect(payments.filter(({ isNew }) => isNew)).toHaveLength(1);
	});

	it('asks no more about an open outcome, in a retry, by hand or in a new run, until a person has looked', async () => {
		sandbox.faults.add({ match: { endpoint: 'create' }, reset: 'after', times: 'always' });
		const id = await payOnce.caller([ORDER], {
			retryOnFail: true,
			maxTries: 2,
			waitBetweenTries: 0,
		});
		const first = await api.runWorkflow(id);
		expect(errorOf(first)?.message).toMatch(
			/^1 of 1 orders need you: ORDER-1 \(execution \d+ asked/,
		);
		const retried = await api.retryExecution(first.id);
		expect(retried.status).toBe('error');
		expect((await payOnce.call(ORDER)).status).toBe('error');
		const paymentId = String(paymentFor('ORDER-1').id);
		expect(created()).toBe(1);
		const row = await payOnce.payments.row('ORDER-1');
		expect(row).toMatchObject({ state: 'creating', paymentId: null, amount: 149.99 });
		expect(row.note).toContain('ORDER-1');

		await payOnce.payments.change('ORDER-1', { state: 'created', paymentId });
		expect(handedOut(await payOnce.call(ORDER))).toMatchObject([{ paymentId, isNew: false }]);
		expect(created()).toBe(1);
	});

	it('names the orders that AcountPay refused, has the others paid, and asks for the refused again', async () => {
		sandbox.faults.add({ match: { endpoint: 'create', reference: 'ORDER-2' }, status: 400 });
		const orders = ['ORDER-1', 'ORDER-2', 'ORDER-3'].map((reference) => ({ ...ORDER, reference }));
		const first = await payOnce.call(...orders);
		expect(errorOf(first)?.message).toMatch(/^1 of 3 orders need you: ORDER-2 \(.*refused/);
		expect(sandbox.payments.map(({ referenceNumber }) => referenceNumber)).toEqual([
			'ORDER-1',
			'ORDER-3',
		]);
		const second = await payOnce.call(...orders);
		expect(handedOut(second)).toMatchObject([
			{ paymentId: paymentFor('ORDER-1').id, isNew: false },
			{ paymentId: paymentFor('ORDER-2').id, isNew: true },
			{ paymentId: paymentFor('ORDER-3').id, isNew: false },
		]);
	});

	it.each([
		['another amount', { amount: 150 }],
		['another merchant', { merchantId: 'merchant_other' }],
		['another currency', { currency: 'EUR' }],
	])('asks a person when an order comes again with %s', async (_what, change) => {
		await payOnce.call(ORDER);
		const again = await payOnce.call({ ...ORDER, ...change });
		expect(errorOf(again)?.message).toContain(`with 149.99 DKK for ${MERCHANT}, and now`);
		expect(created()).toBe(1);
	});

	it.each([
		['reference', { reference: ' ' }],
		['merchantId', { merchantId: '' }],
		['amount', { amount: 0 }],
	])('asks for nothing when an order has no %s', async (what, change) => {
		const execution = await payOnce.call(ORDER, { ...ORDER, reference: 'ORDER-2', ...change });
		expect(errorOf(execution)?.message).toContain(`has no ${what}`);
		expect(sandbox.counts).toEqual({});
	});

	it('asks for nothing when another run has claimed another row of the order, and lets its own go', async () => {
		await payOnce.call({ ...ORDER, reference: 'MAKES-THE-TABLE' });
		sandbox.reset();
		// Databases that work on several changes at once can make two rows for two runs.
		const claimed = { ...ORDER, state: 'creating', run: '999-0' };
		await payOnce.payments.add(claimed, { reference: 'ORDER-1' });
		const execution = await payOnce.call(ORDER);
		expect(errorOf(execution)?.message).toContain('ORDER-1 (execution 999 asked');
		expect(sandbox.counts).toEqual({});
		const [, ...rows] = await payOnce.payments.rows();
		expect(rows).toMatchObject([{ state: 'creating', run: '999-0' }, { state: '' }]);
	});

	it('leaves what was asked and never answered to a person after a kill -9', async () => {
		const n8n = await startOwnN8n();
		try {
			const own = await n8n.api.createCredential(
				'AcountPay',
				'acountPayApi',
				credentialFor(sandbox),
			);
			const killed = new PayOnce(n8n.api);
			await killed.load([own]);
			sandbox.faults.add({ match: { endpoint: 'create' }, made: true, latencyMs: 60_000 });
			const id = await killed.caller([ORDER]);
			await n8n.api.startWorkflow(id);
			await until(() => created() === 1);
			await n8n.restart('kill');
			const again = await n8n.api.runWorkflow(id);
			expect(errorOf(again)?.message).toContain('ORDER-1 (execution');
			expect(created()).toBe(1);
			expect(await killed.payments.rows()).toMatchObject([{ state: 'creating', paymentId: null }]);
			// A person finds that AcountPay has no such payment.
			await killed.payments.change('ORDER-1', { state: '' });
			expect(handedOut(await n8n.api.runWorkflow(id))).toMatchObject([{ isNew: true }]);
		} finally {
			await n8n.stop();
		}
		// It starts an n8n of its own twice.
	}, 480_000);

	it('can be tried by hand', async () => {
		const child = await payOnce.load([credential]);
		imported.push(child.id);
		const execution = await run(child, 'Try It');
		expect(itemsOf(execution, 'Payments')).toHaveLength(2);
		expect(created()).toBe(2);
	});
});

describe('onboard a merchant', () => {
	const REFUSED = 'nobody@example.com';
	const merchants = new DataTable<MerchantRow>(api, 'AcountPay merchants', 'companyName');
	let mailbox: Mailbox;
	let workflow: StoredWorkflow;

	beforeEach(async () => {
		await merchants.remove();
		mailbox = await startMailbox([REFUSED]);
		const smtp = await api.createCredential('Mail', 'smtp', mailbox.credential);
		workflow = await load('onboard-merchant', [smtp]);
		await run(workflow, 'Start');
	});

	afterEach(async () => await mailbox.close());

	const merchant = (companyName: string, more: Partial<MerchantRow> = {}): MerchantRow => ({
		companyName,
		contactEmail: `${companyName.toLowerCase()}@example.com`,
		...more,
	});

	/** Publishes the workflow, and invites these merchants. */
	const invite = async (...rows: MerchantRow[]) => {
		await publish(workflow);
		await merchants.add(...rows);
		return await run(workflow, 'Start');
	};

	/** The merchant opens the link in its mail, and presses the button there. */
	const finishOnboarding = async (companyName: string) => {
		const mail = mailbox.mails.find(
			({ subject }) => subject === `Get paid by bank: ${companyName}`,
		);
		const [, link] = /href="([^"]+)"/.exec(String(mail?.html))!;
		await axios.post(`${link}/activate`, undefined, { proxy: false });
		await sandbox.webhooksIdle();
	};

	/** The executions that AcountPay's events have started, when there are so many and they are finished. */
	const started = async (count: number): Promise<Execution[]> => {
		const runs = async () =>
			(await executionsOf(workflow)).filter(({ mode }) => mode === 'webhook');
		await until(async () => {
			const all = await runs();
			return all.length === count && all.every(isFinished);
		});
		return await Promise.all((await runs()).map(async ({ id }) => await api.getExecution(id)));
	};

	it('mails the link, and creates the store once the merchant has done its part', async () => {
		const row = merchant('Coffee', {
			storeName: 'Aarhus',
			streetAddress: 'Torv 1',
			postalCode: '8000',
			city: 'Aarhus C',
		});
		const invited = await invite(row, merchant('Tea'));
		expect(errorOf(invited)).toBeUndefined();
		expect(sandbox.registrations).toMatchObject([{ events: ['merchant.activated'] }]);
		const made = sandbox.merchants.find(({ companyName }) => companyName === 'Coffee')!;
		expect(made).toMatchObject({ contactEmail: 'coffee@example.com', status: 'pending' });
		expect(await merchants.row('Coffee')).toMatchObject({
			state: 'invited',
			merchantNumber: String(made.id),
			merchantId: made.clientId,
		});
		expect(mailbox.mails).toHaveLength(2);
		expect(JSON.stringify(await merchants.rows())).not.toContain(made.onboardingToken);
		expect(sandbox.stores).toEqual([]);

		await finishOnboarding('Coffee');
		const [execution] = await started(1);
		expect(errorOf(execution)).toBeUndefined();
		expect(nodesRun(execution)).toContain('Ready to Be Paid');
		expect(sandbox.stores).toMatchObject([
			{
				merchantId: made.id,
				fields: {
					name: 'Aarhus',
					streetAddress: 'Torv 1',
					postalCode: '8000',
					city: 'Aarhus C',
					isDefault: true,
				},
			},
		]);
		const [{ id: storeId }] = sandbox.stores;
		expect(await merchants.row('Coffee')).toMatchObject({ state: 'active', storeId });
		expect(await merchants.row('Tea')).toMatchObject({ state: 'invited' });
	});

	it('creates one store, named as the company, however often the merchant is activated', async () => {
		await invite(merchant('Coffee'));
		const { id } = sandbox.merchants.find(({ companyName }) => companyName === 'Coffee')!;
		const activateAgain = async () => {
			sandbox.deactivate(id);
			sandbox.activate(id);
			await sandbox.webhooksIdle();
		};
		// The second event comes while the store is being created.
		sandbox.faults.add({ match: { endpoint: 'createStore' }, latencyMs: 3_000, times: 'always' });
		await finishOnboarding('Coffee');
		await until(() => sandbox.requests.some(({ endpoint }) => endpoint === 'createStore'));
		await activateAgain();
		await started(2);
		await activateAgain();
		const executions = await started(3);
		expect(executions.map(({ status }) => status)).toEqual(['success', 'success', 'success']);
		const [first, ...others] = executions.map(nodesRun);
		expect(first).toContain('Ready to Be Paid');
		for (const nodes of others) expect(nodes).toContain('Nothing Left to Do');
		expect(sandbox.stores).toMatchObject([{ fields: { name: 'Coffee' } }]);
	});

	it('invites the others when one fails, says what went wrong, and invites nobody again', async () => {
		const execution = await invite(
			merchant('Tea', { contactEmail: 'no address' }),
			merchant('Milk', { contactEmail: REFUSED }),
			merchant('Coffee'),
		);
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toMatch(
			/^2 of 3 merchants need you: .*(Tea.*Milk|Milk.*Tea)/,
		);
		expect(mailbox.mails.map(({ subject }) => subject)).toEqual(['Get paid by bank: Coffee']);
		expect(await merchants.rows()).toMatchObject([
			{ state: 'notCreated', note: expect.stringContaining('refused') },
			{ state: 'invited', note: expect.stringContaining('The mail was not sent') },
			{ state: 'invited', note: '' },
		]);
		const again = await run(workflow, 'Start');
		expect(nodesRun(again)).not.toContain('Create Merchant');
		expect(mailbox.mails).toHaveLength(1);
	});

	it('says so when the store could not be created', async () => {
		await invite(merchant('Coffee'));
		sandbox.faults.add({ match: { endpoint: 'createStore' }, status: 400 });
		await finishOnboarding('Coffee');
		const [execution] = await started(1);
		expect(errorOf(execution)?.message).toMatch(/^Coffee is active, but has no store: .*refused/);
		expect(await merchants.row('Coffee')).toMatchObject({
			state: 'storeNotCreated',
			note: expect.stringContaining('refused'),
		});
	});

	it('says so when a merchant is active that no row waits for', async () => {
		await publish(workflow);
		sandbox.deactivate(KEY_MERCHANTS.shop.id);
		sandbox.activate(KEY_MERCHANTS.shop.id);
		await sandbox.webhooksIdle();
		const [execution] = await started(1);
		expect(errorOf(execution)?.message).toContain('Merchant 1 is active, but no row');
		expect(sandbox.stores).toEqual([]);
	});
});

describe('create and wait', () => {
	it('hands out a QR code, and the payment when it is paid', async () => {
		const execution = await api.runWorkflow((await load('create-and-wait')).id);
		expect(errorOf(execution)).toBeUndefined();
		const [payment] = sandbox.payments;
		expect(payment).toMatchObject({
			api: 'keys',
			merchant: KEY_MERCHANTS.success.clientId,
			amount: 149.99,
		});
		const [created] = itemsOf(execution, 'Create Payment');
		expect(created.json.paymentUrl).toBe(pageOf(payment));
		expect(created.binary?.data).toMatchObject({ mimeType: 'image/png' });
		const [{ json: paid }] = itemsOf(execution, 'Wait for Completion');
		expect(paid).toMatchObject({ status: 'completed', waitEndedBy: 'status' });
		expect(String(paid.paymentId)).toBe(String(payment.id));
	});
});

describe.each([
	['OAuth2', MERCHANT],
	['keys', SHOP],
] as const)('payment form with %s', (authentication, merchant) => {
	let browser: Browser;
	let page: Page;
	let workflow: StoredWorkflow;

	beforeAll(async () => {
		browser = await launchBrowser();
	});

	afterAll(async () => await browser.close());

	beforeEach(async () => {
		workflow = await load('payment-form', [], (example) => {
			parametersOf(example, 'Wait for the Money').timeoutMinutes = 0.02;
			if (authentication === 'OAuth2') return;
			withKeys(example);
			const price = JSON.stringify(parametersOf(example, 'Price'));
			Object.assign(parametersOf(example, 'Price'), JSON.parse(price.replace(MERCHANT, SHOP)));
		});
		await publish(workflow);
		page = await browser.newPage({ viewport: { width: 560, height: 600 } });
		page.setDefaultTimeout(90_000);
	});

	afterEach(async () => await page.close());

	const click = async (name: string) => await page.getByRole('button', { name }).click();

	/** Fills in the form as it is published. */
	const fillIn = async () => {
		await page.goto(`${api.url}/form/pay`, { waitUntil: 'domcontentloaded' });
		await page.getByLabel('What do you want to pay for?').selectOption('Day ticket (149.99 DKK)');
		await page.getByLabel('Your name').fill('Anna');
		await click('Go on');
	};

	/** The payment that the form has made, when its page shows it. */
	const shown = async (): Promise<Payment> => {
		await page.getByRole('button', { name: 'I have paid' }).waitFor();
		expect(sandbox.payments).toHaveLength(1);
		return sandbox.payments[0];
	};

	const ended = async () =>
		await api.waitForExecution(
			(execution) => execution.workflowId === workflow.id && isFinished(execution),
		);

	it('shows QR code and link, and thanks for the money', async () => {
		await fillIn();
		const payment = await shown();
		expect(payment).toMatchObject({ merchant, amount: 149.99, currency: 'DKK' });
		expect(payment.api).toBe(authentication === 'OAuth2' ? 'tokens' : 'keys');
		await page.getByText('Pay 149.99 DKK').waitFor();
		const link = page.getByRole('link', { name: 'Pay with your bank' });
		expect(await link.getAttribute('href')).toBe(pageOf(payment));
		const image = await page.evaluate<string>(
			"getComputedStyle(document.querySelector('.form-header'), '::after').content",
		);
		const [, qrCode] = /data:image\/png;base64,([^"]+)/.exec(image)!;
		expect(await textIn(Buffer.from(qrCode, 'base64'))).toBe(pageOf(payment));
		mkdirSync(SCREENSHOTS_DIR, { recursive: true });
		const name = authentication === 'OAuth2' ? '22-payment-form' : '22-payment-form-keys';
		await page.screenshot({ path: join(SCREENSHOTS_DIR, `${name}.png`) });

		await payAndSettle(payment.referenceNumber);
		await click('I have paid');
		await page.getByText('Your payment of 149.99 DKK has arrived').waitFor();
		const execution = await ended();
		expect(execution.status).toBe('success');
		expect(itemsOf(execution, 'Paid')).toHaveLength(1);
	});

	it('shows the page again when no money has come, and lets people try again when they have declined', async () => {
		await fillIn();
		const payment = await shown();
		await click('I have paid');
		await page.getByText('No payment has come yet.').waitFor();
		await shown();
		sandbox.decline(payment.id);
		await click('I have paid');
		await page.getByText('No money has been taken').waitFor();
		const execution = await ended();
		expect(execution.status).toBe('success');
		expect(nodesRun(execution)).not.toContain('Paid');

		await page.getByRole('link', { name: 'Try again' }).click();
		await page.getByLabel('Your name').waitFor();
	});

	it.each([
		['another amount', { amount: 1, currency: 'DKK' }],
		['another currency', { amount: 149.99, currency: 'EUR' }],
	])('asks a person to look when %s was paid', async (_what, paid) => {
		await fillIn();
		const { id, referenceNumber } = await shown();
		const body = { id, status: 'completed', ...paid };
		sandbox.faults.add({ match: { endpoint: 'get' }, body, times: 'always' });
		await click('I have paid');
		await page.getByText("Please don't pay again").waitFor();
		const execution = await ended();
		expect(nodesRun(execution)).not.toContain('Paid');
		expect(errorOf(execution)?.message).toContain(
			`${referenceNumber} of Anna, 149.99 DKK, is paid: AcountPay calls payment ${id} 'completed', ${paid.amount} ${paid.currency}`,
		);
	});

	it('says so when no payment could be made', async () => {
		sandbox.faults.add({ match: { endpoint: 'create' }, status: 400, times: 'always' });
		await fillIn();
		await page.getByText('The payment could not be started').first().waitFor();
		const execution = await ended();
		expect(errorOf(execution)?.message).toMatch(/^FORM-\d+ of Anna: AcountPay/);
		expect(sandbox.payments).toEqual([]);
	});
});

describe('assistant', () => {
	let model: Model;
	let reply: (toolAnswers: string[]) => Reply;
	let workflow: StoredWorkflow;
	let chat: Chat | undefined;

	beforeEach(async () => {
		model = await startModel(({ messages }) =>
			reply(messages.filter(({ role }) => role === 'tool').map(({ content }) => content)),
		);
		const openAi = await api.createCredential('Model', 'openAiApi', model.credential);
		workflow = await load('assistant', [openAi]);
	});

	afterEach(async () => {
		chat?.close();
		await model.close();
	});

	const write = async (message: string) =>
		(chat = await Chat.open(api, workflow.id, 'When Chat Message Received', message));

	const askForMoney = {
		call: 'Create_Payment',
		with: { toolParameters: { amount: 149.99, reference: 'ORDER-1001' }, hitlParameters: {} },
	};

	it('offers the model two tools, and no merchant to choose', async () => {
		reply = () => ({ text: 'Hello' });
		await write('Hello');
		expect(await chat!.next()).toBe('Hello');
		const [{ tools }] = model.questions;
		expect(tools.map(({ name }) => name).sort()).toEqual(['Create_Payment', 'Get_Payment']);
		const { toolParameters } = tools.find(({ name }) => name === 'Create_Payment')!.parameters
			.properties as { toolParameters: { properties: object } };
		expect(Object.keys(toolParameters.properties)).toEqual(['amount', 'reference']);
		const read = tools.find(({ name }) => name === 'Get_Payment')!;
		expect(Object.keys(read.parameters.properties)).toEqual(['paymentId']);
	});

	it('creates the payment when the person approves, and gives the link', async () => {
		reply = ([answer]) => (answer ? { text: JSON.parse(answer)[0].paymentUrl } : askForMoney);
		await write('Ask for 149.99 for ORDER-1001');
		const approval = await chat!.approval();
		expect(approval.text).toBe('Shall I ask for 149.99 DKK for ORDER-1001?');
		expect(sandbox.payments).toEqual([]);

		await chat!.click(approval, 'Approve');
		const link = await chat!.next();
		const payment = paymentFor('ORDER-1001');
		expect(link).toBe(`${sandbox.url}/pay/${payment.id}`);
		expect(payment).toMatchObject({ merchant: MERCHANT, amount: 149.99, currency: 'DKK' });
		expect((await finished(chat!.executionId)).status).toBe('success');
	});

	it('creates nothing when the person declines', async () => {
		reply = ([answer]) => (answer ? { text: 'Then not.' } : askForMoney);
		await write('Ask for 149.99 for ORDER-1001');
		await chat!.click(await chat!.approval(), 'Decline');
		expect(await chat!.next()).toBe('Then not.');
		expect(sandbox.payments).toEqual([]);
		expect(sandbox.counts).toEqual({});
	});

	it('tells the model when it is not known whether a payment was made', async () => {
		sandbox.faults.add({ match: { endpoint: 'create' }, reset: 'after' });
		reply = ([answer]) => (answer ? { text: answer } : askForMoney);
		await write('Ask for 149.99 for ORDER-1001');
		await chat!.click(await chat!.approval(), 'Approve');
		expect(await chat!.next()).toContain('may or may not exist');
	});

	it('reads a payment', async () => {
		const { id } = await makePayment(sandbox, { amount: 5, referenceNumber: 'ORDER-5' });
		reply = ([answer]) =>
			answer
				? { text: `It is ${JSON.parse(answer)[0].status}` }
				: { call: 'Get_Payment', with: { paymentId: id } };
		await write('Is it paid?');
		expect(await chat!.next()).toBe('It is pending');
	});
});
