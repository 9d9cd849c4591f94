import {
	endNamedBy,
	readWebhookEvent,
	subjectOf,
	timeOf,
} from '../../../../nodes/shared/api/events';
import { NOW } from '../../deliveries';
import { buffer } from '../../support';

describe('the name of an event', () => {
	it('names the end of a payment', () => {
		const event = (name: string) => ({ event: name, data: { paymentId: 1 } });
		expect(endNamedBy(event('payment.completed'))).toBe('completed');
		expect(endNamedBy(event('payment.expired'))).toBe('expired');
		expect(endNamedBy(event('payment.processing'))).toBeUndefined();
		expect(endNamedBy(event('x.payment.failed'))).toBeUndefined();
		expect(endNamedBy(event('completed'))).toBeUndefined();
	});
});

describe('the timestamp of an event', () => {
	it('without a zone is in UTC', () => {
		const event = { event: 'a', data: {} };
		expect(timeOf({ ...event, timestamp: '2026-10-14T17:46:40' })).toBe(NOW);
		expect(timeOf({ ...event, timestamp: '2026-10-14T17:46:40Z' })).toBe(NOW);
		expect(timeOf({ ...event, timestamp: '2026-10-14T19:46:40+02:00' })).toBe(NOW);
	});
});

describe('events', () => {
	it.each([
		[{ event: 'payment.completed', data: { paymentId: 'pay_1' }, more: [1] }],
		[{ event: 'x', data: { paymentId: 1 } }],
	])('%p is one', (event) => {
		expect(readWebhookEvent(buffer(event))).toEqual(event);
	});

	it('one behind a byte order mark is one', () => {
		const event = { event: 'x', data: { paymentId: 1 } };
		expect(readWebhookEvent(Buffer.from(`\uFEFF${JSON.stringify(event)}`))).toEqual(event);
	});

	it.each<[unknown]>([
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
		expect(readWebhookEvent(buffer(body))).toBeUndefined();
	});
});

describe('the body of an event', () => {
	it.each([
		'1e400',
		'-1e400',
		'-0',
		'-1',
		'1.5',
		'1e21',
		'""',
		'" "',
		'"pay 1"',
		'"pay_1\\n"',
		'"\\u0000"',
		'"\\ud800"',
		'"1e400"',
		'"-0"',
		'"1.0"',
		'"+1"',
		'null',
		'true',
		'[]',
		'["pay_1"]',
		'{}',
		'{"id":"pay_1"}',
	])('with the payment ID %s is no event', (id) => {
		const body = Buffer.from(`{"event":"payment.completed","data":{"paymentId":${id}}}`);
		expect(readWebhookEvent(body)).toBeUndefined();
	});

	it.each([
		['"pay_abc123def456"', 'pay_abc123def456'],
		['"7e2b1c52-8a0f-4d0c-9d7e-3f2a1b0c9d8e"', '7e2b1c52-8a0f-4d0c-9d7e-3f2a1b0c9d8e'],
		['456', '456'],
		['"456"', '456'],
		['0', '0'],
		['1e3', '1000'],
		['9007199254740993', '9007199254740993'],
		['"0012"', '0012'],
		['"NaN"', 'NaN'],
	])('with the payment ID %s is about %s', (id, read) => {
		const body = Buffer.from(`{"event":"payment.completed","data":{"paymentId":${id}}}`);
		expect(subjectOf(readWebhookEvent(body)!)).toEqual({ kind: 'payment', id: read });
	});

	it.each<[object, object | undefined]>([
		[
			{ merchantId: 7, clientId: 'c' },
			{ kind: 'merchant', id: '7' },
		],
		[{ merchantId: 'm' }, { kind: 'merchant', id: 'm' }],
		[{ clientId: 'c' }, { kind: 'merchant', id: 'c' }],
		[
			{ merchantId: '', clientId: 'c' },
			{ kind: 'merchant', id: 'c' },
		],
		[{ paymentId: 'pay_1' }, undefined],
		[{ merchantId: null }, undefined],
	])('of a merchant with %j is about %j', (data, subject) => {
		const event = readWebhookEvent(buffer({ event: 'merchant.activated', data }));
		expect(event && subjectOf(event)).toEqual(subject);
	});

	it.each([
		'{"event":"payment.completed"}',
		'{"event":"payment.completed","data":null}',
		'{"event":"payment.completed","data":"pay_1"}',
		'{"event":1,"data":{"paymentId":"pay_1"}}',
		'{"data":{"paymentId":"pay_1"}}',
		'[]',
		'null',
		'',
	])('%s is no event', (body) => {
		expect(readWebhookEvent(Buffer.from(body))).toBeUndefined();
	});
});
