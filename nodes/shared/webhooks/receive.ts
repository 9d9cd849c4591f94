import type { IHookFunctions, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';
import { readWebhookEvent, unknownEventIn, type WebhookEvent } from '../api/events';
import { log, nodeKeyOf } from '../requestContext';
import { isSignedWith, type SignatureScheme } from './schemes';
import {
	credentialFor,
	READ_EVERY,
	readWebhookCredential,
	type SecretSource,
	TRUSTED_FOR,
	type WebhookCredential,
} from './secrets';

/** Why a delivery is refused, with the HTTP status of the response. */
export interface Refusal {
	status: 400 | 401 | 500;
	/** As the end of 'refused a webhook: …'. */
	reason: string;
	/** Of a delivery that none of the known secrets has signed: whether another one has. */
	isSignedWith?: (secret: string) => boolean;
}

/** The webhook secret in the node's credential for access tokens. */
export const oAuth2Secrets: SecretSource = {
	authentication: 'oAuth2',
	secretsOf: ({ webhookSecret }) => [webhookSecret],
	missing: 'the credential has no Webhook Secret',
};

/** The words for a node that needs the webhook secret and whose credential has none. */
export const WEBHOOK_SECRET_MISSING = {
	message: 'The credential has no Webhook Secret',
	description:
		'Open the credential of this node and fill in Webhook Secret: the webhook_secret that AcountPay gave you with your client_id, not a masked one. Without it nobody can tell whether an event comes from AcountPay.',
};

/**
 * To be called before a webhook is published: one that can't tell who calls it must not be. n8n shows only the message of
 * an error in an activation, so the advice is in it.
 * @throws NodeOperationError when the credential for access tokens has no webhook secret
 */
export async function requireWebhookSecret(context: IHookFunctions): Promise<void> {
	const { webhookSecret } = await readWebhookCredential(context, 'oAuth2');
	if (webhookSecret !== '') return;
	const { message, description } = WEBHOOK_SECRET_MISSING;
	throw new NodeOperationError(context.getNode(), `${message}. ${description}`);
}

/** An event that AcountPay has signed, and the credential as it was read for it. */
export interface ReceivedEvent {
	event: WebhookEvent;
	credential: WebhookCredential;
}

/** What a delivery turned out to be: an event, a signed event that no documentation knows, or neither. */
type CheckedDelivery = ReceivedEvent | { unknownEvent: string } | Refusal;

/**
 * Receives a delivery in a node's `webhook()`.
 * @param scheme how the delivery must be signed
 * @returns the event; undefined when there is nothing to act on, which is then answered and logged
 */
export async function receiveEvent(
	context: IWebhookFunctions,
	scheme: SignatureScheme,
	source: SecretSource,
): Promise<ReceivedEvent | undefined> {
	return eventIn(context, await checkDelivery(context, scheme, source));
}

/** The event of a checked delivery; undefined when there is none, which is then answered and logged. */
export function eventIn(
	context: IWebhookFunctions,
	checked: CheckedDelivery,
): ReceivedEvent | undefined {
	if ('event' in checked) return checked;
	if ('unknownEvent' in checked) {
		logUnknownOnce(context, checked.unknownEvent, []);
		answer(context, 200, 'ignored');
		return undefined;
	}
	log(context, `refused a webhook: ${checked.reason}`);
	answer(context, checked.status, 'refused');
	return undefined;
}

/**
 * Checks a delivery, the cheapest check first: headers, signature, body.
 * Throws nothing: n8n would start an execution that fails for it, or end a waiting one.
 */
export async function checkDelivery(
	context: IWebhookFunctions,
	scheme: SignatureScheme,
	source: SecretSource,
): Promise<CheckedDelivery> {
	const request = context.getRequestObject();
	const now = Date.now();
	const claimed = scheme.readHeaders(request.headers, now);
	if (typeof claimed === 'string') return { status: 401, reason: claimed };

	const rawBody = await rawBodyOf(request).catch(() => undefined);
	if (!rawBody) return { status: 400, reason: 'its body broke off' };

	const isSignedBy = (secret: string) => isSignedWith(secret, claimed, rawBody);
	const compare = async (maxAge: number) => {
		const credential = await credentialFor(context, source, maxAge);
		const secrets = source.secretsOf(credential).filter((secret) => secret !== '');
		return { credential, secrets, isSigned: secrets.some(isSignedBy) };
	};
	let compared;
	try {
		compared = await compare(TRUSTED_FOR);
		if (!compared.isSigned) compared = await compare(READ_EVERY);
	} catch {
		return { status: 500, reason: 'the credential could not be read' };
	}
	const { credential, secrets, isSigned } = compared;
	if (!isSigned) {
		const reason = secrets.length === 0 ? source.missing : 'its signature is wrong';
		return { status: 401, reason, isSignedWith: isSignedBy };
	}

	// Events are JSON. A body that calls itself text is none; other wrong types are ones that HTTP clients put on JSON by themselves.
	const isText = /^text\/plain\b/i.test(String(request.headers['content-type'] ?? ''));
	const json = isText ? Buffer.alloc(0) : rawBody;
	const event = readWebhookEvent(json);
	if (!event) {
		const unknownEvent = unknownEventIn(json, scheme.events);
		if (unknownEvent !== undefined) return { unknownEvent };
		return { status: 400, reason: 'it is signed, but is no event of a payment or a merchant' };
	}
	const tooOld = scheme.refuseByAge(event, now);
	return tooOld === undefined ? { event, credential } : { status: 401, reason: tooOld };
}

type Request = ReturnType<IWebhookFunctions['getRequestObject']>;

/** n8n keeps the raw body of the types that it parses; for others it has to be asked for. Of a form nothing is left. */
async function rawBodyOf(request: Request): Promise<Buffer> {
	if (!request.rawBody && request.readable) await request.readRawBody();
	return request.rawBody ?? Buffer.alloc(0);
}

/**
 * Answers the caller at once, before anything else is done with the event.
 * @returns what `webhook()` returns when nothing more is to happen
 */
export function answer(
	context: IWebhookFunctions,
	status: 200 | Refusal['status'],
	result: 'accepted' | 'ignored' | 'refused',
): IWebhookResponseData {
	context.getResponseObject().status(status).json({ result }).end();
	return { noWebhookResponse: true };
}

/** Writes why an event that AcountPay has signed is not believed; nothing of its content, which may be personal. */
export const logDoubt = (context: IWebhookFunctions, { event }: WebhookEvent, reason: string) =>
	log(context, `does not act on ${quoted(event)}: ${reason}`);

/** Kinds of events that are not documented and were logged. A partner's mistake must not fill the log, nor this. */
const loggedKinds = new Set<string>();
const MAX_LOGGED_KINDS = 100;

/**
 * Writes that a signed event is ignored because nothing is known of its name, once for each name; nothing for a known one.
 * @param known the names that are documented
 */
export function logUnknownOnce(
	context: IWebhookFunctions,
	name: string,
	known: readonly string[],
): void {
	if (known.includes(name)) return;
	const kind = nodeKeyOf(context, name.slice(0, 60));
	if (loggedKinds.has(kind) || loggedKinds.size >= MAX_LOGGED_KINDS) return;
	loggedKinds.add(kind);
	log(context, `ignores ${quoted(name)}: it is signed, but no event that this package knows`);
}

/** A name from outside for one line of a log. */
const quoted = (name: string) => JSON.stringify(name.slice(0, 60));
