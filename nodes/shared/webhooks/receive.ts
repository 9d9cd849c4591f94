import type {
	IDataObject,
	IHookFunctions,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';
import { readWebhookEvent, type WebhookEvent } from '../api/events';
import { CREDENTIAL_TYPE } from '../auth/oAuth2/accessToken';
import { isSignedWith, type SignatureScheme } from './schemes';
import { fitsSecret } from './secrets';

/** Why a delivery is rejected, with the HTTP status of the response. */
export interface Rejection {
	status: 400 | 401 | 500;
	/** As the end of 'refused a webhook: …'. */
	reason: string;
}

/** Reads the secret that webhooks of a node are signed with; an empty string when there is none. */
export type SecretOf = (context: Pick<IHookFunctions, 'getCredentials'>) => Promise<string>;

/** The webhook secret in the node's credential of a type. */
export const webhookSecretIn =
	(credentialType: string): SecretOf =>
	async (context) => {
		const { webhookSecret } = await context.getCredentials<IDataObject>(credentialType);
		return String(webhookSecret ?? '').trim();
	};

/** The webhook secret in the node's credential 'AcountPay API'. */
export const webhookSecretOf = webhookSecretIn(CREDENTIAL_TYPE);

/** What a node knows of its webhook secret besides how to read it. */
export interface SecretFacts {
	/** Another value means another secret, beside another credential of the node. */
	dependsOn?: string;
	/** Why a delivery is rejected when there is no secret. */
	missing?: string;
}

/** The words for a node that needs the webhook secret and whose credential has none. */
export const WEBHOOK_SECRET_MISSING = {
	message: 'The credential has no Webhook Secret',
	description:
		'Open the credential of this node and fill in Webhook Secret: the webhook_secret that AcountPay gave you with your client_id. Without it nobody can tell whether an event comes from AcountPay.',
};

/**
 * To be called before a webhook is published: one that can't tell who calls it must not be. n8n shows only the message of
 * an error in an activation, so the advice is in it.
 * @throws NodeOperationError when the credential 'AcountPay API' has no webhook secret
 */
export async function requireWebhookSecret(context: IHookFunctions): Promise<void> {
	if ((await webhookSecretOf(context)) !== '') return;
	const { message, description } = WEBHOOK_SECRET_MISSING;
	throw new NodeOperationError(context.getNode(), `${message}. ${description}`);
}

/**
 * Receives a delivery in a node's `webhook()`.
 * @param scheme how the delivery must be signed
 * @returns the event; undefined when the delivery was rejected, which is then answered and logged
 */
export async function receiveEvent(
	context: IWebhookFunctions,
	scheme: SignatureScheme,
	secretOf: SecretOf,
	facts: SecretFacts = {},
): Promise<WebhookEvent | undefined> {
	const received = await checkDelivery(context, scheme, secretOf, facts);
	if ('event' in received) return received.event;
	const { status, reason } = received.rejection;
	context.logger.warn(`AcountPay node '${context.getNode().name}' refused a webhook: ${reason}`);
	answer(context, status, 'refused');
	return undefined;
}

type Received = { event: WebhookEvent } | { rejection: Rejection };

const rejected = (status: Rejection['status'], reason: string): Received => ({
	rejection: { status, reason },
});

/**
 * Checks a delivery, the cheapest check first: headers, signature, body.
 * Throws nothing: n8n would start an execution that fails for it, or end a waiting one.
 */
async function checkDelivery(
	context: IWebhookFunctions,
	scheme: SignatureScheme,
	secretOf: SecretOf,
	{ dependsOn, missing = 'the credential has no Webhook Secret' }: SecretFacts,
): Promise<Received> {
	const request = context.getRequestObject();
	const now = Date.now();
	const claimed = scheme.readHeaders(request.headers, now);
	if (typeof claimed === 'string') return rejected(401, claimed);

	const rawBody = await rawBodyOf(request).catch(() => undefined);
	if (!rawBody) return rejected(400, 'its body broke off');

	let secret = '';
	const fits = (read: string) => {
		secret = read;
		return isSignedWith(secret, claimed, rawBody);
	};
	const isSigned = await fitsSecret(
		secretKeyOf(context, dependsOn),
		async () => await secretOf(context),
		fits,
	).catch(() => undefined);
	if (isSigned === undefined) return rejected(500, 'the credential could not be read');
	if (secret === '') return rejected(401, missing);
	if (!isSigned) return rejected(401, 'its signature is wrong');

	// Events are JSON. What calls itself text is none; other wrong types are what HTTP clients put on JSON by themselves.
	const isText = /^text\/plain\b/i.test(String(request.headers['content-type'] ?? ''));
	const event = isText ? undefined : readWebhookEvent(rawBody);
	if (!event) return rejected(400, 'it is signed, but is no event of a payment or a merchant');
	const tooOld = scheme.refuseByAge(event, now);
	return tooOld === undefined ? { event } : rejected(401, tooOld);
}

type Request = ReturnType<IWebhookFunctions['getRequestObject']>;

/** n8n keeps the raw body of the types that it parses; the others have to be asked for. Of a form nothing is left. */
async function rawBodyOf(request: Request): Promise<Buffer> {
	if (!request.rawBody && request.readable) await request.readRawBody();
	return request.rawBody ?? Buffer.alloc(0);
}

/** The node with its credentials: another credential is another secret. */
function secretKeyOf(context: IWebhookFunctions, dependsOn: string | undefined): string {
	const { id, credentials } = context.getNode();
	return JSON.stringify([context.getWorkflow().id, id, credentials, dependsOn]);
}

/**
 * Answers the caller at once, before anything else is done with the event.
 * @returns what `webhook()` returns when nothing more is to happen
 */
export function answer(
	context: IWebhookFunctions,
	status: 200 | Rejection['status'],
	result: 'accepted' | 'ignored' | 'refused',
): IWebhookResponseData {
	context.getResponseObject().status(status).json({ result }).end();
	return { noWebhookResponse: true };
}

/** Writes why an event that AcountPay has signed is not believed; nothing of its content, which may be personal. */
export function logDoubt(context: IWebhookFunctions, event: WebhookEvent, reason: string): void {
	const { name } = context.getNode();
	context.logger.warn(`AcountPay node '${name}' does not act on ${quoted(event.event)}: ${reason}`);
}

/** A name from outside for one line of a log. */
const quoted = (name: string) => JSON.stringify(name.slice(0, 60));
