import { type IDataObject, sleep } from 'n8n-workflow';
import { paymentIdOf, withPaymentId } from '../../../../shared/api/payments';
import { type ListedPayment, listedPaymentOf } from '../../../../shared/api/listedPayments';
import { isId } from '../../../../shared/api/responses';
import { withIsPaid } from '../../../../shared/api/statuses';
import { inTurn } from '../../../../shared/http/delays';
import { ApiError, Cancelled } from '../../../../shared/errors';
import { namesOf } from '../../../../shared/namesOf';
import type { Client } from '../../../../shared/transport/client';
import type { CallOptions } from '../../../../shared/transport/sendWithRetries';
import { CreatedPayments } from './createdPayments';
import { DEFAULT_LOOK_BACK, SharedReadings } from './sharedReadings';
import { orderKeyOf, sentRequests } from './sentRequests';
import { compare, hasFailed, plain, type WantedPayment } from './samePayment';

/** How long one reading of the list is reused by all executions of this process, in ms. */
const SHARED_FOR = 30_000;

/** What to do for an item whose order has a payment already: see the option *If a Payment Exists*. */
export type IfExists = 'return' | 'fail';

/** One item's question for what exists. */
export interface Question {
	client: Client;
	wanted: WantedPayment;
	ifExists: IfExists;
	options: CallOptions;
	/** A call by an MCP client has none. */
	executionId?: string;
	/** Whether this execution is known to have created a payment, from its own record. */
	isOwn(paymentId: string): boolean;
}

/** What exists of an order. */
type Existing =
	| { kind: 'none' }
	| { kind: 'one'; payment: ListedPayment }
	/** @param why the end of "AcountPay has …" */
	| { kind: 'doubt'; why: string };

/**
 * What exists of the order of a wanted payment. Payments that have failed or expired don't count, and a similar reference
 * is another order.
 */
export function existingAmong(payments: readonly ListedPayment[], wanted: WantedPayment): Existing {
	const same: ListedPayment[] = [];
	const doubts: string[] = [];
	for (const payment of payments.filter((listed) => !hasFailed(listed))) {
		const { relation, differences } = compare(wanted, payment);
		if (relation === 'same') same.push(payment);
		if (relation === 'differs' || relation === 'incomplete') {
			doubts.push(`payment ${payment.id ?? 'without an ID'}, which ${differences.join(' and ')}`);
		}
	}
	if (doubts.length === 0 && same.length === 0) return { kind: 'none' };
	if (doubts.length === 0 && same.length === 1) return { kind: 'one', payment: same[0] };
	const names = [...same.map(({ id }) => `payment ${id}`), ...doubts];
	return { kind: 'doubt', why: namesOf(names) };
}

/**
 * Finds the payment that an order has already, for all executions of this process. A payment that this process has created
 * counts even if AcountPay does not list it yet.
 */
export class ExistingPayments {
	/** For each order, a promise that settles when its current work is done. */
	private readonly underWay = new Map<string, Promise<unknown>>();

	constructor(
		private readonly readings = new SharedReadings(SHARED_FOR),
		private readonly created = new CreatedPayments(),
		private readonly sent: Pick<typeof sentRequests, 'hasUnresolved'> = sentRequests,
	) {}

	/**
	 * Does the work for an item while no other item of the same order does any in this process.
	 * @throws Cancelled when the signal is aborted before its turn; what `work` throws
	 */
	async exclusively<Result>(
		client: Client,
		wanted: WantedPayment,
		signal: AbortSignal,
		work: () => Promise<Result>,
	): Promise<Result> {
		if (signal.aborted) throw new Cancelled();
		return await inTurn(this.underWay, orderKeyOf(client.baseUrl, wanted), signal, work);
	}

	/**
	 * Remembers a payment that was created.
	 * @param response AcountPay's, whole
	 */
	add(client: Client, wanted: WantedPayment, executionId: string, response: IDataObject): void {
		const { status, createdAt = Date.now() } = listedPaymentOf(response);
		const id = paymentIdOf(response);
		// Without an ID it stays an unresolved request, and counts as unclear.
		if (id === undefined) return;
		const asked = { ...wanted, merchantClientId: wanted.merchantId };
		// A response may have the payment's ID deeper within, beside an ID of something else.
		const entry = isId(response.paymentId) ? response : { ...response, paymentId: id };
		const payment = { ...asked, id, status, createdAt, entry };
		const { account, baseUrl } = client;
		this.created.add(orderKeyOf(baseUrl, wanted), { account, executionId, payment });
	}

	/**
	 * The existing payment to return for an item instead of creating one.
	 * @param previous the existing payment that an earlier attempt returned
	 * @returns undefined when there is none, and a payment may be created
	 * @throws ApiError (`refused`, or as reading the list has failed) when nothing may be sent; Cancelled
	 */
	async find(
		{ client, wanted, ifExists, options, executionId, isOwn }: Question,
		previous?: IDataObject,
	): Promise<IDataObject | undefined> {
		const list = await this.readings
			.read(client, wanted.merchantId, DEFAULT_LOOK_BACK, options)
			.catch((error: unknown) => {
				throw error instanceof ApiError ? unreadError(error) : error;
			});
		const order = orderKeyOf(client.baseUrl, wanted);
		const wasUnresolved = this.sent.hasUnresolved(order, list.startedAt);
		// A request whose outcome is known by now is remembered as a created payment a moment later.
		await sleep(0);
		const everyones = this.created.of(order);
		const created = everyones.filter(({ account }) => account === client.account);
		const createdByOthers = everyones.filter((one) => !created.includes(one));
		const executionOf = new Map(created.map((one) => [one.payment.id, one.executionId]));
		const byUs = created.map(({ payment }) => asListedNow(payment, list.withId(payment.id)));
		const reference = plain(wanted.referenceNumber);
		const byOthers = list
			.ofLastDays(DEFAULT_LOOK_BACK)
			.filter((listed) => !executionOf.has(listed.id) && !hasOtherReference(reference, listed));
		const existing = existingAmong([...byUs, ...byOthers], wanted);
		if (existing.kind === 'doubt') throw doubtError(wanted, existing.why);
		if (existing.kind === 'one') {
			const { payment } = existing;
			const isOfThis = executionId !== undefined && executionOf.get(payment.id) === executionId;
			const fails = ifExists === 'fail' && !isOfThis && !isOwn(payment.id!);
			if (fails) throw existsError(wanted, payment);
			return { ...withIsPaid(withPaymentId(payment.entry)), existing: true };
		}
		// A payment that another credential has created is not returned, and counts as unresolved until the list shows it.
		const othersNow = createdByOthers.map(({ payment }) => list.withId(payment.id));
		const isUnresolved = wasUnresolved || this.sent.hasUnresolved(order, list.startedAt);
		if (isUnresolved || othersNow.includes(undefined)) throw unresolvedError(wanted);
		// The list may write its reference otherwise.
		const open = othersNow.find((listed) => listed && !hasFailed(listed));
		if (open) {
			const why = `payment ${open.id}, which another credential has created for it`;
			throw doubtError(wanted, why);
		}
		// A payment that AcountPay has listed counts as existing until AcountPay reports it failed or expired.
		const previousId = previous && paymentIdOf(previous);
		const now = list.withId(previousId);
		if (previousId !== undefined && !(now && hasFailed(now))) {
			throw doubtError(
				wanted,
				`shown payment ${previousId} for this order before, and does not list it as failed or expired now`,
			);
		}
		return undefined;
	}
}

/** The existing payments of this process. */
export const existingPayments = new ExistingPayments();

/**
 * Whether a payment shows that it is of another order. To compare it whole takes long in a long list.
 * @param reference {@link plain}
 */
const hasOtherReference = (reference: string, listed: ListedPayment): boolean => {
	const { merchantClientId, otherMerchant, referenceNumber } = listed;
	const hasMerchant = (merchantClientId ?? otherMerchant) !== undefined;
	return hasMerchant && referenceNumber !== undefined && plain(referenceNumber) !== reference;
};

/** The list has the status of a payment; this process knows what was asked for, and where it is paid. */
const asListedNow = (payment: ListedPayment, listed?: ListedPayment): ListedPayment => ({
	...payment,
	status: listed?.status ?? payment.status,
	entry: {
		...payment.entry,
		...Object.fromEntries(
			Object.entries(listed?.entry ?? {}).filter(([, value]) => value !== null),
		),
	},
});

const NOTHING_SENT = 'Nothing was sent for this item.';

const notCreated = ({ referenceNumber }: WantedPayment, why: string, advice: string) =>
	new ApiError(
		'refused',
		`Payment '${referenceNumber}' was not created: ${why}`,
		`${NOTHING_SENT} ${advice}`,
	);

const doubtError = (wanted: WantedPayment, why: string) =>
	notCreated(
		wanted,
		`AcountPay has ${why}`,
		'Check in AcountPay which payment this order has, and correct the item.',
	);

const existsError = (wanted: WantedPayment, { id, status = 'of no status' }: ListedPayment) =>
	notCreated(
		wanted,
		`AcountPay has payment ${id} (${status}) for it already`,
		"To get that payment instead, set the option 'If a Payment Exists' to 'Return It'.",
	);

const unresolvedError = (wanted: WantedPayment) =>
	new ApiError(
		'unknown',
		`Payment '${wanted.referenceNumber}' may or may not exist: another request for it is open`,
		`${NOTHING_SENT} Look for the reference in AcountPay. If it certainly isn't there, run the workflow with this item alone and 'If a Payment Exists' set to 'Create Another'.`,
		{ rulesOut: 'resend' },
	);

const unreadError = ({ outcome, message, description, status }: ApiError) =>
	new ApiError(outcome, message, `${description} ${NOTHING_SENT}`, { status });
