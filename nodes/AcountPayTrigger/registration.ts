import type { IDataObject, IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';
import {
	changeWebhook,
	listWebhooks,
	readWebhook,
	readWebhooks,
	type RegisteredWebhook,
	registerWebhook,
	removeWebhook,
	type WebhookTarget,
} from '../shared/api/webhookRegistrations';
import { ApiError, isItemError, type ItemError } from '../shared/errors';
import { readError, rejectionError, unreachableError } from '../shared/transport/apiErrors';
import { Client } from '../shared/transport/client';
import { read } from '../shared/transport/read';
import {
	describeFailure,
	isRejection,
	isSuccess,
	isUnreachable,
	type SendResult,
} from '../shared/transport/response';
import { type CallOptions, send, sendRepeatedly } from '../shared/transport/send';
import { chosenEvents } from './fields';

/** How long one response is waited for, in ms. */
const TIMEOUT = 10_000;
/** How long all requests of one publication may take, in ms: n8n tries a publication again by itself. */
const PATIENCE = 25_000;

/**
 * What the node keeps of its webhook at AcountPay, in n8n's static data of the node. n8n stores that with the workflow, hands
 * it to no other node, and gives static data of their own to the tests in the editor.
 */
export interface Registration extends IDataObject {
	/** AcountPay's number for the webhook, as text. */
	id: string;
	/** What its deliveries are signed with. */
	secret: string;
	/** The URL that it was registered with. */
	url: string;
	/** Where it was registered: numbers of one environment mean something else in another. */
	baseUrl: string;
}

type Context = IHookFunctions | IWebhookFunctions;

/** What the node keeps of its webhook; undefined when it has none, or has lost its secret. */
export function registrationOf(context: Context): Registration | undefined {
	const { registration } = context.getWorkflowStaticData('node') as { registration?: IDataObject };
	const { id, secret, url, baseUrl } = registration ?? {};
	const isWhole = [id, secret, url, baseUrl].every(
		(value) => typeof value === 'string' && value !== '',
	);
	return isWhole ? (registration as Registration) : undefined;
}

/**
 * Webhooks that this process could not remove, by URL. n8n forgets the static data of a test when it ends, and those of a
 * node that is renamed: with these its next webhook is the same one.
 */
const leftBehind = new Map<string, Registration>();

/**
 * Sees to it that AcountPay posts the chosen events to the node's URL, and that the node knows what they are signed with.
 * What is registered already is found; only what differs is changed. With a Webhook Secret in the credential there is
 * nothing to register: a person has done it.
 * @throws NodeOperationError with the advice in its message: n8n shows nothing else of an error in a publication
 */
export async function register(context: IHookFunctions): Promise<void> {
	const target = targetOf(context);
	try {
		const client = await Client.open(context);
		if (client.hasWebhookSecret) {
			await unregister(context);
			return;
		}
		keep(context, await new Registrar(context, client).bringInOrder(target));
	} catch (error) {
		throw isItemError(error) ? publicationError(context, error, target.url) : error;
	}
}

/**
 * Removes the node's webhook from AcountPay. Nothing says that AcountPay lets it: where not, the log says what a person has to
 * remove, and the webhook is kept in mind and used again by the next publication. Throws nothing: a workflow can always be
 * taken back.
 */
export async function unregister(context: IHookFunctions): Promise<void> {
	const kept = registrationOf(context);
	if (!kept) return;
	const reason = await removeKept(context, kept);
	if (reason === undefined) {
		leftBehind.delete(kept.url);
		delete context.getWorkflowStaticData('node').registration;
		return;
	}
	leftBehind.set(kept.url, { ...kept });
	warnOfRemains(context, kept, reason);
}

/** @returns why it is still there; undefined when it is gone */
async function removeKept(
	context: IHookFunctions,
	{ id, baseUrl }: Registration,
): Promise<string | undefined> {
	const remove = async () => {
		const client = await Client.open(context);
		if (client.baseUrl !== baseUrl) return `it is at ${baseUrl}, where the credential is not from`;
		return await new Registrar(context, client).remove(id);
	};
	return await remove().catch(messageOf);
}

function messageOf(error: unknown): string {
	if (isItemError(error)) return error.message;
	throw error;
}

/** What is to be registered. */
const targetOf = (context: IHookFunctions): WebhookTarget => ({
	url: context.getNodeWebhookUrl('default') ?? '',
	events: chosenEvents(context, 'apiKey'),
});

function keep(context: IHookFunctions, registration: Registration): void {
	const staticData = context.getWorkflowStaticData('node');
	// n8n stores the static data of the whole workflow when anything is written.
	if (JSON.stringify(staticData.registration) === JSON.stringify(registration)) return;
	staticData.registration = registration;
}

const warnOfRemains = (
	context: IHookFunctions,
	{ id, url }: Pick<Registration, 'id' | 'url'>,
	reason: string,
) =>
	context.logger.warn(
		`AcountPay node '${context.getNode().name}' could not remove the webhook ${id} for ${url} (${reason}). Remove it in the AcountPay Partner Dashboard if it is not used again.`,
	);

/** The requests about webhooks, for one publication. */
class Registrar {
	private readonly options: CallOptions = {
		timeout: TIMEOUT,
		deadline: Date.now() + PATIENCE,
		resendUnknown: false,
	};

	constructor(
		private readonly context: IHookFunctions,
		private readonly client: Client,
	) {}

	/**
	 * Finds, changes or makes the node's webhook.
	 * @throws ApiError
	 */
	async bringInOrder(target: WebhookTarget): Promise<Registration> {
		const kept = this.keptFor(target);
		const listed = await this.list();
		// A number alone could be that of somebody else's webhook.
		const isOwn = ({ id, url }: RegisteredWebhook) =>
			id === kept?.id && (url === kept.url || url === target.url);
		const sameUrl = listed.filter((webhook) => webhook.url === target.url && !isOwn(webhook));
		const candidates = [...listed.filter(isOwn), ...sameUrl];
		let registered: Pick<Registration, 'id' | 'secret'> | undefined;
		for (const webhook of candidates) {
			registered ??= await this.adopt(webhook, target, isOwn(webhook) ? kept?.secret : undefined);
		}
		registered ??= await this.make(target);
		const { id, secret } = registered;
		for (const other of candidates) {
			if (other.id !== id) await this.removeOther(other.id, target.url);
		}
		return { id, secret, url: target.url, baseUrl: this.client.baseUrl };
	}

	/** What is known of the node's webhook in this environment. */
	private keptFor({ url }: WebhookTarget): Registration | undefined {
		const { baseUrl } = this.client;
		const stored = registrationOf(this.context);
		if (stored && stored.baseUrl !== baseUrl) {
			warnOfRemains(this.context, stored, `it is at ${stored.baseUrl}`);
		}
		return [stored, leftBehind.get(url)].find((kept) => kept?.baseUrl === baseUrl);
	}

	/**
	 * Takes up a webhook that is registered already, when its secret is known or AcountPay shows it.
	 * @returns undefined when it is of no use: without its secret nobody can tell who sends an event
	 */
	private async adopt(
		webhook: RegisteredWebhook,
		target: WebhookTarget,
		keptSecret: string | undefined,
	): Promise<Pick<Registration, 'id' | 'secret'> | undefined> {
		const { id } = webhook;
		const known = webhook.secret ?? keptSecret;
		if (known !== undefined && isInOrder(webhook, target)) return { id, secret: known };
		const changed = await this.change(id, target);
		const secret = changed?.secret ?? known;
		if (!changed?.isActive || secret === undefined) return undefined;
		if (webhook.url !== target.url) this.tellOfMove(webhook, target);
		return { id, secret };
	}

	/** n8n at the old URL gets nothing any more. It may still run: its database was copied, such as to a test system. */
	private tellOfMove({ id, url }: RegisteredWebhook, target: WebhookTarget): void {
		this.context.logger.warn(
			`AcountPay node '${this.context.getNode().name}' moved its webhook ${id} from ${url} to ${target.url}. If another n8n still runs at the old URL, publish its workflow again: it then gets a webhook of its own.`,
		);
	}

	private async list(): Promise<RegisteredWebhook[]> {
		const subject = { name: 'the list of webhooks' };
		return await read(
			this.client,
			listWebhooks(),
			subject,
			this.options,
			({ body }) => readWebhooks(body),
			'sent a response that is no list',
		);
	}

	/** @returns undefined when AcountPay does not know it any more */
	private async change(id: string, target: WebhookTarget): Promise<RegisteredWebhook | undefined> {
		const outcome = await sendRepeatedly(
			this.client,
			changeWebhook(id, target),
			this.options,
			(sent) => (isSuccess(sent) ? readWebhook(sent.body) : undefined),
		);
		if ('result' in outcome) return outcome.result;
		if (outcome.failed.status === 404) return undefined;
		throw readError(this.client, outcome.failed, { name: `the change of webhook ${id}` });
	}

	private async make(target: WebhookTarget): Promise<Pick<Registration, 'id' | 'secret'>> {
		const sent = await send(this.client, registerWebhook(target), this.options);
		const { id, secret } = (isSuccess(sent) && readWebhook(sent.body)) || {};
		if (id !== undefined && secret !== undefined) return { id, secret };
		throw this.notMade(sent);
	}

	private notMade(sent: SendResult): ApiError {
		const subject = { name: 'the new webhook' };
		if (isUnreachable(sent)) return unreachableError(this.client, subject, sent);
		if (isRejection(sent)) return rejectionError(this.client, sent, subject, '');
		const what = isSuccess(sent) ? 'gave no secret for it' : describeFailure(sent);
		return new ApiError('unknown', `AcountPay was asked for a new webhook, but ${what}`, '');
	}

	/**
	 * Removes a webhook, where AcountPay lets it.
	 * @returns why it is still there; undefined when it is gone
	 * @throws ApiError
	 */
	async remove(id: string): Promise<string | undefined> {
		const outcome = await sendRepeatedly(
			this.client,
			removeWebhook(id),
			this.options,
			(sent) => isSuccess(sent) || undefined,
		);
		if ('result' in outcome) return undefined;
		const { failed } = outcome;
		// 404 is the response for a webhook that is gone, and for an endpoint that does not exist.
		const isGone = failed.status === 404 && !(await this.list()).some((other) => other.id === id);
		if (isGone) return undefined;
		return isRejection(failed)
			? `AcountPay refused, with status ${failed.status}`
			: `AcountPay ${describeFailure(failed)}`;
	}

	/** Removes a webhook with the same URL whose secret nobody knows: the trigger refuses all that it delivers. */
	private async removeOther(id: string, url: string): Promise<void> {
		const reason = await this.remove(id).catch(messageOf);
		if (reason !== undefined) warnOfRemains(this.context, { id, url }, reason);
	}
}

function isInOrder({ url, events, isActive }: RegisteredWebhook, target: WebhookTarget): boolean {
	const registered = new Set(events);
	return (
		isActive &&
		url === target.url &&
		registered.size === target.events.length &&
		target.events.every((event) => registered.has(event))
	);
}

/** The error of a publication. n8n shows its message alone, so the advice is in it. */
function publicationError(
	context: IHookFunctions,
	error: ItemError,
	url: string,
): NodeOperationError {
	const message = `${error.message.replace(/\.$/, '')}. ${adviceFor(error, url)}`;
	return new NodeOperationError(context.getNode(), message);
}

function adviceFor(error: ItemError, url: string): string {
	if (!(error instanceof ApiError)) return error.description ?? '';
	const { outcome, status, description = '' } = error;
	if (status === 401) return description;
	if (outcome === 'refused') {
		return `Check that AcountPay can reach n8n at ${url}, and that your AcountPay account may register webhooks.`;
	}
	return 'Nothing starts this workflow until that has worked. Check the environment of the credential, and publish the workflow again when AcountPay responds.';
}
