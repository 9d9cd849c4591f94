import fc from 'fast-check';
import type { IDataObject } from 'n8n-workflow';
import {
	createOnce,
	type LookUpResult,
	type LookUp,
	type Trace,
} from '../../../../nodes/AcountPay/creation/createOnce';
import type { IdempotencyRecord } from '../../../../nodes/AcountPay/creation/idempotencyRecord';
import { createPayment, readCreatedPayment } from '../../../../nodes/shared/api/payments';
import { ApiError, Cancelled } from '../../../../nodes/shared/errors';
import {
	callOptions as options,
	end,
	errorOf,
	execution,
	giveUpAfter,
	label,
	late,
	built,
	recordFor,
	response,
	type Script,
	scripted,
	unreachable,
	useFakeTime,
} from '../../support';

useFakeTime();

const request = createPayment('merchant_1', { amount: 10, referenceNumber: 'ORDER-1' });
const subject = { merchantClientId: 'merchant_1', name: "the payment with reference 'ORDER-1'" };
const creation = {
	request,
	subject,
	title: "Payment 'ORDER-1'",
	readCreated: readCreatedPayment,
	unknownAdvice: 'Look for this reference in AcountPay before you create it again.',
};
const made = response(201, { id: 'pay_1', status: 'pending', extra: [1] });

const make = async (script: Script, record = recordFor(request), callOptions = options) => {
	const { client, sent } = scripted(script);
	const ended = await end(createOnce({ client, creation, options: callOptions, record }));
	return { ...ended, sent, record };
};

describe('making a payment', () => {
	it('hands out the whole answer and remembers it', async () => {
		const { value, sent, record } = await make([made]);
		expect(value).toEqual({ id: 'pay_1', status: 'pending', extra: [1] });
		expect(sent).toEqual([request]);
		expect(record.earlier).toMatchObject({ state: 'made', answer: value });
	});

	it('is written down before the request leaves', async () => {
		const record = recordFor(request);
		const { client } = scripted([made]);
		const seen: unknown[] = [];
		const { exchange: send } = client;
		client.exchange = async (...args) => {
			seen.push(record.earlier?.state);
			return await send(...args);
		};
		await end(createOnce({ client, creation, options, record }));
		expect(seen).toEqual(['sent']);
	});

	it('that was made before is handed out and not sent', async () => {
		const record = recordFor(request);
		record.created({ id: 'pay_0' });
		const { value, sent } = await make([made], record);
		expect(value).toEqual({ id: 'pay_0' });
		expect(sent).toEqual([]);
	});

	it.each<[string, Script[number], string]>([
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

	it('that is not known is sent again when the person allows it', async () => {
		const first = await make([late]);
		const second = await make([made], first.record, { ...options, resendUnknown: true });
		expect(second.value).toMatchObject({ id: 'pay_1' });
		expect(second.sent).toHaveLength(1);
	});

	it.each<[string, Script[number], string]>([
		[
			'refused',
			response(422, { message: 'no' }),
			"Tried again: AcountPay refused the payment with reference 'ORDER-1': no",
		],
		[
			'out of reach',
			unreachable,
			"Tried again: AcountPay could not be reached for the payment with reference 'ORDER-1'",
		],
		['without a token', new ApiError('refused', 'no token', ''), 'Tried again: no token'],
	])('that is sent again and then %s stays unknown', async (_name, trouble, said) => {
		const first = await make([late]);
		const resend = { ...options, resendUnknown: true };
		const second = await make([trouble], first.record, resend);
		expect(errorOf(second)).toMatchObject({
			outcome: 'unknown',
			isOld: false,
			message: `Payment 'ORDER-1' may or may not exist: AcountPay did not respond within 30 seconds. ${said}`,
		});
		const third = await make([made], first.record);
		expect(third.sent).toEqual([]);
		expect(errorOf(third)).toMatchObject({ outcome: 'unknown', isOld: true });
		expect((await make([made], first.record, resend)).value).toMatchObject({ id: 'pay_1' });
	});

	it('that is sent again without an answer says what became of it last', async () => {
		const first = await make([late]);
		const second = await make([response(500)], first.record, { ...options, resendUnknown: true });
		expect(errorOf(second)).toMatchObject({
			message:
				"Payment 'ORDER-1' may or may not exist: AcountPay returned a server error (status 500)",
			isOld: false,
		});
	});

	it('that was sent when the execution ended is not known', async () => {
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

	it('was not made when there was no connection, so a retry sends it', async () => {
		const first = await make([unreachable]);
		expect(errorOf(first)).toMatchObject({
			outcome: 'unavailable',
			message: "AcountPay could not be reached for the payment with reference 'ORDER-1'",
			description:
				'Check the environment of the credential, and whether https://acountpay.test can be reached from n8n. Nothing was sent, so this item can be run again.',
		});
		expect(first.record.earlier).toBeUndefined();
	});

	it('was not made when there is no token, so a retry sends it', async () => {
		const first = await make([new ApiError('refused', 'no token', '')]);
		expect(errorOf(first).message).toBe('no token');
		expect(first.record.earlier).toBeUndefined();
	});

	it.each([
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

	it('a refusal without words names the status, and one with a secret does not tell it', async () => {
		expect(errorOf(await make([response(400, '')])).message).toBe(
			"AcountPay refused the payment with reference 'ORDER-1' (status 400)",
		);
		expect(errorOf(await make([response(400, { message: 'bad s3cret' })])).message).toBe(
			"AcountPay refused the payment with reference 'ORDER-1': bad [secret]",
		);
	});
});

describe('a busy AcountPay', () => {
	it.each([
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

	it('that names no time is asked again with growing pauses, at least 10 times and for 2 minutes', async () => {
		jest.spyOn(Math, 'random').mockReturnValue(0);
		const { sent, took, record, ...ended } = await make([response(429)]);
		expect(sent.length).toBeGreaterThanOrEqual(10);
		expect(took).toBeGreaterThanOrEqual(120_000);
		expect(took).toBeLessThan(190_000);
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

	it('that takes jitter into account is still asked 10 times, and still for 2 minutes', async () => {
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

	it('that fails afterwards has accepted nothing', async () => {
		const { client, sent } = scripted([response(429, '', { 'retry-after': '0' })]);
		giveUpAfter(1, client, sent);
		const record = recordFor(request);
		const { error } = await end(createOnce({ client, creation, options, record }));
		expect(error).toMatchObject({
			outcome: 'unavailable',
			message:
				'Nothing was accepted for this item: AcountPay refused its request as one too many, and then failed several requests in a row',
			description: 'Run this item again when AcountPay responds again.',
		});
		expect(record.earlier).toBeUndefined();
	});

	it('makes nothing: an execution that is stopped meanwhile may send it later', async () => {
		const { client, sent, stop } = scripted([response(429, '', { 'retry-after': '60' }), made]);
		const record = recordFor(request);
		setTimeout(() => stop.abort(), 1_000);
		const { error, took } = await end(createOnce({ client, creation, options, record }));
		expect(error).toBeInstanceOf(Cancelled);
		expect(took).toBeLessThan(1_500);
		expect(sent).toHaveLength(1);
		expect(record.earlier).toBeUndefined();
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

	it('one payment, or an error that tells the truth', async () => {
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

describe('with a look-up', () => {
	const trace = { id: 'a' } as Trace;
	const found = { kind: 'found', response: { paymentId: 7, lookedUp: true } } as const;
	const doubt = { kind: 'doubt', report: 'The list was looked at once: it is odd.' } as const;
	const none = { kind: 'none', report: 'The list was looked at 5 times.' } as const;

	/** Makes the payment with a look-up that finds this, and puts down what it is told. */
	async function makeWith(
		result: LookUpResult,
		script: Script,
		record = recordFor(request),
		callOptions = options,
	) {
		const told: unknown[][] = [];
		const lookUp: LookUp = {
			sending: () => {
				told.push(['sending']);
				return trace;
			},
			notCreated: () => void told.push(['notCreated']),
			find: async (left, willResend) => {
				told.push(['find', left, willResend]);
				return result;
			},
		};
		const { client, sent } = scripted(script);
		const onCreated = (created: IDataObject) => void told.push(['created', created]);
		const whole = { ...creation, lookUp, onCreated };
		const work = createOnce({ client, creation: whole, options: callOptions, record });
		return { ...(await end(work)), told, sent, record };
	}

	it('what was made is made, and nothing is looked up', async () => {
		const { value, told, record } = await makeWith(doubt, [made]);
		expect(told).toEqual([['sending'], ['created', value]]);
		expect(record.earlier).toMatchObject({ state: 'made', answer: value });
	});

	it.each([
		['a refusal', response(422, {})],
		['no connection', unreachable],
	])('%s has made nothing', async (_what, outcome) => {
		const { told, record } = await makeWith(doubt, [outcome]);
		expect(told.filter(([what]) => what === 'sending')).toHaveLength(
			told.filter(([what]) => what === 'notCreated').length,
		);
		expect(told.flat()).not.toContain('find');
		expect(record.earlier).toBeUndefined();
	});

	it('an open outcome that is found is made, and remembered as that', async () => {
		const { value, told, record, sent } = await makeWith(found, [late]);
		expect(value).toBe(found.response);
		expect(told).toEqual([['sending'], ['find', trace, false], ['created', value]]);
		expect(record.earlier).toMatchObject({ state: 'made', answer: found.response });
		expect(sent).toHaveLength(1);
	});

	it.each([doubt, none])('an open outcome that is not found stays open: $kind', async (result) => {
		const ended = await makeWith(result, [response(500, {})]);
		expect(errorOf(ended)).toMatchObject({
			outcome: 'unknown',
			status: 500,
			description: `${result.report} Look for this reference in AcountPay before you create it again.`,
		});
		expect(ended.record.earlier).toMatchObject({ state: 'unknown', trace });
		expect(ended.sent).toHaveLength(1);
	});

	const open = () => {
		const record = recordFor(request);
		record.unknown('was late', trace);
		return record;
	};
	const resend = { ...options, resendUnknown: true };

	it('what an earlier attempt left open is looked up first', async () => {
		const record = open();
		const { value, told, sent } = await makeWith(found, [made], record);
		expect(value).toBe(found.response);
		expect(told).toEqual([
			['find', trace, false],
			['created', value],
		]);
		expect(sent).toEqual([]);
		expect(record.earlier).toMatchObject({ state: 'made', answer: found.response });
	});

	it.each([
		[doubt, options, ''],
		[none, options, ''],
		[
			doubt,
			resend,
			' So it was not sent again. If it certainly does not exist, run the workflow again with only this item.',
		],
	])('%j: it stays open, and is not sent', async (result, callOptions, notSent) => {
		const ended = await makeWith(result, [made], open(), callOptions);
		expect(errorOf(ended)).toMatchObject({
			outcome: 'unknown',
			isOld: true,
			message: "Payment 'ORDER-1' may or may not exist: AcountPay was late",
			description: `${result.report}${notSent} Look for this reference in AcountPay before you create it again.`,
			rulesOut: callOptions === resend ? 'resend' : undefined,
		});
		expect(ended.sent).toEqual([]);
	});

	it('what is found stays what was asked for then: a changed item never gets it', async () => {
		const { store } = execution();
		store.record(0, { json: {} }, built(request), label('ORDER-1')).unknown('was late', trace);
		const changed = createPayment('merchant_1', { amount: 11, referenceNumber: 'ORDER-1' });
		for (let attempt = 1; attempt <= 3; attempt++) {
			const record = store.record(0, { json: {} }, built(changed), label('ORDER-1', '11 DKK'));
			const ended = await makeWith(found, [made], record);
			expect(errorOf(ended)).toMatchObject({
				outcome: 'refused',
				message: expect.stringContaining('exists already'),
				payment: found.response,
			});
			expect(ended.sent).toEqual([]);
		}
		const record = store.record(0, { json: {} }, built(request), label('ORDER-1'));
		expect((await makeWith(found, [made], record)).value).toBe(found.response);
	});

	it("with 'Resend Unknown' it is sent again only when the list does not show it", async () => {
		const { value, sent } = await makeWith(none, [made], open(), resend);
		expect(value).toMatchObject({ id: 'pay_1' });
		expect(sent).toHaveLength(1);
	});

	it('a second request that is refused leaves the first one open', async () => {
		const ended = await makeWith(none, [response(422, {})], open(), resend);
		expect(errorOf(ended)).toMatchObject({ outcome: 'unknown', status: 422 });
		expect(errorOf(ended).message).toMatch(/AcountPay was late\. Tried again: /);
		expect(ended.record.earlier).toMatchObject({ state: 'unknown', what: 'was late' });
	});
});

describe('what exists already', () => {
	const at = async (
		findExisting: () => Promise<IDataObject | undefined>,
		script: Script = [made],
	) => {
		const record = recordFor(request);
		const { client, sent } = scripted(script);
		const created: unknown[] = [];
		const work = {
			...creation,
			findExisting,
			onCreated: (one: IDataObject) => void created.push(one),
		};
		const create = async () => await end(createOnce({ client, creation: work, options, record }));
		return { create, sent, record, created };
	};

	it('takes the place of a new payment, also in a retry', async () => {
		const { create, sent, record, created } = await at(async () => ({ paymentId: 9 }));
		expect((await create()).value).toEqual({ paymentId: 9 });
		expect((await create()).value).toEqual({ paymentId: 9 });
		expect(sent).toEqual([]);
		expect(created).toEqual([]);
		expect(record.earlier).toMatchObject({ state: 'made' });
	});

	it('is asked for again in a retry, and a new payment is created once the old one has expired', async () => {
		const answers: Array<IDataObject | undefined> = [
			{ paymentId: 9, existing: true },
			{ paymentId: 9, existing: true, status: 'paid' },
			undefined,
		];
		const { create, sent, created } = await at(async () => answers.shift());
		expect((await create()).value).not.toHaveProperty('status');
		expect((await create()).value).toMatchObject({ paymentId: 9, status: 'paid' });
		expect(sent).toEqual([]);
		expect((await create()).value).toMatchObject({ id: 'pay_1' });
		expect(created).toHaveLength(1);
		expect((await create()).value).toMatchObject({ id: 'pay_1' });
		expect(sent).toHaveLength(1);
	});

	it('is remembered as what was handed out last, so that an error names that one', async () => {
		const answers: Array<IDataObject | undefined> = [
			{ paymentId: 9, existing: true },
			{ paymentId: 12, existing: true },
		];
		const { create, record } = await at(async () => answers.shift());
		await create();
		expect((await create()).value).toMatchObject({ paymentId: 12 });
		expect(record.earlier).toMatchObject({ answer: { paymentId: 12 } });
	});

	it('that is in doubt fails the item, and nothing is sent', async () => {
		const { create, sent, record } = await at(async () => {
			throw new ApiError('refused', 'in doubt', '');
		});
		expect(errorOf(await create()).message).toBe('in doubt');
		expect(sent).toEqual([]);
		expect(record.earlier).toBeUndefined();
	});

	it('is not asked for when this execution knows of the payment itself', async () => {
		const asked: number[] = [];
		const { create, created } = await at(async () => void asked.push(1));
		await create();
		expect((await create()).value).toMatchObject({ id: 'pay_1' });
		expect(asked).toHaveLength(1);
		expect(created).toEqual([{ id: 'pay_1', status: 'pending', extra: [1] }]);
	});
});

describe('an item that asks for something else than before', () => {
	const edited = async (put: (record: IdempotencyRecord) => void, callOptions = options) => {
		const { store } = execution();
		put(store.record(0, { json: {} }, built(request), label('ORDER-1')));
		const other = createPayment('merchant_1', { amount: 11, referenceNumber: 'ORDER-1' });
		const record = store.record(0, { json: { x: 1 } }, built(other), label('ORDER-1', '11 DKK'));
		return { ...(await make([made], record, callOptions)), store };
	};

	it('fails and names the payment', async () => {
		const ended = await edited((record) => record.created({ id: 'pay_0' }));
		expect(errorOf(ended)).toMatchObject({
			outcome: 'refused',
			message:
				"Payment 'ORDER-1' exists already: an earlier attempt of this execution created it for 10 DKK",
			letsOthersContinue: true,
			payment: { id: 'pay_0' },
		});
		expect(ended.sent).toEqual([]);
		expect(ended.store.endedItems()).toMatchObject([{ end: 'created' }]);
	});

	it("stays unknown when that is open, whatever 'Resend Unknown' says", async () => {
		const resend = { ...options, resendUnknown: true };
		const ended = await edited((record) => record.unknown('was late'), resend);
		expect(errorOf(ended)).toMatchObject({ outcome: 'unknown', isOld: true });
		expect(ended.sent).toEqual([]);
	});

	it('fails, too, when the look-up finds what was open, and then it is known', async () => {
		const lookUp: LookUp = {
			sending: () => ({ id: 't1' }),
			notCreated() {},
			find: async () => ({ kind: 'found', response: { paymentId: 7 } }),
		};
		const { store } = execution();
		store.record(0, { json: {} }, built(request), label('ORDER-1')).unknown('was late');
		const other = createPayment('merchant_1', { amount: 11, referenceNumber: 'ORDER-1' });
		const record = store.record(0, { json: { x: 1 } }, built(other), label('ORDER-1', '11 DKK'));
		const { client, sent } = scripted([made]);
		const task = { client, creation: { ...creation, lookUp }, options, record };
		expect(errorOf(await end(createOnce(task)))).toMatchObject({
			outcome: 'refused',
			message: expect.stringContaining('exists already'),
			payment: { paymentId: 7 },
		});
		expect(sent).toEqual([]);
		expect(record.earlier).toMatchObject({ state: 'made', answer: { paymentId: 7 } });
	});

	it('is told what to do, and of what was there before this execution', async () => {
		const put = (record: IdempotencyRecord) => record.created({ id: 'pay_0', existing: true });
		const { message, description } = errorOf(await edited(put));
		expect(message).toBe(
			"Payment 'ORDER-1' exists already: it was there before this execution for 10 DKK",
		);
		expect(description).toBe(
			'Nothing was sent now. Change the item back. If you want another one, run the workflow again with only this item.',
		);
	});
});

describe('an item that cannot be told from one that this execution asked for before', () => {
	const inLaterTurn = async (put: (record: IdempotencyRecord) => void) => {
		const { data, store } = execution();
		put(recordFor(request, { data, store }));
		store.setFailed(0, true);
		store.close(false);
		const ended = await make([made], recordFor(request, execution(data, { runIndex: 1 })));
		expect(ended.sent).toEqual([]);
		return errorOf(ended);
	};

	it('stays unknown when that is unknown', async () => {
		expect(await inLaterTurn((record) => record.unknown('was late'))).toMatchObject({
			outcome: 'unknown',
			message: "Payment 'ORDER-1' may or may not exist: AcountPay was late",
			description: `An earlier run of this node in this execution asked for it. ${creation.unknownAdvice}`,
			isOld: true,
			rulesOut: 'resend',
		});
	});

	it('is not sent when that was created', async () => {
		expect(await inLaterTurn((record) => record.created({ id: 'pay_0' }))).toMatchObject({
			outcome: 'unknown',
			message:
				"Payment 'ORDER-1' was not sent: an earlier run of this node in this execution created it",
			description:
				'Nothing was sent for this item. If it is another order, give it a reference of its own.',
			isOld: true,
			payment: { id: 'pay_0' },
		});
	});
});

it('an item is not sent once another retry of the same execution has created something', async () => {
	const one = execution({}, { id: '5', retryOf: 1_234 });
	one.store.record(1, { json: { n: 1 } }, built(request), label('ORDER-0')).created({ id: 'p' });
	const two = execution({}, { id: '6', retryOf: 1_234 });
	const ended = await make([made], recordFor(request, two));
	expect(ended.sent).toEqual([]);
	expect(errorOf(ended)).toMatchObject({
		outcome: 'unknown',
		message:
			"Payment 'ORDER-1' was not sent: execution 5, another retry of the same execution, may have created it",
		description:
			'Nothing was sent for this item. Open execution 5: it shows what it has created. If it has failed, retry that one instead. If it has ended well, run the workflow again with only the items that it has not created.',
		isOld: true,
		rulesOut: 'retry',
	});
});

it("a response with the ID of another item's payment is not believed", async () => {
	const { store } = execution();
	const other = createPayment('merchant_1', { amount: 20, referenceNumber: 'ORDER-2' });
	store.record(0, { json: { n: 1 } }, built(other), label('ORDER-2')).created({ id: 'pay_1' });
	const record = store.record(1, { json: {} }, built(request), label('ORDER-1'));
	expect(errorOf(await make([made], record))).toMatchObject({
		outcome: 'unknown',
		message:
			"Payment 'ORDER-1' may or may not exist: AcountPay responded about payment 'pay_1', which belongs to another item",
	});
});

it("a response with the ID of an equal item's payment is believed", async () => {
	const { store } = execution();
	store.record(0, { json: { n: 1 } }, built(request), label('ORDER-1')).created({ id: 'pay_1' });
	const record = store.record(1, { json: {} }, built(request), label('ORDER-1'));
	expect((await make([made], record)).value).toMatchObject({ id: 'pay_1' });
});
