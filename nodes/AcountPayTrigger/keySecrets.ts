import type { IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import { type AcountPayHost, baseUrlOf, KEY_HOSTS } from '../shared/api/hosts';
import { webhookSecretIn } from '../shared/api/webhookSecret';
import { AUTH_METHODS } from '../shared/auth';
import type { SecretSource, WebhookCredential } from '../shared/webhooks/receive';
import { keptRegistration, keyFrom, type Owner, storeNewest } from './keptRegistration';

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
 * The node as the owner of its registration.
 * @param url of the node; undefined for a test in the editor
 * @returns undefined when the credential has no client secret: then nothing is kept
 */
export function ownerOf(
	context: IHookFunctions | IWebhookFunctions,
	{ environment, key }: KeyWebhookCredential,
	url: string | undefined,
): Owner | undefined {
	const ids = { workflowId: String(context.getWorkflow().id), nodeId: context.getNode().id };
	return key && { ...ids, baseUrl: environment, key, url };
}

/** n8n tells a webhook of the editor's test the URL of the published one. */
const ownerIn = (context: IWebhookFunctions, credential: KeyWebhookCredential) =>
	ownerOf(
		context,
		credential,
		context.getMode() === 'manual' ? undefined : (context.getNodeWebhookUrl('default') ?? ''),
	);

/**
 * The secrets that deliveries to the trigger are signed with: the one of the webhook that it has registered itself, and the one
 * in the credential, of a webhook that the user has registered. AcountPay may post to both.
 */
export const keySecrets = (context: IWebhookFunctions): SecretSource<KeyWebhookCredential> => ({
	credentialType,
	// A registration that has just been stored may have been encrypted with another client secret.
	dependsOn: JSON.stringify(context.getWorkflowStaticData('node').registration),
	read: readKeyCredential,
	secretsOf(credential) {
		const owner = ownerIn(context, credential);
		const kept = owner && keptRegistration(context.getWorkflowStaticData('node'), owner);
		return [kept?.secret ?? '', credential.webhookSecret];
	},
	missing: 'the trigger has no secret to check it with',
});

/** Stores the newest registration again, if n8n has dropped it or put an older one in its place. */
export function storeAgain(context: IWebhookFunctions, credential: KeyWebhookCredential): void {
	const owner = ownerIn(context, credential);
	if (owner) storeNewest(context.getWorkflowStaticData('node'), owner);
}
