import { randomUUID } from 'node:crypto';
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import type { BuiltRequest } from '../../shared/transport/buildRequest';
import {
	type CreatedEntry,
	type Entry,
	IdempotencyRecord,
	hasSameLabel,
	inFlight,
	isCreated,
} from './idempotencyRecord';
import { identifierFor, type Identity, type Label } from './identityHashes';
import { type RetriedExecution, retriedExecution, retriedExecutionBegan } from './retries';
import { isToolCall } from '../../shared/runMode';

/** What is remembered about one iteration of a loop. The names are in stored executions: they are never renamed. */
interface Iteration {
	/** By item. More than one when the user changed parameters and retried the execution. */
	items: Record<string, Entry[]>;
	/** {@link StoredContext.id}, as earlier code stored it. */
	id?: string;
}

/** What n8n's node context holds. */
interface StoredContext {
	/** By {@link iterationKeyOf}. Merchants and stores are here too: 0.1.0, which created payments only, gave it its name. */
	payments?: Record<string, Iteration>;
	/** Tells the execution from others that began in the same millisecond, in all retries of it. */
	id?: string;
	/** The retries by hand that have led to this execution, the newest last. */
	retries?: string[];
	/** Another retry of the same execution, which has created something: so this one creates nothing. */
	otherRetry?: string;
}

/**
 * How an item has ended: `created`; `existing` before, and returned in place of a new one; `unknown` whether AcountPay has acted
 * on it; `refused` by AcountPay or for a wrong field, so that nothing was created; `notStarted` before the run ended.
 */
export type End = 'created' | 'existing' | 'unknown' | 'refused' | 'notStarted';

/** An item that has ended. */
export interface EndedItem {
	itemIndex: number;
	end: End;
	/** What the user calls it; missing where its fields were not read. */
	name?: string;
	/** AcountPay's, where its response has one. */
	id?: string;
}

/** The calls of tools that are on their way, by their arguments. */
const toolCalls = new WeakMap<object, string>();

/** The iterations whose cancellation n8n's log was told of: once is enough. */
const cancelled = new WeakSet<Iteration>();

/** What this process knows of an execution, also when nothing of it is stored any more. */
interface KnownExecution {
	/** See {@link StoredContext.id}. */
	id: string;
	/** What it has created, by AcountPay's id. */
	createdById: Map<string | undefined, Set<CreatedEntry>>;
	/** What it is a retry of. */
	retried?: RetriedExecution;
}

/** By n8n's node context: the iterations of a loop share it, and so do parallel calls of a tool. */
const knownExecutions = new WeakMap<StoredContext, KnownExecution>();

/** Whether an entry is of something that was not there before. */
const isNew = (entry: Entry) => !isCreated(entry) || entry.answer.existing !== true;

/** Whether an entry's item has not been output: the outcome is unknown, or the item has failed. */
const isLeft = (entry: Entry) => !isCreated(entry) || entry.failed === true;

const entriesIn = (iterations: Iteration[]): Entry[] =>
	iterations.flatMap(({ items }) => Object.values(items).flat());

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
export class IdempotencyStore {
	private readonly context: StoredContext;
	private readonly iterationKey: string;
	private readonly iteration: Iteration;
	private readonly identityOf: ReturnType<typeof identifierFor>;
	private readonly known: KnownExecution;
	/** The execution ID of a retry by hand: what it records has that. */
	private readonly retry?: string;

	/** @param idOf reads the id in the response to a create */
	constructor(
		private readonly execution: IExecuteFunctions,
		readonly idOf: (response: IDataObject) => string | undefined = () => undefined,
	) {
		this.context = execution.getContext('node') as StoredContext;
		this.iterationKey = iterationKeyOf(execution);
		this.context.payments ??= {};
		this.iteration = this.context.payments[this.iterationKey] ??= { items: {} };
		this.identityOf = identifierFor(execution.getNode().parameters);
		if (execution.getMode() === 'retry') this.retry = execution.getExecutionId();
		this.known = knownExecutions.get(this.context) ?? this.recall();
		this.context.id = this.known.id;
		// Stored from the start: this execution may end before it creates anything, and its retry must know.
		this.findOtherRetry();
	}

	/** What is stored of an execution that this process does not know yet. */
	private recall(): KnownExecution {
		const { context, execution, retry } = this;
		const began = retry === undefined ? undefined : retriedExecutionBegan(execution)?.toString();
		const stored = Object.values(context.payments ?? {}).find((iteration) => iteration.id);
		const id = context.id ?? stored?.id ?? began ?? randomUUID();
		const known: KnownExecution = { id, createdById: new Map() };
		knownExecutions.set(context, known);
		const entries = this.allEntries();
		for (const entry of entries) this.addTo(known, entry);
		if (retry === undefined) return known;
		context.retries = [...(context.retries ?? []), retry];
		const node = [execution.getWorkflow().id, execution.getNode().name];
		const retried = (known.retried = retriedExecution([...node, id].join(' ')));
		// Recorded in another process, by a retry that this one is a retry of.
		for (const { retry: earlier } of entries.filter(isNew)) {
			if (earlier !== undefined && !retried.has(earlier)) retried.count(earlier, 1);
		}
		return known;
	}

	/** The record of one creation. */
	record(
		itemIndex: number,
		item: INodeExecutionData,
		request: BuiltRequest,
		label: Label,
	): IdempotencyRecord {
		const entries = (this.iteration.items[itemIndex] ??= []);
		const { retry } = this;
		const identity = {
			...this.identityOf(item, request, label),
			...(retry !== undefined && { retry }),
		};
		return new IdempotencyRecord(entries, identity, this);
	}

	/** Finds, and stores, another retry of the same execution that has created something, or may be about to. */
	findOtherRetry(): string | undefined {
		const { context, known } = this;
		const otherRetry = context.otherRetry ?? known.retried?.otherThan(context.retries ?? []);
		if (otherRetry !== undefined) context.otherRetry = otherRetry;
		return otherRetry;
	}

	/** This retry begins a creation or records one (1), or has ended or dropped it (-1). */
	countCreation(change: 1 | -1): void {
		if (this.retry !== undefined) this.known.retried?.count(this.retry, change);
	}

	/** An entry was recorded. */
	added(entry: Entry): void {
		if (entry.retry === this.retry && isNew(entry)) this.countCreation(1);
		this.addTo(this.known, entry);
	}

	/** An entry was dropped. */
	removed(entry: Entry): void {
		if (entry.retry === this.retry && isNew(entry)) this.countCreation(-1);
		if (isCreated(entry)) this.known.createdById.get(this.idOf(entry.answer))?.delete(entry);
	}

	/** The entries with an id of AcountPay's, of all iterations. */
	createdWithId(id: string): CreatedEntry[] {
		return [...(this.known.createdById.get(id) ?? [])];
	}

	private addTo({ createdById }: KnownExecution, entry: Entry): void {
		if (!isCreated(entry)) return;
		const id = this.idOf(entry.answer);
		createdById.set(id, (createdById.get(id) ?? new Set()).add(entry));
	}

	/**
	 * What keeps a creation from being sent: an earlier iteration asked for the same label, and the outcome is unknown, or it
	 * was created and has not been output yet, since its item failed. This may be that item, or another one.
	 */
	obstacleTo(identity: Identity): Entry | undefined {
		const { payments = {} } = this.context;
		const others = Object.values(payments).filter((other) => other !== this.iteration);
		return entriesIn(others).find(
			(entry) => hasSameLabel(entry, identity) && isLeft(entry) && !inFlight.has(entry),
		);
	}

	/** The entries of all iterations. */
	allEntries(): Entry[] {
		return entriesIn(Object.values(this.context.payments ?? {}));
	}

	/** Records whether an item has failed: then what was created for it has not been output yet. */
	setFailed(itemIndex: number, isFailed: boolean): void {
		for (const entry of this.iteration.items[itemIndex] ?? []) {
			if (isFailed && isCreated(entry)) entry.failed = true;
			else delete entry.failed;
		}
	}

	/** What this iteration has created or found, and what has an unknown outcome, earlier attempts included. */
	endedItems(): EndedItem[] {
		return Object.entries(this.iteration.items).flatMap(([item, entries]) =>
			entries.map((entry): EndedItem => {
				const named = { itemIndex: Number(item), name: entry.referenceNumber };
				if (!isCreated(entry)) return { ...named, end: 'unknown' };
				const end = isNew(entry) ? 'created' : 'existing';
				return { ...named, id: this.idOf(entry.answer), end };
			}),
		);
	}

	/**
	 * To be called when the node has succeeded. Drops what this iteration has returned unless n8n may run the node again, so that
	 * stored executions do not hold responses twice.
	 * @param looksFailed whether the output is one for which 'Retry On Fail' runs the node again
	 */
	close(looksFailed: boolean): void {
		if (looksFailed && this.execution.getNode().retryOnFail) return;
		const { context, iterationKey } = this;
		const { payments = {} } = context;
		const left = Object.entries(this.iteration.items)
			.map(([item, entries]) => [item, entries.filter(isLeft)] as const)
			.filter(([, entries]) => entries.length > 0);
		if (left.length > 0) payments[iterationKey] = { items: Object.fromEntries(left) };
		else delete payments[iterationKey];
		if (Object.keys(payments).length > 0) return;
		delete context.payments;
		// A retry of this retry must know whose it is.
		if (this.retry === undefined) delete context.id;
	}

	/**
	 * True once per execution, so that a cancelled node that 'Retry On Fail' runs again logs its summary only once.
	 */
	isFirstCancellation(): boolean {
		const isFirst = !cancelled.has(this.iteration);
		cancelled.add(this.iteration);
		return isFirst;
	}
}
