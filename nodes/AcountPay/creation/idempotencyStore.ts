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
	type RecordStore,
} from './idempotencyRecord';
import { identifierFor, type Identity, type Label } from './identityHashes';
import { retriedExecutionBegan, retries } from './retries';
import { isToolCall } from '../../shared/runMode';

/** What is remembered about one iteration of a loop. The names are in stored executions: they are never renamed. */
interface Iteration {
	/** By item. More than one when the user changed parameters and retried the execution. */
	items: Record<string, Entry[]>;
	/** How often the node has succeeded and is run again anyway, in which execution. */
	reruns?: { executionId: string; count: number };
	/** The execution in which n8n's log was told of the cancellation: once per execution is enough. */
	toldIn?: string;
	/** Tells the execution from others that began in the same millisecond, in all retries of it. */
	id?: string;
}

/** What n8n's node context holds. */
interface StoredContext {
	/** By {@link iterationKeyOf}. Merchants and stores are here too: 0.1.0, which created payments only, gave it its name. */
	payments?: Record<string, Iteration>;
	/** {@link Iteration.id}, in a retry whose iterations have all ended well. */
	id?: string;
	/** The retries by hand that have led to this execution, the newest last. */
	retries?: string[];
	/** Another retry of the same execution, which has created something: so this one creates nothing. */
	otherRetry?: string;
}

/** An item that something was asked for, and what the user calls it. */
export interface NamedItem {
	itemIndex: number;
	name: string;
}

/** How far a run has come, in the order of its items. */
export interface Summary {
	/** `id`: AcountPay's, where its response has one. */
	created: Array<NamedItem & { id?: string }>;
	/** Existed already, and was returned in place of a new one. */
	existing: Summary['created'];
	/** AcountPay may or may not have acted on it. */
	unknown: NamedItem[];
}

/** The calls of tools that are on their way, by their arguments. */
const toolCalls = new WeakMap<object, string>();

/** What an execution has created, by AcountPay's id. */
type CreatedById = Map<string | undefined, Set<CreatedEntry>>;

/** What this process knows of an execution, also when nothing of it is stored any more. */
interface KnownExecution {
	createdById: CreatedById;
	id?: string;
	/** See {@link StoredContext.retries}. */
	retries?: string[];
}

/** By n8n's node context: the iterations of a loop share it, and so do parallel calls of a tool. */
const knownExecutions = new WeakMap<StoredContext, KnownExecution>();

/** Whether an entry is of something that was not there before. */
const isNew = (entry: Entry) => !isCreated(entry) || entry.answer.existing !== true;

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
	/** The same for all retries by hand of one execution; undefined when this is no retry. */
	private readonly retried?: string;
	readonly mark: Pick<Entry, 'retry'> = {};
	private readonly known: KnownExecution;

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
		this.known = knownExecutions.get(this.context) ?? { createdById: this.indexOfContext() };
		knownExecutions.set(this.context, this.known);
		const isRetry = execution.getMode?.() === 'retry';
		const began = isRetry ? retriedExecutionBegan(execution)?.toString() : undefined;
		const stored = Object.values(this.context.payments).find(({ id }) => id !== undefined);
		this.known.id ??= stored?.id ?? this.context.id ?? began ?? randomUUID();
		this.iteration.id = this.known.id;
		if (isRetry) {
			this.retried = [execution.getWorkflow().id, execution.getNode().name, this.known.id].join(
				' ',
			);
			this.mark = { retry: this.executionId };
			this.joinRetries(this.retried);
		}
		this.identityOf = identifierFor(execution.getNode().parameters);
	}

	private joinRetries(retried: string): void {
		const { context, known, executionId } = this;
		known.retries ??= [...(context.retries ?? []), executionId];
		context.retries = known.retries;
		// Recorded in another process, by a retry that this one is a retry of.
		for (const { retry } of this.allEntries().filter(isNew)) {
			if (retry !== undefined && !retries.has(retried, retry)) retries.count(retried, retry, 1);
		}
		// Stored from the start: this execution may end before it creates anything, and its retry must know.
		this.noteOtherRetry(retried);
	}

	private noteOtherRetry(retried: string): void {
		const other = this.context.otherRetry ?? retries.otherThan(this.known.retries ?? [], retried);
		if (other !== undefined) this.context.otherRetry = other;
	}

	/** The record of one creation. */
	record(
		itemIndex: number,
		item: INodeExecutionData,
		request: BuiltRequest,
		label: Label,
	): IdempotencyRecord {
		const entries = (this.iteration.items[itemIndex] ??= []);
		const identity = this.identityOf(item, request, label);
		return new IdempotencyRecord(entries, identity, this);
	}

	get otherRetry(): string | undefined {
		if (this.retried !== undefined) this.noteOtherRetry(this.retried);
		return this.context.otherRetry;
	}

	countCreation(change: 1 | -1): void {
		if (this.retried !== undefined) retries.count(this.retried, this.executionId, change);
	}

	added(entry: Entry): void {
		if (entry.retry === this.executionId && isNew(entry)) this.countCreation(1);
		this.addTo(this.known.createdById, entry);
	}

	removed(entry: Entry): void {
		if (entry.retry === this.executionId && isNew(entry)) this.countCreation(-1);
		if (isCreated(entry)) this.known.createdById.get(this.idOf(entry.answer))?.delete(entry);
	}

	createdWithId(id: string): CreatedEntry[] {
		return [...(this.known.createdById.get(id) ?? [])];
	}

	private indexOfContext(): CreatedById {
		const index: CreatedById = new Map();
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
	 * was created and has not been output yet, since its item failed. This may be that item, or another one.
	 */
	obstacleTo(identity: Identity): Entry | undefined {
		for (const [key, { items }] of Object.entries(this.context.payments ?? {})) {
			if (key === this.iterationKey) continue;
			const entry = Object.values(items)
				.flat()
				.filter((other) => hasSameLabel(other, identity))
				.find((other) => !inFlight.has(other) && (!isCreated(other) || other.failed));
			if (entry) return entry;
		}
		return undefined;
	}

	allEntries(): Entry[] {
		return Object.values(this.context.payments ?? {}).flatMap(({ items }) =>
			Object.values(items).flat(),
		);
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
		if (Object.keys(items).length > 0) {
			payments[this.iterationKey] = { items, id: this.iteration.id };
			return;
		}
		delete payments[this.iterationKey];
		if (Object.keys(payments).length > 0) return;
		delete this.context.payments;
		// A retry of this retry must know whose it is.
		if (this.retried !== undefined) this.context.id = this.known.id;
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
