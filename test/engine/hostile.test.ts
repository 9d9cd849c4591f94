/**
 * What a hostile or broken server sends neither blocks n8n nor brings a secret into what a run leaves behind, and what is
 * too large is not sent.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { inspect } from 'node:util';
import type { Execution } from './harness';
import { engineFor } from '../kit/engine';
import { create, get, orders, paymentRequests, useSandbox } from '../kit/payments';

const sandbox = useSandbox();

/** Runs something. @returns what it gave, and for how long nothing else was done meanwhile, at most, in ms */
async function watched<Result>(run: () => Promise<Result>) {
	const delay = monitorEventLoopDelay({ resolution: 1 });
	delay.enable();
	const result = await run();
	// The delay that is still going on is counted at the next turn.
	await new Promise((resolve) => setImmediate(resolve));
	delay.disable();
	return { result, blocked: delay.max / 1e6 };
}

const messageOf = (execution: Execution) => String(execution.error?.message);

/** Much less than what froze n8n, and much more than a busy machine needs. */
const LIMIT = 1_000;

describe('a response that is made to freeze n8n', () => {
	const MB = 1 << 20;
	it.each([
		['313 bytes of nested messages', '{"message":'.repeat(26) + '1' + '}'.repeat(26)],
		['100,000 <', '<'.repeat(100_000)],
		['1 MB of <script', '<script'.repeat(MB / 7)],
		['1 MB of nested messages', '{"message":'.repeat(87_000) + '1' + '}'.repeat(87_000)],
		['1 MB of nested lists', '['.repeat(MB / 2) + ']'.repeat(MB / 2)],
	])('does not, as an error or as a payment: %s', async (_what, body) => {
		const engine = await engineFor(sandbox, {}, { expressions: 'legacy' });
		await engine.runNode({ node: { parameters: create() }, items: orders(1) });
		for (const status of [400, 201]) {
			sandbox.faults.add({ match: { endpoint: 'create' }, status, body });
			const { result, blocked } = await watched(
				async () => await engine.runNode({ node: { parameters: create() }, items: orders(1) }),
			);
			expect(messageOf(result)).toContain('AcountPay');
			expect(blocked).toBeLessThan(LIMIT);
		}
	});
});

describe('a successful response that echoes what was sent', () => {
	const token = async (engine: Awaited<ReturnType<typeof engineFor>>) =>
		String((await engine.credential.oauthTokenData())?.access_token);
	const base64 = (text: string) => Buffer.from(text).toString('base64');

	it.each([
		['create', { parameters: create() }],
		['get', { parameters: get({ paymentId: 'p1' }) }],
	])('leaves no secret behind, and everything else as it was: %s', async (operation, node) => {
		const engine = await engineFor(sandbox, {}, { expressions: 'legacy' });
		await engine.runNode({ node: { parameters: create() }, items: orders(1) });
		const secret = await token(engine);
		const payment = (said: (text: string) => string) => ({
			id: 'p1',
			echo: {
				authorization: said(`Bearer ${secret}`),
				basic: said(base64(`Bearer ${secret}`)),
				cut: said(`Bearer ${secret}`.slice(0, -8)),
				secret: said(String(sandbox.credentials.clientSecret)),
			},
		});
		const body = payment((text) => text);
		sandbox.faults.add({ match: { endpoint: operation as 'create' }, status: 200, body });
		const execution = await engine.runNode({ node, items: orders(1) });

		const [item] = execution.json();
		expect(item).toMatchObject({ id: 'p1', echo: { authorization: 'Bearer [secret]' } });
		const left = execution.stored.data + inspect(execution, { depth: null }) + engine.log.text();
		const forms = Object.values(body.echo);
		expect(forms.filter((form) => left.includes(form))).toEqual([]);
	});
});

describe('more than is sent for one payment', () => {
	const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, key) => [`key${key}`, key]));
	it.each<[string, unknown, unknown]>([
		['an object', '={{ $json.metadata }}', keys],
		['text', '={{ $json.metadata }}', JSON.stringify(keys)],
	])('is refused at once: %s', async (_what, metadata, value) => {
		const engine = await engineFor(sandbox, {}, { expressions: 'legacy' });
		const [order] = orders(1);
		const items = [{ ...order, metadata: value as never }];
		const parameters = create({ additionalFields: { metadata: metadata as string } });
		const { result, blocked } = await watched(
			async () => await engine.runNode({ node: { parameters }, items }),
		);
		expect(messageOf(result)).toMatch(/^Metadata must not (have more than|be larger)/);
		expect(blocked).toBeLessThan(LIMIT);
		expect(paymentRequests(sandbox)).toHaveLength(0);
	});
});
