import { get } from '../../../../../nodes/AcountPay/actions/payment/get.operation';
import type { Client } from '../../../../../nodes/shared/transport/client';
import { parameters, refusal } from '../../../support';

describe('payment id', () => {
	const idOf = (paymentId: unknown) =>
		get.check(parameters({ merchantId: 'm', paymentId: paymentId as string }), {} as Client);

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
