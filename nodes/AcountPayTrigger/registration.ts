import type { IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';
import { isSameUrl, type RegisteredWebhook } from '../shared/api/webhookRegistrations';
import { ApiError, isItemError, type ItemError, ValidationError } from '../shared/errors';
import { namesOf } from '../shared/namesOf';
import { log, nodeKeyOf } from '../shared/requestContext';
import { Client } from '../shared/transport/client';
import { isWithin, readWebhookCredential } from '../shared/webhooks/secrets';
import { eventsToRegister } from './fields';
import { isInOrder, listedUnder, messageOf, Registrar } from './registrar';
import { RegistrationStore } from './registrationStore';

/** How long all requests of one publication may take, in ms: n8n tries a publication again by itself. */
const PATIENCE = 25_000;

type Context = IHookFunctions | IWebhookFunctions;

/** A trigger, the webhook that is to be registered for it, and what is kept of the one that is. */
export type Trigger = Awaited<ReturnType<typeof triggerOf>>;

/**
 * What is to be registered for a trigger, and by whom.
 * @param patience how long all requests about it together may take, in ms
 * @throws NodeOperationError with the advice in its message; ValidationError
 */
export async function triggerOf(context: Context, patience: number) {
	const url = context.getNodeWebhookUrl('default') ?? '';
	const target = { url, events: eventsToRegister(context) };
	const credential = await readWebhookCredential(context, 'apiKey');
	const store = RegistrationStore.of(context, credential, url);
	if (!store) {
		throw new ValidationError('Client Secret', 'must be filled in', 'Open the credential.');
	}
	const registrar = await registrarFor(context, store, patience);
	return { context, credential, target, store, registrar };
}

/**
 * Makes AcountPay post the chosen events to the node's URL, and keeps the secret that they are signed with. A webhook that
 * is registered already is used, and changed only if it differs. Only webhooks with this very URL are touched.
 * @throws NodeOperationError with the advice in its message: n8n shows nothing else of an error in a publication
 */
export async function register(context: IHookFunctions): Promise<void> {
	try {
		const trigger = await triggerOf(context, PATIENCE);
		const at = trigger.store.nextTime();
		const listed = await trigger.registrar.list().catch((error: unknown) => {
			// Only these say that the account may not ask. Any other failure may be over in a moment.
			const isForbidden = error instanceof ApiError && [403, 404].includes(error.status ?? 0);
			if (!isForbidden || trigger.credential.webhookSecret === '') throw error;
			log(context, `registered no webhook (${error.message}). ${USES_WEBHOOK_SECRET}`);
			return undefined;
		});
		if (!listed) return;
		warnOfOldWebhook(context, trigger.store);
		await useOrRegister(trigger, listed, at);
	} catch (error) {
		throw isItemError(error) ? publicationError(context, error) : error;
	}
}

/**
 * Opens the node's credential for requests about webhooks.
 * @param patience how long all of them together may take, in ms
 * @throws ValidationError
 */
const registrarFor = async (context: Context, store: RegistrationStore, patience: number) =>
	new Registrar(await Client.open(context), patience, store.current?.secret);

const USES_WEBHOOK_SECRET =
	'Events are accepted that are signed with the Webhook Secret of the credential.';

/** This may be a copy, such as a test system, of an n8n that still runs at another URL. */
function warnOfOldWebhook(context: Context, { oldRegistration, owner }: RegistrationStore): void {
	if (!oldRegistration) return;
	const { url, baseUrl } = oldRegistration;
	const where = baseUrl === owner.baseUrl ? "it is not this n8n's URL" : `it is at ${baseUrl}`;
	warnOfRemains(context, [oldRegistration], url, where);
}

/** @param at when the list was asked for, by {@link RegistrationStore.nextTime} */
async function useOrRegister(
	trigger: Trigger,
	listed: RegisteredWebhook[],
	at: number,
): Promise<void> {
	const { context, credential, target, store, registrar } = trigger;
	const atUrl = listedUnder(target.url, listed);
	const kept = store.current;
	const mine = atUrl.find(({ id }) => id === kept?.id);
	if (kept && mine && (isInOrder(mine, target) || (await registrar.change(mine, target)))) {
		store.keep({ ...kept, at });
		log(context, `uses the webhook ${kept.id} for ${target.url}`, 'info');
		await removeOthers(trigger, atUrl, kept.id);
		return;
	}
	if (kept) store.forget(at);
	const userMade = atUrl.find((webhook) => webhook.isActive && webhook !== mine);
	if (credential.webhookSecret !== '' && userMade) {
		const { id } = userMade;
		log(
			context,
			`registers no webhook: AcountPay has ${id} for ${target.url}. ${USES_WEBHOOK_SECRET} If that is not the secret of ${id}, ${removeAndPublish(id)}`,
		);
		return;
	}
	await registerNew(trigger, atUrl, 'publication');
}

/** What the user is to do about webhooks whose secret this package does not have. */
export const removeAndPublish = (webhooks: string): string =>
	`remove ${webhooks} in the AcountPay Partner Dashboard, then unpublish and publish the workflow.`;

/** How many webhooks one cause may leave at AcountPay in an hour, for one trigger in one process. */
const MAX_LEFT_BEHIND = 3;
const HOUR = 60 * 60_000;
/** What the user is to do when there were too many. */
const TOO_OFTEN =
	"AcountPay events won't start this workflow until its webhook is registered. Try again in an hour: unpublish and publish the workflow.";

/** What caused a webhook to be registered: a publication, or a delivery that fits no secret. */
type Cause = 'publication' | 'delivery';
/** For which trigger and cause webhooks may have been left behind, and when, in ms since 1970. */
let leftBehind: Array<{ key: string; at: number }> = [];

/** Whether a webhook may be registered: not after too many in an hour that {@link countLeftBehind} counted. */
export function mayRegister(context: Context, cause: Cause): boolean {
	leftBehind = leftBehind.filter(({ at }) => isWithin(at, HOUR));
	const key = nodeKeyOf(context, cause);
	return leftBehind.filter((one) => one.key === key).length < MAX_LEFT_BEHIND;
}

/** Counts a webhook that a delivery caused, or that AcountPay may have registered without saying so. */
export const countLeftBehind = (context: Context, cause: Cause): void => {
	leftBehind.push({ key: nodeKeyOf(context, cause), at: Date.now() });
};

/**
 * Registers a webhook and keeps it.
 * @param atUrl the webhooks that AcountPay lists with the trigger's URL
 * @returns its number
 * @throws ApiError
 */
export async function registerNew(
	trigger: Trigger,
	atUrl: RegisteredWebhook[],
	cause: Cause,
): Promise<string> {
	const { context, target, store, registrar } = trigger;
	if (!mayRegister(context, cause)) {
		const message = `AcountPay was asked for a webhook ${MAX_LEFT_BEHIND} times within an hour, and did not say what became of it`;
		throw new ApiError('unavailable', message, TOO_OFTEN);
	}
	const at = store.nextTime();
	const { id, secret } = await registrar.register(target).catch((error: unknown) => {
		if (!(error instanceof ApiError) || error.outcome === 'unavailable') throw error;
		// A refusal counts after a delivery: otherwise each delivery would ask again.
		if (error.outcome === 'unknown' || cause === 'delivery') countLeftBehind(context, cause);
		if (error.outcome === 'unknown' || atUrl.length === 0) throw error;
		const ids = named(atUrl);
		throw new ApiError(
			'refused',
			`${error.message}. It has the webhook ${ids} for ${target.url} already: if it takes only one, ${removeAndPublish(ids)}`,
			error.description ?? '',
			{ status: error.status },
		);
	});
	store.keep({ id, secret, url: target.url, at });
	log(context, `registered the webhook ${id} for ${target.url}`, 'info');
	await removeOthers(trigger, atUrl, id);
	return id;
}

/** Removes webhooks with the trigger's URL that are not used. With a Webhook Secret the user may have registered them. */
async function removeOthers(
	{ context, credential, target, registrar }: Trigger,
	atUrl: RegisteredWebhook[],
	usedId: string,
): Promise<void> {
	const others = atUrl.filter(({ id }) => id !== usedId);
	if (credential.webhookSecret !== '') return;
	const { left, reason } = await registrar.remove(others);
	if (left.length > 0) warnOfRemains(context, left, target.url, reason);
}

/**
 * Removes the node's webhook from AcountPay, if AcountPay lists it with the node's URL. AcountPay doesn't document that
 * this is allowed. If it isn't, the log says what the user has to remove; if the webhook is still there, the next publication
 * reuses it. Throws nothing: unpublishing must always succeed.
 */
export async function unregister(context: IHookFunctions): Promise<void> {
	const url = context.getNodeWebhookUrl('default') ?? '';
	const credential = await readWebhookCredential(context, 'apiKey').catch(() => undefined);
	const store = credential && RegistrationStore.of(context, credential, url);
	if (store) warnOfOldWebhook(context, store);
	const kept = store?.current;
	if (!store || !kept) {
		// What can't be read was perhaps stored under another client secret.
		const { registration } = context.getWorkflowStaticData('node');
		if (registration !== undefined && !store?.isReadable) {
			log(
				context,
				`can't read what it kept of its webhook. If AcountPay still has one for ${url}, remove it in the AcountPay Partner Dashboard.`,
			);
		}
		return;
	}
	if (!isSameUrl(kept.url, url)) return;
	try {
		const registrar = await registrarFor(context, store, PATIENCE);
		const at = store.nextTime();
		const mine = listedUnder(url, await registrar.list()).filter(({ id }) => id === kept.id);
		const { left, reason } = await registrar.remove(mine);
		if (left.length === 0) {
			store.forget(at);
			return;
		}
		store.storeNewest();
		warnOfRemains(context, left, url, reason);
	} catch (error) {
		warnOfRemains(context, [kept], url, messageOf(error));
	}
}

/** How many webhooks a line of the log names. */
const MAX_NAMED = 10;

type Numbered = Pick<RegisteredWebhook, 'id'>;

/** Webhooks by their numbers, for a sentence. */
export function named(webhooks: Numbered[]): string {
	const ids = webhooks.map(({ id }) => id);
	return namesOf(ids, MAX_NAMED);
}

const warnOfRemains = (context: Context, webhooks: Numbered[], url: string, reason: string) =>
	log(
		context,
		`could not remove the webhook ${named(webhooks)} for ${url} (${reason}). Remove it in the AcountPay Partner Dashboard if it is not used again.`,
	);

/** The error of a publication. n8n shows its message alone, so the advice is in it. */
function publicationError(context: IHookFunctions, error: ItemError): NodeOperationError {
	const advice = adviceFor(error, context.getNodeWebhookUrl('default') ?? '');
	const message = `${error.message.replace(/\.$/, '')}. ${advice}`;
	return new NodeOperationError(context.getNode(), message);
}

function adviceFor(error: ItemError, url: string): string {
	if (!(error instanceof ApiError)) return error.description ?? '';
	const { outcome, status, description = '' } = error;
	if (status === 401 || description === TOO_OFTEN) return description;
	if (outcome === 'refused') {
		return `Check that AcountPay can reach n8n at ${url}, and that your AcountPay account may register webhooks.`;
	}
	return "AcountPay events won't start this workflow until its webhook is registered. Check the environment of the credential. When AcountPay responds, unpublish and publish the workflow.";
}
