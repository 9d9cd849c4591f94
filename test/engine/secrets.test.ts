/**
 * Neither the client secret, nor the webhook secret, nor an access token is found in anything that a run leaves behind:
 * items, errors with their stacks, the whole stored execution, n8n's log down to debug. Not even when AcountPay says them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { INode } from 'n8n-workflow';
import type { Fault } from '../../sandbox';
import type { Engine, Execution } from './harness';
import { engineFor, qrCodeNode, serve } from '../kit/engine';
import { create, get, orders, tokenRequests, useSandbox } from '../kit/payments';

const sandbox = useSandbox();

const secrets = {
	clientSecret: 'cs_5up3r/s3cret+w1th=s1gns&m0re',
	webhookSecret: ['whsec', 'n0b0dy-needs-t0-see-th1s'].join('_'),
};
beforeEach(() => sandbox.setCredentials(secrets));

/** Texts that give a secret away: the beginning and the end of it, as it is and as it is often written. */
function tracesOf(secret: string): string[] {
	const forms = [
		secret,
		encodeURIComponent(secret),
		JSON.stringify(secret).slice(1, -1),
		Buffer.from(secret).toString('base64'),
		Buffer.from(secret).toString('hex'),
	];
	return forms.flatMap((form) => [form.slice(0, 10), form.slice(-10)]);
}

/** Everything that stays behind of a run. */
const leftBehind = (engine: Engine, execution: Execution): string =>
	[
		execution.stored.data,
		inspect(execution, { depth: Infinity, maxStringLength: Infinity, breakLength: Infinity }),
		engine.log.text(),
	].join('\n');

/** @param tokens other than the stored one */
async function expectNoSecret(engine: Engine, execution: Execution, tokens: string[] = []) {
	const left = leftBehind(engine, execution);
	// Once more as somebody reads it, without what stands between the letters.
	const text = left + left.replace(/\0|\\+x00|\\+u0000|<wbr>/g, '');
	const stored = (await engine.credential.oauthTokenData())?.access_token;
	const all = [...Object.values(secrets), ...tokens, ...(stored ? [stored] : [])];
	const traces = all.flatMap((secret) => tracesOf(secret));
	expect(traces.filter((trace) => text.includes(trace))).toEqual([]);
	expect(text).toContain('Workflow execution');
}

/** An engine that has its token. */
async function warmEngine() {
	const engine = await engineFor(sandbox, {}, { expressions: 'legacy' });
	await engine.runNode({ node: { parameters: create() }, items: orders(1) });
	const { access_token: token } = (await engine.credential.oauthTokenData())!;
	return { engine, token: token! };
}

const nodes: Array<[string, Partial<INode>, 'create' | 'get' | 'qr']> = [
	['create', { parameters: create() }, 'create'],
	['create that continues', { parameters: create(), onError: 'continueRegularOutput' }, 'create'],
	['get', { parameters: get({ paymentId: 'pay_1' }) }, 'get'],
	['get QR code', qrCodeNode({ paymentId: 'pay_1' }), 'qr'],
];

describe('a run that succeeds', () => {
	it.each([
		['create', { parameters: create({ additionalFields: { description: 'x' } }) }],
		['create with error output', { parameters: create(), onError: 'continueErrorOutput' as const }],
	])('leaves no secret behind: %s', async (_what, node) => {
		const engine = await engineFor(sandbox);
		const execution = await engine.runNode({ node, items: orders(3) });
		expect(execution.json()).toHaveLength(3);
		await expectNoSecret(engine, execution);

		const [{ id }] = execution.json();
		const items = [{ id, merchant: 'merchant_0' }];
		const read = await engine.runNode({ node: { parameters: get() }, items });
		expect(read.json()).toHaveLength(1);
		await expectNoSecret(engine, read);
	});

	it('leaves none behind although a token was renewed in it', async () => {
		const { engine, token } = await warmEngine();
		sandbox.revokeTokens();
		const execution = await engine.runNode({ node: { parameters: create() }, items: orders(2) });
		expect(execution.json()).toHaveLength(2);
		await expectNoSecret(engine, execution, [token]);
	});
});

const UTF_16 = { 'content-type': 'text/plain; charset=utf-16le' };
/** ASCII as a server sends it in UTF-16. */
const inUtf16 = (text: string) => [...text].map((letter) => `${letter}\0`).join('');

/** What AcountPay might say, with everything in it that it was told and that must not get out. */
const echoes: Array<[string, (said: string) => Pick<Fault, 'body' | 'headers'>]> = [
	['message', (said) => ({ body: { message: said } })],
	['several messages', (said) => ({ body: { message: ['bad header', said] } })],
	['error', (said) => ({ body: { error: said } })],
	['message in an error', (said) => ({ body: { error: { message: said } } })],
	['errors', (said) => ({ body: { errors: [{ message: said }] } })],
	['page', (said) => ({ body: `<html><body><h1>Denied</h1><pre>${said}</pre></body></html>` })],
	['text', (said) => ({ body: said })],
	['text in UTF-16', (said) => ({ body: inUtf16(said), headers: UTF_16 })],
	['JSON in UTF-16', (said) => ({ body: inUtf16(JSON.stringify({ message: said })) })],
	['page, between tags', (said) => ({ body: `<p>${[...said].join('<wbr>')}</p>` })],
	['message, between tags', (said) => ({ body: { message: [...said].join('<wbr>') } })],
	['cut-off JSON', (said) => ({ body: `{"message":"${said}` })],
	['header', (said) => ({ body: '', headers: { 'x-echo': said, location: `http://a/?${said}` } })],
];

describe.each(nodes)('an answer to %s that tells what was sent', (_node, node, endpoint) => {
	const makes = endpoint === 'create';
	const statuses = [400, 401, 403, 404, 409, 422, 307, ...(makes ? [201, 500] : [])];
	const match = { endpoint };

	/** Runs one item that is answered so, twice if need be. @returns what the node says of it */
	async function runWith(fault: Fault, { engine, token }: { engine: Engine; token: string }) {
		sandbox.faults.add({ match, times: 2, ...fault });
		const execution = await engine.runNode({ node, items: orders(1) });
		sandbox.faults.clear();
		await expectNoSecret(engine, execution, [token]);
		return String(execution.error?.message ?? execution.json()[0].error);
	}

	it.each(echoes)('in its %s: no secret gets out', async (_what, echo) => {
		const { engine } = await warmEngine();
		for (const status of statuses) {
			const { access_token: token } = (await engine.credential.oauthTokenData())!;
			const fault = { status, ...echo([token, ...Object.values(secrets)].join(' and ')) };
			// An object with status 201 is a payment, and is handed on whole.
			if (status === 201 && typeof fault.body === 'object') continue;
			const message = await runWith(fault, { engine, token: token! });
			expect(message).toMatch(/AcountPay\b.*\[item 0\]$/s);
			const isTold = status >= 400 && status < 500 && fault.body !== '';
			expect([status, message.includes('[secret]')]).toEqual([status, isTold]);
		}
	});

	it.each([300, 400, 460, 475, 485])(
		'after %i other signs: no part of a secret gets out where the message is cut',
		async (before) => {
			const { engine, token } = await warmEngine();
			for (const said of [...Object.values(secrets), token]) {
				const message = `${'x'.repeat(before)} ${said} ${'y'.repeat(500)}`;
				expect(await runWith({ status: 400, body: { message } }, { engine, token })).toContain('…');
			}
		},
	);
});

it('a token that was replaced while its request was under way does not get out', async () => {
	const tokens: string[] = [];
	const url = await serve((request, response) => {
		let body = '';
		request.on('data', (chunk) => (body += chunk));
		request.on('end', () => {
			const answer = async (status: number, json: object, latency = 0) => {
				await sleep(latency);
				const headers = { 'content-type': 'application/json' };
				response.writeHead(status, headers).end(JSON.stringify(json));
			};
			if (request.url === '/oauth/token') {
				tokens.push(`opaque-access-token-of-${tokens.length}-that-is-live`);
				const token = { access_token: tokens.at(-1), token_type: 'Bearer', expires_in: 1 };
				return void answer(200, token);
			}
			if (!body.includes('ORDER-0')) return void answer(201, { id: 'pay_1' }, 600);
			return void answer(400, { message: `Bad: ${request.headers.authorization}` }, 900);
		});
	});
	const engine = await engineFor(sandbox, { baseUrl: url }, { expressions: 'legacy' });
	const parameters = create({ options: { maxConcurrency: 2 } });
	const execution = await engine.runNode({ node: { parameters }, items: orders(3) });

	expect(tokens).toHaveLength(2);
	expect(execution.error!.message).toContain('Bad: Bearer [secret]');
	await expectNoSecret(engine, execution, tokens);
});

describe('no answer', () => {
	it.each<[string, Fault]>([
		['silence', { hang: true }],
		['a reset', { reset: 'after' }],
		['a cut-off body', { cutOff: true }],
	])('leaves no secret behind: %s', async (_what, fault) => {
		const { engine, token } = await warmEngine();
		sandbox.faults.add({ match: { endpoint: 'create' }, ...fault });
		const parameters = create({ options: { timeout: 300 } });
		const execution = await engine.runNode({ node: { parameters }, items: orders(1) });

		expect(execution.error!.message).toContain('may or may not exist');
		await expectNoSecret(engine, execution, [token]);
	});
});

describe('a token endpoint in trouble', () => {
	const token = 'opaque-access-token-that-was-cut-off';
	const form = new URLSearchParams({ client_secret: secrets.clientSecret }).toString();
	const whole = { access_token: token, token_type: 'Bearer', expires_in: 3600 };

	// What may pass by itself is asked again for a minute. Here that minute is over once AcountPay was asked.
	beforeEach(() => {
		const now = Date.now.bind(Date);
		const isOver = () => sandbox.requests.length > 0;
		jest.spyOn(Date, 'now').mockImplementation(() => now() + (isOver() ? 61_000 : 0));
	});
	afterEach(() => jest.restoreAllMocks());

	it.each<[string, Fault]>([
		[
			'401 that repeats the secret',
			{
				status: 401,
				body: { error: 'invalid_client', error_description: `Not '${secrets.clientSecret}'` },
			},
		],
		[
			'401 with a page that repeats the request',
			{ status: 401, body: `<html><body>${form}</body></html>` },
		],
		[
			'400 that repeats the secret',
			{ status: 400, body: { error: 'invalid_grant', error_description: secrets.clientSecret } },
		],
		['403 that repeats the secret', { status: 403, body: { message: secrets.clientSecret } }],
		['422 with text that repeats the request', { status: 422, body: form }],
		['500 that repeats the request', { status: 500, body: form }],
		[
			'200 with a token and cut off in its JSON',
			{
				status: 200,
				body: JSON.stringify(whole).slice(0, -9),
				headers: { 'content-type': 'application/json' },
			},
		],
		['200 with a token and cut off on its way', { status: 200, body: whole, cutOff: true }],
		['200 with a token in a page', { status: 200, body: `<html><body>${token}</body></html>` }],
		[
			'200 with a token under another name',
			{ status: 200, body: { token, client_secret: secrets.clientSecret } },
		],
	])('leaves no secret behind: %s', async (_what, fault) => {
		const engine = await engineFor(sandbox, {}, { expressions: 'legacy' });
		sandbox.faults.add({ match: { endpoint: 'token' }, times: 'always', ...fault });
		const execution = await engine.runNode({ node: { parameters: create() }, items: orders(2) });

		expect(execution.error).toMatchObject({
			name: 'NodeApiError',
			message: expect.stringContaining("'AcountPay account'"),
		});
		expect(tokenRequests(sandbox)).toBe(1);
		await expectNoSecret(engine, execution, [token]);
	});
});
