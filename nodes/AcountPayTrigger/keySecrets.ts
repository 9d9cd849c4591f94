import type { IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import { type AcountPayHost, baseUrlOf, KEY_HOSTS } from '../shared/api/hosts';
import { webhookSecretIn } from '../shared/api/webhookSecret';
import { AUTH_METHODS } from '../shared/auth';
import type { SecretSource, WebhookCredential } from '../shared/webhooks/receive';
import { keyFrom, RegistrationStore } from './registrationStore';

/** What the credential with keys says about webhooks. */
export interface KeyWebhookCredential extends WebhookCredential {
	/** What registrations are encrypted with; undefined when the credential has no client secret. */
	key?: Buffer;
}

const { credentialType } = AUTH_METHODS.apiKey;

/** Reads the node's credential with keys. */
export async function readKeyCredential(
	context: Pick<IHookFunctions, 'getCredentials'>,
): Promise<KeyWebhookCredential> {
	const credential = await context.getCredentials<
		AcountPayHost & { clientSecret?: unknown; webhookSecret?: unknown }
	>(credentialType);
	return {
		webhookSecret: webhookSecretIn(credential),
		environment: baseUrlOf(credential, KEY_HOSTS) ?? '',
		key: keyFrom(String(credential.clientSecret ?? '')),
	};
}

/**
 * What the node has kept of its registration.
 * @param url of the node; undefined for a test in the editor
 * @returns undefined when the credential has no client secret: then nothing is kept
 */
export function registrationStoreOf(
	context: IHookFunctions | IWebhookFunctions,
	{ environment, key }: KeyWebhookCredential,
	url: string | undefined,
): RegistrationStore | undefined {
	if (!key) return undefined;
	const ids = { workflowId: String(context.getWorkflow().id), nodeId: context.getNode().id };
	const owner = { ...ids, baseUrl: environment, key, url };
	return new RegistrationStore(context.getWorkflowStaticData('node'), owner);
}

/** n8n tells a webhook of the editor's test the URL of the published one. */
const storeFor = (context: IWebhookFunctions, credential: KeyWebhookCredential) => {
	const isTest = context.getMode() === 'manual';
	const url = isTest ? undefined : (context.getNodeWebhookUrl('default') ?? '');
	return registrationStoreOf(context, credential, url);
};

/**
 * The secrets that deliveries to the trigger are signed with: the one of the webhook that it has registered itself, and the one
 * in the credential, of a webhook that the user has registered. AcountPay may post to both.
 */
export const keySecrets = (context: IWebhookFunctions): SecretSource<KeyWebhookCredential> => ({
	credentialType,
	// A registration that has just been stored may have been encrypted with another client secret.
	dependsOn: JSON.stringify(context.getWorkflowStaticData('node').registration),
	read: readKeyCredential,
	secretsOf: (credential) => [
		storeFor(context, credential)?.current?.secret ?? '',
		credential.webhookSecret,
	],
	missing: 'the trigger has no secret to check it with',
});

/** Stores the newest registration again, if n8n has dropped it or put an older one in its place. */
export const storeAgain = (context: IWebhookFunctions, credential: KeyWebhookCredential): void =>
	storeFor(context, credential)?.storeNewest();
