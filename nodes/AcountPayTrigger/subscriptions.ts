import type { IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import type { WebhookEvent } from '../shared/api/events';
import { AUTH_METHODS, type Authentication, authenticationOf } from '../shared/auth';
import {
	receiveEvent,
	requireWebhookSecret,
	type SecretOf,
	webhookSecretIn,
	webhookSecretOf,
} from '../shared/webhooks/receive';
import { SCHEMES } from '../shared/webhooks/schemes';
import { assertNoForeignEvents } from './fields';
import { register, registrationOf, unregister } from './registration';

/** How the trigger gets its events, with one way to authenticate. */
interface Subscription {
	/**
	 * Looks for what a person has to set up first; sends nothing.
	 * @throws NodeOperationError with the advice in its message
	 */
	check(context: IHookFunctions): Promise<void>;
	/**
	 * Sees to it that events can come, before the workflow is published or listens for a test event.
	 * @throws NodeOperationError with the advice in its message
	 */
	begin(context: IHookFunctions): Promise<void>;
	/** Ends what `begin` began. Throws nothing. */
	end(context: IHookFunctions): Promise<void>;
	/** @returns the event of a delivery; undefined when the delivery was rejected, which is then answered and logged */
	receive(context: IWebhookFunctions): Promise<WebhookEvent | undefined>;
}

async function requireSetUp(context: IHookFunctions): Promise<void> {
	assertNoForeignEvents(context, 'oAuth2');
	await requireWebhookSecret(context);
}

/** Each payment brings its URL: there is nothing to set up at AcountPay, only a secret to have here. */
const byPayment: Subscription = {
	check: requireSetUp,
	begin: requireSetUp,
	async end() {},
	receive: async (context) => await receiveEvent(context, SCHEMES.oAuth2, webhookSecretOf),
};

/** The node's URL is registered at AcountPay, by the node or by a person. */
const byRegistration: Subscription = {
	async check() {},
	begin: register,
	end: unregister,

	/** The secret is the one of a webhook that a person registered, in the credential, or else the one that the node keeps. */
	async receive(context) {
		const registered = registrationOf(context)?.secret ?? '';
		const byHand = webhookSecretIn(AUTH_METHODS.apiKey.credentialType);
		const secretOf: SecretOf = async (reader) => (await byHand(reader)) || registered;
		return await receiveEvent(context, SCHEMES.apiKey, secretOf, {
			dependsOn: registered,
			missing: 'the trigger is not registered at AcountPay. Publish its workflow again',
		});
	},
};

const SUBSCRIPTIONS: Readonly<Record<Authentication, Subscription>> = {
	oAuth2: byPayment,
	apiKey: byRegistration,
};

/**
 * The subscription that goes with the node's authentication.
 * @throws ValidationError when the node has chosen none of them
 */
export const subscriptionOf = (context: IHookFunctions | IWebhookFunctions): Subscription =>
	SUBSCRIPTIONS[authenticationOf(context)];
