import { createHmac } from 'node:crypto';

import type { Payment, PaymentEvent } from '../payments';

/**
 * The signature of a webhook, as documented: lower-case hex HMAC-SHA256 over `<timestamp>.<raw body>`.
 * @param timestamp Unix seconds, as sent in X-AcountPay-Timestamp
 */
export function signWebhook(
	rawBody: string | Buffer,
	webhookSecret: string,
	timestamp: number | string,
): string {
	return createHmac('sha256', webhookSecret).update(`${timestamp}.`).update(rawBody).digest('hex');
}

/**
 * The documented headers of a signed webhook.
 * @param timestamp Unix seconds, by default the real present: receivers compare it to their own
 * clock, which knows nothing of the sandbox's
 */
export function webhookHeaders(
	rawBody: string | Buffer,
	webhookSecret: string,
	timestamp = Math.floor(Date.now() / 1000),
): Record<string, string> {
	return {
		'Content-Type': 'application/json',
		'X-AcountPay-Timestamp': String(timestamp),
		'X-AcountPay-Signature': signWebhook(rawBody, webhookSecret, timestamp),
	};
}

/**
 * The documented body of a webhook.
 * @param at when the event happened
 */
export function webhookBody(event: PaymentEvent, payment: Payment, at: Date) {
	const { id, status, amount, currency, referenceNumber, paidAt, metadata } = payment;
	return {
		event,
		timestamp: at.toISOString(),
		data: { paymentId: id, status, amount, currency, referenceNumber, paidAt, metadata },
	};
}
