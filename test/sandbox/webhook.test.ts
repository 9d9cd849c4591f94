import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { REPEAT_PAUSES_MS, signWebhook, startSandbox, type Sandbox } from '../../sandbox';
import { partnerOf, startReceiver } from './client';

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

let sandbox: Sandbox;
let receiver: Receiver;
beforeAll(async () => {
	sandbox = await startSandbox({ webhookTimeoutMs: 100 });
});
beforeEach(async () => {
	receiver = await startReceiver();
});
afterEach(async () => {
	sandbox.reset();
	await receiver.close();
});
afterAll(async () => await sandbox.close());

/** A payment whose events go to `to`. */
const createFor = async (to: Receiver, body: object = {}) =>
	(await (await partnerOf(sandbox)).create({ webhookUrl: to.url, ...body })).data.id as string;

/** Moves the clock and waits until what became due is delivered. */
async function advance(ms: number) {
	sandbox.clock.advance(ms);
	await sandbox.webhooksIdle();
}

const events = (to: Receiver) => to.received.map(({ event }) => event);

describe('webhooks', () => {
	it('are signed over timestamp and raw body', async () => {
		await createFor(receiver);
		await sandbox.webhooksIdle();
		const [{ headers, rawBody }] = receiver.received;
		const timestamp = headers['x-acountpay-timestamp'];
		const signature = createHmac('sha256', sandbox.credentials.webhookSecret)
			.update(`${timestamp}.${rawBody}`)
			.digest('hex');
		expect(headers['x-acountpay-signature']).toBe(signature);
		expect(
			signWebhook(Buffer.from(rawBody), sandbox.credentials.webhookSecret, timestamp as string),
		).toBe(signature);
		expect(headers['content-type']).toBe('application/json');
	});

	it('carry the real time in their header, however far the sandbox clock was moved', async () => {
		const id = await createFor(receiver);
		await advance(3_600_000);
		const { headers, rawBody } = receiver.received[1];
		expect(Math.abs(Number(headers['x-acountpay-timestamp']) - Date.now() / 1000)).toBeLessThan(2);
		const { event, timestamp } = JSON.parse(rawBody);
		expect(event).toBe('payment.expired');
		expect(Date.parse(timestamp)).toBeGreaterThanOrEqual(Date.parse(sandbox.payment(id).expiresAt));
		expect(Date.parse(timestamp) - Date.now()).toBeLessThan(31 * 60_000);
	});

	it('tell of each step in order, with the documented body', async () => {
		const id = await createFor(receiver, { metadata: { shelf: 'Ø' }, currency: 'EUR' });
		sandbox.pay(id);
		await advance(1_000);
		expect(events(receiver)).toEqual([
			'payment.created',
			'payment.processing',
			'payment.completed',
		]);
		const bodies = receiver.received.map(({ rawBody }) => JSON.parse(rawBody));
		const data = {
			paymentId: id,
			status: 'pending',
			amount: 149.99,
			currency: 'EUR',
			referenceNumber: 'ORDER-123',
			metadata: { shelf: 'Ø' },
		};
		expect(bodies[0]).toEqual({
			event: 'payment.created',
			timestamp: sandbox.payment(id).createdAt,
			data,
		});
		const { paidAt } = sandbox.payment(id);
		expect(paidAt).toEqual(expect.any(String));
		expect(bodies[2]).toEqual({
			event: 'payment.completed',
			timestamp: paidAt,
			data: { ...data, status: 'completed', paidAt },
		});
	});

	it('tell of a declined and of an expired payment', async () => {
		const declined = await startReceiver();
		try {
			sandbox.decline(await createFor(declined));
			await createFor(receiver);
			await advance(30 * 60_000);
			expect(events(declined)).toEqual(['payment.created', 'payment.failed']);
			expect(events(receiver)).toEqual(['payment.created', 'payment.expired']);
		} finally {
			await declined.close();
		}
	});

	it('are sent for payments with a webhookUrl only', async () => {
		sandbox.pay((await (await partnerOf(sandbox)).create()).data.id);
		await advance(1_000);
		expect(sandbox.deliveries).toEqual([]);
	});

	it('wait, in their first attempt, for the answer to the one before', async () => {
		const slow = await startReceiver([null]);
		try {
			const id = await createFor(slow);
			sandbox.decline(id);
			await sleep(50);
			expect(events(slow)).toEqual(['payment.created']);
			await sandbox.webhooksIdle();
			expect(events(slow)).toEqual(['payment.created', 'payment.failed']);
		} finally {
			await slow.close();
		}
	});

	it('take changed secrets from then on', async () => {
		sandbox.setCredentials({ webhookSecret: 'another secret' });
		await createFor(receiver);
		await sandbox.webhooksIdle();
		const [{ headers, rawBody }] = receiver.received;
		const timestamp = headers['x-acountpay-timestamp'] as string;
		expect(headers['x-acountpay-signature']).toBe(
			signWebhook(rawBody, 'another secret', timestamp),
		);
	});
});

describe('a delivery that fails', () => {
	it.each([
		['is refused', [500]],
		['is redirected', [302]],
		['gets no answer in time', [null]],
	])('because it %s is repeated, until it arrives', async (_why, statuses) => {
		const flaky = await startReceiver([...statuses]);
		try {
			const id = await createFor(flaky);
			await sandbox.webhooksIdle();
			expect(flaky.received).toHaveLength(1);
			await advance(REPEAT_PAUSES_MS[0]);
			await advance(3_600_000);
			expect(events(flaky)).toEqual(['payment.created', 'payment.created', 'payment.expired']);
			expect(flaky.received[0].rawBody).toBe(flaky.received[1].rawBody);
			expect(sandbox.deliveries).toMatchObject([
				{ paymentId: id, event: 'payment.created', url: flaky.url, attempt: 1 },
				{ event: 'payment.created', attempt: 2, status: 200 },
				{ event: 'payment.expired', attempt: 1, status: 200 },
			]);
			expect(sandbox.deliveries[0].status).toBe(statuses[0] ?? undefined);
			expect(sandbox.deliveries[0].error).toEqual(
				statuses[0] === null ? expect.any(String) : undefined,
			);
		} finally {
			await flaky.close();
		}
	});

	it('is given up after the last pause, and holds up nothing', async () => {
		const id = await createFor({ ...receiver, url: 'http://127.0.0.1:9/nobody' });
		await sandbox.webhooksIdle();
		sandbox.decline(id);
		await sandbox.webhooksIdle();
		expect(sandbox.deliveries.map(({ event, attempt }) => [event, attempt])).toEqual([
			['payment.created', 1],
			['payment.failed', 1],
		]);
		for (const pause of [...REPEAT_PAUSES_MS, 86_400_000, 86_400_000]) await advance(pause);
		const attempts = sandbox.deliveries.filter(({ event }) => event === 'payment.created');
		expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
		expect(attempts[0].error).toContain('ECONNREFUSED');
	});

	it('is forgotten by reset', async () => {
		await createFor({ ...receiver, url: 'http://127.0.0.1:9/nobody' });
		await sandbox.webhooksIdle();
		sandbox.reset();
		await advance(3_600_000);
		expect(sandbox.deliveries).toEqual([]);
	});
});

describe('faults of webhooks', () => {
	it('lose attempts, so that an event comes late', async () => {
		sandbox.faults.add({ match: { endpoint: 'webhook', event: 'payment.created' }, status: 503 });
		sandbox.decline(await createFor(receiver));
		await sandbox.webhooksIdle();
		expect(events(receiver)).toEqual(['payment.failed']);
		expect(sandbox.deliveries[0]).toMatchObject({ status: 503, attempt: 1 });
		await advance(1_000);
		expect(events(receiver)).toEqual(['payment.failed', 'payment.created']);
	});

	it('lose the answer, so that an event comes twice', async () => {
		sandbox.faults.add({ match: { endpoint: 'webhook' }, status: 500, made: true });
		await createFor(receiver);
		await sandbox.webhooksIdle();
		await advance(1_000);
		expect(events(receiver)).toEqual(['payment.created', 'payment.created']);
	});

	it('hold events back on the clock, so that they come out of order', async () => {
		sandbox.faults.add({ match: { event: 'payment.created' }, latencyMs: 5_000 });
		sandbox.decline(await createFor(receiver));
		await sandbox.webhooksIdle();
		expect(events(receiver)).toEqual(['payment.failed']);
		await advance(5_000);
		expect(events(receiver)).toEqual(['payment.failed', 'payment.created']);
		expect(sandbox.deliveries.map(({ attempt }) => attempt)).toEqual([1, 1]);
	});

	it('change what was signed', async () => {
		const body = { event: 'payment.completed' };
		sandbox.faults.add({
			match: { endpoint: 'webhook', merchant: 'merchant_abc123', reference: 'ORDER-123' },
			body,
			headers: { 'X-AcountPay-Timestamp': '1' },
		});
		await createFor(receiver);
		await sandbox.webhooksIdle();
		const [{ rawBody, headers }] = receiver.received;
		expect(JSON.parse(rawBody)).toEqual(body);
		expect(headers['x-acountpay-timestamp']).toBe('1');
	});
});
