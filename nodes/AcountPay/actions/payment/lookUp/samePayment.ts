import type { IDataObject } from 'n8n-workflow';
import { placesIn } from '../../../../shared/api/created';
import { type ListedPayment, listedPaymentOf } from '../../../../shared/api/listedPayments';
import { finalStatusOf } from '../../../../shared/api/statuses';
import { namesOf } from '../../../../shared/namesOf';

/** What all payments of one order share. The names here and in {@link WantedPayment} are in stored executions. */
export interface Order {
	/** AcountPay's client ID of the merchant. */
	merchantId: string;
	referenceNumber: string;
}

/** The payment that somebody wants. Fields that are not asked for are undefined, and not compared. */
export interface WantedPayment extends Order {
	/** In major units. */
	amount?: number;
	/** ISO 4217. */
	currency?: string;
	description?: string;
	storeId?: string;
	registerId?: string;
}

/**
 * How a payment of AcountPay's list relates to the one that is wanted:
 * - `same`: merchant and reference are equal, and nothing that was asked for and is shown differs;
 * - `differs`: merchant and reference are equal, but something that was asked for differs;
 * - `similar`: the reference is equal except for case, accents and punctuation, or is truncated;
 * - `incomplete`: it may be the one, but the list does not show every field that it is recognised by;
 * - `other`: it is another one.
 */
export type Relation = 'same' | 'differs' | 'similar' | 'incomplete' | 'other';

/** What a comparison says. */
interface Comparison {
	relation: Relation;
	/** What differs or is missing, each as the end of "the payment …": 'has the amount 12 instead of 10'. */
	differences: string[];
}

/** A reference truncated to fewer characters than this is treated as a different one. Every bank shows at least this many. */
const SHORTEST_CUT = 18;

/** What a listed payment must show. */
const NEEDED: ReadonlyArray<[keyof ListedPayment, string]> = [
	['id', 'ID'],
	['merchantClientId', 'merchant'],
	['referenceNumber', 'reference'],
	['amount', 'amount'],
	['currency', 'currency'],
	['createdAt', 'time of creation'],
];

/** A text as it is compared. Characters that nobody sees, such as a space without width, tell nothing. */
export const plain = (text: string): string =>
	text
		.replace(/\p{Default_Ignorable_Code_Point}/gu, '')
		.normalize('NFC')
		.trim();
const lower = (text: string) => plain(text).toLowerCase();

/** The merchant and reference of an order, as they are compared. */
export const keyOf = ({ merchantId, referenceNumber }: Order): string =>
	JSON.stringify([lower(merchantId), plain(referenceNumber)]);

/** Letters without an accent to take off, in both usual ways to write them in ASCII. */
const LETTERS: ReadonlyArray<Readonly<Record<string, string>>> = [
	{ æ: 'ae', ø: 'o', å: 'a', ß: 'ss' },
	{ æ: 'ae', ø: 'oe', å: 'aa', ß: 'ss' },
];

/** The letters and digits of a text in their groups, without case and accents. */
const groupsOf = (text: string, letters: Readonly<Record<string, string>>): string =>
	(
		lower(text)
			.replace(/[æøåß]/g, (letter) => letters[letter])
			.normalize('NFKD')
			.replace(/\p{M}/gu, '')
			.match(/[\p{L}\p{N}]+/gu) ?? []
	).join(' ');

/** Whether AcountPay may show the wanted reference so: as it is, or as a server may have rewritten it. */
export function mayBeReference(wanted: string, shown: string): boolean {
	if (plain(shown) === plain(wanted)) return true;
	const isCut = [...plain(shown)].length >= SHORTEST_CUT;
	return LETTERS.some((letters) => {
		const [ours, theirs] = [groupsOf(wanted, letters), groupsOf(shown, letters)];
		return theirs !== '' && (ours === theirs || (isCut && ours.startsWith(theirs)));
	});
}

/** Whether a listed text is the beginning of the one that was asked for: then it proves nothing. */
const isCutOff = (wanted: string, listed: string): boolean =>
	plain(wanted).startsWith(plain(plain(listed).replace(/(…|\.\.\.)$/, '')));

/** The fields that were asked for and are shown with another value. */
function differencesOf(
	wanted: Partial<WantedPayment> & FixedFields,
	listed: ListedPayment,
): string[] {
	const differences: string[] = [];
	const check = <Value>(
		name: string,
		wants: Value | undefined,
		has: Value | undefined,
		isEqual: (wants: Value, has: Value) => boolean,
	) => {
		if (wants === undefined || has === undefined || isEqual(wants, has)) return;
		differences.push(`has the ${name} ${String(has)} instead of ${String(wants)}`);
	};
	const isSameText = (wants: string, has: string) => plain(wants) === plain(has);
	const isSameCode = (wants: string, has: string) => lower(wants) === lower(has);
	check('merchant', wanted.merchantId, listed.merchantClientId, isSameCode);
	check('merchant', wanted.merchantNumber, listed.merchantNumber, isSameCode);
	check('reference', wanted.referenceNumber, listed.referenceNumber, mayBeReference);
	check('amount', wanted.amount, listed.amount, (wants, has) => Math.abs(wants - has) < 1e-6);
	check('currency', wanted.currency, listed.currency, isSameCode);
	check('description', wanted.description, listed.description, isCutOff);
	check('store', wanted.storeId, listed.storeId, isSameText);
	check('register', wanted.registerId, listed.registerId, isSameText);
	return differences;
}

/** What never changes about a payment, as far as it is known. */
export type FixedFields = Partial<Order> &
	Pick<WantedPayment, 'amount' | 'currency'> &
	Pick<ListedPayment, 'merchantNumber'>;

/** What is known of a payment after a response about it. What was known before stays. */
export function fixedFieldsOf(response: IDataObject, known: FixedFields = {}): FixedFields {
	let { merchantId, merchantNumber, referenceNumber, amount, currency } = known;
	for (const shown of placesIn(response, 'payment').map(listedPaymentOf)) {
		merchantId ??= shown.merchantClientId;
		merchantNumber ??= shown.merchantNumber;
		referenceNumber ??= shown.referenceNumber;
		amount ??= shown.amount;
		currency ??= shown.currency;
	}
	return { merchantId, merchantNumber, referenceNumber, amount, currency };
}

/**
 * Whether a response about a payment, or an event, shows another merchant, reference, amount or currency than the payment
 * has. A description proves nothing, since a server may rewrite it, and neither does a store, which AcountPay documents with
 * two kinds of ID.
 * @returns what it is about, as the end of "AcountPay …"; undefined where nothing differs
 */
export function contradictionIn(
	{ merchantId, merchantNumber, referenceNumber, amount, currency }: FixedFields,
	response: IDataObject,
): string | undefined {
	const fixed = { merchantId, merchantNumber, referenceNumber, amount, currency };
	for (const shown of placesIn(response, 'payment').map(listedPaymentOf)) {
		const differences = differencesOf(fixed, shown);
		if (differences.length > 0) {
			const named = shown.id === undefined ? '' : ` (payment ${shown.id})`;
			return `responded about a payment that ${namesOf(differences)}${named}`;
		}
	}
	return undefined;
}

/**
 * The payments of a list that was asked for one merchant. Where none is that merchant's by its ID, AcountPay may write the
 * ID otherwise: then it is not known whose they are.
 */
export function asListOf(merchantId: string, payments: ListedPayment[]): ListedPayment[] {
	const isOurs = ({ merchantClientId = '' }: ListedPayment) =>
		lower(merchantClientId) === lower(merchantId);
	if (payments.some(isOurs)) return payments;
	return payments.map(({ merchantClientId: otherMerchant, ...payment }) => ({
		...payment,
		otherMerchant,
	}));
}

/** Compares a payment of AcountPay's list with the one that is wanted. */
export function compare(wanted: WantedPayment, listed: ListedPayment): Comparison {
	const { merchantClientId, referenceNumber } = listed;
	const isSameMerchant =
		merchantClientId === undefined || lower(merchantClientId) === lower(wanted.merchantId);
	const isSameReference =
		referenceNumber === undefined || plain(referenceNumber) === plain(wanted.referenceNumber);
	const fits = isSameReference || mayBeReference(wanted.referenceNumber, referenceNumber);
	// A field that it shows says that it is another one, whatever it leaves out.
	if (!isSameMerchant || !fits) return { relation: 'other', differences: [] };
	const missing = NEEDED.filter(([name]) => listed[name] === undefined).map(([name, words]) =>
		name === 'merchantClientId' && listed.otherMerchant !== undefined
			? `is listed for the merchant '${listed.otherMerchant}'`
			: `is listed without its ${words}`,
	);
	if (missing.length > 0) return { relation: 'incomplete', differences: missing };
	const differences = differencesOf(wanted, listed);
	if (!isSameReference) {
		const reference = `has the reference '${referenceNumber}' instead of '${wanted.referenceNumber}'`;
		return { relation: 'similar', differences: [reference, ...differences] };
	}
	return { relation: differences.length > 0 ? 'differs' : 'same', differences };
}

/**
 * A request that was sent, and whose outcome is not known. `from`, `to` and `until` are by AcountPay's clock, in ms since
 * 1970, and missing while that is not known. The names are in stored executions: they are never renamed.
 */
export interface SentRequest {
	payment: WantedPayment;
	/** The request did not leave before this. */
	from?: number;
	/** The request had left by then. */
	to?: number;
	/** By then, AcountPay can no longer have been working on the request. */
	until?: number;
	/** Whether another request for this merchant and reference was unresolved while this one was. */
	wasNotAlone?: boolean;
}

/** Whether a payment was created `since` a request left, or `before` that; `around`: can't tell. */
type Age = 'since' | 'before' | 'around';

/** A payment may be created this much before its request left, in ms: AcountPay shows its clock in whole seconds. */
const SINCE_TOLERANCE = 2_000;

/** A payment that was created longer than this before a request left is not that request's, in ms. */
export const BEFORE_TOLERANCE = 120_000;

/**
 * How old a payment is compared with a request.
 * @param createdAt of the payment, by AcountPay's clock, in ms since 1970
 */
export function ageOf(
	createdAt: number | undefined,
	{ from, to, until }: Pick<SentRequest, 'from' | 'to' | 'until'>,
): Age {
	const isKnown = createdAt !== undefined && from !== undefined;
	if (!isKnown || to === undefined || until === undefined) return 'around';
	if (createdAt < from - BEFORE_TOLERANCE) return 'before';
	return createdAt >= to - SINCE_TOLERANCE && createdAt <= until ? 'since' : 'around';
}

/** What a reading of the list says about a request whose outcome is not known. */
export type Decision =
	| { kind: 'found'; payment: ListedPayment }
	/**
	 * The list shows nothing that the request can have created.
	 * @param older the IDs of payments of this reference from before it
	 */
	| { kind: 'none'; older: string[] }
	/** @param why the end of "AcountPay's list of payments …" */
	| { kind: 'doubt'; why: string };

/** Whether a payment has ended without being paid. One of a status that is not known may still be paid. */
export const hasFailed = ({ status }: ListedPayment): boolean =>
	['failed', 'expired'].includes(finalStatusOf(status) ?? '');

/**
 * Decides from a reading of the list whether a request has created a payment, and which. Never guesses: a doubt stays a doubt.
 * @param list of the merchant's payments, at least those since two minutes before the request
 * @param isTaken whether a payment is known to belong to another request
 */
export function decide(
	list: readonly ListedPayment[],
	request: SentRequest,
	isTaken: (paymentId: string) => boolean,
): Decision {
	const fitting: ListedPayment[] = [];
	const doubts: string[] = [];
	const older: string[] = [];
	for (const listed of list) {
		const { id, createdAt, status } = listed;
		const age = ageOf(createdAt, request);
		const { relation, differences } = compare(request.payment, listed);
		if (relation === 'other' || (id !== undefined && isTaken(id))) continue;
		if (age === 'before') {
			if (relation === 'same' || relation === 'differs') older.push(id!);
			continue;
		}
		let doubt: string | undefined;
		if (relation !== 'same') doubt = differences.join(' and ');
		else if (age === 'around') doubt = 'may be older or newer';
		else if (hasFailed(listed)) doubt = `has already ${status}`;
		if (doubt === undefined) fitting.push(listed);
		else doubts.push(`payment ${id ?? 'without an ID'}, which ${doubt}`);
	}
	if (doubts.length > 0) return { kind: 'doubt', why: `shows ${namesOf(doubts)}` };
	if (fitting.length === 0) return { kind: 'none', older };
	const ids = namesOf(fitting.map(({ id }) => String(id)));
	if (fitting.length > 1) {
		return { kind: 'doubt', why: `shows ${fitting.length} payments that could be it: ${ids}` };
	}
	if (request.wasNotAlone) {
		const why = `shows payment ${ids}, but another payment with this reference was requested too`;
		return { kind: 'doubt', why };
	}
	return { kind: 'found', payment: fitting[0] };
}

/** How long before the request a payment may be listed and still belong to it, in ms: a clock may be in the wrong zone. */
const RECENT = 26 * 60 * 60_000;

/**
 * The payments that make it unsafe to send a request again, although none is known to be its payment: recent ones of this amount,
 * however their reference is written. The list was asked for one merchant, so its ID is not compared.
 * @param list of the merchant's payments, whole
 * @param sentAt when the request left, by AcountPay's clock in ms since 1970; undefined when that is not known
 * @returns the IDs of such payments
 */
export const couldBe = (
	list: readonly ListedPayment[],
	{ amount, currency }: WantedPayment,
	sentAt: number | undefined,
	isTaken: (paymentId: string) => boolean,
): string[] =>
	list
		.filter(({ createdAt = Infinity }) => createdAt >= (sentAt ?? -Infinity) - RECENT)
		.filter((listed) => differencesOf({ amount, currency }, listed).length === 0)
		.filter(({ id }) => id === undefined || !isTaken(id))
		.map(({ id = 'without an ID' }) => id);
