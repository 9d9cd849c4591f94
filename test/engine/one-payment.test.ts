/** Whatever comes of a request, and whatever a person does then: one order gets one payment. */
import type { INodeParameters } from 'n8n-workflow';
import { loopOver, savedWith } from '../kit/engine';
import { createPayments } from '../kit/keys';
import { useLookUp } from '../kit/lookUp';
import { continueOnError, until, upTo } from '../kit/payments';
import type { WorkflowDefinition } from './harness';

jest.setTimeout(180_000);

const { at, sandbox, payElsewhere, trouble, asked, made, idsIn, items, run } = useLookUp(10);

/** What the node creates of items that lead back from its error output have to be read from where they came from. */
const fromStart: INodeParameters = {
	amount: "={{ $('Start').first().json.amount }}",
	referenceNumber: "={{ $('Start').first().json.reference }}",
};

/** A workflow that leads the error output back into the node, so often. */
const loopBack = (node: ReturnType<typeof createPayments>): WorkflowDefinition => ({
	nodes: [
		{ name: 'Start', type: 'harness.start' },
		{ name: 'AcountPay', type: 'acountPay', ...node, onError: 'continueErrorOutput' },
		{ name: 'Loop', type: 'harness.loop', parameters: { batchSize: 1 } },
		{ name: 'Done', type: 'harness.pass' },
	],
	connections: [
		['Start', 'AcountPay'],
		['AcountPay', 1, 'Loop'],
		['Loop', 1, 'AcountPay'],
		['Loop', 0, 'Done'],
	],
});

describe('an unknown outcome that is led back into the node', () => {
	it.each([
		['stays unknown', {}],
		["stays unknown with 'Retry On Fail'", { retryOnFail: true, maxTries: 2, waitBetweenTries: 1 }],
	])('%s, and is not sent again', async (_what, settings) => {
		trouble({ status: 504, times: 'always' });
		const execution = await at.engine.runWorkflow(loopBack(createPayments(fromStart, settings)), {
			items: items(),
			node: 'AcountPay',
		});
		expect(execution.runs()).toHaveLength(2);
		expect(execution.json('Done')).toMatchObject([{ details: { outcome: 'unknown' } }]);
		expect(asked()).toBe(1);
	});

	it("is not sent again with 'Resend Unknown' either", async () => {
		trouble({ status: 504, times: 'always' });
		const parameters = { ...fromStart, options: { resendUnknown: true } };
		await at.engine.runWorkflow(loopBack(createPayments(parameters)), {
			items: items(),
			node: 'AcountPay',
		});
		expect(asked()).toBe(1);
	});
});

it("in a loop, one customer's unknown payment is not handed to the next", async () => {
	trouble({ status: 500, made: true, listLag: { looks: 6 } });
	const node = createPayments(
		{ additionalFields: { description: '={{ $json.name }}' } },
		continueOnError,
	);
	const people = ['Anna', 'Bo'].map((name) => ({ ...items()[0], name }));
	const execution = await at.engine.runWorkflow(loopOver(1, node), {
		items: people,
		node: 'AcountPay',
	});
	expect(execution.json('Done')).toMatchObject(
		people.map(() => ({ details: { outcome: 'unknown' } })),
	);
	expect(made()).toHaveLength(1);
});

it('an execution is not handed what an equal one of the same moment has created', async () => {
	trouble({ status: 500 });
	const anna = await run();
	trouble({ status: 500, made: true });
	await run();
	expect(made()).toHaveLength(1);
	const retried = await at.engine.retry(anna);
	expect(retried.error?.context).toMatchObject({ outcome: 'unknown' });
});

it('two equal items with other descriptions are never swapped', async () => {
	trouble({ status: 500, made: true, times: 2 });
	const node = createPayments(
		{ additionalFields: { description: '={{ $json.name }}' } },
		{ onError: 'continueRegularOutput' },
	);
	const people = ['Anna', 'Bo'].map((name) => ({ ...items()[0], name }));
	const execution = await at.engine.runNode({ node, items: people });
	expect(made()).toHaveLength(2);
	expect(execution.json()).toMatchObject(people.map(() => ({ details: { outcome: 'unknown' } })));
});

it("an order is not given another program's payment with another description", async () => {
	trouble({ status: 500, latencyMs: 300 });
	const node = createPayments({ additionalFields: { description: 'Anna' } }, continueOnError);
	const running = at.engine.runNode({ node, items: items() });
	await until(() => asked() > 0);
	await payElsewhere({ description: 'Bo' });
	expect((await running).json()).toMatchObject([{ details: { outcome: 'unknown' } }]);
});

describe('a payment that was created, answered with 500, and', () => {
	it.each([-4_000, -1_500, -400, -200, 200, 1_500, 4_000, -7_200_000, 7_200_000])(
		'is listed %i ms beside the clock is handed out or a doubt',
		async (ms) => {
			sandbox.settings.listShiftMs = ms;
			trouble({ status: 500, made: true });
			const [output] = (await run(1, {}, continueOnError)).json();
			const isFound = output.paymentId === made()[0].id;
			const isUnknown = (output.details as { outcome?: string } | undefined)?.outcome === 'unknown';
			expect([isFound, isUnknown]).toContain(true);
			expect(asked()).toBe(1);
		},
	);

	it.each(['capitals', 'small', 'signless', 'cut'] as const)(
		"is listed with its reference rewritten (%s) is not sent again, whatever 'Resend Unknown' says",
		async (listReference) => {
			at.reference = `${at.reference}-Order`;
			sandbox.settings.listReference = listReference;
			trouble({ status: 500, made: true });
			const options = { resendUnknown: true, timeout: 250 };
			const failed = await run(1, options);
			expect(failed.status).toBe('error');
			await at.engine.retry(failed);
			expect(sandbox.payments.filter(({ amount }) => amount === 10.5)).toHaveLength(1);
		},
	);
});

it.each([
	['amount', { amount: 1 }, 'has the amount 1 instead of 10.5'],
	['currency', { currency: 'SEK' }, 'has the currency SEK instead of DKK'],
])('a response with another %s is not taken for the payment', async (_what, shown, words) => {
	trouble({ status: 201, body: { paymentId: 987_654, paymentUrl: 'https://x.test', ...shown } });
	const execution = await run();
	expect(execution.error?.message).toContain(`responded about a payment that ${words}`);
	expect(execution.error?.context).toMatchObject({ outcome: 'unknown' });
	expect(asked()).toBe(1);
});

it('a payment without its link holds up no other item, in no retry', async () => {
	trouble({ status: 500, made: true });
	const node = createPayments({ options: { qrCode: true, maxConcurrency: 5 } });
	const orders = upTo(20).map((item) => ({ amount: 10.5, reference: `${at.reference}-${item}` }));
	const failed = await at.engine.runNode({ node, items: orders });
	expect(failed.error?.context).toMatchObject({ outcome: 'made' });
	expect(failed.error?.context.paymentsMade).toHaveLength(20);
	const retried = await at.engine.retry(failed);
	expect(retried.error?.context.paymentsMade).toHaveLength(20);
	expect(sandbox.payments.filter(({ amount }) => amount === 10.5)).toHaveLength(20);
});

it('an open outcome is not sent again when a person adds a field and retries', async () => {
	trouble({ status: 500 });
	const failed = await run();
	const node = createPayments({ additionalFields: { description: 'new' } });
	const retried = await at.engine.retry(failed, savedWith(node));
	expect(retried.error?.context).toMatchObject({ outcome: 'unknown' });
	expect(asked()).toBe(1);
});

it('is not sent again once another execution has paid the order', async () => {
	trouble({ status: 500 });
	const failed = await run(1, { timeout: 250 });
	const anew = await run();
	expect(idsIn(anew)).toEqual([made()[0].id]);
	const node = createPayments({ options: { resendUnknown: true, timeout: 250 } });
	const retried = await at.engine.retry(failed, savedWith(node));
	expect(retried.error?.context).toMatchObject({ outcome: 'unknown' });
	expect(made()).toHaveLength(1);
});

it('item A gets its payment: an equal item B that was never accepted stays unknown', async () => {
	trouble({ match: { endpoint: 'create', nth: 2 }, status: 500 });
	const execution = await run(2, { maxConcurrency: 1 }, continueOnError);
	expect(idsIn(execution)).toEqual([made()[0].id, undefined]);
	expect(execution.json()[1]).toMatchObject({ details: { outcome: 'unknown' } });
});
