import { createHmac, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import { apiError, Refusal, tokenError, type Answer } from '../answer';
import type { Clock } from '../clock';

/** What a partner is given when it registers. */
export interface Credentials {
	clientId: string;
	clientSecret: string;
	webhookSecret: string;
}

/** How the token endpoint may differ from what is documented; tests change these at any time. */
export interface TokenSettings {
	/** `token_type` as answered, in any spelling; documented: 'Bearer'. */
	tokenType: string;
	/** The life of tokens given from now on, in seconds on the sandbox's clock; documented: 3600. */
	expiresIn: number;
	/** Leaves `expires_in` out of the answer; the token still ends. */
	omitExpiresIn: boolean;
	/** What an ended token is refused with. Assumed: 401. */
	expiredStatus: 401 | 403;
}

/** The documented behaviour of the token endpoint. */
export const DOCUMENTED_TOKEN: TokenSettings = {
	tokenType: 'Bearer',
	expiresIn: 3600,
	omitExpiresIn: false,
	expiredStatus: 401,
};

const SCOPE = 'payments:create payments:read';

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The token endpoint and the check of bearer tokens. */
export class OAuth {
	private readonly tokens = new Map<string, { partner: string; endsAt: number }>();

	constructor(
		private readonly credentials: Credentials,
		private readonly settings: TokenSettings,
		private readonly clock: Clock,
	) {}

	/**
	 * Answers `POST /oauth/token`. Strict: only what is documented is sent, so credentials in a Basic
	 * header and a `scope` are refused. An empty `scope`, which n8n before 2.41 sends, counts as not sent (RFC 6749, 3.2).
	 * @param form the parsed form
	 * @throws Refusal for everything but the documented request
	 */
	grant(headers: IncomingHttpHeaders, form: Record<string, unknown>): Answer {
		// Another scheme says nothing here: n8n's test of a credential sends the token it has along.
		if (/^basic\b/i.test(headers.authorization ?? '')) {
			const hint = 'Send client_id and client_secret in the body, without a Basic header';
			throw new Refusal(tokenError(400, 'invalid_request', hint));
		}
		if (form.scope) {
			throw new Refusal(tokenError(400, 'invalid_scope', 'Send no scope'));
		}
		if (form.grant_type !== 'client_credentials') {
			throw new Refusal(tokenError(400, 'invalid_grant'));
		}
		const { clientId, clientSecret } = this.credentials;
		if (form.client_id !== clientId || form.client_secret !== clientSecret) {
			throw new Refusal(tokenError(401, 'invalid_client'));
		}
		const { tokenType, expiresIn, omitExpiresIn } = this.settings;
		return {
			status: 200,
			headers: { 'cache-control': 'no-store' },
			body: {
				access_token: this.issue(clientId, expiresIn),
				token_type: tokenType,
				...(omitExpiresIn ? {} : { expires_in: expiresIn }),
				scope: SCOPE,
			},
		};
	}

	/**
	 * The partner (client id) whose token the request carries as `Authorization: Bearer <token>`.
	 * @throws Refusal with 401 when there is no good token, or with `expiredStatus` when it has ended
	 */
	partner(headers: IncomingHttpHeaders): string {
		const token = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
		const known = token === undefined ? undefined : this.tokens.get(token);
		if (!known) throw new Refusal(apiError(401));
		if (known.endsAt <= this.clock.now()) throw new Refusal(apiError(this.settings.expiredStatus));
		return known.partner;
	}

	/** Ends every token given so far, before its time. */
	revokeAll(): void {
		this.tokens.clear();
	}

	private issue(partner: string, expiresIn: number): string {
		const now = this.clock.now();
		const seconds = Math.floor(now / 1000);
		const claims = { sub: partner, scope: SCOPE, iat: seconds, exp: seconds + expiresIn };
		const head = base64url({ alg: 'HS256', typ: 'JWT' });
		const signed = `${head}.${base64url({ ...claims, jti: randomUUID() })}`;
		const key = this.credentials.clientSecret;
		const token = `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
		this.tokens.set(token, { partner, endsAt: now + expiresIn * 1000 });
		return token;
	}
}
