import { createHmac, randomBytes } from 'node:crypto';

import type { Clock } from '../clock';
import type { Deliveries } from '../deliveries';
import type { Payment, PaymentEvent, PaymentStatus } from '../payments';
import type { Merchant, MerchantEvent } from './merchants';
import type { KeySettings } from './settings';

/** The documented events of the API with keys. */
export const KEY_EVENTS = [
	'payment.completed',
	'payment.failed',
	'merchant.activated',
	'merchant.deactivated',
] as const;

export type KeyEvent = (typeof KEY_EVENTS)[number];

/** A registered webhook as the sandbox keeps it; moments are ISO 8601 on the sandbox's clock. */
export interface Registration {
	id: number;
	url: string;
	events: KeyEvent[];
	status: 'active' | 'inactive';
	/** `whsec_…` */
	secret: string;
	lastTriggeredAt: string | null;
	createdAt: string;
}

/** The event of a payment's step; the other steps are not told of. */
const EVENT_OF: Partial<Record<PaymentEvent, KeyEvent>> = {
	'payment.completed': 'payment.completed',
	'payment.failed': 'payment.failed',
	'payment.expired': 'payment.failed',
};

/** Assumed: ISO 20022's codes. */
const BANK_STATUS: Record<PaymentStatus, string> = {
	pending: 'RCVD',
	processing: 'PDNG',
	completed: 'ACSC',
	failed: 'RJCT',
	expired: 'CANC',
};

/** The signature of a webhook: HMAC-SHA256 over the raw body. Assumed: written as lower-case hex. */
export const signKeyWebhook = (rawBody: string | Buffer, secret: string): string =>
	createHmac('sha256', secret).update(rawBody).digest('hex');

/** The headers of a signed webhook. @param prefix written before the hex digits */
export const keyWebhookHeaders = (
	rawBody: string | Buffer,
	secret: string,
	prefix = '',
): Record<string, string> => ({
	'Content-Type': 'application/json',
	'X-Webhook-Signature': prefix + signKeyWebhook(rawBody, secret),
});

/**
 * The body of a payment's webhook.
 * @param status as the API spells it
 * @param at when the event happened, in real time: receivers compare it to their own clock
 */
export function keyPaymentBody(event: KeyEvent, payment: Payment, status: string, at = new Date()) {
	const { id, referenceNumber, amount, currency, merchant, merchantName } = payment;
	return {
		event,
		timestamp: at.toISOString(),
		data: {
			paymentId: id,
			referenceNumber,
			status,
			amount,
			currency,
			merchantClientId: merchant,
			merchantName,
			bankPaymentStatus: BANK_STATUS[payment.status],
		},
	};
}

/** The body of a merchant's webhook. Documented: merchantId and clientId. @param at as for payments */
export function keyMerchantBody(event: MerchantEvent, merchant: Merchant, at = new Date()) {
	const { id, clientId, companyName, status, partnerRefId } = merchant;
	return {
		event,
		timestamp: at.toISOString(),
		data: { merchantId: id, clientId, companyName, status, partnerRefId },
	};
}

/** The registered webhooks, and the deliveries to them. */
export class Registrations {
	private readonly byId = new Map<number, Registration>();
	private lastId = 0;

	constructor(
		private readonly clock: Clock,
		private readonly settings: Pick<KeySettings, 'signaturePrefix' | 'keyStatuses'>,
		private readonly deliveries: Deliveries,
	) {}

	/** All registrations, in the order in which they were made. */
	all(): Registration[] {
		return [...this.byId.values()];
	}

	find(id: number): Registration | undefined {
		return this.byId.get(id);
	}

	/** The same URL twice makes two, since nothing is said of it. */
	register(url: string, events: KeyEvent[]): Registration {
		const registration: Registration = {
			id: ++this.lastId,
			url,
			events,
			status: 'active',
			secret: `whsec_${randomBytes(24).toString('hex')}`,
			lastTriggeredAt: null,
			createdAt: new Date(this.clock.now()).toISOString(),
		};
		this.byId.set(registration.id, registration);
		return registration;
	}

	/** Repeated deliveries to it end, too. */
	remove({ id }: Registration): void {
		this.byId.delete(id);
	}

	/** Forgets all registrations. */
	clear(): void {
		this.byId.clear();
	}

	/** Tells of a payment's step, if it is one that is told of. */
	tellOfPayment(step: PaymentEvent, payment: Payment): void {
		const event = EVENT_OF[step];
		if (event === undefined) return;
		const status = this.settings.keyStatuses[payment.status];
		const { id: paymentId, merchant, referenceNumber: reference } = payment;
		const body = keyPaymentBody(event, payment, status);
		this.send(event, `payment ${paymentId}`, { paymentId }, { merchant, reference }, body);
	}

	/** Tells of a merchant's step. */
	tellOfMerchant(event: MerchantEvent, merchant: Merchant): void {
		const { id: merchantId, clientId } = merchant;
		const body = keyMerchantBody(event, merchant);
		this.send(event, `merchant ${merchantId}`, { merchantId }, { merchant: clientId }, body);
	}

	private send(
		event: KeyEvent,
		subject: string,
		about: { paymentId?: string | number; merchantId?: number },
		match: { merchant: string; reference?: string },
		body: object,
	): void {
		const rawBody = JSON.stringify(body);
		for (const registration of this.byId.values()) {
			const { id } = registration;
			if (registration.status !== 'active' || !registration.events.includes(event)) continue;
			const target = () => {
				if (this.byId.get(id) !== registration) return undefined;
				registration.lastTriggeredAt = new Date(this.clock.now()).toISOString();
				const { url, secret } = registration;
				return { url, headers: keyWebhookHeaders(rawBody, secret, this.settings.signaturePrefix) };
			};
			this.deliveries.send({
				about: { api: 'keys', ...about, webhookId: id },
				queue: `webhook ${id} ${subject}`,
				event,
				match,
				rawBody,
				target,
			});
		}
	}
}
