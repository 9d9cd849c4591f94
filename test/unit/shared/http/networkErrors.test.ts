import {
	blockedByN8n,
	codesOf,
	networkFailureOf,
	neverSent,
} from '../../../../nodes/shared/http/networkErrors';

describe('network errors', () => {
	const axiosError = (parts: object) => ({ isAxiosError: true, ...parts });
	const unsent = { request: { writableFinished: false } };
	const sent = { request: { writableFinished: true } };
	class UnknownConnectionHostError extends Error {}

	it('codes are found through their causes', () => {
		expect(codesOf({ code: 'A', cause: { cause: { code: 'B' } } })).toEqual(['A', 'B']);
		expect(codesOf({ code: 5 })).toEqual([]);
		expect(codesOf(null)).toEqual([]);
	});

	it.each<[string, unknown]>([
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

	it.each<[string, unknown]>([
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

	it('of a body over 16 KB a part may have left', () => {
		const error = axiosError({ ...unsent, code: 'ECONNRESET' });
		expect(neverSent(error, 16 * 1024)).toBe(true);
		expect(neverSent(error, 16 * 1024 + 1)).toBe(false);
	});

	describe('a code', () => {
		const unsentCodes = [
			'ERR_INVALID_URL',
			'ERR_INVALID_CHAR',
			'ERR_INVALID_HTTP_TOKEN',
			'ERR_INVALID_PROTOCOL',
			'ERR_UNESCAPED_CHARACTERS',
			'ERR_HTTP_INVALID_HEADER_VALUE',
			'ERR_TLS_CERT_ALTNAME_INVALID',
			'DEPTH_ZERO_SELF_SIGNED_CERT',
			'SELF_SIGNED_CERT_IN_CHAIN',
			'HOSTNAME_MISMATCH',
			'INVALID_CA',
			'INVALID_PURPOSE',
			'PATH_LENGTH_EXCEEDED',
		];

		it.each(unsentCodes)('%s says that nothing was sent, and none that is longer does', (code) => {
			expect(neverSent({ code })).toBe(true);
			expect(neverSent({ code: `X${code}` })).toBe(false);
			expect(neverSent({ code: `${code}X` })).toBe(false);
		});

		it.each(['CERT_', 'UNABLE_TO_'])('that begins with %s says so, whatever follows', (start) => {
			expect(neverSent({ code: start })).toBe(true);
			expect(neverSent({ code: `${start}X` })).toBe(true);
			expect(neverSent({ code: `X${start}` })).toBe(false);
			expect(neverSent({ code: start.slice(0, -1) })).toBe(false);
		});
	});

	describe("n8n's refusal to send", () => {
		it.each(['SsrfError', 'SsrfBlockedIpError', 'UnknownConnectionHostError'])(
			'is known by the name %s, and by none that is longer',
			(name) => {
				expect(neverSent({ name })).toBe(true);
				expect(blockedByN8n({ name, message: 'why' })).toBe('why');
				for (const other of [`X${name}`, `${name}X`]) {
					expect(neverSent({ name: other })).toBe(false);
					expect(blockedByN8n({ name: other, message: 'why' })).toBeUndefined();
				}
			},
		);

		it('gives its reason in its own words, the longer ones if there are two', () => {
			const blocked = { name: 'SsrfError', message: 'short', description: 'long' };
			expect(blockedByN8n({ message: 'outer', cause: { cause: blocked } })).toBe('long');
			expect(blockedByN8n({ ...blocked, description: '' })).toBe('short');
			expect(blockedByN8n(new Error('x'))).toBeUndefined();
			expect(blockedByN8n(undefined)).toBeUndefined();
		});

		it('is told with the failure, and no reason is where n8n gave none', () => {
			const what = 'could not be reached';
			const failure = { status: undefined, sent: false, what };
			const blocked = { name: 'SsrfError', message: 'why' };
			expect(networkFailureOf(blocked, false, 5_000)).toEqual({ ...failure, blocked: 'why' });
			const closed = networkFailureOf({ syscall: 'connect' }, false, 5_000);
			expect(closed).toEqual(failure);
			expect(closed).not.toHaveProperty('blocked');
		});
	});

	it('counts as sent where what is there is not what axios and Node say', () => {
		expect(neverSent({ isAxiosError: 'true' })).toBe(false);
		expect(neverSent({ isAxiosError: 'true', ...unsent })).toBe(false);
		expect(neverSent(unsent)).toBe(false);
		expect(neverSent(axiosError({ request: {} }))).toBe(false);
		expect(neverSent(axiosError({ request: { writableFinished: undefined } }))).toBe(false);
		expect(neverSent({ errors: 'connect' })).toBe(false);
		expect(neverSent({ cause: 'connect', syscall: 'xconnect' })).toBe(false);
		expect(neverSent({ syscall: 'connect', response: {} })).toBe(false);
		expect(neverSent({ cause: { response: {}, cause: { syscall: 'connect' } } })).toBe(false);
	});

	it('counts as unsent where a request that follows redirects was not written', () => {
		const request = { writableFinished: true, _currentRequest: { writableFinished: false } };
		expect(neverSent(axiosError({ request }))).toBe(true);
	});

	it('is looked for in eight errors, each the cause of the one before', () => {
		const nested = (depth: number): unknown =>
			depth === 1 ? { syscall: 'connect', code: 'A' } : { cause: nested(depth - 1) };
		expect(neverSent(nested(8))).toBe(true);
		expect(neverSent(nested(9))).toBe(false);
		expect(codesOf(nested(8))).toEqual(['A']);
		expect(codesOf(nested(9))).toEqual([]);
	});

	it('an error that is its own cause is read to an end', () => {
		const error: { cause?: unknown } = {};
		error.cause = error;
		expect(neverSent(error)).toBe(false);
	});

	const LATE = 'did not respond within 5 seconds';
	const CLOSED = 'closed the connection before the response was complete';

	it.each([
		['ECONNABORTED', LATE],
		['ETIMEDOUT', LATE],
		['ERR_CANCELED', LATE],
		['ECONNRESET', CLOSED],
		['XETIMEDOUT', CLOSED],
		['ETIMEDOUTX', CLOSED],
	])('of the code %s is told as: %s', (code, what) => {
		const error = { cause: { code } };
		expect(networkFailureOf(error, false, 5_000)).toEqual({ status: undefined, sent: true, what });
		expect(networkFailureOf(error, true, 5_000)).toMatchObject({ what: LATE });
	});

	it('of a large body is told by its size', () => {
		const error = axiosError({ ...unsent });
		expect(networkFailureOf(error, false, 5_000, 16 * 1024)).toMatchObject({ sent: false });
		expect(networkFailureOf(error, false, 5_000, 16 * 1024 + 1)).toMatchObject({ sent: true });
	});

	it('a failure says what happened', () => {
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
