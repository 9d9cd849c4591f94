import { forgetOldest } from '../../../../shared/forgetOldest';
import type { Trace } from '../../../creation/createOnce';
import { keyOf, type Order, type SentRequest } from './samePayment';

/** The record of a request by which its payment can be found. The names are in stored executions: they are never renamed. */
export interface PaymentTrace extends Trace, SentRequest {
	/** `until` by this machine's clock. Missing in traces of older versions. */
	untilHere?: number;
	/** Why a look left a doubt, as the end of "AcountPay's list of payments …". The doubt stays. */
	doubt?: string;
}

/** How many unresolved requests and payments are remembered at most: the oldest are forgotten first. */
const MAX_REQUESTS = 100_000;

/** How long an unresolved request counts after AcountPay can have worked on it, in ms. */
const UNRESOLVED_FOR = 60 * 60_000;

/** A request of this process whose outcome is not known. */
interface UnresolvedRequest {
	trace: PaymentTrace;
	/** When it left, in ms since 1970 on this machine; undefined when it was sent again. */
	sentAt?: number;
}

/**
 * What this process knows of all its requests for payments: which are unresolved, and whose a payment is. Several executions may
 * ask for the same payment at once, such as after a double click.
 */
class SentRequests {
	/** By merchant and reference, then by the request's ID. */
	private readonly unresolved = new Map<string, Map<string, UnresolvedRequest>>();
	/** The request that a payment belongs to: its ID and the key of its order. */
	private readonly owners = new Map<string, { id: string; key: string }>();

	/**
	 * A request leaves. It and all others that are unresolved under this key are marked: a look-up gives none of them a payment.
	 * @param key of merchant and reference at one AcountPay
	 * @param sentAt in ms since 1970 on this machine; undefined when it was sent before
	 */
	add(key: string, trace: PaymentTrace, sentAt?: number): void {
		const others = this.unresolved.get(key) ?? new Map<string, UnresolvedRequest>();
		for (const other of others.values()) other.trace.wasNotAlone = trace.wasNotAlone = true;
		this.unresolved.set(key, others.set(trace.id, { trace, sentAt }));
		forgetOldest(this.unresolved, MAX_REQUESTS);
	}

	/** The unresolved request of that ID; undefined when its outcome is known, or another process has sent it. */
	get(key: string, id: string): UnresolvedRequest | undefined {
		return this.unresolved.get(key)?.get(id);
	}

	/**
	 * Whether a request is unresolved for this merchant and reference that counts at a moment: for an hour, since AcountPay may be
	 * late to list its payment, and for good once a look has left a doubt.
	 * @param at ms since 1970 on this machine
	 */
	hasUnresolved(key: string, at: number): boolean {
		const unresolved = [...(this.unresolved.get(key)?.values() ?? [])];
		return unresolved.some(
			({ trace: { untilHere = Infinity, doubt } }) =>
				doubt !== undefined || untilHere + UNRESOLVED_FOR >= at,
		);
	}

	/** It is known what the request has created. */
	resolve(key: string, id: string): void {
		const others = this.unresolved.get(key);
		others?.delete(id);
		if (others?.size === 0) this.unresolved.delete(key);
	}

	/**
	 * Remembers whose a payment is.
	 * @param payment its ID, and at which AcountPay
	 * @param key of the request's merchant and reference
	 */
	setOwner(payment: string, key: string, id: string): void {
		this.owners.set(payment, { id, key });
		forgetOldest(this.owners, MAX_REQUESTS);
	}

	/** Whether a payment is known to belong to another request. */
	belongsToOther(payment: string, requestId: string): boolean {
		const owner = this.owners.get(payment);
		return owner !== undefined && owner.id !== requestId;
	}

	/** Whether a payment is known to have been requested for an order, however the list writes its reference. */
	isOfOrder(payment: string, key: string): boolean {
		return this.owners.get(payment)?.key === key;
	}
}

/** The key of all payments of an order at one AcountPay. */
export const orderKeyOf = (baseUrl: string, order: Order): string => `${baseUrl} ${keyOf(order)}`;

/** The requests of this process. */
export const sentRequests = new SentRequests();
