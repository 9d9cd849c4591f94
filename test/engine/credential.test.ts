/**
 * The credential: what its dialog shows and says, what a run says when id and secret are wrong, and that neither its parent
 * nor the way in which id and secret travel can be changed without a test that fails.
 */
import {
	NodeHelpers,
	type ICredentialDataDecryptedObject,
	type INodeProperties,
} from 'n8n-workflow';
import { variantOfPackage } from './harness';
import { createNode, engineFor, loopOver, serve } from '../kit/engine';
import {
	create,
	get,
	continueOnError,
	orders,
	paymentRequests,
	tokenRequests,
	upTo,
	useSandbox,
} from '../kit/payments';

const sandbox = useSandbox();
const legacy = { expressions: 'legacy' as const };

describe('the dialog', () => {
	/** The fields that a person sees when the dialog is opened and `values` are entered. */
	async function fieldsFor(values: ICredentialDataDecryptedObject) {
		const { types } = await engineFor(sandbox);
		const properties: INodeProperties[] = [];
		for (const type of ['oAuth2Api', 'acountPayApi']) {
			NodeHelpers.mergeNodeProperties(properties, types.credentialType(type).properties);
		}
		const entered = { ...values } as Record<string, never>;
		for (const { name, default: value } of properties) entered[name] ??= value as never;
		const isShown = (property: INodeProperties) =>
			property.type !== 'hidden' && NodeHelpers.displayParameter(entered, property, null, null);
		return properties.filter(isShown);
	}

	it.each([
		['production', ['Client ID', 'Client Secret', 'Environment', 'Webhook Secret']],
		['sandbox', ['Client ID', 'Client Secret', 'Environment', 'Webhook Secret']],
		['custom', ['Base URL', 'Client ID', 'Client Secret', 'Environment', 'Webhook Secret']],
	])('shows for %s what a person must decide, and nothing else', async (environment, expected) => {
		const fields = await fieldsFor({ environment });
		expect(fields.map(({ displayName }) => displayName).sort()).toEqual(expected);
		for (const { description } of fields) expect(description).toMatch(/\w/);
	});

	it('hides what is typed into the secret fields', async () => {
		const hidden = (await fieldsFor({})).filter(({ typeOptions }) => typeOptions?.password);
		expect(hidden.map(({ name }) => name).sort()).toEqual(['clientSecret', 'webhookSecret']);
	});

	it('says that id and secret are right', async () => {
		const engine = await engineFor(sandbox);
		expect(await engine.testCredential()).toEqual({
			status: 'OK',
			message: 'Connection successful!',
		});
	});

	it('says so too when a token is stored', async () => {
		const engine = await engineFor(sandbox);
		await engine.runNode({ node: { parameters: create() }, items: orders(1) });
		expect(await engine.testCredential()).toMatchObject({ status: 'OK' });
	});

	it.each([
		['client id', { clientId: 'mistyped' }],
		['client secret', { clientSecret: 'mistyped' }],
	])('says that a mistyped %s is wrong', async (_what, changes) => {
		const engine = await engineFor(sandbox, changes);
		expect(await engine.testCredential()).toEqual({
			status: 'Error',
			message: expect.stringContaining('Client authentication failed'),
		});
	});

	it('says that a mistyped secret is wrong although a token is stored', async () => {
		const engine = await engineFor(sandbox);
		await engine.runNode({ node: { parameters: create() }, items: orders(1) });
		await engine.credential.edit({ clientSecret: 'mistyped' });
		expect(await engine.testCredential()).toMatchObject({ status: 'Error' });
		expect(sandbox.counts['token 401']).toBeGreaterThan(0);
	});

	it('asks for a token with id and secret as typed, and follows no redirect with them', async () => {
		const engine = await engineFor(sandbox);
		await engine.runNode({ node: { parameters: create() }, items: orders(1) });
		const sent = tokenRequests(sandbox);
		let strayed = 0;
		const elsewhere = await serve((_request, response) => {
			strayed++;
			response.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"x"}');
		});
		sandbox.faults.add({ redirectTo: `${elsewhere}/oauth/token`, status: 307 });
		expect(await engine.testCredential()).toMatchObject({ status: 'Error' });

		expect(strayed).toBe(0);
		const [{ rawBody }] = sandbox.requests.slice(-1);
		expect(tokenRequests(sandbox)).toBe(sent + 1);
		expect(Object.fromEntries(new URLSearchParams(rawBody))).toEqual({
			grant_type: 'client_credentials',
			client_id: sandbox.credentials.clientId,
			client_secret: sandbox.credentials.clientSecret,
		});
	});
});

describe('a run with a wrong client secret', () => {
	const says = {
		message:
			"AcountPay refused the Client ID and Client Secret of the credential 'AcountPay account' [item 0]",
		description: expect.stringMatching(/Client ID.*Client Secret.*environment \(custom\)/),
	};

	it.each([
		['one item', 1, create(), {}],
		['25 items', 25, create(), {}],
		['reading', 25, get({ paymentId: 'pay_1' }), {}],
		['one call at a time', 25, create({ options: { maxConcurrency: 1 } }), {}],
		["'Retry On Fail'", 25, create(), { retryOnFail: true, maxTries: 5, waitBetweenTries: 1 }],
	])(
		'says what to look at, and asks at most four times: %s',
		async (_what, count, parameters, more) => {
			const engine = await engineFor(sandbox, { clientSecret: 'mistyped' }, legacy);
			const execution = await engine.runNode({
				node: { parameters, ...more },
				items: orders(count),
			});

			expect(execution.error).toMatchObject({ name: 'NodeApiError', httpCode: '401', ...says });
			expect(tokenRequests(sandbox)).toBeGreaterThan(0);
			expect(tokenRequests(sandbox)).toBeLessThanOrEqual(4);
			expect(paymentRequests(sandbox)).toEqual([]);
		},
	);

	it('says so of each item when it continues', async () => {
		const engine = await engineFor(sandbox, { clientSecret: 'mistyped' }, legacy);
		const parameters = create({ options: { maxConcurrency: 1 } });
		const node = { parameters, onError: 'continueRegularOutput' as const };
		const execution = await engine.runNode({ node, items: orders(25) });

		expect(execution.json()).toEqual(
			orders(25).map((_order, item) => ({
				error: says.message.replace('item 0', `item ${item}`),
				details: { outcome: 'refused', status: 401, description: says.description },
			})),
		);
		expect(tokenRequests(sandbox)).toBeLessThanOrEqual(4);
	});

	it('asks at most four times in all turns of a loop', async () => {
		const engine = await engineFor(sandbox, { clientSecret: 'mistyped' }, legacy);
		const execution = await engine.runWorkflow(loopOver(1, createNode({}, continueOnError)), {
			items: orders(6),
			node: 'AcountPay',
		});
		expect(execution.runs()).toHaveLength(6);
		for (const run of upTo(6)) {
			expect(execution.json('AcountPay', { run })).toMatchObject([{ details: { status: 401 } }]);
		}
		expect(tokenRequests(sandbox)).toBe(4);
	});

	it('works again once the secret is right', async () => {
		const engine = await engineFor(sandbox, { clientSecret: 'mistyped' }, legacy);
		await engine.runNode({ node: { parameters: create() }, items: orders(1) });
		await engine.credential.edit({ clientSecret: sandbox.credentials.clientSecret });
		const execution = await engine.runNode({ node: { parameters: create() }, items: orders(1) });
		expect(execution.status).toBe('success');
	});
});

describe('a run that gets no token', () => {
	it.each<[string, number, string | object, string]>([
		[
			'400 invalid_grant',
			400,
			{ error: 'invalid_grant' },
			'refused the Client ID and Client Secret',
		],
		[
			'401 in another form',
			401,
			{ message: 'Unauthorized' },
			'refused the Client ID and Client Secret',
		],
		['404, as of another server', 404, '<html>Not here</html>', 'status 404'],
		['405, as of another server', 405, '', 'status 405'],
		['200 without a token', 200, { ok: true }, 'without a new access token'],
	])('says why: %s', async (_what, status, body, words) => {
		const engine = await engineFor(sandbox, {}, legacy);
		sandbox.faults.add({ match: { endpoint: 'token' }, times: 'always', status, body });
		const { error } = await engine.runNode({ node: { parameters: create() }, items: orders(2) });

		expect(error).toMatchObject({
			name: 'NodeApiError',
			message: expect.stringMatching(/'AcountPay account'.*\[item 0\]$/),
			description: expect.stringContaining('(custom)'),
		});
		expect(error!.message).toContain(words);
		expect(tokenRequests(sandbox)).toBe(1);
	});
});

/*
 * The same check on the package as it is and on copies of it in which what makes the exchange right is taken out.
 */
describe('three payments with one token, got with id and secret in the body', () => {
	async function check(folder?: string) {
		const engine = await engineFor(sandbox, {}, { folder });
		const execution = await engine.runNode({ node: { parameters: create() }, items: orders(3) });
		expect(execution.json()).toHaveLength(3);
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 3 });
	}

	const variant = (edit: (text: string) => string) =>
		variantOfPackage({ 'dist/credentials/AcountPayApi.credentials.js': edit });

	it('are made by the package', async () => await check());

	it('are not made when oAuth2Api is taken out of the credential', async () => {
		const withoutParent = variant((text) => text.replace(/extends = \[\w+\]/, 'extends = []'));
		await expect(check(withoutParent)).rejects.toThrow('toHaveLength');
		expect(sandbox.payments).toEqual([]);
		expect(sandbox.counts['create 401']).toBeGreaterThan(0);
	});

	it('are not made when id and secret travel in a Basic header', async () => {
		const withHeader = variant((text) =>
			text.replace("'authentication', 'body'", "'authentication', 'header'"),
		);
		await expect(check(withHeader)).rejects.toThrow('toHaveLength');
		expect(
			sandbox.requests.map(({ headers, rawBody }) => [headers.authorization, rawBody]),
		).toEqual([[expect.stringMatching(/^Basic /), 'grant_type=client_credentials']]);
	});
});
