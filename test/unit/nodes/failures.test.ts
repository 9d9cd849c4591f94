import type { IExecuteFunctions, INode } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';
import {
	errorItem,
	nodeErrorFor,
	cancelledError,
} from '../../../nodes/AcountPay/execution/nodeErrors';
import { codesOf, neverConnected } from '../../../nodes/shared/transport/networkErrors';
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
const nothing = { made: [], unknown: [] };

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
		['no server', { code: 'ECONNREFUSED' }, { transient: false }],
		['no host', { cause: { code: 'ENOTFOUND' } }, { transient: false }],
		['a bad certificate', { code: 'CERT_HAS_EXPIRED' }, { transient: false }],
		['another server', { status: 404, body: '' }, { transient: false, status: 404 }],
		[
			'another server, as NestJS has it',
			{ body: { statusCode: 404, error: 'Not Found' } },
			{ transient: false, status: 404, what: 'answered with status 404' },
		],
	])('%s', (_name, error, expected) => {
		const failure = tokenFailureOf(error);
		expect(failure).toMatchObject(expected);
		expect(failure.rejected).toBeUndefined();
	});

	test.each<[number | undefined, object, string, boolean]>([
		[429, { status: 429 }, 'is getting too many requests', true],
		[500, { status: 500 }, 'is out of order (status 500)', true],
		[300, { status: 300 }, 'answered with a redirect (status 300)', false],
		[399, { status: 399 }, 'answered with a redirect (status 399)', false],
		[299, { status: 299 }, 'sent an answer that could not be read', true],
		[499, { status: 499 }, 'answered with status 499', false],
		[undefined, { code: 'ECONNREFUSED' }, 'could not be reached', false],
		[undefined, { body: { message: 'x' } }, 'broke off the connection', true],
		[undefined, { body: null }, 'broke off the connection', true],
		[429, { body: { error: { code: 'slow_down' } } }, 'is getting too many requests', true],
	])('a status %p, as of %j: it %s', (status, error, what, transient) => {
		expect(tokenFailureOf(error)).toEqual({ what, transient, ...(status && { status }) });
	});

	test.each([
		['invalid_client', { code: 'EAUTH', body: { error: 'invalid_client' } }, 401],
		['invalid_grant', { failure: { cause: 'credential-invalid' } }, 401],
		['invalid_client in an object', { body: { error: { code: 'invalid_client' } } }, 401],
		['a 401 without words', { status: 401, body: '<html>' }, 401],
		['a 403', { status: 403, body: '' }, 403],
		['a 400 as NestJS has it', { body: { statusCode: 400, error: 'Bad Request' } }, 400],
	])('%s is a refusal', (_name, error, status) => {
		expect(tokenFailureOf(error)).toEqual({
			what: 'refused the id and secret',
			transient: false,
			rejected: true,
			status,
		});
	});

	test.each([[undefined], [null], ['text'], [new Error('x')]])('%p may pass', (error) => {
		expect(tokenFailureOf(error)).toEqual({ what: 'broke off the connection', transient: true });
	});
});

describe('network errors', () => {
	test('codes are found through their causes', () => {
		expect(codesOf({ code: 'A', cause: { cause: { code: 'B' } } })).toEqual(['A', 'B']);
		expect(codesOf({ code: 5 })).toEqual([]);
		expect(codesOf(null)).toEqual([]);
	});

	test.each([
		['ECONNREFUSED'],
		['ENOTFOUND'],
		['EAI_AGAIN'],
		['EHOSTUNREACH'],
		['ENETUNREACH'],
		['CERT_HAS_EXPIRED'],
		['ERR_TLS_CERT_ALTNAME_INVALID'],
		['DEPTH_ZERO_SELF_SIGNED_CERT'],
		['SELF_SIGNED_CERT_IN_CHAIN'],
		['UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
	])('%s means that nothing was sent', (code) => {
		expect(neverConnected({ code })).toBe(true);
	});

	test.each([
		['ECONNRESET'],
		['ETIMEDOUT'],
		['ECONNABORTED'],
		['EPIPE'],
		['ERR_BAD_RESPONSE'],
		['XECONNREFUSED'],
		[''],
	])('%s does not', (code) => {
		expect(neverConnected({ code })).toBe(false);
	});
});

describe('the error that ends the node', () => {
	const context = { getNode: () => node } as IExecuteFunctions;

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
			made,
			unknown,
		});
		expect(error.message).toBe('No [item 61]');
		expect(error.description).toMatch(
			/^Look\. It is not known either whether these were made: R60, R62\. Payments made \(60\): R0 = pay_0, R1 = no ID, R2 = pay_2, .*, R49 = pay_49 and 10 more\. A retry of this execution hands them out and makes none of them again\.$/,
		);
		expect(error.context).toMatchObject({ paymentsMade: made, outcomesUnknown: unknown });
	});

	test('does not speak of more when there are 50', () => {
		const made = Array.from({ length: 50 }, (_, itemIndex) => ({
			itemIndex,
			referenceNumber: 'R',
			paymentId: 'p',
		}));
		const error = nodeErrorFor(context, new ValidationError('A', 'b'), 0, { made, unknown: [] });
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
		cancelledError(context, { made: [payment], unknown: [payment] }, false);
		expect(lines).toEqual([]);
	});

	test('writes all payments and open outcomes to the log, fifty a line', () => {
		const made = Array.from({ length: 51 }, (_, itemIndex) => ({
			itemIndex,
			referenceNumber: `R${itemIndex}`,
			paymentId: `pay_${itemIndex}`,
		}));
		const unknown = [{ itemIndex: 51, referenceNumber: 'R51' }];
		const error = cancelledError(context, { made, unknown }, true);
		expect(error).toBeInstanceOf(NodeOperationError);
		expect(error.message).toBe('The execution was stopped');
		expect(lines).toHaveLength(3);
		expect(lines[0]).toMatch(
			/^AcountPay node 'Pay', execution 42, was stopped\. Payments made \(51\): R0 = pay_0, R1 = pay_1, .*, R49 = pay_49$/,
		);
		expect(lines[1]).toMatch(/Payments made \(51\): R50 = pay_50$/);
		expect(lines[2]).toMatch(/Not known whether these payments were made \(1\): R51$/);
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
