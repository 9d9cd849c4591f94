import {
	changeWebhook,
	isSameUrl,
	listWebhooks,
	readWebhook,
	readWebhooks,
	type RegisteredWebhook,
	registerWebhook,
	removeWebhook,
	type WebhookTarget,
} from '../shared/api/webhookRegistrations';
import { ApiError, isItemError } from '../shared/errors';
import { nothingDoneError } from '../shared/transport/apiErrors';
import type { Client } from '../shared/transport/client';
import { read } from '../shared/transport/read';
import { describeFailure, isRefusal, isSuccess, type SendResult } from '../shared/http/response';
import {
	type CallOptions,
	sendAtMostOnce,
	sendUntilUsable,
} from '../shared/transport/sendWithRetries';

/** How long one response is waited for, in ms. */
const TIMEOUT = 10_000;
/** How long it is waited for when there is hardly any time left, in ms. */
const SHORTEST_TIMEOUT = 1_000;
/** How many webhooks a list may have. */
const MAX_LISTED = 10_000;
/** How many webhooks are removed at once; more of the same URL are left to the user. */
const MAX_REMOVALS = 10;

/**
 * The requests about webhooks. Each takes the stated number of requests, not counting repeats after a failure, however many
 * webhooks are listed. What is changed or removed is given as it was listed, so it is listed.
 */
export class Registrar {
	private readonly deadline: number;

	/**
	 * @param patience how long all requests together may take, in ms
	 * @param secret that the trigger has kept, and no error is to show
	 */
	constructor(
		private readonly client: Client,
		patience: number,
		secret = '',
	) {
		this.deadline = Date.now() + patience;
		client.hide(secret);
	}

	private get options(): CallOptions {
		const timeLeft = Math.max(SHORTEST_TIMEOUT, this.deadline - Date.now());
		return { timeout: Math.min(TIMEOUT, timeLeft), deadline: this.deadline };
	}

	/**
	 * All webhooks of the partner, with one request.
	 * @throws ApiError
	 */
	async list(): Promise<RegisteredWebhook[]> {
		const webhooks = await read(
			this.client,
			listWebhooks(),
			{ name: 'the list of webhooks' },
			this.options,
			({ body }) => readWebhooks(body),
			'sent a response that is no complete list',
		);
		if (webhooks.length <= MAX_LISTED) return webhooks;
		throw new ApiError(
			'unavailable',
			`AcountPay lists more than ${MAX_LISTED.toLocaleString('en')} webhooks`,
			'Remove webhooks that are not used in the AcountPay Partner Dashboard.',
		);
	}

	/**
	 * Changes a webhook to be as wanted, with one request.
	 * @returns whether AcountPay posts to it now; false also when AcountPay does not know it any more
	 * @throws ApiError
	 */
	async change({ id }: RegisteredWebhook, target: WebhookTarget): Promise<boolean> {
		const changed = await read(
			this.client,
			changeWebhook(id, target),
			{ name: `the change of webhook ${id}`, isChange: true },
			this.options,
			({ body }) => readWebhook(body),
		).catch((error: unknown) => {
			if (error instanceof ApiError && error.status === 404) return undefined;
			throw error;
		});
		return changed?.isActive ?? false;
	}

	/**
	 * Registers a webhook, with one request.
	 * @returns it with the secret that its deliveries are signed with
	 * @throws ApiError
	 */
	async register(target: WebhookTarget): Promise<{ id: string; secret: string }> {
		// A list that took long must not leave too little time: a webhook would be left behind each time.
		const options = { ...this.options, timeout: TIMEOUT };
		const result = await sendAtMostOnce(this.client, registerWebhook(target), options);
		const { id, secret, isActive } = (isSuccess(result) && readWebhook(result.body)) || {};
		if (id === undefined || secret === undefined) {
			const subject = { name: 'the new webhook', noun: 'webhook' } as const;
			const what = isSuccess(result) ? 'gave no ID and secret for it' : describeFailure(result);
			throw (
				nothingDoneError(this.client, result, subject) ??
				new ApiError('unknown', `AcountPay was asked for a new webhook, but ${what}`, '')
			);
		}
		if (isActive) return { id, secret };
		throw new ApiError('unknown', `AcountPay registered webhook ${id}, but as inactive`, '');
	}

	/**
	 * Removes webhooks, where AcountPay lets it: one request each, up to ten and up to the first that fails, and then one
	 * that looks which are left.
	 * @returns the webhooks that are still there, or may be, and why
	 */
	async remove(
		webhooks: RegisteredWebhook[],
	): Promise<{ left: RegisteredWebhook[]; reason: string }> {
		try {
			for (const { id } of webhooks.slice(0, MAX_REMOVALS)) {
				const request = removeWebhook(id);
				const outcome = await sendUntilUsable(this.client, request, this.options, () => true);
				if ('result' in outcome) continue;
				// 404 is the response for a webhook that is gone, and for an endpoint that does not exist.
				const there = new Set((await this.list()).map((listed) => listed.id));
				const left = webhooks.filter((webhook) => there.has(webhook.id));
				return { left, reason: `AcountPay ${whyNotRemoved(outcome.failure)}` };
			}
		} catch (error) {
			return { left: webhooks, reason: messageOf(error) };
		}
		const left = webhooks.slice(MAX_REMOVALS);
		return { left, reason: `only ${MAX_REMOVALS} are removed at once` };
	}
}

/** The words of an error of an item. @throws any other error */
export function messageOf(error: unknown): string {
	if (isItemError(error)) return error.message;
	throw error;
}

const whyNotRemoved = (failure: SendResult) =>
	isRefusal(failure) ? `refused, with status ${failure.status}` : describeFailure(failure);

/** The webhooks that AcountPay lists under a URL. */
export const listedUnder = (url: string, listed: RegisteredWebhook[]): RegisteredWebhook[] =>
	listed.filter((webhook) => isSameUrl(webhook.url, url));

/** Whether AcountPay posts to a webhook, and the wanted events alone. */
export function isInOrder({ events, isActive }: RegisteredWebhook, target: WebhookTarget): boolean {
	const registered = new Set(events);
	const hasAll = target.events.every((event) => registered.has(event));
	return isActive && hasAll && registered.size === target.events.length;
}
