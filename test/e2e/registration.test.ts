/**
 * AcountPay Trigger with keys on a real n8n: it registers itself, is found again, and is told of events by the sandbox.
 */
import axios from 'axios';
import type { IDataObject } from 'n8n-workflow';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import {
	KEY_MERCHANTS,
	keyMerchantBody,
	keyPaymentBody,
	keyWebhookHeaders,
	startSandbox,
	type Sandbox,
} from '../../sandbox';
import { isFinished, itemsOf, type N8nApi, type StoredWorkflow } from '../../tools/n8n/api';
import { workflow } from '../../tools/n8n/workflow';
import { ACCEPTED, IGNORED, post } from '../kit/deliveries';
import { sharedN8n, useOwnN8n } from '../kit/n8n';
import { until } from '../kit/payments';
import { keyPartnerOf } from '../sandbox/client';
import { startFrom } from './example';
import { itIsPromised } from './promises';

jest.setTimeout(300_000);

let sandbox: Sandbox;
beforeAll(async () => {
	sandbox = await startSandbox();
});
beforeEach(() => sandbox.reset());
afterAll(async () => await sandbox.close());

const { api, log, cli, database } = sharedN8n();
/** For the tests that restart it. Each leaves no trigger there that would look at its webhook at the next start. */
const n8n = useOwnN8n();

const definition = (
	credential: unknown,
	webhookId: string,
	events: string[],
	name = 'AcountPay Trigger',
) =>
	workflow([
		{
			id: 'trigger',
			name,
			type: 'n8n-nodes-acountpay.acountPayTrigger',
			typeVersion: 1,
			webhookId,
			parameters: { authentication: 'apiKey', events },
			credentials: { acountPayKeyApi: credential },
		},
		{ name: 'After', type: 'n8n-nodes-base.noOp', typeVersion: 1, parameters: {} },
	] as never);

/** Stores a workflow with a trigger, without publishing it. */
async function createTrigger(at: N8nApi, changes: IDataObject = {}) {
	const data = { environment: 'custom', baseUrl: sandbox.url, ...sandbox.keys, ...changes };
	const credential = await at.createCredential('Keys', 'acountPayKeyApi', data as never);
	const webhookId = randomUUID();
	const make = (events: string[]) => definition(credential, webhookId, events);
	const { id } = await at.createWorkflow(make(['payment.completed']));
	/** Edits the credential. */
	const edit = async (edits: IDataObject) =>
		await at.updateCredential(credential, { ...data, ...edits } as never);
	return { id, make, edit, url: at.webhookUrl(`${webhookId}/webhook`) };
}

async function publish(at: N8nApi, id: string) {
	expect(await at.publish(id)).toMatchObject({ status: 'published' });
}

async function unpublish(at: N8nApi, id: string, isDone: () => boolean) {
	await at.deactivate(id);
	await until(isDone);
}

/** How many requests of each kind there were. */
const asked = (endpoint: string) =>
	sandbox.requests.filter((request) => request.endpoint === endpoint).length;

/** Has a payment paid, and waits until its event is delivered. @returns the body of that */
async function pay(): Promise<string> {
	const { paymentId } = (await keyPartnerOf(sandbox).create()).data as { paymentId: number };
	sandbox.pay(paymentId);
	sandbox.clock.advance(1_000);
	await sandbox.webhooksIdle();
	const delivery = sandbox.deliveries.filter((each) => each.paymentId === paymentId).at(-1);
	expect(delivery).toMatchObject({ status: 200 });
	return delivery!.rawBody;
}

/** What a workflow was started with, when it has been so many times and has ended. */
async function startedWith(at: N8nApi, id: string, times: number): Promise<IDataObject[]> {
	const runs = async () => (await at.listExecutions()).filter((run) => run.workflowId === id);
	await until(async () => {
		const all = await runs();
		return all.length >= times && all.every(isFinished);
	});
	const whole = await Promise.all((await runs()).map(async (run) => await at.getExecution(run.id)));
	return whole.reverse().map((run) => itemsOf(run, 'After')[0].json);
}

const paidBody = async (at = new Date()) => {
	const { paymentId } = (await keyPartnerOf(sandbox).create()).data as { paymentId: number };
	return JSON.stringify(
		keyPaymentBody('payment.completed', sandbox.payment(paymentId), 'paid', at),
	);
};

it('publishes, changes, unpublishes and publishes again with one registration', async () => {
	const { id, make, url } = await createTrigger(api);
	await publish(api, id);
	const [{ id: number, secret }] = sandbox.registrations;
	expect(sandbox.registrations).toMatchObject([{ url, events: ['payment.completed'] }]);
	const first = await pay();

	// n8n takes the old trigger away and sets the new one up.
	await api.updateWorkflow(id, make(['payment.completed', 'merchant.activated']));
	await publish(api, id);
	await until(() => asked('changeWebhook') === 1);
	expect(sandbox.registrations).toMatchObject([
		{ id: number, secret, url, events: ['payment.completed', 'merchant.activated'] },
	]);
	const second = await pay();

	await unpublish(api, id, () => asked('removeWebhook') >= 2);
	await until(() => log().includes(`could not remove the webhook ${number} for ${url}`));
	expect(sandbox.registrations).toHaveLength(1);
	await publish(api, id);
	const third = await pay();
	expect(asked('registerWebhook')).toBe(1);
	expect(sandbox.registrations).toMatchObject([{ id: number, secret, url }]);
	expect(await startedWith(api, id, 3)).toEqual(
		[first, second, third].map((body) => JSON.parse(body)),
	);
	expect(log()).not.toContain(secret);
	await api.deactivate(id);
});

it('starts a workflow for the events that were chosen, and for no other', async () => {
	const { id, make, url } = await createTrigger(api);
	const events = ['payment.failed', 'merchant.deactivated'];
	await api.updateWorkflow(id, make(events));
	await publish(api, id);
	expect(sandbox.registrations).toMatchObject([{ url, events }]);
	const [{ secret }] = sandbox.registrations;

	const { paymentId } = (await keyPartnerOf(sandbox).create()).data as { paymentId: number };
	sandbox.decline(paymentId);
	await sandbox.webhooksIdle();
	sandbox.deactivate(KEY_MERCHANTS.slow.id);
	await sandbox.webhooksIdle();
	// AcountPay would not send these here.
	const paid = await paidBody();
	const merchant = sandbox.merchant(KEY_MERCHANTS.shop.id);
	const activated = JSON.stringify(keyMerchantBody('merchant.activated', merchant));
	for (const body of [paid, activated]) {
		expect(await post(url, body, keyWebhookHeaders(body, secret))).toMatchObject(IGNORED);
	}

	expect(sandbox.deliveries).toMatchObject(events.map((event) => ({ event, status: 200 })));
	const started = await startedWith(api, id, 2);
	expect(started).toEqual(sandbox.deliveries.map(({ rawBody }) => JSON.parse(rawBody)));
	expect(started).toMatchObject([
		{ event: 'payment.failed', data: { paymentId, status: 'failed' } },
		{ event: 'merchant.deactivated', data: { merchantId: KEY_MERCHANTS.slow.id } },
	]);
	await api.deactivate(id);
});

it('removes the registration where AcountPay lets it, and makes a new one', async () => {
	sandbox.settings.removableWebhooks = true;
	const { id, url } = await createTrigger(api);
	await publish(api, id);
	await unpublish(api, id, () => sandbox.registrations.length === 0);
	await publish(api, id);
	expect(sandbox.registrations).toMatchObject([{ url }]);
	await pay();
	expect(await startedWith(api, id, 1)).toHaveLength(1);
	await unpublish(api, id, () => sandbox.registrations.length === 0);
});

it('starts a workflow once for each event, and for nothing that is forged or old', async () => {
	sandbox.settings.signaturePrefix = 'sha256=';
	const { id, url } = await createTrigger(api);
	await publish(api, id);
	const [{ secret }] = sandbox.registrations;
	const body = await pay();
	for (const prefix of ['', 'sha256=']) {
		const repeat = await post(url, body, keyWebhookHeaders(body, secret, prefix));
		expect(repeat).toMatchObject(IGNORED);
	}
	const recorded = await paidBody(new Date(Date.now() - 25 * 60 * 60_000));
	expect(await post(url, recorded, keyWebhookHeaders(recorded, secret))).toMatchObject({
		status: 401,
	});
	const forged = await paidBody();
	for (const key of ['', 'whsec_of_somebody_else', sandbox.keys.clientSecret]) {
		const reply = await post(url, forged, keyWebhookHeaders(forged, key));
		expect(reply).toMatchObject({ status: 401 });
	}
	expect(await post(url, forged)).toMatchObject({ status: 401 });
	const last = await pay();
	expect(await startedWith(api, id, 2)).toEqual([JSON.parse(body), JSON.parse(last)]);
	await api.deactivate(id);
});

it('tests with a registration of its own', async () => {
	sandbox.settings.removableWebhooks = true;
	const { id, url } = await createTrigger(api);
	await publish(api, id);
	const [production] = sandbox.registrations;
	const testUrl = url.replace('/webhook/', '/webhook-test/');
	await startFrom(api, id, 'AcountPay Trigger');
	await until(() => sandbox.registrations.length === 2);
	expect(sandbox.registrations[1].url).toBe(testUrl);
	const body = await paidBody();
	const [, testing] = sandbox.registrations;
	const wrong = await post(testUrl, body, keyWebhookHeaders(body, production.secret));
	expect(wrong).toMatchObject({ status: 401 });
	expect(await post(testUrl, body, keyWebhookHeaders(body, testing.secret))).toMatchObject(
		ACCEPTED,
	);
	await until(() => sandbox.registrations.length === 1);
	expect(sandbox.registrations).toEqual([production]);
	await unpublish(api, id, () => sandbox.registrations.length === 0);
});

it('is not published when AcountPay refuses, and n8n says why without a secret', async () => {
	const changed = await createTrigger(api);
	await publish(api, changed.id);
	const [own] = sandbox.registrations;
	await unpublish(api, changed.id, () => asked('removeWebhook') > 0);
	await api.updateWorkflow(changed.id, changed.make(['payment.failed']));
	const foreign = { url: own.url, secret: `whsec_${randomUUID()}` };
	for (const [endpoint, webhook] of [
		['changeWebhook', own],
		['registerWebhook', foreign],
	] as const) {
		const message = `not valid: ${JSON.stringify(webhook)}`;
		const body = { message, webhook };
		sandbox.faults.add({ match: { endpoint }, status: 422, body, times: Infinity });
	}
	const created = await createTrigger(api);
	const wrong = await createTrigger(api, { clientSecret: 'wrong-secret' });
	// n8n tries each several times.
	const publications = await Promise.all(
		[changed, created, wrong].map(async ({ id }) => await api.publish(id)),
	);
	expect(publications).toEqual(
		[
			/AcountPay refused the change of webhook \d+: not valid/,
			/AcountPay refused the new webhook: not valid/,
			/AcountPay refused the API keys of the credential 'Keys' .*Partner Dashboard/,
		].map((text) => ({ status: 'failed', problems: [expect.stringMatching(text)] })),
	);
	for (const { secret } of [own, foreign]) {
		expect(log()).not.toContain(secret);
		expect(database()).not.toContain(secret);
	}
	for (const { id } of [changed, created, wrong]) await api.deactivate(id);
});

it.each(['stop', 'kill'] as const)('finds its registration after a restart (%s)', async (how) => {
	const { id, url } = await createTrigger(n8n.api);
	await publish(n8n.api, id);
	const registered = { ...sandbox.registrations[0] };
	const before = await pay();
	expect(await startedWith(n8n.api, id, 1)).toHaveLength(1);
	await n8n.restart(how);
	await sleep(2_000);
	const after = await pay();
	expect(await startedWith(n8n.api, id, 2)).toEqual([JSON.parse(before), JSON.parse(after)]);
	expect(sandbox.registrations).toHaveLength(1);
	expect(sandbox.registrations[0]).toMatchObject({
		id: registered.id,
		secret: registered.secret,
	});
	expect(asked('registerWebhook') + asked('changeWebhook')).toBe(1);
	// The log says last that it could not be removed.
	await unpublish(n8n.api, id, () => n8n.log().includes(` for ${url} (`));
});

/**
 * A trigger keeps its registration and shows nobody its secret, when another node writes after a long wait and n8n restarts.
 * @param isDropped whether n8n drops what the trigger has stored
 * @param looks how often the trigger lists its webhooks
 */
async function keepsItsRegistration({ isDropped, looks }: { isDropped: boolean; looks: number }) {
	const { id, make, url } = await createTrigger(n8n.api);
	const [trigger] = make(['payment.completed']).nodes;
	// As after more than a minute: n8n parks the execution, and goes on with the static data that it has parked with it, if any.
	// The first does so soon, and the second not as long as the test looks.
	const [last] = await n8n.api.listExecutions();
	const resumeAmount = `={{ $execution.id > ${Number(last?.id ?? 0) + 1} ? 600 : 5 }}`;
	const limit = { limitType: 'afterTimeInterval', resumeAmount, resumeUnit: 'seconds' };
	const wait = { resume: 'webhook', limitWaitTime: true, ...limit };
	const jsCode = "$getWorkflowStaticData('global').seen = true; return $input.all();";
	await n8n.api.updateWorkflow(
		id,
		workflow([
			trigger,
			{ name: 'Wait', type: 'n8n-nodes-base.wait', typeVersion: 1.1, parameters: wait },
			{ name: 'After', type: 'n8n-nodes-base.code', typeVersion: 2, parameters: { jsCode } },
		]),
	);
	await publish(n8n.api, id);
	const { secret } = sandbox.registrations[0];
	const stored = async () => JSON.stringify(await n8n.api.getWorkflow(id));
	expect(await stored()).toContain('sealed');
	const first = await pay();
	expect(await startedWith(n8n.api, id, 1)).toEqual([JSON.parse(first)]);
	expect(await stored()).toContain('"seen":true');
	expect((await stored()).includes('sealed')).toBe(!isDropped);

	// The process remembers the secret and the event, and stores them again; what starts then knows them by that.
	await pay();
	expect(await stored()).toContain('sealed');
	await n8n.restart('kill');
	await sleep(2_000);
	await pay();
	for (const body of [first, sandbox.deliveries.at(-1)!.rawBody]) {
		expect(await post(url, body, keyWebhookHeaders(body, secret))).toMatchObject(IGNORED);
	}
	expect(await stored()).not.toContain(secret);
	expect(asked('registerWebhook')).toBe(1);
	expect(asked('listWebhooks')).toBe(looks);
	// The log says last that it could not be removed.
	await unpublish(n8n.api, id, () => n8n.log().includes(` for ${url} (`));
}

itIsPromised(
	'n8n keeps what a trigger has stored when another node writes after a long wait',
	async () => await keepsItsRegistration({ isDropped: false, looks: 2 }),
	async () => await keepsItsRegistration({ isDropped: true, looks: 1 }),
);

/**
 * A registration that was removed is not brought back by an older execution, nor by that and a restart.
 * @param looksAtStart whether n8n has the trigger look at AcountPay when it starts
 */
async function isNotBroughtBack({ looksAtStart }: { looksAtStart: boolean }) {
	sandbox.settings.removableWebhooks = true;
	const earlier = n8n.log().length;
	const { id, make, url } = await createTrigger(n8n.api);
	const [trigger] = make(['payment.completed']).nodes;
	const path = randomUUID();
	const jsCode = "$getWorkflowStaticData('global').seen = true; return $input.all();";
	const slow = workflow([
		{
			name: 'Slow',
			type: 'n8n-nodes-base.webhook',
			typeVersion: 2,
			webhookId: path,
			parameters: { path, httpMethod: 'POST' },
		},
		// Less than a minute: n8n keeps the execution, with the static data that it began with.
		{
			name: 'Wait',
			type: 'n8n-nodes-base.wait',
			typeVersion: 1.1,
			parameters: { amount: 6, unit: 'seconds' },
		},
		{ name: 'After', type: 'n8n-nodes-base.code', typeVersion: 2, parameters: { jsCode } },
	]);
	await n8n.api.updateWorkflow(id, { ...slow, nodes: [trigger, ...slow.nodes] });
	await publish(n8n.api, id);
	const stored = async () => {
		const { staticData } = (await n8n.api.getWorkflow(id)) as unknown as IDataObject;
		return (staticData as IDataObject)['node:AcountPay Trigger'] as IDataObject;
	};
	const send = async (secret: string) => {
		const body = await paidBody();
		return (await post(url, body, keyWebhookHeaders(body, secret))).status;
	};
	/** Has another webhook registered while an execution runs that then puts back the record of the present one. */
	const replace = async () => {
		const older = JSON.stringify(await stored());
		const [{ secret: removed }] = sandbox.registrations;
		expect((await post(n8n.api.webhookUrl(path), '{}')).status).toBe(200);
		await unpublish(n8n.api, id, () => sandbox.registrations.length === 0);
		await publish(n8n.api, id);
		expect(JSON.stringify(await stored())).not.toBe(older);
		await until(async () => JSON.stringify(await stored()) === older);
		return removed;
	};
	const secretNow = () => sandbox.registrations[0].secret;

	const first = await replace();
	expect(await send(first)).toBe(401);
	expect(await send(secretNow())).toBe(200);

	// What starts then knows the older record alone, until it looks at AcountPay: if not at once, the first delivery that
	// does not fit has it look.
	const second = await replace();
	const third = secretNow();
	await n8n.restart('kill');
	await sleep(1_000);
	if (looksAtStart) await until(() => secretNow() !== third);
	else expect(secretNow()).toBe(third);
	expect(await send(third)).toBe(401);
	expect(secretNow()).not.toBe(third);
	expect(await send(secretNow())).toBe(200);
	for (const removed of [first, second, third]) expect(await send(removed)).toBe(401);
	expect(sandbox.registrations).toHaveLength(1);
	expect(asked('registerWebhook')).toBe(4);
	const lost = /has registered \d+\. Events since it last started the workflow/;
	expect(lost.test(n8n.log().slice(earlier))).toBe(!looksAtStart);
}

itIsPromised(
	'n8n has a trigger look at its webhook when it starts',
	async () => await isNotBroughtBack({ looksAtStart: true }),
	async () => await isNotBroughtBack({ looksAtStart: false }),
);

describe('whatever stands in the credential, and AcountPay responds,', () => {
	it('accepts events of its own webhook and of one that a person has registered', async () => {
		const { id, edit, url } = await createTrigger(api);
		await publish(api, id);
		const [{ id: own }] = sandbox.registrations;
		const byHand = `whsec_${randomUUID()}`;
		await edit({ webhookSecret: byHand });
		const bodies = [await pay()];
		const body = await paidBody();
		expect(await post(url, body, keyWebhookHeaders(body, byHand))).toMatchObject(ACCEPTED);
		bodies.push(body);
		await unpublish(api, id, () =>
			log().includes(`could not remove the webhook ${own} for ${url}`),
		);
		await publish(api, id);
		expect(log()).toContain(`uses the webhook ${own} for ${url}`);
		bodies.push(await pay());
		expect(await startedWith(api, id, 3)).toEqual(bodies.map((each) => JSON.parse(each)));
		await api.deactivate(id);

		const { id: other, url: otherUrl } = await createTrigger(api, { webhookSecret: byHand });
		await publish(api, other);
		expect(sandbox.registrations).toMatchObject([{ url }, { url: otherUrl }]);
		expect(log()).toContain(`registered the webhook ${own + 1} for ${otherUrl}`);
		await api.deactivate(other);
	});

	it("takes an event of a trigger's that shares its secret for one of its own", async () => {
		const webhookSecret = `whsec_${randomUUID()}`;
		const triggers = [
			await createTrigger(api, { webhookSecret }),
			await createTrigger(api, { webhookSecret }),
		];
		const body = await paidBody();
		for (const { id, url } of triggers) {
			await publish(api, id);
			for (const reply of [ACCEPTED, IGNORED]) {
				expect(await post(url, body, keyWebhookHeaders(body, webhookSecret))).toMatchObject(reply);
			}
		}
		for (const { id } of triggers) await api.deactivate(id);
	});

	it('knows an event again in its own environment only', async () => {
		const { id, edit, url } = await createTrigger(api);
		await publish(api, id);
		const [{ ...first }] = sandbox.registrations;
		const body = await pay();
		await edit({ baseUrl: sandbox.url.replace('127.0.0.1', 'localhost') });
		await unpublish(api, id, () =>
			log().includes(
				`could not remove the webhook ${first.id} for ${url} (it is at ${sandbox.url}`,
			),
		);
		await publish(api, id);
		const [, second] = sandbox.registrations;
		expect(await post(url, body, keyWebhookHeaders(body, first.secret))).toMatchObject({
			status: 401,
		});
		for (const reply of [ACCEPTED, IGNORED]) {
			expect(await post(url, body, keyWebhookHeaders(body, second.secret))).toMatchObject(reply);
		}
		await api.deactivate(id);
	});

	it('ignores signed events of an unknown kind, and names them once', async () => {
		const { id, url } = await createTrigger(api);
		await publish(api, id);
		const [{ secret }] = sandbox.registrations;
		const event = `webhook.test.${id}`;
		const body = JSON.stringify({ event, timestamp: new Date().toISOString(), data: {} });
		for (const prefix of ['', 'sha256=']) {
			expect(await post(url, body, keyWebhookHeaders(body, secret, prefix))).toMatchObject(IGNORED);
		}
		expect(await post(url, body)).toMatchObject({ status: 401 });
		expect(log().split(event)).toHaveLength(2);
		await api.deactivate(id);
	});

	it('finds its webhook however AcountPay writes the URL', async () => {
		const { id, url, make } = await createTrigger(api);
		await publish(api, id);
		const [{ secret, ...registered }] = sandbox.registrations;
		sandbox.faults.add({
			match: { endpoint: 'listWebhooks' },
			status: 200,
			body: [{ ...registered, url: url.replace('http://127.0.0.1', 'HTTP://127.1') }],
			times: Infinity,
		});
		const events = ['merchant.activated', 'payment.completed'];
		await api.updateWorkflow(id, make(events));
		await publish(api, id);
		await until(() => sandbox.registrations.some((one) => one.events.length === events.length));
		expect(sandbox.registrations).toMatchObject([{ id: registered.id, secret, events }]);
		await pay();
		await api.deactivate(id);
	});
});

describe('who may read or copy the workflow, but not the credential,', () => {
	/** n8n's public API with a key of the owner. */
	async function publicApi() {
		const scopes = ['workflow:create', 'workflow:read'];
		const { data: created } = await axios.post<{ data: { rawApiKey: string } }>(
			`${api.url}/rest/api-keys`,
			{ label: randomUUID(), scopes, expiresAt: null },
			{ proxy: false, headers: { cookie: api.cookie } },
		);
		return axios.create({
			baseURL: `${api.url}/api/v1`,
			proxy: false,
			headers: { 'X-N8N-API-KEY': created.data.rawApiKey },
		});
	}

	it('finds no secret in it: in the editor, the public API or an export', async () => {
		const { id } = await createTrigger(api);
		await publish(api, id);
		const [{ secret }] = sandbox.registrations;
		const http = await publicApi();
		const { data: shown } = await http.get<object>(`/workflows/${id}`);
		for (const text of [
			JSON.stringify(await api.getWorkflow(id)),
			JSON.stringify(shown),
			await cli('export:workflow', `--id=${id}`),
		]) {
			expect(text).toContain('"sealed"');
			for (const hidden of [secret, sandbox.keys.clientSecret]) expect(text).not.toContain(hidden);
		}
		await api.deactivate(id);
	});

	it("gets a webhook of the copy's own, and none of somebody else", async () => {
		sandbox.settings.removableWebhooks = true;
		const http = await publicApi();
		const { id } = await createTrigger(api);
		await publish(api, id);
		const { ...original } = sandbox.registrations[0];
		const foreign = { url: 'https://shop.example.com/hook', events: ['payment.failed'] };
		await keyPartnerOf(sandbox).call('post', '/webhooks', foreign);
		const { ...shop } = sandbox.registrations[1];

		const { data } = await http.get<StoredWorkflow & { staticData: IDataObject }>(
			`/workflows/${id}`,
		);
		const { nodes, connections, staticData } = data;
		const inTheClear = { id: String(shop.id), secret: shop.secret, url: 'x', baseUrl: sandbox.url };
		for (const taken of [
			staticData,
			{ 'node:AcountPay Trigger': { registration: inTheClear } },
		] as IDataObject[]) {
			const webhookId = randomUUID();
			const { data: copy } = await http.post<StoredWorkflow>('/workflows', {
				name: 'Copy',
				nodes: nodes.map((node) => (node.webhookId ? { ...node, webhookId } : node)),
				connections,
				settings: {},
				staticData: taken,
			});
			expect(await api.getWorkflow(copy.id)).toMatchObject({ staticData: taken });
			await publish(api, copy.id);
			const url = api.webhookUrl(`${webhookId}/webhook`);
			expect(sandbox.registrations).toMatchObject([original, shop, { url }]);
			const body = await paidBody();
			for (const [key, status] of [
				[original.secret, 401],
				[shop.secret, 401],
				[sandbox.registrations[2].secret, 200],
			] as const) {
				expect(await post(url, body, keyWebhookHeaders(body, key))).toMatchObject({ status });
			}
			await unpublish(api, copy.id, () => sandbox.registrations.length === 2);
			expect(sandbox.registrations).toMatchObject([original, shop]);
		}
		await api.deactivate(id);
	});

	it('can sign nothing with the mask that the list shows', async () => {
		const { id, url } = await createTrigger(api);
		await publish(api, id);
		const { ...registered } = sandbox.registrations[0];
		await unpublish(api, id, () => log().includes(`could not remove the webhook ${registered.id}`));
		const secret = 'whsec_xxxxxxxxxxxx';
		sandbox.faults.add({
			match: { endpoint: 'listWebhooks' },
			status: 200,
			body: [{ ...registered, secret }],
			times: Infinity,
		});
		await publish(api, id);
		const body = await paidBody();
		expect(await post(url, body, keyWebhookHeaders(body, secret))).toMatchObject({ status: 401 });
		const right = keyWebhookHeaders(body, registered.secret);
		expect(await post(url, body, right)).toMatchObject(ACCEPTED);
		expect(asked('registerWebhook')).toBe(1);
		await api.deactivate(id);
	});
});
