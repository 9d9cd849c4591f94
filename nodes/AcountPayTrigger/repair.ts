import { type IHookFunctions, type IWebhookFunctions, NodeOperationError } from 'n8n-workflow';
import { inTurn } from '../shared/http/delays';
import { canReplace, isSamePath } from '../shared/api/webhookRegistrations';
import { isItemError } from '../shared/errors';
import { log, nodeKeyOf } from '../shared/requestContext';
import { isWithin } from '../shared/webhooks/secrets';
import { listedUnder } from './registrar';
import {
	countLeftBehind,
	mayRegister,
	named,
	registerNew,
	removeAndPublish,
	type Trigger,
	triggerOf,
} from './registration';
import { type Owner, type Registration, RegistrationStore } from './registrationStore';

/** How often deliveries that fit no secret cause a look at AcountPay, in ms, for one trigger in one process. */
const LOOK_EVERY = 60_000;
/** How long all requests of one look may take, in ms: the delivery waits, and AcountPay waits ten seconds (documented). */
const PATIENCE = 7_000;

/** What a look has found: what to keep, if a delivery proves to be signed with it. */
interface Found {
	owner: Owner;
	candidate: Registration;
}

/** The last look for each trigger, with its time in ms since 1970; those that are over are dropped. */
const looks = new Map<string, { at: number; found?: Found }>();

/** The work that is under way about each trigger's webhook. */
const underWay = new Map<string, Promise<unknown>>();

/**
 * Publishes or unpublishes when nothing else is being done about the trigger's webhook in this process. Earlier findings
 * of deliveries do not count after it.
 * @param isEnd whether the trigger is unpublished. n8n takes its path away only afterwards: what still arrives there counts
 * as having looked, or it would register the removed webhook again
 */
export async function changeInTurn(
	context: IHookFunctions,
	work: () => Promise<void>,
	isEnd: boolean,
): Promise<void> {
	const key = nodeKeyOf(context);
	await inTurn(underWay, key, undefined, async () => {
		await work().finally(() => looks.delete(key));
		if (isEnd && context.getMode() !== 'manual') looks.set(key, { at: Date.now() });
	});
}

/**
 * To be called for a delivery that fits no known secret: n8n may have dropped or put back what the trigger kept, the client
 * secret may be another, or AcountPay may have changed the webhook. AcountPay is asked, once in {@link LOOK_EVERY}, whether
 * the webhook is still listed; if not, another one is registered. A secret that the list shows is only taken when this
 * delivery is signed with it. Throws nothing. The delivery may fit what is kept after it.
 * @param isSignedWith whether a secret has signed the delivery
 */
export async function repair(
	context: IWebhookFunctions,
	isSignedWith: (secret: string) => boolean,
): Promise<void> {
	// A test in the editor ends by itself, and n8n stores nothing of it.
	if (context.getMode() === 'manual') return;
	const key = nodeKeyOf(context);
	await inTurn(underWay, key, undefined, async () => {
		for (const [other, { at }] of looks) if (!isWithin(at, LOOK_EVERY)) looks.delete(other);
		const look = looks.get(key) ?? { at: Date.now(), found: await lookAtAcountPay(context) };
		looks.set(key, look);
		const { owner, candidate } = look.found ?? {};
		if (owner && candidate && isSignedWith(candidate.secret)) {
			new RegistrationStore(context.getWorkflowStaticData('node'), owner).keep(candidate);
		}
	});
}

async function lookAtAcountPay(context: IWebhookFunctions): Promise<Found | undefined> {
	if (!mayRegister(context, 'delivery')) return undefined;
	try {
		return await settle(await triggerOf(context, PATIENCE));
	} catch (error) {
		const isKnown = isItemError(error) || error instanceof NodeOperationError;
		const message = isKnown ? error.message : 'its credential or fields could not be read';
		log(
			context,
			`could not ask AcountPay about its webhook: ${message}. It asks again with a later delivery.`,
		);
		return undefined;
	}
}

async function settle(trigger: Trigger): Promise<Found | undefined> {
	const { context, credential, target, store, registrar } = trigger;
	const { url } = target;
	const warn = (what: string) => log(context, what);
	const at = store.nextTime();
	const listed = await registrar.list();
	const atUrl = listedUnder(url, listed);
	const kept = store.current;
	const mine = kept && listedUnder(kept.url, listed).find(({ id }) => id === kept.id);
	if (kept && !mine) store.forget(at);
	const { secret } = mine ?? {};
	if (kept && secret !== undefined && secret !== kept.secret && canReplace(kept.secret, secret)) {
		return { owner: store.owner, candidate: { ...kept, secret, at } };
	}
	const active = atUrl.filter(({ isActive }) => isActive);
	const others = named(active.filter((webhook) => webhook !== mine));
	const isHere = mine !== undefined && atUrl.includes(mine);
	if (isHere ? !mine.isActive : atUrl.length > 0 && active.length === 0) {
		warn(
			`gets no events: AcountPay has switched off ${named(isHere ? [mine] : atUrl)} for ${url}. To have it switched on, unpublish and publish the workflow.`,
		);
	} else if (isHere) {
		// With a Webhook Secret, the user may have registered one of the others.
		if (others !== '' && credential.webhookSecret === '') {
			warn(
				`refuses events of the webhook ${others}, which AcountPay also has for ${url}. Remove it in the AcountPay Partner Dashboard.`,
			);
		}
	} else if (listed.some((webhook) => isSamePath(webhook.url, url) && !atUrl.includes(webhook))) {
		warn(
			`registers no webhook by itself: AcountPay has one for another address of it, and this n8n calls itself ${url}. If n8n has moved, unpublish and publish the workflow. With several n8n processes, give all of them the same WEBHOOK_URL.`,
		);
	} else if (others !== '' && credential.webhookSecret !== '') {
		warn(
			`got an event that is not signed with the Webhook Secret of the credential. If that is not the secret of AcountPay's webhook ${others} for ${url}, ${removeAndPublish(others)}`,
		);
	} else {
		const id = await registerNew(trigger, atUrl, 'delivery');
		countLeftBehind(context, 'delivery');
		warn(
			`had lost its webhook, or the secret of it, and has registered ${id}. Events since it last started the workflow may be lost: AcountPay does not send them again with the new secret. Compare with Payment → Get Many.`,
		);
	}
	return undefined;
}
