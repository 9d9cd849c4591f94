/**
 * The person stops the execution, or its time limit does: n8n keeps no output of the node then.
 */
import { stringify } from 'flatted';
import { sleep } from 'n8n-workflow';
import { createNode, useEngine, getNode } from '../kit/engine';
import {
	createOf,
	continueOnError,
	oneOfEach,
	orders,
	countsByReference,
	referenceOf,
	requestsFor,
	retryOnFail,
	until,
	upTo,
} from '../kit/payments';
import { Execution, type Running } from './harness';

const { sandbox, engine } = useEngine();

const creates = () => requestsFor(sandbox, 'create').length;

/** What the log says that was made; the same said twice is there twice. */
const logged = () =>
	engine.log
		.messages('warn')
		.filter((line) => line.includes('Payments created'))
		.flatMap((line) => line.match(/ORDER-\d+ = \w+/g) ?? [])
		.sort();

/** The sandbox's payments, as the log names them. */
const made = (of = sandbox.payments) =>
	of.map(({ referenceNumber, id }) => `${referenceNumber} = ${id}`).sort();

/** Stops it once so many creates have come in. */
async function stopAt(running: Running, count: number) {
	await until(() => creates() >= count);
	running.cancel();
	return await running.finished;
}

describe.each([
	['', {}],
	[' that goes on on errors', continueOnError],
	[" with 'Retry On Fail'", retryOnFail()],
])('stopping a node%s', (_what, settings) => {
	it('starts nothing new, and lets the creates in flight finish', async () => {
		sandbox.settings.latencyMs = 200;
		const running = engine.startNode({ node: createNode({}, settings), items: orders(30) });
		const stopped = await stopAt(running, 10);

		expect(stopped.status).toBe('canceled');
		expect(stopped.items()).toEqual([]);
		expect(creates()).toBe(10);
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
		expect(logged()).toEqual(made());
	});
});

describe('a time limit', () => {
	it('does the same', async () => {
		sandbox.faults.add({ match: { endpoint: 'create' }, times: 'always', latencyMs: 4_000 });
		const run = { node: createNode(), items: orders(30), timeLimit: 3_000 };
		const stopped = await engine.runNode(run);

		expect(stopped.status).toBe('canceled');
		expect(creates()).toBe(10);
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
		expect(logged()).toEqual(made());
	});
});

describe('what a stopped node leaves', () => {
	it('names all payments of the batch, those made before the stop too', async () => {
		sandbox.settings.latencyMs = 10;
		const stopped = await stopAt(engine.startNode({ node: createNode(), items: orders(200) }), 120);

		expect(stopped.status).toBe('canceled');
		expect(sandbox.payments.length).toBeGreaterThanOrEqual(120);
		expect(sandbox.payments.length).toBeLessThan(200);
		expect(logged()).toEqual(made());
	});

	it("names the payments of an earlier try, when the stop comes between the tries of 'Retry On Fail'", async () => {
		sandbox.faults.add({ match: createOf(5), times: 'always', status: 422 });
		sandbox.faults.add({ match: createOf(6), times: 'always', reset: 'after' });
		const settings = { ...retryOnFail(), waitBetweenTries: 1_000 };
		const running = engine.startNode({ node: createNode({}, settings), items: orders(7) });
		await until(() => creates() === 7);
		await sleep(200);
		running.cancel();
		const stopped = await running.finished;

		expect(stopped.status).toBe('canceled');
		expect(creates()).toBe(7);
		const known = sandbox.payments.filter((it) => it.referenceNumber !== referenceOf(6));
		expect(known).toHaveLength(5);
		expect(logged()).toEqual(made(known));
		const unknown = engine.log
			.messages('warn')
			.filter((line) => line.includes('May or may not exist'));
		expect(unknown).toEqual([expect.stringMatching(/\(1\): ORDER-6$/)]);
	});

	it('names what is not known as well', async () => {
		sandbox.faults.add({ match: createOf(0), reset: 'after', latencyMs: 300 });
		sandbox.faults.add({ match: createOf(1), hang: true });
		sandbox.faults.add({ match: createOf(2), status: 422, latencyMs: 300 });
		sandbox.faults.add({ match: createOf(3), latencyMs: 300 });
		const node = createNode({ maxConcurrency: 4, timeout: 500 });
		await stopAt(engine.startNode({ node, items: orders(10) }), 4);

		const unknown = engine.log
			.messages('warn')
			.filter((line) => line.includes('May or may not exist'));
		expect(unknown).toHaveLength(1);
		expect(unknown[0]).toMatch(/\(2\): ORDER-0, ORDER-1$/);
		const third = sandbox.payments.filter((it) => it.referenceNumber === referenceOf(3));
		expect(logged()).toEqual(made(third));
	});

	it('is not made again by a retry by hand: n8n has nothing left to run then', async () => {
		sandbox.settings.latencyMs = 100;
		const stopped = await stopAt(engine.startNode({ node: createNode(), items: orders(15) }), 5);
		await engine.retry(stopped);

		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(10)));
		expect(creates()).toBe(10);
	});

	it('is not made again either where the node is run again with what was stored', async () => {
		sandbox.settings.latencyMs = 100;
		const node = createNode({ maxConcurrency: 10 }, continueOnError);
		const stopped = await stopAt(engine.startNode({ node, items: orders(30) }), 15);
		const { data, stored } = stopped;
		data.executionData!.nodeExecutionStack = [
			{
				node: stored.workflow.nodes[1],
				data: { main: [stopped.items('Start')] },
				source: { main: [{ previousNode: 'Start' }] },
			},
		];
		const again = await engine.retry(
			new Execution({ ...stored, data: stringify(data) }, stopped.node),
		);

		expect(again.status).toBe('success');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(30)));
		expect(creates()).toBe(30);
		const unknown = again.json().filter(({ details }) => details);
		expect(unknown.length).toBeGreaterThan(0);
		expect(unknown.length).toBeLessThanOrEqual(10);
		for (const { details } of unknown) expect(details).toMatchObject({ outcome: 'unknown' });
	});
});

describe('at once:', () => {
	/** Runs until a condition holds, stops, and tells how many ms n8n had to wait for the node. */
	async function timeToStop(running: Running, ready: () => boolean): Promise<number> {
		await until(ready);
		const stoppedAt = Date.now();
		running.cancel();
		const execution = await running.finished;
		expect(execution.status).toBe('canceled');
		return Date.now() - stoppedAt;
	}

	it('a pause for a busy API ends, and the payment is not made', async () => {
		const headers = { 'Retry-After': '10' };
		sandbox.faults.add({ match: { endpoint: 'create' }, times: 'always', status: 429, headers });
		const running = engine.startNode({ node: createNode(), items: orders(3) });
		const busy = () => sandbox.counts['create 429'] === 3;

		expect(await timeToStop(running, busy)).toBeLessThan(3_000);
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 429': 3 });
		expect(engine.log.messages('warn')).toEqual([
			expect.stringMatching(/Not started \(3\): ORDER-0, ORDER-1, ORDER-2$/),
		]);
	});

	it('a pause for the token endpoint ends', async () => {
		sandbox.faults.add({ match: { endpoint: 'token' }, times: 'always', status: 503 });
		const running = engine.startNode({ node: createNode(), items: orders(3) });
		const tries = () => sandbox.counts['token 503'] === 4;

		expect(await timeToStop(running, tries)).toBeLessThan(3_000);
		expect(sandbox.counts).toEqual({ 'token 503': 4 });
	}, 20_000);

	it.each([
		['the first token', 'never'],
		['a token in place of a refused one', 'refused'],
	])('nothing is sent with %s when it comes after the stop', async (_what, kind) => {
		if (kind === 'refused') {
			await engine.runNode({ node: createNode(), items: orders(1) });
			sandbox.reset();
			sandbox.settings.latencyMs = 200;
			sandbox.faults.add({ match: { endpoint: 'create' }, revokeToken: true });
		}
		sandbox.faults.add({ match: { endpoint: 'token' }, latencyMs: 500 });
		const running = engine.startNode({ node: createNode(), items: orders(15) });
		await until(() => requestsFor(sandbox, 'token').length === 1);
		const before = creates();
		await timeToStop(running, () => true);

		expect(creates()).toBe(before);
		expect(sandbox.payments).toEqual([]);
	});

	it('no token is asked for in place of one that is refused after the stop', async () => {
		await engine.runNode({ node: createNode(), items: orders(1) });
		sandbox.reset();
		const fault = { status: 401, times: 3, latencyMs: 1_500 };
		sandbox.faults.add({ match: { endpoint: 'create' }, ...fault });
		const running = engine.startNode({ node: createNode(), items: orders(3) });
		await timeToStop(running, () => creates() === 3);

		expect(sandbox.counts['create 401']).toBe(3);
		// Not by what was answered: the test before has left a request that is answered only now.
		expect(requestsFor(sandbox, 'token')).toEqual([]);
	});

	it('a request for a token that hangs is not waited for', async () => {
		sandbox.faults.add({ match: { endpoint: 'token' }, hang: true });
		const running = engine.startNode({ node: createNode(), items: orders(3) });
		const asked = () => requestsFor(sandbox, 'token').length === 1;

		expect(await timeToStop(running, asked)).toBeLessThan(3_000);
		expect(creates()).toBe(0);
		expect(engine.log.messages('warn')).toEqual([
			expect.stringMatching(/Not started \(3\): ORDER-0, ORDER-1, ORDER-2$/),
		]);
	}, 60_000);

	it('reading is cut off: nothing is lost by that', async () => {
		await engine.runNode({ node: createNode(), items: orders(1) });
		sandbox.faults.add({ match: { endpoint: 'get' }, times: 'always', hang: true });
		const items = sandbox.payments.map(({ merchant, id }) => ({ merchant, id }));
		const running = engine.startNode({ node: getNode(), items });
		const asked = () => requestsFor(sandbox, 'get').length === 1;

		expect(await timeToStop(running, asked)).toBeLessThan(3_000);
		expect(requestsFor(sandbox, 'get')).toHaveLength(1);
	}, 40_000);
});
