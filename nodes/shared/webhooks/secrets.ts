import type { IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import { type AcountPayHost, baseUrlOf } from '../api/hosts';
import { webhookSecretIn } from '../api/webhookSecret';
import { AUTH_METHODS, type Authentication } from '../auth';
import { nodeKeyOf } from '../requestContext';

/** What a node's credential says about its webhooks. */
export interface WebhookCredential {
	/** The Webhook Secret that the user has filled in; empty when there is none. */
	webhookSecret: string;
	/** Empty when there is none. */
	clientSecret: string;
	/** The base URL of the environment; empty when it is not to be used. */
	environment: string;
}

/** The fields of a credential that its webhooks depend on. */
type Fields = AcountPayHost & { clientSecret?: unknown; webhookSecret?: unknown };

/** Reads what the node's credential says about its webhooks. */
export async function readWebhookCredential(
	context: Pick<IHookFunctions, 'getCredentials'>,
	authentication: Authentication,
): Promise<WebhookCredential> {
	const { credentialType, hosts } = AUTH_METHODS[authentication];
	const credential = await context.getCredentials<Fields>(credentialType);
	return {
		webhookSecret: webhookSecretIn(credential),
		clientSecret: String(credential.clientSecret ?? ''),
		environment: baseUrlOf(credential, hosts) ?? '',
	};
}

/** Where the secrets come from that the deliveries to a node are signed with. */
export interface SecretSource {
	/** Which credential is read. That is costly, so what it says is used for ten seconds. */
	authentication: Authentication;
	/** With another value the credential is read again: it may have been edited since. */
	dependsOn?: string;
	/** The secrets, any of which may have signed a delivery; an empty one counts as none. */
	secretsOf(credential: WebhookCredential): string[];
	/** Why a delivery is refused when there is none. */
	missing: string;
}

/** For how long a secret is used without being read again, in ms. A replaced or removed one is accepted for as long. */
export const TRUSTED_FOR = 10_000;
/** How old a secret may be that a delivery does not fit, in ms: a new one counts within that time, and noise does not cause reads. */
export const READ_EVERY = 5_000;

/**
 * Whether something was less than `period` ms ago. If it seems to lie in the future, it was not: the clock was set back
 * since, and nobody knows how long ago it was.
 * @param at ms since 1970
 */
export function isWithin(at: number, period: number): boolean {
	const age = Date.now() - at;
	return age >= 0 && age < period;
}

interface Reading {
	credential: Promise<WebhookCredential>;
	/** When it began, in ms since 1970. */
	at: number;
}

/**
 * The last reading of each node's credential. n8n reads, decrypts and evaluates a credential again each time, which takes more
 * CPU than everything else about a delivery.
 */
const readings = new Map<string, Reading>();

/**
 * A node's credential as it was read at most `maxAge` ms ago, or as it is now. Deliveries at the same moment share one reading.
 * @throws what n8n throws; the next call reads again
 */
export async function credentialFor(
	context: IWebhookFunctions,
	{ authentication, dependsOn }: Pick<SecretSource, 'authentication' | 'dependsOn'>,
	maxAge: number,
): Promise<WebhookCredential> {
	// Another credential is another secret.
	const key = nodeKeyOf(context, context.getNode().credentials, authentication, dependsOn);
	let reading = readings.get(key);
	if (!reading || !isWithin(reading.at, maxAge)) {
		for (const [other, { at }] of readings) if (!isWithin(at, TRUSTED_FOR)) readings.delete(other);
		const credential = readWebhookCredential(context, authentication);
		reading = { credential, at: Date.now() };
		readings.set(key, reading);
	}
	return await reading.credential.catch((error: unknown) => {
		if (readings.get(key) === reading) readings.delete(key);
		throw error;
	});
}
