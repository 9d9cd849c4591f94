import type { IExecuteFunctions, IHttpRequestOptions, IWebhookFunctions } from 'n8n-workflow';
import { type ApiRequest, baseUrlOf, HOSTS, TOKEN_PATH } from './acountPayApi';
import {
	type AcountPayCredential,
	CREDENTIAL_NAME,
	fingerprintOf,
	forNewToken,
	type TokenData,
} from './credential';
import { codesOf, neverConnected } from './network';
import { aborted, growingPause, pause } from './pauses';
import { ApiProblem, FieldProblem, Stopped } from './problems';
import { NO_TOKEN, REFUSED, type TokenFailure, tokenFailureOf } from './tokenFailure';
import { TokenRefusals } from './tokenRefusals';

/** AcountPay's answer, of any status. */
export interface Answer {
	status: number;
	headers: Record<string, unknown>;
	body: Buffer;
}

/** No answer, or not the whole of one. */
export interface NoAnswer {
	status: undefined;
	/** False when no connection came about: then AcountPay can't have got the request. */
	sent: boolean;
	/** What happened, as the end of 'AcountPay …'. */
	what: string;
}

/** What n8n calls a node with, where the node asks AcountPay: a run, or a webhook that ends a wait. */
export type RequestContext = IExecuteFunctions | IWebhookFunctions;

/** A token is renewed when it has less than this left, in ms, as AcountPay's guide does. */
const RENEWAL_MARGIN = 5 * 60_000;
/** How long a token endpoint that is busy or out of order is asked again, in ms. */
const TOKEN_PATIENCE = 60_000;
const FIRST_TOKEN_PAUSE = 1_000;
const LONGEST_TOKEN_PAUSE = 16_000;
/** For how long a run does not ask again after it got no token, in ms: one that waits for a payment goes on for long. */
const TOKEN_REFUSAL_LASTS = 60_000;

/** After so many new tokens in a row with which a refused call was refused again, the token is not what is wrong. */
const MOST_VAIN_RENEWALS = 3;

/** How long one answer of the token endpoint is waited for, in ms. n8n itself waits five minutes. */
const TOKEN_TIMEOUT = 30_000;
const TOKEN_IS_LATE: TokenFailure = { what: 'did not answer within 30 seconds', passes: true };

/**
 * The authenticated way to AcountPay for one run of a node, through n8n's own OAuth2 code. It reads the credential once,
 * sees to it that one good token serves every item, and repeats a call whose token was refused, once.
 * How requests authenticate is known here and in the credential, and nowhere else.
 */
export class Connection {
	private token: TokenData = {};
	/** Every access token of this run: one that was replaced may still be accepted. */
	private readonly tokens = new Set<string>();
	private renewAt = Infinity;
	private refusedToken?: string;
	/** How many new tokens in a row have not helped a refused call. */
	private vainRenewals = 0;
	/** The last of them. */
	private vainToken?: TokenData;
	private renewal?: Promise<void>;
	private tokenRefusal?: { problem: ApiProblem; until: number };
	private readonly refusals: TokenRefusals;

	private constructor(
		private readonly context: RequestContext,
		private credential: AcountPayCredential,
		/** Where requests go, without a slash at its end. */
		readonly baseUrl: string,
	) {
		this.refusals = new TokenRefusals(
			'getContext' in context ? context.getContext('node') : {},
			context.getExecutionId(),
		);
		this.useCredential(credential, RENEWAL_MARGIN);
	}

	/**
	 * Reads the node's credential; sends nothing.
	 * @throws FieldProblem when its base URL may not be given a secret
	 */
	static async open(context: RequestContext): Promise<Connection> {
		const credential = await readCredential(context);
		const baseUrl = baseUrlOf(credential);
		if (baseUrl === undefined) {
			throw new FieldProblem(
				'Base URL',
				`of the credential ${nameOf(context)} must start with https://, or with http:// and be on this machine (localhost)`,
				'Open the credential and correct it. Nothing was sent.',
			);
		}
		return new Connection(context, credential, baseUrl);
	}

	/** Whether payments are real, also where 'Custom' names the host of production. */
	get isProduction(): boolean {
		return new URL(this.baseUrl).host === new URL(HOSTS.production).host;
	}

	/** Whether the credential has what webhooks are verified with. */
	get hasWebhookSecret(): boolean {
		return String(this.credential.webhookSecret ?? '').trim() !== '';
	}

	/** The signal that is aborted when the person or a time limit stops the execution. */
	get cancelSignal(): AbortSignal | undefined {
		return 'getExecutionCancelSignal' in this.context
			? this.context.getExecutionCancelSignal()
			: undefined;
	}

	/** Takes the secrets of the credential out of a text from outside. */
	redact(text: string): string {
		const { clientSecret, webhookSecret } = this.credential;
		return [clientSecret, webhookSecret, ...this.tokens]
			.filter((secret): secret is string => typeof secret === 'string' && secret !== '')
			.reduce((result, secret) => result.replaceAll(secret, '[secret]'), text);
	}

	/**
	 * Sees to it that there is a token which the current id and secret got, and which does not end within five minutes.
	 * Calls at the same time share one request.
	 * @throws ApiProblem when AcountPay gives no token; Stopped when the execution is stopped meanwhile
	 */
	async authenticate(): Promise<void> {
		if (this.hasGoodToken()) return;
		// A run asks in vain once, not once for each of its items.
		if (this.tokenRefusal && Date.now() < this.tokenRefusal.until) throw this.tokenRefusal.problem;
		this.renewal ??= this.renewToken().finally(() => {
			this.renewal = undefined;
		});
		await this.renewal;
	}

	/**
	 * Sends a request with the token. When AcountPay refuses the token (401, or 403 once it has ended by the clock), it is
	 * renewed and the request repeated, once. Redirects are not followed.
	 * A request that makes a payment is not cut off when the execution is stopped: its answer would be lost.
	 * @param timeout ms until the whole answer must be there
	 * @throws ApiProblem when a token is needed and AcountPay gives none; Stopped
	 */
	async send(request: ApiRequest, timeout: number): Promise<Answer | NoAnswer> {
		await this.authenticateOrStop();
		const { token } = this;
		const answer = await this.sendOnce(request, timeout);
		const tokenWasRefused =
			answer.status === 401 || (answer.status === 403 && Date.now() >= expiryOf(token));
		if (!tokenWasRefused) {
			this.vainRenewals = 0;
			return answer;
		}
		if (this.vainRenewals < MOST_VAIN_RENEWALS) this.refusedToken = token.access_token;
		await this.authenticateOrStop();
		const { token: renewed } = this;
		const repeated = await this.sendOnce(request, timeout);
		if (repeated.status === 401 && this.vainToken !== renewed) {
			this.vainToken = renewed;
			this.vainRenewals++;
		}
		return repeated;
	}

	/** Nothing is sent after a stop, also when it came while a token was asked for. */
	private async authenticateOrStop(): Promise<void> {
		await this.authenticate();
		if (this.cancelSignal?.aborted) throw new Stopped();
	}

	private async sendOnce(request: ApiRequest, timeout: number): Promise<Answer | NoAnswer> {
		const { method, path, headers, body, makesPayment } = request;
		const limit = AbortSignal.timeout(timeout);
		const cancel = makesPayment ? undefined : this.cancelSignal;
		const options: IHttpRequestOptions = {
			method,
			url: `${this.baseUrl}${path}`,
			headers: { ...headers },
			// As text: n8n's HTTP client drops keys such as 'constructor' from objects.
			...(body && { body: JSON.stringify(body) }),
			encoding: 'arraybuffer',
			timeout,
			returnFullResponse: true,
			// Also keeps n8n from renewing the token by itself, which before 2.41 it does once for every call.
			ignoreHttpStatusErrors: true,
			disableFollowRedirect: true,
		};
		try {
			const answer = await this.context.helpers.httpRequestWithAuthentication.call(
				this.caller(cancel ? AbortSignal.any([limit, cancel]) : limit),
				CREDENTIAL_NAME,
				options,
				{ oauth2: { tokenType: 'Bearer' } },
			);
			return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(answer.body) };
		} catch (error) {
			return noAnswerFrom(error, limit.aborted, timeout);
		}
	}

	/**
	 * The `this` that n8n's helpers are called with: it has the credential at hand, which n8n would otherwise read, decrypt
	 * and evaluate for each call, and the signal that may cut the call off.
	 */
	private caller(signal: AbortSignal | undefined, credential = this.credential): IExecuteFunctions {
		return Object.create(this.context, {
			getCredentials: { value: async () => credential },
			getExecutionCancelSignal: { value: () => signal },
		}) as IExecuteFunctions;
	}

	private hasGoodToken(): boolean {
		const { access_token } = this.token;
		return !!access_token && access_token !== this.refusedToken && Date.now() < this.renewAt;
	}

	/**
	 * @param margin how long before its end the token counts as ended, in ms
	 * @param trusted the token was fetched just now
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

	private async renewToken(): Promise<void> {
		const startedAt = Date.now();
		for (let tries = 1; ; tries++) {
			const credential = await readCredential(this.context);
			if (this.isAnotherPartner(credential)) throw this.editedProblem();
			this.useCredential(credential, RENEWAL_MARGIN);
			if (this.hasGoodToken()) return;
			if (this.cancelSignal?.aborted) throw new Stopped();

			const failure = await this.fetchTokenUnlessHopeless();
			if (!failure) return;

			const wait = growingPause(tries, FIRST_TOKEN_PAUSE, LONGEST_TOKEN_PAUSE);
			if (!failure.passes || Date.now() + wait - startedAt > TOKEN_PATIENCE) {
				const problem = this.tokenProblem(failure);
				this.tokenRefusal = { problem, until: Date.now() + TOKEN_REFUSAL_LASTS };
				throw problem;
			}
			if (!(await pause(wait, this.cancelSignal))) throw new Stopped();
		}
	}

	/** One run is one partner at one place: a token of another must not go there, nor make the rest of the payments. */
	private isAnotherPartner(credential: AcountPayCredential): boolean {
		return (
			credential.clientId !== this.credential.clientId || baseUrlOf(credential) !== this.baseUrl
		);
	}

	private editedProblem(): ApiProblem {
		return new ApiProblem(
			'unavailable',
			`The credential ${nameOf(this.context)} was edited while this node ran`,
			'No payment was made for this item. Run it again to send it with the edited credential.',
		);
	}

	/** Asks for a token once, unless this execution has asked in vain with this id and secret often enough. */
	private async fetchTokenUnlessHopeless(): Promise<TokenFailure | undefined> {
		const fingerprint = fingerprintOf(this.credential);
		const refusal = this.refusals.enough(fingerprint);
		if (refusal) return { ...REFUSED, status: refusal.status };
		const failure = await this.fetchToken();
		if (!failure) this.refusals.clear();
		else if (failure.refused) this.refusals.add(fingerprint, failure.status);
		return failure;
	}

	/** Asks for a token once, through n8n. */
	private async fetchToken(): Promise<TokenFailure | undefined> {
		const limit = AbortSignal.timeout(TOKEN_TIMEOUT);
		const end = this.cancelSignal ? AbortSignal.any([limit, this.cancelSignal]) : limit;
		const failure = await Promise.race([
			this.context.helpers.refreshOAuth2Token
				.call(this.caller(this.cancelSignal, forNewToken(this.toRenew())), CREDENTIAL_NAME, {
					tokenType: 'Bearer',
				})
				.then(() => undefined, tokenFailureOf),
			aborted(end).then(() => TOKEN_IS_LATE),
		]);
		if (failure) return failure;
		const credential = await readCredential(this.context);
		const left = expiryOf(credential.oauthTokenData ?? {}) - Date.now();
		// A token that lives shortly is used for half its life, or it would be renewed before every call.
		this.useCredential(credential, left > 0 ? Math.min(RENEWAL_MARGIN, left / 2) : -Infinity, true);
		// The same token once more is said to be good: when the call is refused again, that is about the call.
		if (this.token.access_token === this.refusedToken) this.refusedToken = undefined;
		return this.hasGoodToken() ? undefined : NO_TOKEN;
	}

	/**
	 * The credential to get a token with. n8n lays the answer over the old token's data, so that what is not in the answer
	 * stays as it was: of the old data only the token itself is left, marked so that it does not pass for the answer's.
	 */
	private toRenew(): AcountPayCredential {
		const { access_token } = this.credential.oauthTokenData ?? {};
		const oauthTokenData = access_token ? { access_token, acountPayReplaces: access_token } : {};
		return { ...this.credential, oauthTokenData };
	}

	private tokenProblem({ what, refused, passes, status }: TokenFailure): ApiProblem {
		const { environment } = this.credential;
		const credential = nameOf(this.context);
		if (refused) {
			return new ApiProblem(
				'refused',
				`AcountPay refused the Client ID and Client Secret of the credential ${credential}`,
				`Check Client ID and Client Secret in that credential, and that they are those of its environment (${environment}): sandbox and production have different ones. No payment was made for this item.`,
				{ status },
			);
		}
		return new ApiProblem(
			'unavailable',
			`AcountPay gave no access token for the credential ${credential}: it ${what}`,
			passes
				? `It was asked again for about a minute (${this.baseUrl}${TOKEN_PATH}). No payment was made for this item, so it can be run again later.`
				: `Check the environment (${environment}) of that credential, and whether ${this.baseUrl} can be reached from n8n. No payment was made for this item.`,
			{ status },
		);
	}
}

const readCredential = async (context: RequestContext): Promise<AcountPayCredential> => {
	const credential = await context.getCredentials<AcountPayCredential>(CREDENTIAL_NAME);
	return { ...credential, oauthTokenData: credential.oauthTokenData ?? {} };
};

const nameOf = (context: RequestContext) =>
	`'${context.getNode().credentials?.[CREDENTIAL_NAME]?.name ?? CREDENTIAL_NAME}'`;

/** When the token ends, in ms since 1970; never, as far as is known, when AcountPay did not say. */
const expiryOf = (token: TokenData): number => {
	const expiry = Number(token.n8n_expires_at ?? NaN);
	return Number.isFinite(expiry) ? expiry : Infinity;
};

/** Says what happened without anything of the error itself: it holds the request, with the token. */
function noAnswerFrom(error: unknown, timedOut: boolean, timeout: number): NoAnswer {
	if (neverConnected(error)) {
		return { status: undefined, sent: false, what: 'could not be reached' };
	}
	const late =
		timedOut || codesOf(error).some((code) => /^(ECONNABORTED|ETIMEDOUT|ERR_CANCELED)$/.test(code));
	return {
		status: undefined,
		sent: true,
		what: late
			? `did not answer within ${timeout / 1000} seconds`
			: 'broke off the connection before the whole answer was there',
	};
}
