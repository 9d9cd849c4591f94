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

/** How far the order of a list may be from that of `createdAt`, in ms (assumed). */
const DISORDER = 60_000;

/** What one look at the list has shown; `unread`: nothing, so another one may follow. */
type Look = Decision | { kind: 'unread'; why: string };

const isOfOrder = ({ payment }: PaymentTrace, listed: ListedPayment) => {
	const { merchantClientId: merchantId = '', referenceNumber = '' } = listed;
	return !hasFailed(listed) && keyOf({ merchantId, referenceNumber }) === keyOf(payment);
};

/** @param older the IDs of payments of the same reference from before the request */
const shownBefore = (older: readonly string[]): string =>
	older.length === 0
		? 'does not show it'
		: `does not show it. It shows older payments of this reference: ${namesOf(older)}`;

const UNREAD: Look = { kind: 'unread', why: 'could not be read' };
const STOPPED: Look = {
	kind: 'unread',
	why: 'was not read to the end: the execution is being stopped',
};

/** What all items of a run share. */
interface Run {
	readings: FreshReadings;
	/** The traces of the requests that were unresolved when the run sent its first one. */
	unresolvedBefore?: PaymentTrace[];
}

const runs = new WeakMap<Client, Run>();

/** Looks in AcountPay's list for the payment of one item (the list is documented with API keys only). */
export class PaymentLookUp implements LookUp {
	private readonly run: Run;
	/** The request that was sent last. */
	private sent?: PaymentTrace;

	constructor(
		private readonly client: Client,
		private readonly payment: WantedPayment,
		private readonly options: CallOptions,
		private readonly record: IdempotencyRecord,
	) {
		this.run = runs.get(client) ?? { readings: new FreshReadings(client) };
		runs.set(client, this.run);
	}

	sending(): Trace {
		const now = Date.now();
		const first = this.record.earlier?.trace as PaymentTrace | undefined;
		const trace: PaymentTrace = {
			payment: this.payment,
			// Sent again: the trace of the first request is kept, and neither is alone.
			...(first && { ...first, wasNotAlone: true }),
			id: randomUUID(),
			untilHere: now + this.options.timeout + GRACE,
		};
		sentRequests.add(this.orderOf(this.payment), trace, first ? undefined : now);
		for (const other of this.unresolvedOfOrder()) other.wasNotAlone = trace.wasNotAlone = true;
		this.setTimes(trace);
		this.sent = trace;
		return trace;
	}

	notCreated(): void {
		if (this.sent) sentRequests.resolve(this.orderOf(this.payment), this.sent.id);
	}

	/** The last request has created a payment. */
	created(response: IDataObject): void {
		const id = paymentIdOf(response);
		// Without an ID its payment can't be told from others: it stays unresolved.
		if (this.sent && id !== undefined) this.assign(this.sent, id);
	}

	async find(stored: Trace | undefined, willResend: boolean): Promise<LookUpResult> {
		const trace = (stored ?? { id: '', payment: this.payment }) as PaymentTrace;
		// The stored trace was written before another request, or another look, left a mark.
		const marks = this.inMemory(trace)?.trace;
		if (marks?.wasNotAlone) trace.wasNotAlone = true;
		trace.doubt ??= marks?.doubt;
		let { look, looks } = await this.lookRepeatedly(trace);
		if (look.kind === 'none' && willResend) {
			look = await this.lookBeforeResending(trace);
			looks++;
		}
		if (look.kind === 'found') {
			const { entry } = look.payment;
			return { kind: 'found', response: { ...withPaymentId(entry), lookedUp: true } };
		}
		const times = looks === 1 ? 'once' : `${looks} times`;
		const what = look.kind === 'none' ? shownBefore(look.older) : look.why;
		return {
			kind: look.kind === 'none' ? 'none' : 'doubt',
			report: `AcountPay's list of payments was looked at ${times}: it ${what}.`,
		};
	}

	/** Looks until there is a payment or a doubt, a few times at most. */
	private async lookRepeatedly(trace: PaymentTrace): Promise<{ look: Look; looks: number }> {
		for (let looks = 1; ; looks++) {
			const look = await this.look(trace);
			const isOver = look.kind === 'found' || look.kind === 'doubt' || looks > PAUSES.length;
			if (isOver) return { look, looks };
			const isStopped = !(await delay(PAUSES[looks - 1], this.client.cancelSignal));
			if (isStopped) return { look: STOPPED, looks };
		}
	}

	/** Looks at the part of the list that is younger than the request. A doubt stays: no later look takes it back. */
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
		// Another execution has created it for the same order: then this one is not needed.
		const ofOrder = payments.filter((listed) => isOfOrder(trace, listed));
		const idsOfOrder = new Set(ofOrder.map(({ id }) => id));
		const isTaken = (id: string) =>
			this.isOfThisExecution(id) || (!idsOfOrder.has(id) && this.belongsToOther(id, trace));
		const instead = ofOrder
			.filter(({ createdAt }) => ageOf(createdAt, trace) !== 'before')
			.flatMap(({ id }) => id ?? [])
			.filter((id) => !this.isOfThisExecution(id));
		const why = (what: string, found: string[]): Look => ({
			kind: 'unread',
			why: `shows ${what}: ${namesOf(found)}`,
		});
		const ids = couldBe(payments, trace.payment, trace.from, isTaken);
		if (ids.length > 0) return why('a payment of the same amount that may be it', ids);
		return instead.length > 0 ? why('another payment of this order', instead) : look;
	}

	/** Reads the list, and decides what it says about a request. */
	private async read(
		trace: PaymentTrace,
		since: () => number,
	): Promise<{ look: Look; payments: ListedPayment[] }> {
		const { merchantId } = trace.payment;
		const payments = await this.run.readings
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

	/** Notes when the request left by AcountPay's clock, as exactly as that is known by now. */
	private setTimes(trace: PaymentTrace): void {
		const { sentAt } = this.inMemory(trace) ?? {};
		const moment = sentAt === undefined ? undefined : this.client.clock.at(sentAt);
		// This process has sent it, so it is no trace of an older version.
		if (moment) Object.assign(trace, moment, { until: moment.to + trace.untilHere! - sentAt! });
	}

	private assign(trace: PaymentTrace, paymentId: string): void {
		sentRequests.setOwner(this.atHost(paymentId), trace.id);
		sentRequests.resolve(this.orderOf(trace.payment), trace.id);
	}

	/** Whether a payment is known to belong to another request, of this execution or this process. */
	private belongsToOther(paymentId: string, { id }: PaymentTrace): boolean {
		return (
			sentRequests.belongsToOther(this.atHost(paymentId), id) || this.isOfThisExecution(paymentId)
		);
	}

	/** Whether this execution has created a payment for another of its items. */
	private isOfThisExecution(paymentId: string): boolean {
		return this.record.othersWithId(paymentId).length > 0;
	}

	/** The traces of unresolved requests for this merchant and reference that an earlier attempt has sent. */
	private unresolvedOfOrder(): PaymentTrace[] {
		this.run.unresolvedBefore ??= this.record
			.others()
			.flatMap(({ trace }) => (trace as PaymentTrace | undefined) ?? []);
		const order = keyOf(this.payment);
		return this.run.unresolvedBefore.filter(({ payment }) => keyOf(payment) === order);
	}

	private orderOf(payment: WantedPayment): string {
		return orderKeyOf(this.client.baseUrl, payment);
	}

	private atHost(paymentId: string): string {
		return `${this.client.baseUrl} ${paymentId}`;
	}
}
