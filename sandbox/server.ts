/* eslint-disable @n8n/community-nodes/no-restricted-imports -- runs outside n8n */
import type { AddressInfo } from 'node:net';

import fastify from 'fastify';

import { apiError } from './answer';
import { apiRoutes } from './api';
import { Clock } from './clock';
import { controlRoutes } from './control';
import { Faults } from './faults';
import { DOCUMENTED_TOKEN, OAuth, type Credentials, type TokenSettings } from './oauth';
import { pageRoutes } from './page';
import { Payments, type Payment } from './payments';
import { Traffic, type RecordedRequest } from './traffic';
import { Webhooks, type Delivery } from './webhook';

/** How the sandbox behaves; may be changed while it runs. */
export interface SandboxSettings extends TokenSettings {
	/** How long each request of the API takes before it is handled, in real milliseconds. */
	latencyMs: number;
	/** New payments get numbers as ids, as in a later revision of the API. */
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
	/** How long a receiver of webhooks may take, in real milliseconds; assumed: 10,000. */
	webhookTimeoutMs?: number;
}

/** A running sandbox. */
export interface Sandbox {
	/** Its address without a trailing slash: `http://127.0.0.1:<port>`. */
	readonly url: string;
	/** What is accepted and signed with; see {@link Sandbox.setCredentials}. */
	readonly credentials: Readonly<Credentials>;
	/** May be changed at any time. */
	readonly settings: SandboxSettings;
	/** The API's requests in the order in which they came. */
	readonly requests: readonly RecordedRequest[];
	/** How many requests of each endpoint came to which end: `{'token 200': 1, 'create 201': 3}`, with
	 * 'none' where no answer was given. Kept without `record`, too. */
	readonly counts: Readonly<Record<string, number>>;
	/** The most requests for payments (create, get, QR code) that were under way at once. */
	readonly maxInFlight: number;
	/** All payments in the order in which they were made. */
	readonly payments: Payment[];
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
	/** Ends all tokens given so far. */
	revokeTokens(): void;
	/** Changes what is accepted and signed with from now on; tokens given so far stay good. */
	setCredentials(credentials: Partial<Credentials>): void;
	/** Waits until no webhook is being sent; repeats that wait for the clock don't count. */
	webhooksIdle(): Promise<void>;
	/** Forgets requests, payments, deliveries, faults and counts, and puts clock, settings and
	 * credentials back to what they were at the start. Tokens stay good. */
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

const DEFAULT_SETTINGS: SandboxSettings = { ...DOCUMENTED_TOKEN, latencyMs: 0, numericIds: false };

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
	const initialCredentials = choose(DEFAULT_CREDENTIALS, options);
	const initialSettings = choose(DEFAULT_SETTINGS, options);
	const credentials = { ...initialCredentials };
	const settings = { ...initialSettings };
	const clock = new Clock();
	const faults = new Faults();
	const oauth = new OAuth(credentials, settings, clock);
	const webhooks = new Webhooks(credentials, clock, faults, webhookTimeoutMs);
	const payments = new Payments(clock, settings, (event, payment, at) =>
		webhooks.send(event, payment, at),
	);
	const traffic = new Traffic(record);
	let url = '';

	const find = (id: string | number): Payment => {
		const payment = payments.find(id);
		if (!payment) throw new Error(`The sandbox has no payment ${id}`);
		return payment;
	};

	const app = fastify({
		ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
		exposeHeadRoutes: false,
		forceCloseConnections: true,
	});

	const sandbox: Sandbox = {
		get url() {
			return url;
		},
		credentials,
		settings,
		requests: traffic.requests,
		counts: traffic.counts,
		get maxInFlight() {
			return traffic.maxInFlight;
		},
		get payments() {
			return payments.all();
		},
		deliveries: webhooks.deliveries,
		clock,
		faults,
		payment: find,
		pay: (id) => payments.pay(find(id)),
		decline: (id) => payments.decline(find(id)),
		revokeTokens: () => oauth.revokeAll(),
		setCredentials: (changes) => void Object.assign(credentials, changes),
		webhooksIdle: async () => await webhooks.idle(),
		reset() {
			clock.reset();
			webhooks.clear();
			payments.clear();
			faults.clear();
			traffic.clear();
			Object.assign(settings, initialSettings);
			Object.assign(credentials, initialCredentials);
		},
		async close() {
			await app.close();
			clock.reset();
			webhooks.clear();
		},
	};

	traffic.watch(app);
	app.setNotFoundHandler(async ({ method, url: path }, reply) => {
		const { status, body } = apiError(404, `Cannot ${method} ${path}`);
		return reply.code(status).send(body);
	});
	await app.register(apiRoutes, { oauth, payments, faults, settings, url: () => url });
	await app.register(pageRoutes, { payments, clock });
	if (control) await app.register(controlRoutes, { prefix: '/_sandbox', sandbox });
	await app.listen({ host: HOST, port });
	url = `http://${HOST}:${(app.server.address() as AddressInfo).port}`;
	return sandbox;
}
