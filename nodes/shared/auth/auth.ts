import { createHash } from 'node:crypto';
import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	IExecuteFunctions,
	IHttpRequestOptions,
	IN8nHttpFullResponse,
} from 'n8n-workflow';
import { type AcountPayHost, baseUrlOf, type Hosts } from '../api/hosts';
import type { ApiRequest } from '../api/request';
import { ValidationError } from '../errors';
import type { SendResult } from '../http/response';
import { credentialNameOf, type RequestContext } from '../requestContext';

/** A request's parts as the authentication wants them, except for secrets, which are added as it is sent. */
export interface RequestParts {
	headers?: Record<string, string>;
	/** The whole body. */
	body?: IDataObject;
	/** The whole query. */
	query?: ApiRequest['query'];
}

/** A credential with a partner's client ID and secret, as n8n hands it to a node. */
export type PartnerCredential = ICredentialDataDecryptedObject &
	AcountPayHost & { clientId: string; clientSecret: string; webhookSecret?: string };

/** The words of an error. */
export interface ErrorWords {
	message: string;
	/** What to do now. */
	advice: string;
}

/**
 * One way to authenticate at AcountPay, for one run of a node. Everything that differs between the ways stands behind
 * this interface. A new way is a class like that of `apiKeys.ts`, a line in `AUTH_METHODS` of `index.ts`, and a credential in
 * `credentials/` and `package.json`.
 */
export interface Auth {
	/** Where requests go, without a slash at its end. */
	readonly baseUrl: string;
	/** The credential, for n8n's helper to authenticate with. */
	readonly credential: ICredentialDataDecryptedObject;
	/** What tells the credential's account from others. Holds no secret. */
	readonly account: string;
	/** Names the request's merchant, in a header, in the body or in the query. */
	partsOf(request: ApiRequest): RequestParts;
	/**
	 * Calls `exchange` when the authentication is in order, and once more when AcountPay refused an outdated one.
	 * @throws ApiError when AcountPay gives nothing to authenticate with; Cancelled
	 */
	authenticate(exchange: () => Promise<SendResult>): Promise<SendResult>;
	/**
	 * Has n8n send a request with the secrets.
	 * @param caller what n8n's helpers are called with
	 * @throws whatever n8n throws, which may hold secrets
	 */
	call(caller: IExecuteFunctions, options: IHttpRequestOptions): Promise<IN8nHttpFullResponse>;
	/** Every secret that requests of this run may have carried. */
	secrets(): string[];
	/**
	 * The words for a request that AcountPay refused with 401.
	 * @param name of the thing that was asked for, as part of a sentence
	 */
	unauthorizedWords(name: string): ErrorWords;
}

/** A hash of what tells an account from others: its client ID and secret. It gives nothing of a secret away. */
export const accountOf = ({ clientId, clientSecret }: PartnerCredential): string =>
	createHash('sha256')
		.update(JSON.stringify([clientId, clientSecret]))
		.digest('base64url');

/** The texts among these values: the secrets that a credential has. */
export const secretsAmong = (...values: unknown[]): string[] =>
	values.filter((value): value is string => typeof value === 'string' && value !== '');

/**
 * Where requests with a credential go.
 * @param type of the credential
 * @throws ValidationError when its base URL may not be given a secret
 */
export function safeBaseUrl(
	context: RequestContext,
	type: string,
	credential: AcountPayHost,
	hosts: Hosts,
): string {
	const baseUrl = baseUrlOf(credential, hosts);
	if (baseUrl !== undefined) return baseUrl;
	throw new ValidationError(
		'Base URL',
		`of the credential ${credentialNameOf(context, type)} must start with https://, or with http:// and be on this machine (localhost)`,
		'Open the credential and correct it. Nothing was sent.',
	);
}
