import { type IWebhookFunctions, NodeOperationError } from 'n8n-workflow';
import { canReplace, isSamePath } from '../shared/api/webhookRegistrations';
import { isItemError } from '../shared/errors';
import { keepRegistration, keptRegistration, type Registration } from './keptRegistration';
import { listedUnder, type Registrar } from './registrar';
import { log, named, registerNew, registrarFor, type Trigger, triggerOf } from './registration';

/** How often deliveries that fit no secret cause a look at AcountPay, in ms, for one trigger in one process. */
const LOOK_EVERY = 60_000;
/** How long all requests of one look may take, in ms: the delivery waits, and AcountPay waits ten seconds (documented). */
const PATIENCE = 7_000;
/** How many webhooks AcountPay may list with the trigger's URL before no delivery causes one more. */
const MAX_OF_ONE_URL = 20;

/** What a look has found: what to keep, if a delivery proves to be signed with it. */
interface Look {
	/** In ms since 1970. */
	at: number;
	found: Promise<{ trigger: Trigger; candidate: Registration } | undefined>;
}

/** The last look of each trigger; those that are over are dropped. */
const looks = new Map<string, Look>();

/**
 * To be called for a delivery that fits no known secret: n8n may have dropped or put back what the trigger kept, the client
 * secret may be another, or AcountPay may have changed the webhook. AcountPay is asked, once in {@link LOOK_EVERY}, whether
 * the webhook is still listed; if not, another one is registered. A secret that the list shows is only taken when this
 * delivery is signed with it. Throws nothing.
 * @param isSignedWith whether a secret has signed the delivery
 * @returns whether the delivery fits a secret that is kept now
 */
export async function repair(
	context: IWebhookFunctions,
	isSignedWith: (secret: string) => boolean,
): Promise<boolean> {
	// A test in the editor ends by itself, and n8n stores nothing of it.
	if (context.getMode() === 'manual') return false;
	const { id, credentials } = context.getNode();
	const key = JSON.stringify([context.getWorkflow().id, id, credentials]);
	const now = Date.now();
	for (const [other, { at }] of looks) if (now - at >= LOOK_EVERY) looks.delete(other);
	const look = looks.get(key) ?? { at: now, found: lookAtAcountPay(context) };
	looks.set(key, look);
	const found = await look.found;
	if (!found || !isSignedWith(found.candidate.secret)) return false;
	const { owner } = found.trigger;
	keepRegistration(context.getWorkflowStaticData('node'), owner, found.candidate);
	return true;
}

async function lookAtAcountPay(context: IWebhookFunctions): Look['found'] {
	try {
		const trigger = await triggerOf(context);
		return await settle(trigger, await registrarFor(trigger, PATIENCE));
	} catch (error) {
		const isKnown = isItemError(error) || error instanceof NodeOperationError;
		const message = isKnown ? error.message : 'its credential or fields could not be read';
		log(
			context,
			'warn',
			`could not ask AcountPay about its webhook: ${message}. It asks again with a later delivery.`,
		);
		return undefined;
	}
}

async function settle(trigger: Trigger, registrar: Registrar): Look['found'] {
	const { context, owner, credential, target, staticData } = trigger;
	const { url } = target;
	const warn = (what: string) => log(context, 'warn', what);
	const listed = await registrar.list();
	const own = listedUnder(url, listed);
	const kept = keptRegistration(staticData, owner);
	const mine = own.find(({ id, isActive }) => isActive && id === kept?.id);
	const others = named(own.filter((webhook) => webhook !== mine).map(({ id }) => id));
	if (kept && mine) {
		const { secret } = mine;
		if (secret !== undefined && secret !== kept.secret && canReplace(kept.secret, secret)) {
			return { trigger, candidate: { ...kept, secret, at: Math.max(Date.now(), kept.at + 1) } };
		}
		warn(
			others === ''
				? `got an event with another signature than that of its webhook ${kept.id}. If its secret was changed at AcountPay, remove the webhook in the AcountPay Partner Dashboard, then unpublish and publish the workflow.`
				: `refuses events of the webhook ${others}, which AcountPay also has for ${url}. Remove it in the AcountPay Partner Dashboard.`,
		);
		return undefined;
	}
	const elsewhere = listed.find(
		(webhook) => isSamePath(webhook.url, url) && !own.includes(webhook),
	);
	if (elsewhere || (kept && kept.url !== url)) {
		warn(
			`registers no webhook by itself: AcountPay has one for another address of it, and this n8n calls itself ${url}. If n8n has moved, publish the workflow again. With several n8n processes, give all of them the same WEBHOOK_URL.`,
		);
		return undefined;
	}
	if (credential.webhookSecret !== '' && own.some(({ isActive }) => isActive)) {
		warn(
			`got an event that is not signed with the Webhook Secret of the credential, and AcountPay has the webhook ${others} for ${url}. Fill in the secret of that, or remove it in the AcountPay Partner Dashboard.`,
		);
		return undefined;
	}
	if (own.length >= MAX_OF_ONE_URL) {
		warn(
			`registers no more webhooks by itself: AcountPay has ${own.length} for ${url}. Remove them in the AcountPay Partner Dashboard, then publish the workflow again.`,
		);
		return undefined;
	}
	const id = await registerNew(trigger, registrar, own);
	warn(
		`had lost its webhook, or the secret of it, and has registered ${id}. Events since it last started the workflow may be lost: AcountPay does not send them again with the new secret. Compare with Payment → Get Many.`,
	);
	return undefined;
}
