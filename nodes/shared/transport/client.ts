import type { IHttpRequestOptions } from 'n8n-workflow';
import { isProduction } from '../api/hosts';
import type { ApiRequest } from '../api/request';
import { webhookSecretIn } from '../api/webhookSecret';
import { openAuth } from '../auth';
import type { Auth, ErrorWords } from '../auth/auth';
import { Redactor } from '../redaction';
import { cancelSignalOf, helperContext, type RequestContext } from '../requestContext';
import { AdaptiveLimiter } from './adaptiveLimiter';
import { buildRequest, type BuiltRequest } from './buildRequest';
import { networkFailureOf } from '../http/networkErrors';
import {
	type ApiResponse,
	isSuccess,
	isWebPage,
	proxyFailureOf,
	type SendResult,
} from '../http/response';
import { ServerClock } from './serverClock';

/** Sends requests to AcountPay through n8n's own HTTP helper, for one run of a node. */
export class Client {
	/** Redacts secrets that requests may have carried. */
	private readonly sentSecrets = new Redactor();
	/** Redacts secrets that arrived in responses. Used for text shown to people, not for later responses. */
	private readonly receivedSecrets = new Redactor();

	/** Decides how many requests of this run are in flight at once. */
	readonly limiter: AdaptiveLimiter;

	/** AcountPay's clock, as the responses of this run show it. */
	readonly clock = new ServerClock();

	private constructor(
		private readonly context: RequestContext,
		private readonly auth: Auth,
		maxConcurrency: number,
	) {
		this.limiter = new AdaptiveLimiter(maxConcurrency);
	}

	/**
	 * Reads the node's credential; sends nothing.
	 * @param maxConcurrency the most requests in flight at once
	 * @throws ValidationError when its base URL may not be given a secret
	 */
	static async open(context: RequestContext, maxConcurrency = 1): Promise<Client> {
		return new Client(context, await openAuth(context), maxConcurrency);
	}

	/** Where requests go, without a slash at its end. */
	get baseUrl(): string {
		return this.auth.baseUrl;
	}

	/** Identifies the credential's account. Holds no secret. */
	get account(): string {
		return this.auth.account;
	}

	/** Whether payments are real. */
	get isProduction(): boolean {
		return isProduction(this.baseUrl);
	}

	/** Whether the credential has a secret that webhooks are verified with. */
	get hasWebhookSecret(): boolean {
		return webhookSecretIn(this.auth.credential) !== '';
	}

	/** The signal that is aborted when the user or a time limit cancels the execution. */
	get cancelSignal(): AbortSignal | undefined {
		return cancelSignalOf(this.context);
	}

	/** Keeps a secret out of every error from now on. */
	hide(secret: string): void {
		this.receivedSecrets.add(secret);
	}

	/** Removes the secrets of this run from a text from outside. */
	redact(text: string): string {
		return this.receivedSecrets.text(this.withoutSent(text));
	}

	/** Removes the secrets that requests of this run may have carried. */
	private withoutSent(text: string): string {
		for (const secret of this.auth.secrets()) this.sentSecrets.add(secret);
		return this.sentSecrets.text(text);
	}

	/** The words for a request that AcountPay refused with 401. */
	unauthorizedWords(name: string): ErrorWords {
		return this.auth.unauthorizedWords(name);
	}

	/** The request with everything that is sent, except for the secrets that n8n adds. */
	buildRequest(request: ApiRequest): BuiltRequest {
		return buildRequest(request, this.auth);
	}

	/**
	 * Sends a request. When AcountPay refuses an outdated authentication, it is renewed and the request sent once more.
	 * Redirects are not followed. A request that is not repeatable is not cut off when the execution is cancelled: its
	 * response would be lost.
	 * @param timeout ms until the whole response must be there
	 * @throws ApiError when AcountPay gives nothing to authenticate with; Cancelled
	 */
	async exchange(request: ApiRequest, timeout: number): Promise<SendResult> {
		return await this.auth.authenticate(async () => await this.roundTrip(request, timeout));
	}

	private async roundTrip(request: ApiRequest, timeout: number): Promise<SendResult> {
		const { baseUrl, path, headers, query, body: content } = this.buildRequest(request);
		const limit = AbortSignal.timeout(timeout);
		const cancel = request.repeatable ? this.cancelSignal : undefined;
		const options: IHttpRequestOptions = {
			method: request.method,
			url: `${baseUrl}${path}`,
			headers,
			...(query && { qs: query }),
			// As text: n8n's HTTP client drops keys such as 'constructor' from objects.
			...(content && { body: JSON.stringify(content) }),
			encoding: 'arraybuffer',
			timeout,
			returnFullResponse: true,
			disableFollowRedirect: true,
		};
		const signal = cancel ? AbortSignal.any([limit, cancel]) : limit;
		const record: HttpRecord = { sent: true };
		const helpers = recordingHelpers(this.context.helpers, record);
		const caller = helperContext(this.context, this.auth.credential, signal, helpers);
		const sentAt = Date.now();
		try {
			const { statusCode, headers: received, body: bytes } = await this.auth.call(caller, options);
			const whole = { status: statusCode, headers: received, body: Buffer.from(bytes as Buffer) };
			for (const secret of request.secretsIn?.(whole.body) ?? []) this.hide(secret);
			const response = this.redacted(whole);
			// Any other response may come from a proxy, whose clock isn't AcountPay's.
			if (record.sent && isSuccess(response) && !isWebPage(response)) {
				this.clock.observe(received, sentAt, Date.now());
			}
			return proxyFailureOf(response, record.sent) ?? response;
		} catch (error) {
			const size = Buffer.byteLength(options.body?.toString() ?? '');
			return networkFailureOf(record.error ?? error, limit.aborted, timeout, size);
		}
	}

	/** A response without secrets: servers echo what they were sent, and n8n stores responses, images included. */
	private redacted(response: ApiResponse): ApiResponse {
		const text = response.body.toString('utf8');
		const redacted = this.withoutSent(text);
		return redacted === text ? response : { ...response, body: Buffer.from(redacted) };
	}
}

type Helpers = RequestContext['helpers'];

/** A response as axios attaches it to its error. */
interface FailedRequest {
	response?: { status: number; headers: Record<string, unknown>; data: unknown };
	request?: { writableFinished?: unknown };
}

/** What became of one request, besides what n8n returns or throws. */
interface HttpRecord {
	/** What the HTTP client threw, before n8n wrapped it. */
	error?: unknown;
	/** Whether the request with the last response was written to a connection; false for a response to CONNECT. */
	sent: boolean;
}

/**
 * The helpers for one call of n8n, in which every HTTP status is a response. Otherwise n8n before 2.41 would renew the
 * token by itself for every refused call, and its error would not say whether the request was sent.
 */
const recordingHelpers = (helpers: Helpers, record: HttpRecord): Helpers => ({
	...helpers,
	httpRequest: async (options) =>
		await helpers.httpRequest(options).catch((error: FailedRequest) => {
			const { response, request } = error;
			if (!response) {
				record.error = error;
				throw error;
			}
			record.sent = request?.writableFinished !== false;
			return { statusCode: response.status, headers: response.headers, body: response.data };
		}),
});
