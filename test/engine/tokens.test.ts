/**
 * One token serves every item: how often the token endpoint is asked, and when.
 */
import { startSandbox } from '../../sandbox';
import { createNode, useEngine } from '../kit/engine';
import {
	createOf,
	continueOnError,
	oneOfEach,
	orders,
	pausesBetween,
	countsByReference,
	requestsFor,
	until,
	upTo,
} from '../kit/payments';
import type { OAuthTokenData } from './harness';

const { sandbox, engine } = useEngine();

/** Runs the node so that a token is stored, and forgets the traffic. */
async function warmUp(): Promise<OAuthTokenData> {
	await engine.runNode({ node: createNode(), items: orders(1) });
	sandbox.reset();
	return (await engine.credential.oauthTokenData())!;
}

const bearer = (token: OAuthTokenData) => `Bearer ${token.access_token}`;

describe('a cold credential', () => {
	it.each([1, 25])('costs one token request for %i items', async (count) => {
		sandbox.settings.latencyMs = 20;
		const node = createNode({ maxConcurrency: 25 });
		const execution = await engine.runNode({ node, items: orders(count) });

		expect(execution.error).toBeUndefined();
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': count });
		expect(engine.credential.tokenWrites).toBe(1);
	});

	it('costs one token request for two executions at once', async () => {
		sandbox.settings.latencyMs = 20;
		const run = { node: createNode(), items: orders(5) };
		await Promise.all([engine.runNode(run), engine.runNode(run)]);

		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 10 });
	});
});

describe('a stored token', () => {
	const minutes = (count: number) => count * 60_000;

	it.each([
		['that is good for an hour', minutes(60), 0],
		['that is good for a little more than five minutes', minutes(5) + 20_000, 0],
		['that ends within five minutes', minutes(5) - 1_000, 1],
		['that has ended', -1_000, 1],
	])('%s: %j ms left, token requests: %i', async (_what, left, requests) => {
		const token = await warmUp();
		const n8n_expires_at = String(Date.now() + left);
		await engine.credential.setOauthTokenData({ ...token, n8n_expires_at });
		const execution = await engine.runNode({ node: createNode(), items: orders(5) });

		expect(execution.error).toBeUndefined();
		expect(sandbox.counts).toEqual({
			...(requests && { 'token 200': requests }),
			'create 201': 5,
		});
		expect(sandbox.requests[0].endpoint).toBe(requests ? 'token' : 'create');
	});

	it('that has ended is not used again when the answer has no other', async () => {
		const token = await warmUp();
		const n8n_expires_at = String(Date.now() - 1_000);
		await engine.credential.setOauthTokenData({ ...token, n8n_expires_at });
		sandbox.faults.add({ match: { endpoint: 'token' }, status: 200, body: { ok: true } });
		const run = { node: createNode(), items: orders(5) };

		expect((await engine.runNode(run)).error?.message).toContain('without a new access token');
		expect(sandbox.counts).toEqual({ 'token 200': 1 });
		expect((await engine.runNode(run)).error).toBeUndefined();
		expect(sandbox.counts).toEqual({ 'token 200': 2, 'create 201': 5 });
	});

	it('is used for half its life when it lives less than five minutes', async () => {
		sandbox.settings.expiresIn = 60;
		const execution = await engine.runNode({ node: createNode(), items: orders(25) });

		expect(execution.error).toBeUndefined();
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 25 });
	});
});

describe('an edited credential', () => {
	it.each([
		['client ID', { clientId: 'another_partner' }],
		['client secret', { clientSecret: 'another_secret' }],
	])('with another %s: one token request first, the old token never again', async (_what, edit) => {
		const old = await warmUp();
		sandbox.setCredentials(edit);
		await engine.credential.edit(edit);
		const run = { node: createNode(), items: orders(5) };
		const execution = await engine.runNode(run);
		await engine.runNode(run);

		expect(execution.error).toBeUndefined();
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 10 });
		expect(sandbox.requests[0].endpoint).toBe('token');
		expect(sandbox.requests.map(({ headers }) => headers.authorization)).not.toContain(bearer(old));
		const partners = new Set(sandbox.payments.map(({ partner }) => partner));
		expect([...partners]).toEqual([sandbox.credentials.clientId]);
	});

	it('with a wrong secret: no payment, though the old token would do', async () => {
		await warmUp();
		await engine.credential.edit({ clientSecret: 'wrong' });
		const execution = await engine.runNode({ node: createNode(), items: orders(5) });

		expect(execution.error?.message).toContain('refused the Client ID and Client Secret');
		expect(sandbox.counts).toEqual({ 'token 401': 1 });
	});

	it('and an answer without a token: the old one is not used, then or later', async () => {
		const old = await warmUp();
		sandbox.setCredentials({ clientId: 'a_third_partner' });
		await engine.credential.edit({ clientId: 'a_third_partner' });
		const body = { ok: true };
		sandbox.faults.add({ match: { endpoint: 'token' }, status: 200, body });
		const run = { node: createNode(), items: orders(2) };
		const execution = await engine.runNode(run);

		expect(execution.error?.message).toContain('a response without a new access token');
		expect(sandbox.counts).toEqual({ 'token 200': 1 });
		expect((await engine.runNode(run)).error).toBeUndefined();
		expect(sandbox.counts).toEqual({ 'token 200': 2, 'create 201': 2 });
		expect(sandbox.requests.map(({ headers }) => headers.authorization)).not.toContain(bearer(old));
	});

	it('with another base URL: the old token is sent to neither', async () => {
		const old = await warmUp();
		const another = await startSandbox();
		try {
			await engine.credential.edit({ baseUrl: another.url });
			await engine.runNode({ node: createNode(), items: orders(5) });

			expect(another.counts).toEqual({ 'token 200': 1, 'create 201': 5 });
			expect(another.requests[0].endpoint).toBe('token');
			expect(JSON.stringify(another.requests)).not.toContain(old.access_token);
			expect(sandbox.requests).toEqual([]);
		} finally {
			await another.close();
		}
	});

	it('with another environment: no payment without a token from there', async () => {
		await warmUp();
		await engine.credential.edit({ environment: 'sandbox' });
		const execution = await engine.runNode({ node: createNode(), items: orders(5) });

		expect(execution.error?.message).toContain('it could not be reached');
		expect(sandbox.requests).toEqual([]);
	});
});

describe('a token that is refused', () => {
	it('early (401): one shared token request, each refused call once more', async () => {
		await warmUp();
		sandbox.settings.latencyMs = 50;
		sandbox.faults.add({ match: { endpoint: 'create' }, revokeToken: true });
		const execution = await engine.runNode({ node: createNode(), items: orders(25) });

		expect(execution.error).toBeUndefined();
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 401': 10, 'create 201': 25 });
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(25)));
	});

	it('with 403 once it has ended: the same', async () => {
		sandbox.settings.expiresIn = 1;
		sandbox.faults.add({
			match: { endpoint: 'create' },
			times: 10,
			status: 403,
			latencyMs: 1_100,
		});
		const running = engine.startNode({ node: createNode(), items: orders(15) });
		await until(() => requestsFor(sandbox, 'create').length === 10);
		sandbox.settings.expiresIn = 3_600;
		const execution = await running.finished;

		expect(execution.error).toBeUndefined();
		expect(sandbox.counts).toEqual({ 'token 200': 2, 'create 403': 10, 'create 201': 15 });
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(15)));
	});

	it('with 403 while it is good: that is about the payment, and nothing is repeated', async () => {
		sandbox.faults.add({ match: createOf(1), status: 403 });
		const execution = await engine.runNode({
			node: createNode({}, continueOnError),
			items: orders(3),
		});

		expect(execution.json()[1]).toMatchObject({ details: { outcome: 'refused', status: 403 } });
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 403': 1, 'create 201': 2 });
	});

	it('for every call: each is repeated once, and a few new tokens are asked for, not one for each', async () => {
		sandbox.faults.add({ match: { endpoint: 'create' }, times: 'always', status: 401 });
		const node = createNode({ maxConcurrency: 2 }, continueOnError);
		const execution = await engine.runNode({ node, items: orders(20) });

		for (const json of execution.json())
			expect(json).toMatchObject({ details: { outcome: 'refused', status: 401 } });
		expect(sandbox.counts).toEqual({ 'token 200': 4, 'create 401': 40 });
	});

	it('for two calls of many, each with new tokens: all others have their payment', async () => {
		for (const item of [1, 4])
			sandbox.faults.add({ match: createOf(item), times: 'always', revokeToken: true });
		const node = createNode({ maxConcurrency: 1 }, continueOnError);
		const execution = await engine.runNode({ node, items: orders(7) });

		expect(execution.json().map(({ details }) => !details)).toEqual(
			upTo(7).map((item) => ![1, 4].includes(item)),
		);
		expect(countsByReference(sandbox)).toEqual(oneOfEach([0, 2, 3, 5, 6]));
	});

	it('and given out once more: that call is refused, and no other', async () => {
		const { access_token } = await warmUp();
		const body = { access_token, token_type: 'Bearer', expires_in: 3600 };
		sandbox.faults.add({ match: { endpoint: 'token' }, times: 'always', status: 200, body });
		sandbox.faults.add({ match: createOf(1), times: 'always', status: 401 });
		const node = createNode({ maxConcurrency: 1 }, continueOnError);
		const execution = await engine.runNode({ node, items: orders(4) });

		expect(execution.json()[1]).toMatchObject({ details: { outcome: 'refused', status: 401 } });
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 401': 2, 'create 201': 3 });
		expect(countsByReference(sandbox)).toEqual(oneOfEach([0, 2, 3]));
	});

	it('again and again: each call is repeated once, not for ever', async () => {
		sandbox.faults.add({ match: { endpoint: 'create' }, times: 'always', revokeToken: true });
		const execution = await engine.runNode({
			node: createNode({}, continueOnError),
			items: orders(1),
		});

		expect(execution.json()).toMatchObject([{ details: { outcome: 'refused', status: 401 } }]);
		expect(sandbox.counts).toEqual({ 'token 200': 2, 'create 401': 2 });
	});
});

describe('the token type', () => {
	it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR', 'JWT', 'mac', 'access_token', ''])(
		'%j: always a header, never in a URL',
		async (tokenType) => {
			sandbox.settings.tokenType = tokenType;
			sandbox.faults.add({ match: createOf(1), revokeToken: true });
			const node = createNode({ maxConcurrency: 1 });
			const execution = await engine.runNode({ node, items: orders(3) });

			expect(execution.error).toBeUndefined();
			expect(sandbox.counts).toEqual({ 'token 200': 2, 'create 401': 1, 'create 201': 3 });
			for (const { headers, path } of requestsFor(sandbox, 'create')) {
				expect(path).toBe('/v1/partner/payments');
				expect(headers.authorization).toMatch(/^Bearer \S+$/);
			}
		},
	);
});

describe('a token endpoint in trouble', () => {
	it.each([
		['answers 429', { status: 429 }],
		['answers 500', { status: 500 }],
		['answers 503 with HTML', { status: 503, body: '<h1>Service unavailable</h1>' }],
		['breaks off its answer', { cutOff: true }],
		['resets the connection', { reset: 'after' as const }],
		['answers with what is no token', { body: '<h1>Soon</h1>', status: 200 }],
	])('that %s is asked again', async (_what, fault) => {
		sandbox.faults.add({ match: { endpoint: 'token' }, ...fault });
		const execution = await engine.runNode({ node: createNode(), items: orders(5) });

		expect(execution.error).toBeUndefined();
		expect(requestsFor(sandbox, 'token')).toHaveLength(2);
		expect(sandbox.counts).toMatchObject({ 'token 200': expect.anything(), 'create 201': 5 });
	});

	it('is given growing pauses', async () => {
		sandbox.faults.add({ match: { endpoint: 'token' }, times: 2, status: 503 });
		const execution = await engine.runNode({ node: createNode(), items: orders(5) });

		expect(execution.error).toBeUndefined();
		const [first, second] = pausesBetween(requestsFor(sandbox, 'token'));
		expect(first).toBeGreaterThanOrEqual(490);
		expect(second).toBeGreaterThanOrEqual(990);
	});

	it.each([
		[400, 'invalid_grant'],
		[401, 'invalid_client'],
	])('that refuses id and secret (%i %s) is asked once for all items', async (status, error) => {
		sandbox.faults.add({
			match: { endpoint: 'token' },
			times: 'always',
			status,
			body: { error },
		});
		const execution = await engine.runNode({
			node: createNode({}, continueOnError),
			items: orders(15),
		});

		expect(execution.json()).toHaveLength(15);
		for (const { error: message, details } of execution.json()) {
			expect(message).toContain('refused the Client ID and Client Secret');
			expect(details).toMatchObject({ outcome: 'refused' });
		}
		expect(sandbox.counts).toEqual({ [`token ${status}`]: 1 });
	});
});
