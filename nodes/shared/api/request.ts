import type { IDataObject, IHttpRequestMethods } from 'n8n-workflow';

/** A request to AcountPay, complete except for the host and the authentication. */
export interface ApiRequest {
	method: IHttpRequestMethods;
	/** From `/v1` on. */
	path: string;
	/** What follows the `?` of the URL. */
	query?: Record<string, string | number>;
	/** What the response is to be; JSON when not given. */
	accept?: string;
	/** Headers of this request only; the ones of every request are in `shared/transport/buildRequest.ts`. */
	headers?: Record<string, string>;
	body?: IDataObject;
	/** The merchant it is for. The authentication decides where a request names it. */
	merchantClientId?: string;
	/**
	 * Whether the request may be sent again when in doubt. A request that creates something may not: nothing is known about
	 * idempotency.
	 */
	repeatable: boolean;
	/** The secrets in a response to it, which no error is to show. */
	secretsIn?(body: Buffer): string[];
}

/** A request that reads, and may be sent again. */
export const get = (path: string, more: Partial<ApiRequest> = {}): ApiRequest => ({
	method: 'GET',
	path,
	repeatable: true,
	...more,
});

/** A request that creates something, and is never sent again when in doubt. The body is sent as it is. */
export const create = (
	path: string,
	body: IDataObject,
	more: Partial<ApiRequest> = {},
): ApiRequest => ({ method: 'POST', path, body, repeatable: false, ...more });
