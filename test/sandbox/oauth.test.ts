import { startSandbox, type Sandbox } from '../../sandbox';
import { askToken, http, partnerOf } from './client';

let sandbox: Sandbox;
beforeAll(async () => {
	sandbox = await startSandbox();
});
afterEach(() => sandbox.reset());
afterAll(async () => await sandbox.close());

const claimsOf = (token: string) =>
	JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());

describe('the token endpoint', () => {
	it('answers the documented request with the documented fields', async () => {
		const { status, data } = await askToken(sandbox);
		expect(status).toBe(200);
		expect(data).toEqual({
			access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
			token_type: 'Bearer',
			expires_in: 3600,
			scope: 'payments:create payments:read',
		});
		const { iat, exp } = claimsOf(data.access_token);
		expect(exp - iat).toBe(3600);
	});

	it('gives a new token each time', async () => {
		const [one, two] = [await askToken(sandbox), await askToken(sandbox)];
		expect(one.data.access_token).not.toBe(two.data.access_token);
	});

	it.each([
		['another grant', { grant_type: 'password' }, 400, 'invalid_grant'],
		['another id', { client_id: 'someone' }, 401, 'invalid_client'],
		['another secret', { client_secret: 'wrong' }, 401, 'invalid_client'],
		['a scope', { scope: 'payments:create' }, 400, 'invalid_scope'],
	])('refuses %s', async (_what, changes: Record<string, string>, status, error) => {
		const answer = await askToken(sandbox, changes);
		expect([answer.status, answer.data.error]).toEqual([status, error]);
		expect(answer.data.access_token).toBeUndefined();
	});

	it('takes an empty scope for none, as RFC 6749 has it and n8n before 2.41 sends it', async () => {
		expect((await askToken(sandbox, { scope: '' })).status).toBe(200);
	});

	it('refuses a request without any field as an invalid grant', async () => {
		const answer = await http.post(`${sandbox.url}/oauth/token`);
		expect([answer.status, answer.data]).toEqual([400, { error: 'invalid_grant' }]);
	});

	it('refuses credentials in a Basic header, even beside the right ones in the body', async () => {
		const { clientId, clientSecret } = sandbox.credentials;
		const auth = { username: clientId, password: clientSecret };
		const inHeader = await http.post(
			`${sandbox.url}/oauth/token`,
			new URLSearchParams({ grant_type: 'client_credentials' }),
			{ auth },
		);
		const inBoth = await http.post(
			`${sandbox.url}/oauth/token`,
			new URLSearchParams({
				grant_type: 'client_credentials',
				client_id: clientId,
				client_secret: clientSecret,
			}),
			{ auth },
		);
		for (const { status, data } of [inHeader, inBoth]) {
			expect([status, data.error]).toEqual([400, 'invalid_request']);
		}
	});

	it("does not mind the token that n8n's test of a credential sends along", async () => {
		const { clientId, clientSecret } = sandbox.credentials;
		const { status } = await http.post(
			`${sandbox.url}/oauth/token`,
			new URLSearchParams({
				grant_type: 'client_credentials',
				client_id: clientId,
				client_secret: clientSecret,
			}),
			{ headers: { Authorization: 'Bearer abc.def.ghi' } },
		);
		expect(status).toBe(200);
	});

	it('takes nothing but a form', async () => {
		const { clientId, clientSecret } = sandbox.credentials;
		const answer = await http.post(`${sandbox.url}/oauth/token`, {
			grant_type: 'client_credentials',
			client_id: clientId,
			client_secret: clientSecret,
		});
		expect([answer.status, answer.data.error]).toEqual([415, 'invalid_request']);
	});

	it('can spell and time its tokens in other ways', async () => {
		Object.assign(sandbox.settings, { tokenType: 'bearer', expiresIn: 60 });
		expect((await askToken(sandbox)).data).toMatchObject({ token_type: 'bearer', expires_in: 60 });
		sandbox.settings.omitExpiresIn = true;
		expect((await askToken(sandbox)).data).not.toHaveProperty('expires_in');
	});

	it('takes changed credentials at once, and lets tokens of the former ones live', async () => {
		const partner = await partnerOf(sandbox);
		const { data } = await partner.create();
		sandbox.setCredentials({ clientId: 'another', clientSecret: 'changed' });
		expect((await askToken(sandbox, { client_id: 'sandbox_partner' })).status).toBe(401);
		expect((await askToken(sandbox)).status).toBe(200);
		expect((await partner.get(data.id)).status).toBe(200);
		expect((await (await partnerOf(sandbox)).get(data.id)).status).toBe(404);
	});
});

describe('a token', () => {
	it('lives one hour on the sandbox clock', async () => {
		const partner = await partnerOf(sandbox);
		sandbox.clock.advance(3_599_000);
		expect((await partner.create()).status).toBe(201);
		sandbox.clock.advance(1_000);
		const { status, data } = await partner.create();
		expect([status, data]).toEqual([401, { message: 'Unauthorized', statusCode: 401 }]);
	});

	it('lives as long as the settings say, even when the answer does not', async () => {
		Object.assign(sandbox.settings, { expiresIn: 60, omitExpiresIn: true });
		const partner = await partnerOf(sandbox);
		sandbox.clock.advance(59_000);
		expect((await partner.create()).status).toBe(201);
		sandbox.clock.advance(1_000);
		expect((await partner.create()).status).toBe(401);
	});

	it('is refused with 403 after its end when that is wanted, with 401 when it was revoked', async () => {
		sandbox.settings.expiredStatus = 403;
		const partner = await partnerOf(sandbox);
		sandbox.clock.advance(3_600_000);
		expect((await partner.create()).status).toBe(403);
		sandbox.revokeTokens();
		expect((await partner.create()).status).toBe(401);
		expect(sandbox.payments).toEqual([]);
	});

	it.each([
		['no header', {}],
		['an unknown token', { Authorization: 'Bearer abc.def.ghi' }],
		['a token without Bearer', { Authorization: 'TOKEN' }],
		['another scheme', { Authorization: 'bearer TOKEN' }],
	])('is needed: %s is refused', async (_what, headers: Record<string, string>) => {
		const { token } = await partnerOf(sandbox);
		const { status } = await http.get(
			`${sandbox.url}/v1/partner/payments/pay_x?access_token=${token}`,
			{
				headers: {
					'X-Merchant-Client-Id': 'merchant_abc123',
					...(headers.Authorization && {
						Authorization: headers.Authorization.replace('TOKEN', token),
					}),
				},
			},
		);
		expect(status).toBe(401);
	});
});
