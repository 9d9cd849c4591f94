import fc from 'fast-check';
import type { IDataObject } from 'n8n-workflow';
import { create } from '../../../nodes/AcountPay/actions/payment/create.operation';
import { get } from '../../../nodes/AcountPay/actions/payment/get.operation';
import { callOptionsOf, concurrencyOf } from '../../../nodes/AcountPay/actions/options';
import type { Client } from '../../../nodes/shared/transport/client';
import { ValidationError } from '../../../nodes/shared/errors';
import { parameters } from './support';

const sandbox = { isProduction: false } as Client;
const production = { isProduction: true } as Client;

const checked = (values: IDataObject, client = sandbox) =>
	create.check(
		parameters({ merchantId: 'merchant_1', amount: 149.99, referenceNumber: 'ORDER-1', ...values }),
		client,
	);
const additional = (additionalFields: IDataObject, client = sandbox) =>
	checked({ additionalFields }, client);

/** What a check says of a value that it refuses. */
const refusal = (check: () => unknown): string => {
	try {
		check();
	} catch (error) {
		expect(error).toBeInstanceOf(ValidationError);
		return (error as ValidationError).message;
	}
	return 'not refused';
};

describe('amount', () => {
	test('every amount in øre is sent as it was asked for, as a number and as a spreadsheet writes it', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 1e11 }), (hundredths) => {
				const amount = hundredths / 100;
				expect(checked({ amount }).payment.amount).toBe(amount);
				expect(checked({ amount: amount.toFixed(2) }).payment.amount).toBe(amount);
				expect(checked({ amount: String(amount) }).payment.amount).toBe(amount);
			}),
		);
	});

	test('the noise of binary numbers is rounded away', () => {
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

	test('more than two decimals are refused', () => {
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

	test('a text that is not as a spreadsheet writes it is refused', () => {
		fc.assert(
			fc.property(fc.string(), (amount) => {
				fc.pre(!/^(0|[1-9]\d*)(\.\d{1,2})?$/.test(amount));
				expect(refusal(() => checked({ amount }))).toMatch(/^Amount must/);
			}),
		);
	});

	test.each([[0.01], ['0.01'], [1], ['149'], ['149.9'], [0.009999999], [90071992547409.9]])(
		'%p is an amount',
		(amount) => {
			expect(checked({ amount }).payment.amount).toBe(Math.round(Number(amount) * 100) / 100);
		},
	);

	test.each([
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

describe('reference number', () => {
	test('a text is sent as it is, a whole number as its digits', () => {
		fc.assert(
			fc.property(
				fc.oneof(
					fc.string().filter((text) => text.trim() !== ''),
					fc.maxSafeInteger(),
				),
				(referenceNumber) => {
					expect(checked({ referenceNumber }).payment.referenceNumber).toBe(
						String(referenceNumber),
					);
				},
			),
		);
	});

	test.each([[''], ['  '], ['\n'], [null], [undefined]])('%p is empty', (referenceNumber) => {
		expect(refusal(() => checked({ referenceNumber }))).toBe('Reference Number must not be empty');
	});

	test.each([[true], [{}], [['A']], [() => 1], [NaN]])('%p is no text', (referenceNumber) => {
		expect(refusal(() => checked({ referenceNumber: referenceNumber as never }))).toMatch(
			/^Reference Number must be text, but is /,
		);
	});

	test.each([[2 ** 64], [-(2 ** 64)], [Infinity]])(
		'%p is a number that is not exact',
		(referenceNumber) => {
			expect(refusal(() => checked({ referenceNumber }))).toMatch(
				/^Reference Number must be text: the number .* is too large to be exact$/,
			);
		},
	);
});

describe('merchant', () => {
	test('every printable ASCII text is one, without the spaces around it', () => {
		fc.assert(
			fc.property(
				fc.string({ unit: 'grapheme-ascii' }).filter((text) => text.trim() !== ''),
				(merchantId) => {
					expect(checked({ merchantId }).merchantId).toBe(merchantId.trim());
				},
			),
		);
		expect(checked({ merchantId: 4711 }).merchantId).toBe('4711');
	});

	test.each([
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
			/^Merchant ID may only contain printable ASCII characters, but is /,
		);
	});

	test('none is refused', () => {
		expect(refusal(() => checked({ merchantId: ' ' }))).toBe('Merchant ID must not be empty');
	});
});

describe('payment id', () => {
	const idOf = (paymentId: unknown) =>
		get.check(parameters({ merchantId: 'm', paymentId: paymentId as string }), sandbox);

	test.each([
		['pay_abc123def456'],
		[42],
		['42'],
		['A-b.c~d:e'],
		['..a'],
		['550e8400-e29b-41d4-a716-446655440000'],
	])('%p is one', (paymentId) => {
		expect(idOf(paymentId)).toEqual({ merchantId: 'm', paymentId: String(paymentId) });
	});

	test.each([
		['../x'],
		['a/b'],
		['a\\b'],
		['a?b'],
		['a#b'],
		['a%2fb'],
		['.'],
		['..'],
		['a b'],
		['a\nb'],
		['a\u0001b'],
	])('%p would change the path', (paymentId) => {
		expect(refusal(() => idOf(paymentId))).toMatch(
			/^Payment ID must be an ID such as pay_abc123def456/,
		);
	});

	test.each([[''], [' '], [null]])('%p is empty', (paymentId) => {
		expect(refusal(() => idOf(paymentId))).toBe('Payment ID must not be empty');
	});
});

describe('additional fields', () => {
	test('what is not added is not sent', () => {
		expect(checked({})).toEqual({
			merchantId: 'merchant_1',
			payment: { amount: 149.99, referenceNumber: 'ORDER-1' },
		});
	});

	test('what is added is sent, and nothing else', () => {
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
			merchantId: 'merchant_1',
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
		});
	});

	test.each([['DKK'], ['EUR'], ['SEK'], ['NOK'], ['USD'], ['GBP']])(
		'%p is a currency',
		(currency) => {
			expect(additional({ currency }).payment.currency).toBe(currency);
		},
	);

	test.each([['dkk'], ['kr'], ['DKKK'], ['ABC'], [208], ['DKK ']])(
		'%p is no currency',
		(currency) => {
			expect(refusal(() => additional({ currency }))).toMatch(
				/^Currency must be a currency code of ISO 4217/,
			);
		},
	);

	test.each([[''], ['  '], [null], [undefined]])('what is %p is left out', (value) => {
		const fields = {
			...{ currency: value, description: value, metadata: value, webhookUrl: value },
			...{ customFields: value, mockPayment: value },
		};
		expect(additional(fields)).toEqual(checked({}));
	});

	test('a description that is no text is refused', () => {
		expect(additional({ description: 5 }).payment.description).toBe('5');
		expect(refusal(() => additional({ description: { a: 1 } }))).toMatch(
			/^Description must be text/,
		);
	});

	test('any JSON object is metadata, as text and as object', () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
				const sent = JSON.parse(JSON.stringify(value));
				expect(additional({ metadata: value as IDataObject }).payment.metadata).toEqual(sent);
				expect(additional({ metadata: JSON.stringify(value) }).payment.metadata).toEqual(sent);
			}),
		);
	});

	test.each([
		['{"order":{"id":9007199254740993}}', '9007199254740993'],
		['[-12345678901234567890]', '-12345678901234567890'],
	])('%p would be sent rounded', (value, number) => {
		expect(refusal(() => additional({ metadata: value as never }))).toBe(
			`Metadata must not have the number ${number}, which can't be sent exactly: write it in quotes`,
		);
		expect(refusal(() => additional({ customFields: value as never }))).toMatch(
			/^Custom Fields must not have the number /,
		);
	});

	test('a number is taken as it is written', () => {
		const metadata = { id: 2 ** 60, text: '9007199254740993', large: 1e300, ratio: 1 / 3 };
		expect(additional({ metadata }).payment.metadata).toEqual(metadata);
		const text = JSON.stringify(metadata);
		expect(additional({ metadata: text }).payment.metadata).toEqual(metadata);
	});

	const circular: IDataObject = {};
	circular.self = circular;
	test.each([['[1]'], [[1]], ['null'], ['"x"'], ['5'], [5], ['{'], [true], [circular]])(
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

	test.each([
		['amount'],
		['referenceNumber'],
		['currency'],
		['description'],
		['metadata'],
		['webhookUrl'],
	])('a custom field may not be called %s', (name) => {
		expect(refusal(() => additional({ customFields: { [name]: 1, other: 2 } }))).toBe(
			`Custom Fields must not contain ${name}: there are fields of their own for that`,
		);
	});

	test.each([
		['https://n8n.example.com/webhook/1'],
		['http://127.0.0.1:5678/x?y=1'],
		['HTTPS://A.dk'],
	])('%p is a webhook URL', (webhookUrl) => {
		expect(additional({ webhookUrl }).payment.webhookUrl).toBe(webhookUrl);
	});

	test.each([
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

	test.each([['true'], ['fail'], ['delay']])(
		'mock payment %p, not in production',
		(mockPayment) => {
			expect(additional({ mockPayment }).mockPayment).toBe(mockPayment);
			expect(refusal(() => additional({ mockPayment }, production))).toMatch(
				/^Mock Payment must not be used with a credential for production/,
			);
		},
	);

	test.each([[true], ['yes'], [5]])('%p is no mock payment', (mockPayment) => {
		expect(refusal(() => additional({ mockPayment }))).toBe(
			`Mock Payment must be one of true, fail, delay, but is ${JSON.stringify(mockPayment) ?? 'undefined'}`,
		);
	});

	test('the QR code is added when it is asked for', () => {
		expect(checked({ options: { qrCode: true } }).qrCodeField).toBe('data');
		expect(checked({ options: { qrCode: false } })).not.toHaveProperty('qrCodeField');
	});
});

describe('options', () => {
	test('have defaults', () => {
		expect(callOptionsOf(parameters({}))).toEqual({ timeout: 30_000, resendUnknown: false });
		expect(concurrencyOf(parameters({}))).toBe(50);
	});

	test('are taken', () => {
		const options = { timeout: 1, resendUnknown: true, maxConcurrency: 1 };
		expect(callOptionsOf(parameters({ options }))).toEqual({ timeout: 1, resendUnknown: true });
		expect(concurrencyOf(parameters({ options }))).toBe(1);
		expect(callOptionsOf(parameters({ options: { timeout: 600_000 } })).timeout).toBe(600_000);
		expect(concurrencyOf(parameters({ options: { maxConcurrency: 1_000 } }))).toBe(1_000);
		expect(callOptionsOf(parameters({ options: { resendUnknown: 'true' } })).resendUnknown).toBe(
			false,
		);
	});

	test.each([[0], [-1], [1.5], ['30000'], [600_001], [NaN]])('%p is no timeout', (timeout) => {
		expect(refusal(() => callOptionsOf(parameters({ options: { timeout } })))).toMatch(
			/^Request Timeout \(Ms\) must be a whole number from 1 to 600000, but is /,
		);
	});

	test.each([[0], [-1], [1.5], ['10'], [1_001]])('%p is no max concurrency', (maxConcurrency) => {
		expect(refusal(() => concurrencyOf(parameters({ options: { maxConcurrency } })))).toMatch(
			/^Max Concurrency must be a whole number from 1 to 1000, but is /,
		);
	});
});

test('a long value is cut short in what is said of it', () => {
	const message = refusal(() => checked({ amount: 'x'.repeat(1_000) }));
	expect(message.length).toBeLessThan(160);
	expect(message).toMatch(/x…$/);
});
