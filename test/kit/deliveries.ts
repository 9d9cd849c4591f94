/** Webhooks as the tests send them. */
import { webhookBody, webhookHeaders, type PaymentEvent, type Sandbox } from '../../sandbox';

/** What a webhook was answered with. */
export interface Reply {
	status: number;
	body: string;
	/** How long the answer took, in ms. */
	took: number;
}

/** Posts bytes to a webhook, as JSON unless the headers say otherwise. */
export async function post(
	url: string,
	rawBody: string | Buffer,
	headers: Record<string, string> = {},
): Promise<Reply> {
	const sent = new Headers({ 'content-type': 'application/json' });
	for (const [name, value] of Object.entries(headers)) sent.set(name, value);
	const startedAt = Date.now();
	const response = await fetch(url, { method: 'POST', body: rawBody, headers: sent });
	const body = await response.text();
	return { status: response.status, body, took: Date.now() - startedAt };
}

/** Posts bytes with AcountPay's signature over them, made now. */
export const postSigned = async (
	{ credentials }: Sandbox,
	url: string,
	rawBody: string | Buffer,
	headers: Record<string, string> = {},
): Promise<Reply> =>
	await post(url, rawBody, {
		...webhookHeaders(rawBody, credentials.webhookSecret),
		...headers,
	});

/** The answers that this package gives. */
export const ACCEPTED = { status: 200, body: '{"result":"accepted"}' };
export const IGNORED = { status: 200, body: '{"result":"ignored"}' };

/** The body of an event of a payment in the sandbox, as the sandbox would send it now. */
export const eventBody = (sandbox: Sandbox, event: PaymentEvent, id: string | number): string =>
	JSON.stringify(webhookBody(event, sandbox.payment(id), new Date()));
