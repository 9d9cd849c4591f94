/**
 * n8n in queue mode, as people run it who have outgrown one machine: a main process, two workers, Redis and PostgreSQL,
 * with the packed package. One credential serves both workers; no payment is made twice, whatever becomes of a worker.
 */
import type { INode, INodeParameters } from 'n8n-workflow';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import {
	REPEAT_PAUSES_MS,
	startSandbox,
	type FaultMatch,
	type Payment,
	type Sandbox,
} from '../../sandbox';
import {
	errorOf,
	isFinished,
	itemsOf,
	type Execution,
	type ExecutionSummary,
	type StoredCredential,
} from '../../tools/n8n/api';
import { startQueue, type Queue, type Worker } from '../../tools/n8n/queue';
import { ensureN8n } from '../../tools/n8n/setup';
import { acountPay, workflow, type WorkflowNode } from '../../tools/n8n/workflow';
import { packPackage } from '../../tools/package';
import { KEY_CREDENTIAL, SHOP } from '../kit/keys';
import { answers } from '../kit/n8n';
import { create, credentialFor, until, upTo } from '../kit/payments';
import { keyPartnerOf } from '../sandbox/client';

// Most tests take seconds. n8n takes about 100 s to notice that a worker is gone, and a busy machine takes its time.
jest.setTimeout(600_000);

let packageTarball: string;
let queue: Queue;
let workers: Worker[] = [];
let sandbox: Sandbox;
let credential: StoredCredential;

beforeAll(async () => {
	const n8n = await ensureN8n();
	packageTarball = await packPackage();
	queue = await startQueue({ n8n, packageTarball });
});

beforeEach(async () => {
	while (workers.length < 2) workers.push(await queue.startWorker());
	sandbox = await startSandbox();
	const data = credentialFor(sandbox);
	credential = await queue.main.api.createCredential('Partner', 'acountPayApi', data);
});

afterEach(async () => await sandbox?.close());

afterAll(async () => {
	await queue?.stop();
	if (packageTarball) rmSync(dirname(packageTarball), { recursive: true });
});

/** Ends a worker; the next test starts another in its place. */
async function end(worker: Worker, how: 'stop' | 'kill'): Promise<void> {
	workers = workers.filter((other) => other !== worker);
	await worker[how]();
}

/** Several times what anything that is waited for takes on a busy machine. */
const WAITING_LIMIT_MS = 420_000;

interface Order {
	merchant: string;
	amount: number;
	reference: string;
}

/** Orders with references that no other batch has. */
const orders = (count: number, batch = 0): Order[] =>
	upTo(count).map((index) => ({
		merchant: `merchant_${index}`,
		amount: index + 1,
		reference: `ORDER-${batch}-${index}`,
	}));

const createNode = (
	options: INodeParameters = {},
	more: Partial<INode> = {},
	fields: INodeParameters = {},
) =>
	acountPay(
		credential,
		{
			...create(),
			additionalFields: { metadata: '={{ { execution: $execution.id } }}', ...fields },
			options,
		},
		more,
	);

/** Whose payment it is, as {@link createNode} has it told. */
const executionIdOf = ({ metadata }: Payment) => metadata?.execution as string;

const refused = (reference: string, times = 1) =>
	sandbox.faults.add({
		match: { endpoint: 'create', reference } satisfies FaultMatch,
		times,
		status: 422,
	});

/** A workflow that is there to be called, and each call is an execution. */
interface Shop {
	id: string;
	/** Hands orders in; n8n answers as soon as the execution is in the queue. */
	order(items: Order[]): Promise<void>;
}

async function openShop(...nodes: WorkflowNode[]): Promise<Shop> {
	const path = randomUUID();
	const { id } = await queue.main.api.createWorkflow(
		workflow([
			{
				name: 'Orders',
				type: 'n8n-nodes-base.webhook',
				typeVersion: 2,
				webhookId: path,
				parameters: { httpMethod: 'POST', path, responseMode: 'onReceived' },
			},
			{
				name: 'Each',
				type: 'n8n-nodes-base.splitOut',
				typeVersion: 1,
				parameters: { fieldToSplitOut: 'body.orders', options: {} },
			},
			...nodes,
		]),
	);
	expect(await queue.main.api.publish(id)).toMatchObject({ status: 'published' });
	return {
		id,
		async order(items) {
			const { status } = await fetch(queue.main.api.webhookUrl(path), {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ orders: items }),
			});
			expect(status).toBe(200);
		},
	};
}

/** All executions of a workflow, once there are so many and each is as wanted. */
async function executionsOf(
	{ id }: Shop,
	count: number,
	isWanted: (execution: ExecutionSummary) => boolean = isFinished,
): Promise<Execution[]> {
	let executions: ExecutionSummary[] = [];
	const areWanted = async () => {
		executions = await queue.main.api.listExecutions(id);
		return executions.length === count && executions.every(isWanted);
	};
	await until(areWanted, WAITING_LIMIT_MS, () =>
		JSON.stringify(executions.map((one) => [one.id, one.status])),
	);
	return await Promise.all(
		executions.map(async (one) => await queue.main.api.getExecution(one.id)),
	);
}

const executionOf = async (shop: Shop, isWanted?: (execution: ExecutionSummary) => boolean) =>
	(await executionsOf(shop, 1, isWanted))[0];

/** Hands in each batch as an execution of its own, all at once, and waits for all. */
async function orderAtOnce(shop: Shop, batches: Order[][]): Promise<Execution[]> {
	await Promise.all(batches.map(shop.order));
	return await executionsOf(shop, batches.length);
}

const ordered = (execution: Execution) =>
	itemsOf(execution, 'Each').map(({ json }) => json.reference as string);

/** The ids of the payments of a reference. */
const idsOf = (reference: string) =>
	sandbox.payments
		.filter(({ referenceNumber }) => referenceNumber === reference)
		.map(({ id }) => id);

const references = () => sandbox.payments.map(({ referenceNumber }) => referenceNumber);

const referencesIn = (batches: Order[][]) =>
	batches.flatMap((batch) => batch.map(({ reference }) => reference));

/** One payment for each order, none more, and each execution names those of its own. */
function expectAllPaid(executions: Execution[], batches: Order[][]): void {
	expect(executions.filter(({ status }) => status !== 'success')).toEqual([]);
	expect(references().sort()).toEqual(referencesIn(batches).sort());
	const ids = new Map(sandbox.payments.map(({ referenceNumber, id }) => [referenceNumber, id]));
	for (const execution of executions) {
		expect(answers(execution).map(({ referenceNumber, id }) => [referenceNumber, id])).toEqual(
			ordered(execution).map((reference) => [reference, ids.get(reference)]),
		);
	}
	expect(executions.flatMap(ordered).sort()).toEqual(referencesIn(batches).sort());
}

/** Hands in orders of which the fifth is refused, ends the worker that ran them, and has the other one retry them. */
async function retriedElsewhere(shop: Shop, items: Order[]): Promise<Execution> {
	refused('ORDER-0-4');
	await shop.order(items);
	const failed = await executionOf(shop);
	expect(failed.status).toBe('error');
	expect(references()).toEqual(upTo(4).map((index) => `ORDER-0-${index}`));

	await end(workers.find((worker) => worker.begun().includes(failed.id))!, 'stop');
	const retried = await queue.main.api.retryExecution(failed.id);
	expect(workers[0].begun()).toContain(retried.id);
	return retried;
}

describe('many executions at once', () => {
	it('are 1,000 payments of 1,000 orders, by both workers, with one token', async () => {
		const [one, other] = workers.map((worker) => worker.finished().length);
		sandbox.settings.latencyMs = 20;
		const batches = upTo(100).map((batch) => orders(10, batch));
		const executions = await orderAtOnce(await openShop(createNode()), batches);

		expectAllPaid(executions, batches);
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 1_000 });
		expect(workers[0].finished().length).toBeGreaterThan(one);
		expect(workers[1].finished().length).toBeGreaterThan(other);
	});

	it('ask for no token when there is one, for one when it ends, for one when it is refused', async () => {
		const batches = upTo(30).map((batch) => orders(5, batch));
		const creates = referencesIn(batches).length;
		const run = async () => {
			sandbox.settings.latencyMs = 50;
			const executions = await orderAtOnce(await openShop(createNode()), batches);
			expectAllPaid(executions, batches);
		};
		sandbox.settings.expiresIn = 1;
		await orderAtOnce(await openShop(createNode()), [orders(1)]);
		await sleep(1_100);

		sandbox.reset();
		await run();
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': creates });

		sandbox.reset();
		await run();
		expect(sandbox.counts).toEqual({ 'create 201': creates });

		sandbox.reset();
		sandbox.revokeTokens();
		await run();
		const { 'create 401': refusals, ...others } = sandbox.counts;
		expect(others).toEqual({ 'token 200': 1, 'create 201': creates });
		expect(refusals).toBeGreaterThan(0);
		expect(refusals).toBeLessThanOrEqual(creates);
	});

	it("with 'Retry On Fail' and refusals in between: still one payment for each order", async () => {
		const batches = upTo(20).map((batch) => orders(10, batch));
		for (const batch of [2, 5, 11]) {
			refused(`ORDER-${batch}-3`);
			refused(`ORDER-${batch}-8`);
		}
		const node = createNode({}, { retryOnFail: true, maxTries: 5, waitBetweenTries: 1 });
		const executions = await orderAtOnce(await openShop(node), batches);

		expectAllPaid(executions, batches);
		expect(sandbox.counts).toMatchObject({ 'create 422': 6, 'create 201': 200 });
	});
});

describe('a retry by hand', () => {
	it('at a worker that has never seen the execution makes only what is missing', async () => {
		const shop = await openShop(createNode({ maxConcurrency: 1 }));
		const retried = await retriedElsewhere(shop, orders(10));
		expectAllPaid([retried], [orders(10)]);
	});
});

describe('a parked wait', () => {
	it('goes on at another worker than the one that has parked it, paid or timed out', async () => {
		const shop = async (timeoutMinutes: number) =>
			await openShop(
				createNode({}, { name: 'Create' }, { webhookUrl: '={{ $execution.resumeUrl }}' }),
				acountPay(
					credential,
					{
						operation: 'waitForCompletion',
						resumeOn: 'webhook',
						merchantId: 'merchant_0',
						paymentId: '={{ $json.id }}',
						timeoutMinutes,
					},
					{ name: 'Wait' },
				),
				{ name: 'After', type: 'n8n-nodes-base.noOp', typeVersion: 1, parameters: {} },
			);
		const isParked = ({ status }: ExecutionSummary) => status === 'waiting';
		const output = (execution: Execution) => itemsOf(execution, 'After').map(({ json }) => json);

		await end(workers[1], 'stop');
		const [parking] = workers;
		const [paid, timedOut] = [await shop(35), await shop(0.5)];
		await paid.order(orders(1, 1));
		await timedOut.order(orders(1, 2));
		const [{ id }] = [await executionOf(paid, isParked)];
		await executionOf(timedOut, isParked);
		const going = await queue.startWorker();
		workers.push(going);
		await end(parking, 'stop');
		expect(parking.begun()).toContain(id);
		// What came while n8n was parking is repeated.
		for (const pause of REPEAT_PAUSES_MS.slice(0, 2)) {
			sandbox.clock.advance(pause);
			await sandbox.webhooksIdle();
		}

		const [payment] = idsOf('ORDER-1-0');
		sandbox.pay(payment);
		sandbox.clock.advance(1_000);
		await sandbox.webhooksIdle();
		const execution = await executionOf(paid);
		expect(going.begun()).toContain(id);
		expect(sandbox.deliveries.find(({ event }) => event === 'payment.completed')).toMatchObject({
			status: 200,
			paymentId: payment,
		});
		expect(execution.status).toBe('success');
		expect(output(execution)).toMatchObject([
			{ paymentId: payment, status: 'completed', waitEndedBy: 'status' },
		]);
		expect(output(await executionOf(timedOut))).toMatchObject([
			{ paymentId: idsOf('ORDER-2-0')[0], status: 'pending', waitEndedBy: 'timeout' },
		]);
		expect(sandbox.payments).toHaveLength(2);
	});
});

describe('a worker', () => {
	/** Some of the payments of each of these executions are made. */
	const heldBy = (worker: Worker) => {
		const paying = new Set(sandbox.payments.map(executionIdOf));
		return worker.begun().filter((id) => paying.has(id) && !worker.finished().includes(id));
	};

	/** Executions that take seconds, and both workers are in the middle of some. */
	async function begin() {
		sandbox.settings.latencyMs = 500;
		// A worker runs ten at a time.
		const batches = upTo(16).map((batch) => orders(10, batch));
		const shop = await openShop(createNode({ maxConcurrency: 2 }));
		await Promise.all(batches.map(shop.order));
		await until(() => workers.every((worker) => heldBy(worker).length > 0), WAITING_LIMIT_MS);
		return { shop, batches };
	}

	it('that is told to end finishes what it runs, and the other does the rest', async () => {
		const { shop, batches } = await begin();
		const [ending] = workers;
		const held = heldBy(ending);
		await end(ending, 'stop');

		expectAllPaid(await executionsOf(shop, batches.length), batches);
		expect(ending.finished()).toEqual(expect.arrayContaining(held));
		expect(heldBy(ending)).toEqual([]);
	});

	it('that is killed: its executions end as errors and never run again, the others are paid', async () => {
		const { shop, batches } = await begin();
		const [killed, other] = workers;
		await end(killed, 'kill');
		const held = killed.begun().filter((id) => !killed.finished().includes(id));

		const executions = await executionsOf(shop, batches.length);
		// Only now: what was in flight when the worker was killed has made its payments after that.
		const paying = heldBy(killed);
		expect(paying).not.toEqual([]);
		const lost = executions.filter(({ id }) => held.includes(id));
		const others = executions.filter(({ id }) => !held.includes(id));
		expect(others.map(({ status }) => status)).toEqual(others.map(() => 'success'));
		for (const execution of others) {
			expect(answers(execution).map(({ id }) => [id])).toEqual(ordered(execution).map(idsOf));
		}

		// n8n keeps nothing of them but the fact, so the orders have to be known from elsewhere.
		for (const execution of lost) {
			expect(execution.status).toBe('error');
			expect(errorOf(execution)?.message).toMatch(
				/^This execution failed to be processed too many/,
			);
			expect(execution.data.resultData.runData).toEqual({});
			expect(other.begun()).not.toContain(execution.id);
		}
		const isPaid = others.flatMap(ordered);
		const open = referencesIn(batches).filter((reference) => !isPaid.includes(reference));
		expect(open).toHaveLength(lost.length * 10);
		expect(Math.max(...open.map((reference) => idsOf(reference).length))).toBe(1);
		const ofOpen = sandbox.payments.filter((made) => open.includes(made.referenceNumber));
		expect([...new Set(ofOpen.map(executionIdOf))].sort()).toEqual(paying.sort());

		const soFar = sandbox.payments.length;
		expect((await queue.main.api.retryExecution(lost[0].id)).status).toBe('error');
		expect(sandbox.payments).toHaveLength(soFar);
	});
});

describe('an execution that a person stops', () => {
	it('finishes the creates on their way, and the log of its worker names every payment', async () => {
		sandbox.settings.latencyMs = 300;
		sandbox.faults.add({ match: { endpoint: 'create', reference: 'ORDER-0-3' }, reset: 'before' });
		const shop = await openShop(createNode({}, { onError: 'continueRegularOutput' }));
		await shop.order(orders(200));
		const creates = () => sandbox.requests.filter(({ endpoint }) => endpoint === 'create').length;
		await until(() => creates() >= 15, WAITING_LIMIT_MS);
		const [{ id }] = await queue.main.api.listExecutions(shop.id);
		await queue.main.api.stopExecution(id);
		expect((await executionOf(shop)).status).toBe('canceled');

		const worker = workers.find(({ begun }) => begun().includes(id))!;
		const logged = (what: string) =>
			worker
				.log()
				.split('\n')
				.filter((line) => line.includes(`execution ${id}, was stopped`) && line.includes(what));
		const namedPayments = () =>
			logged('Payments created').flatMap((line) => [...line.matchAll(/(ORDER-[\d-]+) = (\w+)/g)]);
		// Each line names a part of them, and n8n's log comes in pieces.
		await until(
			() => namedPayments().length >= Math.max(1, sandbox.payments.length),
			WAITING_LIMIT_MS,
		);
		const named = namedPayments();
		expect(named.map(([, reference, payment]) => `${reference} ${payment}`).sort()).toEqual(
			sandbox.payments.map(({ referenceNumber, id: made }) => `${referenceNumber} ${made}`).sort(),
		);
		expect(sandbox.payments).toHaveLength(creates() - 1);
		expect(creates()).toBeLessThan(200);
		expect(logged('May or may not exist')).toEqual([expect.stringMatching(/\(1\): ORDER-0-3\b/)]);
		expect(queue.main.log()).not.toContain('was stopped');
		expect((await queue.main.api.getExecution(id)).status).toBe('canceled');
	});
});

describe('with keys', () => {
	let keys: StoredCredential;

	beforeEach(async () => {
		const data = { environment: 'custom', baseUrl: sandbox.url, ...sandbox.keys };
		keys = await queue.main.api.createCredential('Keys', KEY_CREDENTIAL, data as never);
	});

	const createWithKeys = (options: INodeParameters = {}, more: Partial<INode> = {}) =>
		acountPay(keys, create({ authentication: 'apiKey', merchantId: SHOP.clientId, options }), {
			credentials: { [KEY_CREDENTIAL]: keys },
			...more,
		});

	/** One payment for each order, none more, and each execution names those of its own. */
	const expectEachPaid = (executions: Execution[], batches: Order[][]) => {
		expect(executions.filter(({ status }) => status !== 'success')).toEqual([]);
		expect(references().sort()).toEqual(referencesIn(batches).sort());
		for (const execution of executions) {
			expect(answers(execution).map(({ paymentId }) => [paymentId])).toEqual(
				ordered(execution).map(idsOf),
			);
		}
	};

	it('300 orders are 300 payments, by both workers', async () => {
		const [one, other] = workers.map((worker) => worker.finished().length);
		sandbox.settings.latencyMs = 20;
		const batches = upTo(30).map((batch) => orders(10, batch));
		expectEachPaid(await orderAtOnce(await openShop(createWithKeys()), batches), batches);

		expect(sandbox.counts).toEqual({ 'create 201': 300 });
		expect(workers[0].finished().length).toBeGreaterThan(one);
		expect(workers[1].finished().length).toBeGreaterThan(other);
	});

	it('a payment whose response is lost is looked up, and a retry at another worker makes none again', async () => {
		const match = { endpoint: 'create', reference: 'ORDER-0-1' } satisfies FaultMatch;
		sandbox.faults.add({ match, reset: 'after' });
		const shop = await openShop(createWithKeys({ maxConcurrency: 1 }));
		const retried = await retriedElsewhere(shop, orders(6));
		expectEachPaid([retried], [orders(6)]);
		expect(answers(retried)[1]).toMatchObject({ lookedUp: true });
	});

	it('the trigger registers once, and is found again when n8n starts anew', async () => {
		const { api } = queue.main;
		const { id } = await api.createWorkflow(
			workflow([
				{
					name: 'AcountPay Trigger',
					type: 'n8n-nodes-acountpay.acountPayTrigger',
					typeVersion: 1,
					webhookId: randomUUID(),
					parameters: { authentication: 'apiKey', events: ['payment.completed'] },
					credentials: { [KEY_CREDENTIAL]: keys },
				},
				{ name: 'After', type: 'n8n-nodes-base.noOp', typeVersion: 1, parameters: {} },
			]),
		);
		expect(await api.publish(id)).toMatchObject({ status: 'published' });
		await queue.main.restart();

		const { paymentId } = (await keyPartnerOf(sandbox).create()).data as { paymentId: number };
		sandbox.pay(paymentId);
		sandbox.clock.advance(1_000);
		await sandbox.webhooksIdle();
		const [execution] = await executionsOf({ id } as Shop, 1);
		expect(itemsOf(execution, 'After')[0].json).toMatchObject({ data: { paymentId } });
		expect(workers.some((worker) => worker.begun().includes(execution.id))).toBe(true);
		expect(sandbox.counts).toMatchObject({ 'registerWebhook 201': 1 });
		expect(sandbox.registrations).toHaveLength(1);
	});
});
