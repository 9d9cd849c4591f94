/**
 * A batch whose items do not all go well, and how many of them are in flight at once.
 */
import type { IDataObject } from 'n8n-workflow';
import { createNode, useEngine, getNode, handedOut } from '../kit/engine';
import {
	askedFor,
	createOf,
	continueOnError,
	oneOfEach,
	orders,
	countsByReference,
	referenceOf,
	upTo,
} from '../kit/payments';

const { sandbox, engine } = useEngine();

/** The ids of the payments in the sandbox, by reference. */
const ids = () =>
	Object.fromEntries(sandbox.payments.map(({ referenceNumber, id }) => [referenceNumber, id]));

describe('an invalid item', () => {
	const invalid: Array<[string, IDataObject]> = [
		['no amount', { amount: 0 }],
		['three decimals', { amount: 1.005 }],
		['an amount that is no number', { amount: '1,50' }],
		['no reference', { reference: '' }],
		['no merchant', { merchant: undefined }],
		['a merchant on two lines', { merchant: 'merchant_1\r\nX-Mock-Payment: true' }],
	];
	const withInvalid = (wrong: IDataObject) => {
		const items: IDataObject[] = orders(15);
		items[12] = { ...items[12], ...wrong };
		return items;
	};

	it.each(invalid)('with %s: nothing is sent at all when the node stops', async (_what, wrong) => {
		const execution = await engine.runNode({ node: createNode(), items: withInvalid(wrong) });

		expect(execution.status).toBe('error');
		expect(execution.error).toMatchObject({
			name: 'NodeOperationError',
			context: { itemIndex: 12, outcome: 'invalid', paymentsMade: [], outcomesUnknown: [] },
		});
		expect(sandbox.requests).toEqual([]);
	});

	it.each(invalid)('with %s: the others are sent when the node goes on', async (_what, wrong) => {
		const items = withInvalid(wrong);
		const execution = await engine.runNode({ node: createNode({}, continueOnError), items });

		expect(execution.status).toBe('success');
		expect(execution.json()[12]).toMatchObject({ details: { outcome: 'invalid' } });
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(15).filter((index) => index !== 12)));
	});

	it('by an expression that fails: nothing is sent', async () => {
		const node = createNode();
		node.parameters!.referenceNumber = '={{ $json.number === 3 ? $json.no.such.thing : "A" }}';
		const items = orders(5).map((order, number) => ({ ...order, number }));
		const execution = await engine.runNode({ node, items });

		expect(execution.status).toBe('error');
		expect(execution.error).toMatchObject({ context: { itemIndex: 3 } });
		expect(sandbox.requests).toEqual([]);
	});
});

describe('a refused item, when the node stops on errors', () => {
	it('no further item starts, those in flight finish, and the error names all', async () => {
		const slow = [0, 1, 3, 4];
		for (const index of slow) sandbox.faults.add({ match: createOf(index), latencyMs: 300 });
		sandbox.faults.add({
			match: createOf(2),
			status: 422,
			body: { message: ['amount is too strange', 'merchant is asleep'] },
		});
		const node = createNode({ maxConcurrency: 5 });
		const execution = await engine.runNode({ node, items: orders(20) });

		expect(countsByReference(sandbox)).toEqual(oneOfEach(slow));
		expect(askedFor(sandbox).sort()).toEqual(upTo(5).map(referenceOf));
		expect(execution.status).toBe('error');
		expect(execution.items()).toEqual([]);
		const error = execution.error!;
		expect(error.name).toBe('NodeApiError');
		expect(error.message).toContain(referenceOf(2));
		expect(error.message).toContain('amount is too strange; merchant is asleep');
		expect(error.message).not.toContain(referenceOf(0));
		expect(error.context).toMatchObject({
			itemIndex: 2,
			outcome: 'refused',
			outcomesUnknown: [],
			paymentsMade: slow.map((itemIndex) => ({
				itemIndex,
				referenceNumber: referenceOf(itemIndex),
				paymentId: ids()[referenceOf(itemIndex)],
			})),
		});
		for (const index of slow) {
			expect(error.description).toContain(`${referenceOf(index)} = ${ids()[referenceOf(index)]}`);
		}
	});

	it('names the first 50 payments in the description and all of them in the context', async () => {
		sandbox.faults.add({ match: createOf(60), status: 400 });
		const node = createNode({ maxConcurrency: 1 });
		const { error } = await engine.runNode({ node, items: orders(70) });

		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(60)));
		const named = (error!.description as string).match(/ORDER-\d+ = \w+/g);
		expect(named).toEqual(upTo(50).map((i) => `${referenceOf(i)} = ${ids()[referenceOf(i)]}`));
		expect(error!.description).toContain('Payments created (60)');
		expect(error!.description).toContain('and 10 more');
		expect(error!.context.paymentsMade).toEqual(
			upTo(60).map((itemIndex) => ({
				itemIndex,
				referenceNumber: referenceOf(itemIndex),
				paymentId: ids()[referenceOf(itemIndex)],
			})),
		);
		expect(error!.message.length).toBeLessThan(150);
	});

	it('names the item that failed first, when others in flight fail too', async () => {
		sandbox.faults.add({ match: createOf(0), status: 400, latencyMs: 200 });
		sandbox.faults.add({ match: createOf(3), status: 404 });
		const { error } = await engine.runNode({ node: createNode(), items: orders(5) });

		expect(error).toMatchObject({ httpCode: '404', context: { itemIndex: 3 } });
		expect(countsByReference(sandbox)).toEqual(oneOfEach([1, 2, 4]));
		expect(error!.context.paymentsMade).toHaveLength(3);
	});
});

describe('a refused item, when the node goes on', () => {
	const refused = [0, 7, 24];
	const refuse = () =>
		refused.forEach((index) => sandbox.faults.add({ match: createOf(index), status: 422 }));
	const expectPayments = () =>
		expect(countsByReference(sandbox)).toEqual(
			oneOfEach(upTo(25).filter((index) => !refused.includes(index))),
		);

	it.each([
		["'Continue' of today", continueOnError],
		["'Continue On Fail' of old workflows", { continueOnFail: true }],
	])('%s: the others have their payment, in order and paired', async (_what, settings) => {
		refuse();
		const execution = await engine.runNode({ node: createNode({}, settings), items: orders(25) });

		expectPayments();
		expect(execution.status).toBe('success');
		expect(execution.items().map(({ pairedItem }) => pairedItem)).toEqual(
			upTo(25).map((item) => ({ item })),
		);
		execution.json().forEach((json, index) => {
			if (refused.includes(index)) {
				expect(json.error).toContain(referenceOf(index));
				expect(json.details).toMatchObject({ outcome: 'refused', status: 422 });
			} else {
				const referenceNumber = referenceOf(index);
				expect(json).toMatchObject({ referenceNumber, id: ids()[referenceNumber] });
			}
		});
	});

	it("'Continue (using error output)': each on its output, paired", async () => {
		refuse();
		const settings = { onError: 'continueErrorOutput' } as const;
		const execution = await engine.runNode({ node: createNode({}, settings), items: orders(25) });

		expectPayments();
		const itemOf = (output: number) =>
			execution.items(undefined, { output }).map(({ pairedItem }) => pairedItem);
		const expected = (indexes: number[]) => indexes.map((item) => ({ item }));
		expect(itemOf(0)).toEqual(expected(upTo(25).filter((index) => !refused.includes(index))));
		expect(itemOf(1)).toEqual(expected(refused));
	});
});

describe('concurrency', () => {
	it.each([
		[1, { maxConcurrency: 1 }],
		[3, { maxConcurrency: 3 }],
		[10, { maxConcurrency: 10 }],
	])('never more than %i in flight', async (most, options) => {
		sandbox.settings.latencyMs = 150;
		const count = 2 * most + 1;
		const { error } = await engine.runNode({ node: createNode(options), items: orders(count) });

		expect(error).toBeUndefined();
		expect(sandbox.counts).toMatchObject({ 'create 201': count });
		expect(sandbox.maxInFlight).toBe(most);
	});

	it('goes up from 10 while AcountPay answers, and never above its ceiling', async () => {
		sandbox.settings.latencyMs = 300;
		await engine.runNode({ node: createNode({ maxConcurrency: 25 }), items: orders(120) });

		expect(sandbox.counts).toMatchObject({ 'create 201': 120 });
		expect(sandbox.maxInFlight).toBeGreaterThan(10);
		expect(sandbox.maxInFlight).toBeLessThanOrEqual(25);
	});

	it('holds for reading too', async () => {
		const made = await engine.runNode({
			node: createNode({ maxConcurrency: 1 }),
			items: orders(12),
		});
		const items = orders(12).map(({ merchant }, item) => ({ merchant, id: made.json()[item].id }));
		sandbox.settings.latencyMs = 100;
		await engine.runNode({ node: getNode({ maxConcurrency: 4 }), items });

		expect(sandbox.counts).toMatchObject({ 'get 200': 12 });
		expect(sandbox.maxInFlight).toBe(4);
	});

	it.each([0, -1, 1.5, 'ten'])('%j is refused before anything is sent', async (maxConcurrency) => {
		const node = createNode({ maxConcurrency });
		const { error } = await engine.runNode({ node, items: orders(3) });

		expect(error?.message).toContain('Max Concurrency must be a whole number');
		expect(sandbox.requests).toEqual([]);
	});

	it('keeps the order of the input, whatever answers first', async () => {
		const count = 30;
		for (const index of upTo(count)) {
			sandbox.faults.add({ match: createOf(index), latencyMs: 10 * ((index * 7) % count) });
		}
		const execution = await engine.runNode({ node: createNode(), items: orders(count) });

		expect(handedOut(execution)).toEqual(upTo(count).map(referenceOf));
		expect(sandbox.payments.map(({ id }) => id).sort()).toEqual(
			execution
				.json()
				.map(({ id }) => id)
				.sort(),
		);
	});
});
