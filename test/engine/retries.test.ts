/**
 * 'Retry On Fail' and a retry of the execution by hand: what has its payment is not sent again.
 */
import fc from 'fast-check';
import type { INodeParameters } from 'n8n-workflow';
import { createNode, engineFor, useEngine, handedOut, loopOver, savedWith } from '../kit/engine';
import {
	askedFor,
	createOf,
	continueOnError,
	oneOfEach,
	orders,
	countsByReference,
	referenceOf,
	retryOnFail,
	upTo,
} from '../kit/payments';
import { Execution } from './harness';

const { sandbox, engine } = useEngine();

describe("'Retry On Fail'", () => {
	const count = 100;

	it('makes 100 payments of 100 items, wherever calls are refused in between', async () => {
		const failures = fc.array(
			fc.record({
				nth: fc.integer({ min: 1, max: count }),
				status: fc.constantFrom(400, 403, 404, 409, 422),
				latencyMs: fc.constantFrom(0, 5),
			}),
			{ minLength: 1, maxLength: 4 },
		);
		const property = fc.asyncProperty(failures, async (refusals) => {
			sandbox.reset();
			for (const { nth, ...answer } of refusals) {
				sandbox.faults.add({ match: { endpoint: 'create', nth }, ...answer });
			}
			const fast = await engineFor(sandbox, {}, { expressions: 'legacy' });
			const node = createNode({}, retryOnFail(5));
			const execution = await fast.runNode({ node, items: orders(count) });

			expect(execution.error).toBeUndefined();
			expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(count)));
			expect(handedOut(execution)).toEqual(upTo(count).map(referenceOf));
			const ids = execution.json().map(({ id }) => id);
			expect(new Set(ids)).toEqual(new Set(sandbox.payments.map(({ id }) => id)));
		});
		await fc.assert(property, { numRuns: 10 });
	}, 60_000);

	it('sends the refused one and those not yet sent, and nothing else', async () => {
		sandbox.faults.add({ match: createOf(2), times: 2, status: 422 });
		const node = createNode({ maxConcurrency: 1 }, retryOnFail(3));
		const execution = await engine.runNode({ node, items: orders(5) });

		expect(execution.status).toBe('success');
		expect(askedFor(sandbox)).toEqual([0, 1, 2, 2, 2, 3, 4].map(referenceOf));
	});

	it('hands out what was made when its last try fails too', async () => {
		sandbox.faults.add({ match: createOf(2), times: 'always', status: 422 });
		const { error } = await engine.runNode({
			node: createNode({}, retryOnFail(2)),
			items: orders(5),
		});

		expect(error!.context.paymentsMade).toHaveLength(4);
		expect(askedFor(sandbox).sort()).toEqual([0, 1, 2, 2, 3, 4].map(referenceOf));
	});

	it('makes no second payment where an expression gives something else in each try', async () => {
		sandbox.faults.add({ match: createOf(2), status: 422 });
		const node = createNode({ maxConcurrency: 1 }, retryOnFail());
		node.parameters!.additionalFields = {
			metadata: '={{ JSON.stringify({ askedAt: $now.toMillis() }) }}',
		};
		const execution = await engine.runNode({ node, items: orders(5) });

		expect(execution.status).toBe('success');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(5)));
	});

	it('takes two equal items for two payments, in each try', async () => {
		sandbox.faults.add({ match: createOf(1), status: 422 });
		const [order, another] = orders(2);
		const node = createNode({ maxConcurrency: 1 }, retryOnFail());
		const execution = await engine.runNode({ node, items: [order, order, another] });

		expect(execution.status).toBe('success');
		expect(countsByReference(sandbox)).toEqual({ [referenceOf(0)]: 2, [referenceOf(1)]: 1 });
		expect(new Set(execution.json().map(({ id }) => id)).size).toBe(3);
	});

	it('asks again for a token, when that was what failed', async () => {
		sandbox.faults.add({ match: { endpoint: 'token' }, status: 401 });
		const node = createNode({}, retryOnFail());
		const execution = await engine.runNode({ node, items: orders(5) });

		expect(execution.status).toBe('success');
		expect(sandbox.counts).toEqual({ 'token 401': 1, 'token 200': 1, 'create 201': 5 });
	});
});

describe("an answer with a top-level key 'error', and 'Retry On Fail'", () => {
	const kinds: unknown[] = ['', 'x', {}, [], 0, true, { message: 'x' }, false, null];

	/** AcountPay makes the payment of that order and answers so. */
	const answerWith = (index: number, error: unknown) =>
		sandbox.faults.add({
			match: createOf(index),
			times: 'always',
			status: 201,
			made: true,
			body: { id: `id-of-${index}`, referenceNumber: referenceOf(index), error },
		});

	it.each(kinds)('%j: one payment, and the answer is handed on', async (error) => {
		answerWith(0, error);
		const node = createNode({}, retryOnFail(3));
		const execution = await engine.runNode({ node, items: orders(3) });

		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(3)));
		expect(handedOut(execution)).toEqual(upTo(3).map(referenceOf));
		expect(execution.json()[0]).toEqual({
			id: 'id-of-0',
			referenceNumber: referenceOf(0),
			error,
		});
	});

	it.each(kinds)('%j in the first item, while another is refused: one payment each', async (e) => {
		answerWith(0, e);
		sandbox.faults.add({ match: createOf(1), times: 2, status: 422 });
		const node = createNode({ maxConcurrency: 1 }, retryOnFail(5));
		const execution = await engine.runNode({ node, items: orders(3) });

		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(3)));
		expect(handedOut(execution)).toEqual(upTo(3).map(referenceOf));
	});

	it.each(kinds)('%j in every item: one payment each', async (error) => {
		upTo(3).forEach((index) => answerWith(index, error));
		await engine.runNode({ node: createNode({}, retryOnFail(3)), items: orders(3) });

		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(3)));
	});

	it("with 'Max. Tries' of 0, which n8n takes for 3: one payment each", async () => {
		answerWith(0, true);
		await engine.runNode({ node: createNode({}, retryOnFail(0)), items: orders(3) });

		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(3)));
	});

	it('with a first item that fails in a node that goes on: one payment each', async () => {
		sandbox.faults.add({ match: createOf(0), times: 'always', status: 422 });
		const node = createNode({}, { ...retryOnFail(3), ...continueOnError });
		const execution = await engine.runNode({ node, items: orders(5) });

		expect(countsByReference(sandbox)).toEqual(oneOfEach([1, 2, 3, 4]));
		expect(handedOut(execution)).toEqual([undefined, ...[1, 2, 3, 4].map(referenceOf)]);
	});
});

describe('a retry by hand', () => {
	/** An execution that made the payments of 0 to 3 and was refused that of 4; 5 to 9 were not sent. */
	async function failedExecution(options: INodeParameters = {}) {
		sandbox.faults.add({ match: createOf(4), status: 422 });
		const node = createNode({ maxConcurrency: 1, ...options });
		const execution = await engine.runNode({ node, items: orders(10) });
		expect(execution.status).toBe('error');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(4)));
		return execution;
	}

	it.each([
		['with the original workflow', undefined],
		['with the workflow as it is saved', savedWith(createNode({ maxConcurrency: 1 }))],
	])('%s: one payment each, and all are handed out', async (_what, definition) => {
		const failed = await failedExecution();
		const made = sandbox.payments.map(({ id }) => id);
		const retried = await engine.retry(failed, definition);

		expect(retried.status).toBe('success');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
		expect(askedFor(sandbox)).toEqual([0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9].map(referenceOf));
		expect(handedOut(retried)).toEqual(upTo(10).map(referenceOf));
		expect(
			retried
				.json()
				.slice(0, 4)
				.map(({ id }) => id),
		).toEqual(made);
	});

	it('of a retry that failed as well', async () => {
		const failed = await failedExecution();
		sandbox.faults.add({ match: createOf(7), status: 400 });
		const again = await engine.retry(failed);
		expect(again.error!.context.paymentsMade).toHaveLength(7);
		const last = await engine.retry(again);

		expect(handedOut(last)).toEqual(upTo(10).map(referenceOf));
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	it('of an execution that went through JSON', async () => {
		const { stored, node } = await failedExecution();
		const copied = new Execution(JSON.parse(JSON.stringify(stored)) as typeof stored, node);
		await engine.retry(copied);

		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	it('in another n8n that has the same database: nothing is kept in memory', async () => {
		const failed = await failedExecution();
		const other = await engineFor(sandbox);
		other.add(engine.credential);
		await other.retry(failed);

		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	it('with another amount for one item: that item fails and names its payment, all others are sent', async () => {
		const failed = await failedExecution();
		const node = createNode({ maxConcurrency: 1 });
		node.parameters!.amount = '={{ $json.reference === "ORDER-1" ? 77 : $json.amount }}';
		const retried = await engine.retry(failed, savedWith(node));

		expect(retried.error).toMatchObject({
			message:
				"Payment 'ORDER-1' exists already: an earlier attempt of this execution created it for 21 DKK [item 1]",
			context: { itemIndex: 1, outcome: 'refused' },
		});
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
		await engine.retry(retried, savedWith(createNode({ maxConcurrency: 1 })));
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	it.each(['description', 'metadata'])('with another %s: one payment each', async (name) => {
		const failed = await failedExecution();
		const node = createNode({ maxConcurrency: 1 });
		node.parameters!.additionalFields = { [name]: '{ "note": 1 }' };
		const retried = await engine.retry(failed, savedWith(node));
		expect(retried.status).toBe('success');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	it('with a reference that is another one in each execution, and another description: one payment each', async () => {
		const node = (additionalFields = {}) => {
			const one = createNode({ maxConcurrency: 1 });
			one.parameters!.referenceNumber = '={{ $json.reference }}-{{ $execution.id }}';
			return { ...one, parameters: { ...one.parameters, additionalFields } };
		};
		sandbox.faults.add({ match: { endpoint: 'create', nth: 8 }, status: 422 });
		const failed = await engine.runNode({ node: node(), items: orders(10) });
		expect(sandbox.payments).toHaveLength(7);
		const retried = await engine.retry(failed, savedWith(node({ description: 'new' })));
		expect(retried.status).toBe('success');
		expect(sandbox.payments).toHaveLength(10);
	});

	it('with another amount by an expression alone: that item fails, and none gets a second payment', async () => {
		const node = createNode({ maxConcurrency: 1 });
		node.parameters!.amount = '={{ Number($execution.id) }}';
		sandbox.faults.add({ match: createOf(7), status: 422 });
		const failed = await engine.runNode({ node, items: orders(10) });
		const retried = await engine.retry(failed);
		expect(retried.error?.message).toMatch(/^Payment 'ORDER-0' exists already: .* for \d+ DKK/);
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	/** Of each item that is not sent: another retry may have created it. */
	const KEPT = /^Payment 'ORDER-\d' was not sent: execution (\d+), another retry of the same/;

	it('again, after the first retry has failed: nothing is created twice, and the first goes on', async () => {
		const failed = await failedExecution();
		sandbox.faults.add({ match: createOf(7), status: 400 });
		const first = await engine.retry(failed);
		for (const again of [await engine.retry(failed), await engine.retry(failed)]) {
			expect(again.error!.message).toMatch(KEPT);
			expect(again.error!.context.paymentsMade).toHaveLength(4);
			expect(again.error!.description).toContain('If it has failed, retry that one instead.');
		}
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(7)));
		const last = await engine.retry(first);
		expect(handedOut(last)).toEqual(upTo(10).map(referenceOf));
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	it('again, after the first retry has ended well: nothing is created twice', async () => {
		const failed = await failedExecution();
		await engine.retry(failed);
		expect((await engine.retry(failed)).error!.message).toMatch(KEPT);
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	it('again, with other items in another order: nothing is created twice', async () => {
		const failed = await failedExecution();
		sandbox.faults.add({ match: createOf(7), status: 400 });
		await engine.retry(failed);
		const node = createNode({ maxConcurrency: 1 });
		node.parameters!.referenceNumber =
			'={{ "ORDER-" + (9 - Number($json.reference.split("-")[1])) }}';
		expect((await engine.retry(failed, savedWith(node))).status).toBe('error');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(7)));
	});

	it('again, after the first retry was refused: the second one creates them', async () => {
		const failed = await failedExecution();
		sandbox.faults.add({ match: createOf(4), status: 422 });
		await engine.retry(failed);
		expect((await engine.retry(failed)).status).toBe('success');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	it('twice at once, as by a double click: only one of them creates', async () => {
		const failed = await failedExecution();
		sandbox.faults.add({ match: { endpoint: 'create' }, times: 'always', latencyMs: 50 });
		const retries = [failed, failed, failed].map(async (one) => await engine.retry(one));
		const [one, ...others] = (await Promise.all(retries)).sort((a) =>
			a.status === 'success' ? -1 : 1,
		);
		expect(handedOut(one)).toEqual(upTo(10).map(referenceOf));
		for (const { error } of others) expect(error!.message).toMatch(KEPT);
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	it('of a retry that failed elsewhere, after turns of a loop that went well: it goes on', async () => {
		const failingOn = (reference: string) => {
			const loop = loopOver(1, createNode({ maxConcurrency: 1 }));
			const failOn = { name: 'Fail', type: 'harness.failOn', parameters: { reference } };
			return {
				nodes: [...loop.nodes, failOn],
				connections: [
					...loop.connections.slice(0, -1),
					['AcountPay', 'Fail'],
					['Fail', 'Loop'],
				] as typeof loop.connections,
			};
		};
		const options = { items: orders(4), node: 'AcountPay' };
		let execution = await engine.runWorkflow(failingOn(referenceOf(0)), options);
		for (const reference of [referenceOf(1), referenceOf(2), 'none']) {
			const first = execution;
			execution = await engine.retry(first, failingOn(reference));
			await engine.retry(first, failingOn(reference));
		}
		expect(execution.error?.message).toBeUndefined();
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(4)));
	});

	it('again, when nothing had been created before the first retry: nothing is created twice', async () => {
		sandbox.faults.add({ match: createOf(0), status: 422 });
		const failed = await engine.runNode({
			node: createNode({ maxConcurrency: 1 }),
			items: orders(10),
		});
		expect(countsByReference(sandbox)).toEqual({});
		await engine.retry(failed);
		expect((await engine.retry(failed)).error!.message).toMatch(KEPT);
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	it('with other options alone: one payment each', async () => {
		const failed = await failedExecution();
		const node = createNode({ maxConcurrency: 3, timeout: 5_000 });
		await engine.retry(failed, savedWith(node));

		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
	});

	it('with another merchant for all: new payments', async () => {
		const failed = await failedExecution();
		const node = createNode();
		node.parameters!.merchantId = 'merchant_new';
		await engine.retry(failed, savedWith(node));

		const merchants = sandbox.payments.map(({ merchant }) => merchant);
		expect(merchants.filter((merchant) => merchant === 'merchant_new')).toHaveLength(10);
	});

	it('keeps no payment in the execution that went well in the end, only whose retry it was', async () => {
		const failed = await failedExecution();
		expect(JSON.stringify(failed.context())).toContain(referenceOf(0));
		const retried = await engine.retry(failed);
		const context = retried.context();
		expect(context).toEqual({ id: expect.any(String), retries: [expect.any(String)] });
	});

	it('is not a new run: that makes new payments', async () => {
		const run = { node: createNode(), items: orders(3) };
		await engine.runNode(run);
		await engine.runNode(run);
		expect(countsByReference(sandbox)).toEqual({ 'ORDER-0': 2, 'ORDER-1': 2, 'ORDER-2': 2 });
	});
});
