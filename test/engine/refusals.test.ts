/**
 * What the node says when AcountPay refuses, breaks off, redirects or keeps silent: what happened, for which item, and what
 * to do; when it stops on errors, and when it continues.
 */
import type { IncomingMessage } from 'node:http';
import type { INode, OnError } from 'n8n-workflow';
import { startSandbox, type Fault } from '../../sandbox';
import type { Engine, Execution } from './harness';
import { engineFor, serve } from '../kit/engine';
import { create, get, orders, paymentRequests, useSandbox } from '../kit/payments';

// All the reads before the tests take 20 s.
jest.setTimeout(120_000);

const sandbox = useSandbox();

/** What a server was sent that a redirect names; it answers like one that has made and read a payment. */
const strayed: IncomingMessage[] = [];
let elsewhere: string;
beforeAll(async () => {
	elsewhere = await serve((request, response) => {
		strayed.push(request);
		response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"pay_stray"}');
	});
});

/** A trouble, and what must be said of it. */
interface Trouble {
	name: string;
	fault: () => Fault;
	/** Parts of the message. */
	says: string[];
	/** Part of the description: what to do. */
	advice: string;
	/** As n8n shows it; null when there was no answer. */
	httpCode: string | null;
}

const html =
	'<html><head><title>No</title><style>p {}</style></head><body><h1>Bad</h1>\n<p>luck</p></body></html>';

/** AcountPay says no: nothing was made. */
const refusals = (
	[
		[
			'400 with a message',
			{ body: { message: 'too low' } },
			['refused', ': too low'],
			'Check the fields',
		],
		[
			'400 with several',
			{ body: { message: ['a', 'b c'] } },
			['refused', ': a; b c'],
			'Check the fields',
		],
		['400 with an error', { body: { error: 'Wrong' } }, ['refused', ': Wrong'], 'Check the fields'],
		[
			'400 with an error that has a message',
			{ body: { error: { message: 'no' } } },
			[': no'],
			'Check the fields',
		],
		[
			'400 with errors',
			{ body: { errors: [{ message: 'one' }, 'two'] } },
			[': one; two'],
			'Check the fields',
		],
		[
			'400 with JSON that says nothing',
			{ body: { message: [], error: {} } },
			['status 400'],
			'Check the fields',
		],
		['400 with an HTML page', { body: html }, ['proxy', ': Bad luck'], 'proxy settings'],
		['400 with an empty body', { body: '' }, ['status 400'], 'Check the fields'],
		[
			'400 with JSON cut off',
			{ body: '{"message":"too l' },
			['{"message":"too l'],
			'Check the fields',
		],
		[
			'400 with a long body',
			{ body: 'x'.repeat(9_000) },
			[`${'x'.repeat(400)}`, '…'],
			'Check the fields',
		],
		['401', { times: 2 }, ['did not accept the access token', ': Unauthorized'], 'Client Secret'],
		[
			'403',
			{ body: { message: 'Not yours' } },
			['not allow', "'merchant_1'", ': Not yours'],
			'Check Merchant ID',
		],
		['404', {}, ['not find', "'merchant_1'", ': Not Found'], 'Check Merchant ID'],
		['409', { body: { message: 'Exists' } }, ['conflicts', ': Exists'], 'Look for this reference'],
		['418', {}, ['refused', 'Teapot'], 'Check the fields'],
		[
			'422',
			{ body: { message: ['bad currency'] } },
			['refused', ': bad currency'],
			'Check the fields',
		],
	] as Array<[string, Fault, string[], string]>
).map(([name, fault, says, advice]): Trouble => {
	const httpCode = name.slice(0, 3);
	return { name, fault: () => ({ status: Number(httpCode), ...fault }), says, advice, httpCode };
});

/** Nobody knows what AcountPay did: a create may have made a payment. */
const doubts = (
	[
		['500', () => ({ status: 500 }), 'returned a server error (status 500)', '500'],
		['502 with an HTML page', () => ({ status: 502, body: html }), 'status 502', '502'],
		['503 that was handled', () => ({ status: 503, made: true }), 'status 503', '503'],
		[
			'200 with an HTML page',
			() => ({ status: 200, body: html }),
			'could not be read (status 200)',
			'200',
		],
		['200 with a list', () => ({ status: 200, body: [] }), 'could not be read', '200'],
		['200 with an empty object', () => ({ status: 200, body: {} }), 'could not be read', '200'],
		['201 with an empty body', () => ({ status: 201, body: '' }), 'could not be read', '201'],
		[
			'201 with JSON cut off',
			() => ({ status: 201, body: '{"id":"pay_1","st' }),
			'could not be read',
			'201',
		],
		['204', () => ({ status: 204, body: '' }), 'could not be read', '204'],
		['a body cut off', () => ({ cutOff: true }), 'closed the connection', null],
		['a reset before it is handled', () => ({ reset: 'before' }), 'closed the connection', null],
		['a reset after it is handled', () => ({ reset: 'after' }), 'closed the connection', null],
		['silence', () => ({ hang: true }), 'did not respond within 0.15 seconds', null],
		...[301, 302, 303, 307, 308].map((status) => [
			`${status} to another server`,
			() => ({ status, redirectTo: `${elsewhere}/v1/partner/payments` }),
			`a redirect (status ${status}), which is not followed`,
			String(status),
		]),
	] as Array<[string, () => Fault, string, string | null]>
).map(
	([name, fault, words, httpCode]): Trouble => ({
		name,
		fault: () => ({ times: 'always', ...fault() }),
		says: [words],
		advice: '',
		httpCode,
	}),
);

/** The options of a node that gives up soon on the item of which the JavaScript in `when` is true. */
const optionsFor = (when: string) => ({
	timeout: `={{ ${when} ? 150 : 30000 }}`,
	maxConcurrency: 100,
});

describe('an order that meets', () => {
	/** Runs three orders; the second meets the trouble. */
	async function runWith(
		{ name: trouble, fault }: Trouble,
		node: Partial<INode> = {},
	): Promise<Execution> {
		const engine = await engineFor(sandbox, {}, { expressions: 'legacy' });
		sandbox.faults.add({ match: { endpoint: 'create', reference: 'ORDER-1' }, ...fault() });
		const options = optionsFor(`${trouble === 'silence'} && $json.reference === "ORDER-1"`);
		return await engine.runNode({
			node: { parameters: create({ options }), ...node },
			items: orders(3),
		});
	}

	const troubles = [
		...refusals.map((trouble) => ({
			...trouble,
			outcome: 'refused',
			consequence: 'This payment was not created.',
		})),
		...doubts.map((trouble) => ({
			...trouble,
			says: ['may or may not exist', ...trouble.says],
			outcome: 'unknown',
			consequence: 'before you create it again',
		})),
	];

	// What AcountPay does not find when something is to be created is its merchant.
	const messageOf = ({ says }: Trouble) => [
		"'ORDER-1'",
		...says.map((part) => (part === 'not find' ? "not know the merchant 'merchant_1'" : part)),
	];

	describe.each(troubles)('$name', (trouble) => {
		const { httpCode, outcome, advice, consequence } = trouble;
		const times = trouble.name === '401' ? 2 : 1;

		afterEach(() => {
			expect(strayed).toEqual([]);
			const asked = sandbox.requests.filter(
				({ body }) => (body as { referenceNumber?: string }).referenceNumber === 'ORDER-1',
			);
			expect(asked).toHaveLength(times);
		});

		it('ends a node that stops on errors', async () => {
			const execution = await runWith(trouble);
			const error = execution.error!;
			expect(execution.items()).toEqual([]);
			expect(error).toMatchObject({
				name: 'NodeApiError',
				httpCode,
				context: { itemIndex: 1, outcome },
			});
			for (const part of messageOf(trouble)) expect(error.message).toContain(part);
			expect(error.message).toMatch(/ \[item 1\]$/);
			expect(error.description).toContain(advice);
			expect(error.description).toContain(consequence);
			const named = { itemIndex: 1, referenceNumber: 'ORDER-1' };
			expect(error.context.outcomesUnknown).toEqual(outcome === 'unknown' ? [named] : []);
		});

		const errorItem = {
			error: expect.stringMatching(/ \[item 1\]$/),
			details: {
				outcome,
				...(httpCode !== null && { status: Number(httpCode) }),
				description: expect.stringContaining(advice),
			},
		};

		it.each<[OnError, number, object]>([
			['continueRegularOutput', 0, {}],
			['continueErrorOutput', 1, orders(2)[1]],
		])('is the result of its item with %s', async (onError, output, input) => {
			const execution = await runWith(trouble, { onError });
			const items = execution.items();
			const [failed] = output === 0 ? items.splice(1, 1) : execution.items(undefined, { output });

			expect(execution.status).toBe('success');
			expect(failed).toEqual({ json: { ...input, ...errorItem }, pairedItem: { item: 1 } });
			for (const part of messageOf(trouble)) expect(failed.json.error).toContain(part);
			expect(items.map(({ json, pairedItem }) => [json.referenceNumber, pairedItem])).toEqual([
				['ORDER-0', { item: 0 }],
				['ORDER-2', { item: 2 }],
			]);
		});
	});
});

/*
 * A read that gets no usable answer is asked again for some seconds, so all of them run side by side, before the tests.
 */
describe('a payment to read that meets', () => {
	const troubles = [
		...refusals.map((trouble) => ({ ...trouble, outcome: 'refused' })),
		...doubts.map((trouble) => ({
			...trouble,
			advice: 'can be run again',
			outcome: 'unavailable',
		})),
	];
	const idOf = (index: number) => `pay_${index}`;
	const items = [...troubles.keys()].map((index) => ({ id: idOf(index), merchant: 'merchant_1' }));
	const silent = idOf(troubles.findIndex(({ name }) => name === 'silence'));
	const node = { parameters: get({ options: optionsFor(`$json.id === "${silent}"`) }) };
	const engineOf = async (): Promise<Engine> =>
		await engineFor(sandbox, {}, { expressions: 'legacy' });

	let stopped: Execution[];
	let regular: Execution;
	let errorOutput: Execution;

	beforeAll(async () => {
		for (const [index, { fault }] of troubles.entries()) {
			const match = { endpoint: 'get' as const, path: `/v1/partner/payments/${idOf(index)}` };
			sandbox.faults.add({ match, ...fault(), times: 'always' });
		}
		sandbox.faults.add({
			match: { path: '/v1/partner/payments/pay_good' },
			status: 200,
			body: { id: 1, status: 'new' },
			times: 'always',
		});
		const good = { id: 'pay_good', merchant: 'merchant_0' };
		[regular, errorOutput, ...stopped] = await Promise.all([
			...(['continueRegularOutput', 'continueErrorOutput'] as const).map(
				async (onError) =>
					await (await engineOf()).runNode({ node: { ...node, onError }, items: [good, ...items] }),
			),
			...items.map(async (item) => await (await engineOf()).runNode({ node, items: [good, item] })),
		]);
	}, 30_000);

	it('nothing is sent to where a redirect points', () => {
		expect(strayed).toEqual([]);
	});

	describe.each(troubles.map((trouble, index) => ({ ...trouble, index })))('$name', (trouble) => {
		const { index, says, httpCode, outcome, advice } = trouble;
		const parts = [`payment '${idOf(index)}'`, ...says];

		it('ends a node that stops on errors', () => {
			const { error } = stopped[index];
			expect(error).toMatchObject({
				name: 'NodeApiError',
				httpCode,
				context: { itemIndex: 1, outcome },
			});
			for (const part of parts) expect(error!.message).toContain(part);
			expect(error!.message).toMatch(/ \[item 1\]$/);
			expect(error!.description).toContain(advice);
		});

		it.each<[OnError, number, object]>([
			['continueRegularOutput', 0, {}],
			['continueErrorOutput', 1, items[index]],
		])('is the result of its item with %s', (_onError, output, input) => {
			const execution = output === 0 ? regular : errorOutput;
			const item = index + 1;
			const failed = execution.items(undefined, { output })[output === 0 ? item : index];
			expect(failed).toEqual({
				json: {
					...input,
					error: expect.stringMatching(new RegExp(` \\[item ${item}\\]$`)),
					details: {
						outcome,
						...(httpCode !== null && { status: Number(httpCode) }),
						description: expect.stringContaining(advice),
					},
				},
				pairedItem: { item },
			});
			for (const part of parts) expect(failed.json.error).toContain(part);
			expect(execution.json()[0]).toEqual({ id: 1, status: 'new', isPaid: false });
		});
	});
});

describe('429', () => {
	it.each([
		['create', create(), {}],
		['get', get({ paymentId: 'pay_1' }), { isPaid: false }],
	] as const)(
		'to %s is waited out, and nothing is done twice',
		async (endpoint, parameters, more) => {
			const engine = await engineFor(sandbox);
			const headers = { 'retry-after': '0' };
			sandbox.faults.add({ match: { endpoint }, times: 2, status: 429, headers });
			const body = { id: 'pay_1', status: 'new' };
			sandbox.faults.add({ match: { endpoint }, status: 200, body });
			const execution = await engine.runNode({ node: { parameters }, items: orders(1) });

			expect(execution.json()).toEqual([{ ...body, ...more }]);
			expect(paymentRequests(sandbox).map(({ status }) => status)).toEqual([429, 429, 200]);
		},
	);
});

describe('a server that is not there', () => {
	const gone = async () => {
		const other = await startSandbox();
		const engine = await engineFor(other, {}, { expressions: 'legacy' });
		return {
			other,
			engine,
			run: async (node: Partial<INode>) => await engine.runNode({ node, items: orders(2) }),
		};
	};

	it('gives no token, and the node says so', async () => {
		const { other, run } = await gone();
		await other.close();
		const { error } = await run({ parameters: create() });

		expect(error).toMatchObject({
			name: 'NodeApiError',
			message: expect.stringMatching(/'AcountPay account'.* could not be reached \[item 0\]$/),
			description: expect.stringContaining(other.url),
			context: { outcome: 'unavailable', outcomesUnknown: [] },
		});
	});

	it('makes no payment, so that none is left open', async () => {
		const { other, run } = await gone();
		await run({ parameters: create() });
		await other.close();
		const stopped = await run({ parameters: create() });
		expect(stopped.error).toMatchObject({
			name: 'NodeApiError',
			message: "AcountPay could not be reached for the payment with reference 'ORDER-0' [item 0]",
			description: expect.stringContaining('Nothing was sent'),
			context: { outcome: 'unavailable', outcomesUnknown: [] },
		});

		const continued = await run({ parameters: create(), onError: 'continueRegularOutput' });
		expect(continued.json()).toEqual(
			[0, 1].map((item) => ({
				error: `AcountPay could not be reached for the payment with reference 'ORDER-${item}' [item ${item}]`,
				details: { outcome: 'unavailable', description: expect.stringContaining(other.url) },
			})),
		);
	});
});
