import type { ApiRequest } from '../api/request';
import { backoff, delay, retryAfter } from '../backoff';
import { ApiError, Cancelled } from '../errors';
import { ServerDown, type Verdict } from './adaptiveLimiter';
import type { Client } from './client';
import { isRateLimited, isRedirect, isRejection, type Sent } from './response';

/**
 * Everything that is sent again, and everything that never is.
 *
 * | what came                                   | a read            | a request that makes something | an access token |
 * | ------------------------------------------- | ----------------- | ------------------------------ | --------------- |
 * | 429                                         | RATE_LIMITED      | RATE_LIMITED: nothing was made | TOKEN           |
 * | 5xx, 408, no response, unreadable           | READ              | never: it may have been made   | TOKEN           |
 * | never connected                             | READ              | never                          | never           |
 * | redirect, other 4xx                         | never             | never                          | never           |
 * | 401, or 403 with a token that has ended     | once, renewed     | once, renewed                  | never           |
 *
 * The last row is in the authentication. Polling is no retry: a wait asks again because the customer has not paid yet.
 */
export interface RetryPolicy {
	/** Whether to give up: after so many attempts, `elapsed` ms after the first, when the next would come in `delay` ms. */
	isExhausted(attempts: number, elapsed: number, delay: number): boolean;
	/** The delay after the first attempt, in ms; it doubles with each. */
	firstDelay: number;
	/** In ms. */
	maxDelay: number;
}

/** Rate limited requests are sent again until both limits are reached. */
const RATE_LIMIT_ATTEMPTS = 10;
const RATE_LIMIT_ELAPSED = 2 * 60_000;
const RATE_LIMITED: RetryPolicy = {
	isExhausted: (attempts, elapsed) =>
		attempts >= RATE_LIMIT_ATTEMPTS && elapsed >= RATE_LIMIT_ELAPSED,
	// The delay itself is the limiter's: all requests of the run hold back together.
	firstDelay: 0,
	maxDelay: 0,
};

const READ_ATTEMPTS = 5;
const FIRST_READ_DELAY = 500;
const READ: RetryPolicy = {
	isExhausted: (attempts) => attempts >= READ_ATTEMPTS,
	firstDelay: FIRST_READ_DELAY,
	maxDelay: 8_000,
};

/** How long the token endpoint is asked again while it is rate limited or out of order, in ms. */
const TOKEN_ELAPSED = 60_000;
/** For access tokens. */
export const TOKEN: RetryPolicy = {
	isExhausted: (_attempts, elapsed, nextDelay) => elapsed + nextDelay > TOKEN_ELAPSED,
	firstDelay: 1_000,
	maxDelay: 16_000,
};

export interface RetryLimits {
	/** Until when, in ms since 1970, an attempt may be made; without, as the policy says. */
	deadline?: number;
	/** n8n's cancel signal of the execution. */
	cancelSignal?: AbortSignal;
}

/**
 * Makes attempts until one needs no other, or the policy or the deadline ends them.
 * @param transientDelay of a result that another attempt may better: the delay that was asked for, in ms, or `backoff`;
 *   undefined for a result that stands
 * @returns the last attempt's result
 * @throws Cancelled when the execution is cancelled during a delay; whatever `attempt` throws
 */
export async function retry<Result>(
	attempt: () => Promise<Result>,
	transientDelay: (result: Result) => number | 'backoff' | undefined,
	policy: RetryPolicy,
	{ deadline = Infinity, cancelSignal }: RetryLimits,
): Promise<Result> {
	const startedAt = Date.now();
	for (let attempts = 1; ; attempts++) {
		const result = await attempt();
		const asked = transientDelay(result);
		if (asked === undefined) return result;
		const wait =
			asked === 'backoff' ? backoff(attempts, policy.firstDelay, policy.maxDelay) : asked;
		const now = Date.now();
		if (policy.isExhausted(attempts, now - startedAt, wait) || now + wait > deadline) return result;
		if (!(await delay(wait, cancelSignal))) throw new Cancelled();
	}
}

/** What the item's options say about its requests. */
export interface CallOptions {
	/** ms until the whole response to one request must be there. */
	timeout: number;
	/** Until when, in ms since 1970, a request may be sent again; without, as long as the policy says. */
	deadline?: number;
	/** Whether to make something again whose outcome is unknown. */
	resendUnknown: boolean;
	/** Aborted when no request may be sent for the first time any more. */
	endSignal?: AbortSignal;
	/** Whether it comes before requests that wait to be sent: it is about one that was sent. */
	comesFirst?: boolean;
}

/** Told of each attempt at a request that makes something. */
export interface AttemptObserver {
	/** The request is about to leave. */
	sending(): void;
	/** AcountPay has not acted on it. */
	notMade(): void;
}

/**
 * Sends a request, and sends it again while AcountPay is rate limiting: it has done nothing then.
 * @throws ApiError or Cancelled
 */
export async function send(
	client: Client,
	request: ApiRequest,
	options: CallOptions,
	observer?: AttemptObserver,
): Promise<Sent> {
	const { limiter, cancelSignal } = client;
	const sendOnce = async () => {
		let sent: Sent | undefined;
		observer?.sending();
		try {
			sent = await client.send(request, options.timeout);
		} finally {
			// An error is about the authentication: AcountPay did not get as far as this request.
			if (!sent || isRateLimited(sent)) observer?.notMade();
		}
		return sent;
	};
	let isRepeat = false;
	const attempt = async () => {
		const { deadline = Infinity } = options;
		const { pausedFor } = limiter;
		// A request right at the deadline is the last look, and is made.
		if (!isRepeat && pausedFor > 0 && Date.now() + pausedFor > deadline) {
			throw new NotSentError('AcountPay takes no requests until after the time limit', 'later');
		}
		// A request that was sent once is seen through, unless the execution is cancelled.
		const signal = isRepeat ? cancelSignal : options.endSignal;
		const sent = await limiter
			.run(sendOnce, verdictOn, { again: isRepeat || options.comesFirst, signal })
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
	const untilResumed = (sent: Sent) => (isRateLimited(sent) ? limiter.pausedFor : undefined);
	return await retry(attempt, untilResumed, RATE_LIMITED, limitsOf(client, options));
}

/** What a response says about how much AcountPay can take. */
function verdictOn(sent: Sent): Verdict {
	if (isRateLimited(sent)) {
		return { kind: 'refused', retryAfter: retryAfter(sent.headers['retry-after'], Date.now()) };
	}
	const { status } = sent;
	return { kind: status === undefined || status === 408 || status >= 500 ? 'failed' : 'ok' };
}

/** An attempt that was held back or given up before it left. What was sent before it has made nothing. */
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
	sent: Sent;
	result?: Result;
	/** Whether no other attempt can better it. */
	stands: boolean;
}

/**
 * Sends a repeatable request, and sends it again while the response is missing or can't be used.
 * @param read takes what is wanted out of a successful response; undefined: it can't be used
 * @returns what was read, or the last response or failure
 * @throws ApiError or Cancelled
 */
export async function sendRepeatedly<Result>(
	client: Client,
	request: ApiRequest,
	options: CallOptions,
	read: (sent: Sent) => Result | undefined,
): Promise<{ result: Result } | { failed: Sent }> {
	let last: Attempt<Result> | undefined;
	const attempt = async (): Promise<Attempt<Result>> => {
		try {
			const sent = await send(client, request, options);
			const result = read(sent);
			const stands = result !== undefined || isRejection(sent) || isRedirect(sent);
			last = { sent, result, stands };
		} catch (error) {
			// The item was asked about before, and the response to that says more.
			if (!last || !(error instanceof NotSentError)) throw error;
			last.stands = true;
		}
		if (client.cancelSignal?.aborted) throw new Cancelled();
		return last;
	};
	const { sent, result } = await retry(
		attempt,
		({ stands }) => (stands ? undefined : 'backoff'),
		READ,
		limitsOf(client, options),
	);
	return result !== undefined ? { result } : { failed: sent };
}

const limitsOf = ({ cancelSignal }: Client, { deadline }: CallOptions): RetryLimits => ({
	cancelSignal,
	deadline,
});
