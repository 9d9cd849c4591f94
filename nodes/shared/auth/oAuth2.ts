import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	IHttpRequestOptions,
	IN8nHttpFullResponse,
} from 'n8n-workflow';
import { baseUrlOf, OAUTH2_HOSTS, TOKEN_PATH } from '../api/hosts';
import type { ApiRequest } from '../api/request';
import { aborted } from '../backoff';
import { ApiError, Cancelled } from '../errors';
import {
	cancelSignalOf,
	credentialNameOf,
	helperContext,
	type RequestContext,
} from '../requestContext';
import { PROXY_ADVICE, type SendResult } from '../transport/response';
import { retry, TOKEN } from '../transport/retry';
import {
	type Auth,
	type Placement,
	type RejectedWords,
	secretsAmong,
	unsafeBaseUrlError,
} from './auth';
import {
	type AcountPayCredential,
	CREDENTIAL_TYPE,
	fingerprintOf,
	forNewToken,
	type TokenData,
} from './oAuth2/accessToken';
import { RejectedCredentials } from './oAuth2/rejectedCredentials';
import { NO_TOKEN, REJECTED, type TokenFailure, tokenFailureOf } from './oAuth2/tokenFailure';

/** A token is renewed when it has less than this left, in ms, as AcountPay's guide does. */
const RENEWAL_MARGIN = 5 * 60_000;
/** For how long a run asks for no token after it got none, in ms. A run that waits for a payment asks again after it. */
const TOKEN_FAILURE_LASTS = 60_000;

/** After so many new tokens in a row with which a rejected call was rejected again, the token is not the reason. */
const MAX_USELESS_RENEWALS = 3;

/** How long one response of the token endpoint is waited for, in ms. n8n itself waits five minutes. */
const TOKEN_TIMEOUT = 30_000;
const TOKEN_IS_LATE: TokenFailure = {
	what: 'it did not respond within 30 seconds',
	transient: true,
};

/**
 * OAuth2 client credentials (documented), through n8n's own OAuth2 code. It reads the credential once a run, lets one valid
 * token serve every item, and repeats a call whose token was rejected once.
 */
export class OAuth2 implements Auth {
	static readonly credentialType = CREDENTIAL_TYPE;
	static readonly option = {
		name: 'OAuth2',
		description:
			'AcountPay gave you a client_id, client_secret and webhook_secret for access tokens, before March 2026',
	};

	readonly credentialType = CREDENTIAL_TYPE;
	private token: TokenData = {};
	/** Every access token of this run: one that was replaced may still be accepted. */
	private readonly tokens = new Set<string>();
	private renewAt = Infinity;
	private rejectedToken?: string;
	/** How many new tokens in a row have not helped a rejected call. */
	private uselessRenewals = 0;
	/** The last of them. */
	private uselessToken?: TokenData;
	private renewal?: Promise<void>;
	private tokenError?: { error: ApiError; until: number };
	private readonly rejections: RejectedCredentials;

	private constructor(
		private readonly context: RequestContext,
		private current: AcountPayCredential,
		readonly baseUrl: string,
	) {
		this.rejections = new RejectedCredentials(
			'getContext' in context ? context.getContext('node') : {},
			context.getExecutionId(),
		);
		this.useCredential(current, RENEWAL_MARGIN);
	}

	/**
	 * Reads the node's credential; sends nothing.
	 * @throws ValidationError when its base URL may not be given a secret
	 */
	static async open(context: RequestContext): Promise<OAuth2> {
		const credential = await readCredential(context);
		const baseUrl = baseUrlOf(credential, OAUTH2_HOSTS);
		if (baseUrl === undefined) throw unsafeBaseUrlError(credentialNameOf(context, CREDENTIAL_TYPE));
		return new OAuth2(context, credential, baseUrl);
	}

	get credential(): ICredentialDataDecryptedObject {
		return this.current as unknown as ICredentialDataDecryptedObject;
	}

	/** The merchant is named in a header (documented). */
	place({ merchantId, body, query }: ApiRequest): Placement {
		return {
			...(merchantId !== undefined && { headers: { 'X-Merchant-Client-Id': merchantId } }),
			body,
			query,
		};
	}

	/** n8n adds the token. */
	async call(
		caller: IExecuteFunctions,
		options: IHttpRequestOptions,
	): Promise<IN8nHttpFullResponse> {
		return (await caller.helpers.httpRequestWithAuthentication.call(
			caller,
			CREDENTIAL_TYPE,
			options,
			{ oauth2: { tokenType: 'Bearer' } },
		)) as IN8nHttpFullResponse;
	}

	secrets(): string[] {
		return secretsAmong(this.current.clientSecret, this.current.webhookSecret, ...this.tokens);
	}

	rejectedWords(name: string): RejectedWords {
		return {
			message: `AcountPay did not accept the access token for ${name}`,
			advice: 'Check Client ID, Client Secret and Environment of the credential.',
		};
	}

	/**
	 * Sends with a valid token. When AcountPay rejects the token (401, or 403 once it has ended by the clock), it is renewed
	 * and the request repeated, once.
	 */
	async authenticate(send: () => Promise<SendResult>): Promise<SendResult> {
		await this.prepare();
		const { token } = this;
		const response = await send();
		const tokenWasRejected =
			response.status === 401 || (response.status === 403 && Date.now() >= expiryOf(token));
		if (!tokenWasRejected) {
			this.uselessRenewals = 0;
			return response;
		}
		if (this.uselessRenewals < MAX_USELESS_RENEWALS) this.rejectedToken = token.access_token;
		await this.prepare();
		const { token: renewed } = this;
		const repeated = await send();
		if (repeated.status === 401 && this.uselessToken !== renewed) {
			this.uselessToken = renewed;
			this.uselessRenewals++;
		}
		return repeated;
	}

	/**
	 * Sees to it that there is a token which the current id and secret got, and which does not end within five minutes.
	 * Calls at the same time share one request. Nothing is sent after a cancellation, also when it came meanwhile.
	 * @throws ApiError when AcountPay gives no token; Cancelled
	 */
	private async prepare(): Promise<void> {
		if (!this.hasValidToken()) {
			// A run asks in vain once, not once for each of its items.
			if (this.tokenError && Date.now() < this.tokenError.until) throw this.tokenError.error;
			this.renewal ??= this.renewToken().finally(() => {
				this.renewal = undefined;
			});
			await this.renewal;
		}
		if (this.cancelSignal?.aborted) throw new Cancelled();
	}

	private get cancelSignal(): AbortSignal | undefined {
		return cancelSignalOf(this.context);
	}

	private hasValidToken(): boolean {
		const { access_token } = this.token;
		return !!access_token && access_token !== this.rejectedToken && Date.now() < this.renewAt;
	}

	/**
	 * @param margin how long before its end the token counts as ended, in ms
	 * @param trusted the token was fetched just now
	 */
	private useCredential(credential: AcountPayCredential, margin: number, trusted = false): void {
		this.current = credential;
		const token = credential.oauthTokenData ?? {};
		const { acountPayFingerprint: fingerprint } = token;
		const isOurs =
			fingerprint === fingerprintOf(credential) || (trusted && fingerprint === undefined);
		this.token = isOurs ? token : {};
		if (this.token.access_token) this.tokens.add(this.token.access_token);
		this.renewAt = expiryOf(token) - margin;
	}

	private async renewToken(): Promise<void> {
		const failure = await retry(
			async () => await this.renewOnce(),
			(failed) => (failed?.transient ? 'backoff' : undefined),
			TOKEN,
			{ cancelSignal: this.cancelSignal },
		);
		if (!failure) return;
		const error = this.errorFor(failure);
		this.tokenError = { error, until: Date.now() + TOKEN_FAILURE_LASTS };
		throw error;
	}

	/** Takes the token that n8n has stored meanwhile, or asks for one. */
	private async renewOnce(): Promise<TokenFailure | undefined> {
		const credential = await readCredential(this.context);
		if (this.isAnotherPartner(credential)) throw this.editedError();
		this.useCredential(credential, RENEWAL_MARGIN);
		if (this.hasValidToken()) return undefined;
		if (this.cancelSignal?.aborted) throw new Cancelled();
		return await this.fetchTokenUnlessHopeless();
	}

	/**
	 * An execution is bound to one client ID and one host. If the credential changes meanwhile, stop instead of making the
	 * remaining payments as someone else.
	 */
	private isAnotherPartner(credential: AcountPayCredential): boolean {
		return (
			credential.clientId !== this.current.clientId ||
			baseUrlOf(credential, OAUTH2_HOSTS) !== this.baseUrl
		);
	}

	private editedError(): ApiError {
		return new ApiError(
			'unavailable',
			`The credential ${this.credentialName} was edited while this node ran`,
			'Nothing was sent for this item. Run it again to send it with the edited credential.',
		);
	}

	/** Asks for a token once, unless this execution has asked in vain with this id and secret often enough. */
	private async fetchTokenUnlessHopeless(): Promise<TokenFailure | undefined> {
		const fingerprint = fingerprintOf(this.current);
		const rejection = this.rejections.enough(fingerprint);
		if (rejection) return { ...REJECTED, status: rejection.status };
		const failure = await this.fetchToken();
		if (!failure) this.rejections.clear();
		else if (failure.rejected) this.rejections.add(fingerprint, failure.status);
		return failure;
	}

	/** Asks for a token once, through n8n. */
	private async fetchToken(): Promise<TokenFailure | undefined> {
		const limit = AbortSignal.timeout(TOKEN_TIMEOUT);
		const end = this.cancelSignal ? AbortSignal.any([limit, this.cancelSignal]) : limit;
		const caller = helperContext(
			this.context,
			forNewToken(this.toRenew()) as unknown as ICredentialDataDecryptedObject,
			this.cancelSignal,
		);
		const failure = await Promise.race([
			this.context.helpers.refreshOAuth2Token
				.call(caller, CREDENTIAL_TYPE, { tokenType: 'Bearer' })
				.then(() => undefined, tokenFailureOf),
			aborted(end).then(() => TOKEN_IS_LATE),
		]);
		if (failure) return failure;
		const credential = await readCredential(this.context);
		const left = expiryOf(credential.oauthTokenData ?? {}) - Date.now();
		// A token that lives shortly is used for half its life, or it would be renewed before every call.
		this.useCredential(credential, left > 0 ? Math.min(RENEWAL_MARGIN, left / 2) : -Infinity, true);
		// AcountPay gives out the same token once more: it is valid, and a call that is rejected again has another reason.
		if (this.token.access_token === this.rejectedToken) this.rejectedToken = undefined;
		return this.hasValidToken() ? undefined : NO_TOKEN;
	}

	/**
	 * The credential to get a token with. n8n lays the response over the old token's data, so that what is not in the
	 * response stays as it was: of the old data only the token itself is left, marked so that it does not pass for the new.
	 */
	private toRenew(): AcountPayCredential {
		const { access_token } = this.current.oauthTokenData ?? {};
		const oauthTokenData = access_token ? { access_token, acountPayReplaces: access_token } : {};
		return { ...this.current, oauthTokenData };
	}

	private errorFor({ what, rejected, transient, status, stoppedBy }: TokenFailure): ApiError {
		const { environment } = this.current;
		const credential = this.credentialName;
		if (rejected) {
			return new ApiError(
				'refused',
				`AcountPay refused the Client ID and Client Secret of the credential ${credential}`,
				`Check Client ID and Client Secret in that credential: they must be those of its environment (${environment}). Nothing was sent for this item.`,
				{ status },
			);
		}
		const advice = {
			n8n: `Ask the administrator of n8n to allow ${this.baseUrl}.`,
			proxy: PROXY_ADVICE,
			nobody: transient
				? `n8n asked ${this.baseUrl}${TOKEN_PATH} for about a minute. Run this item again later.`
				: `Check the environment (${environment}) of that credential, and whether ${this.baseUrl} can be reached from n8n.`,
		}[stoppedBy ?? 'nobody'];
		return new ApiError(
			'unavailable',
			`AcountPay gave no access token for the credential ${credential}: ${what}`,
			`${advice} Nothing was sent for this item.`,
			{ status },
		);
	}

	private get credentialName(): string {
		return credentialNameOf(this.context, CREDENTIAL_TYPE);
	}
}

const readCredential = async (context: RequestContext): Promise<AcountPayCredential> => {
	const credential = await context.getCredentials<AcountPayCredential>(CREDENTIAL_TYPE);
	return { ...credential, oauthTokenData: credential.oauthTokenData ?? {} };
};

/** When the token ends, in ms since 1970; never, as far as is known, when AcountPay did not say. */
const expiryOf = (token: TokenData): number => {
	const expiry = Number(token.n8n_expires_at ?? NaN);
	return Number.isFinite(expiry) ? expiry : Infinity;
};
