import { neverConnected } from '../../transport/networkErrors';

/** Why there is no token. */
export interface TokenFailure {
	/** What happened, as the end of 'AcountPay …'. */
	what: string;
	/** Whether it may pass by itself, so that asking again makes sense. */
	transient: boolean;
	/** Whether AcountPay rejected the id and secret. */
	rejected?: boolean;
	/** The HTTP status, where it is known. */
	status?: number;
}

/** AcountPay knows no such id and secret. */
export const REJECTED: TokenFailure = {
	what: 'refused the id and secret',
	transient: false,
	rejected: true,
	status: 401,
};

/** AcountPay responded, without a usable token. */
export const NO_TOKEN: TokenFailure = {
	what: 'sent an answer without a new access token',
	transient: false,
};

/** What n8n's OAuth2 client throws: one of several classes, without a status where the response had an `error` code. */
interface OAuth2Error {
	/** Of a response that held no error code. */
	status?: unknown;
	/** The response, parsed where it held an error code. */
	body?: unknown;
	response?: { status?: unknown };
	/** n8n's own word on a revoked grant. */
	failure?: { cause?: unknown };
}

/** What AcountPay (documented: `rate_limit_exceeded`), RFC 6749 and NestJS (assumed) call transient states. */
const TRANSIENT_CODE =
	/"(rate_limit_exceeded|temporarily_unavailable|server_error|slow_down|too[ _]many[ _]requests)"/i;

/** A rejected id or secret is 401 and a rejected grant 400 (documented); other statuses do not speak of the credential. */
const REJECTING_STATUSES = [400, 401, 403];

/**
 * Reads what n8n throws when it gets no token. Takes over no text of it: it can hold parts of the response, and n8n speaks
 * of refresh tokens, which AcountPay does not have.
 */
export function tokenFailureOf(error: unknown): TokenFailure {
	const { body, response, failure, ...rest } = (error ?? {}) as OAuth2Error;
	const answer = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
	const status = [response?.status, rest.status, answer.statusCode].find(
		(value): value is number => typeof value === 'number',
	);

	if (status === 429 || TRANSIENT_CODE.test(JSON.stringify(answer.error ?? ''))) {
		return { what: 'is getting too many requests', transient: true, status: status ?? 429 };
	}
	if (status !== undefined && status >= 500) {
		return { what: `is out of order (status ${status})`, transient: true, status };
	}
	if (status !== undefined && status >= 300 && status < 400) {
		return { what: `answered with a redirect (status ${status})`, transient: false, status };
	}
	if (status !== undefined && status < 300) {
		return { what: 'sent an answer that could not be read', transient: true, status };
	}
	const isCode = 'error' in answer || failure?.cause === 'credential-invalid';
	if (status === undefined ? isCode : REJECTING_STATUSES.includes(status)) {
		return { ...REJECTED, ...(status !== undefined && { status }) };
	}
	if (status !== undefined) {
		return { what: `answered with status ${status}`, transient: false, status };
	}
	if (neverConnected(error)) {
		return { what: 'could not be reached', transient: false };
	}
	return { what: 'broke off the connection', transient: true };
}
