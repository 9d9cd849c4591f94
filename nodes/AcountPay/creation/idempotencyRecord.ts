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
	| { state: 'unknown'; what: string; trace?: Trace };

/**
 * What the store holds of one creation. `trace` is missing where nothing can be looked up, and in entries of 0.1.0; `key`,
 * `terms`, `merchantId` and `labelOrigin` are missing in older entries.
 */
export type Entry = Identity &
	KnownState & {
		/** It was created, but its item has failed. */
		failed?: true;
	};

/** An entry of something that was created. `made` and `answer` are in stored executions. */
export type CreatedEntry = Extract<Entry, { state: 'made' }>;

/** Whether an entry is of something that was created. */
export const isCreated = (entry: Entry): entry is CreatedEntry => entry.state === 'made';

/** The entries whose request has not been responded to yet, in this process. */
export const inFlight = new WeakSet<Entry>();

/** The work that is under way for each list of entries: a double click on Retry shares a list. */
const underWay = new Map<Entry[], Promise<unknown>>();

/** Whether an entry has the same label as this creation. Older entries have the reference alone. */
export const hasSameLabel = (entry: Entry, { key, referenceNumber }: Identity): boolean =>
	entry.key === undefined ? entry.referenceNumber === referenceNumber : entry.key === key;

const differs = (one?: string, other?: string) =>
	one !== undefined && other !== undefined && one !== other;

/** Something that may be this creation, and that it can't be told from. */
export interface Obstacle {
	entry: Entry;
	/** The other retry of the same execution that has recorded it; undefined: an earlier iteration of this execution. */
	executionId?: string;
}

/** What a record asks of its store. */
export interface RecordStore {
	/** The entries of all iterations. */
	allEntries(): Entry[];
	/** Whether this execution has recorded it, or the one that it is a retry of. */
	isOwn(entry: Entry): boolean;
	/** The entries with an id of AcountPay's, of all iterations and of other retries of this execution. */
	createdWithId(id: string): CreatedEntry[];
	/** This execution has recorded an entry. */
	added(entry: Entry): void;
	/** This execution has dropped an entry. */
	removed(entry: Entry): void;
	/** @param entries of the item */
	obstacleTo(identity: Identity, entries: readonly Entry[]): Obstacle | undefined;
}

/** What the store holds of one creation. */
export class IdempotencyRecord {
	/** What was known before the request that is on its way. */
	private before?: Entry;

	/** @param entries of the item */
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
			...entries.filter((entry) => this.isFromSameItem(entry)),
			...entries.filter((entry) => hasSameLabel(entry, identity)),
			...entries.filter((entry) => this.hasSameLabelOrigin(entry)),
		];
		return found.find(isCreated) ?? found.at(0);
	}

	/** Whether an entry is of the same item. Where it comes from tells nothing in another retry: its items may differ. */
	private isFromSameItem(entry: Entry): boolean {
		return entry.origin === this.identity.origin && this.store.isOwn(entry);
	}

	private hasSameLabelOrigin(entry: Entry): boolean {
		const { labelOrigin } = this.identity;
		return (
			labelOrigin !== undefined && entry.labelOrigin === labelOrigin && this.store.isOwn(entry)
		);
	}

	/** What keeps this creation from being sent although nothing is known about it. */
	get obstacle(): Obstacle | undefined {
		return this.store.obstacleTo(this.identity, this.entries);
	}

	/** Whether the request has changed since {@link earlier}: another amount, currency or merchant. */
	get hasChanged(): boolean {
		const { earlier, identity } = this;
		if (!earlier || earlier.request === identity.request) return false;
		if (differs(earlier.merchantId, identity.merchantId)) return true;
		return this.isFromSameItem(earlier)
			? differs(earlier.terms, identity.terms)
			: earlier.terms !== identity.terms;
	}

	/**
	 * Does work while nobody else does any for this creation, in this process.
	 * @throws Cancelled when the execution is cancelled before its turn; what `work` throws
	 */
	async exclusively<Result>(
		cancelSignal: AbortSignal | undefined,
		work: () => Promise<Result>,
	): Promise<Result> {
		return await inTurn(underWay, this.entries, cancelSignal, work);
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

	/**
	 * AcountPay may or may not have created it.
	 * @param trace what the request can be looked up by
	 */
	unknown(what: string, trace?: Trace): void {
		this.put({ state: 'unknown', what, ...(trace && { trace }) });
	}

	/** The request that was on its way has created nothing: the entry from before it holds again. */
	notCreated(): void {
		this.remove();
		if (this.before) this.add(this.before);
	}

	private put(state: KnownState): void {
		this.remove();
		const entry = { ...this.identity, ...state };
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
