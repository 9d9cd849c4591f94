/* eslint-disable @n8n/community-nodes/no-restricted-globals -- runs outside n8n */
/**
 * Lets Ctrl-C end the work in an orderly way: the first one aborts the signal that is returned, a
 * second one ends the process at once. Terminating the process (SIGTERM) does the same.
 */
export function abortOnSignals(): AbortSignal {
	const abort = new AbortController();
	const onSignal = () => {
		if (abort.signal.aborted) process.exit(1);
		abort.abort();
	};
	// A listener that stays: libraries that restore the terminal or remove locks end the process when they are the last.
	process.on('SIGINT', onSignal);
	process.on('SIGTERM', onSignal);
	return abort.signal;
}
