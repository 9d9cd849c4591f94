import type { IDataObject } from 'n8n-workflow';
import { idIn, readPage } from './lists';
import type { ApiRequest } from './request';
import { readObject } from './responses';

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
	/** What its deliveries are signed with. Documented on creation; in lists and after changes in one of two places. */
	secret?: string;
}

/** The request that lists the partner's webhooks (documented). */
export const listWebhooks = (): ApiRequest => ({
	method: 'GET',
	path: WEBHOOKS_PATH,
	repeatable: true,
});

/** The request that registers a webhook (documented). The same URL twice makes two (assumed). */
export const registerWebhook = ({ url, events }: WebhookTarget): ApiRequest => ({
	method: 'POST',
	path: WEBHOOKS_PATH,
	body: { url, events },
	repeatable: false,
});

const pathOf = (id: string) => `${WEBHOOKS_PATH}/${encodeURIComponent(id)}`;

/** The request that changes a webhook's URL and events (documented; both have to be sent). */
export const changeWebhook = (id: string, { url, events }: WebhookTarget): ApiRequest => ({
	method: 'PUT',
	path: pathOf(id),
	body: { url, events },
	repeatable: true,
});

/** The request that removes a webhook. It is not documented, so every response to it must be expected. */
export const removeWebhook = (id: string): ApiRequest => ({
	method: 'DELETE',
	path: pathOf(id),
	repeatable: true,
});

/** How a secret is written that is not shown whole. */
const MASK = /[*•…]|\.\.\./;

const secretIn = ({ secret }: IDataObject): string | undefined =>
	typeof secret === 'string' && secret.trim() !== '' && !MASK.test(secret) ? secret : undefined;

function webhookIn(entry: IDataObject): RegisteredWebhook | undefined {
	const id = idIn(entry, ['id', 'webhookId']);
	if (id === undefined) return undefined;
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
 * @returns undefined when the body holds no such list
 */
export const readWebhooks = (body: Buffer): RegisteredWebhook[] | undefined =>
	readPage(body, 'webhooks')?.entries.flatMap((entry) => webhookIn(entry) ?? []);
