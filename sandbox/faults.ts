import type { MerchantEvent } from './keys/merchants';
import type { Api, PaymentEvent } from './payments';
import { flag, milliseconds, only, text, wholeNumber } from './validation';

/**
 * The documented endpoints, and the sandbox's own deliveries (`webhook`). `create`, `get` and `webhook`
 * are in both APIs; {@link FaultMatch.api} tells them apart. `get` reads `…/status` with keys.
 */
export const ENDPOINTS = [
	'token',
	'create',
	'get',
	'qr',
	'webhook',
	'profile',
	'list',
	'listMerchants',
	'createMerchant',
	'getMerchant',
	'fastTrackMerchant',
	'testMerchant',
	'listStores',
	'createStore',
	'listWebhooks',
	'registerWebhook',
	'changeWebhook',
	'removeWebhook',
] as const;

export type Endpoint = (typeof ENDPOINTS)[number];

/** Which requests a fault meets: those that fit everything that is given. */
export interface FaultMatch {
	endpoint?: Endpoint;
	/** The API that the request or the webhook speaks. */
	api?: Api;
	method?: string;
	/** The path without its query; a string ending in `*` fits all paths that begin like it. */
	path?: string | RegExp;
	/** The client id of the merchant in question: X-Merchant-Client-Id with tokens, named in body, query
	 * or path with keys, or the merchant of a webhook. */
	merchant?: string;
	/** The reference number of the payment in question. */
	reference?: string;
	/** The event of a webhook. */
	event?: PaymentEvent | MerchantEvent;
	/** Only from the nth fitting request on, counted from 1 since the fault was ordered. */
	nth?: number;
}

/**
 * A trouble that a test orders. Without `status`, `body` and `redirectTo` the request is handled for
 * real and only its answer suffers; with one of them it is not, unless `made` says so.
 *
 * For webhooks: `latencyMs` holds the delivery back on the sandbox's clock, `headers` and `body`
 * replace what was signed, `status` counts as the receiver's answer and, without `made`, nothing is
 * sent; `reset` loses the attempt. The rest doesn't concern them.
 *
 * A new one gets its behaviour in `requests.ts` and `deliveries.ts` (webhooks), and its place in
 * {@link FAULT_SCHEMA}.
 */
export interface Fault {
	match?: FaultMatch;
	/** How many requests it meets; default 1, for a fault with `rate` all. JSON has 'always'. */
	times?: number | 'always';
	/** Meets a fitting request only with this probability, 0 to 1. */
	rate?: number;
	/** Seeds the random numbers of `rate`; default 1. */
	seed?: number;
	/** The status to answer; for `redirectTo` default 307, otherwise the real one. */
	status?: number;
	/** Added to the answer's headers, or in place of them; '' leaves a header out, `Date` included. */
	headers?: Record<string, string>;
	/** A string goes out as it is (text/html, unless `headers` say otherwise), an object as JSON. */
	body?: string | object;
	/** How long the answer is held back after the request was handled, in real milliseconds. */
	latencyMs?: number;
	/** Destroys the connection in place of an answer: before the request is handled, or after. */
	reset?: 'before' | 'after';
	/** Sends half of the answer's bytes under the Content-Length of all, then destroys the connection. */
	cutOff?: boolean;
	/** Answers with a redirect to this URL. */
	redirectTo?: string;
	/** Revokes all tokens before the request is handled. */
	revokeToken?: boolean;
	/** Never answers; not handled unless `made`. */
	hang?: boolean;
	/** Whether the request is handled for real, whatever the answer says. */
	made?: boolean;
	/** With keys, on create: keeps the payment out of lists for `ms` milliseconds on the sandbox's clock,
	 * and until page 1 of a list was asked for `looks` times since; in place of the settings. */
	listLag?: { ms?: number; looks?: number };
}

/** What `/_sandbox/faults` takes: every field of {@link Fault}. */
export const FAULT_SCHEMA = only({
	match: only({
		endpoint: { enum: ENDPOINTS },
		api: { enum: ['tokens', 'keys'] },
		method: text,
		path: text,
		merchant: text,
		reference: text,
		event: text,
		nth: { type: 'integer', minimum: 1 },
	} satisfies Record<keyof FaultMatch, object>),
	times: { anyOf: [{ type: 'integer', minimum: 1 }, { const: 'always' }] },
	rate: { type: 'number', minimum: 0, maximum: 1 },
	seed: { type: 'integer' },
	status: { type: 'integer', minimum: 200, maximum: 599 },
	headers: { type: 'object', additionalProperties: text },
	body: { anyOf: [text, { type: 'object' }, { type: 'array' }] },
	latencyMs: milliseconds,
	reset: { enum: ['before', 'after'] },
	cutOff: flag,
	redirectTo: text,
	revokeToken: flag,
	hang: flag,
	made: flag,
	listLag: only({ ms: milliseconds, looks: wholeNumber }),
} satisfies Record<keyof Fault, object>);

/** What a fault is matched against. */
export interface FaultSubject extends Omit<FaultMatch, 'nth' | 'path'> {
	path: string;
}

interface OrderedFault {
	fault: Fault;
	seen: number;
	left: number;
	random: () => number;
}

/** Mulberry32: small, seeded, even enough to choose requests by. */
function seededRandom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

function fitsPath(wanted: string | RegExp, path: string): boolean {
	if (wanted instanceof RegExp) return wanted.test(path);
	return wanted.endsWith('*') ? path.startsWith(wanted.slice(0, -1)) : path === wanted;
}

function fits(match: FaultMatch, subject: FaultSubject): boolean {
	return (
		(match.endpoint === undefined || match.endpoint === subject.endpoint) &&
		(match.api === undefined || match.api === subject.api) &&
		(match.method === undefined || match.method.toUpperCase() === subject.method) &&
		(match.path === undefined || fitsPath(match.path, subject.path)) &&
		(match.merchant === undefined || match.merchant === subject.merchant) &&
		(match.reference === undefined || match.reference === subject.reference) &&
		(match.event === undefined || match.event === subject.event)
	);
}

/** The faults that are ordered and not yet used up. */
export class Faults {
	private ordered: OrderedFault[] = [];

	/** Orders a fault; of several that fit a request the first ordered meets it. */
	add(fault: Fault): void {
		const times = fault.times ?? (fault.rate === undefined ? 1 : 'always');
		this.ordered.push({
			fault,
			seen: 0,
			left: times === 'always' ? Infinity : times,
			random: seededRandom(fault.seed ?? 1),
		});
	}

	/** Whether nothing is ordered. */
	get isEmpty(): boolean {
		return this.ordered.length === 0;
	}

	/** Takes back everything that was ordered. */
	clear(): void {
		this.ordered = [];
	}

	/** What is ordered and not yet used up: empty when every fault has met its requests. */
	list(): Fault[] {
		return this.ordered.map(({ fault }) => fault);
	}

	/** The fault that meets this request, counted as used. */
	take(subject: FaultSubject): Fault | undefined {
		for (const entry of this.ordered) {
			const { match = {}, rate = 1 } = entry.fault;
			if (!fits(match, subject)) continue;
			entry.seen++;
			if (entry.seen < (match.nth ?? 1) || entry.random() >= rate) continue;
			if (--entry.left <= 0) this.ordered = this.ordered.filter((other) => other !== entry);
			return entry.fault;
		}
		return undefined;
	}
}
