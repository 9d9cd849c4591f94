import { createHash, randomUUID } from 'node:crypto';
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import type { PlacedRequest } from '../../shared/transport/client';
import type { Trace } from './lookUp';
import { isToolCall } from './runMode';

/**
 * What is known of one thing that was asked for. `sent` is written before the request leaves, so that an execution that
 * is cancelled or dies meanwhile is not taken for one that never asked.
 */
export type KnownState =
	| { state: 'sent'; trace?: Trace }
	| { state: 'made'; answer: IDataObject; trace?: undefined }
	| { state: 'unknown'; what: string; trace?: Trace };

/** What tells a creation from another one. */
interface Identity {
	/** Hash of what was sent where. */
	request: string;
	/** Hash of the node's parameters and the item that it came from. */
	origin: string;
	/** What a person calls it. */
	referenceNumber: string;
}

/** What the store holds of one creation. `trace` is missing where nothing can be looked up, and in entries of 0.1.0. */
export type Entry = Identity & KnownState;

/** What is remembered of one turn of a loop. The names are in stored executions: they are never renamed. */
interface Turn {
	/** By item. More than one when a person changed parameters and retried the execution. */
	items: Record<string, Entry[]>;
	/** How often the node has ended well and is run again all the same, in which execution. */
	reruns?: { executionId: string; count: number };
	/** The execution whose cancellation has been logged. */
	toldIn?: string;
}

/** Where the turns are in n8n's node context: by {@link turnKeyOf}. */
interface StoredContext {
	payments?: Record<string, Turn>;
}

/** What a run has made and left open so far, in the order of its items. */
export interface Summary {
	made: Array<{ itemIndex: number; referenceNumber: string; paymentId?: string }>;
	/** SendResult, and AcountPay may or may not have acted on it. */
	unknown: Array<{ itemIndex: number; referenceNumber: string }>;
}

const hashOf = (value: unknown) =>
	createHash('sha256').update(JSON.stringify(value)).digest('base64url');

/**
 * The parameters that did not exist in 0.1.0, with the default that n8n fills in when it loads a workflow. At its default
 * such a parameter changes nothing, so it must not change the hash either: 0.1.0's hashes are in stored executions.
 */
const NEWER_DEFAULTS: Readonly<Record<string, unknown>> = { authentication: 'oAuth2' };

const withoutNewerDefaults = (parameters: object) =>
	Object.fromEntries(
		Object.entries(parameters).filter(([name, value]) => NEWER_DEFAULTS[name] !== value),
	);

/** The calls of tools that are on their way, by their arguments. */
const toolCalls = new WeakMap<object, string>();

/**
 * What stays the same when n8n tries the node again, and differs between two turns of a loop or two calls of a tool. n8n
 * gives every try of a tool call a run index of its own, and may give two calls the same; but all tries of a call, and no
 * other call, have its arguments as the very same object.
 */
function turnKeyOf(execution: IExecuteFunctions): string {
	if (!isToolCall(execution)) return String(execution.getWorkflowDataProxy(0).$runIndex);
	const [{ json: toolArguments }] = execution.getInputData();
	const key = toolCalls.get(toolArguments) ?? `call:${randomUUID()}`;
	toolCalls.set(toolArguments, key);
	return key;
}

/**
 * Remembers within one execution what was made, in n8n's node context. That context lives through the tries of 'Retry On
 * Fail' and through a retry of the execution by hand, so neither makes anything again. It is keyed by the node's name
 * alone and lives through all turns of a loop, so entries are bound to the turn ({@link turnKeyOf}) and the item.
 *
 * A creation is known again by what is sent, or by where it comes from: the same parameters and the same item give
 * another request when an expression holds the time, and are the same creation. What a person changes is another one.
 */
export class IdempotencyStore {
	private readonly context: StoredContext;
	private readonly turnKey: string;
	private readonly turn: Turn;
	private readonly parameters: string;

	/** @param idOf reads the id in the response to a create */
	constructor(
		private readonly execution: IExecuteFunctions,
		private readonly idOf: (response: IDataObject) => string | undefined = () => undefined,
	) {
		this.context = execution.getContext('node') as StoredContext;
		this.turnKey = turnKeyOf(execution);
		this.context.payments ??= {};
		this.turn = this.context.payments[this.turnKey] ??= { items: {} };
		const { parameters } = execution.getNode();
		this.parameters = hashOf({ ...withoutNewerDefaults(parameters), options: undefined });
	}

	/** The record of one creation. */
	record(
		itemIndex: number,
		item: INodeExecutionData,
		{ baseUrl, method, path, headers, body }: PlacedRequest,
		referenceNumber: string,
	): IdempotencyRecord {
		const identity = {
			request: hashOf([baseUrl, method, path, headers, body]),
			origin: hashOf([baseUrl, this.parameters, item.json]),
			referenceNumber,
		};
		const entries = (this.turn.items[itemIndex] ??= []);
		return new IdempotencyRecord(entries, identity, () => this.allEntries());
	}

	/** The entries of all turns. */
	private allEntries(): Entry[] {
		return Object.values(this.context.payments ?? {})
			.flatMap(({ items }) => Object.values(items))
			.flat();
	}

	/** What this turn has made and left open, earlier attempts included. */
	summary(): Summary {
		const summary: Summary = { made: [], unknown: [] };
		for (const [item, entries] of Object.entries(this.turn.items)) {
			for (const entry of entries) {
				const named = { itemIndex: Number(item), referenceNumber: entry.referenceNumber };
				if (entry.state === 'made') {
					summary.made.push({ ...named, paymentId: this.idOf(entry.answer) });
				} else {
					summary.unknown.push(named);
				}
			}
		}
		return summary;
	}

	/**
	 * To be called when the node has ended well. Drops this turn's entries unless n8n runs the node again, so that stored
	 * executions do not hold responses twice.
	 * @param looksFailed whether the output is one for which 'Retry On Fail' runs the node again
	 */
	close(looksFailed: boolean): void {
		if (looksFailed && this.runsAgain()) return;
		const payments = this.context.payments ?? {};
		delete payments[this.turnKey];
		if (Object.keys(payments).length === 0) delete this.context.payments;
	}

	/**
	 * True once per execution, so that a cancelled node that 'Retry On Fail' runs again logs its summary only once.
	 */
	isFirstCancellation(): boolean {
		const executionId = this.execution.getExecutionId();
		const isFirst = this.turn.toldIn !== executionId;
		this.turn.toldIn = executionId;
		return isFirst;
	}

	private runsAgain(): boolean {
		const { retryOnFail, maxTries } = this.execution.getNode();
		if (!retryOnFail) return false;
		const executionId = this.execution.getExecutionId();
		const earlier = this.turn.reruns?.executionId === executionId ? this.turn.reruns.count : 0;
		this.turn.reruns = { executionId, count: earlier + 1 };
		// As n8n reads its setting 'Max. Tries'. It meets no end where that is no whole number.
		const tries = Math.min(5, Math.max(2, maxTries || 3));
		return earlier + 1 < tries || !Number.isInteger(tries);
	}
}

/** What the store holds of one creation. */
export class IdempotencyRecord {
	/** What was known before the request that is on its way. */
	private before?: Entry;

	constructor(
		private readonly entries: Entry[],
		private readonly identity: Identity,
		private readonly allEntries: () => Entry[],
	) {}

	/** What the store holds of all other creations. */
	others(): Entry[] {
		const { earlier } = this;
		return this.allEntries().filter((entry) => entry !== earlier);
	}

	/** What an earlier attempt left; undefined when nothing of the kind was asked for, or AcountPay rejected it. */
	get earlier(): Entry | undefined {
		const { request, origin } = this.identity;
		return (
			this.entries.find((entry) => entry.request === request) ??
			this.entries.find((entry) => entry.origin === origin)
		);
	}

	/**
	 * To be called before the request leaves.
	 * @param trace what the request can be looked up by
	 */
	sending(trace?: Trace): void {
		this.before = this.earlier;
		this.put({ state: 'sent', ...(trace && { trace }) });
	}

	/** AcountPay made it. */
	made(answer: IDataObject): void {
		this.put({ state: 'made', answer });
	}

	/**
	 * AcountPay may or may not have made it.
	 * @param trace what the request can be looked up by
	 */
	unknown(what: string, trace?: Trace): void {
		this.put({ state: 'unknown', what, ...(trace && { trace }) });
	}

	/** The request that was on its way made nothing: what was known before it holds again. */
	notMade(): void {
		this.remove();
		if (this.before) this.entries.push(this.before);
	}

	private put(state: KnownState): void {
		this.remove();
		this.entries.push({ ...this.identity, ...state });
	}

	private remove(): void {
		const { earlier } = this;
		if (earlier) this.entries.splice(this.entries.indexOf(earlier), 1);
	}
}
