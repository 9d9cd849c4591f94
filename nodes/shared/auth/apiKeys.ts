import type { IExecuteFunctions, IHttpRequestOptions, IN8nHttpFullResponse } from 'n8n-workflow';
import { KEY_HOSTS } from '../api/hosts';
import type { ApiRequest } from '../api/request';
import { ApiError } from '../errors';
import { credentialNameOf, type RequestContext } from '../requestContext';
import { isWebPage, type SendResult } from '../http/response';
import {
	accountOf,
	type Auth,
	type ErrorWords,
	type PartnerCredential,
	type RequestParts,
	safeBaseUrl,
	secretsAmong,
} from './auth';

const CREDENTIAL_TYPE = 'acountPayKeyApi';

/** For how long a run sends nothing after AcountPay has refused the keys, in ms. A wait asks again after it. */
const REFUSAL_LASTS = 10_000;

/** The headers that carry a pair of keys (documented). */
export const KEY_HEADERS = {
	clientId: 'X-Partner-Client-Id',
	clientSecret: 'X-Partner-Client-Secret',
} as const;

/** A pair of keys in the headers of each request (documented). There is nothing to fetch or to renew. */
export class ApiKeys implements Auth {
	static readonly credentialType = CREDENTIAL_TYPE;
	static readonly hosts = KEY_HOSTS;
	static readonly option = {
		name: 'API Keys',
		description:
			'You have a client ID and secret from the Partner Dashboard (partner.acountpay.com, API Credentials)',
	};

	/** Until when AcountPay, which has refused the keys, is not asked with them again, in ms since 1970. */
	private refusedUntil = 0;

	private constructor(
		private readonly context: RequestContext,
		readonly credential: PartnerCredential,
		readonly baseUrl: string,
	) {}

	/**
	 * Reads the node's credential; sends nothing.
	 * @throws ValidationError when its base URL may not be given a secret
	 */
	static async open(context: RequestContext): Promise<ApiKeys> {
		const credential = await context.getCredentials<PartnerCredential>(CREDENTIAL_TYPE);
		const baseUrl = safeBaseUrl(context, CREDENTIAL_TYPE, credential, KEY_HOSTS);
		return new ApiKeys(context, credential, baseUrl);
	}

	get account(): string {
		return accountOf(this.credential);
	}

	/** The merchant is named in the body of what is created for it, and in the query of a list (documented). */
	partsOf({ merchantClientId, body, query }: ApiRequest): RequestParts {
		if (merchantClientId === undefined) return { body, query };
		return body
			? { body: { ...body, merchantClientId }, query }
			: { query: { ...query, merchantClientId } };
	}

	/**
	 * Sends, unless AcountPay has refused the keys just now.
	 * @throws ApiError
	 */
	async authenticate(exchange: () => Promise<SendResult>): Promise<SendResult> {
		if (Date.now() < this.refusedUntil) {
			const advice = `${this.advice} Nothing was sent for this item.`;
			throw new ApiError('refused', this.refusal, advice, { status: 401 });
		}
		const result = await exchange();
		if (result.status === 401 && !isWebPage(result)) this.refusedUntil = Date.now() + REFUSAL_LASTS;
		return result;
	}

	/**
	 * Has n8n send a request with the keys. They are added here and not by the credential, so that the credential is of no
	 * use to another node.
	 */
	async call(caller: IExecuteFunctions, options: IHttpRequestOptions) {
		const { clientId, clientSecret } = this.credential;
		const keys = { [KEY_HEADERS.clientId]: clientId, [KEY_HEADERS.clientSecret]: clientSecret };
		return (await caller.helpers.httpRequest({
			...options,
			headers: { ...options.headers, ...keys },
			abortSignal: caller.getExecutionCancelSignal(),
		})) as IN8nHttpFullResponse;
	}

	secrets(): string[] {
		return secretsAmong(this.credential.clientSecret, this.credential.webhookSecret);
	}

	unauthorizedWords(name: string): ErrorWords {
		return { message: `${this.refusal} for ${name}`, advice: this.advice };
	}

	private get refusal(): string {
		return `AcountPay refused the API keys of the credential ${credentialNameOf(this.context, CREDENTIAL_TYPE)}`;
	}

	private get advice(): string {
		return `Copy Client ID and Client Secret from the Partner Dashboard into that credential again, and check that they are those of its environment (${this.credential.environment}).`;
	}
}
