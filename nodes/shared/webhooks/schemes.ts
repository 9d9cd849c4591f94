import { createHmac, timingSafeEqual } from 'node:crypto';
import {
	EVENTS,
	KEY_EVENTS,
	KEY_SIGNATURE_HEADER,
	SIGNATURE,
	timeOf,
	type WebhookEvent,
} from '../api/events';
import type { Authentication } from '../auth';

/** The headers of a delivery by their names in lower case. */
export type Headers = Record<string, string | string[] | undefined>;

/** The signature in the headers of a delivery, before it is checked. */
interface ClaimedSignature {
	/** The HMAC-SHA256 that was sent. */
	signature: Buffer;
	/** What precedes the body in the signed text. */
	prefix: string;
}

/**
 * How AcountPay signs webhooks, with one way to authenticate. The node's authentication decides which scheme applies, never
 * the headers of a delivery, or a sender could choose the weaker one.
 */
export interface SignatureScheme {
	/** The events that can come (documented). */
	events: readonly string[];
	/**
	 * Looks at the headers alone, so that junk requests don't make n8n decrypt the secret.
	 * @param now ms since 1970
	 * @returns the reason to refuse it, as the end of 'refused a webhook: …', or the signature to check
	 */
	readHeaders(headers: Headers, now: number): ClaimedSignature | string;
	/**
	 * Looks at the age of an event whose signature is right.
	 * @param now ms since 1970
	 * @returns the reason to refuse it; undefined when there is none
	 */
	refuseByAge(event: WebhookEvent, now: number): string | undefined;
}

/**
 * Whether a signature is right. An empty secret proves nothing, so with one every signature is wrong.
 * @param rawBody the bytes as they came: JSON that is written again has another signature
 */
export function isSignedWith(
	secret: string,
	{ signature, prefix }: ClaimedSignature,
	rawBody: Buffer,
): boolean {
	if (secret === '') return false;
	const expected = createHmac('sha256', secret).update(prefix).update(rawBody).digest();
	return timingSafeEqual(expected, signature);
}

const NO_SIGNATURE = 'it has no signature';

/** The API with access tokens (documented): timestamp and body are signed, so the signature itself tells its age. */
const tokenScheme: SignatureScheme = {
	events: EVENTS,

	readHeaders(headers, now) {
		const timestamp = headers[SIGNATURE.timestampHeader];
		const signature = headers[SIGNATURE.signatureHeader];
		if (typeof timestamp !== 'string' || !/^\d{1,12}$/.test(timestamp)) {
			return 'it has no timestamp';
		}
		if (typeof signature !== 'string' || !/^[0-9a-f]{64}$/.test(signature)) return NO_SIGNATURE;
		// In whole seconds, as the timestamp is.
		if (Math.abs(Math.floor(now / 1000) - Number(timestamp)) > SIGNATURE.maxAge) {
			return `its timestamp is more than ${SIGNATURE.maxAge} seconds away from the clock of n8n`;
		}
		return { signature: Buffer.from(signature, 'hex'), prefix: `${timestamp}.` };
	},

	refuseByAge: () => undefined,
};

/** How old an event may be that is signed with keys, in ms: the trigger remembers events for longer, so that a recorded one is always a repeat. */
export const MAX_KEY_EVENT_AGE = 24 * 60 * 60_000;
/** How far AcountPay's clock may be ahead, in ms. */
export const MAX_CLOCK_DIFFERENCE = 5 * 60_000;

/**
 * The API with keys (documented, except how the signature is written: hex, with or without `sha256=`, is assumed). Only the
 * body is signed, so the `timestamp` in it tells the age.
 */
const keyScheme: SignatureScheme = {
	events: KEY_EVENTS,

	readHeaders(headers) {
		const signature = headers[KEY_SIGNATURE_HEADER];
		const [, hex] =
			(typeof signature === 'string' && /^(?:sha256=)?([0-9a-f]{64})$/i.exec(signature)) || [];
		return hex === undefined ? NO_SIGNATURE : { signature: Buffer.from(hex, 'hex'), prefix: '' };
	},

	refuseByAge(event, now) {
		const time = timeOf(event);
		if (time === undefined) return 'its body has no timestamp';
		if (now - time > MAX_KEY_EVENT_AGE) return 'its event is more than 24 hours old';
		if (time - now > MAX_CLOCK_DIFFERENCE) {
			return 'its event is more than 5 minutes ahead of the clock of n8n (a timestamp that names no time zone counts as UTC)';
		}
		return undefined;
	},
};

/** The scheme for each value of the field 'authentication'. */
export const SCHEMES = { oAuth2: tokenScheme, apiKey: keyScheme } satisfies Record<
	Authentication,
	SignatureScheme
>;
