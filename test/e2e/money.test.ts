/**
 * What is promised of money, in n8n as a person has it: each item has one payment, or an error that tells the truth.
 */
import type { ExecutionError, IDataObject, INode, INodeParameters } from 'n8n-workflow';
import { setTimeout as sleep } from 'node:timers/promises';

import { startSandbox, type Fault, type Sandbox } from '../../sandbox';
import {
	errorOf,
	isFinished,
	itemsOf,
	lastRun,
	type Execution,
	type ExecutionSummary,
	type N8nApi,
	type StoredCredential,
} from '../../tools/n8n/api';
import {
	acountPay,
	itemsNode,
	manualTrigger,
	workflow,
	type WorkflowJson,
	type WorkflowNode,
} from '../../tools/n8n/workflow';
import { answers, sharedN8n, startOwnN8n } from '../kit/n8n';
import {
	askedFor,
	create,
	createOf,
	credentialFor,
	get,
	continueOnError,
	idsByReference,
	oneOfEach,
	orders,
	pausesBetween,
	countsByReference,
	referenceOf,
	requestsFor,
	retryOnFail,
	until,
	upTo,
} from '../kit/payments';
import { itIsPromised } from './promises';

// Usually 10 s for the longest of those that wait for nothing; a busy machine takes several times that.
jest.setTimeout(240_000);

const { api, log } = sharedN8n();
let sandbox: Sandbox;
let credential: StoredCredential;

const storeCredential = async (n8n: N8nApi, of: Sandbox) =>
	await n8n.createCredential('Partner', 'acountPayApi', credentialFor(of));

beforeEach(async () => {
	sandbox = await startSandbox();
	credential = await storeCredential(api, sandbox);
});

afterEach(async () => await sandbox.close());

const createNode = (options: INodeParameters = {}, more: Partial<INode> = {}) =>
	acountPay(credential, create({ options }), more);

const payingWorkflow = (node: WorkflowNode, items: IDataObject[], settings = {}) =>
	workflow([manualTrigger(), itemsNode(items), node], settings);

const run = async (definition: WorkflowJson) =>
	await api.runWorkflow((await api.createWorkflow(definition)).id, 120_000);

/** Runs a node on items, in a workflow of its own. */
const runNode = async (node: WorkflowNode, items: IDataObject[]) =>
	await run(payingWorkflow(node, items));

/** The references that the node handed on, in order; undefined for an item with an error. */
const handedOut = (execution: Execution) =>
	answers(execution).map(({ referenceNumber }) => referenceNumber);

/** What n8n keeps with the execution for the node. */
const remembered = (execution: Execution) =>
	execution.data.executionData?.contextData['node:AcountPay'] ?? {};

/** The latest execution of a workflow once it is over, also when it is no longer among the latest of all. */
async function finished(n8n: N8nApi, workflowId: string): Promise<Execution> {
	for (;;) {
		const [latest] = await n8n.listExecutions(workflowId);
		if (latest && isFinished(latest)) return await n8n.getExecution(latest.id);
		await sleep(500);
	}
}

/** The error that ended a node, as n8n stored it: once for the execution, once for the node's run. */
interface NodeFailure {
	message: string;
	description: string;
	context: {
		itemIndex: number;
		outcome: string;
		paymentsMade: Array<{ itemIndex: number; referenceNumber: string; paymentId: string }>;
		outcomesUnknown: Array<{ itemIndex: number; referenceNumber: string }>;
	};
}

function failures(execution: Execution): NodeFailure[] {
	expect(execution.status).toBe('error');
	const stored = [errorOf(execution), lastRun(execution, 'AcountPay').error];
	return stored.map((error?: ExecutionError) => error as unknown as NodeFailure);
}

describe('tokens', () => {
	it('a cold credential costs one token request, a warm one none', async () => {
		sandbox.settings.latencyMs = 20;
		const definition = payingWorkflow(createNode({ maxConcurrency: 30 }), orders(30));
		expect((await run(definition)).status).toBe('success');
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 30 });

		expect((await run(definition)).status).toBe('success');
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 60 });
	});

	it.each([
		['ends within five minutes', 280],
		['has ended by the clock', 1],
	])('a stored token that %s costs one, before the first call', async (_what, expiresIn) => {
		sandbox.settings.expiresIn = expiresIn;
		await runNode(createNode(), orders(1));
		await sleep(1_100);
		sandbox.reset();
		const execution = await runNode(createNode(), orders(30));

		expect(execution.status).toBe('success');
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 30 });
		expect(sandbox.requests[0].endpoint).toBe('token');
	});

	it.each([
		['client ID', { clientId: 'another_partner' }],
		['client secret', { clientSecret: 'another_secret' }],
	])('with another %s: one before the first call, the old one never again', async (_w, edit) => {
		await runNode(createNode(), orders(1));
		const [{ headers: old }] = requestsFor(sandbox, 'create');
		sandbox.reset();
		sandbox.setCredentials(edit);
		await api.updateCredential(credential, credentialFor(sandbox));
		const execution = await runNode(createNode(), orders(5));

		expect(execution.status).toBe('success');
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 5 });
		expect(sandbox.requests[0].endpoint).toBe('token');
		const used = requestsFor(sandbox, 'create').map(({ headers }) => headers.authorization);
		expect(used).not.toContain(old.authorization);
		const partners = new Set(sandbox.payments.map(({ partner }) => partner));
		expect([...partners]).toEqual([sandbox.credentials.clientId]);
	});

	it('with another environment: the old token is not sent there, nothing to the old one', async () => {
		await runNode(createNode(), orders(1));
		const [{ headers: old }] = requestsFor(sandbox, 'create');
		sandbox.reset();
		const other = await startSandbox();
		try {
			await api.updateCredential(credential, credentialFor(other));
			await runNode(createNode(), orders(5));

			expect(other.counts).toEqual({ 'token 200': 1, 'create 201': 5 });
			expect(other.requests[0].endpoint).toBe('token');
			const used = requestsFor(other, 'create').map(({ headers }) => headers.authorization);
			expect(used).not.toContain(old.authorization);
			expect(sandbox.requests).toEqual([]);
		} finally {
			await other.close();
		}
	});

	/** How many token requests five executions make that begin together, each with a token that is about to end. */
	async function tokenRequestsOfFive(): Promise<number> {
		sandbox.settings.expiresIn = 280;
		await runNode(createNode(), orders(1));
		sandbox.reset();
		sandbox.faults.add({ match: { endpoint: 'token' }, times: 'always', latencyMs: 2_000 });
		const { id } = await api.createWorkflow(payingWorkflow(createNode(), orders(2)));
		const started = await Promise.all(upTo(5).map(async () => await api.startWorkflow(id)));
		for (const executionId of started) {
			const isOver = (run: ExecutionSummary) => run.id === executionId && isFinished(run);
			expect((await api.waitForExecution(isOver)).status).toBe('success');
		}
		expect(sandbox.payments).toHaveLength(10);
		return sandbox.counts['token 200'];
	}
	itIsPromised(
		'executions at the same time ask for one token',
		async () => expect(await tokenRequestsOfFive()).toBe(1),
		async () => {
			const requests = await tokenRequestsOfFive();
			expect(requests).toBeGreaterThan(1);
			expect(requests).toBeLessThanOrEqual(5);
		},
	);

	it('refused early (401): one shared request, each refused call once more', async () => {
		await runNode(createNode(), orders(1));
		sandbox.reset();
		sandbox.settings.latencyMs = 100;
		sandbox.faults.add({ match: { endpoint: 'create' }, revokeToken: true });
		const execution = await runNode(createNode(), orders(30));

		expect(handedOut(execution)).toEqual(upTo(30).map(referenceOf));
		const { 'create 401': refused, ...others } = sandbox.counts;
		expect(others).toEqual({ 'token 200': 1, 'create 201': 30 });
		expect(refused).toBeGreaterThan(1);
		expect(refused).toBeLessThanOrEqual(10);
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(30)));
	});

	it('refused with 403 once it has ended: the same', async () => {
		sandbox.settings.expiresIn = 1;
		sandbox.faults.add({
			match: { endpoint: 'create' },
			times: 10,
			status: 403,
			latencyMs: 1_100,
		});
		const running = runNode(createNode(), orders(15));
		await until(() => requestsFor(sandbox, 'create').length === 10);
		sandbox.settings.expiresIn = 3_600;

		expect(handedOut(await running)).toEqual(upTo(15).map(referenceOf));
		expect(sandbox.counts).toEqual({ 'token 200': 2, 'create 403': 10, 'create 201': 15 });
	});

	it.each(['bEARER', 'mac', ''])('of the type %j go into a header', async (tokenType) => {
		sandbox.settings.tokenType = tokenType;
		const execution = await runNode(createNode(), orders(2));

		expect(execution.status).toBe('success');
		for (const { path, headers } of requestsFor(sandbox, 'create')) {
			expect(path).toBe('/v1/partner/payments');
			expect(headers.authorization).toMatch(/^Bearer \S+$/);
		}
	});

	it('are asked for again, with growing pauses: 429, 503, cut off', async () => {
		const troubles: Fault[] = [{ status: 429 }, { status: 503 }, { cutOff: true }];
		for (const trouble of troubles) {
			sandbox.faults.add({ match: { endpoint: 'token' }, ...trouble });
		}
		const execution = await runNode(createNode(), orders(5));

		expect(handedOut(execution)).toEqual(upTo(5).map(referenceOf));
		expect(sandbox.counts).toMatchObject({ 'token 429': 1, 'token 503': 1, 'create 201': 5 });
		expect(pausesBetween(requestsFor(sandbox, 'token'))).toHaveLength(3);
		pausesBetween(requestsFor(sandbox, 'token')).forEach((pause, index) =>
			expect(pause).toBeGreaterThanOrEqual(490 * 2 ** index),
		);
	});
});

describe('a batch', () => {
	it('with an invalid item: nothing is sent at all', async () => {
		const items = orders(30);
		items[25].amount = 0;
		for (const failure of failures(await runNode(createNode(), items))) {
			expect(failure.message).toMatch(/^Amount must be/);
			expect(failure.context).toMatchObject({ itemIndex: 25, paymentsMade: [] });
		}
		expect(sandbox.requests).toEqual([]);
	});

	it('with a refused item: no further one starts, and all payments are named', async () => {
		for (const index of [56, 57, 58, 59]) {
			sandbox.faults.add({ match: createOf(index), latencyMs: 1_000 });
		}
		sandbox.faults.add({ match: createOf(60), status: 422, body: { message: 'too strange' } });
		const execution = await runNode(createNode({ maxConcurrency: 5 }), orders(80));

		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(60)));
		expect(askedFor(sandbox)).toHaveLength(61);
		expect(itemsOf(execution, 'AcountPay')).toEqual([]);
		for (const { message, description, context } of failures(execution)) {
			expect(message).toContain('ORDER-60');
			expect(message).toContain('too strange');
			expect(message.length).toBeLessThan(150);
			expect(description.match(/ORDER-\d+ = \w+/g)).toEqual(
				upTo(50).map(
					(index) => `${referenceOf(index)} = ${idsByReference(sandbox)[referenceOf(index)]}`,
				),
			);
			expect(description).toContain('and 10 more');
			expect(context).toMatchObject({
				itemIndex: 60,
				outcome: 'refused',
				outcomesUnknown: [],
				paymentsMade: upTo(60).map((itemIndex) => ({
					itemIndex,
					referenceNumber: referenceOf(itemIndex),
					paymentId: idsByReference(sandbox)[referenceOf(itemIndex)],
				})),
			});
		}
	});

	it.each([
		['Continue', continueOnError],
		["'Continue On Fail' of old workflows", { continueOnFail: true }],
		['Continue (using error output)', { onError: 'continueErrorOutput' as const }],
	])('with refused items and %s: the others are paid, in order, paired', async (_w, more) => {
		const refused = [0, 7, 24];
		for (const index of refused) sandbox.faults.add({ match: createOf(index), status: 422 });
		const execution = await runNode(createNode({}, more), orders(25));

		const paid = upTo(25).filter((index) => !refused.includes(index));
		expect(execution.status).toBe('success');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(paid));
		const [regular, failed] = lastRun(execution, 'AcountPay').data!.main;
		const all = 'onError' in more && more.onError === 'continueErrorOutput';
		const itemsIn = (output = regular) => output!.map(({ pairedItem }) => pairedItem);
		expect(itemsIn()).toEqual((all ? paid : upTo(25)).map((item) => ({ item })));
		if (all) expect(itemsIn(failed)).toEqual(refused.map((item) => ({ item })));
		const errors = all ? failed! : regular!.filter(({ json }) => json.error);
		expect(errors.map(({ json }) => json)).toMatchObject(
			refused.map((index) => ({
				error: expect.stringContaining(`'${referenceOf(index)}'`),
				details: { outcome: 'refused', status: 422 },
			})),
		);
		for (const { json } of regular!.filter(({ json: { error } }) => !error)) {
			expect(json.id).toBe(idsByReference(sandbox)[json.referenceNumber as string]);
		}
	});

	it('starts with 10 in flight, has at most as many as is asked for, and keeps the order', async () => {
		sandbox.settings.latencyMs = 100;
		for (const index of [0, 4, 9]) {
			sandbox.faults.add({ match: createOf(index), latencyMs: 500 });
		}
		const execution = await runNode(createNode(), orders(25));
		expect(handedOut(execution)).toEqual(upTo(25).map(referenceOf));
		const starts = requestsFor(sandbox, 'create').map(({ startedAt }) => startedAt);
		expect(sandbox.maxInFlight).toBeGreaterThanOrEqual(10);
		// The eleventh waits for a response to one of the first.
		expect(starts[10] - starts[0]).toBeGreaterThanOrEqual(90);

		sandbox.reset();
		sandbox.settings.latencyMs = 100;
		await runNode(createNode({ maxConcurrency: 3 }), orders(10));
		expect(sandbox.payments).toHaveLength(10);
		expect(sandbox.maxInFlight).toBe(3);
	});
});

describe("'Retry On Fail'", () => {
	it('makes 100 payments of 100 items, with failures in between', async () => {
		for (const nth of [10, 45, 100]) {
			sandbox.faults.add({ match: { endpoint: 'create', nth }, status: 422 });
		}
		const execution = await runNode(createNode({}, retryOnFail(5)), orders(100));

		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(100)));
		expect(sandbox.counts['create 422']).toBe(3);
		expect(handedOut(execution)).toEqual(upTo(100).map(referenceOf));
		expect(answers(execution).map(({ id }) => id)).toEqual(
			upTo(100).map((index) => idsByReference(sandbox)[referenceOf(index)]),
		);
		expect(remembered(execution)).toEqual({});
	});

	it.each(['none', false, null])(
		'makes one payment where the first answer has an error %j',
		async (error) => {
			const body = { id: 'pay_1', referenceNumber: referenceOf(0), error };
			sandbox.faults.add({ match: createOf(0), times: 'always', status: 201, made: true, body });
			const execution = await runNode(createNode({}, retryOnFail(3)), orders(3));

			expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(3)));
			expect(answers(execution)[0]).toEqual(body);
			expect(handedOut(execution)).toEqual(upTo(3).map(referenceOf));
		},
	);
});

describe('a retry by hand', () => {
	it('makes what is missing, and another amount for what was made fails', async () => {
		sandbox.faults.add({ match: createOf(4), status: 422 });
		sandbox.faults.add({ match: createOf(7), status: 400 });
		const node = createNode({ maxConcurrency: 1 });
		const items = orders(10);
		const { id } = await api.createWorkflow(payingWorkflow(node, items));
		const failed = await api.runWorkflow(id);
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(4)));

		const again = await api.retryExecution(failed.id);
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(7)));
		for (const { context } of failures(again)) {
			expect(context.itemIndex).toBe(7);
			expect(context.paymentsMade).toHaveLength(7);
		}

		const { amount } = node.parameters;
		node.parameters.amount = '={{ $json.reference === "ORDER-1" ? 77 : $json.amount }}';
		await api.updateWorkflow(id, payingWorkflow(node, items));
		const changed = await api.retryExecution(again.id, { loadWorkflow: true });
		for (const { message, context } of failures(changed)) {
			expect(message).toContain("Payment 'ORDER-1' exists already");
			expect(context).toMatchObject({ itemIndex: 1, outcome: 'refused' });
		}
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));

		node.parameters.amount = amount;
		await api.updateWorkflow(id, payingWorkflow(node, items));
		const last = await api.retryExecution(changed.id, { loadWorkflow: true });
		expect(last.status).toBe('success');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
		expect(answers(last).map((answer) => answer.id)).toEqual(
			upTo(10).map((index) => idsByReference(sandbox)[referenceOf(index)]),
		);
		expect(remembered(last)).toEqual({ id: expect.any(String), retries: expect.any(Array) });
	});

	it('again and at once, of an execution that had created nothing yet: each order is paid once', async () => {
		sandbox.faults.add({ match: createOf(0), status: 422 });
		const items = orders(10);
		const { id } = await api.createWorkflow(
			payingWorkflow(createNode({ maxConcurrency: 1 }), items),
		);
		const failed = await api.runWorkflow(id);
		expect(countsByReference(sandbox)).toEqual({});

		const twice = [failed.id, failed.id].map(async (one) => await api.retryExecution(one));
		const retried = [...(await Promise.all(twice)), await api.retryExecution(failed.id)];
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
		const [creator, ...others] = retried.sort((one) => (one.status === 'success' ? -1 : 1));
		expect(answers(creator).map((answer) => answer.id)).toEqual(
			upTo(10).map((index) => idsByReference(sandbox)[referenceOf(index)]),
		);
		for (const other of others) {
			expect(errorOf(other)!.message).toContain(
				`execution ${creator.id}, another retry of the same execution, may have created it`,
			);
		}
	});
});

describe('Loop Over Items', () => {
	const loop = (batchSize: number, node: WorkflowNode, items: IDataObject[]): WorkflowJson => {
		const definition = workflow([
			manualTrigger(),
			itemsNode(items),
			{
				name: 'Loop',
				type: 'n8n-nodes-base.splitInBatches',
				typeVersion: 3,
				parameters: { batchSize },
			},
			node,
		]);
		const to = (name: string) => [{ node: name, type: 'main' as const, index: 0 }];
		definition.connections.Loop = { main: [[], to('AcountPay')] };
		definition.connections.AcountPay = { main: [to('Loop')] };
		return definition;
	};

	it('the same order in each turn is a payment in each turn', async () => {
		const items = upTo(3).map(() => orders(1)[0]);
		const execution = await run(loop(1, createNode({}, retryOnFail(3)), items));

		expect(countsByReference(sandbox)).toEqual({ [referenceOf(0)]: 3 });
		const runs = execution.data.resultData.runData.AcountPay;
		expect(runs.map(({ data }) => data!.main[0]![0].json.id)).toEqual(
			sandbox.payments.map(({ id }) => id),
		);
		expect(remembered(execution)).toEqual({});
	});

	it('a failure in a turn is retried in that turn, by n8n and by hand', async () => {
		sandbox.faults.add({ match: createOf(3), times: 3, status: 422 });
		const node = createNode({ maxConcurrency: 1 }, retryOnFail(2));
		const failed = await run(loop(2, node, orders(6)));
		for (const { context } of failures(failed)) {
			expect(context.paymentsMade).toMatchObject([{ referenceNumber: referenceOf(2) }]);
		}
		expect(JSON.stringify(remembered(failed))).toContain(referenceOf(2));
		expect(JSON.stringify(remembered(failed))).not.toContain(referenceOf(0));
		const retried = await api.retryExecution(failed.id);

		expect(retried.status).toBe('success');
		expect(askedFor(sandbox)).toEqual([0, 1, 2, 3, 3, 3, 3, 4, 5].map(referenceOf));
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(6)));
		expect(remembered(retried)).toEqual({ id: expect.any(String), retries: [expect.any(String)] });
	});
});

describe('a create of which it is not known whether it made a payment', () => {
	/** What n8n says, and nobody may say here, to have a person send a payment again. */
	const ADVICE_TO_RETRY = /try again|request immediately|perhaps|offline|was aborted/i;

	const troubles: Array<[string, Fault]> = [
		['a reset', { reset: 'after' }],
		['a timeout', { hang: true, made: true }],
		['500', { status: 500, made: true }],
		['a redirect', { status: 302, redirectTo: '/v1/partner/payments', made: true }],
		['an answer that is cut off', { cutOff: true }],
	];

	it.each(troubles)(
		'since it met %s: sent again only with resendUnknown, the others once',
		async (_what, fault) => {
			sandbox.faults.add({ match: createOf(0), ...fault });
			const options = { maxConcurrency: 1, timeout: 2_000 };
			const node = createNode(options, retryOnFail(3));
			const { id } = await api.createWorkflow(payingWorkflow(node, orders(3)));
			const failed = await api.runWorkflow(id);
			const retried = await api.retryExecution(failed.id);

			expect(askedFor(sandbox)).toEqual(upTo(3).map(referenceOf));
			for (const execution of [failed, retried]) {
				for (const failure of failures(execution)) {
					expect(failure.message).toContain("Payment 'ORDER-0' may or may not exist");
					expect(failure.description).toContain('Look for this reference in AcountPay');
					expect(failure.context).toMatchObject({
						itemIndex: 0,
						outcome: 'unknown',
						outcomesUnknown: [{ itemIndex: 0, referenceNumber: referenceOf(0) }],
						paymentsMade: [1, 2].map((index) => ({ referenceNumber: referenceOf(index) })),
					});
					const stored = JSON.stringify({ ...failure, node: undefined });
					expect(stored).not.toMatch(ADVICE_TO_RETRY);
				}
			}

			const resending = createNode({ ...options, resendUnknown: true });
			await api.updateWorkflow(id, payingWorkflow(resending, orders(3)));
			const resent = await api.retryExecution(retried.id, { loadWorkflow: true });
			expect(handedOut(resent)).toEqual(upTo(3).map(referenceOf));
			expect(askedFor(sandbox)).toEqual([0, 1, 2, 0].map(referenceOf));
		},
	);
});

// How long is waited, and how often asked, is in test/engine/busy.test.ts.
it('trouble that passes is waited out: 429 to a create and a get, a get without a response', async () => {
	const busyFor = (seconds: number): Fault => ({
		status: 429,
		headers: { 'Retry-After': String(seconds) },
	});
	sandbox.faults.add({ match: createOf(0), ...busyFor(2) });
	const created = await runNode(createNode(), orders(5));
	expect(handedOut(created)).toEqual(upTo(5).map(referenceOf));
	expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(5)));
	const [first, again] = requestsFor(sandbox, 'create')
		.filter(({ rawBody }) => rawBody.includes(`"${referenceOf(0)}"`))
		.map(({ startedAt }) => startedAt);
	expect(again - first).toBeGreaterThanOrEqual(2_000);

	const troubles: Fault[] = [
		busyFor(1),
		{ reset: 'after' },
		{ hang: true },
		{ status: 503 },
		{ status: 404, times: 'always' },
	];
	troubles.forEach((trouble, index) => {
		const match = { endpoint: 'get', reference: referenceOf(index) } as const;
		sandbox.faults.add({ match, ...trouble });
	});
	const items = answers(created).map(({ id }, index) => ({ merchant: `merchant_${index}`, id }));
	const read = await runNode(
		acountPay(credential, get({ options: { timeout: 2_000 } }), continueOnError),
		items,
	);

	expect(handedOut(read)).toEqual([...upTo(4).map(referenceOf), undefined]);
	expect(answers(read)[4]).toMatchObject({ details: { outcome: 'refused', status: 404 } });
	const reads = (index: number) =>
		requestsFor(sandbox, 'get').filter(({ path }) => path.endsWith(`/${String(items[index].id)}`));
	expect(upTo(5).map((index) => reads(index).length)).toEqual([2, 2, 2, 2, 1]);
	expect(pausesBetween(reads(0))[0]).toBeGreaterThanOrEqual(1_000);
});

describe('what is stopped', () => {
	/** The lines of n8n's log on a stopped execution. */
	const logged = (executionId: string) =>
		log()
			.split('\n')
			.filter((line) => line.includes(`execution ${executionId}, was stopped`));

	/** Waits until the node has ended and n8n has stored it, and holds its log against the sandbox. */
	async function expectNoneLost(executionId: string): Promise<void> {
		const stopped = await api.waitForExecution(
			({ id, status }) => id === executionId && status === 'canceled',
		);
		expect(stopped.status).toBe('canceled');
		const namedPayments = () =>
			logged(executionId)
				.filter((line) => line.includes('Payments created'))
				.flatMap((line) => [...line.matchAll(/(ORDER-\d+) = (\w+)/g)]);
		// Each line names a part of them, and n8n's log comes in pieces.
		await until(() => namedPayments().length >= Math.max(1, sandbox.payments.length));
		const named = namedPayments();
		expect(Object.fromEntries(named.map(([, reference, id]) => [reference, id]))).toEqual(
			idsByReference(sandbox),
		);
		expect(named).toHaveLength(sandbox.payments.length);
	}

	it('by the person: creates in flight finish, and the log names all and what is open', async () => {
		await runNode(createNode(), orders(1));
		sandbox.reset();
		sandbox.settings.latencyMs = 300;
		sandbox.faults.add({ match: createOf(3), reset: 'before' });
		const node = createNode({ maxConcurrency: 10 }, { ...continueOnError, ...retryOnFail(3) });
		const { id } = await api.createWorkflow(payingWorkflow(node, orders(500)));
		const executionId = await api.startWorkflow(id);
		await until(() => requestsFor(sandbox, 'create').length >= 15);
		await api.stopExecution(executionId);
		const asked = requestsFor(sandbox, 'create').length;

		await expectNoneLost(executionId);
		expect(requestsFor(sandbox, 'create')).toHaveLength(asked);
		expect(sandbox.payments).toHaveLength(asked - 1);
		const open = logged(executionId).filter((line) => line.includes('May or may not exist'));
		expect(open).toEqual([expect.stringMatching(/\(1\): ORDER-3\b/)]);
	});

	it('by the time limit of the workflow: the same', async () => {
		sandbox.settings.latencyMs = 1_000;
		// 20 in flight make 20 a second: all 1,000 would take five times the limit.
		const node = createNode({ maxConcurrency: 20 });
		const { id } = await api.createWorkflow(
			payingWorkflow(node, orders(1_000), { executionTimeout: 10 }),
		);
		const executionId = await api.startWorkflow(id);

		await expectNoneLost(executionId);
		expect(sandbox.payments.length).toBeGreaterThan(0);
		expect(sandbox.payments.length).toBeLessThan(1_000);
		expect(requestsFor(sandbox, 'create')).toHaveLength(sandbox.payments.length);
	});
});

describe('10,000 items in one run', () => {
	it('are 10,000 payments, in an n8n with 512 MB for its objects', async () => {
		// n8n alone takes about half of it, and ends when it has to have more.
		const env = { NODE_OPTIONS: '--max-old-space-size=512' };
		const n8n = await startOwnN8n({ hasEditor: true, env });
		const its = await startSandbox({ record: false });
		try {
			const node = acountPay(await storeCredential(n8n.api, its), create());
			const definition = payingWorkflow(node, []);
			definition.nodes[1].parameters.jsCode = `return [...Array(10000).keys()].map((index) => ({
				json: { merchant: 'merchant_' + index, amount: index + 1, reference: 'ORDER-' + index },
			}));`;
			const { id } = await n8n.api.createWorkflow(definition);
			await n8n.api.startWorkflow(id);
			const execution = await finished(n8n.api, id);

			expect(its.counts).toEqual({ 'token 200': 1, 'create 201': 10_000 });
			expect(handedOut(execution)).toEqual(upTo(10_000).map(referenceOf));
			expect(new Set(answers(execution).map(({ id: paymentId }) => paymentId)).size).toBe(10_000);
			expect(remembered(execution)).toEqual({});
		} finally {
			await n8n.stop();
			await its.close();
		}
	});
});
