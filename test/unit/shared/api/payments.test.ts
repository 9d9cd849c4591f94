import fc from 'fast-check';
import {
	createPayment,
	getPayment,
	getQrCodeImage,
	listedPaymentIdOf,
	otherPaymentIn,
	paymentIdOf,
	readCreatedPayment,
} from '../../../../nodes/shared/api/payments';
import { readCreatedMerchant } from '../../../../nodes/shared/api/merchants';
import { readCreatedStore } from '../../../../nodes/shared/api/stores';
import type { RequestContext } from '../../../../nodes/shared/requestContext';
import { Client } from '../../../../nodes/shared/transport/client';
import { buffer } from '../../support';

describe('requests', () => {
	const context = {
		getCredentials: async () => ({ environment: 'production', clientId: 'a', clientSecret: 'b' }),
		getNode: () => ({ parameters: {} }),
		getExecutionId: () => '1',
	} as unknown as RequestContext;
	const baseUrl = 'https://api.acountpay.com';

	it('have the documented headers and paths', async () => {
		const client = await Client.open(context);
		const payment = { amount: 149.99, referenceNumber: 'ORDER-123' };
		const creation = createPayment('merchant_abc123', payment);
		expect(creation.repeatable).toBe(false);
		expect(client.buildRequest(creation)).toEqual({
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
		const mocked = client.buildRequest(createPayment('m', payment, 'delay'));
		expect(mocked.headers['X-Mock-Payment']).toBe('delay');
		const payment1 = { merchantClientId: 'm', paymentId: 'pay_1' };
		expect(getPayment(payment1).repeatable).toBe(true);
		expect(client.buildRequest(getPayment(payment1))).toEqual({
			baseUrl,
			method: 'GET',
			path: '/v1/partner/payments/pay_1',
			headers: { Accept: 'application/json', 'X-Merchant-Client-Id': 'm' },
		});
		expect(client.buildRequest(getPayment({ paymentId: '456' }))).toEqual({
			baseUrl,
			method: 'GET',
			path: '/v1/partner/payments/456/status',
			headers: { Accept: 'application/json' },
		});
		expect(getQrCodeImage('m', 'pay_1').repeatable).toBe(true);
		expect(client.buildRequest(getQrCodeImage('m', 'pay_1'))).toEqual({
			baseUrl,
			method: 'GET',
			path: '/v1/partner/payments/pay_1/qr',
			headers: { Accept: 'image/*', 'X-Merchant-Client-Id': 'm' },
		});
	});

	it('an id can not leave its place in the path', () => {
		fc.assert(
			fc.property(
				fc.string({ minLength: 1 }).filter((id) => !/^\.+$/.test(id)),
				(id) => {
					const { pathname } = new URL(
						`https://a.test${getPayment({ merchantClientId: 'm', paymentId: id }).path}`,
					);
					expect(pathname.split('/')).toHaveLength(5);
				},
			),
		);
	});
});

describe('responses', () => {
	it.each<[unknown, boolean]>([
		[{ id: 'pay_1' }, true],
		[{ paymentId: 7 }, true],
		[{ qrCodeUrl: 'https://a.test/qr' }, true],
		[{ data: { payment: { id: 1 } } }, true],
		[{ id: 0 }, true],
		[{ error: 'declined', id: null, paymentId: '', qrCodeUrl: null }, false],
		[{ id: 1, error: { id: 2 } }, true],
		[{ id: 1, error: 'declined' }, true],
		[{ result: { paymentId: 1 } }, true],
		[{ success: true, payment: { id: 1 } }, true],
		[{ success: false, id: 1 }, false],
		[{ data: { success: false, id: 1 } }, false],
		[{ ok: false, id: 1 }, false],
		[{ success: 'false', id: 1 }, false],
		[{ statusCode: '400', id: 1 }, false],
		[{ status: 422, id: 'trace-1', title: 'Unprocessable' }, false],
		[{ status: 'error', id: 1 }, false],
		[{ success: false, message: 'Merchant inactive', merchant: { id: 42 } }, false],
		[{ message: 'Merchant inactive', merchant: { id: 42 } }, false],
		[{ payments: [{ id: 7 }] }, false],
		[{ data: [{ id: 7 }] }, false],
		[{ data: { payments: [{ id: 7 }], merchant: { id: 42 } } }, false],
		[{ request: { id: 'req_1' } }, false],
		[{ error: { id: 'err_1' }, errors: [{ id: 1 }], metadata: { id: 5 } }, false],
		[{ statusCode: 500, message: 'oops', requestId: 1 }, false],
		[{ ok: true }, false],
		[{}, false],
		['<html>"id":', false],
	])('%p is about a payment: %p', (body, isPayment) => {
		expect(readCreatedPayment(buffer(body))).toEqual(isPayment ? body : undefined);
	});

	it.each([
		[{ id: 'pay_1' }, 'pay_1'],
		[{ id: 7 }, '7'],
		[{ paymentId: 'pay_2' }, 'pay_2'],
		[{ id: 'pay_1', paymentId: 'pay_2' }, 'pay_2'],
		[{ id: { a: 1 }, paymentId: 3 }, '3'],
		[{ id: '', paymentId: 0 }, '0'],
		[{ data: { id: 'pay_1' } }, 'pay_1'],
		[{ payment: { paymentId: 7 }, data: [] }, '7'],
		[{ result: { data: { payment: { id: 7 } } } }, '7'],
		[{ merchant: { id: 7 } }, undefined],
		[{ id: 'pay_1', data: { id: 'pay_2' } }, 'pay_1'],
		[{ id: null, data: 'pay_1', payment: null }, undefined],
		[{}, undefined],
	])('the id in %p is %p', (value, id) => {
		expect(paymentIdOf(value as never)).toBe(id);
	});

	it('what is no ID names no payment', () => {
		for (const id of ['1e400', '1e20', '1.5', '" "', '{"a":1}', 'true']) {
			expect(readCreatedPayment(buffer(`{"id":${id}}`))).toBeUndefined();
		}
		expect(readCreatedPayment(buffer('{"id":1e400,"data":{"id":100000000000000000000}}'))).toEqual({
			id: Infinity,
			data: { id: '100000000000000000000' },
		});
	});

	it.each([[''], [' '], [Infinity], [NaN], [1.5], [2 ** 53], [null], [undefined], [{}], [['a']]])(
		'%p is no id, so another name is looked at',
		(id) => {
			expect(paymentIdOf({ id, paymentId: 'pay_2' } as never)).toBe('pay_2');
			expect(paymentIdOf({ id: 'pay_2', paymentId: id } as never)).toBe('pay_2');
		},
	);

	it.each([
		[{ id: 1, paymentId: 2 }],
		[{ id: 1, data: { paymentId: 2 } }],
		[{ data: { id: 1 }, payment: { id: 3, paymentId: 2 } }],
	])('%j: paymentId is the payment', (value) => {
		expect(paymentIdOf(value)).toBe('2');
		expect(listedPaymentIdOf({ id: 1, paymentId: 2 })).toBe('2');
	});
});

describe('a merchant, a store', () => {
	it.each<[object, boolean, boolean]>([
		[{ id: 42 }, true, true],
		[{ clientId: 'shop' }, true, false],
		[{ data: { merchant: { id: 42 } } }, true, false],
		[{ result: { store: { storeId: 'loc_1' } } }, false, true],
		[{ message: 'No such merchant', payment: { id: 7 } }, false, false],
		[{ success: false, id: 42, clientId: 'shop' }, false, false],
		[{ merchants: [{ id: 42 }], stores: [{ id: 1 }] }, false, false],
	])('%j is about a merchant: %p; about a store: %p', (body, isMerchant, isStore) => {
		expect(readCreatedMerchant(buffer(body))).toEqual(isMerchant ? body : undefined);
		expect(readCreatedStore(buffer(body))).toEqual(isStore ? body : undefined);
	});
});

describe('a response about another payment', () => {
	it.each<[string, object, string | undefined]>([
		['456', {}, undefined],
		['456', { status: 'paid' }, undefined],
		['456', { paymentId: 456 }, undefined],
		['456', { id: '456' }, undefined],
		['456', { id: 9, paymentId: '456' }, undefined],
		['456', { id: 'f3c1-uuid' }, undefined],
		['456', { id: '4f3c-uuid' }, undefined],
		['pay_1', { paymentId: ' pay_1 ' }, undefined],
		['pay_1', { id: '9.pay_2' }, undefined],
		['pay_1', { id: 9 }, undefined],
		['pay_1', { id: 'tx_1' }, undefined],
		['456', { id: 457 }, '457'],
		['456', { id: 456, paymentId: 457 }, '457'],
		['456', { paymentId: 'pay_1' }, 'pay_1'],
		['pay_1', { data: { id: 'pay_2' } }, 'pay_2'],
		['f3c1', { payment: { id: 'a977' } }, 'a977'],
	])('asked for %s, got %j: %p', (paymentId, body, other) => {
		expect(otherPaymentIn(body as never, paymentId)).toBe(other);
	});
});
