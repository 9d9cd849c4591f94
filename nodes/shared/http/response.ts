/** AcountPay's response, of any status. */
export interface ApiResponse {
	status: number;
	headers: Record<string, unknown>;
	body: Buffer;
}

/** No response, or not the whole of one. */
export interface NetworkFailure {
	status: undefined;
	/** False when nothing of the request can have reached AcountPay. */
	sent: boolean;
	/** n8n refused to send the request: its own reason. */
	blocked?: string;
	/** A proxy between n8n and AcountPay refused to pass the request on: its HTTP status. */
	proxyStatus?: number;
	/** What happened, as the end of 'AcountPay …'. */
	what: string;
}

/** How a request ended: with a response, or without. */
export type SendResult = ApiResponse | NetworkFailure;

/** Whether AcountPay did what it was asked for. */
export const isSuccess = (sent: SendResult): sent is ApiResponse =>
	sent.status !== undefined && sent.status >= 200 && sent.status < 300;

/** Whether AcountPay points to another place. Redirects are not followed. */
export const isRedirect = ({ status }: Pick<SendResult, 'status'>): boolean =>
	status !== undefined && status >= 300 && status < 400;

/**
 * Whether AcountPay refused the request, so that nothing was done. A 408 comes from between n8n and AcountPay as often
 * as from AcountPay, and says nothing of what AcountPay did.
 */
export const isRefusal = (sent: SendResult): sent is ApiResponse =>
	sent.status !== undefined && sent.status >= 400 && sent.status < 500 && sent.status !== 408;

/** Whether nothing can have reached AcountPay. */
export const isUnreachable = (result: SendResult): result is NetworkFailure =>
	result.status === undefined && !result.sent;

/** What the user can do about a proxy that is in the way. */
export const PROXY_ADVICE =
	'Check the proxy settings of n8n, and ask the administrator of the proxy to let n8n through.';

/** The statuses of a proxy that wants n8n to authenticate: no server at the other end sends them. */
const PROXY_STATUSES = [407, 511];

/**
 * The response as a network failure, when a proxy gave it in AcountPay's place and passed nothing on.
 * @param sent whether the request was written to a connection; false for a response to CONNECT
 */
export const proxyFailureOf = (
	{ status }: ApiResponse,
	sent: boolean,
): NetworkFailure | undefined =>
	sent && !PROXY_STATUSES.includes(status)
		? undefined
		: { status: undefined, sent: false, what: 'could not be reached', proxyStatus: status };

/** Whether a response is a web page, which AcountPay does not send: a server in between responded in its place. */
export const isWebPage = ({ body }: ApiResponse): boolean =>
	/^\s*</.test(body.toString('latin1', 0, 64));

/** Whether AcountPay takes no more requests for now, and has done nothing with this one. */
export const isRateLimited = (sent: SendResult): sent is ApiResponse => sent.status === 429;

/** What happened, as the end of 'AcountPay …', for a response that can't be used. */
export function describeFailure(sent: NetworkFailure | Pick<ApiResponse, 'status'>): string {
	const { status } = sent;
	if (status === undefined) return (sent as NetworkFailure).what;
	if (status >= 500) return `returned a server error (status ${status})`;
	if (status >= 400) return `reported a timeout (status ${status})`;
	if (isRedirect({ status })) return `sent a redirect (status ${status}), which is not followed`;
	return `sent a response that could not be read (status ${status})`;
}
