/**
 * AcountPay Trigger on a real n8n: published, called over HTTP by the sandbox and by forgers, and started anew.
 */
import type { IDataObject } from 'n8n-workflow';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

import { READ_EVERY, TRUSTED_FOR } from '../../nodes/shared/webhooks/secrets';
import { webhookHeaders, type PaymentEvent } from '../../sandbox';
import { isFinished, itemsOf, type N8nApi } from '../../tools/n8n/api';
import type { N8n } from '../../tools/n8n/server';
import { workflow } from '../../tools/n8n/workflow';
import { ACCEPTED, eventBody, IGNORED, post, postSigned } from '../kit/deliveries';
import { sharedN8n, useOwnN8n } from '../kit/n8n';
import { credentialFor, createPayment, until, useSandbox } from '../kit/payments';
import { startFrom } from './example';

jest.setTimeout(300_000);

const sandbox = useSandbox();

const ENDS: PaymentEvent[] = ['payment.completed', 'payment.failed', 'payment.expired'];

/** Stores a workflow that these events start, without publishing it. */
async function createTrigger(
	api: N8nApi,
	events: PaymentEvent[],
	options: IDataObject = {},
	changes: IDataObject = {},
) {
	const data = { ...credentialFor(sandbox), ...changes };
	const credential = await api.createCredential('Webhooks', 'acountPayApi', data as never);
	const webhookId = randomUUID();
	const { id } = await api.createWorkflow(
		workflow([
			{
				name: 'AcountPay Trigger',
				type: 'n8n-nodes-acountpay.acountPayTrigger',
				typeVersion: 1,
				webhookId,
				parameters: { events, options },
				credentials: { acountPayApi: credential },
			},
			{ name: 'After', type: 'n8n-nodes-base.noOp', typeVersion: 1, parameters: {} },
		] as never),
	);
	return { id, credential, url: api.webhookUrl(`${webhookId}/webhook`) };
}

/** Publishes a workflow that these events start. */
async function publishTrigger(api: N8nApi, events = ENDS, options: IDataObject = {}) {
	const trigger = await createTrigger(api, events, options);
	expect(await api.publish(trigger.id)).toMatchObject({ status: 'published' });
	return trigger;
}

/**
 * The events with which a workflow was started, in order. One more event is sent and its execution waited for, so that
 * whatever was to start before has started; that one is not among them.
 */
async function startedWith(
	api: N8nApi,
	{ id, url }: { id: string; url: string },
	event: PaymentEvent = 'payment.completed',
): Promise<IDataObject[]> {
	const last = eventBody(sandbox, event, (await createPayment(sandbox)).id);
	expect(await postSigned(sandbox, url, last)).toMatchObject(ACCEPTED);
	for (let tries = 0; tries < 300; tries++) {
		const executions = (await api.listExecutions()).filter(({ workflowId }) => workflowId === id);
		if (executions.length > 0 && executions.every(isFinished)) {
			const inOrder = executions.sort((one, other) => Number(one.id) - Number(other.id));
			const whole = await Promise.all(inOrder.map(async (run) => await api.getExecution(run.id)));
			const events = whole.map((run) => itemsOf(run, 'After')[0].json);
			if (JSON.stringify(events.at(-1)) === last) return events.slice(0, -1);
		}
		await sleep(100);
	}
	throw new Error('The last event has started nothing');
}

const advance = async (ms: number) => {
	sandbox.clock.advance(ms);
	await sandbox.webhooksIdle();
};

const refusals = (log: string) =>
	log.split('\n').filter((line) => line.includes('refused a webhook'));

describe('AcountPay Trigger', () => {
	const { api, log } = sharedN8n();

	it('starts a workflow when a payment of the sandbox is paid, declined or expired', async () => {
		const trigger = await publishTrigger(api);
		const webhookUrl = trigger.url;
		const paid = await createPayment(sandbox, { webhookUrl, metadata: { order: 'Ærø 7' } });
		sandbox.pay(paid.id);
		await advance(1_000);
		const declined = await createPayment(sandbox, { webhookUrl });
		sandbox.decline(declined.id);
		await sandbox.webhooksIdle();
		const forgotten = await createPayment(sandbox, { webhookUrl });
		await advance(30 * 60_000);

		expect(sandbox.deliveries.map(({ status }) => status)).toEqual(Array(7).fill(200));
		const ends = sandbox.deliveries.filter(({ event }) => (ENDS as string[]).includes(event));
		expect(ends.map(({ paymentId }) => paymentId)).toEqual([paid.id, declined.id, forgotten.id]);
		const started = await startedWith(api, trigger);
		expect(started).toEqual(ends.map(({ rawBody }) => JSON.parse(rawBody)));
		expect(started).toMatchObject([
			{ event: 'payment.completed', data: { status: 'completed', metadata: { order: 'Ærø 7' } } },
			{ event: 'payment.failed', data: { status: 'failed' } },
			{ event: 'payment.expired', data: { status: 'expired' } },
		]);
	});

	it('takes events that come out of order, and ones that come late but are signed anew', async () => {
		const events: PaymentEvent[] = ['payment.created', 'payment.processing', 'payment.completed'];
		const trigger = await publishTrigger(api, events);
		const late = { latencyMs: 60_000 };
		sandbox.faults.add({ match: { endpoint: 'webhook', event: 'payment.created' }, ...late });
		sandbox.faults.add({
			match: { endpoint: 'webhook', event: 'payment.processing' },
			latencyMs: 20 * 60_000,
		});
		const { id } = await createPayment(sandbox, { webhookUrl: trigger.url });
		sandbox.pay(id);
		await advance(1_000);
		await advance(60_000);
		await advance(20 * 60_000);

		expect(sandbox.deliveries.map(({ event, status }) => [event, status])).toEqual([
			['payment.completed', 200],
			['payment.created', 200],
			['payment.processing', 200],
		]);
		expect((await startedWith(api, trigger)).map(({ event }) => event)).toEqual([
			'payment.completed',
			'payment.created',
			'payment.processing',
		]);
	});

	it('refuses what nobody can vouch for, starts nothing, and logs one line without the secret', async () => {
		const trigger = await publishTrigger(api);
		const { webhookSecret } = sandbox.credentials;
		const body = eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id);
		const now = Math.floor(Date.now() / 1000);
		const right = webhookHeaders(body, webhookSecret);
		const signature = right['X-AcountPay-Signature'];
		const withSignature = (text: string) => ({ ...right, 'X-AcountPay-Signature': text });
		const signed = (text: string, type = 'application/json') => ({
			...webhookHeaders(text, webhookSecret),
			'Content-Type': type,
		});
		const forged: Array<[what: string, status: number, body: string, Record<string, string>]> = [
			['unsigned', 401, body, {}],
			['no timestamp', 401, body, { 'X-AcountPay-Signature': signature }],
			['short', 401, body, withSignature(signature.slice(0, 32))],
			['no hex', 401, body, withSignature(`g${signature.slice(1)}`)],
			['another key', 401, body, webhookHeaders(body, 'whsec_of_somebody_else')],
			['old', 401, body, webhookHeaders(body, webhookSecret, now - 310)],
			['future', 401, body, webhookHeaders(body, webhookSecret, now + 310)],
			['changed body', 401, body.replace('149.99', '1'), right],
			['written anew', 401, JSON.stringify(JSON.parse(body), null, 2), right],
			['empty body', 400, '', signed('')],
			['empty body, unsigned', 401, '', {}],
			['array', 400, `[${body}]`, signed(`[${body}]`)],
			['string', 400, JSON.stringify(body), signed(JSON.stringify(body))],
			['text/plain', 400, 'paid', signed('paid', 'text/plain')],
			['text/plain, unsigned', 401, body, { 'Content-Type': 'text/plain' }],
			['event in text/plain', 400, body, signed(body, 'text/plain')],
			['form', 401, '--x--', signed('--x--', 'multipart/form-data; boundary=x')],
			['parts', 400, '--x--', signed('--x--', 'multipart/mixed; boundary=x')],
			['broken JSON', 422, '{"event":', signed('{"event":')],
		];
		const before = refusals(log()).length;
		for (const [what, status, sent, headers] of forged) {
			const reply = await post(trigger.url, sent, headers);
			expect([what, reply.status]).toEqual([what, status]);
		}
		expect(await startedWith(api, trigger)).toEqual([]);
		const logged = refusals(log()).slice(before);
		// Broken JSON is answered by n8n and does not reach the node.
		expect(logged).toHaveLength(forged.length - 1);
		for (const line of logged) expect(line).toContain("AcountPay node 'AcountPay Trigger'");
		expect(log()).not.toContain(webhookSecret);
	});

	it('takes odd white space, escapes and UTF-8 when the raw bytes were signed', async () => {
		const trigger = await publishTrigger(api);
		const bodies = ['Ærø 🚲', 'caf\\u00e9 \\/', 'a'].map(
			(note, number) =>
				` {\r\n\t"event" :"payment.completed","data":\n{"paymentId":"pay_${number}","note":"${note}"} }\n`,
		);
		for (const body of bodies) {
			expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(ACCEPTED);
		}
		expect(await startedWith(api, trigger)).toEqual(bodies.map((body) => JSON.parse(body)));
	});

	it('answers 200 to what was not asked for and to repeats, and starts nothing', async () => {
		const trigger = await publishTrigger(api);
		const { id } = await createPayment(sandbox);
		const created = eventBody(sandbox, 'payment.created', id);
		expect(await postSigned(sandbox, trigger.url, created)).toMatchObject(IGNORED);
		const unknown = { event: `webhook.test.${trigger.id}`, data: {} };
		for (const time of [1, 2]) {
			const reply = await postSigned(sandbox, trigger.url, JSON.stringify(unknown));
			expect([time, reply]).toMatchObject([time, IGNORED]);
		}
		expect(log().split(unknown.event)).toHaveLength(2);

		const one = eventBody(sandbox, 'payment.completed', id);
		const { webhookSecret } = sandbox.credentials;
		const earlier = webhookHeaders(one, webhookSecret, Math.floor(Date.now() / 1000) - 30);
		expect(await post(trigger.url, one, earlier)).toMatchObject(ACCEPTED);
		expect(await post(trigger.url, one, earlier)).toMatchObject(IGNORED);
		expect(await postSigned(sandbox, trigger.url, one)).toMatchObject(IGNORED);

		const other = eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id);
		const atOnce = await Promise.all(
			[1, 2, 3].map(async () => await postSigned(sandbox, trigger.url, other)),
		);
		expect(atOnce.map(({ status }) => status)).toEqual([200, 200, 200]);
		expect(atOnce.map(({ body }) => body).sort()).toEqual([
			ACCEPTED.body,
			IGNORED.body,
			IGNORED.body,
		]);
		expect(await startedWith(api, trigger)).toEqual([JSON.parse(one), JSON.parse(other)]);
	});

	it('starts a workflow for every repeat when repeats are not to be ignored', async () => {
		const trigger = await publishTrigger(api, ENDS, { ignoreRepeats: false });
		const body = eventBody(sandbox, 'payment.failed', (await createPayment(sandbox)).id);
		for (const time of [1, 2, 3]) {
			expect([time, await postSigned(sandbox, trigger.url, body)]).toMatchObject([time, ACCEPTED]);
		}
		expect(await startedWith(api, trigger)).toEqual(Array(3).fill(JSON.parse(body)));
	});

	it('starts a workflow with every event that a person listens for, known or not', async () => {
		const trigger = await publishTrigger(api);
		const testUrl = trigger.url.replace('/webhook/', '/webhook-test/');
		const body = eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id);
		expect(await postSigned(sandbox, testUrl, body)).toMatchObject({ status: 404 });
		for (const time of [1, 2]) {
			await startFrom(api, trigger.id, 'AcountPay Trigger');
			expect(await post(testUrl, body)).toMatchObject({ status: 401 });
			expect([time, await postSigned(sandbox, testUrl, body)]).toMatchObject([time, ACCEPTED]);
		}
		expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(ACCEPTED);
		expect(await startedWith(api, trigger)).toEqual(Array(3).fill(JSON.parse(body)));
	});

	it('answers within a second', async () => {
		const trigger = await publishTrigger(api);
		const times: number[] = [];
		for (let count = 0; count < 9; count++) {
			const body = eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id);
			const { status, took } = await postSigned(sandbox, trigger.url, body);
			expect(status).toBe(200);
			times.push(took);
		}
		const [median] = times.sort((one, other) => one - other).slice(4);
		expect(median).toBeLessThan(1_000);
	});

	it('is not published without a webhook secret, and n8n says why', async () => {
		const trigger = await createTrigger(api, ENDS, {}, { webhookSecret: '' });
		expect(await api.publish(trigger.id)).toEqual({
			status: 'failed',
			problems: [
				expect.stringMatching(/The credential has no Webhook Secret\. .* fill in Webhook Secret/),
			],
		});
		const body = eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id);
		expect(await postSigned(sandbox, trigger.url, body)).toMatchObject({ status: 404 });

		await api.updateCredential(trigger.credential, credentialFor(sandbox));
		await api.deactivate(trigger.id);
		expect(await api.publish(trigger.id)).toMatchObject({ status: 'published' });
		expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(ACCEPTED);
	});

	it('takes a new webhook secret at once, and refuses everything when there is none', async () => {
		const trigger = await publishTrigger(api);
		const { webhookSecret } = sandbox.credentials;
		const edit = async (changes: IDataObject) => {
			const data = { ...credentialFor(sandbox), ...changes };
			await api.updateCredential(trigger.credential, data as never);
			// So long n8n may have the credential from before in the node's memory, and not read it again for noise.
			await sleep(READ_EVERY);
		};
		const statusWith = async (key: string) => {
			const body = eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id);
			return (await post(trigger.url, body, webhookHeaders(body, key))).status;
		};
		expect(await statusWith(webhookSecret)).toBe(200);
		await edit({ webhookSecret: 'whsec_new' });
		expect(await statusWith('whsec_new')).toBe(200);
		expect(await statusWith(webhookSecret)).toBe(401);

		await edit({ webhookSecret: '' });
		await sleep(TRUSTED_FOR - READ_EVERY);
		for (const key of ['whsec_new', webhookSecret, '']) expect(await statusWith(key)).toBe(401);
		await edit({});
		expect(await startedWith(api, trigger)).toHaveLength(2);
	});
});

/** Drops what n8n has stored of its triggers, as other nodes and executions of the same workflow can make n8n do. */
function dropStaticData({ userFolder }: N8n, id: string): void {
	const database = new DatabaseSync(join(userFolder, '.n8n', 'database.sqlite'), {
		timeout: 10_000,
	});
	const { changes } = database
		.prepare('UPDATE workflow_entity SET staticData = NULL WHERE staticData IS NOT NULL AND id = ?')
		.run(id);
	database.close();
	expect(changes).toBe(1);
}

describe('after a restart of n8n', () => {
	const n8n = useOwnN8n();

	it.each(['stop', 'kill'] as const)(
		'(%s) an event from before is known again, also when n8n had dropped it',
		async (how) => {
			const trigger = await publishTrigger(n8n.api);
			const before = eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id);
			expect(await postSigned(sandbox, trigger.url, before)).toMatchObject(ACCEPTED);
			await n8n.api.waitForExecution((run) => run.workflowId === trigger.id && isFinished(run));
			dropStaticData(n8n, trigger.id);
			expect(await postSigned(sandbox, trigger.url, before)).toMatchObject(IGNORED);
			// n8n stores it after the response.
			await until(async () =>
				JSON.stringify(await n8n.api.getWorkflow(trigger.id)).includes('seenByHour'),
			);
			await n8n.restart(how);
			expect(await postSigned(sandbox, trigger.url, before)).toMatchObject(IGNORED);
			const after = eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id);
			expect(await postSigned(sandbox, trigger.url, after)).toMatchObject(ACCEPTED);
			expect(await startedWith(n8n.api, trigger)).toEqual([JSON.parse(before), JSON.parse(after)]);
		},
	);
});
