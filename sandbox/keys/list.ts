import type { Clock } from '../clock';
import type { Fault } from '../faults';
import type { Payment, Payments } from '../payments';
import type { KeySettings } from './settings';

/** Newest first by whole seconds, and in any order within one. */
const shuffledWithinSeconds = (payments: Payment[]): Payment[] =>
	payments
		.map((payment) => ({
			payment,
			second: Math.floor(Date.parse(payment.createdAt) / 1_000),
			tie: Math.random(),
		}))
		.sort((one, other) => other.second - one.second || one.tie - other.tie)
		.map(({ payment }) => payment);

const REFERENCES: Readonly<Record<KeySettings['listReference'], (reference: string) => string>> = {
	asSent: (reference) => reference,
	capitals: (reference) => reference.toUpperCase(),
	small: (reference) => reference.toLowerCase(),
	signless: (reference) => reference.replace(/[^\p{L}\p{N}]/gu, ''),
	cut: (reference) => reference.slice(0, 3),
};

/** The list of payments, in pages, and which payments are not in it yet. */
export class PaymentList {
	/** How often page 1 was looked at. */
	private looks = 0;
	private readonly hidden = new Map<Payment, { untilMs: number; untilLook: number }>();

	constructor(
		private readonly payments: Payments,
		private readonly settings: KeySettings,
		private readonly clock: Clock,
	) {}

	/** Keeps a new payment out of the list for a while. @param lag in place of the settings */
	hide(payment: Payment, lag?: Fault['listLag']): void {
		const ms = lag?.ms ?? (lag ? 0 : this.settings.listLagMs);
		const looks = lag?.looks ?? (lag ? 0 : this.settings.listLagLooks);
		if (ms <= 0 && looks <= 0) return;
		this.hidden.set(payment, { untilMs: this.clock.now() + ms, untilLook: this.looks + looks });
	}

	/**
	 * One page, in the documented shape. A payment that is made between two pages shifts what the second
	 * holds.
	 * @param page from 1
	 * @param limit how many entries a page has
	 */
	page(
		filter: { merchantClientId?: string; status?: string },
		page: number,
		limit: number,
	): object {
		if (page === 1) this.looks++;
		const { keyStatuses, listOrder, listReference, listShiftMs } = this.settings;
		const { merchantClientId, status } = filter;
		const found = this.payments
			.all()
			.filter(
				(payment) =>
					payment.api === 'keys' &&
					(merchantClientId === undefined || payment.merchant === merchantClientId) &&
					(status === undefined || keyStatuses[payment.status] === status) &&
					!this.isHidden(payment),
			);
		if (listOrder === 'newest') found.reverse();
		const inOrder = listOrder === 'shuffled' ? shuffledWithinSeconds(found) : found;
		const payments = inOrder.slice((page - 1) * limit, page * limit).map((payment) => ({
			id: payment.id,
			referenceNumber: REFERENCES[listReference](payment.referenceNumber),
			amount: payment.amount,
			currency: payment.currency,
			status: keyStatuses[payment.status],
			merchantClientId: payment.merchant,
			merchantName: payment.merchantName,
			description: payment.description,
			createdAt: new Date(Date.parse(payment.createdAt) + listShiftMs).toISOString(),
		}));
		return { payments, total: found.length, page, limit };
	}

	/** Forgets which payments are hidden. */
	clear(): void {
		this.looks = 0;
		this.hidden.clear();
	}

	private isHidden(payment: Payment): boolean {
		const lag = this.hidden.get(payment);
		if (lag === undefined) return false;
		if (this.looks <= lag.untilLook || this.clock.now() < lag.untilMs) return true;
		this.hidden.delete(payment);
		return false;
	}
}
