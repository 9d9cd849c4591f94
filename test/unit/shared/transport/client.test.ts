/** What a client makes of a request and of what n8n's HTTP helper gives back. That n8n sends it is tested on n8n's engine. */
import type { IHttpRequestOptions } from 'n8n-workflow';
import type { ApiRequest } from '../../../../nodes/shared/api/request';
import type { RequestContext } from '../../../../nodes/shared/requestContext';
import { Client } from '../../../../nodes/shared/transport/client';

const URL = 'https://acountpay.test';
const GET: ApiRequest = { method: 'GET', path: '/v1/a', repeatable: true };
const CREATE: ApiRequest = { ...GET, method: 'POST', body: { amount: 1 }, repeatable: false };

interface HttpResponse {
	statusCode: number;
	headers: Record<string, unknown>;
	body: unknown;
}

const ok = (body: string, headers: Record<string, unknown> = {}): HttpResponse => ({
	statusCode: 200,
	headers,
	body: Buffer.from(body),
});

/** A client whose HTTP helper does this; `asked` are the options that it was given. */
async function open(
	httpRequest: (options: IHttpRequestOptions) => unknown = () => ok('{}'),
	credential: object = {},
) {
	const asked: IHttpRequestOptions[] = [];
	const stop = new AbortController();
	const context = {
		getNode: () => ({ parameters: { authentication: 'apiKey' } }),
		getCredentials: async () => ({
			environment: 'custom',
			baseUrl: URL,
			clientId: 'id',
			clientSecret: 'abcdefghijklmnop',
			...credential,
		}),
		getExecutionCancelSignal: () => stop.signal,
		helpers: {
			httpRequest: async (options: IHttpRequestOptions) => {
				asked.push(options);
				return await httpRequest(options);
			},
		},
	} as unknown as RequestContext;
	return { client: await Client.open(context, 7), asked, stop };
}

/** What the HTTP client throws for a status that is no success. */
const thrown = (status: number, data: string, request?: object) =>
	Object.assign(new Error('Request failed'), {
		response: { status, headers: { a: 'b' }, data: Buffer.from(data) },
		request,
	});

describe('the client of a node', () => {
	it('knows where requests go, and whether payments are real', async () => {
		const { client, stop } = await open();
		expect([client.baseUrl, client.isProduction]).toEqual([URL, false]);
		expect(client.cancelSignal).toBe(stop.signal);
		expect(client.limiter.limit).toBe(7);
		const real = await open(undefined, { environment: 'production' });
		expect(real.client.isProduction).toBe(true);
	});

	it.each([
		[undefined, false],
		['', false],
		['  ', false],
		['whsec_••••', false],
		['whsec', true],
	])('with the webhook secret %j: %s', async (webhookSecret, has) => {
		expect((await open(undefined, { webhookSecret })).client.hasWebhookSecret).toBe(has);
	});

	it('takes its secrets out of texts', async () => {
		const { client } = await open(undefined, { webhookSecret: 'qrstuvwxyzabcdef' });
		expect(client.redact('abcdefghijklmnop qrstuvwxyzabcdef id')).toBe('[secret] [secret] id');
	});

	it('takes secrets that responses brought out of texts, but not out of the responses', async () => {
		const { client } = await open(() => ok('{"secret":"whsec_of_a_new_webhook"}'));
		const said = 'whsec_of_a_new_webhook fits';
		await client.exchange(GET, 5_000);
		expect(client.redact(said)).toBe(said);
		const secretsIn = (body: Buffer) => [String(JSON.parse(String(body)).secret)];
		for (let time = 0; time < 2; time++) {
			expect(await client.exchange({ ...GET, secretsIn }, 5_000)).toMatchObject({
				body: Buffer.from('{"secret":"whsec_of_a_new_webhook"}'),
			});
		}
		expect(client.redact(said)).toBe('[secret] fits');
	});

	it('tells accounts apart, without a secret of theirs', async () => {
		const { account } = (await open()).client;
		expect(account).not.toContain('abcdefghijklmnop');
		expect((await open()).client.account).toBe(account);
		expect((await open(undefined, { clientId: 'another' })).client.account).not.toBe(account);
	});

	it('has the words of its authentication for a 401', async () => {
		const { client } = await open();
		expect(client.unauthorizedWords('it').message).toMatch(
			/^AcountPay refused the API keys .* for it$/,
		);
	});
});

describe('a request', () => {
	it.each<[string, ApiRequest, object]>([
		['without a body', GET, { headers: { Accept: 'application/json' } }],
		[
			'with a body',
			{ ...CREATE, merchantClientId: 'm' },
			{
				headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
				body: { amount: 1, merchantClientId: 'm' },
			},
		],
		[
			'for an image, with a header and a query of its own',
			{ ...GET, accept: 'image/*', headers: { 'X-A': 'b' }, query: { page: 2 } },
			{ headers: { Accept: 'image/*', 'X-A': 'b' }, query: { page: 2 } },
		],
	])('%s is told from others by all that is sent', async (_what, request, more) => {
		const { client } = await open();
		expect(client.buildRequest(request)).toEqual({
			baseUrl: URL,
			method: request.method,
			path: '/v1/a',
			...more,
		});
	});

	it('is given to n8n as text, without redirects, with its time limit', async () => {
		const { client, asked } = await open();
		await client.exchange({ ...CREATE, query: { page: 2 } }, 5_000);
		expect(asked).toEqual([
			{
				method: 'POST',
				url: `${URL}/v1/a`,
				headers: {
					Accept: 'application/json',
					'Content-Type': 'application/json',
					'X-Partner-Client-Id': 'id',
					'X-Partner-Client-Secret': 'abcdefghijklmnop',
				},
				qs: { page: 2 },
				body: '{"amount":1}',
				encoding: 'arraybuffer',
				timeout: 5_000,
				returnFullResponse: true,
				disableFollowRedirect: true,
				abortSignal: expect.any(AbortSignal),
			},
		]);
		await client.exchange(GET, 5_000);
		expect(asked[1]).not.toHaveProperty('qs');
		expect(asked[1]).not.toHaveProperty('body');
	});

	it.each([
		['is cut off when the execution is cancelled', GET, true],
		['that makes something is not', CREATE, false],
	])('%s', async (_what, request, isCutOff) => {
		const { client, asked, stop } = await open();
		await client.exchange(request, 5_000);
		stop.abort();
		expect((asked[0].abortSignal as AbortSignal).aborted).toBe(isCutOff);
	});
});

describe('a response', () => {
	it('is its status, headers and bytes', async () => {
		const { client } = await open(() => ok('{"a":1}', { b: 'c' }));
		expect(await client.exchange(GET, 5_000)).toEqual({
			status: 200,
			headers: { b: 'c' },
			body: Buffer.from('{"a":1}'),
		});
	});

	it('of any other status is one too', async () => {
		const { client } = await open(() => {
			throw thrown(422, '{"message":"no"}');
		});
		expect(await client.exchange(CREATE, 5_000)).toEqual({
			status: 422,
			headers: { a: 'b' },
			body: Buffer.from('{"message":"no"}'),
		});
	});

	it('to a request that was not written comes from a proxy', async () => {
		const { client } = await open(() => {
			throw thrown(403, '', { writableFinished: false });
		});
		expect(await client.exchange(CREATE, 5_000)).toEqual({
			status: undefined,
			sent: false,
			what: 'could not be reached',
			proxyStatus: 403,
		});
		const written = await open(() => {
			throw thrown(403, '', { writableFinished: true });
		});
		expect(await written.client.exchange(CREATE, 5_000)).toMatchObject({ status: 403 });
	});

	it('has no secret, also where it is an image', async () => {
		const { client } = await open(() => ok('<svg>abcdefghijklmnop</svg>'));
		for (const request of [GET, { ...GET, accept: 'image/*' }]) {
			expect(await client.exchange(request, 5_000)).toMatchObject({
				body: Buffer.from('<svg>[secret]</svg>'),
			});
		}
	});

	it('has no secret where it comes in place of an image', async () => {
		const { client } = await open(() => {
			throw thrown(404, 'echo abcdefghijklmnop');
		});
		expect(await client.exchange({ ...GET, accept: 'image/*' }, 5_000)).toMatchObject({
			body: Buffer.from('echo [secret]'),
		});
	});

	it('without a secret keeps bytes that are no text', async () => {
		const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
		const { client } = await open(() => ({ ...ok(''), body: bytes }));
		expect(await client.exchange(GET, 5_000)).toMatchObject({ body: bytes });
	});
});

describe("AcountPay's clock", () => {
	const now = Date.now();
	const DATE = { date: new Date(now + 3_600_000).toUTCString() };

	it.each<[string, () => unknown, boolean]>([
		['is learned from a success', () => ok('{}', DATE), true],
		['is not learned from a web page', () => ok('<html>', DATE), false],
		[
			'is not learned from a rejection',
			() => {
				throw Object.assign(thrown(400, '{}'), {
					response: { status: 400, headers: DATE, data: Buffer.from('{}') },
				});
			},
			false,
		],
	])('%s', async (_what, httpRequest, isKnown) => {
		const { client } = await open(httpRequest);
		const observe = jest.spyOn(client.clock, 'observe');
		await client.exchange(GET, 5_000);
		expect(observe.mock.calls.map(([headers]) => headers)).toEqual(isKnown ? [DATE] : []);
	});
});

describe('no response', () => {
	const failing = (error: object) => () => {
		throw error;
	};

	it.each([
		['a closed port', { code: 'ECONNREFUSED', syscall: 'connect' }, false, 'could not be reached'],
		[
			'a broken connection',
			{ code: 'ECONNRESET' },
			true,
			'closed the connection before the response was complete',
		],
		['a time limit', { code: 'ETIMEDOUT' }, true, 'did not respond within 5 seconds'],
	])('%s', async (_what, error, sent, what) => {
		const { client } = await open(failing(error));
		expect(await client.exchange(CREATE, 5_000)).toEqual({ status: undefined, sent, what });
	});

	it('of a request that is too large to be written at once may have been read in part', async () => {
		const error = { isAxiosError: true, request: { writableFinished: false } };
		const { client } = await open(failing(error));
		expect(await client.exchange(CREATE, 5_000)).toMatchObject({ sent: false });
		const large = { ...CREATE, body: { text: 'x'.repeat(20_000) } };
		expect(await client.exchange(large, 5_000)).toMatchObject({ sent: true });
	});

	it('within the time limit is said so, whatever the HTTP client says', async () => {
		const { client } = await open(
			async ({ abortSignal }) =>
				await new Promise((_resolve, reject) => {
					const signal = abortSignal as AbortSignal;
					signal.addEventListener('abort', () => reject(new Error('cut off')));
				}),
		);
		expect(await client.exchange(CREATE, 20)).toEqual({
			status: undefined,
			sent: true,
			what: 'did not respond within 0.02 seconds',
		});
	});
});
