import fc from 'fast-check';
import { readPayment } from '../../../nodes/AcountPay/actions/payment/readPayment';
import { createOnce } from '../../../nodes/AcountPay/execution/createOnce';
import { createPayment, getPayment, readCreated } from '../../../nodes/shared/api/payments';
import { ApiError, Cancelled } from '../../../nodes/shared/errors';
import { ServerDown } from '../../../nodes/shared/transport/adaptiveLimiter';
import { read as readResponse } from '../../../nodes/shared/transport/read';
import type { Client } from '../../../nodes/shared/transport/client';
import type { NetworkFailure } from '../../../nodes/shared/transport/response';
import type { CallOptions } from '../../../nodes/shared/transport/retry';
import { after, execution, placed, recordFor, response, scripted, type Script } from './support';

const request = createPayment('merchant_1', { amount: 10, referenceNumber: 'ORDER-1' });
const subject = { merchantId: 'merchant_1', name: "the payment with reference 'ORDER-1'" };
const creation = {
	request,
	subject,
	title: "Payment 'ORDER-1'",
	read: readCreated,
	nothingMade: 'This payment was not created.',
	whenUnknown: 'Look for this reference in AcountPay before you create it again.',
};
const options: CallOptions = { timeout: 30_000, resendUnknown: false };
const made = response(201, { id: 'pay_1', status: 'pending', extra: [1] });
const late: NetworkFailure = {
	status: undefined,
	sent: true,
	what: 'did not respond within 30 seconds',
};
const unreachable: NetworkFailure = {
	status: undefined,
	sent: false,
	what: 'could not be reached',
};

/** Runs to the end while time goes by, and tells how it ended and how long it took. */
async function end<Result>(work: Promise<Result>) {
	const startedAt = Date.now();
	let ended: { value?: Result; error?: unknown } | undefined;
	work.then(
		(value) => (ended = { value }),
		(error: unknown) => (ended = { error }),
	);
	while (!ended) await after(100);
	return { ...ended, took: Date.now() - startedAt };
}

/** The limiter takes no request for the server any more once so many were sent. */
function giveUpAfter(requests: number, { limiter }: Client, sent: unknown[]): void {
	const run = limiter.run.bind(limiter);
	limiter.run = async (work, ...rest) => {
		if (sent.length === requests) throw new ServerDown();
		return await run(work, ...rest);
	};
}

const errorOf = ({ error }: { error?: unknown }) => {
	expect(error).toBeInstanceOf(ApiError);
	return error as ApiError;
};

beforeEach(() => {
	jest.useFakeTimers({ now: Date.UTC(2026, 0, 1), doNotFake: ['performance'] });
});
afterEach(() => {
	jest.useRealTimers();
	jest.restoreAllMocks();
});

const make = async (script: Script, record = recordFor(request), callOptions = options) => {
	const { client, sent } = scripted(script);
	const ended = await end(createOnce(client, creation, callOptions, record));
	return { ...ended, sent, record };
};

describe('making a payment', () => {
	test('hands out the whole answer and remembers it', async () => {
		const { value, sent, record } = await make([made]);
		expect(value).toEqual({ id: 'pay_1', status: 'pending', extra: [1] });
		expect(sent).toEqual([request]);
		expect(record.earlier).toMatchObject({ state: 'made', answer: value });
	});

	test('is written down before the request leaves', async () => {
		const record = recordFor(request);
		const { client } = scripted([made]);
		const seen: unknown[] = [];
		const { send } = client;
		client.send = async (...args) => {
			seen.push(record.earlier?.state);
			return await send(...args);
		};
		await end(createOnce(client, creation, options, record));
		expect(seen).toEqual(['sent']);
	});

	test('that was made before is handed out and not sent', async () => {
		const record = recordFor(request);
		record.made({ id: 'pay_0' });
		const { value, sent } = await make([made], record);
		expect(value).toEqual({ id: 'pay_0' });
		expect(sent).toEqual([]);
	});

	test.each<[string, Script[number], string]>([
		['no answer', late, 'did not respond within 30 seconds'],
		['500', response(500, 'oops'), 'returned a server error (status 500)'],
		['503', response(503), 'returned a server error (status 503)'],
		['408', response(408), 'reported a timeout (status 408)'],
		[
			'an error that is sent as a success',
			response(200, { statusCode: 500, message: 'oops' }),
			'sent a response that could not be read (status 200)',
		],
		['a redirect', response(302), 'sent a redirect (status 302), which is not followed'],
		['307', response(307), 'sent a redirect (status 307), which is not followed'],
		['an empty answer', response(201, ''), 'sent a response that could not be read (status 201)'],
		[
			'a cut-off answer',
			response(201, '{"id": "pay'),
			'sent a response that could not be read (status 201)',
		],
		['HTML', response(200, '<html>'), 'sent a response that could not be read (status 200)'],
		['an empty object', response(201, '{}'), 'sent a response that could not be read (status 201)'],
		['a list', response(201, '[1]'), 'sent a response that could not be read (status 201)'],
	])('after %s it is not known, and it is not sent again', async (_name, script, what) => {
		const first = await make([script]);
		expect(first.sent).toHaveLength(1);
		const error = errorOf(first);
		expect(error.outcome).toBe('unknown');
		expect(error.message).toBe(`Payment 'ORDER-1' may or may not exist: AcountPay ${what}`);
		expect(error.description).toMatch(
			/^Look for this reference in AcountPay before you create it again/,
		);
		expect(error.status).toBe((script as { status?: number }).status);
		expect(error.isOld).toBe(false);

		const second = await make([made], first.record);
		expect(second.sent).toEqual([]);
		expect(errorOf(second)).toMatchObject({ message: error.message, isOld: true });
	});

	test('that is not known is sent again when the person allows it', async () => {
		const first = await make([late]);
		const second = await make([made], first.record, { ...options, resendUnknown: true });
		expect(second.value).toMatchObject({ id: 'pay_1' });
		expect(second.sent).toHaveLength(1);
	});

	test.each<[string, Script[number], string]>([
		[
			'refused',
			response(422, { message: 'no' }),
			"AcountPay refused the payment with reference 'ORDER-1': no",
		],
		[
			'out of reach',
			unreachable,
			"AcountPay could not be reached for the payment with reference 'ORDER-1'",
		],
		['without a token', new ApiError('refused', 'no token', ''), 'no token'],
	])('that is sent again and then %s stays unknown', async (_name, trouble, said) => {
		const first = await make([late]);
		const resend = { ...options, resendUnknown: true };
		const second = await make([trouble], first.record, resend);
		expect(errorOf(second)).toMatchObject({
			outcome: 'unknown',
			isOld: false,
			message: `Payment 'ORDER-1' may or may not exist: AcountPay did not respond within 30 seconds. Sent again: ${said}`,
		});
		const third = await make([made], first.record);
		expect(third.sent).toEqual([]);
		expect(errorOf(third)).toMatchObject({ outcome: 'unknown', isOld: true });
		expect((await make([made], first.record, resend)).value).toMatchObject({ id: 'pay_1' });
	});

	test('that is sent again without an answer says what became of it last', async () => {
		const first = await make([late]);
		const second = await make([response(500)], first.record, { ...options, resendUnknown: true });
		expect(errorOf(second)).toMatchObject({
			message:
				"Payment 'ORDER-1' may or may not exist: AcountPay returned a server error (status 500)",
			isOld: false,
		});
	});

	test('that was sent when the execution ended is not known', async () => {
		const record = recordFor(request);
		record.sending();
		const { sent, ...ended } = await make([made], record);
		expect(sent).toEqual([]);
		expect(errorOf(ended)).toMatchObject({
			outcome: 'unknown',
			message:
				"Payment 'ORDER-1' may or may not exist: AcountPay was asked, and the execution ended before it responded",
		});
	});

	test('was not made when there was no connection, so a retry sends it', async () => {
		const first = await make([unreachable]);
		expect(errorOf(first)).toMatchObject({
			outcome: 'unavailable',
			message: "AcountPay could not be reached for the payment with reference 'ORDER-1'",
			description:
				'Check the environment of the credential, and whether https://acountpay.test can be reached from n8n. Nothing was sent, so this item can be run again.',
		});
		expect(first.record.earlier).toBeUndefined();
	});

	test('was not made when there is no token, so a retry sends it', async () => {
		const first = await make([new ApiError('refused', 'no token', '')]);
		expect(errorOf(first).message).toBe('no token');
		expect(first.record.earlier).toBeUndefined();
	});

	test.each([
		[
			400,
			"AcountPay refused the payment with reference 'ORDER-1': amount is wrong; so is the currency",
			/^Check the fields/,
		],
		[
			401,
			"AcountPay did not accept the access token for the payment with reference 'ORDER-1': amount",
			/^Check Client ID, Client Secret and Environment/,
		],
		[
			403,
			"AcountPay does not allow the payment with reference 'ORDER-1' for merchant 'merchant_1': amount",
			/^Check Merchant ID, and whether/,
		],
		[
			404,
			"AcountPay does not find the payment with reference 'ORDER-1' for merchant 'merchant_1': amount",
			/^Check Merchant ID and/,
		],
		[
			409,
			"AcountPay reports that the payment with reference 'ORDER-1' conflicts with an existing payment: amount",
			/^Look for this reference/,
		],
		[422, "AcountPay refused the payment with reference 'ORDER-1': amount", /^Check the fields/],
		[499, "AcountPay refused the payment with reference 'ORDER-1': amount", /^Check the fields/],
	])('a %s is a refusal, and nothing was made', async (status, message, advice) => {
		const body = { message: ['amount is wrong', 'so is the currency'] };
		const ended = await make([response(status, body)]);
		const error = errorOf(ended);
		expect(error.outcome).toBe('refused');
		expect(error.message.startsWith(message)).toBe(true);
		expect(error.description).toMatch(advice);
		expect(error.description).toMatch(/ This payment was not created\.$/);
		expect(error.status).toBe(status);
		expect(ended.sent).toHaveLength(1);
		expect(ended.record.earlier).toBeUndefined();
	});

	test('a refusal without words names the status, and one with a secret does not tell it', async () => {
		expect(errorOf(await make([response(400, '')])).message).toBe(
			"AcountPay refused the payment with reference 'ORDER-1' (status 400)",
		);
		expect(errorOf(await make([response(400, { message: 'bad s3cret' })])).message).toBe(
			"AcountPay refused the payment with reference 'ORDER-1': bad [secret]",
		);
	});
});

describe('a busy AcountPay', () => {
	test.each([
		['3', 3_000],
		[new Date(Date.UTC(2026, 0, 1) + 7_000).toUTCString(), 7_000],
		['0', 0],
	])("is waited for as 'Retry-After: %s' says", async (value, asked) => {
		const busy = response(429, '', { 'retry-after': value });
		const { value: payment, sent, took } = await make([busy, made]);
		expect(payment).toMatchObject({ id: 'pay_1' });
		expect(sent).toHaveLength(2);
		expect(took).toBeGreaterThanOrEqual(Math.max(200, asked));
		expect(took).toBeLessThanOrEqual(asked + 500);
	});

	test('that names no time is asked again with growing pauses, at least 10 times and for 2 minutes', async () => {
		jest.spyOn(Math, 'random').mockReturnValue(0);
		const { sent, took, record, ...ended } = await make([response(429)]);
		expect(sent.length).toBeGreaterThanOrEqual(10);
		expect(took).toBeGreaterThanOrEqual(120_000);
		expect(took).toBeLessThan(180_000);
		expect(record.earlier).toBeUndefined();
		expect(errorOf(ended)).toMatchObject({
			outcome: 'refused',
			status: 429,
			message:
				"AcountPay is rate limiting requests and did not accept the payment with reference 'ORDER-1' despite retries (status 429)",
			description:
				"Run this item again later, or lower the option 'Max Concurrency'. This payment was not created.",
		});
	});

	test('that takes jitter into account is still asked 10 times, and still for 2 minutes', async () => {
		jest.spyOn(Math, 'random').mockReturnValue(0.999);
		const slow = await make([response(429)]);
		expect(slow.sent.length).toBeGreaterThanOrEqual(10);
		expect(slow.took).toBeGreaterThanOrEqual(120_000);
		const quick = await make([response(429, '', { 'retry-after': '1' })]);
		expect(quick.sent.length).toBeGreaterThan(10);
		expect(quick.took).toBeGreaterThanOrEqual(120_000);
		const rare = await make([response(429, '', { 'retry-after': '60' })]);
		expect(rare.sent).toHaveLength(10);
	});

	test('that fails afterwards has accepted nothing', async () => {
		const { client, sent } = scripted([response(429, '', { 'retry-after': '0' })]);
		giveUpAfter(1, client, sent);
		const record = recordFor(request);
		const { error } = await end(createOnce(client, creation, options, record));
		expect(error).toMatchObject({
			outcome: 'unavailable',
			message:
				'Nothing was accepted for this item: AcountPay refused its request as one too many, and then failed several requests in a row',
			description: 'Run this item again when AcountPay responds again.',
		});
		expect(record.earlier).toBeUndefined();
	});

	test('makes nothing: an execution that is stopped meanwhile may send it later', async () => {
		const { client, sent, stop } = scripted([response(429, '', { 'retry-after': '60' }), made]);
		const record = recordFor(request);
		setTimeout(() => stop.abort(), 1_000);
		const { error, took } = await end(createOnce(client, creation, options, record));
		expect(error).toBeInstanceOf(Cancelled);
		expect(took).toBeLessThan(1_500);
		expect(sent).toHaveLength(1);
		expect(record.earlier).toBeUndefined();
	});
});

describe('reading', () => {
	const read = async (script: Script) => {
		const { client, sent } = scripted(script);
		return { ...(await end(readPayment(client, 'merchant_1', 'pay_1', options))), sent };
	};

	test('hands out the whole answer', async () => {
		const { value, sent } = await read([response(200, { id: 1, status: 'new', extra: { a: 1 } })]);
		expect(value).toEqual({ id: 1, status: 'new', extra: { a: 1 } });
		expect(sent).toEqual([getPayment('merchant_1', 'pay_1')]);
	});

	test.each<[string, Script[number]]>([
		['no answer', late],
		['no connection', unreachable],
		['500', response(500)],
		['408', response(408)],
		['a cut-off answer', response(200, '{"id": ')],
	])('asks again after %s', async (_name, trouble) => {
		const { value, sent } = await read([trouble, trouble, response(200, { id: 1 })]);
		expect(value).toEqual({ id: 1 });
		expect(sent).toHaveLength(3);
	});

	test.each<[string, Script[number], string, string]>([
		[
			'no answer',
			late,
			"AcountPay was asked about payment 'pay_1', but did not respond within 30 seconds",
			'unavailable',
		],
		[
			'no connection',
			unreachable,
			"AcountPay could not be reached for payment 'pay_1'",
			'unavailable',
		],
		[
			'502',
			response(502),
			"AcountPay was asked about payment 'pay_1', but returned a server error (status 502)",
			'unavailable',
		],
		[
			'HTML',
			response(200, '<p>'),
			"AcountPay was asked about payment 'pay_1', but sent a response that could not be read (status 200)",
			'unavailable',
		],
	])('gives up after five times of %s', async (_name, trouble, message, outcome) => {
		const { sent, took, ...ended } = await read([trouble]);
		expect(errorOf(ended)).toMatchObject({ message, outcome });
		expect(sent).toHaveLength(5);
		// Half a second, one, two and four, less the jitter.
		expect(took).toBeGreaterThanOrEqual(3_750);
		expect(took).toBeLessThanOrEqual(7_800);
	});

	test.each<[number, string]>([
		[400, "AcountPay refused payment 'pay_1': no"],
		[401, "AcountPay did not accept the access token for payment 'pay_1': no"],
		[403, "AcountPay does not allow payment 'pay_1' for merchant 'merchant_1': no"],
		[404, "AcountPay does not find payment 'pay_1' for merchant 'merchant_1': no"],
	])('takes %s for an answer', async (status, message) => {
		const { sent, ...ended } = await read([response(status, { error: 'no' })]);
		const error = errorOf(ended);
		expect(error).toMatchObject({ message, outcome: 'refused', status });
		expect(error.description).not.toMatch(/This payment was not created/);
		expect(sent).toHaveLength(1);
	});

	test.each<[number, string]>([
		[0, 'Nothing was sent for this item: AcountPay failed several requests in a row'],
		[1, "AcountPay was asked about payment 'pay_1', but returned a server error (status 502)"],
	])('that is given up after %i requests says so', async (requests, message) => {
		const { client, sent } = scripted([response(502)]);
		giveUpAfter(requests, client, sent);
		const ended = await end(readPayment(client, 'merchant_1', 'pay_1', options));
		expect(errorOf(ended)).toMatchObject({ message, outcome: 'unavailable' });
		expect(sent).toHaveLength(requests);
	});

	test('that is held back until after the deadline says what the last response was', async () => {
		const { client, sent } = scripted([response(502)]);
		const deadline = Date.now() + 10_000;
		jest.spyOn(client.limiter, 'pausedFor', 'get').mockImplementation(() => sent.length * 60_000);
		const ended = await end(readPayment(client, 'merchant_1', 'pay_1', { ...options, deadline }));
		expect(errorOf(ended).message).toContain('returned a server error (status 502)');
		expect(sent).toHaveLength(1);
	});

	test('does not follow a redirect', async () => {
		const { sent, ...ended } = await read([response(307)]);
		expect(errorOf(ended)).toMatchObject({
			message:
				"AcountPay was asked about payment 'pay_1', but sent a redirect (status 307), which is not followed",
			description: 'Reading changes nothing, so this item can be run again.',
		});
		expect(sent).toHaveLength(1);
	});

	test('says what is wrong with an answer that can not be used', async () => {
		const { client } = scripted([response(200, 'x')]);
		const unusable = () => undefined;
		const ended = await end(
			readResponse(client, request, subject, options, unusable, 'sent no image'),
		);
		expect(errorOf(ended).message).toBe(
			"AcountPay was asked about the payment with reference 'ORDER-1', but sent no image",
		);
	});

	test('ends at once when the execution is stopped', async () => {
		const { client, sent, stop } = scripted([late]);
		stop.abort();
		const ended = await end(readPayment(client, 'merchant_1', 'pay_1', options));
		expect(ended.error).toBeInstanceOf(Cancelled);
		expect(sent).toHaveLength(1);
	});
});

describe('whatever AcountPay answers', () => {
	const status = fc.oneof(
		fc.constantFrom(200, 201, 301, 302, 400, 401, 408, 409, 429, 500, 503),
		fc.integer({ min: 200, max: 599 }),
	);
	const body = fc.oneof(fc.string(), fc.json(), fc.constant('{"id":"pay_1"}'));
	const event = fc.oneof(
		fc.record({ status, body }).map((made) => response(made.status, made.body)),
		fc.constantFrom(late, unreachable),
	);

	test('one payment, or an error that tells the truth', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 6 }), async (script) => {
				const ended = await make(script);
				const last = script[Math.min(ended.sent.length, script.length) - 1];
				const isReadable = (() => {
					try {
						const value = JSON.parse(String(last.status !== undefined && last.body));
						return (
							typeof value === 'object' &&
							!Array.isArray(value) &&
							/"(id|paymentId|qrCodeUrl)":/.test(JSON.stringify(value))
						);
					} catch {
						return false;
					}
				})();
				// All but the last were 429: nothing else is ever sent again.
				for (const earlier of script.slice(0, ended.sent.length - 1))
					expect(earlier.status).toBe(429);
				if (last.status !== undefined && last.status < 300 && isReadable) {
					expect(ended.value).toEqual(JSON.parse(last.body.toString()));
				} else if (
					last.status === undefined
						? last.sent
						: last.status < 400 || last.status === 408 || last.status >= 500
				) {
					expect(errorOf(ended).outcome).toBe('unknown');
					expect(ended.record.earlier?.state).toBe('unknown');
				} else {
					expect(['refused', 'unavailable']).toContain(errorOf(ended).outcome);
					expect(ended.record.earlier).toBeUndefined();
				}
			}),
			{ numRuns: 300 },
		);
	});
});

describe('the idempotency store', () => {
	const another = createPayment('merchant_2', { amount: 10, referenceNumber: 'ORDER-1' });
	const item = { json: { order: 1 } };
	const parameters = { amount: '={{ $json.amount }}', options: { timeout: 1 } };
	const node = { parameters };
	const later = createPayment('merchant_1', {
		amount: 10,
		referenceNumber: 'ORDER-1',
		metadata: { at: 2 },
	});
	const made = () => {
		const one = execution({}, { node });
		one.store.record(0, item, placed(request, 'https://a.test'), 'ORDER-1').made({ id: 1 });
		return one;
	};
	const other = { json: { order: 2 } };

	test('knows a payment by what is sent where, for which item, in which turn of a loop', () => {
		const { data, store } = made();
		const edited = { node: { parameters: { amount: 11 } } };
		const retry = execution(data, edited).store;
		expect(retry.record(0, other, placed(request, 'https://a.test'), '').earlier).toMatchObject({
			state: 'made',
		});
		expect(retry.record(1, item, placed(request, 'https://a.test'), '').earlier).toBeUndefined();
		expect(retry.record(0, item, placed(request, 'https://b.test'), '').earlier).toBeUndefined();
		expect(retry.record(0, item, placed(another, 'https://a.test'), '').earlier).toBeUndefined();
		expect(retry.record(0, item, placed(later, 'https://a.test'), '').earlier).toBeUndefined();
		const nextTurn = execution(data, { node, runIndex: 1 }).store;
		expect(nextTurn.record(0, item, placed(request, 'https://a.test'), '').earlier).toBeUndefined();
		expect(store.record(0, item, placed(request, 'https://a.test'), '').earlier).toMatchObject({
			state: 'made',
		});
	});

	test('knows a payment by where it comes from, when its expressions give something else each time', () => {
		const { data } = made();
		const withOptions = {
			node: { parameters: { ...parameters, options: { resendUnknown: true } } },
		};
		const retry = execution(JSON.parse(JSON.stringify(data)), withOptions).store;
		expect(retry.record(0, item, placed(later, 'https://a.test'), '').earlier).toMatchObject({
			answer: { id: 1 },
		});
		expect(retry.record(0, other, placed(later, 'https://a.test'), '').earlier).toBeUndefined();
		expect(retry.record(0, item, placed(later, 'https://b.test'), '').earlier).toBeUndefined();
	});

	test('prefers what is sent to where it comes from', () => {
		const { data } = made();
		const edited = execution(data, { node: { parameters: {} } }).store;
		edited.record(0, item, placed(later, 'https://a.test'), 'ORDER-1').made({ id: 2 });
		const back = execution(data, { node }).store;
		expect(back.record(0, item, placed(later, 'https://a.test'), '').earlier).toMatchObject({
			answer: { id: 2 },
		});
		expect(back.record(0, item, placed(request, 'https://a.test'), '').earlier).toMatchObject({
			answer: { id: 1 },
		});
		expect(back.summary().made).toHaveLength(2);
	});

	test('goes back to what was known when a request made nothing', () => {
		const { store } = execution();
		const record = store.record(0, item, placed(request, 'https://a.test'), 'ORDER-1');
		record.sending();
		record.notMade();
		expect(record.earlier).toBeUndefined();
		record.unknown('was late');
		record.sending();
		expect(record.earlier).toMatchObject({ state: 'sent' });
		record.notMade();
		expect(record.earlier).toMatchObject({ state: 'unknown', what: 'was late' });
		record.sending();
		record.made({ id: 1 });
		expect(store.summary()).toEqual({
			made: [{ itemIndex: 0, referenceNumber: 'ORDER-1', paymentId: '1' }],
			unknown: [],
		});
	});

	test('sums up what was made and what is open', () => {
		const { store } = execution();
		const record = (index: number, reference: string) =>
			store.record(index, item, placed(request, 'https://a.test'), reference);
		record(2, 'C').unknown('was late');
		record(0, 'A').made({ id: 'pay_a' });
		record(1, 'B').made({ paymentId: 7 });
		record(3, 'D').sending();
		record(4, 'E').made({ other: true });
		const refused = record(5, 'F');
		refused.sending();
		refused.notMade();
		expect(store.summary()).toEqual({
			made: [
				{ itemIndex: 0, referenceNumber: 'A', paymentId: 'pay_a' },
				{ itemIndex: 1, referenceNumber: 'B', paymentId: '7' },
				{ itemIndex: 4, referenceNumber: 'E', paymentId: undefined },
			],
			unknown: [
				{ itemIndex: 2, referenceNumber: 'C' },
				{ itemIndex: 3, referenceNumber: 'D' },
			],
		});
	});

	test('leaves nothing behind when it is closed, but for the other turns', () => {
		const { data, store } = made();
		const nextTurn = execution(data, { runIndex: 1 }).store;
		nextTurn.record(0, item, placed(request, 'https://a.test'), 'ORDER-1').made({ id: 2 });
		store.close(false);
		expect(Object.keys(data.payments as object)).toEqual(['1']);
		nextTurn.close(true);
		expect(data).toEqual({});
		nextTurn.close(false);
		expect(data).toEqual({});
	});

	test.each([
		[undefined, 3],
		[0, 3],
		[1, 2],
		[2, 2],
		[4, 4],
		[9, 5],
	])('is kept as long as n8n runs the node again: Max. Tries %p', (maxTries, tries) => {
		const data = {};
		const run = (id: string) =>
			execution(data, { id, node: { retryOnFail: true, maxTries } }).store.close(true);
		// A retry by hand is another execution, and starts counting anew.
		run('0');
		for (let count = 1; count < tries; count++) {
			run('1');
			expect(data).toHaveProperty('payments');
		}
		run('1');
		expect(data).toEqual({});
	});

	test('is kept where n8n runs the node again without end: Max. Tries 2.5', () => {
		const data = {};
		for (let count = 0; count < 9; count++) {
			execution(data, { node: { retryOnFail: true, maxTries: 2.5 } }).store.close(true);
			expect(data).toHaveProperty('payments');
		}
	});

	test('is not kept when the output does not look failed', () => {
		const { data, store } = execution({}, { node: { retryOnFail: true } });
		store.close(false);
		expect(data).toEqual({});
	});
});
