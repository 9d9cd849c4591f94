import type { ApiRequest } from '../api/request';
import type { Auth } from '../auth/auth';

/** A request exactly as it is sent, except for the secrets that n8n adds. */
export interface BuiltRequest extends Pick<ApiRequest, 'method' | 'path' | 'query' | 'body'> {
	baseUrl: string;
	headers: Record<string, string>;
}

/**
 * The request with everything that is sent, except for secrets. When an execution is retried, its requests are recognised by
 * a hash of this. A new header changes that hash, so leave it out of `request` in `identityHashes.ts`: otherwise a retry of
 * an older execution may take its requests for changed ones.
 */
export function buildRequest(request: ApiRequest, auth: Auth): BuiltRequest {
	const { method, path, accept = 'application/json' } = request;
	const { headers, body, query } = auth.partsOf(request);
	return {
		baseUrl: auth.baseUrl,
		method,
		path,
		headers: {
			Accept: accept,
			...headers,
			...(body && { 'Content-Type': 'application/json' }),
			...request.headers,
		},
		query,
		body,
	};
}
