import type { ListedPayment } from '../../shared/api/listedPayments';

/** The payment that a request asks for. */
export interface WantedPayment {
	merchantId: string;
	referenceNumber: string;
	/** In major units. */
	amount: number;
	currency: string;
}

/**
 * What is kept of a request that has left, to find its payment by. All moments are by AcountPay's clock, in ms since
 * 1970, and missing when that was not known. The names are in stored executions: they are never renamed.
 */
export interface Trace {
	/** Tells this request from every other one. */
	id: string;
	payment: WantedPayment;
	/** The request did not leave before this. */
	from?: number;
	/** The request had left by then. */
	to?: number;
	/** A payment that was made later is hardly this request's. */
	until?: number;
}

/** Another request for an equal payment, whose outcome is not known either. */
export interface Rival {
	/** Missing where nothing is kept of it. */
	trace?: Trace;
	/** Whether its response may still come, or came without an id: then it can't be told which payment is its own. */
	isInFlight: boolean;
}

/** What else is known. */
export interface Claims {
	rivals: readonly Rival[];
	/** Whether a payment has been handed out for another request. */
	isTaken(id: string): boolean;
}

/** What a look at the list tells about a request. */
export type Decision =
	| { kind: 'made'; payment: ListedPayment; id: string }
	/** The list has no payment that the request could have made. */
	| { kind: 'none' }
	/** @param why the end of "AcountPay's list of payments …" */
	| { kind: 'doubt'; why: string; isClock?: boolean };

/**
 * How exactly it must be known by how much a payment is older than a request, in ms. A payment that may be either is
 * taken for the request's own when it can't be older by more than this.
 */
export const PRECISION = 400;

type Age = 'older' | 'since' | 'unclear' | 'unknown' | 'tooLate';

/** Whether a payment was made since the request left. */
function ageOf({ createdAt }: ListedPayment, { from, to, until }: Trace): Age {
	if (!createdAt || from === undefined || to === undefined || until === undefined) return 'unknown';
	if (createdAt.to < from) return 'older';
	if (createdAt.from > until) return 'tooLate';
	const uncertainty = to - from + (createdAt.to - createdAt.from);
	return createdAt.from >= to || uncertainty <= PRECISION ? 'since' : 'unclear';
}

const lower = (text: string | undefined) => text?.toLowerCase();

/** Whether a payment differs from the one that is wanted in what it says. What it doesn't say tells nothing. */
function differs(payment: ListedPayment, wanted: WantedPayment): boolean {
	const pairs: Array<[unknown, unknown]> = [
		[payment.referenceNumber, wanted.referenceNumber.trim()],
		[lower(payment.merchantId), lower(wanted.merchantId)],
		[payment.amount, wanted.amount],
		[lower(payment.currency), lower(wanted.currency)],
	];
	return pairs.some(([has, wants]) => has !== undefined && has !== wants);
}

/** Whether a payment says everything that it is known again by. */
const isWhole = ({ id, referenceNumber, merchantId, amount, currency }: ListedPayment) =>
	[id, referenceNumber, merchantId, amount, currency].every((value) => value !== undefined);

const doubt = (why: string): Decision => ({ kind: 'doubt', why });

/** The words for a payment whose age leaves a doubt. */
const AGE_DOUBTS: Readonly<Partial<Record<Age, string>>> = {
	unclear: 'was created at about the time of this request, or shortly before',
	unknown: 'may be older',
	tooLate: 'was created long after this request',
};

/**
 * Decides from the list of payments whether a request has made a payment, and which. Every doubt stays one.
 * @param history what the list shows, complete as far back as the request
 * @param request whose outcome is not known
 */
export function decide(
	history: readonly ListedPayment[],
	request: Trace,
	{ rivals, isTaken }: Claims,
): Decision {
	const possible = history.filter(
		(payment) =>
			!differs(payment, request.payment) &&
			!(payment.id !== undefined && isTaken(payment.id)) &&
			ageOf(payment, request) !== 'older',
	);
	if (possible.length === 0) return { kind: 'none' };
	const nameOf = ({ id }: ListedPayment) => id ?? 'without an ID';
	for (const payment of possible) {
		if (!isWhole(payment)) return doubt(`does not tell all about payment ${nameOf(payment)}`);
		const age = ageOf(payment, request);
		const why = AGE_DOUBTS[age];
		if (why === undefined) continue;
		const words = `shows payment ${nameOf(payment)}, which ${why}`;
		return { kind: 'doubt', why: words, isClock: age === 'unclear' };
	}
	const names = possible.map(nameOf).join(', ');
	if (rivals.some(({ isInFlight }) => isInFlight)) {
		return doubt(`shows payment ${names}, and an equal one is being created`);
	}
	// As many payments as equal requests: which is whose makes no difference.
	const isSharedOut =
		possible.length === rivals.length + 1 &&
		rivals.every(
			({ trace }) => trace && possible.every((payment) => ageOf(payment, trace) === 'since'),
		);
	if (!isSharedOut) {
		const open = rivals.length > 0 ? `, and ${rivals.length + 1} equal ones are open` : '';
		return doubt(
			`shows ${possible.length === 1 ? 'one' : possible.length} that could be it: ${names}${open}`,
		);
	}
	const [payment] = possible;
	return { kind: 'made', payment, id: nameOf(payment) };
}

/** The pauses between looks, in ms. AcountPay may be late to list a payment. */
export const LOOK_DELAYS: readonly number[] = [500, 1_000, 2_000, 4_000];

/** The pause before a look that is only to tell more about the clock, in ms. */
const CLOCK_DELAY = 300;

/**
 * Looks until there is a payment, or it was looked often enough.
 * @param look reads the list and decides
 * @param wait waits, and some ms more where a look then tells more about the clock; false when the execution is being
 *   cancelled
 * @returns the last decision, and how many looks there were
 */
export async function lookRepeatedly(
	look: () => Promise<Decision>,
	wait: (ms: number) => Promise<boolean>,
): Promise<{ decision: Decision; looks: number }> {
	for (let looks = 1; ; looks++) {
		const decision = await look();
		if (decision.kind === 'made' || looks > LOOK_DELAYS.length) return { decision, looks };
		// A clock gets clearer with each look, however soon.
		const isClock = decision.kind === 'doubt' && decision.isClock;
		if (await wait(isClock ? CLOCK_DELAY : LOOK_DELAYS[looks - 1])) continue;
		return {
			decision: { kind: 'doubt', why: 'was not read to the end: the execution is being stopped' },
			looks,
		};
	}
}
