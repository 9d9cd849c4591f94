import {
	codesOf,
	networkFailureOf,
	neverSent,
} from '../../../../nodes/shared/transport/networkErrors';

describe('network errors', () => {
	const axiosError = (parts: object) => ({ isAxiosError: true, ...parts });
	const unsent = { request: { writableFinished: false } };
	const sent = { request: { writableFinished: true } };
	class UnknownConnectionHostError extends Error {}

	test('codes are found through their causes', () => {
		expect(codesOf({ code: 'A', cause: { cause: { code: 'B' } } })).toEqual(['A', 'B']);
		expect(codesOf({ code: 5 })).toEqual([]);
		expect(codesOf(null)).toEqual([]);
	});

	test.each<[string, unknown]>([
		['a closed port', axiosError({ ...unsent, cause: { syscall: 'connect' } })],
		['no such host', { syscall: 'getaddrinfo' }],
		['a certificate', { code: 'CERT_HAS_EXPIRED' }],
		['a certificate of another host', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
		['a self-signed certificate', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }],
		['a certificate of no known authority', { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }],
		['two addresses that refuse', { errors: [{ syscall: 'connect' }, { syscall: 'connect' }] }],
		['a timeout without a connection', axiosError({ ...unsent, code: 'ECONNABORTED' })],
		['a reset in the TLS handshake', axiosError({ ...unsent, code: 'ECONNRESET' })],
		['a protocol that is not supported', axiosError({ code: 'ERR_BAD_REQUEST' })],
		['an invalid URL', { code: 'ERR_INVALID_URL' }],
		['a blocked address', { cause: { name: 'SsrfBlockedIpError' } }],
		['a blocked host', new UnknownConnectionHostError()],
	])('%s: nothing was sent', (_what, error) => {
		expect(neverSent(error)).toBe(true);
	});

	test.each<[string, unknown]>([
		['a timeout after the request', axiosError({ ...sent, code: 'ECONNABORTED' })],
		['a reset after the request', axiosError({ ...sent, code: 'ECONNRESET' })],
		['a TLS alert after the request', axiosError({ ...sent, code: 'ERR_SSL_TLSV13_ALERT' })],
		[
			'a request that follows redirects',
			axiosError({
				request: { writableFinished: false, _currentRequest: { writableFinished: true } },
			}),
		],
		['a response', axiosError({ ...unsent, response: { status: 500 } })],
		['one of two addresses', { errors: [{ syscall: 'connect' }, { syscall: 'read' }] }],
		['no address at all', { errors: [] }],
		['reading', { code: 'ECONNRESET', syscall: 'read' }],
		['a code alone', { code: 'ECONNREFUSED' }],
		['a code like another', { code: 'XERR_INVALID_URL' }],
		['an error nobody knows', new Error('x')],
		['no error', undefined],
	])('%s: it may have been sent', (_what, error) => {
		expect(neverSent(error)).toBe(false);
	});

	test('of a body over 16 KB a part may have left', () => {
		const error = axiosError({ ...unsent, code: 'ECONNRESET' });
		expect(neverSent(error, 16 * 1024)).toBe(true);
		expect(neverSent(error, 16 * 1024 + 1)).toBe(false);
	});

	test('an error that is its own cause is read to an end', () => {
		const error: { cause?: unknown } = {};
		error.cause = error;
		expect(neverSent(error)).toBe(false);
	});

	test('a failure says what happened', () => {
		expect(networkFailureOf({ code: 'ETIMEDOUT' }, false, 5_000)).toEqual({
			status: undefined,
			sent: true,
			what: 'did not respond within 5 seconds',
		});
		expect(networkFailureOf(axiosError({ ...unsent }), true, 5_000)).toEqual({
			status: undefined,
			sent: false,
			what: 'could not be reached',
		});
	});
});
