import type { IDataObject } from 'n8n-workflow';
import { doubtAboutStatus } from '../../../../nodes/shared/webhooks/doubts';

const CONTRADICTS = 'its status contradicts its name';
const UNKNOWN = 'its status is not known';

describe('an event', () => {
	it.each<[string, unknown, string | undefined]>([
		['payment.completed', 'completed', undefined],
		['payment.completed', 'paid', undefined],
		['payment.completed', 'processing', undefined],
		['payment.completed', undefined, undefined],
		['payment.completed', null, undefined],
		['payment.completed', 'pending', undefined],
		['payment.completed', '', undefined],
		['payment.completed', 'failed', CONTRADICTS],
		['payment.completed', 'expired', CONTRADICTS],
		['payment.completed', ' Failed', CONTRADICTS],
		['payment.completed', 'EXPIRED', CONTRADICTS],
		['payment.completed', 'reversed', CONTRADICTS],
		['payment.completed', 'cancelled', CONTRADICTS],
		['payment.completed', 'canceled', CONTRADICTS],
		['payment.completed', 'PAID', undefined],
		['payment.completed', 'Completed', undefined],
		['payment.completed', 'settled', UNKNOWN],
		['payment.completed', 'not-failed', UNKNOWN],
		['payment.completed', 1, UNKNOWN],
		['payment.completed', { toString: 1 }, UNKNOWN],
		['payment.failed', { toString: 1, valueOf: 1 }, UNKNOWN],
		['payment.failed', 'failed', undefined],
		['payment.failed', 'expired', undefined],
		['payment.failed', 'rejected', undefined],
		['payment.failed', undefined, undefined],
		['payment.failed', 'completed', CONTRADICTS],
		['payment.failed', 'paid', CONTRADICTS],
		['payment.failed', 'PAID', CONTRADICTS],
		['payment.expired', 'Completed ', CONTRADICTS],
		['payment.failed', 'settled', UNKNOWN],
		['payment.failed', 'declined', undefined],
		['payment.expired', 'paid', CONTRADICTS],
		['payment.expired', 'expired', undefined],
		['payment.expired', 'failed', undefined],
		['payment.expired', 'pending', undefined],
		['payment.completed', 'not_paid', CONTRADICTS],
		['payment.completed', 'payment_failed', CONTRADICTS],
		['payment.completed', 'chargeback', CONTRADICTS],
		['payment.completed', 'timeout', CONTRADICTS],
		['payment.completed', 'partially_paid', UNKNOWN],
		['payment.completed', true, UNKNOWN],
		['payment.completed', ' ', undefined],
		['payment.completed', 'created', undefined],
		['payment.failed', 'payment_failed', undefined],
		['payment.failed', 'timeout', undefined],
		['payment.failed', 'abandoned', undefined],
		['payment.failed', 'Cancelled', undefined],
		['payment.failed', 'partially_paid', UNKNOWN],
		['payment.processing', 'completed', undefined],
		['payment.created', 'failed', undefined],
		['payment.settled', 'completed', undefined],
		['merchant.activated', 'inactive', undefined],
		['completed', 'failed', undefined],
	])('%s with the status %j: %s', (event, status, doubt) => {
		const data = { paymentId: 1, status } as IDataObject;
		expect(doubtAboutStatus({ event, data })).toBe(doubt);
	});
});
