import {
	REFUSED,
	tokenError,
	type TokenFailure,
	tokenFailureOf,
} from '../../../../../nodes/shared/auth/oAuth2/tokenFailure';

describe('why there is no token', () => {
	it.each([
		[
			'a 429 with its code',
			{ code: 'EAUTH', body: { error: 'rate_limit_exceeded' } },
			{ transient: true, status: 429 },
		],
		[
			'a 429 as NestJS has it',
			{ body: { statusCode: 429, error: 'Too Many Requests' } },
			{ transient: true, status: 429 },
		],
		['a 429 without words', { status: 429, body: '' }, { transient: true, status: 429 }],
		[
			'a busy server',
			{ body: { error: 'temporarily_unavailable' } },
			{ transient: true, status: 429 },
		],
		[
			'a 429 with its code in an object',
			{ body: { error: { code: 'rate_limit_exceeded', message: 'Slow down' } } },
			{ transient: true, status: 429 },
		],
		[
			'a 500',
			{ response: { status: 500 }, code: 'ERR_BAD_RESPONSE' },
			{ transient: true, status: 500 },
		],
		['a 503', { response: { status: 503 } }, { transient: true, status: 503 }],
		[
			'a cut-off answer',
			{ status: 200, body: '{"access_token": "ey' },
			{ transient: true, status: 200 },
		],
		['a reset', { code: 'ECONNRESET' }, { transient: true }],
		['a timeout', { code: 'ECONNABORTED' }, { transient: true }],
		['a redirect', { status: 302, body: '' }, { transient: false, status: 302 }],
		['no server', { code: 'ECONNREFUSED', syscall: 'connect' }, { transient: false }],
		[
			'a connection that was cut off while it came about',
			{ code: 'ERR_NETWORK', cause: { code: 'ETIMEDOUT', syscall: 'connect' } },
			{ transient: true, what: 'it could not be reached' },
		],
		['no host', { cause: { code: 'ENOTFOUND', syscall: 'getaddrinfo' } }, { transient: false }],
		['a bad certificate', { code: 'CERT_HAS_EXPIRED' }, { transient: false }],
		['another server', { status: 404, body: '' }, { transient: false, status: 404 }],
		[
			'another server, as NestJS has it',
			{ body: { statusCode: 404, error: 'Not Found' } },
			{ transient: false, status: 404, what: 'it responded with status 404' },
		],
	])('%s', (_name, error, expected) => {
		const failure = tokenFailureOf(error);
		expect(failure).toMatchObject(expected);
		expect(failure.refused).toBeUndefined();
	});

	it.each<[number | undefined, object, string, boolean]>([
		[429, { status: 429 }, 'it is rate limiting requests', true],
		[500, { status: 500 }, 'it returned a server error (status 500)', true],
		[300, { status: 300 }, 'it sent a redirect (status 300), which is not followed', false],
		[399, { status: 399 }, 'it sent a redirect (status 399), which is not followed', false],
		[408, { status: 408 }, 'it reported a timeout (status 408)', true],
		[299, { status: 299 }, 'it sent a response that could not be read (status 299)', true],
		[499, { status: 499 }, 'it responded with status 499', false],
		[undefined, { code: 'E', syscall: 'connect' }, 'it could not be reached', false],
		[undefined, { body: { message: 'x' } }, 'it closed the connection', true],
		[undefined, { body: null }, 'it closed the connection', true],
		[429, { body: { error: { code: 'slow_down' } } }, 'it is rate limiting requests', true],
	])('a status %p, as of %j: %s', (status, error, what, transient) => {
		expect(tokenFailureOf(error)).toEqual({ what, transient, ...(status && { status }) });
	});

	const page = '<html>Forbidden</html>';
	it.each<[string, object, number, boolean]>([
		['a 401 with a page', { status: 401, body: page }, 401, false],
		['a 403 with a page', { status: 403, body: page }, 403, false],
		['an empty 403', { status: 403, body: '' }, 403, false],
		['a 403 in another form', { status: 403, body: '{"message":"No"}' }, 403, false],
		['a 407', { status: 407, body: page }, 407, false],
		['a 407 in JSON', { status: 407, body: '{"message":"No"}' }, 407, false],
		[
			'502 for CONNECT',
			{ response: { status: 502, data: page }, request: { writableFinished: false } },
			502,
			true,
		],
	])('%s comes from a proxy', (_name, error, status, transient) => {
		expect(tokenFailureOf(error)).toEqual({
			what: `a server between n8n and AcountPay, such as a proxy, refused the request (status ${status})`,
			transient,
			status,
			stoppedBy: 'proxy',
		});
	});

	it("a request that n8n blocked has n8n's reason", () => {
		const cause = Object.assign(new Error('No'), {
			name: 'SsrfBlockedIpError',
			description: 'Ask.',
		});
		expect(tokenFailureOf({ cause })).toEqual({
			what: 'n8n blocked the request: Ask.',
			transient: false,
			stoppedBy: 'n8n',
		});
	});

	it.each([
		['invalid_client', { code: 'EAUTH', body: { error: 'invalid_client' } }, 401],
		['invalid_grant', { failure: { cause: 'credential-invalid' } }, 401],
		['invalid_client in an object', { body: { error: { code: 'invalid_client' } } }, 401],
		['a 401 in another form', { status: 401, body: '{"message":"Unauthorized"}' }, 401],
		['access_denied', { status: 403, body: '{"error":"access_denied"}' }, 403],
		['a 400 as NestJS has it', { body: { statusCode: 400, error: 'Bad Request' } }, 400],
	])('%s is a refusal', (_name, error, status) => {
		expect(tokenFailureOf(error)).toEqual({
			what: 'it refused the id and secret',
			transient: false,
			refused: true,
			status,
		});
	});

	it.each([[undefined], [null], ['text'], [new Error('x')]])('%p may pass', (error) => {
		expect(tokenFailureOf(error)).toEqual({ what: 'it closed the connection', transient: true });
	});
});

describe('the error of an item without a token', () => {
	const errorFor = (failure: TokenFailure) =>
		tokenError(failure, "'Shop'", 'sandbox', 'https://a.test');
	const unreached = { what: 'it could not be reached', transient: false };

	it('says where to check a refused Client ID and Client Secret', () => {
		expect(errorFor({ ...REFUSED, status: 400 })).toMatchObject({
			outcome: 'refused',
			status: 400,
			message: "AcountPay refused the Client ID and Client Secret of the credential 'Shop'",
			description:
				'Check Client ID and Client Secret in that credential: they must be those of its environment (sandbox). Nothing was sent for this item.',
		});
	});

	it.each<[string, TokenFailure, string]>([
		[
			'passes by itself',
			{ ...unreached, transient: true, status: 503 },
			'n8n asked https://a.test/oauth/token for about a minute. Run this item again later.',
		],
		[
			'stays',
			unreached,
			'Check the environment (sandbox) of that credential, and whether https://a.test can be reached from n8n.',
		],
		[
			'is up to n8n',
			{ ...unreached, stoppedBy: 'n8n' },
			'Ask the administrator of n8n to allow https://a.test.',
		],
		[
			'is up to a proxy',
			{ ...unreached, stoppedBy: 'proxy', status: 407 },
			'Check the proxy settings of n8n, and ask the administrator of the proxy to let n8n through.',
		],
	])('says what to do where the reason %s', (_reason, failure, advice) => {
		const error = errorFor(failure);
		expect(error).toMatchObject({
			outcome: 'unavailable',
			message: "AcountPay gave no access token for the credential 'Shop': it could not be reached",
			description: `${advice} Nothing was sent for this item.`,
		});
		expect(error.status).toBe(failure.status);
	});
});
