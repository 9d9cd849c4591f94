/**
 * The harness with this package and the sandbox: three payments for three merchants with one token request, and
 * that what makes the OAuth2 exchange right can't be taken out of the credential unnoticed.
 */
import { startSandbox, type Sandbox } from '../../sandbox';
import { createEngine, variantOfPackage, type Engine } from './harness';

// On a busy machine n8n's engine takes seconds to start.
jest.setTimeout(60_000);

const credentialFile = 'dist/credentials/AcountPayApi.credentials.js';

describe('this package on the engine', () => {
	let sandbox: Sandbox;

	beforeAll(async () => {
		sandbox = await startSandbox();
	});
	afterAll(async () => await sandbox.close());
	beforeEach(() => sandbox.reset());

	const engineOf = async (folder?: string): Promise<Engine> =>
		await createEngine({
			folder,
			credential: {
				environment: 'custom',
				baseUrl: sandbox.url,
				clientId: sandbox.credentials.clientId,
				clientSecret: sandbox.credentials.clientSecret,
			},
		});

	const items = [1, 2, 3].map((number) => ({
		merchant: `merchant_${number}`,
		order: `ORDER-${number}`,
		amount: 10.5 * number,
	}));

	const create = {
		parameters: {
			resource: 'payment',
			operation: 'create',
			merchantId: '={{ $json.merchant }}',
			amount: '={{ $json.amount }}',
			referenceNumber: '={{ $json.order }}',
		},
	};

	it('makes three payments for three merchants with one token request, and hands on whole answers', async () => {
		const engine = await engineOf();
		const execution = await engine.runNode({ node: create, items });

		expect(execution.error).toBeUndefined();
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 3 });
		expect(execution.json().map(({ referenceNumber }) => referenceNumber)).toEqual(
			items.map(({ order }) => order),
		);
		expect(engine.credential.tokenWrites).toBe(1);
		const { access_token: token } = (await engine.credential.oauthTokenData())!;
		expect(token).toEqual(expect.stringMatching(/./));
		for (const secret of [sandbox.credentials.clientSecret, token!]) {
			expect(engine.log.text()).not.toContain(secret);
			expect(execution.stored.data).not.toContain(secret);
		}
	});

	it.each([
		[
			'without oAuth2Api as its parent',
			(text: string) => text.replace(/extends = \[.*\]/, 'extends = []'),
			'create 401',
		],
		[
			'with id and secret in a Basic header',
			(text: string) => text.replace("'authentication', 'body'", "'authentication', 'header'"),
			'token 400',
		],
	])('gets no payment with a credential %s', async (_what, edit, refusal) => {
		const engine = await engineOf(variantOfPackage({ [credentialFile]: edit }));
		const execution = await engine.runNode({ node: create, items });

		expect(execution.status).toBe('error');
		expect(sandbox.counts[refusal]).toBeGreaterThan(0);
		expect(sandbox.payments).toEqual([]);
	});
});
