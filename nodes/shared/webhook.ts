import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IHookFunctions, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';
import { type PaymentEvent, readEvent, SIGNATURE } from './api/events';
import { type AcountPayCredential, CREDENTIAL_TYPE } from './auth/oAuth2/accessToken';

/** Why a delivery is refused, with the HTTP status that it is answered with. */
export interface Refusal {
	status: 400 | 401 | 500;
	reason: string;
}

/** What is looked at of a delivery. */
export interface Delivery {
	/** Header names in lower case. */
	headers: Record<string, string | string[] | undefined>;
	/** The bytes as they came: JSON that is written anew has another signature. */
	rawBody: Buffer;
}

/**
 * Checks that AcountPay sent a delivery, and reads its event.
 * @param secret the credential's webhook secret; when it is empty, everything is refused
 * @param now ms since 1970
 */
export function readDelivery(
	{ headers, rawBody }: Delivery,
	secret: string,
	now: number,
): { event: PaymentEvent } | { refusal: Refusal } {
	const timestamp = headers[SIGNATURE.timestampHeader];
	const signature = headers[SIGNATURE.signatureHeader];
	const refused = (reason: string) => ({ refusal: { status: 401 as const, reason } });

	if (secret === '') return refused('the credential has no Webhook Secret');
	if (typeof timestamp !== 'string' || !/^\d{1,12}$/.test(timestamp)) {
		return refused('it has no timestamp');
	}
	if (typeof signature !== 'string' || !/^[0-9a-f]{64}$/.test(signature)) {
		return refused('it has no signature');
	}
	// In whole seconds, as the timestamp is.
	if (Math.abs(Math.floor(now / 1000) - Number(timestamp)) > SIGNATURE.maxAge) {
		return refused(
			`its timestamp is more than ${SIGNATURE.maxAge} seconds away from the clock of n8n`,
		);
	}
	const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(rawBody).digest();
	if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) {
		return refused('its signature is wrong');
	}
	// Events are JSON. What calls itself text is none; other wrong types are what HTTP clients put on JSON by themselves.
	const isText = /^text\/plain\b/i.test(String(headers['content-type'] ?? ''));
	const event = isText ? undefined : readEvent(rawBody);
	if (event) return { event };
	return { refusal: { status: 400, reason: 'it is signed, but is no event of a payment' } };
}

/** The webhook secret of the node's credential; an empty string when it has none. */
export async function webhookSecretOf(
	context: Pick<IHookFunctions, 'getCredentials'>,
): Promise<string> {
	const { webhookSecret } = await context.getCredentials<AcountPayCredential>(CREDENTIAL_TYPE);
	return String(webhookSecret ?? '').trim();
}

/** The words for a node that needs the webhook secret and whose credential has none. */
export const WEBHOOK_SECRET_MISSING = {
	message: 'The credential has no Webhook Secret',
	description:
		'Without it nobody can tell whether an event comes from AcountPay. Open the credential of this node and fill in Webhook Secret: AcountPay gave you a webhook_secret with your client_id.',
};

/**
 * To be called before a webhook is published: one that can't tell who calls it must not be.
 * @throws NodeOperationError when the credential has no webhook secret
 */
export async function requireWebhookSecret(context: IHookFunctions): Promise<void> {
	if ((await webhookSecretOf(context)) !== '') return;
	const { message, description } = WEBHOOK_SECRET_MISSING;
	throw new NodeOperationError(context.getNode(), message, { description });
}

/**
 * Receives a delivery in a node's `webhook()`.
 * @returns the event; undefined when the delivery was refused, which is then answered and logged
 */
export async function receiveEvent(context: IWebhookFunctions): Promise<PaymentEvent | undefined> {
	const received = await checkDelivery(context);
	if ('event' in received) return received.event;
	const { status, reason } = received.refusal;
	context.logger.warn(`AcountPay node '${context.getNode().name}' refused a webhook: ${reason}`);
	answer(context, status, 'refused');
	return undefined;
}

/** Throws nothing: n8n would start a run that fails for it, or end a parked execution. */
async function checkDelivery(context: IWebhookFunctions): Promise<ReturnType<typeof readDelivery>> {
	const request = context.getRequestObject();
	// n8n keeps the raw body of the types that it parses; the others have to be asked for. Of a form nothing is left.
	if (!request.rawBody && request.readable) await request.readRawBody();
	const delivery = { headers: request.headers, rawBody: request.rawBody ?? Buffer.alloc(0) };

	const secret = await webhookSecretOf(context).catch(() => undefined);
	if (secret !== undefined) return readDelivery(delivery, secret, Date.now());
	return { refusal: { status: 500, reason: 'the credential could not be read' } };
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
