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
/** How long one response is waited for when there is hardly any time left, in ms. */
const SHORTEST_TIMEOUT = 1_000;
/** How many webhooks a list may have. */
const MAX_LISTED = 10_000;
/** How many webhooks are removed at once; the user has to remove any others. */
const MAX_REMOVALS = 10;

/**
 * Lists, changes, registers and removes webhooks at AcountPay. Each method states how many requests it takes, repeats after a
 * failure not counted; how many webhooks are listed makes no difference. Change and remove only what {@link list} has
 * returned.
 */
export class Registrar {
	private readonly deadline: number;

	/**
	 * @param patience how long all requests together may take, in ms
	 * @param secret that the trigger keeps; no error shows it
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
		// Always the whole timeout, however long the list took: cut off early, each attempt could leave a webhook behind.
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
	 * Removes up to ten webhooks, with one request each, if AcountPay allows it. After the first failure it removes no more, and
	 * one request lists which are left.
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

/**
 * The message of an `ItemError`.
 * @throws any other error
 */
export function messageOf(error: unknown): string {
	if (isItemError(error)) return error.message;
	throw error;
}

const whyNotRemoved = (failure: SendResult) =>
	isRefusal(failure) ? `refused, with status ${failure.status}` : describeFailure(failure);

/** The webhooks that AcountPay lists under a URL. */
export const listedUnder = (url: string, listed: RegisteredWebhook[]): RegisteredWebhook[] =>
	listed.filter((webhook) => isSameUrl(webhook.url, url));

/** Whether AcountPay posts the wanted events to a webhook, and no others. */
export function isInOrder({ events, isActive }: RegisteredWebhook, target: WebhookTarget): boolean {
	const registered = new Set(events);
	const hasAll = target.events.every((event) => registered.has(event));
	return isActive && hasAll && registered.size === target.events.length;
}
