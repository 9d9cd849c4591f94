import { baseUrlOf, OAUTH2_HOSTS } from '../../api/hosts';
import { aborted } from '../../http/delays';
import { ApiError, Cancelled } from '../../errors';
import {
	cancelSignalOf,
	credentialNameOf,
	helperContext,
	type RequestContext,
} from '../../requestContext';
import { retry, TOKEN } from '../../http/retryPolicies';
import {
	type AcountPayCredential,
	CREDENTIAL_TYPE,
	expiryOf,
	fingerprintOf,
	forNewToken,
	readCredential,
	type TokenData,
} from './accessToken';
import { NO_TOKEN, REFUSED, type TokenFailure, tokenError, tokenFailureOf } from './tokenFailure';

/** A token is renewed when it has less than this left, in ms, as AcountPay's guide does. */
const RENEWAL_MARGIN = 5 * 60_000;
/** For how long a run asks for no token after it got none, in ms. A run that waits for a payment asks again after it. */
const TOKEN_FAILURE_LASTS = 60_000;

/** How often one execution asks for a token with an ID and secret that AcountPay refuses. */
const MAX_REFUSALS = 4;

/**
 * What n8n's node context holds of the token requests that AcountPay refused. It lives through the attempts of 'Retry On Fail'
 * and the iterations of a loop. Another execution starts counting from zero, and so does an edited credential.
 */
interface NodeMemory {
	tokenRefusals?: { executionId: string; fingerprint: string; count: number; status?: number };
}

/** If this many new tokens in a row didn't help a refused call, the token is not the reason. */
const MAX_USELESS_RENEWALS = 3;

/** How long one response of the token endpoint is waited for, in ms. n8n itself waits five minutes. */
const TOKEN_TIMEOUT = 30_000;
const TOKEN_IS_LATE: TokenFailure = {
	what: 'it did not respond within 30 seconds',
	transient: true,
};

/** The access token of one run. n8n fetches and stores it; this class decides when. It reads the credential once per token. */
export class TokenSource {
	/** Every access token of this run: one that was replaced may still be accepted. */
	readonly tokens = new Set<string>();
	private token: TokenData = {};
	private renewAt = Infinity;
	private refusedToken?: string;
	/** How many new tokens in a row have not helped a refused call. */
	private uselessRenewals = 0;
	/** The last token that did not help. */
	private uselessToken?: TokenData;
	private renewal?: Promise<void>;
	private failure?: { error: ApiError; until: number };
	private readonly memory: NodeMemory;

	/**
	 * @param credential the node's credential, as it was read; later the one with the present token
	 * @param baseUrl where this run's requests go
	 */
	constructor(
		private readonly context: RequestContext,
		public credential: AcountPayCredential,
		private readonly baseUrl: string,
	) {
		this.memory = 'getContext' in context ? context.getContext('node') : {};
		this.useCredential(credential, RENEWAL_MARGIN);
	}

	/**
	 * A token issued for the current client ID and secret, and not about to end. Calls at the same time share one request.
	 * A cancellation is checked last, so that nothing is sent after it.
	 * @throws ApiError when AcountPay gives no token; Cancelled
	 */
	async get(): Promise<TokenData> {
		if (!this.hasValidToken()) {
			// After a failure, the run doesn't ask again for every item.
			if (this.failure && Date.now() < this.failure.until) throw this.failure.error;
			this.renewal ??= this.renew().finally(() => {
				this.renewal = undefined;
			});
			await this.renewal;
		}
		if (this.cancelSignal?.aborted) throw new Cancelled();
		return this.token;
	}

	/** AcountPay accepted a call's token. */
	accepted(): void {
		this.uselessRenewals = 0;
	}

	/** AcountPay refused a call with this token: the next call gets a new token, unless new ones have not helped. */
	refused(token: TokenData): void {
		if (this.uselessRenewals < MAX_USELESS_RENEWALS) this.refusedToken = token.access_token;
	}

	/** AcountPay refused the call again, with the new token. */
	refusedAgain(renewed: TokenData): void {
		if (this.uselessToken === renewed) return;
		this.uselessToken = renewed;
		this.uselessRenewals++;
	}

	private get cancelSignal(): AbortSignal | undefined {
		return cancelSignalOf(this.context);
	}

	private hasValidToken(): boolean {
		const { access_token } = this.token;
		return !!access_token && access_token !== this.refusedToken && Date.now() < this.renewAt;
	}

	/**
	 * @param margin how long before its end the token counts as ended, in ms
	 * @param trusted whether the token was just fetched: then a missing fingerprint is fine
	 */
	private useCredential(credential: AcountPayCredential, margin: number, trusted = false): void {
		this.credential = credential;
		const token = credential.oauthTokenData ?? {};
		const { acountPayFingerprint: fingerprint } = token;
		const isOurs =
			fingerprint === fingerprintOf(credential) || (trusted && fingerprint === undefined);
		this.token = isOurs ? token : {};
		if (this.token.access_token) this.tokens.add(this.token.access_token);
		this.renewAt = expiryOf(token) - margin;
	}

	private async renew(): Promise<void> {
		const failure = await retry(
			async () => await this.renewOnce(),
			(failed) => (failed?.transient ? 'backoff' : undefined),
			TOKEN,
			{ cancelSignal: this.cancelSignal },
		);
		if (!failure) return;
		const { environment } = this.credential;
		const error = tokenError(failure, this.credentialName, environment, this.baseUrl);
		this.failure = { error, until: Date.now() + TOKEN_FAILURE_LASTS };
		throw error;
	}

	/** Takes the token that n8n has stored meanwhile, or asks for one, unless AcountPay has refused to give one too often. */
	private async renewOnce(): Promise<TokenFailure | undefined> {
		const credential = await readCredential(this.context);
		this.requireSamePartner(credential);
		this.useCredential(credential, RENEWAL_MARGIN);
		if (this.hasValidToken()) return undefined;
		if (this.cancelSignal?.aborted) throw new Cancelled();
		const fingerprint = fingerprintOf(credential);
		// A call by an MCP client has no execution ID: then n8n gives undefined.
		const executionId = this.context.getExecutionId();
		const known = this.memory.tokenRefusals;
		const isSame = known?.fingerprint === fingerprint && known.executionId === executionId;
		const refusals = isSame ? known : { executionId, fingerprint, count: 0 };
		// Parallel calls of a tool have the same memory: each counts.
		this.memory.tokenRefusals = refusals;
		if (refusals.count >= MAX_REFUSALS) return { ...REFUSED, status: refusals.status };
		const failure = await this.fetchToken();
		if (failure?.refused)
			Object.assign(refusals, { count: refusals.count + 1, status: failure.status });
		else if (!failure) delete this.memory.tokenRefusals;
		return failure;
	}

	/**
	 * An execution is bound to one client ID and one host. If the credential changes meanwhile, stop instead of creating the
	 * remaining payments as someone else.
	 */
	private requireSamePartner(credential: AcountPayCredential): void {
		const isSameHost = baseUrlOf(credential, OAUTH2_HOSTS) === this.baseUrl;
		if (isSameHost && credential.clientId === this.credential.clientId) return;
		throw new ApiError(
			'unavailable',
			`The credential ${this.credentialName} was edited while this node ran`,
			'Nothing was sent for this item. Run it again to send it with the edited credential.',
		);
	}

	/** Asks for a token once, through n8n. */
	private async fetchToken(): Promise<TokenFailure | undefined> {
		const limit = AbortSignal.timeout(TOKEN_TIMEOUT);
		const end = this.cancelSignal ? AbortSignal.any([limit, this.cancelSignal]) : limit;
		const caller = helperContext(this.context, forNewToken(this.toRenew()), this.cancelSignal);
		const failure = await Promise.race([
			this.context.helpers.refreshOAuth2Token
				.call(caller, CREDENTIAL_TYPE, { tokenType: 'Bearer' })
				.then(() => undefined, tokenFailureOf),
			aborted(end).then(() => TOKEN_IS_LATE),
		]);
		if (failure) return failure;
		const credential = await readCredential(this.context);
		const left = expiryOf(credential.oauthTokenData ?? {}) - Date.now();
		// A short-lived token is used for half its life, or it would be renewed before every call. One that ends at once is used until
		// AcountPay refuses it: another one would end as soon.
		this.useCredential(credential, left > 0 ? Math.min(RENEWAL_MARGIN, left / 2) : -Infinity, true);
		// AcountPay issued the same token again: it is valid, so a call that is refused with it has another reason.
		if (this.token.access_token === this.refusedToken) this.refusedToken = undefined;
		return this.hasValidToken() ? undefined : NO_TOKEN;
	}

	/**
	 * The credential to get a token with. n8n merges the response into the old token's data, so fields that the response lacks
	 * would keep their old values. Of that data only the old token is kept, marked so that it does not pass for the new one.
	 */
	private toRenew(): AcountPayCredential {
		const { access_token } = this.credential.oauthTokenData ?? {};
		const oauthTokenData = access_token ? { access_token, acountPayReplaces: access_token } : {};
		return { ...this.credential, oauthTokenData };
	}

	private get credentialName(): string {
		return credentialNameOf(this.context, CREDENTIAL_TYPE);
	}
}
