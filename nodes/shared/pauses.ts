import { sleep } from 'n8n-workflow';

/** The longest pause that an answer's `Retry-After` can ask for, in ms: a longer one is cut to this. */
export const LONGEST_PAUSE = 5 * 60_000;

const SLICE = 1_000;

/**
 * The pause before the next try when the answer names none: doubles with each try, up to `longest`, with up to half of
 * it taken away at random, so that many callers do not come back at the same moment.
 * @param tries how many tries have been made, from 1
 * @param first the pause after the first try, in ms
 * @param longest in ms
 */
export function growingPause(tries: number, first: number, longest: number): number {
	const pause = Math.min(longest, first * 2 ** (tries - 1));
	return pause - (Math.random() * pause) / 2;
}

/**
 * The pause that a `Retry-After` header asks for.
 * @param value whole seconds or an HTTP date
 * @param now ms since 1970
 * @returns ms, at most {@link LONGEST_PAUSE}; undefined when there is no header or it says neither
 */
export function retryAfter(value: unknown, now: number): number | undefined {
	const text = String(value ?? '').trim();
	let pause: number;
	if (/^\d+$/.test(text)) pause = Number(text) * 1000;
	else if (/^[A-Za-z]{3,9}, /.test(text)) pause = Date.parse(text) - now;
	else return undefined;
	return Number.isNaN(pause) ? undefined : Math.min(LONGEST_PAUSE, Math.max(0, pause));
}

/**
 * Waits, and stops waiting when the person stops the execution.
 * @param ms how long
 * @param signal n8n's cancel signal of the execution
 * @returns whether the whole pause was waited; false: the execution is being stopped
 */
export async function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
	const waited = new AbortController();
	const stopped = signal && aborted(signal, waited.signal);
	// In slices, since n8n's sleep can't be ended: a timer left over would keep a process alive that wants to end.
	for (let left = ms; left > 0 && !signal?.aborted; left -= SLICE) {
		const slice = sleep(Math.min(left, SLICE));
		await (stopped ? Promise.race([slice, stopped]) : slice);
	}
	// Lets go of the execution's signal, which outlives thousands of pauses.
	waited.abort();
	return !signal?.aborted;
}

/**
 * Comes when the signal is aborted.
 * @param forget when this one is aborted, the signal is let go of
 */
export async function aborted(signal: AbortSignal, forget?: AbortSignal): Promise<void> {
	if (signal.aborted) return;
	await new Promise<void>((resolve) => {
		signal.addEventListener('abort', () => resolve(), { once: true, signal: forget });
	});
}
