import { randomUUID } from 'node:crypto';
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import type { BuiltRequest } from '../../shared/transport/client';
import {
	type CreatedEntry,
	type Entry,
	IdempotencyRecord,
	hasSameLabel,
	inFlight,
	isCreated,
	type Obstacle,
	type RecordStore,
} from './idempotencyRecord';
import { identifierFor, type Identity, type Label } from './identityHashes';
import { isKnownTo, lastKnownTo, markKnownTo, retriedFrom, retriedItems } from './retriedItems';
import { isToolCall } from '../../shared/runMode';

/** What is remembered about one iteration of a loop. The names are in stored executions: they are never renamed. */
interface Iteration {
	/** By item. More than one when the user changed parameters and retried the execution. */
	items: Record<string, Entry[]>;
	/** How often the node has succeeded and is run again anyway, in which execution. */
	reruns?: { executionId: string; count: number };
	/** The execution in which the cancellation was logged: once per execution is enough. */
	toldIn?: string;
	/** Tells it from the iterations of other executions, in all retries. */
	id?: string;
}

/** What n8n's node context holds. */
interface StoredContext {
	/** By {@link iterationKeyOf}. Merchants and stores are here too: 0.1.0, which created payments only, gave it its name. */
	payments?: Record<string, Iteration>;
}

/** An item that something was asked for, and what the user calls it. */
export interface NamedItem {
	itemIndex: number;
	name: string;
}

/** What a run has sent so far, in the order of its items. */
export interface Summary {
	/** `id`: AcountPay's, where its response has one. */
	created: Array<NamedItem & { id?: string }>;
	/** Was there before, and took the place of a new one. */
	existing: Summary['created'];
	/** AcountPay may or may not have acted on it. */
	unknown: NamedItem[];
}

/** The calls of tools that are on their way, by their arguments. */
const toolCalls = new WeakMap<object, string>();

/** What an execution has created, by AcountPay's id. */
type CreatedById = Map<string | undefined, Set<CreatedEntry>>;

/** By n8n's node context: parallel calls of a tool share it, and what they create. */
const indexes = new WeakMap<StoredContext, CreatedById>();

/**
 * What stays the same when n8n tries the node again, and differs between two iterations of a loop or two calls of a tool. n8n
 * gives every try of a tool call a run index of its own, and may give two calls the same; but every try of one call
 * gets the same arguments object, and no other call does.
 */
function iterationKeyOf(execution: IExecuteFunctions): string {
	if (!isToolCall(execution)) return String(execution.getWorkflowDataProxy(0).$runIndex);
	const [{ json: toolArguments }] = execution.getInputData();
	const key = toolCalls.get(toolArguments) ?? `call:${randomUUID()}`;
	toolCalls.set(toolArguments, key);
	return key;
}

/**
 * Remembers within one execution what was created, in n8n's node context. That context lives through the tries of 'Retry On
 * Fail' and through a retry of the execution by hand, so neither creates anything again. It is keyed by the node's name
 * alone and lives through all iterations of a loop, so entries are bound to the iteration ({@link iterationKeyOf}) and the item.
 *
 * Within an item, a creation is recognised by what is sent; by where it comes from, since the same parameters and the same
 * item give another request when an expression holds the time; and by its {@link Label}, whatever else the user has edited.
 * An unknown outcome stays unknown for the whole execution, and keeps an item with the same label from being sent in another
 * iteration.
 */
export class IdempotencyStore implements RecordStore {
	private readonly context: StoredContext;
	private readonly iterationKey: string;
	private readonly iteration: Iteration;
	private readonly identityOf: ReturnType<typeof identifierFor>;
	private readonly executionId: string;
	/** The iteration that is retried by hand, for all retries of it; undefined when this is no retry. */
	private readonly retriedIteration?: string;
	private readonly createdById: CreatedById;

	/** @param idOf reads the id in the response to a create */
	constructor(
		private readonly execution: IExecuteFunctions,
		private readonly idOf: (response: IDataObject) => string | undefined = () => undefined,
	) {
		this.context = execution.getContext('node') as StoredContext;
		this.iterationKey = iterationKeyOf(execution);
		this.executionId = execution.getExecutionId();
		this.context.payments ??= {};
		this.iteration = this.context.payments[this.iterationKey] ??= { items: {} };
		const startedAt = retriedFrom(execution);
		// If the first execution never reached this iteration, its start time is all that its retries share.
		this.iteration.id ??= startedAt === undefined ? randomUUID() : String(startedAt);
		if (startedAt !== undefined) {
			const { id: workflowId } = execution.getWorkflow();
			const { name } = execution.getNode();
			const { iterationKey, iteration } = this;
			this.retriedIteration = [workflowId, name, iterationKey, iteration.id].join(' ');
		}
		this.identityOf = identifierFor(execution.getNode().parameters);
		this.createdById = this.indexOfContext();
	}

	/** The record of one creation. */
	record(
		itemIndex: number,
		item: INodeExecutionData,
		request: BuiltRequest,
		label: Label,
	): IdempotencyRecord {
		let entries = (this.iteration.items[itemIndex] ??= []);
		if (this.retriedIteration !== undefined) {
			entries = retriedItems.entriesOf(this.retriedIteration, itemIndex, entries, this.executionId);
			this.iteration.items[itemIndex] = entries;
			for (const entry of entries) this.addTo(this.createdById, entry);
		}
		return new IdempotencyRecord(entries, this.identityOf(item, request, label), this);
	}

	isOwn(entry: Entry): boolean {
		return this.retriedIteration === undefined || isKnownTo(entry, this.executionId);
	}

	added(entry: Entry): void {
		if (this.retriedIteration !== undefined) markKnownTo(entry, this.executionId);
		this.addTo(this.createdById, entry);
	}

	removed(entry: Entry): void {
		if (isCreated(entry)) this.createdById.get(this.idOf(entry.answer))?.delete(entry);
	}

	createdWithId(id: string): CreatedEntry[] {
		const ofOthers = this.entriesOfOtherRetries().filter(isCreated);
		return [
			...(this.createdById.get(id) ?? []),
			...ofOthers.filter(({ answer }) => this.idOf(answer) === id),
		];
	}

	private entriesOfOtherRetries(): Entry[] {
		if (this.retriedIteration === undefined) return [];
		return retriedItems.entriesOfOthers(this.retriedIteration, this.executionId);
	}

	private indexOfContext(): CreatedById {
		const known = indexes.get(this.context);
		if (known) return known;
		const index: CreatedById = new Map();
		indexes.set(this.context, index);
		for (const entry of this.allEntries()) this.addTo(index, entry);
		return index;
	}

	private addTo(index: CreatedById, entry: Entry): void {
		if (!isCreated(entry)) return;
		const id = this.idOf(entry.answer);
		index.set(id, (index.get(id) ?? new Set()).add(entry));
	}

	/**
	 * What keeps a creation from being sent: an earlier iteration asked for the same label, and the outcome is unknown, or it
	 * was created and has not been output yet, since its item failed. This may be that item, or another one. Also an obstacle:
	 * what another retry of the same execution has recorded, if the items have changed.
	 */
	obstacleTo(identity: Identity, entries: readonly Entry[]): Obstacle | undefined {
		const fits = (entry: Entry) => hasSameLabel(entry, identity);
		for (const [key, { items }] of Object.entries(this.context.payments ?? {})) {
			if (key === this.iterationKey) continue;
			const entry = Object.values(items)
				.flat()
				.filter(fits)
				.find((other) => !inFlight.has(other) && (!isCreated(other) || other.failed));
			if (entry) return { entry };
		}
		if (this.retriedIteration === undefined) return undefined;
		const entry =
			entries.find((other) => other.origin === identity.origin && !this.isOwn(other)) ??
			this.entriesOfOtherRetries().find(fits);
		return entry && { entry, executionId: lastKnownTo(entry) };
	}

	allEntries(): Entry[] {
		return Object.values(this.context.payments ?? {})
			.flatMap(({ items }) => Object.values(items))
			.flat();
	}

	/** Records whether an item has failed: then what was created for it has not been output yet. */
	setFailed(itemIndex: number, isFailed: boolean): void {
		for (const entry of this.iteration.items[itemIndex] ?? []) {
			if (isFailed && isCreated(entry)) entry.failed = true;
			else delete entry.failed;
		}
	}

	/** What this iteration has created, and whose outcome is unknown, earlier attempts included. */
	summary(): Summary {
		const summary: Summary = { created: [], existing: [], unknown: [] };
		for (const [item, entries] of Object.entries(this.iteration.items)) {
			for (const entry of entries) {
				const named = { itemIndex: Number(item), name: entry.referenceNumber };
				if (!isCreated(entry)) {
					summary.unknown.push(named);
					continue;
				}
				const list = entry.answer.existing === true ? summary.existing : summary.created;
				list.push({ ...named, id: this.idOf(entry.answer) });
			}
		}
		return summary;
	}

	/**
	 * To be called when the node has succeeded. Drops what this iteration has returned unless n8n runs the node again, so that
	 * stored executions do not hold responses twice.
	 * @param looksFailed whether the output is one for which 'Retry On Fail' runs the node again
	 */
	close(looksFailed: boolean): void {
		if (looksFailed && this.runsAgain()) return;
		const payments = this.context.payments ?? {};
		const items: Iteration['items'] = {};
		for (const [item, entries] of Object.entries(this.iteration.items)) {
			const kept = entries.filter((entry) => !isCreated(entry) || entry.failed);
			if (kept.length > 0) items[item] = kept;
		}
		if (Object.keys(items).length > 0) payments[this.iterationKey] = { items };
		else delete payments[this.iterationKey];
		if (Object.keys(payments).length === 0) delete this.context.payments;
	}

	/**
	 * True once per execution, so that a cancelled node that 'Retry On Fail' runs again logs its summary only once.
	 */
	isFirstCancellation(): boolean {
		const isFirst = this.iteration.toldIn !== this.executionId;
		this.iteration.toldIn = this.executionId;
		return isFirst;
	}

	private runsAgain(): boolean {
		const { retryOnFail, maxTries } = this.execution.getNode();
		if (!retryOnFail) return false;
		const { executionId } = this;
		const { reruns } = this.iteration;
		const earlier = reruns?.executionId === executionId ? reruns.count : 0;
		this.iteration.reruns = { executionId, count: earlier + 1 };
		// As n8n reads its setting 'Max. Tries'. With a fraction there, n8n never stops retrying.
		const tries = Math.min(5, Math.max(2, maxTries || 3));
		return earlier + 1 < tries || !Number.isInteger(tries);
	}
}
