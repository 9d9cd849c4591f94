import type { ServerClock } from '../../shared/transport/serverClock';
import type { Rival, Trace, WantedPayment } from './lookUp';

/** A request that this process has sent, and of which it is not known what it has made. */
export interface OpenRequest {
	trace: Trace;
	/** When it left, in ms since 1970 on this machine. */
	leftAt: number;
	/** AcountPay's clock, as the run that sent it knows it. */
	clock: ServerClock;
	isInFlight: boolean;
	/** Until when it is remembered, in ms since 1970. */
	expiresAt: number;
}

/** How long a payment that was handed out is remembered, in ms: what was made longer ago is told by its age. */
const MEMORY = 10 * 60_000;

/** How often what is no longer needed is dropped, in ms. */
const SWEEP = 60_000;

/**
 * The open requests of all executions in this process, and the payments that were handed out lately. Several executions
 * may ask for equal payments at once, such as after a double click.
 */
export class OpenRequests {
	/** By payment, then by the request's id. */
	private readonly open = new Map<string, Map<string, OpenRequest>>();
	/** When a payment was handed out, in ms since 1970; the oldest first. */
	private readonly taken = new Map<string, number>();
	private sweptAt = 0;

	/** @param key of the payment, see {@link keyOf} */
	add(key: string, request: OpenRequest): void {
		this.sweep();
		const equal = this.open.get(key) ?? new Map<string, OpenRequest>();
		this.open.set(key, equal.set(request.trace.id, request));
	}

	/** The open request of that id; undefined when it is settled. */
	get(key: string, id: string): OpenRequest | undefined {
		return this.open.get(key)?.get(id);
	}

	/** The request is settled. */
	remove(key: string, id: string): void {
		const equal = this.open.get(key);
		equal?.delete(id);
		if (equal?.size === 0) this.open.delete(key);
	}

	/** All that are open for equal payments. */
	equalTo(key: string): Rival[] {
		this.sweep();
		return [...(this.open.get(key)?.values() ?? [])].filter(
			({ expiresAt }) => expiresAt > Date.now(),
		);
	}

	/** Remembers that a payment was handed out. */
	take(key: string, paymentId: string): void {
		this.taken.set(`${key} ${paymentId}`, Date.now());
	}

	/** Whether a payment was handed out lately. */
	isTaken(key: string, paymentId: string): boolean {
		return this.taken.has(`${key} ${paymentId}`);
	}

	private sweep(): void {
		const now = Date.now();
		if (now < this.sweptAt + SWEEP) return;
		this.sweptAt = now;
		for (const [key, equal] of this.open) {
			for (const [id, { expiresAt }] of equal) if (expiresAt <= now) this.remove(key, id);
		}
		for (const [key, at] of this.taken) {
			if (at > now - MEMORY) break;
			this.taken.delete(key);
		}
	}
}

/** What equal payments at one AcountPay share. */
export const keyOf = (
	baseUrl: string,
	{ merchantId, referenceNumber, amount, currency }: WantedPayment,
): string =>
	JSON.stringify([
		baseUrl,
		merchantId.toLowerCase(),
		referenceNumber.trim(),
		amount,
		currency.toLowerCase(),
	]);

/** Those of this process. */
export const openRequests = new OpenRequests();
