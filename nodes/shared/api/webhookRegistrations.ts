import type { IDataObject } from 'n8n-workflow';
import { idIn, readPage } from './lists';
import { type ApiRequest, create, get } from './request';
import { readJson, readObject } from './responses';
import { isMask } from './webhookSecret';

const WEBHOOKS_PATH = '/v1/partner/webhooks';

/** What a webhook is registered with (documented). */
export interface WebhookTarget {
	/** Where AcountPay posts events to. */
	url: string;
	/** The names of the events that are posted. */
	events: string[];
}

/** A webhook that is registered at AcountPay, for all merchants of the partner. */
export interface RegisteredWebhook {
	/** AcountPay's number for it, as text. */
	id: string;
	url: unknown;
	/** Undefined when AcountPay does not say. */
	events?: unknown[];
	/** Whether AcountPay posts to it: every status but `inactive`. */
	isActive: boolean;
	/** What its deliveries are signed with. Documented on creation; for lists and changes, the documentation disagrees. */
	secret?: string;
}

/** The request that lists the partner's webhooks (documented). */
export const listWebhooks = (): ApiRequest => get(WEBHOOKS_PATH, { secretsIn });

/** The request that registers a webhook (documented). The same URL twice makes two (assumed). */
export const registerWebhook = ({ url, events }: WebhookTarget): ApiRequest =>
	create(WEBHOOKS_PATH, { url, events }, { secretsIn });

/** Digits (documented) or a plain word: nothing that could lead to another path. */
const PLAIN_ID = /^[A-Za-z0-9][\w-]{0,99}$/;

function pathOf(id: string): string {
	if (!PLAIN_ID.test(id))
		throw new RangeError('A webhook has an ID that is neither digits nor a word');
	return `${WEBHOOKS_PATH}/${id}`;
}

/** The request that changes a webhook's URL and events (documented; both have to be sent). */
export const changeWebhook = (id: string, { url, events }: WebhookTarget): ApiRequest => ({
	method: 'PUT',
	path: pathOf(id),
	body: { url, events },
	repeatable: true,
	secretsIn,
});

/** The request that removes a webhook. It is not documented, so every response to it must be expected. */
export const removeWebhook = (id: string): ApiRequest => ({
	method: 'DELETE',
	path: pathOf(id),
	repeatable: true,
	secretsIn,
});

/** A secret as AcountPay may give it: text in one piece, of the characters that random texts are written with. */
const SECRET = /^[A-Za-z0-9_+/=.~-]{8,500}$/;

const secretIn = ({ secret }: IDataObject): string | undefined =>
	typeof secret === 'string' && SECRET.test(secret) && !isMask(secret) ? secret : undefined;

/** The kinds of digits and letters. Letters that hexadecimal has are kinds of their own. */
const KINDS = [/[0-9]/, /[a-f]/, /[A-F]/, /[g-z]/, /[G-Z]/];

/** The kinds of characters in a text; any that is in none of {@link KINDS} is a kind of its own. */
const kindsIn = (text: string): Set<RegExp | string> =>
	new Set(Array.from(text, (character) => KINDS.find((kind) => kind.test(character)) ?? character));

/** How many bits a text has, by how often each of its characters comes in it. */
function entropyOf(text: string): number {
	const counts = new Map<string, number>();
	for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
	let bits = 0;
	for (const count of counts.values()) bits += count * Math.log2(text.length / count);
	return bits;
}

/** A repeated word: nothing random. */
const REPEATED_WORD = /([^]{3,16})\1{3}/;
/** The fewest bits of a secret that is taken from a list: nobody guesses it. */
const MIN_ENTROPY = 64;
/** What all secrets of a kind begin with (documented: `whsec_`). */
const PREFIX = /^(?:[a-z]+_)?/;

/**
 * Whether a secret that a list shows can replace the one that was given at the creation. A mask can't: it is shorter, or of
 * other characters, or easy to guess, and then whoever guesses it could sign events.
 * @param given at the creation
 */
export function canReplace(given: string, shown: string): boolean {
	const [prefix] = PREFIX.exec(given)!;
	const [was, is] = [given, shown].map((secret) => secret.slice(prefix.length));
	const kinds = kindsIn(was);
	return (
		shown.startsWith(prefix) &&
		is.length === was.length &&
		[...kindsIn(is)].every((kind) => kinds.has(kind)) &&
		!REPEATED_WORD.test(is) &&
		entropyOf(is) >= MIN_ENTROPY
	);
}

/** A name and a value, in JSON, in JSON within JSON, or in a form. */
const NAMED_SECRET = /secret([\\"'\s]{0,8}[:=][\\"'\s]{0,8})([^\\"'\s,;&<>{}]{4,500})/gi;
/** The form of all webhook secrets (documented). */
const WEBHOOK_SECRET = /whsec_[\w+/=.~-]{4,500}/g;
/** How much of a response is searched, in characters. */
const MAX_SEARCHED = 1_000_000;

/** The secrets in a response about webhooks, of whatever status and form. */
export function secretsIn(body: Buffer): string[] {
	// Read and written again, JSON has no needless escapes.
	const texts = [body.toString('utf8'), JSON.stringify(readJson(body)) ?? ''];
	const text = texts.map((each) => each.slice(0, MAX_SEARCHED)).join(' ');
	// Without quotes it may be a sentence: 'secret: required'.
	const named = Array.from(text.matchAll(NAMED_SECRET), ([, between, secret]) =>
		/["']/.test(between) || /\d/.test(secret) ? secret : '',
	);
	const known = Array.from(text.matchAll(WEBHOOK_SECRET), ([secret]) => secret);
	return [...new Set([...named, ...known])].filter((secret) => secret !== '');
}

/** A URL in one way of writing: host and port as browsers write them, and no needless %-escapes. */
function normalised(url: unknown): string | undefined {
	if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
	return new URL(url).href.replace(/%[0-9a-f]{2}/gi, (escape) => {
		const character = String.fromCharCode(parseInt(escape.slice(1), 16));
		return /[\w.~-]/.test(character) ? character : escape.toUpperCase();
	});
}

/** Whether AcountPay means this URL, in whatever way it writes it. */
export const isSameUrl = (listed: unknown, url: string): boolean =>
	normalised(listed) !== undefined && normalised(listed) === normalised(url);

/** The part of a URL that identifies the trigger, whatever the host: the path. All of a text that is no URL. */
export const pathIn = (url: string): string => (URL.canParse(url) ? new URL(url).pathname : url);

/** Whether a URL leads to the same trigger, of an n8n that may be at another host. */
export const isSamePath = (listed: unknown, url: string): boolean =>
	typeof listed === 'string' && pathIn(listed) === pathIn(url);

function webhookIn(entry: IDataObject): RegisteredWebhook | undefined {
	const id = idIn(entry, ['id', 'webhookId']);
	if (id === undefined || !PLAIN_ID.test(String(id))) return undefined;
	const { url, events, status } = entry;
	return {
		id: String(id),
		url,
		...(Array.isArray(events) && { events }),
		isActive: status !== 'inactive',
		secret: secretIn(entry),
	};
}

/**
 * The webhook in the response to a registration or a change (documented as the webhook itself).
 * @returns undefined when the body names none
 */
export function readWebhook(body: Buffer): RegisteredWebhook | undefined {
	const object = readObject(body);
	return object && webhookIn(object);
}

/**
 * The webhooks in the response to a list: a bare array (documented), or an object with `webhooks` (assumed).
 * @returns undefined when there is no such list, or it is or may be incomplete: fewer than it says that there are, or a full
 *   page without a count
 */
export function readWebhooks(body: Buffer): RegisteredWebhook[] | undefined {
	const { entries, total, limit = Infinity } = readPage(body, 'webhooks') ?? {};
	if (!entries || entries.length < (total ?? 0)) return undefined;
	if (total === undefined && entries.length >= limit) return undefined;
	return entries.flatMap((entry) => webhookIn(entry) ?? []);
}
