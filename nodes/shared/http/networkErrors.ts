import type { NetworkFailure } from './response';

/** Node refuses to send a request that is malformed; nothing leaves. */
const MALFORMED =
	/^(ERR_INVALID_URL|ERR_INVALID_CHAR|ERR_INVALID_HTTP_TOKEN|ERR_INVALID_PROTOCOL|ERR_UNESCAPED_CHARACTERS|ERR_HTTP_INVALID_HEADER_VALUE)$/;

/** The server's certificate is not trusted, so Node ends the connection before it sends the request. */
const UNTRUSTED =
	/^(CERT|UNABLE_TO)_|^(ERR_TLS_CERT_ALTNAME_INVALID|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$/;

/** The steps before there is a connection: a name that is not found, a port that is closed, a host that is not reached. */
const CONNECTING = ['connect', 'getaddrinfo'];

/** The names of n8n's own errors on blocked addresses and hosts (n8n 2.12 and later). */
const BLOCKED_BY_N8N = /^(Ssrf\w*|UnknownConnectionHost)Error$/;

/** That a time limit ended the request. */
const TIMEOUT = /^(ECONNABORTED|ETIMEDOUT|ERR_CANCELED)$/;

/** How far the causes of an error are followed. An error may be its own cause. */
const MAX_DEPTH = 8;

/** A body up to this size, in bytes, is written whole or not at all; of a larger one a part may have left. */
const WRITTEN_AT_ONCE = 16 * 1024;

/** The parts of an error of Node, axios or n8n that are looked at. */
interface RawError {
	name?: unknown;
	code?: unknown;
	syscall?: unknown;
	message?: unknown;
	description?: unknown;
	cause?: unknown;
	/** Of an AggregateError: one for each address that was tried. */
	errors?: unknown;
	isAxiosError?: unknown;
	/** Node's own request; where redirects are followed, it holds that. */
	request?: { writableFinished?: unknown; _currentRequest?: { writableFinished?: unknown } };
	response?: unknown;
}

/** An error and what caused it, the outermost first. */
function chainOf(error: unknown): RawError[] {
	const chain: RawError[] = [];
	let current = error;
	while (typeof current === 'object' && current !== null && chain.length < MAX_DEPTH) {
		chain.push(current);
		current = (current as RawError).cause;
	}
	return chain;
}

/** The error codes of an error and of what caused it, the outermost first. */
export const codesOf = (error: unknown): string[] =>
	chainOf(error).flatMap(({ code }) => (typeof code === 'string' ? [code] : []));

const isBlocked = (error: RawError): boolean =>
	[error.name, error.constructor?.name].some((name) => BLOCKED_BY_N8N.test(String(name)));

/**
 * n8n's own reason when it refused to send a request, such as its protection against requests to private addresses.
 * @returns undefined when n8n did not refuse
 */
export function blockedByN8n(error: unknown): string | undefined {
	const blocked = chainOf(error).find(isBlocked);
	if (!blocked) return undefined;
	const { message, description } = blocked;
	return String(description || message);
}

/**
 * Whether nothing of a request can have reached the server. An error of an unknown kind counts as sent.
 * @param error as the HTTP client threw it: n8n before 2.41 cuts off the cause when it wraps the error
 * @param bodySize in bytes
 */
export function neverSent(error: unknown, bodySize = 0): boolean {
	for (const raw of chainOf(error)) {
		const { code, syscall, request, response, isAxiosError, errors } = raw;
		if (response) return false;
		if (isBlocked(raw) || CONNECTING.includes(String(syscall))) return true;
		if (MALFORMED.test(String(code)) || UNTRUSTED.test(String(code))) return true;
		const tries = Array.isArray(errors) ? errors : [];
		if (tries.length > 0 && tries.every((each) => neverSent(each))) return true;
		if (isAxiosError === true && !request) return true;
		// Node has not handed the request to the network: no connection, no TLS, or no tunnel through a proxy came about.
		const written = (request?._currentRequest ?? request)?.writableFinished;
		if (isAxiosError === true && written === false) return bodySize <= WRITTEN_AT_ONCE;
	}
	return false;
}

/**
 * How a request ended that got no whole response. The error itself holds the request, with the token, so only n8n's own
 * reason is taken from it.
 * @param timedOut whether the time limit has cut the request off
 * @param timeout that limit, in ms
 * @param bodySize of the request, in bytes
 */
export function networkFailureOf(
	error: unknown,
	timedOut: boolean,
	timeout: number,
	bodySize = 0,
): NetworkFailure {
	if (neverSent(error, bodySize)) {
		const blocked = blockedByN8n(error);
		const unreached = { status: undefined, sent: false, what: 'could not be reached' };
		return blocked === undefined ? unreached : { ...unreached, blocked };
	}
	const what =
		timedOut || codesOf(error).some((code) => TIMEOUT.test(code))
			? `did not respond within ${timeout / 1000} seconds`
			: 'closed the connection before the response was complete';
	return { status: undefined, sent: true, what };
}
