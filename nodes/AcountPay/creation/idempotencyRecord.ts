import type { IDataObject } from 'n8n-workflow';
import { inTurn } from '../../shared/http/delays';
import type { Trace } from './createOnce';
import type { IdempotencyStore } from './idempotencyStore';
import type { Identity } from './identityHashes';

/**
 * What is known of one thing that was asked for. `sent` is written before the request leaves, so that an execution that
 * is cancelled or dies meanwhile is not taken for one that never asked.
 */
export type KnownState =
	| { state: 'sent'; trace?: Trace }
	| { state: 'made'; answer: IDataObject; trace?: undefined }
	/** @param what the end of 'AcountPay …' */
	| { state: 'unknown'; what: string; trace?: Trace };

/**
 * What the store holds of one creation. `trace` is missing where nothing can be looked up, and in entries of 0.1.0; `key`,
 * `terms`, `merchantId` and `labelOrigin` are missing in older entries.
 */
export type Entry = Identity &
	KnownState & {
		/** It was created, but its item has failed. */
		failed?: true;
		/** The retry by hand that has recorded it. */
		retry?: string;
	};

/** An entry of something that was created. `made` and `answer` are in stored executions. */
export type CreatedEntry = Extract<Entry, { state: 'made' }>;

/** Whether an entry is of something that was created. */
export const isCreated = (entry: Entry): entry is CreatedEntry => entry.state === 'made';

/** The entries whose request has not been responded to yet, in this process. */
export const inFlight = new WeakSet<Entry>();

/** The work that is under way, by an item's entries. */
const underWay = new Map<Entry[], Promise<unknown>>();

/** Whether an entry has the same label as this creation. Older entries have the reference alone. */
export const hasSameLabel = (entry: Entry, { key, referenceNumber }: Identity): boolean =>
	entry.key === undefined ? entry.referenceNumber === referenceNumber : entry.key === key;

/** Whether an entry comes from the same item and the same parameters, or the label's fields hold the same text, before expressions. */
const isFromSameItem = (entry: Entry, { origin, labelOrigin, pickedOrigin }: Identity): boolean =>
	entry.origin === origin ||
	(entry.labelOrigin !== undefined && [labelOrigin, pickedOrigin].includes(entry.labelOrigin));

const differs = (one?: string, other?: string) =>
	one !== undefined && other !== undefined && one !== other;

/** One creation's part of the store: finds the entry of an earlier attempt, and writes down how this one goes. */
export class IdempotencyRecord {
	/** What was known before the request that is on its way. */
	private before?: Entry;

	/**
	 * @param entries of the item that this execution has recorded, or the one that it is a retry of
	 * @param identity of what is asked for now, with the retry that asks
	 */
	constructor(
		private readonly entries: Entry[],
		private readonly identity: Identity & Pick<Entry, 'retry'>,
		private readonly store: IdempotencyStore,
	) {}

	/** What the store holds of all other creations. */
	others(): Entry[] {
		const { earlier } = this;
		return this.store.allEntries().filter((entry) => entry !== earlier);
	}

	/** All other creations that AcountPay has responded to with an id. */
	othersWithId(id: string): CreatedEntry[] {
		const { earlier } = this;
		return this.store.createdWithId(id).filter((entry) => entry !== earlier);
	}

	/** The id in a response, when this execution has created that for something else: with another label or amount. */
	idOfOther(response: IDataObject): string | undefined {
		const id = this.store.idOf(response);
		const isOfOther = (other: Entry) =>
			!hasSameLabel(other, this.identity) || differs(other.terms, this.identity.terms);
		return id !== undefined && this.othersWithId(id).some(isOfOther) ? id : undefined;
	}

	/** The entry of an earlier attempt; undefined when nothing of the kind was asked for, or AcountPay refused it. */
	get earlier(): Entry | undefined {
		const { entries, identity } = this;
		const found = [
			...entries.filter(({ request }) => request === identity.request),
			...entries.filter(({ origin }) => origin === identity.origin),
			...entries.filter((entry) => hasSameLabel(entry, identity)),
			...entries.filter((entry) => isFromSameItem(entry, identity)),
		];
		return found.find(isCreated) ?? found.at(0);
	}

	/** The entry of an earlier iteration that keeps this creation from being sent, although its own item has none. */
	get obstacle(): Entry | undefined {
		return this.store.obstacleTo(this.identity);
	}

	/** Whether the request has changed since {@link earlier}: another amount, currency or merchant. */
	get hasChanged(): boolean {
		const { earlier, identity } = this;
		if (!earlier || earlier.request === identity.request) return false;
		if (differs(earlier.merchantId, identity.merchantId)) return true;
		return earlier.origin === identity.origin
			? differs(earlier.terms, identity.terms)
			: earlier.terms !== identity.terms;
	}

	/**
	 * Does work while nobody else does any for this item, in this execution.
	 * @throws Cancelled when the execution is cancelled before its turn; what `work` throws
	 */
	async exclusively<Result>(
		cancelSignal: AbortSignal | undefined,
		work: () => Promise<Result>,
	): Promise<Result> {
		return await inTurn(underWay, this.entries, cancelSignal, work);
	}

	/**
	 * Does work that may create something, unless another retry of the same execution has created anything.
	 * @throws the error that `refusal` returns for that retry's execution ID; what `work` throws
	 */
	async unlessRetriedElsewhere<Result>(
		work: () => Promise<Result>,
		refusal: (executionId: string) => Error,
	): Promise<Result> {
		const { store } = this;
		const otherRetry = store.findOtherRetry();
		if (otherRetry !== undefined) throw refusal(otherRetry);
		store.countCreation(1);
		try {
			return await work();
		} finally {
			store.countCreation(-1);
		}
	}

	/**
	 * To be called before the request leaves.
	 * @param trace what the request can be looked up by
	 */
	sending(trace?: Trace): void {
		this.before = this.earlier;
		const entry: Entry = { ...this.identity, state: 'sent', ...(trace && { trace }) };
		inFlight.add(entry);
		this.replaceEarlier(entry);
	}

	/** AcountPay has created what {@link earlier} asked for. It stays that of the retry, and the terms, that asked for it. */
	created(response: IDataObject): void {
		const asked = this.earlier ?? this.identity;
		this.replaceEarlier({ ...asked, state: 'made', answer: response, trace: undefined });
	}

	/**
	 * AcountPay may or may not have created it.
	 * @param trace what the request can be looked up by
	 */
	unknown(what: string, trace?: Trace): void {
		this.replaceEarlier({ ...this.identity, state: 'unknown', what, ...(trace && { trace }) });
	}

	/** The request that was on its way has created nothing: the entry from before it is restored. */
	notCreated(): void {
		this.replaceEarlier(this.before);
	}

	private replaceEarlier(entry?: Entry): void {
		const { earlier, entries, store } = this;
		if (earlier) {
			store.removed(earlier);
			entries.splice(entries.indexOf(earlier), 1);
		}
		if (!entry) return;
		store.added(entry);
		entries.push(entry);
	}
}
