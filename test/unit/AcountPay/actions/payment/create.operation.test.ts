import fc from 'fast-check';
import type { IBinaryData, IDataObject } from 'n8n-workflow';
import type { Label } from '../../../../../nodes/AcountPay/creation/identityHashes';
import type { Image, ItemWork } from '../../../../../nodes/AcountPay/operation/operation';
import {
	create,
	createWithKeys,
} from '../../../../../nodes/AcountPay/actions/payment/create.operation';
import { paymentIdOf } from '../../../../../nodes/shared/api/payments';
import type { ApiRequest } from '../../../../../nodes/shared/api/request';
import { Cancelled, errorOfN8n } from '../../../../../nodes/shared/errors';
import type { Client } from '../../../../../nodes/shared/transport/client';
import {
	after,
	built,
	callOptions,
	end,
	errorFrom,
	execution,
	imageResponse,
	parameters,
	PNG,
	recordFor,
	refusal,
	response,
	type Script,
	scripted,
	useFakeTime,
} from '../../../support';

const sandbox = { isProduction: false } as Client;
const production = { isProduction: true } as Client;

const checked = (values: IDataObject, client = sandbox) =>
	create.check(
		parameters({ merchantId: 'merchant_1', amount: 149.99, referenceNumber: 'ORDER-1', ...values }),
		client,
	);
const additional = (additionalFields: IDataObject, client = sandbox) =>
	checked({ additionalFields }, client);

describe('amount', () => {
	it('every amount in øre is sent as it was asked for, as a number and as a spreadsheet writes it', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 1e11 }), (hundredths) => {
				const amount = hundredths / 100;
				expect(checked({ amount }).payment.amount).toBe(amount);
				expect(checked({ amount: amount.toFixed(2) }).payment.amount).toBe(amount);
				expect(checked({ amount: String(amount) }).payment.amount).toBe(amount);
			}),
		);
	});

	it('the noise of binary numbers is rounded away', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 1e7 }),
				fc.double({ min: -9e-7, max: 9e-7, noNaN: true }),
				(hundredths, noise) => {
					expect(checked({ amount: hundredths / 100 + noise }).payment.amount).toBe(
						hundredths / 100,
					);
				},
			),
		);
		expect(checked({ amount: 3 * 49.95 }).payment.amount).toBe(149.85);
	});

	it('more than two decimals are refused', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 1e7 }),
				fc.double({ min: 1.1e-6, max: 0.005, noNaN: true }),
				(hundredths, rest) => {
					const amount = hundredths / 100 + rest;
					fc.pre(Math.abs(amount * 100 - Math.round(amount * 100)) > 1.05e-4);
					expect(refusal(() => checked({ amount }))).toMatch(/^Amount must be/);
				},
			),
		);
	});

	it('a text that is not as a spreadsheet writes it is refused', () => {
		fc.assert(
			fc.property(fc.string(), (amount) => {
				fc.pre(!/^(0|[1-9]\d*)(\.\d{1,2})?$/.test(amount));
				expect(refusal(() => checked({ amount }))).toMatch(/^Amount must/);
			}),
		);
	});

	it.each([[0.01], ['0.01'], [1], ['149'], ['149.9'], [0.009999999], [90071992547409.9]])(
		'%p is an amount',
		(amount) => {
			expect(checked({ amount }).payment.amount).toBe(Math.round(Number(amount) * 100) / 100);
		},
	);

	it.each([
		[0],
		[-5],
		[0.004],
		[0.009],
		['149,99'],
		['1e999'],
		['1e2'],
		['0x10'],
		[' 149'],
		['149 '],
		['+5'],
		['-5'],
		['.5'],
		['5.'],
		['007'],
		['1 000'],
		['12.345'],
		['0'],
		['0.00'],
		[''],
		[true],
		[null],
		[undefined],
		[{}],
		[[]],
		[[5]],
		[12.345],
		[12.340002],
		[NaN],
		[Infinity],
		[-Infinity],
		[1e16],
		['90071992547409920'],
	])('%p is none', (amount) => {
		expect(refusal(() => checked({ amount }))).toMatch(
			/^Amount must be a number of at least 0\.01 with at most two decimals, such as 149\.99, but is /,
		);
	});
});

/** A text that a field takes: not blank, and no expression in a field that holds none. */
const isTyped = (text: string) => text.trim() !== '' && !text.includes('{{');

describe('reference number', () => {
	it('a text is sent as it is, a whole number as its digits', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string().filter(isTyped), fc.maxSafeInteger()), (referenceNumber) => {
				expect(checked({ referenceNumber }).payment.referenceNumber).toBe(String(referenceNumber));
			}),
		);
	});

	it.each([[''], ['  '], ['\n'], ['\u200b'], [' \u2060\u00ad'], ['\u3164'], [null], [undefined]])(
		'%p is empty',
		(referenceNumber) => {
			expect(refusal(() => checked({ referenceNumber }))).toBe(
				'Reference Number must not be empty',
			);
		},
	);

	it.each([[true], [{}], [['A']], [() => 1], [NaN]])('%p is no text', (referenceNumber) => {
		expect(refusal(() => checked({ referenceNumber: referenceNumber as never }))).toMatch(
			/^Reference Number must be text, but is /,
		);
	});

	it.each([[2 ** 64], [-(2 ** 64)], [Infinity]])(
		'%p is a number that is not exact',
		(referenceNumber) => {
			expect(refusal(() => checked({ referenceNumber }))).toMatch(
				/^Reference Number must be text: the number .* is too large to be exact$/,
			);
		},
	);
});

describe('merchant', () => {
	it('every printable ASCII text is one, without the spaces around it', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme-ascii' }).filter(isTyped), (merchantId) => {
				expect(checked({ merchantId }).merchantClientId).toBe(merchantId.trim());
			}),
		);
		expect(checked({ merchantId: 4711 }).merchantClientId).toBe('4711');
	});

	it.each([
		['m\n1'],
		['m\r\nX-Evil: 1'],
		['m\t1'],
		['mærchant'],
		['m\u0000'],
		['m\n'],
		['😀'],
		['m\x7f'],
	])('%p can not be a header', (merchantId) => {
		expect(refusal(() => checked({ merchantId }))).toMatch(
			/^Merchant ID may only contain plain letters, digits and signs \(printable ASCII\), but is /,
		);
	});

	it('none is refused', () => {
		expect(refusal(() => checked({ merchantId: ' ' }))).toBe('Merchant ID must not be empty');
	});
});

describe('additional fields', () => {
	it('what is not added is not sent', () => {
		expect(checked({})).toEqual({
			merchantClientId: 'merchant_1',
			payment: { amount: 149.99, referenceNumber: 'ORDER-1' },
			qrCode: false,
		});
	});

	it('what is added is sent, and nothing else', () => {
		expect(
			additional({
				currency: 'EUR',
				description: 'Two tickets',
				metadata: '{"orderId": 42}',
				webhookUrl: 'https://n8n.example.com/webhook/1',
				customFields: { terminal: 'T-1' },
				mockPayment: 'delay',
			}),
		).toEqual({
			merchantClientId: 'merchant_1',
			payment: {
				amount: 149.99,
				referenceNumber: 'ORDER-1',
				currency: 'EUR',
				description: 'Two tickets',
				metadata: { orderId: 42 },
				webhookUrl: 'https://n8n.example.com/webhook/1',
				terminal: 'T-1',
			},
			mockPayment: 'delay',
			qrCode: false,
		});
	});

	it.each([['DKK'], ['EUR'], ['SEK'], ['NOK'], ['USD'], ['GBP']])(
		'%p is a currency',
		(currency) => {
			expect(additional({ currency }).payment.currency).toBe(currency);
		},
	);

	it.each([['dkk'], ['kr'], ['DKKK'], ['ABC'], [208], ['DKK ']])(
		'%p is no currency',
		(currency) => {
			expect(refusal(() => additional({ currency }))).toMatch(
				/^Currency must be a currency code of ISO 4217/,
			);
		},
	);

	it.each([[''], ['  '], [null], [undefined]])('what is %p is left out', (value) => {
		const fields = {
			...{ currency: value, description: value, metadata: value, webhookUrl: value },
			...{ customFields: value, mockPayment: value },
		};
		expect(additional(fields)).toEqual(checked({}));
	});

	it('a description that is no text is refused', () => {
		expect(additional({ description: 5 }).payment.description).toBe('5');
		expect(refusal(() => additional({ description: { a: 1 } }))).toMatch(
			/^Description must be text/,
		);
	});

	it('any JSON object is metadata, as text and as object', () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
				const sent = JSON.parse(JSON.stringify(value));
				expect(additional({ metadata: value as IDataObject }).payment.metadata).toEqual(sent);
				expect(additional({ metadata: JSON.stringify(value) }).payment.metadata).toEqual(sent);
			}),
		);
	});

	it.each([
		['{"order":{"id":9007199254740993}}', '9007199254740993'],
		['[-12345678901234567890]', '-12345678901234567890'],
		// It would come out equal: only digits are counted.
		['{"rate":0.1000000000000000}', '0.1000000000000000'],
	])('%p might be sent as another number', (value, number) => {
		expect(refusal(() => additional({ metadata: value as never }))).toBe(
			`Metadata must not have the number ${number}, which might be sent as another number: write it in quotes`,
		);
		expect(refusal(() => additional({ customFields: value as never }))).toMatch(
			/^Custom Fields must not have the number /,
		);
	});

	it('a number is taken as it is written', () => {
		const metadata = { id: 2 ** 60, text: '9007199254740993', large: 1e300, ratio: 1 / 3 };
		expect(additional({ metadata }).payment.metadata).toEqual(metadata);
		const text = JSON.stringify(metadata);
		expect(additional({ metadata: text }).payment.metadata).toEqual(metadata);
	});

	const circular: IDataObject = {};
	circular.self = circular;
	it.each([['[1]'], [[1]], ['null'], ['"x"'], ['5'], [5], ['{'], [true], [circular]])(
		'%p is no JSON object',
		(value) => {
			expect(refusal(() => additional({ metadata: value as never }))).toMatch(
				/^Metadata must be a JSON object, such as \{ "orderId": 42 \}, but is /,
			);
			expect(refusal(() => additional({ customFields: value as never }))).toMatch(
				/^Custom Fields must be a JSON object/,
			);
		},
	);

	it.each([
		['amount'],
		['referenceNumber'],
		['currency'],
		['description'],
		['metadata'],
		['webhookUrl'],
	])('a custom field may not be called %s', (name) => {
		expect(refusal(() => additional({ customFields: { [name]: 1, other: 2 } }))).toBe(
			`Custom Fields must not contain ${name}: use the node's own fields for these`,
		);
	});

	it.each([
		['https://n8n.example.com/webhook/1'],
		['http://127.0.0.1:5678/x?y=1'],
		['HTTPS://A.dk'],
	])('%p is a webhook URL', (webhookUrl) => {
		expect(additional({ webhookUrl }).payment.webhookUrl).toBe(webhookUrl);
	});

	it.each([
		['n8n.example.com'],
		['ftp://a.dk'],
		['javascript:alert(1)'],
		['http://'],
		['https:///x'],
		['http://a b'],
		[' https://a.dk'],
		['http://[::1'],
		[5],
	])('%p is no webhook URL', (webhookUrl) => {
		expect(refusal(() => additional({ webhookUrl }))).toMatch(
			/^Webhook URL must be a whole URL that starts with https:\/\/ or http:\/\//,
		);
	});

	it.each([['true'], ['fail'], ['delay']])('mock payment %p, not in production', (mockPayment) => {
		expect(additional({ mockPayment }).mockPayment).toBe(mockPayment);
		expect(refusal(() => additional({ mockPayment }, production))).toMatch(
			/^Mock Payment must not be used with a credential for production/,
		);
	});

	it.each([[true], ['yes'], [5]])('%p is no mock payment', (mockPayment) => {
		expect(refusal(() => additional({ mockPayment }))).toBe(
			`Mock Payment must be one of true, fail, delay, but is ${JSON.stringify(mockPayment) ?? 'undefined'}`,
		);
	});

	it('the QR code is added when it is asked for', () => {
		expect(checked({ options: { qrCode: true } }).qrCode).toBe(true);
		expect(checked({ options: { qrCode: false } }).qrCode).toBe(false);
	});
});

it('a long value is cut short in what is said of it', () => {
	const message = refusal(() => checked({ amount: 'x'.repeat(1_000) }));
	expect(message.length).toBeLessThan(160);
	expect(message).toMatch(/x…$/);
});

describe('a response that shows', () => {
	let orders = 1_000;

	let items = 0;

	/** Runs Create for an order, as another item of an execution; `body` is AcountPay's response to all requests. */
	async function run(
		order: { merchant?: string; reference: string; amount?: number; currency?: string },
		body: object,
		{ store } = execution(),
	) {
		const { merchant = 'merchant_1', reference, amount = 1, currency } = order;
		const payment = { amount, referenceNumber: reference, ...(currency && { currency }) };
		const item = ++items;
		return await create.run({ merchantClientId: merchant, payment, qrCode: false }, {
			client: scripted([response(201, body)]).client,
			options: callOptions,
			record: (request: ApiRequest, label: Label) =>
				store.record(item, { json: { item } }, built(request), label),
		} as unknown as ItemWork);
	}

	it.each([
		['ORDER-1', 'ORDER-1'],
		['ORDER-1', ' order 1 '],
		['Blåbær-1', 'BLAABAER-1'],
		['Cafe\u0301 1', 'Caf\u00e9 1'],
		['ORDER-2026-000001-WITH-MORE', 'ORDER-2026-000001-'],
		['1001', 1001],
		['ORDER-1', ''],
		['ORDER-1', null],
	])('for %p the reference %p is the payment that was created', async (reference, shown) => {
		for (const body of [
			{ id: ++orders, referenceNumber: shown },
			{ id: ++orders, data: { payment: { referenceNumber: shown } } },
		]) {
			expect(await run({ reference }, body)).toEqual([{ json: body }]);
		}
	});

	it.each([
		['ORDER-1', 'ORDER-10'],
		['ORDER-10', 'ORDER-1'],
		['ORDER-1', 'OTHER'],
		['1001', 1002],
	])('for %p the reference %p is about another payment', async (reference, shown) => {
		for (const body of [
			{ id: ++orders, referenceNumber: shown },
			{ data: { payment: { id: ++orders, referenceNumber: shown } } },
		]) {
			expect(await errorFrom(run({ reference }, body))).toMatchObject({
				outcome: 'unknown',
				message: `Payment '${reference}' may or may not exist: AcountPay responded about a payment that has the reference ${shown} instead of ${reference} (payment ${paymentIdOf(body)})`,
			});
		}
	});

	it('the payment of another order of the execution, merchant or amount is about another payment', async () => {
		const body = { id: ++orders };
		const one = execution();
		expect(await run({ reference: 'ORDER-1' }, body, one)).toEqual([{ json: body }]);
		for (const other of [
			{ reference: 'ORDER-2' },
			{ reference: 'ORDER-1', merchant: 'm2' },
			{ reference: 'ORDER-1', amount: 2 },
		]) {
			expect(await errorFrom(run(other, body, one))).toMatchObject({
				outcome: 'unknown',
				message: `Payment '${other.reference}' may or may not exist: AcountPay responded about payment '${body.id}', which belongs to another item`,
			});
		}
		// A test system may begin its numbers anew.
		expect(await run({ reference: 'ORDER-2' }, body)).toEqual([{ json: body }]);
	});

	it.each([
		[{ amount: 1 }, undefined],
		[{ amount: '1.00', currency: 'dkk' }, undefined],
		[{ currency: 'EUR' }, undefined],
		[{ amount: 2 }, 'has the amount 2 instead of 1'],
		[{ amount: 100, currency: 'DKK' }, 'has the amount 100 instead of 1'],
		[{ data: { amount: 100 } }, 'has the amount 100 instead of 1'],
		[{ result: { payment: { amount: '2' } } }, 'has the amount 2 instead of 1'],
		[{ metadata: { amount: 2 } }, undefined],
		[{ merchantClientId: 'MERCHANT_1' }, undefined],
		[{ merchantClientId: 'merchant_2' }, 'has the merchant merchant_2 instead of merchant_1'],
	])(
		'of an amount of 1 without a currency the response %j is about another one: %s',
		async (shown, why) => {
			const body = { id: ++orders, ...shown };
			const created = run({ reference: 'ORDER-1' }, body);
			if (why === undefined) return expect(await created).toEqual([{ json: body }]);
			expect(await errorFrom(created)).toMatchObject({
				outcome: 'unknown',
				message: `Payment 'ORDER-1' may or may not exist: AcountPay responded about a payment that ${why}${'data' in shown || 'result' in shown ? '' : ` (payment ${orders})`}`,
			});
		},
	);

	it('in another currency than was asked for is about another payment', async () => {
		const order = { reference: 'ORDER-1', currency: 'DKK' };
		expect(await errorFrom(run(order, { id: ++orders, currency: 'SEK' }))).toMatchObject({
			outcome: 'unknown',
			message: expect.stringContaining('has the currency SEK instead of DKK'),
		});
	});
});

describe('Create with a QR code', () => {
	const stored = { data: '', mimeType: 'image/png' } as IBinaryData;
	const payment = { amount: 1, referenceNumber: 'ORDER-1' };

	/** Runs Create for one item with this script; `store` stands for n8n's place for files. */
	async function run(
		script: Script,
		store: (image: Image) => Promise<IBinaryData> = async () => stored,
	) {
		const { client, sent, stop } = scripted(script);
		const work = {
			client,
			options: callOptions,
			record: (request: ApiRequest) => recordFor(request),
			storeImage: store,
		} as unknown as ItemWork;
		const ended = create.run({ merchantClientId: 'merchant_1', payment, qrCode: true }, work);
		return { ended, sent, stop };
	}
	const made = (body: object) => response(201, { ...body });

	it('makes the payment, then reads its image', async () => {
		const given: Image[] = [];
		const store = async (its: Image) => {
			given.push(its);
			return stored;
		};
		const { ended, sent } = await run([made({ id: 7 }), imageResponse(PNG, 'image/png')], store);
		expect(await ended).toEqual([{ json: { id: 7 }, binary: { data: stored } }]);
		expect(given).toMatchObject([{ fileName: '7.png', mimeType: 'image/png' }]);
		expect(sent).toMatchObject([
			{ method: 'POST', body: payment, merchantClientId: 'merchant_1' },
			{ method: 'GET', path: '/v1/partner/payments/7/qr' },
		]);
	});

	it('without one asks for none', async () => {
		const work = scripted([made({ id: 7 })]);
		const output = await create.run({ merchantClientId: 'merchant_1', payment, qrCode: false }, {
			client: work.client,
			options: callOptions,
			record: (request: ApiRequest) => recordFor(request),
		} as unknown as ItemWork);
		expect(output).toEqual([{ json: { id: 7 } }]);
		expect(work.sent).toHaveLength(1);
	});

	it('names the payment when it is not known whether it was made', async () => {
		const { ended } = await run([response(500)]);
		expect((await errorFrom(ended))!.message).toContain("Payment 'ORDER-1' may or may not exist");
		const refused = await run([response(403)]);
		expect((await errorFrom(refused.ended))!.message).toContain("for merchant 'merchant_1'");
	});

	const missing = 'but its QR code is missing: ';
	it.each<[string, Script, string, number | undefined]>([
		[
			'is refused',
			[made({ id: 7 }), response(404, { message: 'none' })],
			`The payment was created (7), ${missing}AcountPay does not find the QR code of payment '7' for merchant 'merchant_1': none`,
			404,
		],
		[
			'can not be asked for',
			[made({ qrCodeUrl: 'https://…' })],
			`The payment was created (without an ID), ${missing}AcountPay's response has no ID to ask for it with`,
			undefined,
		],
	])('says that the payment was made when the image %s', async (_what, script, message, status) => {
		const { ended } = await run(script);
		const problem = (await errorFrom(ended))!;
		expect(problem).toMatchObject({
			outcome: 'created',
			message,
			description: expect.stringMatching(/'Get QR Code'.* Do not create the payment again\.$/),
			payment: expect.any(Object),
		});
		expect(problem.status).toBe(status);
	});

	it('says so when n8n does not store the image, in the words of n8n where they are safe', async () => {
		const store = (error: Error) => async () => await Promise.reject(error);
		const script = () => [made({ id: 7 }), imageResponse(PNG, 'image/png')];
		const full = await run(script(), store(errorOfN8n(new Error('disk full'))));
		expect((await errorFrom(full.ended))!.message).toBe(
			`The payment was created (7), ${missing}disk full`,
		);
		const other = await run(script(), store(new Error('s3cret')));
		expect((await errorFrom(other.ended))!.message).toMatch(
			/^The payment was created \(7\), .*ended/,
		);
	});

	it('is stopped, and no more, when the execution is stopped while the image is read', async () => {
		const { ended } = await run([made({ id: 7 }), new Cancelled()]);
		await expect(ended).rejects.toBeInstanceOf(Cancelled);
	});
});

describe('Create with keys', () => {
	useFakeTime();

	let partners = 0;

	const listedAs = (id: number, changes: IDataObject = {}): IDataObject => ({
		...{ id, merchantClientId: 'shop', referenceNumber: 'ORDER-1', amount: 10, currency: 'DKK' },
		...{ status: 'pending', createdAt: new Date().toISOString() },
		...changes,
	});

	/** An AcountPay that no other test has asked, with this list; `script` is how it responds to the first creates. */
	function acountPay(list: IDataObject[] = [], script: Script = []) {
		const baseUrl = `https://${++partners}.acountpay.test`;
		const sent: ApiRequest[] = [];
		const clientOfExecution = () => {
			const { client } = scripted((request) => {
				const now = Date.now();
				client.clock.observe({ date: new Date(now).toUTCString() }, now, now);
				if (request.method === 'GET') return response(200, { payments: list });
				sent.push(request);
				const paymentId = 100 + sent.length;
				const paymentUrl = `https://pay.acountpay.com/p/${paymentId}`;
				return script.shift() ?? response(201, { paymentId, paymentUrl });
			});
			return Object.assign(client, { baseUrl, account: 'partner' });
		};
		/** Begins an execution, which runs items one by one; `data` is what n8n has stored of the one that it retries. */
		const begin = (executionId: string, data: IDataObject = {}) => {
			const client = clientOfExecution();
			const { store } = execution(data, { id: executionId });
			return async (itemIndex: number, options: IDataObject, changes: IDataObject = {}) => {
				const order = { merchantId: 'shop', amount: 10, referenceNumber: 'ORDER-1', ...changes };
				const input = createWithKeys.check(parameters({ ...order, options }), client);
				return await end(
					createWithKeys.run(input, {
						client,
						options: { ...callOptions, endSignal: client.cancelSignal },
						executionId,
						record: (request: ApiRequest, label: Label) =>
							store.record(itemIndex, { json: { itemIndex } }, built(request, baseUrl), label),
					} as unknown as ItemWork),
				);
			};
		};
		return { begin, list, sent };
	}

	const RETURN = { existingPayment: 'return' };
	const FAIL = { existingPayment: 'fail' };

	const created = (paymentId: number) => [
		{ json: { paymentId, paymentUrl: `https://pay.acountpay.com/p/${paymentId}` } },
	];
	const existing = (paymentId: number) => [
		{ json: expect.objectContaining({ paymentId, existing: true }) },
	];

	it.each([[{}], [{ existingPayment: 'create' }]])(
		'creates a payment although its order has one, with the options %j',
		async (options) => {
			const { begin, sent } = acountPay([listedAs(7)]);
			expect((await begin('1')(0, options)).value).toEqual(created(101));
			expect(sent).toHaveLength(1);
		},
	);

	it('with Return It creates a payment for an order that has none, and returns the one that is there', async () => {
		const { begin, list, sent } = acountPay();
		const run = begin('1');
		expect((await run(0, RETURN)).value).toEqual(created(101));
		list.push(listedAs(7, { referenceNumber: 'ORDER-2' }));
		await after(30_000);
		expect((await run(1, RETURN, { referenceNumber: 'ORDER-2' })).value).toEqual(existing(7));
		expect(sent).toHaveLength(1);
	});

	it('with Fail names the payment that is there, and sends nothing', async () => {
		const { begin, sent } = acountPay([listedAs(7)]);
		expect((await begin('1')(0, FAIL)).error).toMatchObject({
			outcome: 'refused',
			message:
				"Payment 'ORDER-1' was not created: AcountPay has payment 7 (pending) for it already",
		});
		expect(sent).toEqual([]);
	});

	it('with Fail returns what this execution has created, also in a retry, and fails in another execution', async () => {
		const { begin, sent } = acountPay();
		const data = {};
		const run = begin('1', data);
		expect((await run(0, FAIL)).value).toEqual(created(101));
		expect((await run(1, FAIL)).value).toEqual(existing(101));
		expect((await begin('2', data)(2, FAIL)).value).toEqual(existing(101));
		expect((await begin('3')(0, FAIL)).error).toMatchObject({
			message: expect.stringContaining('has payment 101 (of no status) for it already'),
		});
		expect(sent).toHaveLength(1);
	});

	it('with Fail fails on what this execution has returned but not created', async () => {
		const { begin, sent } = acountPay([listedAs(7)]);
		const run = begin('1');
		expect((await run(0, RETURN)).value).toEqual(existing(7));
		expect((await run(1, FAIL)).error).toMatchObject({
			message: expect.stringContaining('has payment 7 (pending) for it already'),
		});
		expect(sent).toEqual([]);
	});

	it('creates one payment for an order that two executions ask for at once', async () => {
		const { begin, sent } = acountPay();
		const both = await Promise.all([begin('1')(0, RETURN), begin('2')(0, RETURN)]);
		expect(both.map(({ value }) => value)).toEqual([created(101), existing(101)]);
		expect(sent).toHaveLength(1);
	});

	it('creates another payment once the one that it created has failed', async () => {
		const { begin, list } = acountPay();
		expect((await begin('1')(0, {})).value).toEqual(created(101));
		list.push(listedAs(101, { status: 'failed' }));
		expect((await begin('2')(0, RETURN)).value).toEqual(created(102));
	});

	it('sends nothing in a retry for an order whose payment AcountPay does not list any more', async () => {
		const { begin, list, sent } = acountPay([listedAs(7)]);
		const data = {};
		expect((await begin('1', data)(0, RETURN)).value).toEqual(existing(7));
		list.pop();
		await after(30_000);
		expect((await begin('2', data)(0, RETURN)).error).toMatchObject({
			message: expect.stringContaining('shown payment 7 for this order before'),
		});
		expect(sent).toEqual([]);
	});

	it.each([
		[{ currency: 'EUR' }, {}, 'has the currency EUR instead of DKK'],
		[{ amount: 12 }, {}, 'has the amount 12 instead of 10'],
		[
			{ description: 'Tea' },
			{ description: 'Coffee' },
			'has the description Tea instead of Coffee',
		],
		[{ storeId: 's2' }, { storeId: 's1' }, 'has the store s2 instead of s1'],
		[{ registerId: 'r2' }, { registerId: 'r1' }, 'has the register r2 instead of r1'],
	])('a payment of this order with %j is not returned for %j', async (has, wants, difference) => {
		const { begin, sent } = acountPay([listedAs(7, has)]);
		expect((await begin('1')(0, RETURN, { additionalFields: wants })).error).toMatchObject({
			outcome: 'refused',
			message: `Payment 'ORDER-1' was not created: AcountPay has payment 7, which ${difference}`,
		});
		expect(sent).toEqual([]);
	});

	it('a payment that is found in a retry with another amount is known with the amount that it was asked for', async () => {
		const { begin, list, sent } = acountPay([], [response(500)]);
		const data = {};
		const itsPayment = listedAs(7);
		expect((await begin('1', data)(0, {})).error).toMatchObject({ outcome: 'unknown' });
		list.push(itsPayment);
		expect((await begin('2', data)(0, {}, { amount: 12 })).error).toMatchObject({
			outcome: 'refused',
			message: expect.stringContaining('exists already'),
		});
		expect((await begin('3')(0, RETURN)).value).toEqual(existing(7));
		expect(sent).toHaveLength(1);
	});

	it.each([
		[{}, "the merchant 'shop'", 'Merchant ID'],
		[{ storeId: 's1' }, "the merchant 'shop' or its store 's1'", 'Merchant ID and Store ID'],
	])('with %j, names what AcountPay does not know: %s', async (additionalFields, what, where) => {
		const { begin } = acountPay([], [response(404)]);
		expect((await begin('1')(0, {}, { additionalFields })).error).toMatchObject({
			outcome: 'refused',
			message: `AcountPay does not know ${what} for the payment with reference 'ORDER-1' (status 404)`,
			description: expect.stringContaining(`Check ${where}. `),
		});
	});

	it.each([
		[{ merchantId: ' SHOP' }, undefined],
		[{ additionalFields: { currency: 'DKK' } }, undefined],
		[{ additionalFields: { currency: 'EUR' } }, 'for 10 DKK'],
		[{ amount: 12 }, 'for 10 DKK'],
	])(
		'a retry for %j has the payment that was created, or says what it was: %s',
		async (changes, terms) => {
			const { begin, sent } = acountPay();
			const data = {};
			await begin('1', data)(0, {});
			const { value, error } = await begin('2', data)(0, {}, changes);
			if (terms === undefined) expect(value).toEqual(created(101));
			else expect(error).toMatchObject({ message: expect.stringMatching(`${terms}$`) });
			expect(sent).toHaveLength(1);
		},
	);

	it('says that an existing payment has no link to draw a QR code of', async () => {
		const { begin } = acountPay([listedAs(7)]);
		expect((await begin('1')(0, { ...RETURN, qrCode: true })).error).toMatchObject({
			outcome: 'created',
			message: 'The payment exists (7), but its QR code is missing: Payment URL must not be empty',
			description:
				"Look for the payment's link in the AcountPay Partner Dashboard. Do not create the payment again.",
		});
	});
});
