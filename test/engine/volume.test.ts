/**
 * 10,000 payments in one run: all of them, and no more memory than their answers take.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startSandbox } from '../../sandbox';
import { onEnd } from './harness';
import { createNode, engineFor, handedOut } from '../kit/engine';
import { orders, referenceOf, until, upTo } from '../kit/payments';

const COUNT = 10_000;
const SAMPLE_EVERY = 1_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is in use, in bytes. */
function memory(): number {
	collectGarbage();
	return process.memoryUsage().heapUsed;
}

it('10,000 items: a payment each, in order, in memory for the answers', async () => {
	const sandbox = await startSandbox({ record: false });
	onEnd(async () => await sandbox.close());
	const engine = await engineFor(sandbox, {}, { expressions: 'legacy' });
	const items = orders(COUNT);
	await engine.runNode({ node: createNode(), items: items.slice(0, 100) });
	sandbox.reset();
	const before = memory();
	const running = engine.startNode({ node: createNode(), items });
	let isOver = false;
	void running.finished.then(() => (isOver = true));
	const growth: number[] = [];
	while (growth.length < COUNT / SAMPLE_EVERY - 1) {
		const wanted = SAMPLE_EVERY * (growth.length + 1);
		await until(() => isOver || (sandbox.counts['create 201'] ?? 0) >= wanted);
		growth.push(memory() - before);
	}
	const execution = await running.finished;

	expect(execution.status).toBe('success');
	expect(sandbox.counts).toEqual({ 'create 201': COUNT });
	expect(handedOut(execution)).toEqual(upTo(COUNT).map(referenceOf));
	expect(new Set(execution.json().map(({ id }) => id)).size).toBe(COUNT);
	expect(execution.context()).toEqual({});
	// The sandbox, in the same process, keeps each payment too, and objects take more than their JSON.
	const answers = JSON.stringify(execution.json()).length;
	expect(Math.max(...growth)).toBeLessThan(10 * answers);
}, 180_000);
