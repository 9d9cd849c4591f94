import type { IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import { type Authentication, authenticationOf } from '../shared/auth';
import {
	checkDelivery,
	eventIn,
	oAuth2Secrets,
	receiveEvent,
	type ReceivedEvent,
	requireWebhookSecret,
	type WebhookCredential,
} from '../shared/webhooks/receive';
import { SCHEMES } from '../shared/webhooks/schemes';
import { refuseForeignEvents } from './fields';
import { dropUnencrypted } from './registrationStore';
import { keySecrets, storeAgain } from './keySecrets';
import { register, unregister } from './registration';
import { changeInTurn, repair } from './repair';

/** How the trigger gets its events, with one way to authenticate. */
interface Subscription {
	/**
	 * Looks for what the user has to set up first; sends nothing.
	 * @throws NodeOperationError with the advice in its message
	 */
	check(context: IHookFunctions): Promise<void>;
	/**
	 * Makes sure that events can come, before the workflow is published or listens for a test event.
	 * @throws NodeOperationError with the advice in its message
	 */
	begin(context: IHookFunctions): Promise<void>;
	/** Ends what `begin` began. Throws nothing. */
	end(context: IHookFunctions): Promise<void>;
	/** @returns the event of a delivery; undefined when there is nothing to act on, which is then answered and logged */
	receive(context: IWebhookFunctions): Promise<ReceivedEvent<WebhookCredential> | undefined>;
}

async function requireSetUp(context: IHookFunctions): Promise<void> {
	refuseForeignEvents(context);
	await requireWebhookSecret(context);
}

/** Each payment brings its URL: there is nothing to set up at AcountPay, only a secret to have here. */
const byPayment: Subscription = {
	check: requireSetUp,
	begin: requireSetUp,
	async end() {},
	receive: async (context) => await receiveEvent(context, SCHEMES.oAuth2, oAuth2Secrets),
};

/** The node's URL is registered at AcountPay, by the node or by the user. */
const byRegistration: Subscription = {
	async check() {},
	begin: async (context) => await changeInTurn(context, async () => await register(context), false),
	end: async (context) => await changeInTurn(context, async () => await unregister(context), true),
	async receive(context) {
		const check = async () => await checkDelivery(context, SCHEMES.apiKey, keySecrets(context));
		let checked = await check();
		if ('refusal' in checked && checked.refusal.isSignedWith) {
			await repair(context, checked.refusal.isSignedWith);
			checked = await check();
		}
		const received = eventIn(context, checked);
		if (received) storeAgain(context, received.credential);
		return received;
	},
};

const SUBSCRIPTIONS: Readonly<Record<Authentication, Subscription>> = {
	oAuth2: byPayment,
	apiKey: byRegistration,
};

/**
 * The subscription that goes with the node's authentication. Whatever it is used for, and however that ends, no secret in the
 * clear stays in n8n's static data.
 * @throws ValidationError when the node has chosen none of them
 */
export function subscriptionOf(context: IHookFunctions | IWebhookFunctions): Subscription {
	dropUnencrypted(context.getWorkflowStaticData('node'));
	return SUBSCRIPTIONS[authenticationOf(context)];
}
