import type { Sandbox } from '../../sandbox';
import { fingerprintOf } from '../../nodes/shared/auth/oAuth2/accessToken';
import type { Engine } from './harness';
import { engineFor } from '../kit/engine';
import { credentialFor } from '../kit/payments';

/** An engine whose credential has this base URL, and a token that is still good for an hour. */
export async function withToken(sandbox: Sandbox, baseUrl: string): Promise<Engine> {
	const engine = await engineFor(sandbox, { baseUrl });
	await engine.credential.setOauthTokenData({
		access_token: 'eyJ-a-token',
		token_type: 'Bearer',
		n8n_expires_at: String(Date.now() + 3_600_000),
		acountPayFingerprint: fingerprintOf(credentialFor(sandbox, { baseUrl }) as never),
	} as never);
	return engine;
}
