/** AcountPay's response, of any status. */
export interface ApiResponse {
	status: number;
	headers: Record<string, unknown>;
	body: Buffer;
}

/** No response, or not the whole of one. */
export interface NetworkFailure {
	status: undefined;
	/** False when no connection came about: then AcountPay can't have received the request. */
	sent: boolean;
	/** What happened, as the end of 'AcountPay …'. */
	what: string;
}

export type Sent = ApiResponse | NetworkFailure;

/** Whether AcountPay did what it was asked for. */
export const isSuccess = (sent: Sent): sent is ApiResponse =>
	sent.status !== undefined && sent.status >= 200 && sent.status < 300;

/** Whether AcountPay points to another place. Redirects are not followed. */
export const isRedirect = ({ status }: Sent): boolean =>
	status !== undefined && status >= 300 && status < 400;

/**
 * Whether AcountPay rejected the request, so that nothing was done. A 408 comes from between n8n and AcountPay as often
 * as from AcountPay, and says nothing of what AcountPay did.
 */
export const isRejection = (sent: Sent): sent is ApiResponse =>
	sent.status !== undefined && sent.status >= 400 && sent.status < 500 && sent.status !== 408;

/** Whether nothing can have reached AcountPay. */
export const isUnreachable = (sent: Sent): sent is NetworkFailure =>
	sent.status === undefined && !sent.sent;

/** Whether AcountPay takes no more requests for now, and has done nothing with this one. */
export const isRateLimited = (sent: Sent): sent is ApiResponse => sent.status === 429;

/** What happened, as the end of 'AcountPay …', for a response that can't be used. */
export const describeFailure = (sent: Sent): string => {
	if (sent.status === undefined) return sent.what;
	const { status }: ApiResponse = sent;
	if (isSuccess(sent)) return `sent an answer that could not be read (status ${status})`;
	if (status < 400) {
		return `answered with a redirect (status ${status}), which is not followed`;
	}
	return `is out of order (status ${status})`;
};
