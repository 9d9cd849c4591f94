/**
 * An n8n that keeps requests from private addresses: nothing is sent, and the node says so at once with n8n's reason.
 */
import './private-addresses';
import { createNode, engineFor } from '../kit/engine';
import { askedFor, orders, useSandbox } from '../kit/payments';
import { withToken } from './tokens';

const sandbox = useSandbox();

it.each([
	['a token', true],
	['no token', false],
])('with %s, every item is unavailable', async (_what, hasToken) => {
	const engine = hasToken ? await withToken(sandbox, sandbox.url) : await engineFor(sandbox);
	const startedAt = Date.now();
	const { error } = await engine.runNode({ node: createNode(), items: orders(2) });

	expect(Date.now() - startedAt).toBeLessThan(10_000);
	expect(error).toMatchObject({
		message: expect.stringMatching(/n8n blocked the request.*: The target .* is not allowed/),
		description: expect.stringMatching(/Ask the administrator of n8n to allow.* Nothing was sent/),
		context: { outcome: 'unavailable', outcomesUnknown: [] },
	});
	expect(askedFor(sandbox)).toEqual([]);
	expect(sandbox.requests).toEqual([]);
});
