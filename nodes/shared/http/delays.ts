import { sleep } from 'n8n-workflow';
import { Cancelled } from '../errors';

/** The longest delay that a response's `Retry-After` can ask for, in ms: a longer one is cut to this. */
export const MAX_RETRY_AFTER = 5 * 60_000;

const SLICE = 1_000;

/**
 * The delay before the next attempt: doubles with each attempt, up to `maxDelay`, with up to half of it taken away at
 * random, so that many callers do not try again at the same moment.
 * @param attempts how many attempts have been made, from 1
 * @param firstDelay the delay after the first attempt, in ms
 * @param maxDelay in ms
 */
export function backoff(attempts: number, firstDelay: number, maxDelay: number): number {
	const delay = Math.min(maxDelay, firstDelay * 2 ** (attempts - 1));
	return delay - (Math.random() * delay) / 2;
}

/**
 * The delay that a `Retry-After` header asks for.
 * @param value whole seconds or an HTTP date
 * @param now ms since 1970
 * @returns ms, at most {@link MAX_RETRY_AFTER}; undefined when there is no header or it holds neither form
 */
export function retryAfter(value: unknown, now: number): number | undefined {
	const text = String(value ?? '').trim();
	const date = /^[A-Za-z]{3,9}, /.test(text) ? Date.parse(text) : NaN;
	const delay = /^\d+$/.test(text) ? Number(text) * 1000 : date - now;
	return Number.isNaN(delay) ? undefined : Math.min(MAX_RETRY_AFTER, Math.max(0, delay));
}

/**
 * Waits, and stops waiting when the execution is cancelled.
 * @param ms how long
 * @param signal n8n's cancel signal of the execution
 * @returns whether the whole delay was waited; false: the execution is being cancelled
 */
export async function delay(ms: number, signal?: AbortSignal): Promise<boolean> {
	// In slices, since n8n's sleep can't be ended: a long timer left running would keep the process from exiting.
	for (let left = ms; left > 0 && !signal?.aborted; left -= SLICE) {
		await thisOrAbort(sleep(Math.min(left, SLICE)), signal);
	}
	return !signal?.aborted;
}

/**
 * Resolves when the signal is aborted.
 * @param forget when this signal is aborted, the first one is let go of
 */
export async function aborted(signal: AbortSignal, forget?: AbortSignal): Promise<void> {
	if (signal.aborted) return;
	await new Promise<void>((resolve) => {
		signal.addEventListener('abort', () => resolve(), { once: true, signal: forget });
	});
}

/** Resolves when a promise does, or as soon as the signal is aborted. */
async function thisOrAbort(promise: Promise<unknown>, signal?: AbortSignal): Promise<void> {
	if (!signal) return void (await promise);
	const waited = new AbortController();
	await Promise.race([promise, aborted(signal, waited.signal)]);
	// Removes the listener: the execution's signal outlives thousands of delays.
	waited.abort();
}

/**
 * Does work for a key once all earlier work for it has ended. A caller that gives up waiting does not let later ones pass it.
 * @param ends of the work that is under way, by key
 * @throws Cancelled when the signal is aborted before its turn; what `work` throws
 */
export async function inTurn<Key, Result>(
	ends: Map<Key, Promise<unknown>>,
	key: Key,
	signal: AbortSignal | undefined,
	work: () => Promise<Result>,
): Promise<Result> {
	const before = ends.get(key);
	const waitThenWork = async () => {
		if (before) {
			await thisOrAbort(before, signal);
			if (signal?.aborted) throw new Cancelled();
		}
		return await work();
	};
	const result = waitThenWork();
	const end: Promise<unknown> = Promise.allSettled([before, result]).then(() => {
		if (ends.get(key) === end) ends.delete(key);
	});
	ends.set(key, end);
	return await result;
}
