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
import { RATE_LIMITED, READ, retry, type RetryLimits } from '../http/retryPolicies';

/** What the item's options say about its requests. */
export interface CallOptions extends Pick<RetryLimits, 'deadline'> {
	/** ms until the whole response to one request must be there. */
	timeout: number;
	/** Of a create: whether to send a request again although it may have created something. */
	resendUnknown?: boolean;
	/** Once aborted, nothing is sent but the repeats of a create that was sent before. */
	endSignal?: AbortSignal;
	/** Whether it jumps the queue of requests that wait to be sent: it follows up on one that was sent. */
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
		let result: SendResult | undefined;
		observer?.sending();
		try {
			result = await client.exchange(request, options.timeout);
		} finally {
			// `exchange` throws when there is nothing to authenticate with: AcountPay has not acted on the request.
			if (!result || isRateLimited(result)) observer?.notCreated();
		}
		return result;
	};
	let isRepeat = false;
	const attempt = async () => {
		const { deadline = Infinity } = options;
		const { pausedFor } = limiter;
		// Without such a pause it is sent even at the deadline itself, as the last look.
		if (!isRepeat && pausedFor > 0 && Date.now() + pausedFor > deadline) {
			throw new NotSentError('AcountPay takes no requests until after the time limit', 'later');
		}
		// A create that was sent once is seen through, unless the execution is cancelled.
		const signal = isRepeat && !request.repeatable ? cancelSignal : options.endSignal;
		const result = await limiter
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
		return result;
	};
	const untilResumed = (last: SendResult) => (isRateLimited(last) ? limiter.pausedFor : undefined);
	return await retry(attempt, untilResumed, RATE_LIMITED, { ...options, cancelSignal });
}

/** What a response says about how much AcountPay can take. */
function verdictOn(result: SendResult): Verdict {
	if (isRateLimited(result)) {
		const pause = retryAfter(result.headers['retry-after'], Date.now());
		return { kind: 'rateLimited', retryAfter: pause };
	}
	const { status } = result;
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
	sendResult: SendResult;
	result?: Result;
	/** Whether no other attempt can improve it. */
	isFinal: boolean;
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
): Promise<{ result: Result } | { failure: SendResult }> {
	const { cancelSignal } = client;
	let last: Attempt<Result> | undefined;
	const attempt = async (): Promise<Attempt<Result>> => {
		last = await sendAtMostOnce(client, request, options).then(
			(sendResult) => {
				const result = isSuccess(sendResult) ? read(sendResult) : undefined;
				const isFinal = result !== undefined || isRefusal(sendResult) || isRedirect(sendResult);
				return { sendResult, result, isFinal };
			},
			(error: unknown) => {
				// The result of the attempt before says more than 'not sent'.
				if (last && error instanceof NotSentError) return { ...last, isFinal: true };
				throw error;
			},
		);
		if (cancelSignal?.aborted) throw new Cancelled();
		return last;
	};
	const { sendResult, result } = await retry(
		attempt,
		({ isFinal }) => (isFinal ? undefined : 'backoff'),
		READ,
		{ ...options, cancelSignal },
	);
	return result !== undefined ? { result } : { failure: sendResult };
}
