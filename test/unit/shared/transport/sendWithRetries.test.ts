import type { ApiRequest } from '../../../../nodes/shared/api/request';
import { Cancelled } from '../../../../nodes/shared/errors';
import { ServerDown, type Verdict } from '../../../../nodes/shared/transport/adaptiveLimiter';
import type { Client } from '../../../../nodes/shared/transport/client';
import type { ApiResponse, SendResult } from '../../../../nodes/shared/http/response';
import {
	type CallOptions,
	sendAtMostOnce,
	sendUntilUsable,
} from '../../../../nodes/shared/transport/sendWithRetries';
import {
	after,
	callOptions,
	end,
	errorOf,
	giveUpAfter,
	late,
	response,
	type Script,
	scripted,
	unreachable,
	useFakeTime,
} from '../../support';

useFakeTime();

const create: ApiRequest = { method: 'POST', path: '/v1/payments', repeatable: false };
const get: ApiRequest = { method: 'GET', path: '/v1/payments/1', repeatable: true };
const limited = (seconds: number) => response(429, {}, { 'retry-after': String(seconds) });
const done = response(201, { id: 1 });

/** Notes what `send` tells its observer. */
const observed = () => {
	const told: string[] = [];
	const observer = {
		sending: () => told.push('sending'),
		notCreated: () => told.push('not created'),
	};
	return { told, observer };
};

/** Notes how `send` calls the limiter, which works as ever. */
function watched({ limiter }: Client) {
	const calls: Array<{ again?: boolean; signal?: AbortSignal }> = [];
	const verdicts: Verdict[] = [];
	const run = limiter.run.bind(limiter);
	limiter.run = async (work, verdictOn, options) => {
		calls.push({ ...options });
		return await run(
			work,
			(result) => {
				const verdict = verdictOn(result);
				verdicts.push(verdict);
				return verdict;
			},
			options,
		);
	};
	return { calls, verdicts };
}

describe('a request', () => {
	it.each<[string, SendResult]>([
		['201', done],
		['400', response(400)],
		['401', response(401)],
		['500', response(500)],
		['307', response(307)],
		['no response', late],
		['no connection', unreachable],
	])('is sent once, whatever comes: %s', async (_what, answer) => {
		const { client, sent } = scripted([answer as Script[number]]);
		const { told, observer } = observed();
		const { value, took } = await end(sendAtMostOnce(client, create, callOptions, observer));
		expect(value).toBe(answer);
		expect(sent).toEqual([create]);
		expect(told).toEqual(['sending']);
		expect(took).toBeLessThanOrEqual(100);
	});

	it('that is rate limited is sent again once the limiter lets it', async () => {
		const { client, sent } = scripted([limited(5), limited(7), done]);
		const { told, observer } = observed();
		const { value, took } = await end(sendAtMostOnce(client, create, callOptions, observer));
		expect(value).toBe(done);
		expect(sent).toEqual([create, create, create]);
		expect(told).toEqual(['sending', 'not created', 'sending', 'not created', 'sending']);
		expect(took).toBeGreaterThanOrEqual(12_000);
		expect(took).toBeLessThan(16_000);
	});

	it('that is rate limited until the end hands out the 429', async () => {
		const { client } = scripted([limited(60)]);
		const { value } = await end(sendAtMostOnce(client, create, callOptions));
		expect(value).toMatchObject({ status: 429 });
	});

	it('without a token was not created, and the error is handed on', async () => {
		const error = new Error('no token');
		const { client } = scripted([error]);
		const { told, observer } = observed();
		expect(await end(sendAtMostOnce(client, create, callOptions, observer))).toMatchObject({
			error,
		});
		expect(told).toEqual(['sending', 'not created']);
	});

	it('has the timeout of its item', async () => {
		const { client } = scripted([done]);
		const spy = jest.spyOn(client, 'exchange');
		await end(sendAtMostOnce(client, create, { ...callOptions, timeout: 1_234 }));
		expect(spy).toHaveBeenCalledWith(create, 1_234);
	});
});

describe('what the limiter is told', () => {
	it.each<[string, SendResult, Verdict]>([
		['201', done, { kind: 'ok' }],
		['400', response(400), { kind: 'ok' }],
		['407', response(407), { kind: 'ok' }],
		['409', response(409), { kind: 'ok' }],
		['408', response(408), { kind: 'failed' }],
		['499', response(499), { kind: 'ok' }],
		['500', response(500), { kind: 'failed' }],
		['503', response(503), { kind: 'failed' }],
		['no response', late, { kind: 'failed' }],
	])('of %s', async (_what, answer, verdict) => {
		const { client } = scripted([answer as Script[number]]);
		const { verdicts } = watched(client);
		await end(sendAtMostOnce(client, create, callOptions));
		expect(verdicts).toEqual([verdict]);
	});

	it('of 429: how long AcountPay wants to be left alone', async () => {
		const { client } = scripted([limited(5), response(429), done]);
		const { verdicts } = watched(client);
		await end(sendAtMostOnce(client, create, callOptions));
		expect(verdicts).toEqual([
			{ kind: 'rateLimited', retryAfter: 5_000 },
			{ kind: 'rateLimited', retryAfter: undefined },
			{ kind: 'ok' },
		]);
	});

	it('of a request that is sent again: that it goes first, and stops with the execution alone', async () => {
		const { client, stop } = scripted([limited(1), done]);
		const { calls } = watched(client);
		const endSignal = new AbortController().signal;
		await end(sendAtMostOnce(client, create, { ...callOptions, endSignal }));
		expect(calls).toEqual([
			{ again: undefined, signal: endSignal },
			{ again: true, signal: stop.signal },
		]);
	});

	it('of a read that is sent again: that it goes first, and stops when no read is wanted', async () => {
		const { client } = scripted([limited(1), done]);
		const { calls } = watched(client);
		const endSignal = new AbortController().signal;
		await end(sendAtMostOnce(client, get, { ...callOptions, endSignal }));
		expect(calls).toEqual([
			{ again: undefined, signal: endSignal },
			{ again: true, signal: endSignal },
		]);
	});

	it('of a request about one that was sent: that it goes first', async () => {
		const { client } = scripted([done]);
		const { calls } = watched(client);
		await end(sendAtMostOnce(client, create, { ...callOptions, comesFirst: true }));
		expect(calls).toMatchObject([{ again: true }]);
	});
});

describe('an execution that ends', () => {
	it('sends nothing for the first time any more', async () => {
		const { client, sent } = scripted([done]);
		const over = new AbortController();
		over.abort();
		const { error } = await end(
			sendAtMostOnce(client, create, { ...callOptions, endSignal: over.signal }),
		);
		expect(error).toBeInstanceOf(Cancelled);
		expect(sent).toEqual([]);
	});

	it('sees through what was sent once', async () => {
		const over = new AbortController();
		const { client, sent } = scripted([limited(5), done]);
		const ended = end(sendAtMostOnce(client, create, { ...callOptions, endSignal: over.signal }));
		await after(1_000);
		over.abort();
		expect(await ended).toMatchObject({ value: done });
		expect(sent).toHaveLength(2);
	});

	it('sends nothing again when it was cancelled', async () => {
		const { client, sent, stop } = scripted([limited(5), done]);
		const ended = end(sendAtMostOnce(client, create, callOptions));
		await after(1_000);
		stop.abort();
		expect((await ended).error).toBeInstanceOf(Cancelled);
		expect(sent).toHaveLength(1);
	});

	it('hands on an error that has nothing to do with its end', async () => {
		const error = new Error('no token');
		const { client, stop } = scripted([error]);
		client.exchange = async () => {
			stop.abort();
			throw error;
		};
		expect(await end(sendAtMostOnce(client, create, callOptions))).toMatchObject({ error });
	});
});

describe('a server that fails again and again', () => {
	it('is sent nothing, and the item says so', async () => {
		const { client, sent } = scripted([done]);
		giveUpAfter(0, client, sent);
		const error = errorOf(await end(sendAtMostOnce(client, create, callOptions)));
		expect(error).toMatchObject({
			outcome: 'unavailable',
			message: 'Nothing was sent for this item: AcountPay failed several requests in a row',
			description: 'Run this item again when AcountPay responds again.',
		});
		expect(sent).toEqual([]);
	});

	it('had refused the item before', async () => {
		const { client, sent } = scripted([limited(1), done]);
		giveUpAfter(1, client, sent);
		const error = errorOf(await end(sendAtMostOnce(client, create, callOptions)));
		expect(error).toMatchObject({
			outcome: 'unavailable',
			message:
				'Nothing was accepted for this item: AcountPay refused its request as one too many, and then failed several requests in a row',
			description: 'Run this item again when AcountPay responds again.',
		});
		expect(sent).toHaveLength(1);
	});

	it('is told apart from any other error', async () => {
		const { client } = scripted([done]);
		client.limiter.run = async () => await Promise.reject(new TypeError('broken'));
		const { error } = await end(sendAtMostOnce(client, create, callOptions));
		expect(error).toBeInstanceOf(TypeError);
		expect(error).not.toBeInstanceOf(ServerDown);
	});
});

describe('a deadline', () => {
	/** Sends while the limiter is paused for 10 s, with a deadline in so many ms. */
	const sendWithin = async (ms: number, paused = 10_000) => {
		const { client, sent } = scripted([done]);
		jest.spyOn(client.limiter, 'pausedFor', 'get').mockReturnValue(paused);
		const options: CallOptions = { ...callOptions, deadline: Date.now() + ms };
		return { ...(await end(sendAtMostOnce(client, create, options))), sent };
	};

	it('before the end of a pause: nothing is sent', async () => {
		const { sent, ...ended } = await sendWithin(9_999);
		expect(errorOf(ended)).toMatchObject({
			outcome: 'unavailable',
			message:
				'Nothing was sent for this item: AcountPay takes no requests until after the time limit',
			description: 'Run this item again later.',
		});
		expect(sent).toEqual([]);
	});

	it('right at the end of a pause: the request is sent', async () => {
		expect(await sendWithin(10_000)).toMatchObject({ value: done, sent: [create] });
	});

	it('that has passed: without a pause the last request is sent', async () => {
		expect(await sendWithin(-1, 0)).toMatchObject({ value: done, sent: [create] });
	});

	it('before the end of a pause that came of this request: it hands out the 429', async () => {
		const { client, sent } = scripted([limited(20), done]);
		const options: CallOptions = { ...callOptions, deadline: Date.now() + 5_000 };
		expect((await end(sendAtMostOnce(client, create, options))).value).toMatchObject({
			status: 429,
		});
		expect(sent).toHaveLength(1);
	});
});

describe('a repeatable request', () => {
	const statusOf = ({ status }: ApiResponse) => status;
	const repeated = async (script: Script, options: Partial<CallOptions> = {}) => {
		const { client, sent, stop } = scripted(script);
		const all = { ...callOptions, ...options };
		const ended = end(sendUntilUsable(client, get, all, statusOf));
		return { ended, sent, stop, client };
	};

	it.each<[string, Script[number]]>([
		['500', response(500)],
		['408', response(408)],
		['no response', late],
		['no connection', unreachable],
	])('is sent again after %s', async (_what, trouble) => {
		const { ended, sent } = await repeated([trouble, response(200)]);
		expect((await ended).value).toEqual({ result: 200 });
		expect(sent).toHaveLength(2);
	});

	it('is sent again after a response that can not be used', async () => {
		const { client, sent } = scripted([response(200, 'a'), response(200, 'b')]);
		const readB = ({ body }: ApiResponse) => (String(body) === 'b' ? String(body) : undefined);
		expect((await end(sendUntilUsable(client, get, callOptions, readB))).value).toEqual({
			result: 'b',
		});
		expect(sent).toHaveLength(2);
	});

	it.each([[400], [401], [404], [302]])('stands with %i', async (status) => {
		const { ended, sent } = await repeated([response(status), response(200)]);
		expect((await ended).value).toMatchObject({ failure: { status } });
		expect(sent).toHaveLength(1);
	});

	it('is given up after five attempts, with the last response', async () => {
		const failures = [500, 501, 502, 503, 504, 505].map((status) => response(status));
		const { ended, sent } = await repeated(failures);
		expect((await ended).value).toMatchObject({ failure: { status: 504 } });
		expect(sent).toHaveLength(5);
	});

	it('may read a result that is empty', async () => {
		const { client } = scripted([response(200)]);
		const value = { result: '' };
		expect((await end(sendUntilUsable(client, get, callOptions, () => ''))).value).toEqual(value);
	});

	it('is not sent after its deadline', async () => {
		const { ended, sent } = await repeated([response(500)], { deadline: Date.now() + 100 });
		expect((await ended).value).toMatchObject({ failure: { status: 500 } });
		expect(sent).toHaveLength(1);
	});

	it('ends with the execution, also when a result has come', async () => {
		const { client, stop } = scripted([response(200)]);
		stop.abort();
		const { error } = await end(sendUntilUsable(client, get, callOptions, statusOf));
		expect(error).toBeInstanceOf(Cancelled);
	});

	it('ends while it waits for its next attempt', async () => {
		const { ended, sent, stop } = await repeated([response(500)]);
		await after(10);
		stop.abort();
		expect((await ended).error).toBeInstanceOf(Cancelled);
		expect(sent).toHaveLength(1);
	});

	it('that could not be sent again has the last response', async () => {
		const { client, sent } = scripted([response(500)]);
		giveUpAfter(1, client, sent);
		const { value } = await end(sendUntilUsable(client, get, callOptions, statusOf));
		expect(value).toMatchObject({ failure: { status: 500 } });
		expect(sent).toHaveLength(1);
	});

	it('that was never sent, or ended with another error, has no response', async () => {
		const { client, sent } = scripted([response(500)]);
		giveUpAfter(0, client, sent);
		const ended = await end(sendUntilUsable(client, get, callOptions, statusOf));
		expect(errorOf(ended).message).toContain('Nothing was sent for this item');

		const error = new Error('no token');
		const other = await repeated([response(500), error]);
		expect(await other.ended).toMatchObject({ error });
	});
});
