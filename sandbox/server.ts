import type { AddressInfo } from 'node:net';

import fastify from 'fastify';

import { apiError } from './answer';
import { apiRoutes } from './api';
import { Clock } from './clock';
import { controlRoutes } from './control';
import { Deliveries } from './deliveries';
import { Faults } from './faults';
import { guard } from './guard';
import type { Keys } from './keys/auth';
import { PaymentList } from './keys/list';
import { Merchants, type Merchant } from './keys/merchants';
import { DEFAULT_KEY_SETTINGS } from './keys/settings';
import { Registrations } from './keys/webhooks';
import { homeRoutes } from './pages/home';
import { servePages } from './pages/html';
import { onboardingRoutes } from './pages/onboarding';
import { paymentRoutes } from './pages/payment';
import { Payments, type Payment, type PaymentEvent } from './payments';
import type { Sandbox, SandboxOptions, SandboxSettings } from './sandbox';
import { Server } from './requests';
import { DOCUMENTED_TOKEN, OAuth, type Credentials } from './tokens/oauth';
import { webhookBody, webhookHeaders } from './tokens/webhook';
import { Traffic } from './traffic';
import { FORMATS } from './validation';

const HOST = '127.0.0.1';

const DEFAULT_CREDENTIALS: Credentials = {
	clientId: 'sandbox_partner',
	clientSecret: 'sandbox_secret_for_trying_out',
	webhookSecret: 'whsec_sandbox_for_trying_out',
};

/** Documented: a UUID, and 64 hex digits in the sample. */
const DEFAULT_KEYS: Keys = {
	clientId: '5a9db0c5-0000-4000-8000-000000004040',
	clientSecret: '5a9db0c5'.repeat(8),
};

const DEFAULT_SETTINGS: SandboxSettings = {
	...DOCUMENTED_TOKEN,
	...DEFAULT_KEY_SETTINGS,
	latencyMs: 0,
	ratePerSecond: 0,
	numericIds: false,
};

/** The given values of the keys that `defaults` has, else the defaults. */
function choose<T extends object>(defaults: T, given: Partial<T>): T {
	const chosen = { ...defaults };
	for (const key of Object.keys(defaults) as Array<keyof T>)
		chosen[key] = given[key] ?? chosen[key];
	return chosen;
}

/**
 * Starts an AcountPay of our own on loopback.
 * @returns the sandbox, listening
 * @throws when the port is taken
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
	const { port = 0, control = false, record = true, webhookTimeoutMs = 10_000 } = options;
	const initial = structuredClone({
		credentials: choose(DEFAULT_CREDENTIALS, options),
		keys: choose(DEFAULT_KEYS, options.keys ?? {}),
		settings: choose(DEFAULT_SETTINGS, options),
	});
	const { credentials, keys, settings } = structuredClone(initial);
	const clock = new Clock();
	const faults = new Faults();
	const oauth = new OAuth(credentials, settings, clock);
	const server = new Server(faults, settings, clock, () => oauth.revokeAll());
	const deliveries = new Deliveries(clock, faults, webhookTimeoutMs);
	const registrations = new Registrations(clock, settings, deliveries);
	const payments = new Payments(clock, settings, (event, payment, at) => {
		if (payment.api === 'keys') registrations.tellOfPayment(event, payment);
		else tellWebhookUrl(event, payment, at);
	});
	const merchants = new Merchants(clock, settings, (event, merchant) =>
		registrations.tellOfMerchant(event, merchant),
	);
	const list = new PaymentList(payments, settings, clock);
	const traffic = new Traffic(record);
	let url = '';

	function tellWebhookUrl(event: PaymentEvent, payment: Payment, at: Date): void {
		const { id: paymentId, webhookUrl, merchant, referenceNumber: reference } = payment;
		if (webhookUrl === undefined) return;
		const rawBody = JSON.stringify(webhookBody(event, payment, at));
		deliveries.send({
			about: { api: 'tokens', paymentId },
			queue: `payment ${paymentId}`,
			event,
			match: { merchant, reference },
			rawBody,
			target: () => ({
				url: webhookUrl,
				headers: webhookHeaders(rawBody, credentials.webhookSecret),
			}),
		});
	}

	const find = (id: string | number): Payment => {
		const payment = payments.find(id);
		if (!payment) throw new Error(`The sandbox has no payment ${id}`);
		return payment;
	};
	const findMerchant = (id: number | string): Merchant => {
		const merchant = merchants.find(id);
		if (!merchant) throw new Error(`The sandbox has no merchant ${id}`);
		return merchant;
	};

	const app = fastify({
		ajv: {
			customOptions: {
				allErrors: true,
				coerceTypes: false,
				formats: FORMATS,
				removeAdditional: false,
			},
		},
		exposeHeadRoutes: false,
		forceCloseConnections: true,
	});

	const sandbox: Sandbox = {
		get url() {
			return url;
		},
		credentials,
		keys,
		settings,
		requests: traffic.requests,
		counts: traffic.counts,
		get maxInFlight() {
			return traffic.maxInFlight;
		},
		get payments() {
			return payments.all();
		},
		get merchants() {
			return merchants.all();
		},
		get stores() {
			return merchants.stores();
		},
		get registrations() {
			return registrations.all();
		},
		deliveries: deliveries.all,
		clock,
		faults,
		payment: find,
		pay: (id) => payments.pay(find(id)),
		decline: (id) => payments.decline(find(id)),
		expire: (id) => payments.expire(find(id)),
		merchant: findMerchant,
		activate: (id) => merchants.activate(findMerchant(id)),
		deactivate: (id) => merchants.deactivate(findMerchant(id)),
		revokeTokens: () => oauth.revokeAll(),
		setCredentials: (changes) => void Object.assign(credentials, changes),
		setKeys: (changes) => void Object.assign(keys, changes),
		webhooksIdle: async () => await deliveries.idle(),
		reset() {
			clock.reset();
			deliveries.clear();
			payments.clear();
			list.clear();
			registrations.clear();
			merchants.reset();
			faults.clear();
			traffic.clear();
			const { settings: first } = structuredClone(initial);
			Object.assign(settings, first);
			Object.assign(credentials, initial.credentials);
			Object.assign(keys, initial.keys);
		},
		async close() {
			await app.close();
			clock.reset();
			deliveries.clear();
		},
	};

	guard(app);
	options.extend?.(app);
	traffic.watch(app);
	app.addHook('onSend', async (_request, reply) => {
		if (reply.raw.sendDate && !reply.hasHeader('date')) reply.header('date', server.date());
	});
	app.setNotFoundHandler(async ({ method, url: path }, reply) => {
		const { status, body } = apiError(404, `Cannot ${method} ${path}`);
		return reply.code(status).send(body);
	});
	const startedAt = new Date(clock.now()).toISOString();
	const shared = { payments, url: () => url };
	await app.register(apiRoutes, {
		server,
		tokens: { ...shared, oauth },
		keys: { ...shared, keys, settings, list, merchants, registrations, startedAt },
	});
	await app.register(async (pages) => {
		await servePages(pages);
		await paymentRoutes(pages, { payments, clock });
		await onboardingRoutes(pages, { merchants, clock });
		await homeRoutes(pages, { ...shared, credentials, keys, merchants });
	});
	if (control) await app.register(controlRoutes, { prefix: '/_sandbox', sandbox });
	await app.listen({ host: HOST, port });
	url = `http://${HOST}:${(app.server.address() as AddressInfo).port}`;
	return sandbox;
}
