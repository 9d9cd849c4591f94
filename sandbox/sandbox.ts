import type { FastifyInstance } from 'fastify';

import type { Clock } from './clock';
import type { Delivery } from './deliveries';
import type { Faults } from './faults';
import type { Keys } from './keys/auth';
import type { Merchant, Store } from './keys/merchants';
import type { KeySettings } from './keys/settings';
import type { Registration } from './keys/webhooks';
import type { Payment } from './payments';
import type { LoadSettings } from './requests';
import type { Credentials, TokenSettings } from './tokens/oauth';
import type { RecordedRequest } from './traffic';

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
	/** Adds hooks and routes before those of the API; the guard against other web pages holds for them, too. */
	extend?: (app: FastifyInstance) => void;
}

/** A running sandbox. */
export interface Sandbox {
	/** Its address without a trailing slash: `http://127.0.0.1:<port>`. */
	readonly url: string;
	/** The credentials that are accepted, and signed with, for tokens; see {@link Sandbox.setCredentials}. */
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
	/** The merchants of the API with keys, the initial ones included. */
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
	/** Changes the credentials that are accepted and signed with from now on; tokens given so far stay good. */
	setCredentials(credentials: Partial<Credentials>): void;
	/** Changes the pair of keys; the former one ends at once, as when it is rotated. */
	setKeys(keys: Partial<Keys>): void;
	/** Waits until no webhook is being sent; repeats that wait for the clock don't count. */
	webhooksIdle(): Promise<void>;
	/** Forgets requests, payments, merchants (except the initial ones), stores, registrations, deliveries,
	 * faults and counts, and puts clock, settings, credentials and keys back to what they were at the
	 * start. Tokens stay good. */
	reset(): void;
	/** Ends everything, requests without an answer included. */
	close(): Promise<void>;
}
