import type { IDataObject } from 'n8n-workflow';
import { inTurn } from '../../shared/http/delays';
import type { Trace } from './createOnce';
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
const isFromSameItem = (entry: Entry, { origin, labelOrigin }: Identity): boolean =>
	entry.origin === origin || (labelOrigin !== undefined && entry.labelOrigin === labelOrigin);

const differs = (one?: string, other?: string) =>
	one !== undefined && other !== undefined && one !== other;

/** What a record asks of its store. */
export interface RecordStore {
	/** The entries of all iterations. */
	allEntries(): Entry[];
	/** What is added to every entry of this execution: the retry that has recorded it. */
	readonly mark: Pick<Entry, 'retry'>;
	/** The entries with an id of AcountPay's, of all iterations. */
	createdWithId(id: string): CreatedEntry[];
	/** This execution has recorded an entry. */
	added(entry: Entry): void;
	/** This execution has dropped an entry. */
	removed(entry: Entry): void;
	/** An entry of an earlier iteration that may be the same creation. */
	obstacleTo(identity: Identity): Entry | undefined;
	/** The execution ID of another retry of the same execution that has created something, or may be about to. */
	readonly otherRetry: string | undefined;
	/** A creation begins (1) or has ended (-1). */
	countCreation(change: 1 | -1): void;
}

/** One creation's part of the store: finds the entry of an earlier attempt, and writes down how this one goes. */
export class IdempotencyRecord {
	/** What was known before the request that is on its way. */
	private before?: Entry;

	/** @param entries of the item that this execution has recorded, or the one that it is a retry of */
	constructor(
		private readonly entries: Entry[],
		private readonly identity: Identity,
		private readonly store: RecordStore,
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

	/** Whether another creation asks for the same: its label is the same, and its amount does not differ. */
	isLike(other: Entry): boolean {
		return hasSameLabel(other, this.identity) && !differs(other.terms, this.identity.terms);
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
		if (store.otherRetry !== undefined) throw refusal(store.otherRetry);
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
		this.put({ state: 'sent', ...(trace && { trace }) });
	}

	/** AcountPay has created it. */
	created(response: IDataObject): void {
		this.put({ state: 'made', answer: response });
	}

	/** AcountPay has created what {@link earlier} asked for: this retry has only found it. */
	found(response: IDataObject): void {
		const { retry } = this.earlier ?? {};
		this.remove();
		this.add({ ...this.identity, state: 'made', answer: response, ...(retry && { retry }) });
	}

	/** AcountPay has created what {@link earlier} asked for, which is something else than this creation asks for now. */
	earlierCreated(response: IDataObject): void {
		const { earlier } = this;
		this.remove();
		this.add({ ...earlier!, state: 'made', answer: response, trace: undefined });
	}

	/**
	 * AcountPay may or may not have created it.
	 * @param trace what the request can be looked up by
	 */
	unknown(what: string, trace?: Trace): void {
		this.put({ state: 'unknown', what, ...(trace && { trace }) });
	}

	/** The request that was on its way has created nothing: the entry from before it is restored. */
	notCreated(): void {
		this.remove();
		if (this.before) this.add(this.before);
	}

	private put(state: KnownState): void {
		this.remove();
		const entry = { ...this.identity, ...state, ...this.store.mark };
		if (state.state === 'sent') inFlight.add(entry);
		this.add(entry);
	}

	private add(entry: Entry): void {
		this.store.added(entry);
		this.entries.push(entry);
	}

	private remove(): void {
		const { earlier } = this;
		if (!earlier) return;
		this.store.removed(earlier);
		this.entries.splice(this.entries.indexOf(earlier), 1);
	}
}
