/* eslint-disable @n8n/community-nodes/no-restricted-imports -- runs outside n8n */
import axios from 'axios';
import type { INodeTypeDescription } from 'n8n-workflow';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import {
	LIFETIME_MS,
	startSandbox,
	webhookBody,
	webhookHeaders,
	type Payment,
	type Sandbox,
} from '../../sandbox';
import {
	EXAMPLES_DIR,
	exampleNames,
	importExample,
	parametersOf,
	readExample,
} from '../../tools/examples';
import {
	errorOf,
	isFinished,
	itemsOf,
	type Execution,
	type StoredCredential,
	type StoredWorkflow,
} from '../../tools/n8n/api';
import type { WorkflowJson } from '../../tools/n8n/workflow';
import { Chat } from './chat';
import { nodesRun, OrdersTable, startFrom, type OrderRow } from './example';
import { startMailbox, type Mailbox } from './mailbox';
import { startModel, type Model, type Reply } from './model';
import { credentialFor, sharedN8n } from './n8n';
import { makePayment, readQrCode } from './partner';

jest.setTimeout(120_000);

const MERCHANT = 'merchant_abc123';

const { api } = sharedN8n();
const table = new OrdersTable(api);
const imported: string[] = [];
let sandbox: Sandbox;
let credential: StoredCredential;

/** Imports an example, to be switched off after the test. */
async function load(
	name: string,
	credentials: StoredCredential[] = [],
	change?: (workflow: WorkflowJson) => void,
): Promise<StoredWorkflow> {
	const workflow = await importExample(api, name, [credential, ...credentials], change);
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

/** The customer pays, and the bank has done its part. */
const payAndSettle = async (reference: string) => {
	sandbox.pay(paymentFor(reference).id);
	sandbox.clock.advance(1_000);
	await sandbox.webhooksIdle();
};

beforeAll(async () => {
	sandbox = await startSandbox();
	credential = await api.createCredential('AcountPay', 'acountPayApi', credentialFor(sandbox));
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
	const TILL_KEY = { 'X-Till-Key': 'of-the-till' };
	const OUTCOMES = ['Paid', 'Declined', 'Expired', 'Look Into It'];
	let till: StoredCredential;
	let workflow: StoredWorkflow;

	beforeAll(async () => {
		const [[name, value]] = Object.entries(TILL_KEY);
		till = await api.createCredential('Till', 'httpHeaderAuth', { name, value });
	});

	const open = async (change?: (workflow: WorkflowJson) => void) => {
		workflow = await load('point-of-sale', [till], change);
		await publish(workflow);
	};

	/** What the till does; the answer is the image to show. */
	const sell = async (reference: string, headers: Record<string, string> = TILL_KEY) =>
		await axios.post<Buffer>(
			api.webhookUrl('point-of-sale'),
			{ amount: 149.99, reference },
			{ headers, proxy: false, responseType: 'arraybuffer', validateStatus: () => true },
		);

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
		expect(nodesRun(execution)).not.toContain('Ask Once More');
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

		it('asks once more, and takes only a status that it knows', async () => {
			await sell('SALE-4');
			await sell('SALE-5');
			await sell('SALE-6');
			await payAndSettle('SALE-4');
			sandbox.faults.add({
				match: { endpoint: 'get', reference: 'SALE-5' },
				body: { id: paymentFor('SALE-5').id, status: 'settling' },
				times: 'always',
			});
			const executions = await executionsOf(workflow);
			// n8n looks for waits that have timed out once a minute.
			const [paid, unknown, pending] = await Promise.all(
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
			expect(sandbox.counts['create 201']).toBe(3);
		});
	});
});

describe('invoices by mail', () => {
	const REFUSED = 'nobody@example.com';
	let mailbox: Mailbox;
	let workflow: StoredWorkflow;

	beforeEach(async () => {
		mailbox = await startMailbox([REFUSED]);
		const smtp = await api.createCredential('Mail', 'smtp', mailbox.credential);
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
			expect(await table.row(reference)).toMatchObject({ state: 'asked', paymentId: id });
		}
	});

	it('sends the image alone when AcountPay gives no link under this name', async () => {
		await table.add(invoice('INV-1'));
		const { id } = await makePayment(sandbox, MERCHANT, {
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
		);
		// AcountPay makes the payment, and its answer is lost.
		sandbox.faults.add({ match: { endpoint: 'create', reference: 'INV-4' }, reset: 'after' });
		const execution = await run(workflow, 'Start');
		expect(execution.status).toBe('error');
		const { message } = errorOf(execution)!;
		expect(message).toMatch(/^3 of 4 invoices need you: /);
		for (const reference of ['INV-1', 'INV-2', 'INV-4']) expect(message).toContain(reference);
		expect(mailbox.mails.map(({ subject }) => subject)).toEqual(['Invoice INV-3']);
		expect(await table.rows()).toMatchObject([
			{ state: 'failed', note: expect.stringContaining('Amount') },
			{ state: 'asked', note: expect.stringContaining('The mail was not sent') },
			{ state: 'asked', note: null },
			{ state: 'failed', note: expect.stringContaining('It is not known whether') },
		]);

		const again = await run(workflow, 'Start');
		expect(nodesRun(again)).not.toContain('Create Payment');
		expect(sandbox.payments).toHaveLength(3);
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

	const publishTrigger = async (options: object = {}) => {
		workflow = await load('paid-orders', [], (example) => {
			parametersOf(example, 'AcountPay Trigger').options = options;
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
		state: 'asked',
		...more,
	});

	/** A payment whose events go to the trigger. */
	const ask = async (referenceNumber: string, more: object = {}) =>
		await makePayment(sandbox, MERCHANT, {
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
	const pay = async (...payments: Array<{ id: string }>): Promise<Execution[]> =>
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
		expect(await table.row('ORDER-2')).toMatchObject({ state: 'asked', paymentId: null });
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
		expect(await table.row('ORDER-1')).toMatchObject({ state: 'asked', paymentId: null });
	});

	it('takes no word for it when AcountPay, asked, says otherwise', async () => {
		await publishTrigger();
		await table.add(order('ORDER-1'));
		const { id } = await ask('ORDER-1');
		const lying: Payment = { ...sandbox.payment(id), status: 'completed' };
		const [execution] = await startedBy(async () => await deliver(lying), 1);
		expect(execution.status).toBe('error');
		expect(nodesRun(execution)).not.toContain('Mark as Paid');
		expect(await table.row('ORDER-1')).toMatchObject({ state: 'asked' });
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
		expect(await table.rows()).toMatchObject([{ state: 'asked' }, { state: 'asked' }]);
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
		const { id } = await makePayment(sandbox, MERCHANT, { amount: 80, referenceNumber: reference });
		await table.add({
			reference,
			merchantId: MERCHANT,
			amount: 80,
			currency: 'DKK',
			state: 'asked',
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
			{ reference: 'PENDING', state: 'asked' },
		]);
		expect(itemsOf(execution, 'Report')).toMatchObject([
			{
				json: {
					changed: [
						{ reference: 'DECLINED', before: 'asked', after: 'declined' },
						{ reference: 'PAID', before: 'asked', after: 'paid' },
						{ reference: 'EXPIRED', before: 'asked', after: 'expired' },
					],
					stillOpen: [{ reference: 'PENDING', after: 'asked' }],
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
			{ reference: 'UNKNOWN', state: 'asked', note: expect.stringContaining('paid_out') },
			{ reference: 'MISSING', state: 'asked', note: expect.stringContaining('pay_gone') },
			{ reference: 'LEFT', state: 'creating', note: expect.stringContaining('It is not known') },
			{ reference: 'CHEAPER', state: 'asked', note: 'Paid, but 80 DKK' },
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
		const { id } = await makePayment(sandbox, MERCHANT, { amount: 5, referenceNumber: 'ORDER-5' });
		reply = ([answer]) =>
			answer
				? { text: `It is ${JSON.parse(answer)[0].status}` }
				: { call: 'Get_Payment', with: { paymentId: id } };
		await write('Is it paid?');
		expect(await chat!.next()).toBe('It is pending');
	});
});
