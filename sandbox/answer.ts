import { STATUS_CODES } from 'node:http';

/** What the sandbox answers: an object goes out as JSON, a string or bytes as they are. */
export interface Answer {
	status: number;
	headers?: Record<string, string>;
	body: object | string | Buffer;
}

/** Thrown by a handler that refuses a request; carries the answer to give. */
export class Refusal extends Error {
	constructor(readonly answer: Answer) {
		super(`Refused with ${answer.status}`);
	}
}

/**
 * An error body of the payment endpoints. Assumed: the shape that NestJS gives by default.
 * @param message one sentence, or one for each wrong field
 */
export function apiError(status: number, message?: string | string[]): Answer {
	const error = STATUS_CODES[status] ?? 'Error';
	if (message === undefined) return { status, body: { message: error, statusCode: status } };
	return { status, body: { message, error, statusCode: status } };
}

/**
 * An error body of the token endpoint: `{"error": "<code>"}`. The codes invalid_grant, invalid_client
 * and rate_limit_exceeded are documented, the shape is assumed (it is RFC 6749's).
 */
export function tokenError(status: number, code: string, description?: string): Answer {
	const body = description ? { error: code, error_description: description } : { error: code };
	return { status, body };
}

/** The answer's bytes and headers, content type and length included. */
export function render(answer: Answer): { headers: Record<string, string>; bytes: Buffer } {
	const { body } = answer;
	const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
	const bytes = Buffer.isBuffer(body) ? body : Buffer.from(isJson ? JSON.stringify(body) : body);
	const headers: Record<string, string> = { 'content-length': String(bytes.length) };
	if (bytes.length > 0) {
		headers['content-type'] = `${isJson ? 'application/json' : 'text/html'}; charset=utf-8`;
	}
	for (const [name, value] of Object.entries(answer.headers ?? {})) {
		headers[name.toLowerCase()] = value;
	}
	return { headers, bytes };
}
