/**
 * The node inside Loop Over Items: each turn is a batch of its own, though n8n's node context is one for all turns.
 */
import { createNode, useEngine, handedOut, loopOver } from '../kit/engine';
import {
	askedFor,
	createOf,
	oneOfEach,
	orders,
	countsByReference,
	referenceOf,
	retryOnFail,
	upTo,
} from '../kit/payments';

const { sandbox, engine } = useEngine();

const options = (items = orders(6)) => ({ items, node: 'AcountPay' });

it.each([
	['', {}],
	[" with 'Retry On Fail'", retryOnFail()],
])('the same order in each turn is a payment in each turn%s', async (_what, settings) => {
	const items = upTo(3).map(() => orders(1)[0]);
	const definition = loopOver(1, createNode({}, settings));
	const execution = await engine.runWorkflow(definition, options(items));

	expect(execution.runs()).toHaveLength(3);
	expect(countsByReference(sandbox)).toEqual({ [referenceOf(0)]: 3 });
	const ids = upTo(3).map((run) => execution.json(undefined, { run })[0].id);
	expect(ids).toEqual(sandbox.payments.map(({ id }) => id));
	expect(execution.json('Done')).toHaveLength(3);
});

it('$runIndex 0, 1, 2: what each turn is given back is its own', async () => {
	const execution = await engine.runWorkflow(loopOver(2, createNode()), options());

	const perTurn = upTo(3).map((run) =>
		execution.json(undefined, { run }).map(({ referenceNumber }) => referenceNumber),
	);
	expect(perTurn).toEqual([
		['ORDER-0', 'ORDER-1'],
		['ORDER-2', 'ORDER-3'],
		['ORDER-4', 'ORDER-5'],
	]);
	expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(6)));
});

it('keeps nothing in the stored execution once all turns went well', async () => {
	const execution = await engine.runWorkflow(loopOver(2, createNode()), options());
	expect(execution.status).toBe('success');
	expect(execution.context()).toEqual({});
});

it("'Retry On Fail' in a turn sends nothing again, of that turn or an earlier one", async () => {
	sandbox.faults.add({ match: createOf(3), times: 2, status: 422 });
	const node = createNode({ maxConcurrency: 1 }, retryOnFail(3));
	const execution = await engine.runWorkflow(loopOver(2, node), options());

	expect(execution.status).toBe('success');
	expect(askedFor(sandbox)).toEqual([0, 1, 2, 3, 3, 3, 4, 5].map(referenceOf));
	expect(execution.context()).toEqual({});
});

it('a retry by hand goes on in the turn that failed', async () => {
	sandbox.faults.add({ match: createOf(3), status: 422 });
	const definition = loopOver(2, createNode({ maxConcurrency: 1 }));
	const failed = await engine.runWorkflow(definition, options());
	expect(failed.error).toMatchObject({ context: { itemIndex: 1 } });
	expect(failed.runs()).toHaveLength(2);
	expect(failed.error!.context.paymentsMade).toMatchObject([{ referenceNumber: referenceOf(2) }]);
	const { payments, ...others } = failed.context() as { payments: object };
	expect(Object.keys(payments)).toHaveLength(1);
	expect(others).toEqual({ id: expect.any(String) });
	expect(JSON.stringify(failed.context())).not.toContain(referenceOf(0));
	const retried = await engine.retry(failed);

	expect(retried.status).toBe('success');
	expect(askedFor(sandbox)).toEqual([0, 1, 2, 3, 3, 4, 5].map(referenceOf));
	expect(handedOut(retried)).toEqual([4, 5].map(referenceOf));
	expect(retried.json('Done').map(({ referenceNumber }) => referenceNumber)).toEqual(
		upTo(6).map(referenceOf),
	);
	expect(retried.context()).toEqual({ id: expect.any(String), retries: [expect.any(String)] });
});
