import type { IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import { type Authentication, authenticationOf } from '../shared/auth';
import {
	checkDelivery,
	eventIn,
	oAuth2Secrets,
	receiveEvent,
	type ReceivedEvent,
	requireWebhookSecret,
} from '../shared/webhooks/receive';
import { SCHEMES } from '../shared/webhooks/schemes';
import type { SecretSource, WebhookCredential } from '../shared/webhooks/secrets';
import { refuseForeignEvents } from './fields';
import { register, unregister } from './registration';
import { dropUnencrypted, RegistrationStore } from './registrationStore';
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
	receive(context: IWebhookFunctions): Promise<ReceivedEvent | undefined>;
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

/** What is kept of the trigger's registration. n8n tells a webhook of the editor's test the URL of the published one. */
const storeFor = (context: IWebhookFunctions, credential: WebhookCredential) => {
	const isTest = context.getMode() === 'manual';
	const url = isTest ? undefined : (context.getNodeWebhookUrl('default') ?? '');
	return RegistrationStore.of(context, credential, url);
};

/**
 * The secrets that deliveries to the trigger are signed with: the one of the webhook that it has registered itself, and the one
 * in the credential, of a webhook that the user has registered. AcountPay may post to both.
 */
const keySecrets = (context: IWebhookFunctions): SecretSource => ({
	authentication: 'apiKey',
	// A registration that has just been stored may have been encrypted with another client secret.
	dependsOn: JSON.stringify(context.getWorkflowStaticData('node').registration),
	secretsOf: (credential) => [
		storeFor(context, credential)?.current?.secret ?? '',
		credential.webhookSecret,
	],
	missing: 'the trigger has no secret to check it with',
});

/** The node's URL is registered at AcountPay, by the node or by the user. */
const byRegistration: Subscription = {
	async check() {},
	begin: async (context) => await changeInTurn(context, async () => await register(context), false),
	end: async (context) => await changeInTurn(context, async () => await unregister(context), true),
	async receive(context) {
		const check = async () => await checkDelivery(context, SCHEMES.apiKey, keySecrets(context));
		let checked = await check();
		if ('reason' in checked && checked.isSignedWith) {
			await repair(context, checked.isSignedWith);
			checked = await check();
		}
		const received = eventIn(context, checked);
		// n8n may have dropped the newest registration, or put an older one in its place.
		if (received) storeFor(context, received.credential)?.storeNewest();
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
