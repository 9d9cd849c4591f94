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
		/** The retry by hand that has recorded it. */
		retry?: string;
	};

/** An entry of something that was created. `made` and `answer` are in stored executions. */
export type CreatedEntry = Extract<Entry, { state: 'made' }>;

/** Whether an entry is of something that was created. */
export const isCreated = (entry: Entry): entry is CreatedEntry => entry.state === 'made';

/** The entries whose request has not been responded to yet, in this process. */
export const inFlight = new WeakSet<Entry>();

/** The work that is under way, by {@link RecordStore.turnOf}: after a double click on Retry, two executions have the same items. */
const underWay = new Map<unknown, Promise<unknown>>();

/** Whether an entry has the same label as this creation. Older entries have the reference alone. */
export const hasSameLabel = (entry: Entry, { key, referenceNumber }: Identity): boolean =>
	entry.key === undefined ? entry.referenceNumber === referenceNumber : entry.key === key;

/** Whether an entry comes from the same item and the same parameters, or the same text in those that the label is written in. */
export const isFromSameItem = (entry: Entry, { origin, labelOrigin }: Identity): boolean =>
	entry.origin === origin || (labelOrigin !== undefined && entry.labelOrigin === labelOrigin);

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
	/** What every entry that this execution records has besides. */
	readonly mark: Pick<Entry, 'retry'>;
	/** What other retries of the same execution have recorded for an item. */
	entriesOfOtherRetries(itemIndex: number): Entry[];
	/** Whoever works on this item has this in common, and nobody else in this process. */
	turnOf(itemIndex: number): unknown;
	/** The entries with an id of AcountPay's, of all iterations and of other retries of this execution. */
	createdWithId(id: string): CreatedEntry[];
	/** This execution has recorded an entry. */
	added(itemIndex: number, entry: Entry): void;
	/** This execution has dropped an entry. */
	removed(itemIndex: number, entry: Entry): void;
	obstacleTo(identity: Identity): Obstacle | undefined;
}

/** What the store holds of one creation. */
export class IdempotencyRecord {
	/** What was known before the request that is on its way. */
	private before?: Entry;

	/** @param entries of the item that this execution has recorded, or the one that it is a retry of */
	constructor(
		private readonly itemIndex: number,
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
		const { own } = this;
		if (own && isCreated(own)) return own;
		const ofOthers = this.store
			.entriesOfOtherRetries(this.itemIndex)
			.filter((entry) => this.isSure(entry));
		return ofOthers.find(isCreated) ?? own ?? ofOthers.at(0);
	}

	/** The entry that this execution has recorded, or one that it is a retry of. */
	private get own(): Entry | undefined {
		const { entries, identity } = this;
		const found = [
			...entries.filter(({ request }) => request === identity.request),
			...entries.filter(({ origin }) => origin === identity.origin),
			...entries.filter((entry) => hasSameLabel(entry, identity)),
			...entries.filter((entry) => isFromSameItem(entry, identity)),
		];
		return found.find(isCreated) ?? found.at(0);
	}

	/** In another retry, the items may be others: a label alone may be that of somebody else's payment. */
	private isSure(entry: Entry): boolean {
		const { identity } = this;
		const isSameItem = hasSameLabel(entry, identity) && isFromSameItem(entry, identity);
		return isSameItem || entry.request === identity.request;
	}

	/** What keeps this creation from being sent although nothing is known about it. */
	get obstacle(): Obstacle | undefined {
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
	 * Does work while nobody else does any for this creation, in this process.
	 * @throws Cancelled when the execution is cancelled before its turn; what `work` throws
	 */
	async exclusively<Result>(
		cancelSignal: AbortSignal | undefined,
		work: () => Promise<Result>,
	): Promise<Result> {
		return await inTurn(underWay, this.store.turnOf(this.itemIndex), cancelSignal, async () => {
			this.adopt();
			return await work();
		});
	}

	/** From now on this execution knows, too, what another retry has recorded for this item. */
	private adopt(): void {
		const { earlier, own } = this;
		if (!earlier || earlier === own) return;
		this.remove();
		this.add({ ...earlier, ...this.store.mark });
	}

	/**
	 * To be called before the request leaves.
	 * @param trace what the request can be looked up by
	 */
	sending(trace?: Trace): void {
		this.before = this.own;
		this.put({ state: 'sent', ...(trace && { trace }) });
	}

	/** AcountPay has created it. */
	created(response: IDataObject): void {
		this.put({ state: 'made', answer: response });
	}

	/** AcountPay has created what {@link earlier} asked for, which is something else than this creation asks for now. */
	earlierCreated(response: IDataObject): void {
		const { own } = this;
		this.remove();
		this.add({ ...own!, state: 'made', answer: response, trace: undefined });
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
		const entry = { ...this.identity, ...state, ...this.store.mark };
		if (state.state === 'sent') inFlight.add(entry);
		this.add(entry);
	}

	private add(entry: Entry): void {
		this.store.added(this.itemIndex, entry);
		this.entries.push(entry);
	}

	private remove(): void {
		const { own } = this;
		if (!own) return;
		this.store.removed(this.itemIndex, own);
		this.entries.splice(this.entries.indexOf(own), 1);
	}
}
