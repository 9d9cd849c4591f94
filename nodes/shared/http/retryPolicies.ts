import { backoff, delay } from './delays';
import { Cancelled } from '../errors';

/**
 * How often, and for how long, something is sent again. Which response is worth another attempt is decided in
 * `shared/transport/sendWithRetries.ts`; for an access token, in `shared/auth/oAuth2/tokenFailure.ts`. Together:
 *
 * | response                                    | a read            | a request that creates something | an access token |
 * | ------------------------------------------- | ----------------- | --------------------------------- | --------------- |
 * | 429                                         | RATE_LIMITED      | RATE_LIMITED: nothing was created | TOKEN           |
 * | 5xx, 408, no response, unreadable           | READ              | never: it may have been created   | TOKEN           |
 * | cut off or timed out while connecting       | READ              | never                             | TOKEN           |
 * | no such host, closed port, blocked by n8n   | READ              | never                             | never           |
 * | redirect, other 4xx                         | never             | never                             | never           |
 * | 401, or 403 with a token that has ended     | once, renewed     | once, renewed                     | never           |
 *
 * After a 429, this file decides how long to keep trying, `AdaptiveLimiter` how long each pause is, and `delays.ts` the longest
 * `Retry-After` that is believed. `sendWithRetries.ts` uses RATE_LIMITED and READ, `shared/auth/oAuth2/tokenSource.ts` TOKEN; the
 * last row is in `oAuth2.ts` beside it. Polling is not a retry.
 */
export interface RetryPolicy {
	/** Whether to give up, `elapsed` ms after the first of these attempts, when the next would come in `delay` ms. */
	isExhausted(attempts: number, elapsed: number, delay: number): boolean;
	/** The delay after the first attempt, in ms; it doubles with each. */
	firstDelay: number;
	/** In ms. */
	maxDelay: number;
}

const RATE_LIMIT_ATTEMPTS = 10;
const RATE_LIMIT_ELAPSED = 2 * 60_000;
/** For rate limited requests: they are sent again until both limits are reached. */
export const RATE_LIMITED: RetryPolicy = {
	isExhausted: (attempts, elapsed) =>
		attempts >= RATE_LIMIT_ATTEMPTS && elapsed >= RATE_LIMIT_ELAPSED,
	// The delay itself is the limiter's: all requests of the run hold back together.
	firstDelay: 0,
	maxDelay: 0,
};

const READ_ATTEMPTS = 5;
const FIRST_READ_DELAY = 500;
/** For repeatable requests. */
export const READ: RetryPolicy = {
	isExhausted: (attempts) => attempts >= READ_ATTEMPTS,
	firstDelay: FIRST_READ_DELAY,
	maxDelay: 8_000,
};

/** How long the token endpoint is asked again while it is rate limiting or failing, in ms. */
const TOKEN_ELAPSED = 60_000;
/** For access tokens. */
export const TOKEN: RetryPolicy = {
	isExhausted: (_attempts, elapsed, nextDelay) => elapsed + nextDelay > TOKEN_ELAPSED,
	firstDelay: 1_000,
	maxDelay: 16_000,
};

/** What else ends the attempts, besides the policy. */
export interface RetryLimits {
	/** Until when, in ms since 1970, an attempt may be made; if undefined, as long as the policy says. */
	deadline?: number;
	/** n8n's cancel signal of the execution. */
	cancelSignal?: AbortSignal;
}

/**
 * Makes attempts until one needs no other, or the policy or the deadline ends them.
 * @param transientDelay for a result that another attempt may improve: the delay that was asked for, in ms, or `backoff`;
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
