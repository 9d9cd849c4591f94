import type { ListedPayment } from '../../../../shared/api/listedPayments';

/** How long a payment is remembered, in ms: AcountPay lists it long before, and by then it can't be paid any more. */
const MEMORY = 60 * 60_000;

/** How many payments are remembered at most: the oldest are forgotten first. */
const MAX_PAYMENTS = 10_000;

/** A payment that this process has created. */
interface CreatedPayment {
	/** Whose credential it was created with. */
	account: string;
	executionId: string;
	/** As it was asked for, with its ID and status, and AcountPay's response as its entry. */
	payment: ListedPayment;
}

/** The payments that this process has created lately: AcountPay may be late to list them. */
export class CreatedPayments {
	/** When each was created, in ms since 1970 on this machine; the oldest first. */
	private readonly times = new Map<CreatedPayment, { order: string; at: number }>();
	private readonly byOrder = new Map<string, CreatedPayment[]>();

	/** @param order key of its merchant and reference */
	add(order: string, created: CreatedPayment): void {
		this.byOrder.set(order, [...(this.byOrder.get(order) ?? []), created]);
		this.times.set(created, { order, at: Date.now() });
		this.forgetOldest();
	}

	/** The payments of an order, whoever created them. */
	of(order: string): readonly CreatedPayment[] {
		this.forgetOldest();
		return this.byOrder.get(order) ?? [];
	}

	private forgetOldest(): void {
		for (const [created, { order, at }] of this.times) {
			if (this.times.size <= MAX_PAYMENTS && at > Date.now() - MEMORY) return;
			this.times.delete(created);
			const others = this.byOrder.get(order)!.filter((other) => other !== created);
			if (others.length > 0) this.byOrder.set(order, others);
			else this.byOrder.delete(order);
		}
	}
}
