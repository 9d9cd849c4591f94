import {
	addFingerprint,
	fingerprintOf,
	forNewToken,
	type TokenData,
} from '../../../../../nodes/shared/auth/oAuth2/accessToken';

describe('the fingerprint', () => {
	const credential = {
		environment: 'custom' as const,
		baseUrl: 'https://a.test',
		clientId: 'id',
		clientSecret: 's3cret',
	};

	it('is the same for the same id, secret and place', () => {
		expect(fingerprintOf(credential)).toMatch(/^[0-9a-f]{64}$/);
		expect(fingerprintOf({ ...credential, baseUrl: 'https://a.test/', webhookSecret: 'w' })).toBe(
			fingerprintOf(credential),
		);
	});

	it.each([
		[{ clientId: 'other' }],
		[{ clientSecret: 'other' }],
		[{ baseUrl: 'https://b.test' }],
		[{ environment: 'sandbox' as const }],
		[{ environment: 'production' as const }],
	])('is another with %p', (edit) => {
		expect(fingerprintOf({ ...credential, ...edit })).not.toBe(fingerprintOf(credential));
	});

	const given = async (oauthTokenData: object) =>
		(await addFingerprint({ ...credential, oauthTokenData } as never)).oauthTokenData;

	it('is put on a token, which loses the one that it replaces', async () => {
		const token = { access_token: 'new', expires_in: 3600 };
		const marked = {
			...token,
			n8n_expires_at: expect.stringMatching(/^\d+$/),
			token_type: 'Bearer',
			acountPayFingerprint: fingerprintOf(credential),
		};
		expect(await given(token)).toEqual(marked);
		expect(await given({ ...token, acountPayReplaces: 'old' })).toEqual(marked);
		expect(await given({ ...token, acountPayReplaces: 'new' })).toEqual(marked);
		expect(await given({ access_token: 'new', acountPayReplaces: 'old' })).toMatchObject({
			access_token: 'new',
		});
	});

	it('is never put on a token of before an edit that no answer has replaced', async () => {
		expect(await given({ access_token: 'old', acountPayReplaces: 'old' })).toEqual({});
		expect(await given({})).toEqual({});
	});
});

describe('a new token that n8n puts into the credential', () => {
	const credential = {
		environment: 'sandbox' as const,
		clientId: 'id',
		clientSecret: 's3cret',
		oauthTokenData: { access_token: 'old' },
	};
	const store = (token: TokenData) => {
		const copy = forNewToken(credential);
		expect(copy).toEqual(credential);
		copy.oauthTokenData = token;
		expect(credential.oauthTokenData).toEqual({ access_token: 'old' });
		return { ...copy }.oauthTokenData!;
	};

	it('gets a fingerprint, its end, and a type that n8n puts into a header', () => {
		const before = Date.now();
		const token = store({ access_token: 'new', token_type: 'mac', expires_in: 3600 });
		expect(token).toEqual({
			access_token: 'new',
			token_type: 'Bearer',
			expires_in: 3600,
			n8n_expires_at: expect.stringMatching(/^\d+$/),
			acountPayFingerprint: fingerprintOf(credential),
		});
		const life = Number(token.n8n_expires_at) - before;
		expect(life).toBeGreaterThanOrEqual(3_600_000);
		expect(life).toBeLessThan(3_610_000);
	});

	it('keeps the end that n8n has noted', () => {
		const token = store({ access_token: 'new', expires_in: '3600', n8n_expires_at: '12345' });
		expect(token.n8n_expires_at).toBe('12345');
	});

	it.each([undefined, 0, '', 'soon'])('has no end when AcountPay says %p', (expires_in) => {
		expect(store({ access_token: 'new', expires_in })).not.toHaveProperty('n8n_expires_at');
	});
});
