import type { ApiRequest } from '../api/request';
import { retryAfter } from '../http/delays';
import { ApiError, Cancelled } from '../errors';
import { ServerDown, type Verdict } from './adaptiveLimiter';
import type { Client } from './client';
import {
	type ApiResponse,
	isRateLimited,
	isRedirect,
	isRefusal,
	isSuccess,
	type SendResult,
} from '../http/response';
import { RATE_LIMITED, READ, retry, type RetryLimits } from '../http/retry';

/** What the item's options say about its requests. */
export interface CallOptions extends Pick<RetryLimits, 'deadline'> {
	/** ms until the whole response to one request must be there. */
	timeout: number;
	/** Of a create: whether to send a request again although it may have created something. */
	resendUnknown?: boolean;
	/** Aborted when no read may be sent any more, and nothing else for the first time. */
	endSignal?: AbortSignal;
	/** Whether it goes before requests that wait to be sent: it is about one that was sent already. */
	comesFirst?: boolean;
}

/** Told of each attempt at a request that creates something. */
interface AttemptObserver {
	/** The request is about to leave. */
	sending(): void;
	/** AcountPay has not acted on it. */
	notCreated(): void;
}

/**
 * Sends a request, and sends it again while AcountPay responds 429: then it has done nothing.
 * @throws ApiError or Cancelled
 */
export async function sendAtMostOnce(
	client: Client,
	request: ApiRequest,
	options: CallOptions,
	observer?: AttemptObserver,
): Promise<SendResult> {
	const { limiter, cancelSignal } = client;
	const exchange = async () => {
		let sent: SendResult | undefined;
		observer?.sending();
		try {
			sent = await client.exchange(request, options.timeout);
		} finally {
			// An error is about the authentication: AcountPay did not get as far as this request.
			if (!sent || isRateLimited(sent)) observer?.notCreated();
		}
		return sent;
	};
	let isRepeat = false;
	const attempt = async () => {
		const { deadline = Infinity } = options;
		const { pausedFor } = limiter;
		// A request right at the deadline is the last look, and is sent.
		if (!isRepeat && pausedFor > 0 && Date.now() + pausedFor > deadline) {
			throw new NotSentError('AcountPay takes no requests until after the time limit', 'later');
		}
		// A create that was sent once is seen through, unless the execution is cancelled.
		const signal = isRepeat && !request.repeatable ? cancelSignal : options.endSignal;
		const sent = await limiter
			.run(exchange, verdictOn, { again: isRepeat || options.comesFirst, signal })
			.catch((error: unknown) => {
				if (error instanceof ServerDown) {
					throw new NotSentError(
						isRepeat
							? 'AcountPay refused its request as one too many, and then failed several requests in a row'
							: 'AcountPay failed several requests in a row',
						'when AcountPay responds again',
						isRepeat,
					);
				}
				throw signal?.aborted && error === signal.reason ? new Cancelled() : error;
			});
		isRepeat = true;
		return sent;
	};
	const untilResumed = (sent: SendResult) => (isRateLimited(sent) ? limiter.pausedFor : undefined);
	return await retry(attempt, untilResumed, RATE_LIMITED, { ...options, cancelSignal });
}

/** What a response says about how much AcountPay can take. */
function verdictOn(sent: SendResult): Verdict {
	if (isRateLimited(sent)) {
		return { kind: 'rateLimited', retryAfter: retryAfter(sent.headers['retry-after'], Date.now()) };
	}
	const { status } = sent;
	return { kind: status === undefined || status === 408 || status >= 500 ? 'failed' : 'ok' };
}

/** An attempt that was held back or given up before it was sent. Earlier attempts have created nothing. */
class NotSentError extends ApiError {
	/** @param isRepeat whether AcountPay has refused an earlier attempt with 429 */
	constructor(reason: string, runAgain: string, isRepeat = false) {
		super(
			'unavailable',
			`Nothing was ${isRepeat ? 'accepted' : 'sent'} for this item: ${reason}`,
			`Run this item again ${runAgain}.`,
		);
	}
}

/** An attempt at a repeatable request. */
interface Attempt<Result> {
	sent: SendResult;
	result?: Result;
	/** Whether no other attempt can improve it. */
	stands: boolean;
}

/**
 * Sends a repeatable request, and sends it again while the response is missing or can't be used.
 * @param read takes what is wanted out of a successful response; undefined: it can't be used
 * @returns what was read, or the last response or failure
 * @throws ApiError or Cancelled
 */
export async function sendUntilUsable<Result>(
	client: Client,
	request: ApiRequest,
	options: CallOptions,
	read: (response: ApiResponse) => Result | undefined,
): Promise<{ result: Result } | { failed: SendResult }> {
	const { cancelSignal } = client;
	let last: Attempt<Result> | undefined;
	const attempt = async (): Promise<Attempt<Result>> => {
		last = await sendAtMostOnce(client, request, options).then(
			(sent) => {
				const result = isSuccess(sent) ? read(sent) : undefined;
				const stands = result !== undefined || isRefusal(sent) || isRedirect(sent);
				return { sent, result, stands };
			},
			(error: unknown) => {
				// The item was asked about before, and the response to that says more.
				if (last && error instanceof NotSentError) return { ...last, stands: true };
				throw error;
			},
		);
		if (cancelSignal?.aborted) throw new Cancelled();
		return last;
	};
	const { sent, result } = await retry(
		attempt,
		({ stands }) => (stands ? undefined : 'backoff'),
		READ,
		{ ...options, cancelSignal },
	);
	return result !== undefined ? { result } : { failed: sent };
}
