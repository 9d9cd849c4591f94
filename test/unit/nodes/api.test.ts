import fc from 'fast-check';
import {
	finalStatusOfEvent,
	readWebhookEvent as readEvent,
} from '../../../nodes/shared/api/events';
import { baseUrlOf as baseUrlOfHosts, OAUTH2_HOSTS } from '../../../nodes/shared/api/hosts';
import {
	createPayment,
	getPayment,
	getQrCodeImage,
	paymentIdOf,
	readCreated,
} from '../../../nodes/shared/api/payments';
import { readObject, readReason } from '../../../nodes/shared/api/responses';
import { finalStatusOf } from '../../../nodes/shared/api/statuses';
import type { RequestContext } from '../../../nodes/shared/requestContext';
import { Client } from '../../../nodes/shared/transport/client';

const baseUrlOf = (host: Parameters<typeof baseUrlOfHosts>[0]) =>
	baseUrlOfHosts(host, OAUTH2_HOSTS);

const buffer = (value: unknown) =>
	Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('base URL', () => {
	test('of the documented environments', () => {
		expect(baseUrlOf({ environment: 'production' })).toBe('https://api.acountpay.com');
		expect(baseUrlOf({ environment: 'sandbox', baseUrl: 'https://evil.test' })).toBe(
			'https://acount-apis-staging-a8cdb2402163.herokuapp.com',
		);
		expect(baseUrlOf({ environment: 'other' as never })).toBeUndefined();
	});

	test.each([
		['https://pay.example.com', 'https://pay.example.com'],
		['https://pay.example.com/', 'https://pay.example.com'],
		['https://pay.example.com:8443/api//', 'https://pay.example.com:8443/api'],
		[' HTTPS://Pay.example.com ', 'HTTPS://Pay.example.com'],
		['http://localhost', 'http://localhost'],
		['http://localhost:3000/', 'http://localhost:3000'],
		['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
		['http://127.1.2.3', 'http://127.1.2.3'],
		['http://[::1]:3000', 'http://[::1]:3000'],
	])('%p may be given a secret', (baseUrl, expected) => {
		expect(baseUrlOf({ environment: 'custom', baseUrl })).toBe(expected);
	});

	test.each([
		[undefined],
		[''],
		['http://pay.example.com'],
		['http://localhost.evil.test'],
		['http://localhost@evil.test'],
		['http://localhost:80@evil.test'],
		['http://localhost:pw@evil.test'],
		['http://127.0.0.1.evil.test'],
		['http://127.0.0.1@evil.test'],
		['http://1270.0.0.1'],
		['http://localhost\\@evil.test'],
		['http://evil.test/http://localhost'],
		['https://user:pw@pay.example.com'],
		['https://'],
		['https:///x'],
		['https://pay.example.com?x='],
		['https://pay.example.com/a?x='],
		['https://pay.example.com#'],
		['https://pay.example.com/a#x'],
		['https://pay.exam ple.com'],
		['https://pay.example.com/a\nb'],
		['https://pay.example.com:99999'],
		['http://127.0.0.999'],
		['https://[::1'],
		['ftp://pay.example.com'],
		['//pay.example.com'],
		['pay.example.com'],
		['javascript:https://x'],
	])('%p may not', (baseUrl) => {
		expect(baseUrlOf({ environment: 'custom', baseUrl })).toBeUndefined();
	});
});

describe('requests', () => {
	const context = {
		getCredentials: async () => ({ environment: 'production', clientId: 'a', clientSecret: 'b' }),
		getNode: () => ({ parameters: {} }),
		getExecutionId: () => '1',
	} as unknown as RequestContext;
	const baseUrl = 'https://api.acountpay.com';

	test('have the documented headers and paths', async () => {
		const client = await Client.open(context);
		const payment = { amount: 149.99, referenceNumber: 'ORDER-123' };
		const creation = createPayment('merchant_abc123', payment);
		expect(creation.repeatable).toBe(false);
		expect(client.place(creation)).toEqual({
			baseUrl,
			method: 'POST',
			path: '/v1/partner/payments',
			headers: {
				Accept: 'application/json',
				'Content-Type': 'application/json',
				'X-Merchant-Client-Id': 'merchant_abc123',
			},
			body: payment,
		});
		const mocked = client.place(createPayment('m', payment, 'delay'));
		expect(mocked.headers['X-Mock-Payment']).toBe('delay');
		expect(getPayment('m', 'pay_1').repeatable).toBe(true);
		expect(client.place(getPayment('m', 'pay_1'))).toEqual({
			baseUrl,
			method: 'GET',
			path: '/v1/partner/payments/pay_1',
			headers: { Accept: 'application/json', 'X-Merchant-Client-Id': 'm' },
		});
		expect(getQrCodeImage('m', 'pay_1').repeatable).toBe(true);
		expect(client.place(getQrCodeImage('m', 'pay_1'))).toEqual({
			baseUrl,
			method: 'GET',
			path: '/v1/partner/payments/pay_1/qr',
			headers: { Accept: 'image/*', 'X-Merchant-Client-Id': 'm' },
		});
	});

	test('an id can not leave its place in the path', () => {
		fc.assert(
			fc.property(
				fc.string({ minLength: 1 }).filter((id) => !/^\.+$/.test(id)),
				(id) => {
					const { pathname } = new URL(`https://a.test${getPayment('m', id).path}`);
					expect(pathname.split('/')).toHaveLength(5);
				},
			),
		);
	});
});

describe('answers', () => {
	test('that are JSON objects are read as they are', () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (value) => {
				const text = JSON.stringify(value);
				expect(readObject(buffer(text))).toEqual(JSON.parse(text));
			}),
		);
	});

	test.each<[string, object]>([
		['\uFEFF{"id":1}', { id: 1 }],
		['{"id":9007199254740991}', { id: 9007199254740991 }],
		['{"id":9007199254740993}', { id: '9007199254740993' }],
		['{"id":9007199254740994}', { id: '9007199254740994' }],
		['{"data":{"paymentId":-9007199254740992}}', { data: { paymentId: '-9007199254740992' } }],
		[
			'{"a":[9007199254740993,-12345678901234567890]}',
			{ a: ['9007199254740993', '-12345678901234567890'] },
		],
		[
			'{"a":1e300,"b":149.99,"c":"90071992547409930"}',
			{ a: 1e300, b: 149.99, c: '90071992547409930' },
		],
		[
			'{"a":9007199254740994,"b":0.1234567890123456789,"id":1.5}',
			{ a: 9007199254740994, b: 0.12345678901234568, id: 1.5 },
		],
	])('%p is read without loss', (text, value) => {
		expect(readObject(buffer(text))).toEqual(value);
	});

	test.each([
		[''],
		['{}'],
		['[]'],
		['\uFEFF'],
		['[{"id":1}]'],
		['null'],
		['1'],
		['"x"'],
		['{"id":'],
		['<html>'],
	])('%p says nothing', (text) => {
		expect(readObject(buffer(text))).toBeUndefined();
	});

	test.each<[unknown, boolean]>([
		[{ id: 'pay_1' }, true],
		[{ paymentId: 7 }, true],
		[{ qrCodeUrl: 'https://a.test/qr' }, true],
		[{ data: { payment: { id: 1 } } }, true],
		[{ id: 0 }, true],
		[{ error: 'declined', id: null, paymentId: '', qrCodeUrl: null }, false],
		[{ id: 1, error: { id: 2 } }, true],
		[{ error: { id: 'err_1' }, errors: [{ id: 1 }], metadata: { id: 5 } }, false],
		[{ statusCode: 500, message: 'oops', requestId: 1 }, false],
		[{ ok: true }, false],
		[{}, false],
		['<html>"id":', false],
	])('%p is about a payment: %p', (body, isPayment) => {
		expect(readCreated(buffer(body))).toEqual(isPayment ? body : undefined);
	});

	test.each([
		[{ id: 'pay_1' }, 'pay_1'],
		[{ id: 7 }, '7'],
		[{ paymentId: 'pay_2' }, 'pay_2'],
		[{ id: 'pay_1', paymentId: 'pay_2' }, 'pay_1'],
		[{ id: { a: 1 }, paymentId: 3 }, '3'],
		[{ id: '', paymentId: 0 }, '0'],
		[{ data: { id: 'pay_1' } }, 'pay_1'],
		[{ payment: { paymentId: 7 }, data: [] }, '7'],
		[{ id: 'pay_1', data: { id: 'pay_2' } }, 'pay_1'],
		[{ id: null, data: 'pay_1', payment: null }, undefined],
		[{}, undefined],
	])('the id in %p is %p', (value, id) => {
		expect(paymentIdOf(value as never)).toBe(id);
	});
});

describe('the reason of a refusal', () => {
	const reasonIn = (body: unknown) => readReason(buffer(body), (text) => text);

	test.each<[unknown, string]>([
		[{ statusCode: 400, message: 'amount is wrong', error: 'Bad Request' }, 'amount is wrong'],
		[{ message: ['a', ' b ', ''], error: 'Bad Request' }, 'a; b'],
		[{ message: '', error: 'Bad Request' }, 'Bad Request'],
		[{ message: [], error: { message: 'inner' } }, 'inner'],
		[{ error: 'invalid_client' }, 'invalid_client'],
		[{ errors: [{ message: 'one' }, 'two', { other: 1 }] }, 'one; two'],
		[
			{ message: 'Validation failed', errors: [{ field: 'amount', message: 'too small' }] },
			'Validation failed; too small',
		],
		[{ message: 'too small', errors: ['too small'] }, 'too small'],
		[{ errors: { amount: ['too small', 'no number'] } }, 'amount: too small; amount: no number'],
		[{ message: { amount: 'too small' }, error: 'Bad Request' }, 'amount: too small'],
		[{ title: 'Invalid', status: 400, detail: 'too small' }, 'title: Invalid; detail: too small'],
		[{ data: { reason: 'too small' } }, 'data: reason: too small'],
		[{ errors: [] }, ''],
		[{ other: 1 }, ''],
		[['one', 'two'], 'one; two'],
		['"text"', 'text'],
		['plain words', 'plain words'],
		['', ''],
		['null', ''],
		[
			'<html><head><title>T</title></head><body><h1>502</h1> Bad&nbsp;<b>Gateway</b></body></html>',
			'502 Bad&nbsp; Gateway',
		],
		['<script>alert(1)</script >after', 'after'],
		['{"message": "cut o', '{"message": "cut o'],
	])('in %p is %p', (body, reason) => {
		expect(reasonIn(body)).toBe(reason);
	});

	test('has what must not get out hidden before it is cut', () => {
		const hide = (text: string) => text.replace('secret', '[secret]');
		const before = 'x'.repeat(495);
		expect(readReason(buffer({ message: `${before} secret` }), hide)).toBe(`${before} [se…`);
	});

	test('is never longer than 500 characters, whatever came', () => {
		expect(reasonIn('x'.repeat(500))).toBe('x'.repeat(500));
		expect(reasonIn('x'.repeat(501))).toBe(`${'x'.repeat(499)}…`);
		fc.assert(
			fc.property(fc.oneof(fc.string({ maxLength: 3_000 }), fc.json()), (text) => {
				expect(reasonIn(text).length).toBeLessThanOrEqual(500);
			}),
		);
	});
});

describe('status', () => {
	test.each([
		['completed', 'completed'],
		['paid', 'completed'],
		['failed', 'failed'],
		['expired', 'expired'],
	])('%p has ended as %p', (status, final) => {
		expect(finalStatusOf(status)).toBe(final);
	});

	test('no other text has ended', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.anything()), (status) => {
				fc.pre(!['completed', 'paid', 'failed', 'expired'].includes(status as string));
				expect(finalStatusOf(status)).toBeUndefined();
			}),
		);
		for (const status of ['pending', 'processing', 'COMPLETED', 'completed ', 'constructor']) {
			expect(finalStatusOf(status)).toBeUndefined();
		}
	});

	test('an event names it', () => {
		const event = (name: string) => ({ event: name, data: { paymentId: 1 } });
		expect(finalStatusOfEvent(event('payment.completed'))).toBe('completed');
		expect(finalStatusOfEvent(event('payment.expired'))).toBe('expired');
		expect(finalStatusOfEvent(event('payment.processing'))).toBeUndefined();
		expect(finalStatusOfEvent(event('x.payment.failed'))).toBeUndefined();
		expect(finalStatusOfEvent(event('completed'))).toBeUndefined();
	});

	test.each([
		['payment.completed', 'completed', 'completed'],
		['payment.completed', 'paid', 'completed'],
		['payment.completed', null, 'completed'],
		['payment.completed', 'pending', 'completed'],
		['payment.completed', 'processing', 'completed'],
		['payment.completed', 'failed', undefined],
		['payment.completed', 'reversed', undefined],
		['payment.completed', '', undefined],
		['payment.failed', 'declined', 'failed'],
		['payment.failed', 'completed', undefined],
		['payment.expired', 'expired', 'expired'],
		['payment.expired', 'failed', undefined],
		['payment.processing', 'completed', undefined],
		['payment.settled', 'completed', undefined],
	])('%p with the status %p is the end %p', (event, status, final) => {
		expect(finalStatusOfEvent({ event, data: { paymentId: 1, status } })).toBe(final);
	});
});

describe('events', () => {
	test.each([
		[{ event: 'payment.completed', data: { paymentId: 'pay_1' }, more: [1] }],
		[{ event: 'x', data: { paymentId: 1 } }],
	])('%p is one', (event) => {
		expect(readEvent(buffer(event))).toEqual(event);
	});

	test('one behind a byte order mark is one', () => {
		const event = { event: 'x', data: { paymentId: 1 } };
		expect(readEvent(Buffer.from(`\uFEFF${JSON.stringify(event)}`))).toEqual(event);
	});

	test.each<[unknown]>([
		[{}],
		[{ event: 'x' }],
		[{ event: 1, data: { paymentId: 1 } }],
		[{ event: 'x', data: {} }],
		[{ event: 'x', data: { paymentId: null } }],
		[{ event: 'x', data: [1] }],
		[{ event: 'x', data: null }],
		[[]],
		['x'],
		[''],
	])('%p is none', (body) => {
		expect(readEvent(buffer(body))).toBeUndefined();
	});
});
