import type { IExecuteFunctions, IHttpRequestOptions, IN8nHttpFullResponse } from 'n8n-workflow';
import { OAUTH2_HOSTS } from '../../api/hosts';
import type { ApiRequest } from '../../api/request';
import type { RequestContext } from '../../requestContext';
import type { SendResult } from '../../http/response';
import {
	accountOf,
	type Auth,
	type ErrorWords,
	type RequestParts,
	safeBaseUrl,
	secretsAmong,
} from '../auth';
import {
	type AcountPayCredential,
	CREDENTIAL_TYPE,
	expiryOf,
	readCredential,
	type TokenData,
} from './accessToken';
import { TokenSource } from './tokenSource';

/**
 * OAuth2 client credentials (documented), through n8n's own OAuth2 code. One valid token serves every item of a run, and a
 * call whose token was refused is repeated once with a new one.
 */
export class OAuth2 implements Auth {
	static readonly credentialType = CREDENTIAL_TYPE;
	static readonly hosts = OAUTH2_HOSTS;
	static readonly option = {
		name: 'Access Tokens',
		description:
			'AcountPay gave you a client_id, client_secret and webhook_secret for access tokens, before March 2026',
	};

	private constructor(
		private readonly source: TokenSource,
		readonly baseUrl: string,
	) {}

	/**
	 * Reads the node's credential; sends nothing.
	 * @throws ValidationError when its base URL may not be given a secret
	 */
	static async open(context: RequestContext): Promise<OAuth2> {
		const credential = await readCredential(context);
		const baseUrl = safeBaseUrl(context, CREDENTIAL_TYPE, credential, OAUTH2_HOSTS);
		return new OAuth2(new TokenSource(context, credential, baseUrl), baseUrl);
	}

	get credential(): AcountPayCredential {
		return this.source.credential;
	}

	get account(): string {
		return accountOf(this.credential);
	}

	/** The merchant is named in a header (documented). */
	partsOf({ merchantClientId, body, query }: ApiRequest): RequestParts {
		return {
			...(merchantClientId !== undefined && {
				headers: { 'X-Merchant-Client-Id': merchantClientId },
			}),
			body,
			query,
		};
	}

	/** n8n adds the token. */
	async call(caller: IExecuteFunctions, options: IHttpRequestOptions) {
		const { httpRequestWithAuthentication } = caller.helpers;
		const how = { oauth2: { tokenType: 'Bearer' } };
		const response = httpRequestWithAuthentication.call(caller, CREDENTIAL_TYPE, options, how);
		return (await response) as IN8nHttpFullResponse;
	}

	secrets(): string[] {
		const { credential, tokens } = this.source;
		return secretsAmong(credential.clientSecret, credential.webhookSecret, ...tokens);
	}

	unauthorizedWords(name: string): ErrorWords {
		return {
			message: `AcountPay did not accept the access token for ${name}`,
			advice: 'Check Client ID, Client Secret and Environment of the credential.',
		};
	}

	/**
	 * Sends with a valid token. When AcountPay refuses the token (401, or 403 once it has ended by the clock), it is renewed
	 * and the request repeated, once.
	 */
	async authenticate(exchange: () => Promise<SendResult>): Promise<SendResult> {
		const token = await this.source.get();
		const response = await exchange();
		if (!isTokenRefused(response, token)) {
			this.source.accepted();
			return response;
		}
		this.source.refused(token);
		const renewed = await this.source.get();
		const repeated = await exchange();
		if (repeated.status === 401) this.source.refusedAgain(renewed);
		return repeated;
	}
}

const isTokenRefused = ({ status }: SendResult, token: TokenData): boolean =>
	status === 401 || (status === 403 && Date.now() >= expiryOf(token));
