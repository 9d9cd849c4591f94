/**
 * AcountPay Trigger: what starts a workflow, what does not, and what the caller is told.
 */
import { type IDataObject, type INodeParameters, sleep } from 'n8n-workflow';
import { createHmac } from 'node:crypto';
import { signWebhook, webhookHeaders, type PaymentEvent } from '../../sandbox';
import { ACCEPTED, eventBody, IGNORED, post, postSigned, type Reply } from '../kit/deliveries';
import { useEngine } from '../kit/engine';
import { createPayment, until } from '../kit/payments';
import { variantOfPackage } from './harness';
import type { Published } from './harness/engine';

jest.setTimeout(30_000);

const EVENTS = [
	'payment.created',
	'payment.processing',
	'payment.completed',
	'payment.failed',
	'payment.expired',
] as const;

const { sandbox, engine, useOther } = useEngine();

const workflowWith = (parameters: INodeParameters) => ({
	nodes: [{ name: 'AcountPay Trigger', type: 'acountPayTrigger', parameters }],
	connections: [],
});

/** Publishes a trigger for these events. */
const publish = async (
	events: readonly PaymentEvent[] = EVENTS,
	options: INodeParameters = {},
): Promise<Published & { url: string }> => {
	const published = await engine.publish(workflowWith({ events: [...events], options }));
	return { ...published, url: published.urls[0] };
};

/** What a started execution handed on, for each of them. */
const outputs = async ({ executions }: Published) =>
	(await executions()).map((execution) => execution.json());

const warnings = () => engine.log.messages('warn');

describe('an event that was asked for', () => {
	it('starts the workflow with the event as sent, whole, at each step of a payment', async () => {
		const trigger = await publish();
		const { id } = await createPayment(sandbox, {
			webhookUrl: trigger.url,
			metadata: { table: 7, note: 'blå' },
		});
		sandbox.pay(id);
		sandbox.clock.advance(1_000);
		await sandbox.webhooksIdle();

		const { deliveries } = sandbox;
		expect(deliveries.map(({ event, status }) => [event, status])).toEqual([
			['payment.created', 200],
			['payment.processing', 200],
			['payment.completed', 200],
		]);
		expect(await outputs(trigger)).toEqual(deliveries.map(({ rawBody }) => [JSON.parse(rawBody)]));
		const [, , [completed]] = await outputs(trigger);
		expect(completed).toMatchObject({
			event: 'payment.completed',
			data: { paymentId: id, status: 'completed', metadata: { table: 7, note: 'blå' } },
		});
	});

	it('is heard when the customer declines, and when nobody pays', async () => {
		const trigger = await publish(['payment.failed', 'payment.expired']);
		const declined = await createPayment(sandbox, { webhookUrl: trigger.url });
		sandbox.decline(declined.id);
		const forgotten = await createPayment(sandbox, { webhookUrl: trigger.url });
		sandbox.clock.advance(30 * 60_000);
		await sandbox.webhooksIdle();

		expect(await outputs(trigger)).toMatchObject([
			[{ event: 'payment.failed', data: { paymentId: declined.id, status: 'failed' } }],
			[{ event: 'payment.expired', data: { paymentId: forgotten.id, status: 'expired' } }],
		]);
	});

	it('is answered before the workflow runs', async () => {
		const { id } = await createPayment(sandbox);
		sandbox.settings.latencyMs = 1_500;
		const get = {
			operation: 'get',
			merchantId: 'merchant_abc123',
			paymentId: '={{ $json.data.paymentId }}',
		};
		const published = await engine.publish({
			nodes: [
				...workflowWith({ events: ['payment.created'] }).nodes,
				{ name: 'Get', type: 'acountPay', parameters: { resource: 'payment', ...get } },
			],
			connections: [['AcountPay Trigger', 'Get']],
		});
		const body = eventBody(sandbox, 'payment.created', id);
		expect(await postSigned(sandbox, published.urls[0], body)).toMatchObject(ACCEPTED);
		const [{ status }] = [...engine.executions.values()];
		expect(status).toBe('running');
		const [execution] = await published.executions();
		expect(execution.json('Get')).toMatchObject([{ id }]);
	});

	it.each([
		[
			'odd white space',
			(body: string) => ` \r\n\t${body.replaceAll('":', '" :\n').replaceAll(',"', ' ,\t"')}\n `,
		],
		['escapes', (body: string) => body.replaceAll('m', '\\u006d').replaceAll('/', '\\/')],
		['UTF-8', (body: string) => body.replace('ORDER-123', 'Ærø 🚲 ​№ 7')],
		[
			'a number that JavaScript writes otherwise',
			(body: string) => body.replace('149.99', '1.4999E+2'),
		],
		['a name that comes twice', (body: string) => body.replace('"amount"', '"amount":1,"amount"')],
		['an id that is a number', (body: string) => body.replace(/"pay_\w+"/, '1000001')],
		[
			'a field that nobody knows',
			(body: string) => body.replace('{', '{"__proto__":{"a":1},"more":[1],'),
		],
		['a field that n8n has a use for', (body: string) => body.replace('{', '{"json":{"a":1},')],
	])('passes with %s when its raw bytes were signed', async (_what, change) => {
		const trigger = await publish();
		const { id } = await createPayment(sandbox);
		const plain = eventBody(sandbox, 'payment.completed', id);
		const body = change(plain);
		expect(body).not.toBe(plain);

		expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(ACCEPTED);
		expect(await outputs(trigger)).toEqual([[JSON.parse(body)]]);
		expect(warnings()).toEqual([]);
	});

	it('is known when an expression gives it alone', async () => {
		const { urls, executions } = await engine.publish(
			workflowWith({ events: '={{ "payment.completed" }}' }),
		);
		const { id } = await createPayment(sandbox);
		for (const [event, reply] of [
			['payment.failed', IGNORED],
			['payment.completed', ACCEPTED],
		] as const) {
			const body = eventBody(sandbox, event, id);
			expect(await postSigned(sandbox, urls[0], body)).toMatchObject(reply);
		}
		expect(await executions()).toHaveLength(1);
	});

	it.each([-290, 290])('passes when it was signed %i seconds from now', async (seconds) => {
		const trigger = await publish();
		const { id } = await createPayment(sandbox);
		const body = eventBody(sandbox, 'payment.completed', id);
		const timestamp = Math.floor(Date.now() / 1000) + seconds;
		const headers = webhookHeaders(body, sandbox.credentials.webhookSecret, timestamp);
		expect(await post(trigger.url, body, headers)).toMatchObject(ACCEPTED);
		expect(await outputs(trigger)).toHaveLength(1);
	});
});

describe('a delivery that nobody can vouch for', () => {
	const now = () => Math.floor(Date.now() / 1000);
	const TIMESTAMP = 'X-AcountPay-Timestamp';
	const SIGNATURE = 'X-AcountPay-Signature';
	const PLAIN = { 'content-type': 'text/plain' };
	/** The right headers of a body, in parts to be changed. */
	const signedAt = (body: string, timestamp: number | string = now(), key?: string) => ({
		[TIMESTAMP]: String(timestamp),
		[SIGNATURE]: signWebhook(body, key ?? sandbox.credentials.webhookSecret, timestamp),
	});
	const without = (headers: Record<string, string>, name: string) =>
		Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
	const changed = (body: string, change: (signature: string) => string) => {
		const headers = signedAt(body);
		return { ...headers, [SIGNATURE]: change(headers[SIGNATURE]) };
	};
	const same = (body: string) => body;

	/** What is sent: headers made for the right body, and the body that goes with them. */
	type Case = [
		what: string,
		status: number,
		headers: (body: string) => Record<string, string>,
		body?: (body: string) => string,
	];
	const cases: Case[] = [
		['no signature', 401, (body) => without(signedAt(body), SIGNATURE)],
		['no timestamp', 401, (body) => without(signedAt(body), TIMESTAMP)],
		['neither', 401, () => ({})],
		['an empty signature', 401, (body) => changed(body, () => '')],
		['a short signature', 401, (body) => changed(body, (text) => text.slice(0, 62))],
		['one letter of a signature', 401, (body) => changed(body, (text) => text[0])],
		['a long signature', 401, (body) => changed(body, (text) => `${text}00`)],
		['a signature that is no hex', 401, (body) => changed(body, (text) => `zz${text.slice(2)}`)],
		[
			'a signature in base64',
			401,
			(body) => changed(body, (text) => Buffer.from(text, 'hex').toString('base64')),
		],
		[
			'the last letter of the signature changed',
			401,
			(body) => changed(body, (text) => text.slice(0, 63) + (text.endsWith('0') ? '1' : '0')),
		],
		['the signature twice', 401, (body) => changed(body, (text) => `${text}, ${text}`)],
		['another key', 401, (body) => signedAt(body, now(), 'whsec_of_somebody_else')],
		['an empty key', 401, (body) => signedAt(body, now(), '')],
		[
			'a hash without a key',
			401,
			(body) => changed(body, () => createHmac('sha256', '').update(body).digest('hex')),
		],
		[
			'the body signed without the timestamp',
			401,
			(body) =>
				changed(body, () =>
					createHmac('sha256', sandbox.credentials.webhookSecret).update(body).digest('hex'),
				),
		],
		['a signature of 310 seconds ago', 401, (body) => signedAt(body, now() - 310)],
		['a signature of an hour ago', 401, (body) => signedAt(body, now() - 3_600)],
		['a signature of 310 seconds from now', 401, (body) => signedAt(body, now() + 310)],
		['a timestamp in milliseconds', 401, (body) => signedAt(body, Date.now())],
		['a timestamp that is no number', 401, (body) => signedAt(body, 'now')],
		['a timestamp with decimals', 401, (body) => signedAt(body, `${now()}.5`)],
		['a negative timestamp', 401, (body) => signedAt(body, -now())],
		[
			'another timestamp than was signed',
			401,
			(body) => ({ ...signedAt(body, now() - 20), [TIMESTAMP]: String(now()) }),
		],
		['a changed body', 401, signedAt, (body) => body.replace('149.99', '0.01')],
		[
			'the same JSON written otherwise',
			401,
			signedAt,
			(body) => JSON.stringify(JSON.parse(body), null, 1),
		],
		['an empty body, signed for another', 401, signedAt, () => ''],
		['text/plain, unsigned', 401, () => PLAIN],
		['an empty body, signed', 400, () => signedAt('', now()), () => ''],
		['an array, signed', 400, (body) => signedAt(`[${body}]`), (body) => `[${body}]`],
		[
			'a string, signed',
			400,
			(body) => signedAt(JSON.stringify(body)),
			(body) => JSON.stringify(body),
		],
		['a number, signed', 400, () => signedAt('1'), () => '1'],
		['null, signed', 400, () => signedAt('null'), () => 'null'],
		['an empty object, signed', 400, () => signedAt('{}'), () => '{}'],
		[
			'plain text, signed',
			400,
			() => ({ ...signedAt('payment.completed'), ...PLAIN }),
			() => 'payment.completed',
		],
		[
			'a form, signed',
			400,
			() => ({
				...signedAt('event=payment.completed'),
				'content-type': 'application/x-www-form-urlencoded',
			}),
			() => 'event=payment.completed',
		],
		['an event in text/plain, signed', 400, (body) => ({ ...signedAt(body), ...PLAIN })],
		[
			'a form with parts, signed',
			401,
			(body) => ({ ...signedAt(body), 'content-type': 'multipart/form-data; boundary=x' }),
		],
		['parts that are no form', 401, () => ({ 'content-type': 'multipart/mixed; boundary=x' })],
		[
			'an event without a payment, signed',
			400,
			() => signedAt('{"event":"payment.completed"}'),
			() => '{"event":"payment.completed"}',
		],
	];

	it.each(cases)(
		'%s: %i, no run, one line in the log',
		async (_what, status, headers, body = same) => {
			const trigger = await publish();
			const { id } = await createPayment(sandbox);
			const right = eventBody(sandbox, 'payment.completed', id);
			engine.log.clear();

			const reply = await post(trigger.url, body(right), headers(right));
			expect(reply).toMatchObject({ status, body: '{"result":"refused"}' });
			expect(await outputs(trigger)).toEqual([]);
			expect(engine.staticData.get(trigger.id)).toBeUndefined();
			expect(warnings()).toEqual([
				expect.stringMatching(/^AcountPay node 'AcountPay Trigger' refused a webhook: \S/),
			]);
			const logged = engine.log.text();
			expect(logged).not.toContain(sandbox.credentials.webhookSecret);
			expect(logged).not.toContain(sandbox.credentials.clientSecret);

			expect(await postSigned(sandbox, trigger.url, right)).toMatchObject(ACCEPTED);
			expect(await outputs(trigger)).toEqual([[JSON.parse(right)]]);
		},
	);

	it('JSON that is broken never reaches the node: n8n answers 422', async () => {
		const trigger = await publish();
		expect(await postSigned(sandbox, trigger.url, '{"event":')).toMatchObject({ status: 422 });
		expect(await outputs(trigger)).toEqual([]);
	});

	it('one that the sandbox sends with a forged body starts nothing; the repeat, as signed, does', async () => {
		const trigger = await publish(['payment.completed']);
		const { id } = await createPayment(sandbox, { webhookUrl: trigger.url });
		const body = { event: 'payment.completed', data: { paymentId: id, amount: 1 } };
		sandbox.faults.add({ match: { endpoint: 'webhook', event: 'payment.completed' }, body });
		sandbox.pay(id);
		sandbox.clock.advance(1_000);
		await sandbox.webhooksIdle();
		expect(await outputs(trigger)).toEqual([]);
		sandbox.clock.advance(1_000);
		await sandbox.webhooksIdle();

		const attempts = sandbox.deliveries.filter(({ event }) => event === 'payment.completed');
		expect(attempts.map(({ status }) => status)).toEqual([401, 200]);
		expect(await outputs(trigger)).toMatchObject([[{ data: { paymentId: id, amount: 149.99 } }]]);
	});
});

describe('an event that was not asked for', () => {
	it.each([
		['payment.created', 0],
		['payment.paid', 1],
		['Payment.Completed', 1],
		['payment.refunded', 1],
		['payment.completed ', 1],
		['constructor', 1],
	])(
		'%j is answered 200 and starts nothing, and is not remembered (lines in the log: %i)',
		async (event, lines) => {
			const trigger = await publish(['payment.completed']);
			const { id } = await createPayment(sandbox);
			const body = eventBody(sandbox, event as PaymentEvent, id);
			for (let time = 0; time < 2; time++) {
				expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(IGNORED);
			}
			expect(await outputs(trigger)).toEqual([]);
			expect(engine.staticData.get(trigger.id)).toBeUndefined();
			const line = `AcountPay node 'AcountPay Trigger' ignores ${JSON.stringify(event)}: it is signed, but no event that this package knows`;
			expect(warnings()).toEqual(Array.from({ length: lines }, () => line));
		},
	);
});

describe('an event that can not be right', () => {
	it.each([
		['payment.completed', 'failed'],
		['payment.completed', 'reversed'],
		['payment.completed', 'not_paid'],
		['payment.completed', 'partially_paid', 'is not known'],
		['payment.failed', 'completed'],
		['payment.expired', 'paid'],
	])(
		'%s with the status %j starts nothing, and the true one after it does',
		async (event, status, why = 'contradicts its name') => {
			const trigger = await publish();
			const { id } = await createPayment(sandbox);
			const bodyWith = (data: object) =>
				JSON.stringify({ event, data: { paymentId: id, ...data } });
			expect(await postSigned(sandbox, trigger.url, bodyWith({ status }))).toMatchObject(IGNORED);
			expect(await outputs(trigger)).toEqual([]);
			expect(engine.staticData.get(trigger.id)).toBeUndefined();
			expect(warnings()).toEqual([
				`AcountPay node 'AcountPay Trigger' does not act on "${event}": its status ${why}`,
			]);

			const right = bodyWith({ status: event.replace('payment.', '') });
			expect(await postSigned(sandbox, trigger.url, right)).toMatchObject(ACCEPTED);
			expect(await outputs(trigger)).toEqual([[JSON.parse(right)]]);
		},
	);

	it.each(['1e400', '-1e400', '-0', '-7', '1.5', '""', '" "', 'null', '{"id":1}', '["pay_1"]'])(
		'with the payment ID %s is no event, and is not remembered',
		async (id) => {
			const trigger = await publish();
			const body = `{"event":"payment.completed","data":{"paymentId":${id}}}`;
			for (let time = 0; time < 2; time++) {
				expect(await postSigned(sandbox, trigger.url, body)).toMatchObject({ status: 400 });
			}
			expect(await outputs(trigger)).toEqual([]);
			expect(engine.staticData.get(trigger.id)).toBeUndefined();
		},
	);
});

describe('the credential', () => {
	const seconds = () => Math.floor(Date.now() / 1000);
	/** How often it was read since. */
	const countReads = () => jest.spyOn(engine.credential, 'row', 'get').mockClear();
	/** A package in which a secret is trusted, and noise may read it, for as many ms. */
	const useShortTrust = async (trusted: number, every: number) => {
		const folder = variantOfPackage({
			'dist/nodes/shared/webhooks/secrets.js': (text) =>
				text
					.replace('exports.TRUSTED_FOR = 10_000;', `exports.TRUSTED_FOR = ${trusted};`)
					.replace('exports.READ_EVERY = 5_000;', `exports.READ_EVERY = ${every};`),
		});
		await useOther({}, { folder });
	};

	it('is not read for noise that its headers give away', async () => {
		const trigger = await publish();
		const body = eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id);
		const right = webhookHeaders(body, sandbox.credentials.webhookSecret);
		const stale = webhookHeaders(body, sandbox.credentials.webhookSecret, seconds() - 310);
		const reads = countReads();
		for (const headers of [{}, { ...right, 'X-AcountPay-Signature': 'zz' }, stale]) {
			expect(await post(trigger.url, body, headers)).toMatchObject({ status: 401 });
		}
		expect(reads).not.toHaveBeenCalled();
	});

	it('is read once for many deliveries, right and wrong ones', async () => {
		const trigger = await publish();
		const bodies = await Promise.all(
			[1, 2, 3, 4].map(async () =>
				eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id),
			),
		);
		const reads = countReads();
		for (const body of bodies) {
			expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(ACCEPTED);
			const forged = webhookHeaders(body, 'whsec_of_somebody_else');
			expect(await post(trigger.url, body, forged)).toMatchObject({ status: 401 });
		}
		expect(reads).toHaveBeenCalledTimes(1);
		expect(await outputs(trigger)).toHaveLength(4);
	});

	it('counts at once when its secret was replaced, and the old secret no more', async () => {
		await useShortTrust(60_000, 0);
		const trigger = await publish();
		const body = eventBody(sandbox, 'payment.created', (await createPayment(sandbox)).id);
		expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(ACCEPTED);
		await engine.credential.edit({ webhookSecret: 'whsec_new' });
		const other = eventBody(sandbox, 'payment.failed', (await createPayment(sandbox)).id);
		expect(await post(trigger.url, other, webhookHeaders(other, 'whsec_new'))).toMatchObject(
			ACCEPTED,
		);
		expect(await postSigned(sandbox, trigger.url, body)).toMatchObject({ status: 401 });
	});

	it('keeps nothing open for long when its secret was removed', async () => {
		await useShortTrust(700, 300);
		const trigger = await publish();
		const bodies = await Promise.all(
			[1, 2].map(async () =>
				eventBody(sandbox, 'payment.completed', (await createPayment(sandbox)).id),
			),
		);
		expect(await postSigned(sandbox, trigger.url, bodies[0])).toMatchObject(ACCEPTED);
		await engine.credential.edit({ webhookSecret: '' });
		await sleep(700);
		expect(await postSigned(sandbox, trigger.url, bodies[1])).toMatchObject({ status: 401 });
	});
});

describe('an event that comes again', () => {
	it('is answered 200 and starts nothing, signed anew or as before', async () => {
		const trigger = await publish();
		const { id } = await createPayment(sandbox);
		const body = eventBody(sandbox, 'payment.completed', id);
		const { webhookSecret } = sandbox.credentials;
		const first = webhookHeaders(body, webhookSecret, Math.floor(Date.now() / 1000) - 60);

		expect(await post(trigger.url, body, first)).toMatchObject(ACCEPTED);
		expect(await post(trigger.url, body, first)).toMatchObject(IGNORED);
		expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(IGNORED);
		const later = JSON.stringify({ ...JSON.parse(body), timestamp: new Date().toISOString() });
		expect(await postSigned(sandbox, trigger.url, `${later} `)).toMatchObject(IGNORED);
		expect(await outputs(trigger)).toHaveLength(1);
	});

	it('starts one run when the sandbox repeats it because the answer was lost', async () => {
		const trigger = await publish(['payment.completed']);
		const { id } = await createPayment(sandbox, { webhookUrl: trigger.url });
		sandbox.faults.add({
			match: { endpoint: 'webhook', event: 'payment.completed' },
			status: 504,
			made: true,
			times: 2,
		});
		sandbox.pay(id);
		for (const ms of [1_000, 1_000, 5_000]) {
			sandbox.clock.advance(ms);
			await sandbox.webhooksIdle();
		}
		const attempts = sandbox.deliveries.filter(({ event }) => event === 'payment.completed');
		expect(attempts.map(({ attempt, status }) => [attempt, status])).toEqual([
			[1, 504],
			[2, 504],
			[3, 200],
		]);
		expect(await outputs(trigger)).toHaveLength(1);
	});

	it('starts one run when three come at the same moment', async () => {
		const trigger = await publish();
		const { id } = await createPayment(sandbox);
		const body = eventBody(sandbox, 'payment.completed', id);
		const replies = await Promise.all(
			[1, 2, 3].map(async () => await postSigned(sandbox, trigger.url, body)),
		);
		expect(replies.map((reply: Reply) => reply.body).sort()).toEqual([
			ACCEPTED.body,
			IGNORED.body,
			IGNORED.body,
		]);
		expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
		expect(await outputs(trigger)).toHaveLength(1);
	});

	it('is another one for another payment, and for another event of the same', async () => {
		const trigger = await publish();
		const one = await createPayment(sandbox);
		const two = await createPayment(sandbox);
		for (const body of [
			eventBody(sandbox, 'payment.completed', one.id),
			eventBody(sandbox, 'payment.completed', two.id),
			eventBody(sandbox, 'payment.failed', one.id),
		]) {
			expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(ACCEPTED);
		}
		expect(await outputs(trigger)).toHaveLength(3);
	});

	it('is another one for another trigger', async () => {
		const { id } = await createPayment(sandbox);
		const body = eventBody(sandbox, 'payment.completed', id);
		for (const trigger of [await publish(), await publish()]) {
			expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(ACCEPTED);
			expect(await outputs(trigger)).toHaveLength(1);
		}
	});

	it('is known again by another process, from what n8n stored', async () => {
		const trigger = await publish();
		const { id } = await createPayment(sandbox);
		const body = eventBody(sandbox, 'payment.completed', id);
		await postSigned(sandbox, trigger.url, body);
		const stored = engine.staticData.get(trigger.id)!;
		expect(JSON.stringify(stored)).not.toContain(id);

		// A copy of the package is loaded as modules of its own, with a memory of their own.
		const useOtherProcess = async () => await useOther({}, { folder: variantOfPackage({}) });
		const workflow = { ...workflowWith({ events: [...EVENTS] }), id: trigger.id };
		await useOtherProcess();
		engine.staticData.set(trigger.id, stored);
		const restarted = await engine.publish(workflow);
		expect(await postSigned(sandbox, restarted.urls[0], body)).toMatchObject(IGNORED);
		expect(await restarted.executions()).toEqual([]);

		await useOtherProcess();
		const forgetful = await engine.publish(workflow);
		expect(await postSigned(sandbox, forgetful.urls[0], body)).toMatchObject(ACCEPTED);
	});

	it('starts one run when the option is an expression that gives nothing', async () => {
		const trigger = await publish(EVENTS, { ignoreRepeats: '={{ undefined }}' });
		const { id } = await createPayment(sandbox);
		const body = eventBody(sandbox, 'payment.completed', id);
		expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(ACCEPTED);
		expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(IGNORED);
	});

	it('starts a run each time when repeats are not to be ignored', async () => {
		const trigger = await publish(EVENTS, { ignoreRepeats: false });
		const { id } = await createPayment(sandbox);
		const body = eventBody(sandbox, 'payment.completed', id);
		for (let time = 0; time < 3; time++) {
			expect(await postSigned(sandbox, trigger.url, body)).toMatchObject(ACCEPTED);
		}
		expect(await outputs(trigger)).toHaveLength(3);
	});
});

describe('events that only come with keys', () => {
	it.each([[['payment.completed', 'merchant.activated']], ['={{ "merchant.deactivated" }}']])(
		'%j keep the trigger from being published, and it says which events there are',
		async (events) => {
			await expect(engine.publish(workflowWith({ events }))).rejects.toThrow(
				/^Trigger On must be one or more of Payment Created, .*, which are the events with Access Tokens\. Choose them from the list/,
			);
		},
	);

	it('are no names that nobody knows: those may be new', async () => {
		await engine.publish(workflowWith({ events: ['payment.refunded'] }));
	});
});

describe('a credential without a webhook secret', () => {
	const missing: Array<[string, IDataObject]> = [
		['empty', { webhookSecret: '' }],
		['blank', { webhookSecret: '  ' }],
	];

	it.each(missing)(
		'(%s) keeps the trigger from being published, and says why',
		async (_what, data) => {
			await engine.credential.edit(data as never);
			// n8n shows the message alone where a workflow is published.
			await expect(publish()).rejects.toMatchObject({
				message: expect.stringMatching(
					/^The credential has no Webhook Secret\. Open the credential .* fill in Webhook Secret/,
				),
			});
		},
	);

	it.each(['checkExists', 'create'] as const)('is refused by %s alone, too', async (method) => {
		// n8n 2.41 goes on to `create` only when `checkExists` says no, and may call it much later.
		const folder = variantOfPackage({
			'dist/nodes/AcountPayTrigger/AcountPayTrigger.node.js': (text) => {
				const other = method === 'create' ? 'checkExists' : 'create';
				return text.replace(new RegExp(`(async ${other}\\(\\) {)[^}]*}`), '$1 return false; }');
			},
		});
		await useOther({ webhookSecret: '' }, { folder });
		await expect(publish()).rejects.toThrow('The credential has no Webhook Secret');
	});

	it.each(missing)('(%s) since then: every delivery is refused', async (_what, data) => {
		const trigger = await publish();
		await engine.credential.edit(data as never);
		const { id } = await createPayment(sandbox);
		const body = eventBody(sandbox, 'payment.completed', id);
		const keys = [sandbox.credentials.webhookSecret, '', '  ', 'undefined', 'null'];
		for (const key of keys) {
			const reply = await post(trigger.url, body, webhookHeaders(body, key));
			expect(reply).toMatchObject({ status: 401 });
		}
		expect(await outputs(trigger)).toEqual([]);
		expect(warnings()).toHaveLength(keys.length);
	});

	it('refuses everything when it can not be read, and starts no run that fails', async () => {
		const trigger = await publish();
		const { id } = await createPayment(sandbox);
		const body = eventBody(sandbox, 'payment.completed', id);
		jest.spyOn(engine.credential, 'row', 'get').mockImplementation(() => {
			throw new Error('Credential could not be found');
		});
		expect(await postSigned(sandbox, trigger.url, body)).toMatchObject({
			status: 500,
			body: '{"result":"refused"}',
		});
		expect(await trigger.executions()).toEqual([]);
		expect(warnings()).toEqual([expect.stringContaining('the credential could not be read')]);
	});

	it('is mended by giving it one', async () => {
		const { webhookSecret } = sandbox.credentials;
		await engine.credential.edit({ webhookSecret: '' });
		await expect(publish()).rejects.toThrow('no Webhook Secret');
		await engine.credential.edit({ webhookSecret });
		expect((await publish()).url).toContain('/webhook/');
	});
});

it('says in its panel where its URL has to go', () => {
	const { description } = engine.types.getByNameAndVersion(
		engine.types.fullName('acountPayTrigger'),
	);
	const notice = description.properties.find(({ type }) => type === 'notice');
	expect(notice!.displayName).toContain('into the field Webhook URL');
	expect(JSON.stringify(description.triggerPanel)).toContain('Webhook URL');
	expect(description.displayName).toBe('AcountPay Trigger');
});

it('is gone when the workflow is taken back', async () => {
	const trigger = await publish();
	await trigger.unpublish();
	const { id } = await createPayment(sandbox);
	const body = eventBody(sandbox, 'payment.completed', id);
	expect(await postSigned(sandbox, trigger.url, body)).toMatchObject({ status: 404 });
	await until(() => engine.executions.size === 0);
});
