/** npm and tsx hand signals on: one Ctrl-C can arrive several times. */
const SAME_SIGNAL_MS = 1000;

/**
 * Lets Ctrl-C (or SIGTERM) end the work in an orderly way: the first aborts the signal that is
 * returned, one more ends the process at once.
 */
export function abortOnSignals(): AbortSignal {
	const abort = new AbortController();
	let abortedAt = Infinity;
	const onSignal = () => {
		if (Date.now() - abortedAt > SAME_SIGNAL_MS) process.exit(1);
		if (abort.signal.aborted) return;
		abortedAt = Date.now();
		abort.abort(new Error('Stopped by a signal'));
	};
	// Listeners that stay: libraries that restore the terminal or remove locks end the process when theirs are the last.
	process.on('SIGINT', onSignal);
	process.on('SIGTERM', onSignal);
	return abort.signal;
}
