/**
 * AcountPay Trigger with keys: it registers itself, keeps its registration, and believes nothing that is not signed with its
 * secret.
 */
import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import type { IDataObject, INode, INodeParameters } from 'n8n-workflow';
import {
	keyMerchantBody,
	keyPaymentBody,
	KEY_MERCHANTS,
	keyWebhookHeaders,
	type KeyEvent,
	type KeySettings,
	type Registration,
	webhookHeaders,
} from '../../sandbox';
import { keyPartnerOf } from '../sandbox/client';
import { ACCEPTED, IGNORED, post } from '../kit/deliveries';
import { engineFor, serve } from '../kit/engine';
import { useSandbox } from '../kit/payments';
import { variantOfPackage, type Engine } from './harness';
import { engineWithKeys } from '../kit/keys';

jest.setTimeout(180_000);

const sandbox = useSandbox();
let engine: Engine;
/** The trigger of a test: another one has other URLs. */
let trigger: Pick<INode, 'id' | 'name' | 'webhookId'>;
beforeEach(async () => {
	engine = await engineWithKeys(sandbox);
	trigger = { id: randomUUID(), name: 'AcountPay Trigger', webhookId: randomUUID() };
});

const workflowWith = (parameters: INodeParameters = {}, id = `workflow-${trigger.webhookId}`) => ({
	id,
	nodes: [
		{
			...trigger,
			type: 'acountPayTrigger',
			parameters: { authentication: 'apiKey', events: ['payment.completed'], ...parameters },
		},
	],
	connections: [],
});

const publish = async (parameters: INodeParameters = {}) => {
	const published = await engine.publish(workflowWith(parameters));
	return { ...published, url: published.urls[0] };
};
const listen = async (parameters: INodeParameters = {}) => {
	const listening = await engine.listenForTest(workflowWith(parameters));
	return { ...listening, url: listening.urls[0] };
};

const counts = (): Record<string, number> => {
	const made: Record<string, number> = {};
	for (const { endpoint, status } of sandbox.requests) {
		const key = `${endpoint} ${status}`;
		made[key] = (made[key] ?? 0) + 1;
	}
	return made;
};
const warnings = () => engine.log.messages('warn');
const only = (): Registration => {
	expect(sandbox.registrations).toHaveLength(1);
	return sandbox.registrations[0];
};
const slot = (id: string) =>
	(engine.staticData.get(id)?.[`node:${trigger.name}`] as IDataObject | undefined)?.registration;

/**
 * An engine that knows nothing of before, as after a restart, but what n8n has stored.
 * @param isMoved whether n8n is at another URL then
 */
async function restart({ keepsStaticData = true, isMoved = false } = {}) {
	const { staticData, url } = engine;
	engine = await engineWithKeys(sandbox, {}, { folder: variantOfPackage({}) });
	// It listens on another port, but tells the nodes the URL from before.
	if (!isMoved) jest.spyOn(engine, 'url', 'get').mockReturnValue(url);
	if (keepsStaticData) for (const [id, data] of staticData) engine.staticData.set(id, data);
}

/** A payment of the shop, as the sandbox keeps it. */
async function makePayment() {
	const { paymentId } = (await keyPartnerOf(sandbox).create()).data as { paymentId: number };
	return sandbox.payment(paymentId);
}
const bodyOf = async (event: KeyEvent = 'payment.completed', at = new Date()) => {
	const status = event === 'payment.completed' ? 'paid' : 'failed';
	return JSON.stringify(keyPaymentBody(event, await makePayment(), status, at));
};
const deliver = async (url: string, body: string, secret: string, prefix = '') =>
	await post(url, body, keyWebhookHeaders(body, secret, prefix));

describe('publishing', () => {
	it('registers the URL with the chosen events once, and keeps the secret', async () => {
		const { id, url } = await publish({ events: ['payment.completed', 'merchant.activated'] });
		expect(only()).toMatchObject({
			url,
			events: ['payment.completed', 'merchant.activated'],
			status: 'active',
		});
		expect(counts()).toEqual({ 'listWebhooks 200': 1, 'registerWebhook 201': 1 });
		expect(slot(id)).toEqual({
			id: String(only().id),
			secret: only().secret,
			url,
			baseUrl: sandbox.url,
		});
	});

	it('again, or after a restart, finds it and registers nothing', async () => {
		await publish();
		const { id } = only();
		await publish();
		await restart();
		await publish();
		expect(only().id).toBe(id);
		expect(counts()).toEqual({ 'listWebhooks 200': 3, 'registerWebhook 201': 1 });
	});

	it('writes no static data when nothing has changed', async () => {
		const { id } = await publish();
		const stored = engine.staticData.get(id);
		await publish();
		expect(engine.staticData.get(id)).toBe(stored);
	});

	it('with other events changes the registration, which keeps its secret', async () => {
		await publish();
		const { id, secret } = only();
		const changed = await publish({ events: ['merchant.deactivated', 'payment.failed'] });
		expect(only()).toMatchObject({
			id,
			secret,
			events: ['merchant.deactivated', 'payment.failed'],
		});
		const body = await bodyOf('payment.failed');
		expect(await deliver(changed.url, body, secret)).toMatchObject(ACCEPTED);
		await publish({ events: ['payment.failed', 'merchant.deactivated'] });
		expect(counts()['changeWebhook 200']).toBe(1);
	});

	it('with another URL changes the registration, which keeps its secret', async () => {
		await publish();
		const { id, secret, url: before } = only();
		await restart({ isMoved: true });
		const { url } = await publish();
		expect(only()).toMatchObject({ id, secret, url });
		expect(counts()).toMatchObject({ 'registerWebhook 201': 1, 'changeWebhook 200': 1 });
		// A copy of the database does the same, and takes the events from an n8n that still runs.
		expect(warnings()).toEqual([
			expect.stringContaining(`moved its webhook ${id} from ${before} to ${url}.`),
		]);
	});

	it('takes up a registration that AcountPay has switched off', async () => {
		const { url } = await publish();
		only().status = 'inactive';
		await publish();
		const active = sandbox.registrations.filter(({ status }) => status === 'active');
		expect(active).toMatchObject([{ url }]);
		const body = await bodyOf();
		expect(await deliver(url, body, active[0].secret)).toMatchObject(ACCEPTED);
	});

	it("does not touch somebody else's webhook that has the same number", async () => {
		const { id, url } = await publish();
		const { id: number } = only();
		const other = 'https://shop.example.com/hook';
		await keyPartnerOf(sandbox).call('put', `/webhooks/${number}`, {
			url: other,
			events: ['payment.failed'],
		});
		await publish();
		expect(sandbox.registrations).toMatchObject([
			{ id: number, url: other, events: ['payment.failed'] },
			{ url },
		]);
		expect(slot(id)).toMatchObject({ secret: sandbox.registrations[1].secret });
	});

	it('registers anew in another environment, and says what is left in the old one', async () => {
		await publish();
		await engine.credential.edit({ baseUrl: sandbox.url.replace('127.0.0.1', 'localhost') });
		const { url } = await publish();
		expect(sandbox.registrations).toHaveLength(2);
		expect(warnings()[0]).toContain(`for ${url} (it is at ${sandbox.url})`);
		const [, { secret }] = sandbox.registrations;
		expect(await deliver(url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
	});

	it.each([
		['a bare array', false],
		['an object', true],
	])('finds it in a list that is %s', async (_what, isObject) => {
		const { url } = await publish();
		const { secret, ...entry } = only();
		expect(secret).toMatch(/^whsec_/);
		if (isObject) {
			sandbox.faults.add({
				match: { endpoint: 'listWebhooks' },
				status: 200,
				body: { webhooks: [entry] },
			});
		}
		await publish();
		expect(only().url).toBe(url);
	});

	it('survives a renamed node within a process', async () => {
		const before = await publish();
		await before.unpublish();
		trigger = { ...trigger, name: 'When paid' };
		const { url } = await publish();
		const body = await bodyOf();
		expect(await deliver(url, body, only().secret)).toMatchObject(ACCEPTED);
		expect(counts()['registerWebhook 201']).toBe(1);
	});
});

describe('unpublishing', () => {
	it('removes the registration where AcountPay lets it', async () => {
		sandbox.settings.removableWebhooks = true;
		const { id, unpublish } = await publish();
		await unpublish();
		expect(sandbox.registrations).toEqual([]);
		expect(slot(id)).toBeUndefined();
		expect(warnings()).toEqual([]);
		const { url } = await publish();
		expect(only().url).toBe(url);
	});

	it.each([404, 405, 403, 501])(
		'says what to remove where AcountPay answers %d, and takes the same one up again',
		async (status) => {
			const { id, url, unpublish } = await publish();
			sandbox.faults.add({ match: { endpoint: 'removeWebhook' }, status, times: Infinity });
			await unpublish();
			expect(warnings()).toEqual([
				expect.stringMatching(
					/could not remove the webhook \d+ for http.* Remove it in the AcountPay/,
				),
			]);
			expect(warnings()[0]).toContain(url);
			expect(slot(id)).toMatchObject({ secret: only().secret });
			await restart();
			const again = await publish();
			expect(only().url).toBe(url);
			expect(counts()['registerWebhook 201']).toBe(1);
			const body = await bodyOf();
			expect(await deliver(again.url, body, only().secret)).toMatchObject(ACCEPTED);
		},
	);

	it('is done when a person has removed it already', async () => {
		const { id, unpublish } = await publish();
		sandbox.settings.removableWebhooks = true;
		await keyPartnerOf(sandbox).call('delete', `/webhooks/${only().id}`);
		await unpublish();
		expect(slot(id)).toBeUndefined();
		expect(warnings()).toEqual([]);
	});

	it('never fails, also when AcountPay is away or the keys are wrong', async () => {
		const { unpublish } = await publish();
		await engine.credential.edit({ clientSecret: 'wrong' });
		await unpublish();
		expect(warnings()).toHaveLength(1);
		expect(warnings()[0]).not.toContain('wrong');
	});
});

describe('a registration whose secret is lost', () => {
	it('is replaced by a new one, and the old one opens no door', async () => {
		const { url } = await publish();
		const { secret: lost, id } = only();
		await restart({ keepsStaticData: false });
		const again = await publish();
		expect(sandbox.registrations).toMatchObject([{ id, url }, { url }]);
		const { secret } = sandbox.registrations[1];
		const body = await bodyOf();
		expect(await deliver(again.url, body, lost)).toMatchObject({ status: 401 });
		expect(await deliver(again.url, body, secret)).toMatchObject(ACCEPTED);
		expect(warnings()).toEqual([
			expect.stringContaining(`could not remove the webhook ${id} for ${url}`),
			expect.stringContaining('its signature is wrong'),
		]);
	});

	it('is replaced and removed where AcountPay lets it', async () => {
		sandbox.settings.removableWebhooks = true;
		const { id } = await publish();
		const { id: oldId } = only();
		engine.staticData.delete(id);
		await publish();
		expect(only().id).not.toBe(oldId);
		expect(warnings()).toEqual([]);
	});

	it.each(['list', 'change'])('is taken up when the %s shows the secret', async (where) => {
		const { id, url } = await publish();
		const { id: number, secret } = only();
		engine.staticData.delete(id);
		sandbox.settings.secretShown = 'always';
		if (where === 'change') {
			const entry = { ...only(), secret: undefined };
			sandbox.faults.add({ match: { endpoint: 'listWebhooks' }, status: 200, body: [entry] });
		}
		await publish();
		expect(only().id).toBe(number);
		expect(await deliver(url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
	});

	it.each(['whsec_************', 'whsec_…abcd', '', null])(
		'is not taken up with %j in place of the secret',
		async (shown) => {
			const { id, url } = await publish();
			engine.staticData.delete(id);
			const entry = { ...only(), secret: shown };
			sandbox.faults.add({ match: { endpoint: 'listWebhooks' }, status: 200, body: [entry] });
			await publish();
			const { secret } = sandbox.registrations[1];
			expect(await deliver(url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
		},
	);

	it('keeps the door shut until the workflow is published again', async () => {
		const { id, url } = await publish();
		engine.staticData.delete(id);
		for (const secret of ['', 'undefined', only().secret]) {
			expect(await deliver(url, await bodyOf(), secret)).toMatchObject({ status: 401 });
		}
		expect(warnings()[0]).toContain('the trigger is not registered at AcountPay');
	});
});

describe('a publication that fails', () => {
	it('names the credential when the keys are wrong', async () => {
		await engine.credential.edit({ clientSecret: 'wrong-secret' });
		await expect(publish()).rejects.toMatchObject({
			message: expect.stringMatching(
				/^AcountPay refused the keys of the credential 'AcountPay account' .*Partner Dashboard/,
			),
		});
		expect(sandbox.registrations).toEqual([]);
	});

	it('says so when AcountPay does not respond, within half a minute', async () => {
		const startedAt = Date.now();
		await engine.credential.edit({ baseUrl: 'http://127.0.0.1:9' });
		await expect(publish()).rejects.toThrow(
			/^AcountPay could not be reached for the list of webhooks\. Nothing starts this workflow/,
		);
		expect(Date.now() - startedAt).toBeLessThan(30_000);
	});

	it('follows no redirect', async () => {
		let asked = 0;
		const baseUrl = await serve((_request, response) => {
			asked++;
			response.writeHead(302, { Location: `${sandbox.url}/v1/partner/webhooks` }).end();
		});
		await engine.credential.edit({ baseUrl });
		await expect(publish()).rejects.toThrow(/sent a redirect/);
		expect(asked).toBe(1);
		expect(sandbox.requests).toEqual([]);
	});

	it('says what AcountPay has against the URL', async () => {
		sandbox.faults.add({
			match: { endpoint: 'registerWebhook' },
			status: 400,
			body: { message: ['url must be https'] },
		});
		await expect(publish()).rejects.toThrow(
			/^AcountPay refused the new webhook: url must be https\. Check that AcountPay can reach n8n at http/,
		);
	});

	it('with an unknown outcome leads to one that works', async () => {
		sandbox.faults.add({ match: { endpoint: 'registerWebhook' }, reset: 'after' });
		await expect(publish()).rejects.toThrow(/^AcountPay was asked for a new webhook, but/);
		expect(sandbox.registrations).toHaveLength(1);
		sandbox.settings.removableWebhooks = true;
		const { url } = await publish();
		expect(await deliver(url, await bodyOf(), only().secret)).toMatchObject(ACCEPTED);
	});

	it('waits out 429 and repeats what changes nothing', async () => {
		sandbox.faults.add({ status: 429, headers: { 'Retry-After': '0' }, times: 2 });
		sandbox.faults.add({ match: { endpoint: 'listWebhooks', nth: 3 }, status: 503 });
		const { url } = await publish();
		expect(only().url).toBe(url);
	});

	it.each([[[]], [['payment.created']], ['payment.expired']])(
		'says which events there are, for %j',
		async (events) => {
			await expect(publish({ events })).rejects.toThrow(
				/^Trigger On must be one or more of payment\.completed, payment\.failed, merchant/,
			);
			expect(sandbox.requests).toEqual([]);
		},
	);

	it('takes a single event from an expression', async () => {
		await publish({ events: '={{ "payment.failed" }}' });
		expect(only().events).toEqual(['payment.failed']);
	});

	it('has no secret in its error, the log or an item', async () => {
		sandbox.settings.secretShown = 'always';
		const { url, executions, unpublish } = await publish();
		const { secret } = only();
		await deliver(url, await bodyOf(), secret);
		await unpublish();
		sandbox.faults.add({ match: { endpoint: 'changeWebhook' }, status: 400, body: { secret } });
		await publish({ events: ['payment.failed'] }).catch((error: unknown) =>
			expect(inspect(error, { depth: 9 })).not.toContain(sandbox.keys.clientSecret),
		);
		const stored = (await executions()).map(({ stored: { data } }) => data).join();
		expect(stored).toContain('payment.completed');
		for (const hidden of [secret, sandbox.keys.clientSecret]) {
			expect(`${stored} ${engine.log.text()}`).not.toContain(hidden);
		}
	});
});

describe('a delivery', () => {
	it('of a failed payment and of a closed merchant starts the workflow', async () => {
		const chosen = ['payment.failed', 'merchant.deactivated'];
		const { executions } = await publish({ events: chosen });
		const { clientId } = KEY_MERCHANTS.slow;
		const { id } = await makePayment();
		sandbox.decline(id);
		await sandbox.webhooksIdle();
		sandbox.deactivate(clientId);
		await sandbox.webhooksIdle();
		expect((await executions()).map((execution) => execution.json())).toMatchObject([
			[{ event: 'payment.failed', data: { paymentId: id } }],
			[{ event: 'merchant.deactivated', data: { clientId } }],
		]);
	});

	it('of the sandbox starts the workflow once, whole, with and without a prefix', async () => {
		const { executions } = await publish({ events: ['payment.completed', 'merchant.activated'] });
		for (const prefix of ['', 'sha256='] satisfies Array<KeySettings['signaturePrefix']>) {
			sandbox.settings.signaturePrefix = prefix;
			sandbox.pay((await makePayment()).id);
			sandbox.clock.advance(1_000);
			await sandbox.webhooksIdle();
		}
		const { data } = await keyPartnerOf(sandbox).call('post', '/merchants', {
			companyName: 'Nord',
			contactEmail: 'nord@example.com',
		});
		sandbox.activate((data as { merchantId: number }).merchantId);
		await sandbox.webhooksIdle();
		expect(sandbox.deliveries.map(({ event, status }) => [event, status])).toEqual([
			['payment.completed', 200],
			['payment.completed', 200],
			['merchant.activated', 200],
		]);
		expect((await executions()).map((execution) => execution.json())).toEqual(
			sandbox.deliveries.map(({ rawBody }) => [JSON.parse(rawBody)]),
		);
	});

	it('that comes again starts nothing', async () => {
		const { url, executions } = await publish();
		const body = await bodyOf();
		const { secret } = only();
		expect(await deliver(url, body, secret)).toMatchObject(ACCEPTED);
		expect(await deliver(url, body, secret)).toMatchObject(IGNORED);
		expect(await deliver(url, body, secret, 'sha256=')).toMatchObject(IGNORED);
		expect(await executions()).toHaveLength(1);
	});

	it('of an event that was not asked for starts nothing', async () => {
		const { url, executions } = await publish();
		const body = JSON.stringify(keyMerchantBody('merchant.activated', sandbox.merchants[0]));
		expect(KEY_MERCHANTS.shop.clientId).toBe(sandbox.merchants[0].clientId);
		expect(await deliver(url, body, only().secret)).toMatchObject(IGNORED);
		expect(await executions()).toEqual([]);
	});

	it.each([
		['more than a day old', -25 * 60 * 60_000, 'more than 24 hours old'],
		['far ahead', 10 * 60_000, 'ahead of the clock'],
	])('%s is refused', async (_what, offset, reason) => {
		const { url } = await publish();
		const body = await bodyOf('payment.completed', new Date(Date.now() + offset));
		expect(await deliver(url, body, only().secret)).toMatchObject({ status: 401 });
		expect(warnings()).toEqual([expect.stringContaining(reason)]);
	});

	it('that is forged is refused, also in the way of access tokens', async () => {
		const { url, executions } = await publish();
		const body = await bodyOf();
		const { secret } = only();
		const right = keyWebhookHeaders(body, secret);
		for (const headers of [
			{},
			keyWebhookHeaders(body, 'whsec_of_somebody_else'),
			keyWebhookHeaders(body, ''),
			keyWebhookHeaders(`${body} `, secret),
			{ 'X-Webhook-Signature': `sha1=${right['X-Webhook-Signature']}` },
			webhookHeaders(body, secret),
			webhookHeaders(body, ''),
		]) {
			expect(await post(url, body, headers)).toMatchObject({ status: 401 });
		}
		expect(await executions()).toEqual([]);
	});

	it.each([
		['keys', 'apiKey'],
		['access tokens', 'oAuth2'],
	])('is verified in the way of %s, whatever headers it has', async (_what, authentication) => {
		const isKey = authentication === 'apiKey';
		const secret = 'whsec_of_both';
		engine = isKey
			? await engineWithKeys(sandbox, { webhookSecret: secret })
			: await engineFor(sandbox, { webhookSecret: secret });
		const { url } = await publish({ authentication });
		const body = await bodyOf();
		const key = keyWebhookHeaders(body, secret);
		const token = webhookHeaders(body, secret);
		const wrongKey = keyWebhookHeaders(body, 'x');
		const wrongToken = webhookHeaders(body, 'x');
		const refused = isKey ? [token, { ...token, ...wrongKey }] : [key, { ...key, ...wrongToken }];
		for (const headers of refused) {
			expect(await post(url, body, headers)).toMatchObject({ status: 401 });
		}
		const right = isKey ? { ...wrongToken, ...key } : { ...wrongKey, ...token };
		expect(await post(url, body, right)).toMatchObject(ACCEPTED);
	});
});

describe('a webhook that a person registered', () => {
	it('is verified with the secret in the credential, and nothing is registered', async () => {
		await engine.credential.edit({ webhookSecret: 'whsec_by_hand' });
		const { url, executions } = await publish();
		expect(sandbox.requests).toEqual([]);
		const body = await bodyOf();
		expect(await deliver(url, body, 'whsec_by_hand')).toMatchObject(ACCEPTED);
		expect(await deliver(url, body, '')).toMatchObject({ status: 401 });
		expect(await executions()).toHaveLength(1);
	});

	it('takes the place of the one that the trigger has registered', async () => {
		sandbox.settings.removableWebhooks = true;
		const { id } = await publish();
		await engine.credential.edit({ webhookSecret: 'whsec_by_hand' });
		await publish();
		expect(sandbox.registrations).toEqual([]);
		expect(slot(id)).toBeUndefined();
	});
});

describe('listening for a test event', () => {
	it('has a registration of its own, which is removed after it', async () => {
		sandbox.settings.removableWebhooks = true;
		const { url, id } = await publish();
		const production = only();
		const test = await listen();
		expect(test.url).not.toBe(url);
		const [, testing] = sandbox.registrations;
		expect(testing.url).toBe(test.url);
		const body = await bodyOf();
		expect(await deliver(test.url, body, production.secret)).toMatchObject({ status: 401 });
		expect(await deliver(url, body, testing.secret)).toMatchObject({ status: 401 });
		expect(await deliver(test.url, body, testing.secret)).toMatchObject(ACCEPTED);
		expect(await deliver(url, body, production.secret)).toMatchObject(ACCEPTED);
		await test.unpublish();
		expect(only()).toMatchObject({ id: production.id, url });
		expect(slot(id)).toMatchObject({ secret: production.secret });
	});

	it('takes the same registration up again where none can be removed', async () => {
		for (let time = 0; time < 3; time++) {
			const test = await listen();
			const body = await bodyOf();
			expect(await deliver(test.url, body, only().secret)).toMatchObject(ACCEPTED);
			await test.unpublish();
		}
		expect(counts()['registerWebhook 201']).toBe(1);
	});
});
