import { randomUUID } from 'node:crypto';
import type { IDataObject } from 'n8n-workflow';
import { type ListedPayment, readListed } from '../../../shared/api/listedPayments';
import {
	listedPaymentIdOf,
	listPayments,
	paymentIdOf,
	readPaymentsPage,
	withPaymentId,
} from '../../../shared/api/payments';
import { delay } from '../../../shared/backoff';
import type { Client } from '../../../shared/transport/client';
import { readPages } from '../../../shared/transport/readList';
import type { CallOptions } from '../../../shared/transport/send';
import type { Found, LookUp } from '../../execution/createOnce';
import type { Entry, IdempotencyRecord } from '../../execution/idempotencyStore';
import {
	type Claims,
	type Decision,
	decide,
	lookRepeatedly,
	type Rival,
	type Trace,
	type WantedPayment,
} from '../../execution/lookUp';
import { keyOf, openRequests } from '../../execution/openRequests';

/** How long after its time limit a request may still make a payment, in ms (assumed). */
const GRACE = 60_000;

/** How many pages of the list one look reads at most. */
const MAX_PAGES = 20;

/** How far the order of a list may be from that of `createdAt`, in ms (assumed). */
const DISORDER = 60_000;

/** The shortest time from the end of a look at a merchant's list to the next look, in ms. */
const PAUSE = 250;

/** For how long one look asks again when AcountPay does not send the list, in ms. */
const LOOK_TIME = 10_000;

/** The list has more pages than a look may read. */
class TooLong extends Error {}

/** A look that has not begun yet: whoever needs one by then shares it. */
interface PlannedLook {
	/** How far back it is to see for each who shares it, by AcountPay's clock; -Infinity for the whole list. */
	sinces: Array<() => number>;
	result: Promise<ListedPayment[]>;
}

/** The looks at merchants' lists in one run: one serves all who wait for it. */
class Looks {
	private readonly planned = new Map<string, PlannedLook>();
	/** The end of the last look at a merchant's list. */
	private readonly last = new Map<string, Promise<unknown>>();

	constructor(private readonly client: Client) {}

	/** Reads a merchant's list, from now on. */
	async look(merchantId: string, since: () => number, timeout: number): Promise<ListedPayment[]> {
		let planned = this.planned.get(merchantId);
		if (planned) {
			planned.sinces.push(since);
		} else {
			const look: PlannedLook = { sinces: [since], result: Promise.resolve([]) };
			look.result = this.after(merchantId, async () => {
				this.planned.delete(merchantId);
				return await readBackTo(this.client, merchantId, look.sinces, timeout);
			});
			this.planned.set(merchantId, look);
			planned = look;
		}
		return await planned.result;
	}

	private async after<Result>(merchantId: string, read: () => Promise<Result>): Promise<Result> {
		const before = this.last.get(merchantId) ?? Promise.resolve();
		const result = before.then(read);
		const pause = async () => await delay(PAUSE, this.client.cancelSignal);
		this.last.set(merchantId, result.then(pause, pause));
		return await result;
	}
}

/**
 * Whether a list is served newest first, and was read back to before a moment. What is read is whole then: payments that
 * are made meanwhile come to the front, and none goes.
 */
function reachesBackTo(since: number, entries: readonly IDataObject[]): boolean {
	const moments = readListed(entries).map(({ createdAt }) => createdAt);
	const isNewestFirst = moments.every((moment, index) => {
		const before = index === 0 ? undefined : moments[index - 1];
		return moment && (!before || before.to >= moment.from);
	});
	const [first, last] = [moments[0], moments.at(-1)];
	return isNewestFirst && !!first && !!last && last.to < first.from && last.to < since - DISORDER;
}

async function readBackTo(
	client: Client,
	merchantId: string,
	sinces: ReadonlyArray<() => number>,
	timeout: number,
): Promise<ListedPayment[]> {
	const { cancelSignal } = client;
	const entries: IDataObject[] = [];
	let pages = 0;
	const list = {
		subject: { name: 'the list of payments', merchantId },
		request: (page: number, limit: number) => listPayments({ merchantId }, page, limit),
		readPage: readPaymentsPage,
		idOf: listedPaymentIdOf,
	};
	const options: CallOptions = {
		timeout,
		deadline: Date.now() + LOOK_TIME,
		resendUnknown: false,
		endSignal: cancelSignal,
		comesFirst: true,
	};
	for await (const page of readPages(client, list, options)) {
		entries.push(...page.entries);
		// Only now: the first page tells what AcountPay's clock shows.
		if (reachesBackTo(Math.min(...sinces.map((get) => get())), entries)) break;
		if (++pages >= MAX_PAGES && entries.length < (page.total ?? Infinity)) throw new TooLong();
	}
	return readListed(entries);
}

/** One for each run. */
const looksOf = new WeakMap<Client, Looks>();

/** Looks in the list for the payment of one item (the list is documented with keys only). */
export class PaymentLookUp implements LookUp {
	private readonly looks: Looks;
	/** The request that left last. */
	private current?: Trace;

	constructor(
		private readonly client: Client,
		private readonly payment: WantedPayment,
		private readonly options: CallOptions,
		private readonly record: IdempotencyRecord,
	) {
		this.looks = looksOf.get(client) ?? new Looks(client);
		looksOf.set(client, this.looks);
	}

	sending(): Trace {
		const leftAt = Date.now();
		this.current = { id: randomUUID(), payment: this.payment };
		openRequests.add(this.keyOf(this.current), {
			trace: this.current,
			leftAt,
			clock: this.client.clock,
			isInFlight: true,
			expiresAt: leftAt + this.options.timeout + GRACE,
		});
		this.learn(this.current);
		return this.current;
	}

	notMade(): void {
		if (this.current) openRequests.remove(this.keyOf(this.current), this.current.id);
	}

	made(response: IDataObject): void {
		const id = paymentIdOf(response);
		// Without an id its payment can't be told from others: it stays open.
		if (this.current && id !== undefined) this.settle(this.current, id);
	}

	trace(): Trace | undefined {
		return this.current;
	}

	async find(left: Trace | undefined): Promise<Found> {
		const trace: Trace = left ?? { id: '', payment: this.payment };
		const open = openRequests.get(this.keyOf(trace), trace.id);
		if (open) open.isInFlight = false;
		const { clock, cancelSignal } = this.client;
		const wait = async (ms: number) => {
			const now = Date.now();
			return await delay(clock.nextSecond(now + ms) - now, cancelSignal);
		};
		const { decision, looks } = await lookRepeatedly(async () => await this.look(trace), wait);
		if (decision.kind === 'made') {
			return { kind: 'made', made: { ...withPaymentId(decision.payment.entry), lookedUp: true } };
		}
		const times = looks === 1 ? 'once' : `${looks} times`;
		const list = decision.kind === 'none' ? 'does not show it' : decision.why;
		return {
			kind: decision.kind,
			looked: `AcountPay's list of payments was looked at ${times}: it ${list}.`,
		};
	}

	private async look(trace: Trace): Promise<Decision> {
		const { merchantId } = trace.payment;
		let history: ListedPayment[];
		try {
			const since = () => {
				this.learn(trace);
				return trace.from ?? -Infinity;
			};
			history = await this.looks.look(merchantId, since, this.options.timeout);
		} catch (error) {
			const why = error instanceof TooLong ? 'is too long to look through' : 'could not be read';
			return { kind: 'doubt', why };
		}
		this.learn(trace);
		const decision = decide(history, trace, this.claims(trace));
		// At once: nobody else may be given the same payment.
		if (decision.kind === 'made') this.settle(trace, decision.id);
		return decision;
	}

	/** Puts down when the request left by AcountPay's clock, as exactly as that is known by now. */
	private learn(trace: Trace): void {
		const open = openRequests.get(this.keyOf(trace), trace.id);
		const moment = open?.clock.at(open.leftAt);
		if (!moment) return;
		Object.assign(trace, moment, { until: moment.to + this.options.timeout + GRACE });
	}

	private settle(trace: Trace, paymentId: string): void {
		const key = this.keyOf(trace);
		openRequests.take(key, paymentId);
		openRequests.remove(key, trace.id);
	}

	/** What other items and executions have been given, and what of theirs is open. */
	private claims(trace: Trace): Claims {
		const key = this.keyOf(trace);
		const inProcess = openRequests.equalTo(key).filter((rival) => rival.trace?.id !== trace.id);
		const known = new Set(inProcess.map((rival) => rival.trace?.id));
		const others = this.record.others();
		const given = new Set(
			others.map((entry) => entry.state === 'made' && paymentIdOf(entry.answer)),
		);
		const stored = others
			.filter((entry) => this.isOpenRival(entry, trace) && !known.has(entry.trace?.id))
			.map((entry): Rival => ({ trace: entry.trace, isInFlight: entry.state === 'made' }));
		return {
			rivals: [...inProcess, ...stored],
			isTaken: (id) => given.has(id) || openRequests.isTaken(key, id),
		};
	}

	/** Whether an entry of the store is of an equal payment, and it is not known which payment that is. */
	private isOpenRival(entry: Entry, { id, payment }: Trace): boolean {
		if (entry.trace) {
			return entry.trace.id !== id && this.keyOf(entry.trace) === this.keyOf({ id, payment });
		}
		return (
			entry.referenceNumber === payment.referenceNumber &&
			(entry.state !== 'made' || paymentIdOf(entry.answer) === undefined)
		);
	}

	private keyOf({ payment }: Trace): string {
		return keyOf(this.client.baseUrl, payment);
	}
}
