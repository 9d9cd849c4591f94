/**
 * What an error says of the other items, and which way to go on it names where it is read: in the editor, in a sub-workflow,
 * or in any other execution.
 */
import type { WorkflowExecuteMode } from 'n8n-workflow';
import { createNode, useEngine } from '../kit/engine';
import { createOf, oneOfEach, orders, countsByReference, upTo } from '../kit/payments';

const { sandbox, engine } = useEngine();

/** Four at once: made, unknown, made, and one that is refused first; two are not started. */
async function runIn(mode: WorkflowExecuteMode) {
	for (const index of [0, 2]) sandbox.faults.add({ match: createOf(index), latencyMs: 500 });
	sandbox.faults.add({ match: createOf(1), status: 500, latencyMs: 500 });
	sandbox.faults.add({ match: createOf(3), status: 422, latencyMs: 100 });
	return await engine.runNode({
		node: createNode({ maxConcurrency: 4 }),
		items: orders(6),
		mode,
	});
}

it.each<[WorkflowExecuteMode, RegExp, RegExp]>([
	[
		'trigger',
		/Executions → this execution → Retry: .* A new execution may create them again\.$/,
		/Execute step/,
	],
	[
		'manual',
		/Executions → this execution → Retry: .* 'Execute step' and 'Execute workflow' may create them again\.$/,
		/^$/,
	],
	[
		'integrated',
		/sub-workflow's own execution, Executions → \d+ → Retry: .* A retry of the calling workflow, also by 'Retry On Fail', may create them again\.$/,
		/this execution/,
	],
])('in mode %s', async (mode, names, never) => {
	const failed = await runIn(mode);
	const { description, message, context } = failed.error!;

	expect(message).toMatch(/^AcountPay refused the payment with reference 'ORDER-3'.*\[item 3\]$/);
	expect(description).toMatch(
		/This payment was not created\. May or may not exist \(1\): ORDER-1\./,
	);
	expect(description).toMatch(
		/Payments created \(2\): ORDER-0 = \w+, ORDER-2 = \w+\. Not started \(2\): ORDER-4, ORDER-5\./,
	);
	expect(description).toMatch(names);
	expect(description).not.toMatch(never);
	expect(description).not.toContain('No payment');
	expect(context).toMatchObject({
		outcome: 'refused',
		paymentsMade: [{ itemIndex: 0 }, { itemIndex: 2 }],
		outcomesUnknown: [{ itemIndex: 1, referenceNumber: 'ORDER-1' }],
		refused: [{ itemIndex: 3, referenceNumber: 'ORDER-3' }],
		notStarted: [
			{ itemIndex: 4, referenceNumber: 'ORDER-4' },
			{ itemIndex: 5, referenceNumber: 'ORDER-5' },
		],
	});

	// The way that the error names makes none of them again.
	await engine.retry(failed);
	expect(countsByReference(sandbox)).toEqual(oneOfEach([0, 2, 3, 4, 5]));
});

it('a wrong field: nothing was sent, and nothing is promised', async () => {
	const items = orders(4);
	items[2].amount = 0;
	const { error } = await engine.runNode({ node: createNode(), items });

	expect(error!.description).toMatch(/Not started \(3\): ORDER-0, ORDER-1, item 3\.$/);
	expect(error!.context).toMatchObject({
		refused: [{ itemIndex: 2 }],
		notStarted: [
			{ itemIndex: 0, referenceNumber: 'ORDER-0' },
			{ itemIndex: 1, referenceNumber: 'ORDER-1' },
			{ itemIndex: 3 },
		],
	});
	expect(sandbox.requests).toEqual([]);
});

it('the log of a stopped run names those that were not started', async () => {
	sandbox.settings.latencyMs = 200;
	const running = engine.startNode({ node: createNode({ maxConcurrency: 2 }), items: orders(5) });
	while (sandbox.requests.filter(({ endpoint }) => endpoint === 'create').length < 2) {
		await new Promise((resolve) => setImmediate(resolve));
	}
	running.cancel();
	await running.finished;
	expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(2)));
	const lines = engine.log.messages('warn');
	expect(lines).toContainEqual(
		expect.stringMatching(/was stopped\. Not started \(3\): ORDER-2, ORDER-3, ORDER-4$/),
	);
});
