import type { NetworkFailure } from './response';

/** With one of these no connection came about: a wrong host, a server that is off, a certificate that is not trusted. */
const NEVER_CONNECTED =
	/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT_.*|ERR_TLS_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*)$/;

/** The error codes of an error and of what caused it, the outermost first. */
export function codesOf(error: unknown): string[] {
	if (typeof error !== 'object' || error === null) return [];
	const { code, cause } = error as { code?: unknown; cause?: unknown };
	return [...(typeof code === 'string' ? [code] : []), ...codesOf(cause)];
}

/** Whether the error means that no connection came about, so that nothing can have been sent. */
export function neverConnected(error: unknown): boolean {
	return codesOf(error).some((code) => NEVER_CONNECTED.test(code));
}

/**
 * What became of a request that got no whole response. Nothing of the error itself gets out: it holds the request, with
 * the token.
 * @param timedOut whether the time limit has cut the request off
 * @param timeout that limit, in ms
 */
export function networkFailureOf(
	error: unknown,
	timedOut: boolean,
	timeout: number,
): NetworkFailure {
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
