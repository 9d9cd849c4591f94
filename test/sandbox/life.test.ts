import { setTimeout as sleep } from 'node:timers/promises';

import { startSandbox, type Sandbox } from '../../sandbox';
import { partnerOf } from './client';

let sandbox: Sandbox;
beforeAll(async () => {
	sandbox = await startSandbox();
});
afterEach(() => sandbox.reset());
afterAll(async () => await sandbox.close());

const statusOf = (id: string) => sandbox.payment(id).status;

describe('the life of a payment', () => {
	it('waits for the customer, who pays', async () => {
		const partner = await partnerOf(sandbox);
		const { id } = (await partner.create()).data;
		sandbox.clock.advance(60_000);
		expect(statusOf(id)).toBe('pending');
		sandbox.pay(id);
		expect(statusOf(id)).toBe('processing');
		expect((await partner.get(id)).data).not.toHaveProperty('paidAt');
		sandbox.clock.advance(1_000);
		const { status, paidAt } = (await partner.get(id)).data;
		expect(status).toBe('completed');
		expect(Math.abs(Date.parse(paidAt) - sandbox.clock.now())).toBeLessThan(1_000);
	});

	it('ends when the customer declines, and stays so', async () => {
		const { id } = (await (await partnerOf(sandbox)).create()).data;
		sandbox.decline(id);
		expect(statusOf(id)).toBe('failed');
		sandbox.pay(id);
		sandbox.clock.advance(3_600_000);
		expect(statusOf(id)).toBe('failed');
	});

	it('expires 30 minutes after creation, and can not be paid then', async () => {
		const { id } = (await (await partnerOf(sandbox)).create()).data;
		sandbox.clock.advance(30 * 60_000 - 5_000);
		expect(statusOf(id)).toBe('pending');
		sandbox.clock.advance(5_000);
		expect(statusOf(id)).toBe('expired');
		sandbox.pay(id);
		sandbox.decline(id);
		expect(statusOf(id)).toBe('expired');
	});

	it('does not expire once it is paid', async () => {
		const { id } = (await (await partnerOf(sandbox)).create()).data;
		sandbox.pay(id);
		sandbox.clock.advance(3_600_000);
		expect(statusOf(id)).toBe('completed');
	});

	it.each([
		['test_merchant_success', {}, 1_000, 'completed'],
		['test_merchant_fail', {}, 1_000, 'failed'],
		['test_merchant_slow', {}, 30_000, 'completed'],
		['merchant_abc123', { 'X-Mock-Payment': 'true' }, 0, 'completed'],
		['merchant_abc123', { 'X-Mock-Payment': 'fail' }, 0, 'failed'],
		['merchant_abc123', { 'X-Mock-Payment': 'delay' }, 10_000, 'completed'],
		['test_merchant_fail', { 'X-Mock-Payment': 'delay' }, 10_000, 'completed'],
	])('of %s with %j goes on by itself', async (merchant, headers, afterMs, end) => {
		const partner = await partnerOf(sandbox, merchant);
		const { data } = await partner.create({}, headers as Record<string, string>);
		expect(data.status).toBe('pending');
		sandbox.clock.advance(0);
		await sleep(5);
		if (afterMs > 0) {
			expect(statusOf(data.id)).toBe('processing');
			sandbox.clock.advance(afterMs - 500);
			expect(statusOf(data.id)).toBe('processing');
			sandbox.clock.advance(500);
		}
		expect(statusOf(data.id)).toBe(end);
	});

	it('goes on in real time', async () => {
		const partner = await partnerOf(sandbox);
		const { id } = (await partner.create({}, { 'X-Mock-Payment': 'true' })).data;
		await sleep(50);
		expect(statusOf(id)).toBe('completed');
	});

	it('knows only payments that were made', () => {
		expect(() => sandbox.payment('pay_unknown')).toThrow('no payment pay_unknown');
		expect(() => sandbox.pay('pay_unknown')).toThrow('no payment pay_unknown');
		expect(() => sandbox.decline('pay_unknown')).toThrow('no payment pay_unknown');
	});
});
