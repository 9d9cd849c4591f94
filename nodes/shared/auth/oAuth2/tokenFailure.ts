import { TOKEN_PATH } from '../../api/hosts';
import { isRecord } from '../../api/responses';
import { ApiError } from '../../errors';
import { blockedByN8n, codesOf, neverSent } from '../../http/networkErrors';
import { describeFailure, isRedirect, PROXY_ADVICE } from '../../http/response';

/** Why there is no token. */
export interface TokenFailure {
	/** What happened, as the end of 'AcountPay gave no access token …: …'; 'it' is AcountPay. */
	what: string;
	/** Whether it may pass by itself, so that asking again makes sense. */
	transient: boolean;
	/** Whether AcountPay refused the id and secret. */
	refused?: boolean;
	/** The HTTP status, where it is known. */
	status?: number;
	/** Who stopped the request on its way to AcountPay. */
	stoppedBy?: 'n8n' | 'proxy';
}

/** AcountPay knows no such id and secret. */
export const REFUSED: TokenFailure = {
	what: 'it refused the id and secret',
	transient: false,
	refused: true,
	status: 401,
};

/** AcountPay responded, without a usable token. */
export const NO_TOKEN: TokenFailure = {
	what: 'it sent a response without a new access token',
	transient: false,
};

/** What n8n's OAuth2 client throws: one of several classes, without a status where the response had an `error` code. */
interface OAuth2Error {
	/** Of a response that held no error code. */
	status?: unknown;
	/** The response: parsed where it held an error code, else as text. */
	body?: unknown;
	response?: { status?: unknown; data?: unknown };
	/** Node's request; not finished when a proxy refused to connect. */
	request?: { writableFinished?: unknown };
	/** n8n's own word on a revoked grant. */
	failure?: { cause?: unknown };
}

/** The codes of AcountPay (documented: `rate_limit_exceeded`), RFC 6749 and NestJS (assumed) for states that pass. */
const TRANSIENT_CODE =
	/"(rate_limit_exceeded|temporarily_unavailable|server_error|slow_down|too[ _]many[ _]requests)"/i;

/** The code in RFC 6749 for an id and secret that are not accepted. */
const REFUSING_CODE = /"(invalid_client|unauthorized_client|invalid_grant|access_denied)"/i;

/** AcountPay responds in JSON: a web page, text or nothing at all does not come from its token endpoint. */
function objectIn(body: unknown): Record<string, unknown> | undefined {
	if (isRecord(body)) return body;
	try {
		const value: unknown = JSON.parse(String(body));
		return isRecord(value) ? value : undefined;
	} catch {
		return undefined;
	}
}

/**
 * Reads what n8n throws when it gets no token. Takes over no text of it but n8n's own reason to block the request: it can
 * hold parts of the response, and n8n speaks of refresh tokens, which AcountPay does not have.
 */
export function tokenFailureOf(error: unknown): TokenFailure {
	const { body, response, failure, request, ...rest } = (error ?? {}) as OAuth2Error;
	const json = objectIn(body ?? response?.data);
	const code = JSON.stringify(json?.error ?? '');
	const status = [response?.status, rest.status, json?.statusCode].find(
		(value): value is number => typeof value === 'number',
	);

	if (response && request?.writableFinished === false) return proxyFailure(status);
	if (status === 429 || TRANSIENT_CODE.test(code)) {
		return { what: 'it is rate limiting requests', transient: true, status: status ?? 429 };
	}
	if (status !== undefined) return statusFailure(status, code, json !== undefined);
	const isCode = (json && 'error' in json) || failure?.cause === 'credential-invalid';
	if (isCode) return REFUSED;
	if (neverSent(error)) {
		const reason = blockedByN8n(error);
		return reason === undefined
			? { what: 'it could not be reached', transient: mayPass(error) }
			: { what: `n8n blocked the request: ${reason}`, transient: false, stoppedBy: 'n8n' };
	}
	return { what: 'it closed the connection', transient: true };
}

/** A connection that was cut off while it came about may come about later; a wrong host or a closed port stays. */
const mayPass = (error: unknown): boolean =>
	codesOf(error).some((code) => /^(ECONNRESET|ECONNABORTED|ETIMEDOUT)$/.test(code));

/** @param isJson whether the response is one that AcountPay's token endpoint may have sent */
function statusFailure(status: number, code: string, isJson: boolean): TokenFailure {
	if (status < 400 || status === 408 || status >= 500) {
		const what = `it ${describeFailure({ status })}`;
		return { what, transient: !isRedirect({ status }), status };
	}
	// A refused id or secret is 401 and a refused grant 400 (documented); other statuses do not speak of the credential.
	const isRefusal = REFUSING_CODE.test(code) || (isJson && [400, 401].includes(status));
	if (isRefusal) return { ...REFUSED, status };
	if ([401, 403, 407].includes(status)) return proxyFailure(status);
	return { what: `it responded with status ${status}`, transient: false, status };
}

/** @param status of the proxy; a gateway error may pass by itself */
const proxyFailure = (status = 0): TokenFailure => ({
	what: `a server between n8n and AcountPay, such as a proxy, refused the request (status ${status})`,
	transient: status >= 500,
	status,
	stoppedBy: 'proxy',
});

/**
 * The error for the merchant, of an item for which nothing was sent.
 * @param credential its name, in quotes
 * @param environment of the credential
 */
export function tokenError(
	{ what, refused, transient, status, stoppedBy }: TokenFailure,
	credential: string,
	environment: string,
	baseUrl: string,
): ApiError {
	if (refused) {
		return new ApiError(
			'refused',
			`AcountPay refused the Client ID and Client Secret of the credential ${credential}`,
			`Check Client ID and Client Secret in that credential: they must be those of its environment (${environment}). Nothing was sent for this item.`,
			{ status },
		);
	}
	const advice = {
		n8n: `Ask the administrator of n8n to allow ${baseUrl}.`,
		proxy: PROXY_ADVICE,
		nobody: transient
			? `n8n asked ${baseUrl}${TOKEN_PATH} for about a minute. Run this item again later.`
			: `Check the environment (${environment}) of that credential, and whether ${baseUrl} can be reached from n8n.`,
	}[stoppedBy ?? 'nobody'];
	return new ApiError(
		'unavailable',
		`AcountPay gave no access token for the credential ${credential}: ${what}`,
		`${advice} Nothing was sent for this item.`,
		{ status },
	);
}
