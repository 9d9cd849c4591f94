/** The promises on money, with keys, for everything that can be created: payments, merchants and stores. */
import type { INode, INodeParameters } from 'n8n-workflow';
import type { Endpoint, FaultMatch } from '../../sandbox';
import { loopOver, useEngine } from '../kit/engine';
import { engineWithKeys, nodeFor, SHOP } from '../kit/keys';
import { packageWithQuickLooks } from '../kit/lookUp';
import {
	continueOnError,
	orders,
	referenceOf,
	requestsFor,
	retryOnFail,
	until,
	upTo,
} from '../kit/payments';
import type { Execution, WorkflowDefinition } from './harness';

jest.setTimeout(60_000);

const { sandbox, engine, useOther } = useEngine(
	{ folder: packageWithQuickLooks(10) },
	engineWithKeys,
);
/** Those that the sandbox has from the beginning. */
let merchantsBefore: number;

beforeEach(() => {
	merchantsBefore = sandbox.merchants.length;
});

interface Create {
	resource: 'payment' | 'merchant' | 'store';
	endpoint: Endpoint;
	/** Creates one of each order, with the order's reference as its name. */
	parameters: INodeParameters;
	/** The field that holds the name. */
	nameField: string;
	/** The names of all that were created, in order. */
	names: () => string[];
	/** The key in the context of an error. */
	key: string;
	/** How the error's text begins to list them. */
	listed: string;
}

const CREATES: Create[] = [
	{
		resource: 'payment',
		endpoint: 'create',
		parameters: {
			merchantId: SHOP.clientId,
			amount: 10,
			referenceNumber: '={{ $json.reference }}',
		},
		nameField: 'referenceNumber',
		names: () => sandbox.payments.map(({ referenceNumber }) => referenceNumber),
		key: 'paymentsMade',
		listed: 'Payments created',
	},
	{
		resource: 'merchant',
		endpoint: 'createMerchant',
		parameters: { companyName: '={{ $json.reference }}', contactEmail: 'a@example.com' },
		nameField: 'companyName',
		names: () => sandbox.merchants.slice(merchantsBefore).map(({ companyName }) => companyName),
		key: 'merchantsMade',
		listed: 'Merchants created',
	},
	{
		resource: 'store',
		endpoint: 'createStore',
		parameters: { merchantNumber: '1', name: '={{ $json.reference }}' },
		nameField: 'name',
		names: () => sandbox.stores.map(({ fields }) => String(fields.name)),
		key: 'storesMade',
		listed: 'Stores created',
	},
];

const references = (indexes: Iterable<number>) => [...indexes].map(referenceOf);

describe.each(CREATES)('creating a $resource', (create) => {
	const { resource, endpoint, parameters, nameField, names, key, listed } = create;
	const sortedNames = () => [...names()].sort();

	const node = (options: INodeParameters = {}, settings: Partial<INode> = {}): Partial<INode> =>
		nodeFor(resource, 'create', { ...parameters, options }, settings);

	/** The requests for the order with that index, or for all. */
	const requests = (index?: number) =>
		requestsFor(sandbox, endpoint).filter(
			({ rawBody }) => index === undefined || rawBody.includes(`"${referenceOf(index)}"`),
		);

	const nth = (count: number): FaultMatch => ({ endpoint, nth: count });

	/** The names of the items in a list of an error's context. */
	const inContext = (execution: Execution, list: string) =>
		((execution.error?.context[list] ?? []) as Array<Record<string, unknown>>).map(
			({ referenceNumber, name }) => referenceNumber ?? name,
		);

	it("another item's is not taken for its own", async () => {
		const ids = { id: 4711, merchantId: 4711, storeId: 4711, paymentId: 4711 };
		sandbox.faults.add({ match: { endpoint }, times: 2, body: ids });
		const options = { maxConcurrency: 1 };
		const execution = await engine.runNode({
			node: node(options, continueOnError),
			items: orders(3),
		});
		const [first, second, third] = execution.json();
		expect(first).toMatchObject(ids);
		expect(second).toMatchObject({
			error: expect.stringContaining(
				`AcountPay responded about ${resource} '4711', which belongs to another item`,
			),
			details: { outcome: 'unknown' },
		});
		expect(third).not.toHaveProperty('error');
		expect(requests()).toHaveLength(3);
	});

	it('a 429 is waited out, and each is created once', async () => {
		sandbox.faults.add({ match: nth(2), status: 429, headers: { 'Retry-After': '1' } });
		const execution = await engine.runNode({ node: node(), items: orders(4) });
		expect(execution.error).toBeUndefined();
		expect(sortedNames()).toEqual(references(upTo(4)));
		expect(requests()).toHaveLength(5);
	});

	it('a refusal starts no further one, and the error names each', async () => {
		sandbox.faults.add({ match: nth(3), status: 422, body: { message: 'Not this one' } });
		const failed = await engine.runNode({ node: node({ maxConcurrency: 1 }), items: orders(5) });
		expect(names()).toEqual(references([0, 1]));
		expect(requests()).toHaveLength(3);
		expect(failed.error!.message).toMatch(
			/^AcountPay refused .*'ORDER-2'.*: Not this one \[item 2\]$/,
		);
		expect(failed.error!.description).toMatch(
			new RegExp(
				`${listed} \\(2\\): ORDER-0 = \\S+, ORDER-1 = \\S+\\. Not started \\(2\\): ORDER-3, ORDER-4\\.`,
			),
		);
		expect(inContext(failed, key)).toEqual(references([0, 1]));
		expect(inContext(failed, 'refused')).toEqual(references([2]));
		expect(inContext(failed, 'notStarted')).toEqual(references([3, 4]));

		// The way that the error names creates the rest, and none of them again.
		const retried = await engine.retry(failed);
		expect(retried.error).toBeUndefined();
		expect(sortedNames()).toEqual(references(upTo(5)));
	});

	it('those in flight are finished when the execution is stopped, and the log names them', async () => {
		sandbox.faults.add({ match: { endpoint }, latencyMs: 500, times: 'always' });
		const running = engine.startNode({ node: node({ maxConcurrency: 2 }), items: orders(5) });
		await until(() => requests().length === 2);
		running.cancel();
		expect((await running.finished).status).toBe('canceled');
		expect(sortedNames()).toEqual(references([0, 1]));
		const log = engine.log.messages('warn').join('\n');
		expect(log).toMatch(/was stopped\. \w+s created \(2\)/);
		expect(log).toMatch(/Not started \(3\): ORDER-2, ORDER-3, ORDER-4/);
	});

	it('each turn of a loop creates its own, once', async () => {
		const execution = await engine.runWorkflow(loopOver(2, node({}, retryOnFail())), {
			items: orders(5),
		});
		expect(execution.error).toBeUndefined();
		expect(sortedNames()).toEqual(references(upTo(5)));
		expect(requests()).toHaveLength(5);
	});

	it("'Retry On Fail' creates none again, and sends what failed once more", async () => {
		sandbox.faults.add({ match: nth(3), status: 422 });
		const execution = await engine.runNode({
			node: node({ maxConcurrency: 1 }, retryOnFail()),
			items: orders(4),
		});
		expect(execution.error).toBeUndefined();
		expect(sortedNames()).toEqual(references(upTo(4)));
		expect(upTo(4).map((index) => requests(index).length)).toEqual([1, 1, 2, 1]);
		expect(execution.json().map((item) => item[nameField])).toEqual(references(upTo(4)));
	});

	it('an unknown one is not sent again', async () => {
		sandbox.faults.add({ match: nth(1), status: 500 });
		const failed = await engine.runNode({ node: node({}, retryOnFail(2)), items: orders(1) });
		expect(failed.error!.message).toContain('may or may not exist');
		if (resource !== 'payment') await engine.retry(failed);
		expect(requests()).toHaveLength(1);
	});

	it('wrong keys stop the run, in words about keys and the credential', async () => {
		await useOther({ clientSecret: 'wrong' });
		const failed = await engine.runNode({ node: node({ maxConcurrency: 2 }), items: orders(20) });
		const { message, description } = failed.error!;
		expect(message).toMatch(
			/^AcountPay refused the API keys of the credential '.+' for .*\[item \d\]$/,
		);
		expect(`${message} ${description}`).not.toMatch(/token/i);
		expect(description).toMatch(/Partner Dashboard/);
		expect(requests().length).toBeLessThanOrEqual(2);
		expect(names()).toEqual([]);

		const continued = await engine.runNode({ node: node({}, continueOnError), items: orders(20) });
		expect(continued.json()).toHaveLength(20);
		for (const item of continued.json()) {
			expect(item).toMatchObject({
				error: expect.stringContaining('refused the API keys'),
				details: { outcome: 'refused' },
			});
		}
		expect(requests().length).toBeLessThanOrEqual(12);
	});

	it.each([
		['trigger', /Executions → this execution → Retry: .* A new execution may create them again\.$/],
		['manual', /'Execute step' and 'Execute workflow' may create them again\.$/],
		[
			'integrated',
			/sub-workflow's own execution, .* A retry of the calling workflow, .* may create them again\.$/,
		],
	] as const)('in mode %s the error names the safe retry', async (mode, advice) => {
		sandbox.faults.add({ match: nth(2), status: 422 });
		const { error } = await engine.runNode({
			node: node({ maxConcurrency: 1 }),
			items: orders(2),
			mode,
		});
		expect(error!.description).toMatch(advice);
		expect(error!.description).toContain(`${resource}s again`);
	});

	describe('as a tool', () => {
		const fromModel = "={{ $fromAI('name', '', 'string') }}";
		const tool = (settings: Partial<INode>): WorkflowDefinition => ({
			nodes: [
				{ name: 'Start', type: 'harness.start' },
				{
					name: 'AcountPay',
					type: 'acountPayTool',
					parameters: {
						...node().parameters,
						toolDescription: 'Creates one',
						[nameField]: fromModel,
					},
					...settings,
				},
				{ name: 'Agent', type: 'harness.agent' },
			],
			connections: [
				['Start', 'Agent'],
				['AcountPay', 'Agent'],
			],
		});
		// Of its own for each test: an equal payment that is open would be a doubt for the next.
		let name: string;
		let tests = 0;
		beforeEach(() => {
			name = `TOOL-${++tests}`;
		});

		const call = async (count: number, settings: Partial<INode> = retryOnFail(2)) =>
			await engine.runWorkflow(tool(settings), {
				items: upTo(count).map(() => ({ name })) as never,
			});

		it.each([
			['was made', { made: true }],
			['was not made', {}],
		])('one call that %s and is answered with 500 is sent once', async (_what, more) => {
			sandbox.faults.add({ match: { endpoint }, times: 'always', status: 500, ...more });
			const execution = await call(1);
			expect(requests()).toHaveLength(1);
			const [answer] = execution.json().map((item) => JSON.stringify(item));
			if (resource === 'payment' && 'made' in more) {
				expect(answer).toContain('lookedUp');
				expect(answer).not.toContain('error');
				return;
			}
			expect(answer).toMatch(/^{"said":.*may or may not exist: .*Do not create it again/);
		});

		it('two equal calls create two', async () => {
			await call(2);
			expect(names()).toEqual([name, name]);
		});
	});
});
