import type { IncomingHttpHeaders } from 'node:http';

import { apiError, Refusal } from '../answer';
import { apiOf } from '../requests';

/** A pair of keys from the Partner Dashboard. */
export interface Keys {
	/** A UUID in the guides, `partner_abc123` in the reference. */
	clientId: string;
	/** 64 hex digits in the sample. */
	clientSecret: string;
}

/** What no request with keys carries. */
const NOT_WITH_KEYS = ['X-Merchant-Client-Id', 'X-Mock-Payment'];

/**
 * Refuses what belongs to both APIs or to the other one. Assumed: that AcountPay refuses it at all.
 * @throws Refusal with 400
 */
export function refuseMixed(headers: IncomingHttpHeaders): void {
	if (apiOf({ headers }) !== 'keys') return;
	if (headers.authorization !== undefined) {
		const message =
			'Send X-Partner-Client-Id and X-Partner-Client-Secret, or Authorization, not both';
		throw new Refusal(apiError(400, message));
	}
	for (const name of NOT_WITH_KEYS) {
		if (headers[name.toLowerCase()] !== undefined) {
			throw new Refusal(apiError(400, `${name} does not go with X-Partner-Client-Id`));
		}
	}
}

/**
 * The client id that the request carries, with its secret.
 * @throws Refusal with 401 (assumed) for wrong keys, or none
 */
export function partnerOf(keys: Keys, headers: IncomingHttpHeaders): string {
	const { clientId, clientSecret } = keys;
	const isRight =
		headers['x-partner-client-id'] === clientId &&
		headers['x-partner-client-secret'] === clientSecret;
	if (!isRight) throw new Refusal(apiError(401));
	return clientId;
}
