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
/** What a registration looks like in n8n's static data. */
const sealedFor = (url: string) => ({
	url,
	baseUrl: sandbox.url,
	sealed: expect.stringMatching(/^[\w-]{100,}$/),
});
/** The same of a trigger that has none: that is kept as well, since n8n may put an older one back. */
const noneFor = (url: string) => ({
	...sealedFor(url),
	sealed: expect.stringMatching(/^[\w-]{50,99}$/),
});

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

/** The trigger of an n8n that has just started: it is published, and n8n has called no method of it. */
const takeUp = async (parameters: INodeParameters = {}) => {
	const published = await engine.takeUp(workflowWith(parameters));
	return { ...published, url: published.urls[0] };
};
const urlOfTrigger = () => `${engine.url}/webhook/${trigger.webhookId}/webhook`;

/** What stands in the place of a secret. */
const MASKS = [
	'whsec_************',
	'whsec_…abcd',
	'whsec_xxxxxxxxxxxx',
	'●●●●',
	'[REDACTED]',
	'',
	null,
];

/** A payment of the shop, as the sandbox keeps it. */
async function createPayment() {
	const { paymentId } = (await keyPartnerOf(sandbox).create()).data as { paymentId: number };
	return sandbox.payment(paymentId);
}
const bodyOf = async (event: KeyEvent = 'payment.completed', at = new Date()) => {
	const status = event === 'payment.completed' ? 'paid' : 'failed';
	return JSON.stringify(keyPaymentBody(event, await createPayment(), status, at));
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
		expect(slot(id)).toEqual(sealedFor(url));
		expect(JSON.stringify(engine.staticData.get(id))).not.toContain(only().secret);
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

	it('writes its record anew, which deliveries then leave as it is', async () => {
		const { id, url } = await publish();
		const stored = slot(id);
		await publish();
		const again = slot(id);
		expect(again).not.toEqual(stored);
		expect(await deliver(url, await bodyOf(), only().secret)).toMatchObject(ACCEPTED);
		expect(await deliver(url, await bodyOf(), 'x')).toMatchObject({ status: 401 });
		expect(slot(id)).toEqual(again);
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

	it('with another URL registers anew, and leaves and names the old one', async () => {
		sandbox.settings.removableWebhooks = true;
		await publish();
		const { ...before } = only();
		await restart({ isMoved: true });
		const { url } = await publish();
		expect(sandbox.registrations).toMatchObject([before, { url }]);
		expect(counts()).toEqual({ 'listWebhooks 200': 2, 'registerWebhook 201': 2 });
		// n8n may still run at the old URL: its database was copied, such as to a test system.
		expect(warnings()).toEqual([
			expect.stringContaining(
				`the webhook ${before.id} for ${before.url} (it is not this n8n's URL`,
			),
		]);
		const body = await bodyOf();
		expect(await deliver(url, body, sandbox.registrations[1].secret)).toMatchObject(ACCEPTED);
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
		expect(slot(id)).toEqual(sealedFor(url));
		const body = await bodyOf();
		expect(await deliver(url, body, sandbox.registrations[1].secret)).toMatchObject(ACCEPTED);
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
		const { id, url, unpublish } = await publish();
		await unpublish();
		expect(sandbox.registrations).toEqual([]);
		expect(slot(id)).toEqual(noneFor(url));
		await unpublish();
		expect(warnings()).toEqual([]);
		await publish();
		expect(only().url).toBe(url);
	});

	it('is not undone by a delivery that was on its way', async () => {
		sandbox.settings.removableWebhooks = true;
		const { unpublish } = await publish();
		const { secret } = only();
		await unpublish();
		// n8n takes the path away after the trigger's own work.
		const { url } = await takeUp();
		expect(await deliver(url, await bodyOf(), secret)).toMatchObject({ status: 401 });
		expect(sandbox.registrations).toEqual([]);
		await publish();
		expect(await deliver(url, await bodyOf(), only().secret)).toMatchObject(ACCEPTED);
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
			expect(slot(id)).toEqual(sealedFor(url));
			await restart();
			const again = await publish();
			expect(only().url).toBe(url);
			expect(counts()['registerWebhook 201']).toBe(1);
			const body = await bodyOf();
			expect(await deliver(again.url, body, only().secret)).toMatchObject(ACCEPTED);
		},
	);

	it('is done when a person has removed it already', async () => {
		const { id, url, unpublish } = await publish();
		sandbox.settings.removableWebhooks = true;
		await keyPartnerOf(sandbox).call('delete', `/webhooks/${only().id}`);
		await unpublish();
		expect(slot(id)).toEqual(noneFor(url));
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
			expect.stringContaining(`refuses events of the webhook ${id}, which AcountPay also has for`),
			expect.stringContaining('its signature is wrong'),
		]);
	});

	it('is replaced and removed where AcountPay lets it', async () => {
		sandbox.settings.removableWebhooks = true;
		const { id } = await publish();
		const { id: oldId } = only();
		engine.staticData.delete(id);
		await restart();
		await publish();
		expect(only().id).not.toBe(oldId);
		expect(warnings()).toEqual([]);
	});

	it('is kept by the process, and stored again with the next event', async () => {
		const { id, url } = await publish();
		const { id: number, secret } = only();
		engine.staticData.set(id, { global: { count: 1 } });
		expect(await deliver(url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
		expect(slot(id)).toEqual(sealedFor(url));
		await restart();
		const again = await takeUp();
		expect(await deliver(again.url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
		expect(only().id).toBe(number);
		expect(warnings()).toEqual([]);
	});

	it.each(['always', 'creation'] as const)(
		'is replaced, whatever the list shows in its place (%s)',
		async (secretShown) => {
			await publish();
			const { secret: lost } = only();
			sandbox.settings.secretShown = secretShown;
			await restart({ keepsStaticData: false });
			const { url } = await publish();
			const { secret } = sandbox.registrations[1];
			expect(await deliver(url, await bodyOf(), lost)).toMatchObject({ status: 401 });
			expect(await deliver(url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
		},
	);

	it.each(MASKS)('is not taken up with %j in place of the secret', async (shown) => {
		await publish();
		await restart({ keepsStaticData: false });
		const entry = { ...only(), secret: shown };
		sandbox.faults.add({ match: { endpoint: 'listWebhooks' }, status: 200, body: [entry] });
		const { url } = await publish();
		const { secret } = sandbox.registrations[1];
		expect(await deliver(url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
		if (shown) expect(await deliver(url, await bodyOf(), shown)).toMatchObject({ status: 401 });
	});

	it('opens to nobody while it is lost, and is registered anew by the first delivery', async () => {
		sandbox.settings.removableWebhooks = true;
		await publish();
		const { secret: lost } = only();
		await restart({ keepsStaticData: false });
		const { url } = await takeUp();
		const before = counts();
		const noise: Array<Record<string, string>> = [{}, { 'X-Webhook-Signature': 'zz' }];
		for (const headers of noise) {
			expect(await post(url, await bodyOf(), headers)).toMatchObject({ status: 401 });
		}
		expect(counts()).toMatchObject(before);
		for (const secret of ['', 'undefined', lost]) {
			expect(await deliver(url, await bodyOf(), secret)).toMatchObject({ status: 401 });
		}
		expect(counts()).toMatchObject({
			'listWebhooks 200': before['listWebhooks 200'] + 1,
			'registerWebhook 201': 2,
			'removeWebhook 204': 1,
		});
		expect(await deliver(url, await bodyOf(), only().secret)).toMatchObject(ACCEPTED);
		const { id } = only();
		expect(warnings()).toContainEqual(
			expect.stringMatching(`has registered ${id}\\. Events since .* may be lost`),
		);
	});
});

describe('static data that n8n has put back', () => {
	it('do not bring the removed webhook back: the newest secret counts', async () => {
		sandbox.settings.removableWebhooks = true;
		const { id, unpublish } = await publish();
		const { secret: removed } = only();
		const older = engine.staticData.get(id)!;
		await unpublish();
		const { url } = await publish();
		const { secret } = only();
		engine.staticData.set(id, older);
		expect(await deliver(url, await bodyOf(), removed)).toMatchObject({ status: 401 });
		expect(await deliver(url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
		expect(slot(id)).not.toEqual(older);
		expect(counts()['registerWebhook 201']).toBe(2);
	});

	it('are settled at AcountPay by the first delivery after a restart, or by publishing', async () => {
		sandbox.settings.removableWebhooks = true;
		const { id, unpublish } = await publish();
		const older = engine.staticData.get(id)!;
		await unpublish();
		await publish();
		for (const begin of [takeUp, publish]) {
			engine.staticData.set(id, older);
			await restart();
			const { url } = await begin();
			// Of a webhook that is gone by then, or with a secret that nobody knows.
			const first = await deliver(url, await bodyOf(), only().secret);
			expect(first.status).toBe(begin === takeUp ? 401 : 200);
			expect(await deliver(url, await bodyOf(), only().secret)).toMatchObject(ACCEPTED);
		}
	});
});

describe('a client secret that was rotated', () => {
	it('leads to a new registration, by the first delivery or by publishing', async () => {
		sandbox.settings.removableWebhooks = true;
		const { url } = await publish();
		for (const settle of ['delivery', 'publish']) {
			const clientSecret = randomUUID().repeat(2);
			sandbox.setKeys({ clientSecret });
			await engine.credential.edit({ clientSecret });
			const { now } = Date;
			const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + 61_000);
			const { secret: before } = only();
			if (settle === 'publish') await publish();
			else expect(await deliver(url, await bodyOf(), before)).toMatchObject({ status: 401 });
			expect(only().secret).not.toBe(before);
			expect(await deliver(url, await bodyOf(), only().secret)).toMatchObject(ACCEPTED);
			clock.mockRestore();
		}
	});
});

describe('deliveries that nobody has signed', () => {
	it('cause one look at AcountPay a minute at most, and register nothing', async () => {
		const { url } = await publish();
		const registered = { ...only() };
		const noise = Array.from({ length: 40 }, async (_, at) => {
			const body = await bodyOf();
			const headers = [{}, keyWebhookHeaders(body, 'x'), keyWebhookHeaders(body, '')][at % 3];
			return (await post(url, body, headers as Record<string, string>)).status;
		});
		expect(new Set(await Promise.all(noise))).toEqual(new Set([401]));
		expect(counts()).toMatchObject({ 'listWebhooks 200': 2, 'registerWebhook 201': 1 });
		expect(only()).toEqual(registered);
		expect(await deliver(url, await bodyOf(), registered.secret)).toMatchObject(ACCEPTED);
	});

	it('cause no registration for an n8n at another address than the registered one', async () => {
		for (const keepsStaticData of [true, false]) {
			await publish();
			const registered = sandbox.registrations;
			await restart({ isMoved: true, keepsStaticData });
			const { url } = await takeUp();
			expect(await deliver(url, await bodyOf(), 'x')).toMatchObject({ status: 401 });
			expect(sandbox.registrations).toEqual(registered);
			expect(warnings()[0]).toContain('If n8n has moved, unpublish and publish the workflow');
			await publish();
			expect(sandbox.registrations).toHaveLength(registered.length + 1);
		}
	});
});

describe('a webhook whose secret was changed at AcountPay', () => {
	const rotated = () =>
		`whsec_${randomUUID().replaceAll('-', '')}${randomUUID().slice(0, 8)}aaaaaaaa`;

	it('is used with the secret that the list shows, once a delivery is signed with that', async () => {
		const { url } = await publish();
		const { secret: before } = only();
		sandbox.settings.secretShown = 'always';
		const secret = rotated();
		only().secret = secret;
		expect(await deliver(url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
		expect(await deliver(url, await bodyOf(), before)).toMatchObject({ status: 401 });
		await restart();
		const again = await takeUp();
		expect(await deliver(again.url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
		expect(counts()['registerWebhook 201']).toBe(1);
	});

	it.each(MASKS.filter(Boolean) as string[])('is never used with the mask %j', async (mask) => {
		const { url } = await publish();
		const { secret } = only();
		const entry = { ...only(), secret: mask };
		sandbox.faults.add({
			match: { endpoint: 'listWebhooks' },
			status: 200,
			body: [entry],
			times: Infinity,
		});
		await publish();
		expect(await deliver(url, await bodyOf(), mask)).toMatchObject({ status: 401 });
		expect(await deliver(url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
	});
});

describe('static data that somebody has written who may edit the workflow', () => {
	const OTHER = 'https://shop.example.com/hook';
	const foreign = async () => {
		await keyPartnerOf(sandbox).call('post', '/webhooks', {
			url: OTHER,
			events: ['payment.failed'],
		});
		return { ...sandbox.registrations.at(-1)! };
	};
	const write = (id: string, registration: IDataObject) =>
		engine.staticData.set(id, { [`node:${trigger.name}`]: { registration } });

	it.each(['id', 'url', 'own url', '..'])(
		"never changes or removes somebody else's webhook (%s)",
		async (what) => {
			sandbox.settings.removableWebhooks = true;
			const { id: number } = await foreign();
			const id = workflowWith().id;
			const record = {
				id: what === '..' ? '..' : String(number),
				secret: 'whsec_known_to_the_writer',
				url: what === 'own url' ? urlOfTrigger() : what === 'url' ? 'x' : OTHER,
				baseUrl: sandbox.url,
			};
			write(id, record);
			const { url, unpublish } = await publish();
			expect(await deliver(url, await bodyOf(), record.secret)).toMatchObject({ status: 401 });
			write(id, record);
			await unpublish();
			expect(sandbox.registrations).toMatchObject([{ id: number, url: OTHER }]);
			const asked = sandbox.requests.map(({ method, path }) => `${method} ${path}`);
			expect(asked).not.toContain(`PUT /v1/partner/webhooks/${number}`);
			expect(asked).not.toContain(`DELETE /v1/partner/webhooks/${number}`);
			expect(asked).not.toContain('DELETE /v1/partner/');
		},
	);

	it('in the clear, as this package once did, opens no door, and leads to a new registration', async () => {
		sandbox.settings.removableWebhooks = true;
		await publish();
		const { id: number, secret } = only();
		const { id } = workflowWith();
		write(id, { id: String(number), secret, url: urlOfTrigger(), baseUrl: sandbox.url });
		await restart();
		const { url } = await takeUp();
		expect(await deliver(url, await bodyOf(), secret)).toMatchObject({ status: 401 });
		expect(only().id).not.toBe(number);
		expect(await deliver(url, await bodyOf(), only().secret)).toMatchObject(ACCEPTED);
	});

	it.each(['publish', 'failing publish', 'unpublish', 'event', 'refused event', 'OAuth2 event'])(
		'in the clear is deleted by the next %s',
		async (by) => {
			const { url, id, unpublish } = await publish();
			const { id: number, secret } = only();
			write(id, { id: String(number), secret, url, baseUrl: sandbox.url });
			await engine.credential.edit({ webhookSecret: 'whsec_by_hand' });
			if (by === 'publish') await publish();
			else if (by === 'failing publish') {
				sandbox.faults.add({ match: { endpoint: 'listWebhooks' }, status: 403 });
				await publish();
			} else if (by === 'unpublish') await unpublish();
			else if (by === 'OAuth2 event') {
				const { urls } = await engine.takeUp(workflowWith({ authentication: 'oAuth2' }));
				await post(urls[0], '{}');
			} else await deliver(url, await bodyOf(), by === 'event' ? 'whsec_by_hand' : 'x');
			expect(JSON.stringify(engine.staticData.get(id))).not.toContain(secret);
		},
	);

	it('of another trigger opens no door, and a copy gets a webhook of its own', async () => {
		sandbox.settings.removableWebhooks = true;
		const original = await publish();
		const { ...registered } = only();
		const copies = [
			{ id: `workflow-${trigger.webhookId}`, node: { ...trigger, id: randomUUID() } },
			{ id: randomUUID(), node: { ...trigger, webhookId: randomUUID() } },
			{ id: randomUUID(), node: { ...trigger, id: randomUUID(), webhookId: randomUUID() } },
		];
		for (const { id, node } of copies) {
			const data = engine.staticData.get(original.id)!;
			await restart();
			engine.staticData.set(id, data);
			const [before, isSameUrl] = [trigger, node.webhookId === trigger.webhookId];
			trigger = node;
			const { url } = await engine
				.takeUp(workflowWith({}, id))
				.then(({ urls }) => ({ url: urls[0] }));
			expect(await deliver(url, await bodyOf(), registered.secret)).toMatchObject({ status: 401 });
			trigger = before;
			const there = sandbox.registrations.some((each) => each.id === registered.id);
			expect(there).toBe(!isSameUrl);
			if (isSameUrl) Object.assign(registered, only());
			else expect(sandbox.registrations.length).toBeGreaterThan(1);
		}
	});
});

describe('a list of webhooks', () => {
	it.each(['', ':80', 'upper case'])(
		'that writes the URL in its own way (%j) is understood',
		async (way) => {
			const { url } = await publish();
			const { host } = new URL(url);
			const written = way === 'upper case' ? url.replace('http', 'HTTP') : url;
			only().url = way === ':80' ? url.replace('/webhook/', '/%77ebhook/') : written;
			expect(host).toContain('127.0.0.1');
			await restart();
			const again = await publish();
			expect(counts()['registerWebhook 201']).toBe(1);
			expect(await deliver(again.url, await bodyOf(), only().secret)).toMatchObject(ACCEPTED);
		},
	);

	it.each([true, false])(
		'of 2,500 with the same URL takes a few requests (removable: %j)',
		async (removableWebhooks) => {
			sandbox.settings.removableWebhooks = removableWebhooks;
			for (let count = 0; count < 2_500; count++) {
				await keyPartnerOf(sandbox).call('post', '/webhooks', {
					url: urlOfTrigger(),
					events: ['payment.failed'],
				});
			}
			const before = sandbox.requests.length;
			const { url } = await publish();
			expect(sandbox.requests.length - before).toBeLessThan(15);
			expect(warnings()).toEqual([expect.stringMatching(/\d and 2,?4\d\d more for http/)]);
			const { secret } = sandbox.registrations.at(-1)!;
			expect(await deliver(url, await bodyOf(), secret)).toMatchObject(ACCEPTED);
		},
	);
});

describe('a publication that fails', () => {
	it('names the credential when the keys are wrong', async () => {
		await engine.credential.edit({ clientSecret: 'wrong-secret' });
		await expect(publish()).rejects.toMatchObject({
			message: expect.stringMatching(
				/^AcountPay refused the API keys of the credential 'AcountPay account' .*Partner Dashboard/,
			),
		});
		expect(sandbox.registrations).toEqual([]);
	});

	it('says so when AcountPay does not respond, within half a minute', async () => {
		const startedAt = Date.now();
		await engine.credential.edit({ baseUrl: 'http://127.0.0.1:9' });
		await expect(publish()).rejects.toThrow(
			/^AcountPay could not be reached for the list of webhooks\. AcountPay events won't start this workflow until its webhook is registered\./,
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
				/^Trigger On must be one or more of Payment Completed, Payment Failed, Merchant/,
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
		const shown = [secret, sandbox.keys.clientSecret];
		const expectHidden = (error: unknown) => {
			for (const hidden of shown) expect(inspect(error, { depth: 9 })).not.toContain(hidden);
		};
		await publish({ events: ['payment.failed'] }).catch(expectHidden);
		// A refusal that echoes the webhook, whatever its secret looks like.
		const echoed = `plain-${randomUUID()}`;
		shown.push(echoed, `whsec_${echoed}`);
		for (const body of [
			{ message: 'invalid', value: { secret: echoed } },
			`<p>whsec_${echoed}</p>`,
		]) {
			trigger = { ...trigger, webhookId: randomUUID() };
			sandbox.faults.add({ match: { endpoint: 'registerWebhook' }, status: 422, body });
			const error: unknown = await publish().catch((thrown: unknown) => thrown);
			expect(error).toBeInstanceOf(Error);
			expectHidden(error);
		}
		const stored = (await executions()).map(({ stored: { data } }) => data).join();
		expect(stored).toContain('payment.completed');
		for (const hidden of shown) {
			expect(`${stored} ${engine.log.text()}`).not.toContain(hidden);
		}
	});
});

describe('a delivery', () => {
	it('of a failed payment and of a closed merchant starts the workflow', async () => {
		const chosen = ['payment.failed', 'merchant.deactivated'];
		const { executions } = await publish({ events: chosen });
		const { clientId } = KEY_MERCHANTS.slow;
		const { id } = await createPayment();
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
			sandbox.pay((await createPayment()).id);
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

	it('of a kind that nobody knows is answered 200, and logged once', async () => {
		const { url, executions } = await publish();
		const body = JSON.stringify({ event: 'webhook.test', data: {} });
		for (let time = 0; time < 3; time++) {
			expect(await deliver(url, body, only().secret)).toMatchObject(IGNORED);
		}
		expect(await deliver(url, body, 'x')).toMatchObject({ status: 401 });
		expect(warnings().filter((line) => line.includes('"webhook.test"'))).toHaveLength(1);
		expect(await executions()).toEqual([]);
	});

	it('of another environment is no repeat: it has numbers of its own', async () => {
		const { url, executions } = await publish();
		const body = await bodyOf();
		expect(await deliver(url, body, only().secret)).toMatchObject(ACCEPTED);
		await engine.credential.edit({ baseUrl: sandbox.url.replace('127.0.0.1', 'localhost') });
		await publish();
		const { secret } = sandbox.registrations[1];
		expect(await deliver(url, body, secret)).toMatchObject(ACCEPTED);
		expect(await deliver(url, body, secret)).toMatchObject(IGNORED);
		expect(await executions()).toHaveLength(2);
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
	const BY_HAND = 'whsec_by_hand';
	/** What a person does in the Partner Dashboard. */
	const registerByHand = async (url: string) => {
		await keyPartnerOf(sandbox).call('post', '/webhooks', { url, events: ['payment.completed'] });
		sandbox.registrations.at(-1)!.secret = BY_HAND;
	};

	it('is verified with the secret in the credential, and nothing is registered', async () => {
		await engine.credential.edit({ webhookSecret: BY_HAND });
		await registerByHand(urlOfTrigger());
		const { url, executions } = await publish();
		expect(only().secret).toBe(BY_HAND);
		expect(warnings()).toEqual([
			expect.stringMatching(/registers no webhook: AcountPay has \d+ for http.* Webhook Secret/),
		]);
		const body = await bodyOf();
		expect(await deliver(url, body, BY_HAND)).toMatchObject(ACCEPTED);
		expect(await deliver(url, body, '')).toMatchObject({ status: 401 });
		expect(await executions()).toHaveLength(1);
	});

	it('is accepted beside the one that the trigger has registered, and neither is removed', async () => {
		sandbox.settings.removableWebhooks = true;
		const { url } = await publish();
		const { secret } = only();
		await engine.credential.edit({ webhookSecret: BY_HAND });
		await registerByHand(url);
		await publish();
		expect(sandbox.registrations).toHaveLength(2);
		for (const key of [BY_HAND, secret]) {
			expect(await deliver(url, await bodyOf(), key)).toMatchObject(ACCEPTED);
		}
	});

	it('for something else does not make the trigger deaf, nor keep it from registering', async () => {
		const first = await publish();
		const { secret } = only();
		await engine.credential.edit({ webhookSecret: 'whsec_of_something_else' });
		await restart();
		const again = await publish();
		expect(await deliver(again.url, await bodyOf(), secret)).toMatchObject(ACCEPTED);

		trigger = { ...trigger, webhookId: randomUUID() };
		const { url } = await publish();
		expect(sandbox.registrations).toMatchObject([{ url: first.url }, { url: urlOfTrigger() }]);
		const other = sandbox.registrations[1].secret;
		expect(await deliver(url, await bodyOf(), other)).toMatchObject(ACCEPTED);
	});

	it('is enough when AcountPay does not tell what is registered, and the log says so', async () => {
		await engine.credential.edit({ webhookSecret: BY_HAND });
		sandbox.faults.add({ match: { endpoint: 'listWebhooks' }, status: 403, times: Infinity });
		const { url } = await publish();
		expect(warnings()).toEqual([expect.stringMatching(/registered no webhook .* Webhook Secret/)]);
		expect(await deliver(url, await bodyOf(), BY_HAND)).toMatchObject(ACCEPTED);
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
		expect(slot(id)).toEqual(sealedFor(url));
		expect(await deliver(url, await bodyOf(), production.secret)).toMatchObject(ACCEPTED);
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
