import type { IDataObject } from 'n8n-workflow';
import { contradictsItself, differenceBetween } from '../../../../nodes/shared/webhooks/doubts';

describe('an event', () => {
	it.each<[string, unknown, boolean]>([
		['payment.completed', 'completed', false],
		['payment.completed', 'paid', false],
		['payment.completed', 'processing', false],
		['payment.completed', undefined, false],
		['payment.completed', null, false],
		['payment.completed', 'pending', false],
		['payment.completed', '', false],
		['payment.completed', 'failed', true],
		['payment.completed', 'expired', true],
		['payment.completed', ' Failed', true],
		['payment.completed', 'EXPIRED', true],
		['payment.completed', 'reversed', true],
		['payment.completed', 'cancelled', true],
		['payment.completed', 'canceled', true],
		['payment.completed', 'PAID', false],
		['payment.completed', 'Completed', false],
		['payment.completed', 'settled', false],
		['payment.completed', 'not-failed', false],
		['payment.completed', 1, false],
		['payment.completed', { toString: 1 }, false],
		['payment.failed', { toString: 1, valueOf: 1 }, false],
		['payment.failed', 'failed', false],
		['payment.failed', 'expired', false],
		['payment.failed', 'rejected', false],
		['payment.failed', undefined, false],
		['payment.failed', 'completed', true],
		['payment.failed', 'paid', true],
		['payment.failed', 'PAID', true],
		['payment.expired', 'Completed ', true],
		['payment.failed', 'settled', false],
		['payment.failed', 'declined', false],
		['payment.expired', 'paid', true],
		['payment.expired', 'expired', false],
		['payment.expired', 'failed', false],
		['payment.expired', 'pending', false],
		['payment.processing', 'completed', false],
		['payment.created', 'failed', false],
		['payment.settled', 'completed', false],
		['merchant.activated', 'inactive', false],
		['completed', 'failed', false],
	])('%s with the status %j contradicts itself: %s', (event, status, contradicts) => {
		expect(contradictsItself({ event, data: { paymentId: 1, status } as IDataObject })).toBe(
			contradicts,
		);
	});

	const known = {
		amount: 149.99,
		currency: 'DKK',
		referenceNumber: 'ORDER-1',
		merchantId: 'merchant_abc123',
		merchantClientId: 'merchant_abc123',
	};
	it.each<[IDataObject, string | undefined]>([
		[{}, undefined],
		[{ ...known }, undefined],
		[{ amount: '149.99' }, undefined],
		[{ amount: '149.990' }, undefined],
		[{ amount: null, currency: '', referenceNumber: undefined } as never, undefined],
		[{ currency: ' dkk' }, undefined],
		[{ amount: 1 }, 'amount'],
		[{ amount: 0 }, 'amount'],
		[{ amount: '149,99' }, 'amount'],
		[{ amount: ' ' }, 'amount'],
		[{ amount: [149.99] }, 'amount'],
		[{ amount: { valueOf: 1, toString: 1 } }, 'amount'],
		[{ currency: { toString: 1 } }, 'currency'],
		[{ merchantId: { toString: 1, valueOf: 1 } }, 'merchantId'],
		[{ currency: 'EUR' }, 'currency'],
		[{ referenceNumber: 'ORDER-2' }, 'referenceNumber'],
		[{ referenceNumber: 'order-1' }, 'referenceNumber'],
		[{ merchantId: 'merchant_x' }, 'merchantId'],
		[{ merchantClientId: 'merchant_x' }, 'merchantClientId'],
		[{ status: 'failed', anything: 1 }, undefined],
		[{ payment: { ...known } }, undefined],
		[{ payment: { referenceNumber: 'ORDER-2' } }, 'referenceNumber'],
		[{ amount: null, data: { amount: 1 } } as never, 'amount'],
		[{ metadata: { amount: 1 } }, undefined],
	])('with %j differs in %j', (data, field) => {
		expect(differenceBetween(known, data)).toBe(field);
	});

	it('differs in nothing from a payment of which nothing is known', () => {
		expect(differenceBetween({}, known)).toBeUndefined();
		const empty = { amount: null, currency: '', referenceNumber: undefined };
		expect(differenceBetween(empty as never, known)).toBeUndefined();
	});
});
