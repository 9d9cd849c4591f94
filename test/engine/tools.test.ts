/**
 * Create as a tool of a language model: one payment for one call, however often n8n tries it, and one for each of two
 * equal calls. n8n gives every try a run index of its own, and two calls at once may get the same.
 */
import type { INode } from 'n8n-workflow';
import { useEngine } from '../kit/engine';
import { askedFor, create, createOf, countsByReference, retryOnFail } from '../kit/payments';
import type { Execution, WorkflowDefinition } from './harness';

const { sandbox, engine } = useEngine();

const fromModel = (name: string, type: string) => `={{ $fromAI('${name}', '', '${type}') }}`;

const withTool = (settings: Partial<INode> = {}): WorkflowDefinition => ({
	nodes: [
		{ name: 'Start', type: 'harness.start' },
		{
			name: 'AcountPay',
			type: 'acountPayTool',
			parameters: create({
				toolDescription: 'Asks for a payment',
				merchantId: 'merchant_1',
				amount: fromModel('amount', 'number'),
				referenceNumber: fromModel('reference', 'string'),
			}),
			...settings,
		},
		{ name: 'Agent', type: 'harness.agent' },
	],
	connections: [
		['Start', 'Agent'],
		['AcountPay', 'Agent'],
	],
});

const order = { amount: 100, reference: 'ORDER-0' };

/** Lets the model call the tool with each of these arguments, all at once. */
const call = async (calls: object[], settings?: Partial<INode>): Promise<Execution> =>
	await engine.runWorkflow(withTool(settings), { items: calls as never });

/** What the model is told. */
const said = (execution: Execution) => execution.json().map((item) => JSON.stringify(item));

it('a call makes one payment', async () => {
	expect(said(await call([order]))).toEqual([expect.stringContaining('pay_')]);
	expect(countsByReference(sandbox)).toEqual({ 'ORDER-0': 1 });
});

it.each([
	['was made', { made: true }],
	['was not made', {}],
])(
	'that %s and is answered with 500 is sent once, however often n8n tries',
	async (_what, more) => {
		sandbox.faults.add({ match: createOf(0), times: 'always', status: 500, ...more });
		const [answer] = said(await call([order], retryOnFail(3)));

		expect(askedFor(sandbox)).toEqual(['ORDER-0']);
		expect(answer).toMatch(
			/^{"said":.*Payment 'ORDER-0' may or may not exist: .*Do not create it again/,
		);
		expect(answer).not.toContain('Retry');
	},
);

it.each([
	['is refused', { status: 400, body: { message: 'no such merchant' } }, 'no such merchant'],
	['gets no response', { reset: 'before' as const }, 'may or may not exist'],
])('a call that %s tells its model so', async (_what, fault, text) => {
	sandbox.faults.add({ match: createOf(0), times: 'always', ...fault });
	const [answer] = said(await call([order]));
	expect(answer).toMatch(/^{"said":/);
	expect(answer).toContain(text);
});

it('a call with a wrong value tells its model so', async () => {
	const [answer] = said(await call([{ ...order, amount: -1 }]));
	expect(answer).toMatch(/^{"said":.*Amount/);
	expect(askedFor(sandbox)).toEqual([]);
});

it('two equal calls at once make two payments, one of them at its second try', async () => {
	sandbox.faults.add({
		match: { endpoint: 'token' },
		status: 400,
		body: { error: 'invalid_grant' },
	});
	const execution = await call([order, order], retryOnFail(3));

	expect(countsByReference(sandbox)).toEqual({ 'ORDER-0': 2 });
	expect(new Set(said(execution)).size).toBe(2);
});

it('two equal calls at once that get no answer are sent once each', async () => {
	sandbox.faults.add({ match: createOf(0), times: 'always', status: 500, made: true });
	await call([order, order], retryOnFail(3));
	expect(countsByReference(sandbox)).toEqual({ 'ORDER-0': 2 });
});

it('different calls at once, which n8n mixes up, send nothing that their model did not ask for', async () => {
	const calls = ['ORDER-0', 'ORDER-1', 'ORDER-2'].map((reference) => ({ amount: 100, reference }));
	const execution = await call(calls);

	const created = new Set(sandbox.payments.map(({ referenceNumber }) => referenceNumber));
	expect(sandbox.payments).toHaveLength(created.size);
	said(execution).forEach((text, index) => {
		const { reference } = calls[index];
		const payment = sandbox.payments.find(({ referenceNumber }) => referenceNumber === reference);
		expect(text).toContain(payment?.id ?? 'Nothing was sent: n8n mixed up the arguments');
	});
	expect(created.size).toBeLessThan(calls.length);
});

it('an optional field that the model leaves empty is left out', async () => {
	const definition = withTool();
	definition.nodes[1].parameters!.additionalFields = {
		currency: fromModel('currency', 'string'),
		webhookUrl: fromModel('url', 'string'),
	};
	await engine.runWorkflow(definition, { items: [{ ...order, currency: '', url: '' }] });
	expect(sandbox.payments).toMatchObject([{ currency: 'DKK', webhookUrl: undefined }]);
});
