import type { IExecuteFunctions, INode } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';
import {
	errorItem,
	nodeErrorFor,
	cancelledError,
} from '../../../nodes/AcountPay/execution/nodeErrors';
import {
	codesOf,
	neverSent,
	networkFailureOf,
} from '../../../nodes/shared/transport/networkErrors';
import { ApiError, ValidationError, UnexpectedError } from '../../../nodes/shared/errors';
import { tokenFailureOf } from '../../../nodes/shared/auth/oAuth2/tokenFailure';
import { RejectedCredentials } from '../../../nodes/shared/auth/oAuth2/rejectedCredentials';
import {
	addFingerprint,
	fingerprintOf,
	forNewToken,
	type TokenData,
} from '../../../nodes/shared/auth/oAuth2/accessToken';

const node = { name: 'Pay', type: 'acountPay', typeVersion: 1 } as INode;
const nothing = { made: [], unknown: [], refused: [], notStarted: [] };

describe('why there is no token', () => {
	test.each([
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
		expect(failure.rejected).toBeUndefined();
	});

	test.each<[number | undefined, object, string, boolean]>([
		[429, { status: 429 }, 'it is rate limiting requests', true],
		[500, { status: 500 }, 'it returned a server error (status 500)', true],
		[300, { status: 300 }, 'it sent a redirect (status 300)', false],
		[399, { status: 399 }, 'it sent a redirect (status 399)', false],
		[299, { status: 299 }, 'it sent a response that could not be read', true],
		[499, { status: 499 }, 'it responded with status 499', false],
		[undefined, { code: 'E', syscall: 'connect' }, 'it could not be reached', false],
		[undefined, { body: { message: 'x' } }, 'it closed the connection', true],
		[undefined, { body: null }, 'it closed the connection', true],
		[429, { body: { error: { code: 'slow_down' } } }, 'it is rate limiting requests', true],
	])('a status %p, as of %j: %s', (status, error, what, transient) => {
		expect(tokenFailureOf(error)).toEqual({ what, transient, ...(status && { status }) });
	});

	const page = '<html>Forbidden</html>';
	test.each<[string, object, number, boolean]>([
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

	test("a request that n8n blocked has n8n's reason", () => {
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

	test.each([
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
			rejected: true,
			status,
		});
	});

	test.each([[undefined], [null], ['text'], [new Error('x')]])('%p may pass', (error) => {
		expect(tokenFailureOf(error)).toEqual({ what: 'it closed the connection', transient: true });
	});
});

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

describe('the error that ends the node', () => {
	const context = {
		getNode: () => node,
		getMode: () => 'trigger',
		getExecutionId: () => '42',
	} as unknown as IExecuteFunctions;

	test('is about the field', () => {
		const error = nodeErrorFor(
			context,
			new ValidationError('Amount', 'must be more', 'Do this.'),
			3,
			nothing,
		);
		expect(error).toBeInstanceOf(NodeOperationError);
		expect(error.message).toBe('Amount must be more [item 3]');
		expect(error.description).toBe('Do this.');
		expect(error.context).toMatchObject({
			itemIndex: 3,
			outcome: 'invalid',
			paymentsMade: [],
			outcomesUnknown: [],
			refused: [],
			notStarted: [],
		});
	});

	test('is about what AcountPay said', () => {
		const error = nodeErrorFor(
			context,
			new ApiError('refused', 'No', 'Check.', { status: 422 }),
			0,
			nothing,
		);
		expect(error).toBeInstanceOf(NodeApiError);
		expect((error as NodeApiError).httpCode).toBe('422');
		expect(error.message).toBe('No [item 0]');
		expect(error.description).toBe('Check.');
	});

	test.each(['ECONNRESET', 'ETIMEDOUT', 'ECONNABORTED', 'ENOENT'])(
		"keeps our words where n8n has advice for %s, and n8n's word for cancelling out",
		(code) => {
			const error = nodeErrorFor(
				context,
				new ApiError('unknown', `canceled ${code}`, 'Look.'),
				1,
				nothing,
			);
			expect(error.message).toBe(`cancelled ${code} [item 1]`);
			expect(error.description).toBe('Look.');
			expect(JSON.stringify(error)).not.toMatch(/immediately|Retry on Fail/);
		},
	);

	test('names the first 50 payments made, and has all of them', () => {
		const made = Array.from({ length: 60 }, (_, itemIndex) => ({
			itemIndex,
			referenceNumber: `R${itemIndex}`,
			paymentId: itemIndex === 1 ? undefined : `pay_${itemIndex}`,
		}));
		const unknown = [60, 61, 62].map((itemIndex) => ({
			itemIndex,
			referenceNumber: `R${itemIndex}`,
		}));
		const error = nodeErrorFor(context, new ApiError('unknown', 'No', 'Look.'), 61, {
			...nothing,
			made,
			unknown,
			refused: [{ itemIndex: 63, referenceNumber: 'R63' }],
			notStarted: [{ itemIndex: 64, referenceNumber: 'R64' }, { itemIndex: 65 }],
		});
		expect(error.message).toBe('No [item 61]');
		expect(error.description).toMatch(
			/^Look\. May or may not exist \(2\): R60, R62\. Refused \(1\): R63\. Payments made \(60\): R0 = pay_0, R1 = no ID, R2 = pay_2, .*, R49 = pay_49 and 10 more\. Not started \(2\): R64, item 65\. To go on, use Executions → this execution → Retry: it creates none of these payments again \(unless 'Resend Unknown' is on\)\. A new execution creates them again\.$/,
		);
		expect(error.context).toMatchObject({
			paymentsMade: made,
			outcomesUnknown: unknown,
			refused: [{ itemIndex: 63 }],
			notStarted: [{ itemIndex: 64 }, { itemIndex: 65 }],
		});
	});

	test('does not speak of more when there are 50', () => {
		const made = Array.from({ length: 50 }, (_, itemIndex) => ({
			itemIndex,
			referenceNumber: 'R',
			paymentId: 'p',
		}));
		const error = nodeErrorFor(context, new ValidationError('A', 'b'), 0, { ...nothing, made });
		expect(error.description).not.toMatch(/more/);
	});

	test('says nothing of what is not expected', () => {
		const unexpected = new Error('Bearer s3cret');
		expect(new UnexpectedError(unexpected).message).not.toMatch(/s3cret/);
		expect(new UnexpectedError(new Error('No such node'), true).message).toBe('No such node');
		expect(new UnexpectedError(new Error('No such node'), true).description).toBeUndefined();
		const described = Object.assign(new Error('No'), { description: 'Look there.' });
		expect(new UnexpectedError(described, true).description).toBe('Look there.');
		expect(new UnexpectedError(described).description).toBeUndefined();
		expect(new UnexpectedError('text', true).message).toMatch(/^This item ended unexpectedly/);
	});
});

describe('the item of a node that continues', () => {
	test('has an error beside its JSON only for the error output, and there nothing stores it', () => {
		const problem = new ValidationError('A', 'must');
		expect(errorItem({ onError: 'continueRegularOutput' }, problem, 0).error).toBeUndefined();
		const item = errorItem({ onError: 'continueErrorOutput' }, problem, 0);
		expect(item.error).toBe(problem);
		expect({ ...item }.error).toBeUndefined();
	});

	test('has what went wrong and what to do', () => {
		expect(errorItem(node, new ApiError('refused', 'No', 'Check.', { status: 400 }), 2)).toEqual({
			json: {
				error: 'No [item 2]',
				details: { outcome: 'refused', status: 400, description: 'Check.' },
			},
			pairedItem: { item: 2 },
		});
		expect(errorItem(node, new ValidationError('A', 'must'), 0).json).toEqual({
			error: 'A must [item 0]',
			details: { outcome: 'invalid', description: expect.stringMatching(/^Correct the field/) },
		});
	});

	test('has the payment that was made all the same', () => {
		const problem = new ApiError('made', 'No image', 'Look.', {
			status: 500,
			payment: { id: 1 },
		});
		expect(errorItem(node, problem, 0).json.details).toMatchObject({
			outcome: 'made',
			payment: { id: 1 },
		});
	});
});

describe('a batch that is stopped', () => {
	const lines: string[] = [];
	const context = {
		getNode: () => node,
		getExecutionId: () => '42',
		logger: { warn: (line: string) => lines.push(line) },
	} as unknown as IExecuteFunctions;
	beforeEach(() => {
		lines.length = 0;
	});

	test('says nothing twice', () => {
		const payment = { itemIndex: 0, referenceNumber: 'R0' };
		cancelledError(context, { ...nothing, made: [payment], unknown: [payment] }, false);
		expect(lines).toEqual([]);
	});

	test('writes all payments and open outcomes to the log, fifty a line', () => {
		const made = Array.from({ length: 51 }, (_, itemIndex) => ({
			itemIndex,
			referenceNumber: `R${itemIndex}`,
			paymentId: `pay_${itemIndex}`,
		}));
		const unknown = [{ itemIndex: 51, referenceNumber: 'R51' }];
		const notStarted = [{ itemIndex: 52, referenceNumber: 'R52' }];
		const error = cancelledError(context, { ...nothing, made, unknown, notStarted }, true);
		expect(error).toBeInstanceOf(NodeOperationError);
		expect(error.message).toBe('The execution was stopped');
		expect(lines).toHaveLength(4);
		expect(lines[0]).toMatch(/May or may not exist \(1\): R51$/);
		expect(lines[1]).toMatch(
			/^AcountPay node 'Pay', execution 42, was stopped\. Payments made \(51\): R0 = pay_0, R1 = pay_1, .*, R49 = pay_49$/,
		);
		expect(lines[2]).toMatch(/Payments made \(51\): R50 = pay_50$/);
		expect(lines[3]).toMatch(/Not started \(1\): R52$/);
		expect(error.description).toMatch(/Payments made \(51\)/);
	});
});

describe('the fingerprint', () => {
	const credential = {
		environment: 'custom' as const,
		baseUrl: 'https://a.test',
		clientId: 'id',
		clientSecret: 's3cret',
	};

	test('is the same for the same id, secret and place', () => {
		expect(fingerprintOf(credential)).toMatch(/^[0-9a-f]{64}$/);
		expect(fingerprintOf({ ...credential, baseUrl: 'https://a.test/', webhookSecret: 'w' })).toBe(
			fingerprintOf(credential),
		);
	});

	test.each([
		[{ clientId: 'other' }],
		[{ clientSecret: 'other' }],
		[{ baseUrl: 'https://b.test' }],
		[{ environment: 'sandbox' as const }],
		[{ environment: 'production' as const }],
	])('is another with %p', (edit) => {
		expect(fingerprintOf({ ...credential, ...edit })).not.toBe(fingerprintOf(credential));
	});

	const given = async (oauthTokenData: object) =>
		(await addFingerprint({ ...credential, oauthTokenData } as never)).oauthTokenData;

	test('is put on a token, which loses the one that it replaces', async () => {
		const token = { access_token: 'new', expires_in: 3600 };
		const marked = {
			...token,
			n8n_expires_at: expect.stringMatching(/^\d+$/),
			token_type: 'Bearer',
			acountPayFingerprint: fingerprintOf(credential),
		};
		expect(await given(token)).toEqual(marked);
		expect(await given({ ...token, acountPayReplaces: 'old' })).toEqual(marked);
		expect(await given({ ...token, acountPayReplaces: 'new' })).toEqual(marked);
		expect(await given({ access_token: 'new', acountPayReplaces: 'old' })).toMatchObject({
			access_token: 'new',
		});
	});

	test('is never put on a token of before an edit that no answer has replaced', async () => {
		expect(await given({ access_token: 'old', acountPayReplaces: 'old' })).toEqual({});
		expect(await given({})).toEqual({});
	});
});

describe('a refused id and secret', () => {
	test('is asked for four times in an execution, and anew in another or when it is edited', () => {
		const context = {};
		const refusals = new RejectedCredentials(context, '1');
		for (let count = 0; count < 4; count++) {
			expect(refusals.enough('a')).toBeUndefined();
			refusals.add('a', 400);
		}
		expect(refusals.enough('a')).toMatchObject({ status: 400 });
		expect(new RejectedCredentials(context, '1').enough('a')).toMatchObject({ status: 400 });
		expect(refusals.enough('b')).toBeUndefined();
		expect(new RejectedCredentials(context, '2').enough('a')).toBeUndefined();

		refusals.add('b');
		expect(refusals.enough('b')).toBeUndefined();
		expect(refusals.enough('a')).toBeUndefined();
	});

	test('leaves nothing once there is a token', () => {
		const context = {};
		const refusals = new RejectedCredentials(context, '1');
		refusals.add('a');
		refusals.clear();
		expect(context).toEqual({});
	});
});

describe('a new token that n8n puts into the credential', () => {
	const credential = {
		environment: 'sandbox' as const,
		clientId: 'id',
		clientSecret: 's3cret',
		oauthTokenData: { access_token: 'old' },
	};
	const store = (token: TokenData) => {
		const copy = forNewToken(credential);
		expect(copy).toEqual(credential);
		copy.oauthTokenData = token;
		expect(credential.oauthTokenData).toEqual({ access_token: 'old' });
		return { ...copy }.oauthTokenData!;
	};

	test('gets a fingerprint, its end, and a type that n8n puts into a header', () => {
		const before = Date.now();
		const token = store({ access_token: 'new', token_type: 'mac', expires_in: 3600 });
		expect(token).toEqual({
			access_token: 'new',
			token_type: 'Bearer',
			expires_in: 3600,
			n8n_expires_at: expect.stringMatching(/^\d+$/),
			acountPayFingerprint: fingerprintOf(credential),
		});
		const life = Number(token.n8n_expires_at) - before;
		expect(life).toBeGreaterThanOrEqual(3_600_000);
		expect(life).toBeLessThan(3_610_000);
	});

	test('keeps the end that n8n has noted', () => {
		const token = store({ access_token: 'new', expires_in: '3600', n8n_expires_at: '12345' });
		expect(token.n8n_expires_at).toBe('12345');
	});

	test.each([undefined, 0, '', 'soon'])('has no end when AcountPay says %p', (expires_in) => {
		expect(store({ access_token: 'new', expires_in })).not.toHaveProperty('n8n_expires_at');
	});
});
