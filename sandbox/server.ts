import type { AddressInfo } from 'node:net';

import fastify from 'fastify';

import { apiError } from './answer';
import { apiRoutes } from './api';
import { Clock } from './clock';
import { controlRoutes } from './control';
import { Deliveries, type Delivery } from './deliveries';
import { Faults } from './faults';
import { guard } from './guard';
import type { Keys } from './keys/auth';
import { PaymentList } from './keys/list';
import { Merchants, type Merchant, type Store } from './keys/merchants';
import { DEFAULT_KEY_SETTINGS, type KeySettings } from './keys/settings';
import { Registrations, type Registration } from './keys/webhooks';
import { homeRoutes } from './pages/home';
import { servePages } from './pages/html';
import { onboardingRoutes } from './pages/onboarding';
import { paymentRoutes } from './pages/payment';
import { Payments, type Payment, type PaymentEvent } from './payments';
import { Server, type LoadSettings } from './serve';
import { DOCUMENTED_TOKEN, OAuth, type Credentials, type TokenSettings } from './tokens/oauth';
import { webhookBody, webhookHeaders } from './tokens/webhook';
import { Traffic, type RecordedRequest } from './traffic';
import { FORMATS } from './validation';

/** How the sandbox behaves; may be changed while it runs. */
export interface SandboxSettings extends TokenSettings, KeySettings, LoadSettings {
	/** New payments with tokens get numbers as ids, as in a later revision of the API. */
	numericIds: boolean;
}

/** How to start the sandbox. Everything has a default. */
export interface SandboxOptions extends Partial<Credentials>, Partial<SandboxSettings> {
	/** Default 0: any free port. */
	port?: number;
	/** Whether `/_sandbox/…` answers; default false. */
	control?: boolean;
	/** Whether requests and their bodies are kept; default true. Off for large loads. */
	record?: boolean;
	/** The pair of keys that is accepted. */
	keys?: Partial<Keys>;
	/** How long a receiver of webhooks may take, in real milliseconds; assumed: 10,000. */
	webhookTimeoutMs?: number;
}

/** A running sandbox. */
export interface Sandbox {
	/** Its address without a trailing slash: `http://127.0.0.1:<port>`. */
	readonly url: string;
	/** What is accepted and signed with for tokens; see {@link Sandbox.setCredentials}. */
	readonly credentials: Readonly<Credentials>;
	/** The pair of keys that is accepted; see {@link Sandbox.setKeys}. */
	readonly keys: Readonly<Keys>;
	/** May be changed at any time. */
	readonly settings: SandboxSettings;
	/** The API's requests in the order in which they came. */
	readonly requests: readonly RecordedRequest[];
	/** How many requests of each endpoint came to which end: `{'token 200': 1, 'create 201': 3}`, with
	 * 'none' where no answer was given. Kept without `record`, too. */
	readonly counts: Readonly<Record<string, number>>;
	/** The most requests of the API, those for tokens not counted, that were under way at once. */
	readonly maxInFlight: number;
	/** All payments of both APIs (see their `api`) in the order in which they were made. */
	readonly payments: Payment[];
	/** The merchants of the API with keys, those of the start included. */
	readonly merchants: Merchant[];
	/** The stores of all merchants. */
	readonly stores: Store[];
	/** The webhooks that are registered with keys. */
	readonly registrations: Registration[];
	/** Every attempt to deliver a webhook, in the order in which they ended. */
	readonly deliveries: readonly Delivery[];
	readonly clock: Pick<Clock, 'now' | 'advance'>;
	readonly faults: Pick<Faults, 'add' | 'clear' | 'list'>;
	/** The payment of that id; throws an Error when there is none. */
	payment(id: string | number): Payment;
	/** The customer pays: processing at once, completed one second later on the sandbox's clock. */
	pay(id: string | number): void;
	/** The customer declines: failed at once. */
	decline(id: string | number): void;
	/** The time to pay is over: expired at once. */
	expire(id: string | number): void;
	/** The merchant, by number or client id; throws an Error when there is none. */
	merchant(id: number | string): Merchant;
	/** The merchant has done its part: active, and `merchant.activated` is sent. */
	activate(id: number | string): void;
	/** AcountPay closes the merchant: inactive, and `merchant.deactivated` is sent. */
	deactivate(id: number | string): void;
	/** Ends all tokens given so far. */
	revokeTokens(): void;
	/** Changes what is accepted and signed with from now on; tokens given so far stay good. */
	setCredentials(credentials: Partial<Credentials>): void;
	/** Changes the pair of keys; the former one ends at once, as when it is rotated. */
	setKeys(keys: Partial<Keys>): void;
	/** Waits until no webhook is being sent; repeats that wait for the clock don't count. */
	webhooksIdle(): Promise<void>;
	/** Forgets requests, payments, merchants (but those of the start), stores, registrations, deliveries,
	 * faults and counts, and puts clock, settings, credentials and keys back to what they were at the
	 * start. Tokens stay good. */
	reset(): void;
	/** Ends everything, requests without an answer included. */
	close(): Promise<void>;
}

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

/** The given values of those that `defaults` names, else the defaults. */
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
