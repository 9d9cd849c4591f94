/**
 * What a hostile or broken server sends neither blocks n8n nor brings a secret into what a run leaves behind, and what is
 * too large is not sent.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { inspect } from 'node:util';
import fc from 'fast-check';
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

const MB = 1 << 20;

/** Much less than what froze n8n, and much more than a busy machine needs. */
const LIMIT = 1_000;

describe('a response that is made to freeze n8n', () => {
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

/** Bytes of up to 1 MB: pieces that parsers and patterns stumble over, repeated and mixed, and anything else. */
const anyBytes = fc
	.array(
		fc.record({
			piece: fc.oneof(
				fc.constantFrom(
					'{"message":',
					'[',
					'{"',
					'<',
					'<script',
					'</',
					'&lt;',
					'\\u00',
					'"',
					'9',
					' ',
					'\n',
				),
				fc.constantFrom(
					'{"a":{"error":',
					'{"id":"p","data":',
					',"message":"x"',
					'//',
					'%',
					'=',
					'e9',
					'\t ',
				),
				fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
			),
			share: fc.constantFrom(0.001, 0.1, 1),
		}),
		{ minLength: 1, maxLength: 4 },
	)
	.map((parts) => {
		const room = MB / parts.length;
		const bytes = parts.map(({ piece, share }) => {
			const encoded = Buffer.from(piece);
			return Buffer.alloc(Math.floor(room * share), encoded);
		});
		return Buffer.concat(bytes);
	});

describe('any bytes of up to 1 MB', () => {
	/** A busy machine can stop anybody once; what is slow by itself is slow each time. */
	const TRIES = 4;

	it('are read within 100 ms, as an error or as a payment', async () => {
		const engine = await engineFor(sandbox, {}, { expressions: 'legacy' });
		await engine.runNode({ node: { parameters: create() }, items: orders(1) });
		const idle = await watched(
			async () => await engine.runNode({ node: { parameters: create() }, items: orders(1) }),
		);
		const property = fc.asyncProperty(
			anyBytes,
			fc.constantFrom(200, 201, 400, 404, 409, 422, 503),
			async (body, status) => {
				let least = Infinity;
				for (let tries = 0; tries < TRIES && least > 100; tries++) {
					sandbox.reset();
					sandbox.faults.add({ match: { endpoint: 'create' }, status, body, times: 2 });
					const { result, blocked } = await watched(
						async () => await engine.runNode({ node: { parameters: create() }, items: orders(1) }),
					);
					expect(paymentRequests(sandbox).length).toBeGreaterThanOrEqual(1);
					expect(messageOf(result)).not.toBe('');
					least = Math.min(least, blocked);
				}
				expect(least).toBeLessThan(100);
			},
		);
		await fc.assert(property, { numRuns: 200 });
		expect(idle.blocked).toBeLessThan(100);
	}, 180_000);
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
			status: 'pending',
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
