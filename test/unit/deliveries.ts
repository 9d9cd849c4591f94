import { createHmac } from 'node:crypto';
import type { IWebhookFunctions } from 'n8n-workflow';
import { SIGNATURE } from '../../nodes/shared/api/events';
import { receiveEvent } from '../../nodes/shared/webhooks/receive';
import type { Headers, SignatureScheme } from '../../nodes/shared/webhooks/schemes';
import type { SecretSource } from '../../nodes/shared/webhooks/secrets';

/** The moment at which deliveries come, in ms since 1970. */
export const NOW = 1_792_000_000_000;
/** The same in seconds. */
export const SECONDS = NOW / 1000;

/** A request as n8n hands it to a node. */
export interface Delivery {
	headers: Headers;
	rawBody: Buffer | undefined;
	readable?: boolean;
	readRawBody?: () => Promise<void>;
}

let workflows = 0;
/** Workflows have IDs, so that no test gets the secret of another. */
export const nextWorkflow = (): void => {
	workflows++;
};
afterEach(nextWorkflow);

/** What n8n calls `webhook()` with, as far as it is looked at. */
export function contextOf(delivery: Delivery, readCredential: () => Promise<object>) {
	const answered: unknown[] = [];
	const logged: string[] = [];
	const response = {
		status: (status: number) => answered.push(status) && response,
		json: (json: object) => answered.push(json) && response,
		end: () => answered.push('end'),
	};
	const context = {
		getRequestObject: () => delivery,
		getResponseObject: () => response,
		getCredentials: readCredential,
		getNode: () => ({ id: 'node', name: 'Wait', credentials: { acountPayApi: { id: '1' } } }),
		getWorkflow: () => ({ id: String(workflows) }),
		logger: { warn: (line: string) => logged.push(line) },
	} as unknown as IWebhookFunctions;
	return { context, answered, logged };
}

/** What becomes of a delivery to a node with this secret, at this moment. */
export async function receive(
	scheme: SignatureScheme,
	delivery: Delivery,
	readSecret: string | (() => Promise<string>),
	now = NOW,
) {
	jest.spyOn(Date, 'now').mockReturnValue(now);
	const source: SecretSource = {
		authentication: 'oAuth2',
		// Of any form: white space around a Webhook Secret is none of it.
		secretsOf: ({ clientSecret }) => [clientSecret],
		missing: 'the credential has no Webhook Secret',
	};
	const { context, answered, logged } = contextOf(delivery, async () => ({
		environment: 'production',
		clientSecret: typeof readSecret === 'string' ? readSecret : await readSecret(),
	}));
	const { event } = (await receiveEvent(context, scheme, source)) ?? {};
	return { event, status: answered[0] as number | undefined, answered, logged };
}
/** The same without anything that an earlier delivery left. */
export const receiveAlone: typeof receive = async (...args) => {
	nextWorkflow();
	return await receive(...args);
};
/** The status that it is answered with; undefined when it is taken. */
export const statusOf = async (...args: Parameters<typeof receive>) =>
	(await receiveAlone(...args)).status;

const hmac = (secret: string, ...parts: Array<string | Buffer>) =>
	parts.reduce((hash, part) => hash.update(part), createHmac('sha256', secret)).digest('hex');

/** Signs as documented: lower-case hex HMAC-SHA256 over `<timestamp>.<body>`. */
export const signedWithToken = (
	rawBody: Buffer,
	secret: string,
	timestamp = String(SECONDS),
): Delivery => ({
	headers: {
		[SIGNATURE.timestampHeader]: timestamp,
		[SIGNATURE.signatureHeader]: hmac(secret, `${timestamp}.`, rawBody),
	},
	rawBody,
});
/** Signs as documented: HMAC-SHA256 over the body. */
export const signedWithKey = (
	rawBody: Buffer,
	secret: string,
	form = (hex: string) => hex,
): Delivery => ({
	headers: { 'x-webhook-signature': form(hmac(secret, rawBody)) },
	rawBody,
});
