import { randomUUID } from 'node:crypto';
import type { IDataObject } from 'n8n-workflow';
import type { ListedPayment } from '../../../../shared/api/listedPayments';
import { paymentIdOf, withPaymentId } from '../../../../shared/api/payments';
import { delay } from '../../../../shared/http/delays';
import { namesOf } from '../../../../shared/namesOf';
import type { Client } from '../../../../shared/transport/client';
import type { CallOptions } from '../../../../shared/transport/sendWithRetries';
import type { LookUpResult, LookUp, Trace } from '../../../creation/createOnce';
import type { IdempotencyRecord } from '../../../creation/idempotencyRecord';
import { FreshReadings } from './freshReadings';
import { orderKeyOf, type PaymentTrace, sentRequests } from './sentRequests';
import {
	ageOf,
	BEFORE_TOLERANCE,
	couldBe,
	type Decision,
	decide,
	hasFailed,
	keyOf,
	type WantedPayment,
} from './samePayment';

/** The pauses between looks, in ms. AcountPay may be late to list a payment. */
const PAUSES: readonly number[] = [500, 1_000, 2_000, 4_000];

/** How long after its time limit a request may still create a payment, in ms (assumed). */
const GRACE = 30_000;

/** How far a list may be out of the order of `createdAt`, in ms (assumed). */
const DISORDER = 60_000;

/** What one look at the list has shown; `unclear`: no answer yet, so another look may follow. */
type Look = Decision | { kind: 'unclear'; why: string };

/** @param older the IDs of payments of the same reference from before the request */
const shownBefore = (older: readonly string[]): string =>
	older.length === 0
		? 'does not show it'
		: `does not show it. It shows older payments of this reference: ${namesOf(older)}`;

const UNREAD: Look = { kind: 'unclear', why: 'could not be read' };
const STOPPED: Look = {
	kind: 'unclear',
	why: 'was not read to the end: the execution is being stopped',
};

/** What all items of a run share. */
interface Run {
	readings: FreshReadings;
	/** The traces of the requests that were unresolved when the run sent its first one. */
	unresolvedBefore?: PaymentTrace[];
}

const runs = new WeakMap<Client, Run>();

/**
 * Looks in AcountPay's list for the payment of one item (the list is documented with API keys only). A trace is what is stored
 * about a request, to find its payment later. It was not alone if another unresolved request was for the same order.
 */
export class PaymentLookUp implements LookUp {
	private readonly shared: Run;
	/** The request that was sent last. */
	private last?: PaymentTrace;

	constructor(
		private readonly client: Client,
		private readonly payment: WantedPayment,
		private readonly options: CallOptions,
		private readonly record: IdempotencyRecord,
	) {
		this.shared = runs.get(client) ?? { readings: new FreshReadings(client) };
		runs.set(client, this.shared);
	}

	sending(): Trace {
		const now = Date.now();
		const first = this.record.earlier?.trace as PaymentTrace | undefined;
		const trace: PaymentTrace = {
			payment: this.payment,
			// A resend keeps the first request's trace: two requests compete for one payment now.
			...(first && { ...first, wasNotAlone: true }),
			id: randomUUID(),
			untilHere: now + this.options.timeout + GRACE,
		};
		sentRequests.add(this.orderOf(this.payment), trace, first ? undefined : now);
		for (const other of this.unresolvedOfOrder()) other.wasNotAlone = trace.wasNotAlone = true;
		this.setTimes(trace);
		this.last = trace;
		return trace;
	}

	notCreated(): void {
		if (this.last) sentRequests.resolve(this.orderOf(this.payment), this.last.id);
	}

	/** The last request has created a payment. */
	created(response: IDataObject): void {
		const id = paymentIdOf(response);
		// Without an ID its payment can't be told from others: it stays unresolved.
		if (this.last && id !== undefined) this.assign(this.last, id);
	}

	async find(stored: Trace | undefined, willResend: boolean): Promise<LookUpResult> {
		const trace = (stored ?? { id: '', payment: this.payment }) as PaymentTrace;
		// The trace in memory may know more: another request or look may have marked it since the stored one was written.
		const remembered = this.inMemory(trace)?.trace;
		if (remembered?.wasNotAlone) trace.wasNotAlone = true;
		trace.doubt ??= remembered?.doubt;
		let { look, count } = await this.lookRepeatedly(trace);
		if (look.kind === 'none' && willResend) {
			look = await this.lookBeforeResending(trace);
			count++;
		}
		if (look.kind === 'found') {
			const { entry } = look.payment;
			return { kind: 'found', response: { ...withPaymentId(entry), lookedUp: true } };
		}
		const times = count === 1 ? 'once' : `${count} times`;
		const what = look.kind === 'none' ? shownBefore(look.older) : look.why;
		return {
			kind: look.kind === 'none' ? 'none' : 'doubt',
			report: `AcountPay's list of payments was looked at ${times}: it ${what}.`,
		};
	}

	/** Looks until there is a payment or a doubt, a few times at most. */
	private async lookRepeatedly(trace: PaymentTrace): Promise<{ look: Look; count: number }> {
		for (let count = 1; ; count++) {
			const look = await this.look(trace);
			const isOver = look.kind === 'found' || look.kind === 'doubt' || count > PAUSES.length;
			if (isOver) return { look, count };
			const isStopped = !(await delay(PAUSES[count - 1], this.client.cancelSignal));
			if (isStopped) return { look: STOPPED, count };
		}
	}

	/** Looks at the part of the list that is younger than the request. Once in doubt, always in doubt. */
	private async look(trace: PaymentTrace): Promise<Look> {
		if (trace.doubt !== undefined) return { kind: 'doubt', why: trace.doubt };
		const { look } = await this.read(trace, () => {
			this.setTimes(trace);
			return (trace.from ?? -Infinity) - BEFORE_TOLERANCE - DISORDER;
		});
		return look;
	}

	/**
	 * Looks at the whole list, once AcountPay can no longer be working on the request.
	 * @returns 'none' when it is safe to send it again
	 */
	private async lookBeforeResending(trace: PaymentTrace): Promise<Look> {
		const { endSignal = this.client.cancelSignal, timeout } = this.options;
		const { untilHere = Date.now() + timeout + GRACE } = trace;
		if (!(await delay(untilHere - Date.now(), endSignal))) return STOPPED;
		const { look, payments } = await this.read(trace, () => -Infinity);
		if (look.kind !== 'none') return look;
		// If another execution has created a payment for this order, it is not sent again.
		const ofOrder = payments.filter((listed) => this.isOfOrder(trace, listed));
		const idsOfOrder = new Set(ofOrder.map(({ id }) => id));
		const isTaken = (id: string) =>
			this.isOfThisExecution(id) || (!idsOfOrder.has(id) && this.belongsToOther(id, trace));
		const byOthers = ofOrder
			.filter(({ createdAt }) => ageOf(createdAt, trace) !== 'before')
			.flatMap(({ id }) => id ?? [])
			.filter((id) => !this.isOfThisExecution(id));
		const why = (what: string, found: string[]): Look => ({
			kind: 'unclear',
			why: `shows ${what}: ${namesOf(found)}`,
		});
		const ids = couldBe(payments, trace.payment, trace.from, isTaken);
		if (ids.length > 0) return why('a payment of the same amount that may be it', ids);
		return byOthers.length > 0 ? why('another payment of this order', byOthers) : look;
	}

	/** Reads the list, and decides what it says about a request. */
	private async read(
		trace: PaymentTrace,
		since: () => number,
	): Promise<{ look: Look; payments: ListedPayment[] }> {
		const { merchantId } = trace.payment;
		const payments = await this.shared.readings
			.read(merchantId, since, this.options.timeout)
			.catch(() => undefined);
		if (!payments) return { look: UNREAD, payments: [] };
		this.setTimes(trace);
		const look = decide(payments, trace, (id) => this.belongsToOther(id, trace));
		if (look.kind === 'doubt') {
			for (const known of [trace, this.inMemory(trace)?.trace]) if (known) known.doubt = look.why;
		}
		// At once: nobody else may be given the same payment.
		if (look.kind === 'found') this.assign(trace, look.payment.id!);
		return { look, payments };
	}

	/** The request as this process remembers it: the stored trace may be a copy. */
	private inMemory({ payment, id }: PaymentTrace) {
		return sentRequests.get(this.orderOf(payment), id);
	}

	/** Records when the request left by AcountPay's clock, as precisely as is known so far. */
	private setTimes(trace: PaymentTrace): void {
		const { sentAt } = this.inMemory(trace) ?? {};
		const moment = sentAt === undefined ? undefined : this.client.clock.at(sentAt);
		// This process has sent it, so it is no trace of an older version.
		if (moment) Object.assign(trace, moment, { until: moment.to + trace.untilHere! - sentAt! });
	}

	private assign(trace: PaymentTrace, paymentId: string): void {
		const order = this.orderOf(trace.payment);
		sentRequests.setOwner(this.ownerKey(paymentId), order, trace.id);
		sentRequests.resolve(order, trace.id);
	}

	/** Whether a payment is known to belong to another request, of this execution or this process. */
	private belongsToOther(paymentId: string, { id }: PaymentTrace): boolean {
		return (
			sentRequests.belongsToOther(this.ownerKey(paymentId), id) || this.isOfThisExecution(paymentId)
		);
	}

	/** Whether a listed payment that has not failed is of a request's order: it shows that, or this process has created it. */
	private isOfOrder({ payment }: PaymentTrace, listed: ListedPayment): boolean {
		const { id = '', merchantClientId: merchantId = '', referenceNumber = '' } = listed;
		if (hasFailed(listed)) return false;
		const isShown = keyOf({ merchantId, referenceNumber }) === keyOf(payment);
		return isShown || sentRequests.isOfOrder(this.ownerKey(id), this.orderOf(payment));
	}

	/** Whether this execution has created a payment for another of its items. */
	private isOfThisExecution(paymentId: string): boolean {
		return this.record.othersWithId(paymentId).length > 0;
	}

	/** The traces of unresolved requests for this merchant and reference that an earlier attempt has sent. */
	private unresolvedOfOrder(): PaymentTrace[] {
		this.shared.unresolvedBefore ??= this.record
			.others()
			.flatMap(({ trace }) => (trace as PaymentTrace | undefined) ?? []);
		const order = keyOf(this.payment);
		return this.shared.unresolvedBefore.filter(({ payment }) => keyOf(payment) === order);
	}

	private orderOf(payment: WantedPayment): string {
		return orderKeyOf(this.client.baseUrl, payment);
	}

	private ownerKey(paymentId: string): string {
		return `${this.client.baseUrl} ${paymentId}`;
	}
}
