import { randomUUID } from 'node:crypto';
import type { IDataObject } from 'n8n-workflow';
import type { ListedPayment } from '../../../../shared/api/listedPayments';
import { paymentIdOf, withPaymentId } from '../../../../shared/api/payments';
import { delay } from '../../../../shared/http/backoff';
import type { Client } from '../../../../shared/transport/client';
import type { CallOptions } from '../../../../shared/transport/sendWithRetries';
import type { LookUpResult, LookUp, Trace } from '../../../creation/createOnce';
import { type IdempotencyRecord, isCreated } from '../../../creation/idempotencyRecord';
import { MerchantLists } from './merchantList';
import { orderKeyOf, requests } from './requests';
import {
	BEFORE_TOLERANCE,
	couldBe,
	type Decision,
	decide,
	keyOf,
	namesOf,
	type WantedPayment,
} from './samePayment';
import type { PaymentTrace } from './trace';

/** The pauses between looks, in ms. AcountPay may be late to list a payment. */
export const LOOK_DELAYS: readonly number[] = [500, 1_000, 2_000, 4_000];

/** How long after its time limit a request may still create a payment, in ms (assumed). */
const GRACE = 30_000;

/** How far the order of a list may be from that of `createdAt`, in ms (assumed). */
const DISORDER = 60_000;

/** A look at the list, or none: then another one may follow. */
type Look = Decision | { kind: 'unread'; why: string };

/** What all items of a run share. */
interface Run {
	lists: MerchantLists;
	/** What is kept of the requests that were open when the run sent its first one. */
	unresolvedBefore?: PaymentTrace[];
}

const runs = new WeakMap<Client, Run>();

/** Looks in AcountPay's list for the payment of one item (the list is documented with API keys only). */
export class PaymentLookUp implements LookUp {
	private readonly run: Run;
	/** The request that left last. */
	private current?: PaymentTrace;

	constructor(
		private readonly client: Client,
		private readonly payment: WantedPayment,
		private readonly options: CallOptions,
		private readonly record: IdempotencyRecord,
	) {
		this.run = runs.get(client) ?? { lists: new MerchantLists(client) };
		runs.set(client, this.run);
	}

	sending(): Trace {
		const now = Date.now();
		const untilHere = now + this.options.timeout + GRACE;
		const first = this.record.earlier?.trace as PaymentTrace | undefined;
		// Sent again: what is kept of the first request stays kept, and neither is alone.
		const trace: PaymentTrace = first
			? { ...first, id: randomUUID(), untilHere, wasNotAlone: true }
			: { id: randomUUID(), payment: this.payment, untilHere };
		requests.add(this.keyOf(this.payment), trace, first ? undefined : now);
		for (const other of this.unresolvedOfOrder()) other.wasNotAlone = trace.wasNotAlone = true;
		this.timeBy(trace);
		this.current = trace;
		return trace;
	}

	notCreated(): void {
		if (this.current) requests.resolve(this.keyOf(this.payment), this.current.id);
	}

	created(response: IDataObject): void {
		const id = paymentIdOf(response);
		// Without an ID its payment can't be told from others: it stays open.
		if (this.current && id !== undefined) this.assign(this.current, id);
	}

	trace(): Trace | undefined {
		return this.current;
	}

	async find(stored: Trace | undefined, willResend: boolean): Promise<LookUpResult> {
		const trace = (stored ?? { id: '', payment: this.payment }) as PaymentTrace;
		// What is stored was written before another request, or another look, left a mark.
		const current = requests.get(this.keyOf(trace.payment), trace.id)?.trace;
		if (current?.wasNotAlone) trace.wasNotAlone = true;
		if (current?.doubt !== undefined) trace.doubt ??= current.doubt;
		let { decision, looks } = await this.lookRepeatedly(trace);
		if (decision.kind === 'none' && willResend) {
			decision = await this.lookBeforeResending(trace);
			looks++;
		}
		if (decision.kind === 'found') {
			const created = { ...withPaymentId(decision.payment.entry), lookedUp: true };
			return { kind: 'found', response: created };
		}
		const times = looks === 1 ? 'once' : `${looks} times`;
		const what = decision.kind === 'none' ? 'does not show it' : decision.why;
		return {
			kind: decision.kind === 'none' ? 'none' : 'doubt',
			report: `AcountPay's list of payments was looked at ${times}: it ${what}.`,
		};
	}

	/** Looks until there is a payment or a doubt, or it was looked often enough. */
	private async lookRepeatedly(trace: PaymentTrace): Promise<{ decision: Look; looks: number }> {
		for (let looks = 1; ; looks++) {
			const decision = await this.look(trace);
			const isSettled = decision.kind === 'found' || decision.kind === 'doubt';
			if (isSettled || looks > LOOK_DELAYS.length) return { decision, looks };
			if (!(await delay(LOOK_DELAYS[looks - 1], this.client.cancelSignal))) {
				return { decision: STOPPED, looks };
			}
		}
	}

	/** Looks at the part of the list that is younger than the request. What a look has seen, no later one takes back. */
	private async look(trace: PaymentTrace): Promise<Look> {
		if (trace.doubt !== undefined) return { kind: 'doubt', why: trace.doubt };
		const since = () => {
			this.timeBy(trace);
			return (trace.from ?? -Infinity) - BEFORE_TOLERANCE - DISORDER;
		};
		const payments = await this.read(trace, since);
		return payments ? this.decide(trace, payments) : UNREAD;
	}

	/**
	 * Looks at the whole list, once the request can't be waited for any longer.
	 * @returns 'none' when nothing speaks against sending it again
	 */
	private async lookBeforeResending(trace: PaymentTrace): Promise<Look> {
		const { endSignal, timeout } = this.options;
		const { untilHere = Date.now() + timeout + GRACE } = trace;
		if (!(await delay(untilHere - Date.now(), endSignal ?? this.client.cancelSignal))) {
			return STOPPED;
		}
		const payments = await this.read(trace, () => -Infinity);
		if (!payments) return UNREAD;
		const decision = this.decide(trace, payments);
		if (decision.kind !== 'none') return decision;
		const ids = couldBe(payments, trace.payment, trace.from, (id) =>
			this.belongsToOther(id, trace),
		);
		if (ids.length === 0) return decision;
		const why = `shows a payment of the same amount that may be it: ${namesOf(ids)}`;
		return { kind: 'unread', why };
	}

	/** @returns undefined when the list can't be read */
	private async read(
		{ payment }: PaymentTrace,
		since: () => number,
	): Promise<ListedPayment[] | undefined> {
		return await this.run.lists
			.read(payment.merchantId, since, this.options.timeout)
			.catch(() => undefined);
	}

	private decide(trace: PaymentTrace, payments: readonly ListedPayment[]): Decision {
		this.timeBy(trace);
		const { payment, from, to, until, wasNotAlone } = trace;
		const isTimed = from !== undefined && to !== undefined && until !== undefined;
		const times = isTimed ? { from, to, until } : undefined;
		const decision = decide(payments, { payment, times, wasNotAlone }, (id) =>
			this.belongsToOther(id, trace),
		);
		if (decision.kind === 'doubt') {
			trace.doubt = decision.why;
			const live = requests.get(this.keyOf(payment), trace.id)?.trace;
			if (live) live.doubt = decision.why;
		}
		// At once: nobody else may be given the same payment.
		if (decision.kind === 'found') this.assign(trace, decision.id);
		return decision;
	}

	/** Puts down when the request left by AcountPay's clock, as exactly as that is known by now. */
	private timeBy(trace: PaymentTrace): void {
		const { sentAt } = requests.get(this.keyOf(trace.payment), trace.id) ?? {};
		const moment = sentAt === undefined ? undefined : this.client.clock.at(sentAt);
		if (!moment) return;
		Object.assign(trace, moment, { until: moment.to + this.options.timeout + GRACE });
	}

	private assign(trace: PaymentTrace, paymentId: string): void {
		requests.setOwner(this.atHost(paymentId), trace.id);
		requests.resolve(this.keyOf(trace.payment), trace.id);
	}

	/** Whether a payment is known to belong to another request, of this execution or this process. */
	private belongsToOther(paymentId: string, trace: PaymentTrace): boolean {
		return (
			requests.belongsToOther(this.atHost(paymentId), trace.id) ||
			this.record
				.others()
				.some((other) => isCreated(other) && paymentIdOf(other.answer) === paymentId)
		);
	}

	/** What is kept of requests for this merchant and reference that an earlier attempt has left open. */
	private unresolvedOfOrder(): PaymentTrace[] {
		this.run.unresolvedBefore ??= this.record
			.others()
			.map(({ trace }) => trace as PaymentTrace | undefined)
			.filter((trace) => trace !== undefined);
		return this.run.unresolvedBefore.filter(
			({ payment }) => keyOf(payment) === keyOf(this.payment),
		);
	}

	private keyOf(payment: WantedPayment): string {
		return orderKeyOf(this.client.baseUrl, payment);
	}

	private atHost(text: string): string {
		return `${this.client.baseUrl} ${text}`;
	}
}

const UNREAD: Look = { kind: 'unread', why: 'could not be read' };
const STOPPED: Look = {
	kind: 'unread',
	why: 'was not read to the end: the execution is being stopped',
};
