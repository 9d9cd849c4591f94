import { neverConnected } from './network';

/** Why there is no token. */
export interface TokenFailure {
	/** What happened, as the end of 'AcountPay …'. */
	what: string;
	/** Whether it may pass by itself, so that asking again makes sense. */
	passes: boolean;
	/** Whether AcountPay refused the id and secret. */
	refused?: boolean;
	/** The HTTP status, where it is known. */
	status?: number;
}

/** AcountPay knows no such id and secret. */
export const REFUSED: TokenFailure = {
	what: 'refused the id and secret',
	passes: false,
	refused: true,
	status: 401,
};

/** AcountPay sent an answer, and in it is no token that could be used. */
export const NO_TOKEN: TokenFailure = {
	what: 'sent an answer without a new access token',
	passes: false,
};

/** What n8n's OAuth2 client throws: one of several classes, without a status where the answer had an `error` code. */
interface OAuth2Error {
	/** Of an answer that held no error code. */
	status?: unknown;
	/** The answer, parsed where it held an error code. */
	body?: unknown;
	response?: { status?: unknown };
	/** n8n's own word on a revoked grant. */
	failure?: { cause?: unknown };
}

/** What AcountPay (documented: `rate_limit_exceeded`), RFC 6749 and NestJS (assumed) call states that pass. */
const PASSING_CODE =
	/"(rate_limit_exceeded|temporarily_unavailable|server_error|slow_down|too[ _]many[ _]requests)"/i;

/** A refused id or secret is 401 and a refused grant 400 (documented); any other comes from a server that is not asked right. */
const REFUSING_STATUSES = [400, 401, 403];

/**
 * Reads what n8n throws when it gets no token. Takes over no text of it: it can hold parts of the answer, and n8n speaks
 * of refresh tokens, which AcountPay does not have.
 */
export function tokenFailureOf(error: unknown): TokenFailure {
	const { body, response, failure, ...rest } = (error ?? {}) as OAuth2Error;
	const answer = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
	const status = [response?.status, rest.status, answer.statusCode].find(
		(value): value is number => typeof value === 'number',
	);

	if (status === 429 || PASSING_CODE.test(JSON.stringify(answer.error ?? ''))) {
		return { what: 'is getting too many requests', passes: true, status: status ?? 429 };
	}
	if (status !== undefined && status >= 500) {
		return { what: `is out of order (status ${status})`, passes: true, status };
	}
	if (status !== undefined && status >= 300 && status < 400) {
		return { what: `answered with a redirect (status ${status})`, passes: false, status };
	}
	if (status !== undefined && status < 300) {
		return { what: 'sent an answer that could not be read', passes: true, status };
	}
	const isCode = 'error' in answer || failure?.cause === 'credential-invalid';
	if (status === undefined ? isCode : REFUSING_STATUSES.includes(status)) {
		return { ...REFUSED, ...(status !== undefined && { status }) };
	}
	if (status !== undefined) {
		return { what: `answered with status ${status}`, passes: false, status };
	}
	if (neverConnected(error)) {
		return { what: 'could not be reached', passes: false };
	}
	return { what: 'broke off the connection', passes: true };
}
