import type { ListedPayment } from '../../../../shared/api/listedPayments';

/** How long a payment is remembered, in ms. By then AcountPay has long listed it, and nobody can pay it any more. */
const MEMORY = 60 * 60_000;

/** How many payments are remembered at most: the oldest are forgotten first. */
const MAX_PAYMENTS = 10_000;

/** A payment that this process has created. */
interface CreatedPayment {
	/** Whose credential it was created with. */
	account: string;
	executionId: string;
	/** What was asked for, with the ID and status from AcountPay's response. Its `entry` is that response. */
	payment: ListedPayment;
}

/** The payments that this process has created recently: AcountPay may be late to list them. */
export class CreatedPayments {
	/** The oldest first; `at` is when it was created, in ms since 1970 on this machine. */
	private readonly payments: Array<{ order: string; at: number; created: CreatedPayment }> = [];

	/** @param order key of its merchant and reference */
	add(order: string, created: CreatedPayment): void {
		this.payments.push({ order, at: Date.now(), created });
		this.forgetOldest();
	}

	/** The payments of an order, whichever credential and execution created them. */
	of(order: string): CreatedPayment[] {
		this.forgetOldest();
		return this.payments.filter((one) => one.order === order).map(({ created }) => created);
	}

	private forgetOldest(): void {
		const since = Date.now() - MEMORY;
		const { payments } = this;
		while (payments.length > MAX_PAYMENTS || (payments.at(0)?.at ?? Infinity) <= since) {
			payments.shift();
		}
	}
}
