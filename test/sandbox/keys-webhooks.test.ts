import { createHmac } from 'node:crypto';

import {
	KEY_EVENTS,
	KEY_MERCHANTS,
	keyWebhookHeaders,
	REPEAT_PAUSES_MS,
	startSandbox,
	type Sandbox,
} from '../../sandbox';
import { keyPartnerOf, startReceiver } from './client';

let sandbox: Sandbox;
let partner: ReturnType<typeof keyPartnerOf>;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
beforeAll(async () => {
	sandbox = await startSandbox();
});
beforeEach(async () => {
	partner = keyPartnerOf(sandbox);
	receiver = await startReceiver();
});
afterEach(async () => {
	sandbox.reset();
	await receiver.close();
});
afterAll(async () => await sandbox.close());

const register = async (events: readonly string[] = KEY_EVENTS, url = receiver.url) =>
	(await partner.call('post', '/webhooks', { url, events })).data;

/** Makes a payment that is paid, and waits until that was told. */
async function makePaid(body: object = {}): Promise<number> {
	const { paymentId } = (await partner.create(body)).data;
	sandbox.pay(paymentId);
	await advance(1_000);
	return paymentId;
}

async function advance(ms: number) {
	sandbox.clock.advance(ms);
	await sandbox.webhooksIdle();
}

const events = () => receiver.received.map(({ event }) => event);

describe('a registration', () => {
	it('is made, listed without its secret, and changed', async () => {
		const made = await partner.call('post', '/webhooks', {
			url: receiver.url,
			events: ['payment.failed'],
		});
		expect([made.status, made.data]).toEqual([
			201,
			{
				id: expect.any(Number),
				url: receiver.url,
				events: ['payment.failed'],
				status: 'active',
				secret: expect.stringMatching(/^whsec_/),
				lastTriggeredAt: null,
				createdAt: expect.any(String),
			},
		]);
		const { secret, ...rest } = made.data;
		expect((await partner.call('get', '/webhooks')).data).toEqual([rest]);
		sandbox.settings.secretShown = 'always';
		expect((await partner.call('get', '/webhooks')).data).toEqual([made.data]);
		const change = { url: 'https://example.com/other', events: ['payment.completed'] };
		const changed = await partner.call('put', `/webhooks/${rest.id}`, change);
		expect([changed.status, changed.data]).toEqual([200, { ...made.data, ...change }]);
		expect(sandbox.registrations).toEqual([{ ...rest, ...change, secret }]);
	});

	it.each([
		[{ url: 'x' }, ['url must be a URL address']],
		[
			{ events: ['payment.created'] },
			[`events must be one of the following values: ${KEY_EVENTS.join(', ')}`],
		],
		[{ events: [] }, ['events should not be empty']],
		[{ url: undefined }, ['url must be a URL address']],
		[{ secret: 's' }, ['property secret should not exist']],
	])('is refused with %j, new or changed', async (body, message) => {
		const whole = { url: receiver.url, events: ['payment.failed'], ...body };
		const { id } = await register();
		for (const answer of [
			await partner.call('post', '/webhooks', whole),
			await partner.call('put', `/webhooks/${id}`, whole),
		]) {
			expect([answer.status, answer.data.message]).toEqual([400, message]);
		}
	});

	it('can be removed only when that is wanted', async () => {
		const { id } = await register();
		const path = `/webhooks/${id}`;
		expect((await partner.call('delete', path)).status).toBe(404);
		expect(sandbox.registrations).toHaveLength(1);
		sandbox.settings.removableWebhooks = true;
		expect((await partner.call('delete', path)).status).toBe(204);
		expect((await partner.call('delete', path)).status).toBe(404);
		await makePaid();
		expect(receiver.received).toEqual([]);
		expect((await partner.call('put', path, {})).status).toBe(404);
	});
});

describe('an event', () => {
	it.each(['', 'sha256='] as const)('is signed over its body, after %j', async (prefix) => {
		sandbox.settings.signaturePrefix = prefix;
		const { secret } = await register();
		await makePaid();
		const [{ headers, rawBody }] = receiver.received;
		const hex = createHmac('sha256', secret).update(rawBody).digest('hex');
		expect(headers['x-webhook-signature']).toBe(prefix + hex);
		expect(keyWebhookHeaders(rawBody, secret, prefix)['X-Webhook-Signature']).toBe(prefix + hex);
		expect(headers).not.toHaveProperty('x-acountpay-signature');
	});

	it('has the documented body, with the real time', async () => {
		const { id: webhookId } = await register();
		sandbox.clock.advance(3_600_000);
		const paymentId = await makePaid();
		const body = JSON.parse(receiver.received[0].rawBody);
		expect(body).toEqual({
			event: 'payment.completed',
			timestamp: expect.any(String),
			data: {
				paymentId,
				referenceNumber: 'ORDER-123',
				status: 'paid',
				amount: 149.99,
				currency: 'DKK',
				merchantClientId: KEY_MERCHANTS.shop.clientId,
				merchantName: KEY_MERCHANTS.shop.companyName,
				bankPaymentStatus: 'ACSC',
			},
		});
		expect(Math.abs(Date.parse(body.timestamp) - Date.now())).toBeLessThan(60_000);
		expect(sandbox.deliveries).toMatchObject([
			{ api: 'keys', paymentId, webhookId, event: 'payment.completed', status: 200 },
		]);
		expect(sandbox.registrations[0].lastTriggeredAt).toEqual(expect.any(String));
	});

	it('is told to those only that asked for it', async () => {
		await register(['payment.failed']);
		const all = await startReceiver();
		try {
			await register(KEY_EVENTS, all.url);
			await makePaid();
			sandbox.decline((await partner.create()).data.paymentId);
			sandbox.expire((await partner.create()).data.paymentId);
			await sandbox.webhooksIdle();
			expect(events()).toEqual(['payment.failed', 'payment.failed']);
			expect(all.received.map(({ event }) => event).sort()).toEqual([
				'payment.completed',
				'payment.failed',
				'payment.failed',
			]);
		} finally {
			await all.close();
		}
	});

	it('tells of merchants', async () => {
		await register();
		const { data } = await partner.call('post', '/merchants', {
			companyName: 'Nord',
			contactEmail: 'nord@example.com',
		});
		sandbox.activate(data.merchantId);
		sandbox.activate(data.merchantId);
		sandbox.deactivate(data.clientId);
		await sandbox.webhooksIdle();
		expect(events()).toEqual(['merchant.activated', 'merchant.deactivated']);
		expect(JSON.parse(receiver.received[0].rawBody).data).toMatchObject({
			merchantId: data.merchantId,
			clientId: data.clientId,
		});
		expect(() => sandbox.activate(999)).toThrow('no merchant 999');
	});

	it('comes again until it is answered with 2xx, or when that is ordered', async () => {
		const flaky = await startReceiver([500]);
		try {
			await register(KEY_EVENTS, flaky.url);
			await makePaid();
			await advance(REPEAT_PAUSES_MS[0]);
			expect(flaky.received).toHaveLength(2);
			expect(flaky.received[0].rawBody).toBe(flaky.received[1].rawBody);
			sandbox.faults.add({
				match: { endpoint: 'webhook', api: 'keys', event: 'payment.completed' },
				status: 500,
				made: true,
			});
			const paymentId = await makePaid();
			await advance(3_600_000);
			const about = sandbox.deliveries.filter((delivery) => delivery.paymentId === paymentId);
			expect(about.map(({ attempt, status }) => [attempt, status])).toEqual([
				[1, 500],
				[2, 200],
			]);
		} finally {
			await flaky.close();
		}
	});
});
