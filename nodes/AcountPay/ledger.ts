import { createHash } from 'node:crypto';
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { type ApiRequest, paymentIdOf } from '../shared/acountPayApi';

/**
 * What is known of one payment that was asked for. `sent` is written before the request leaves, so that an execution
 * that is stopped or dies meanwhile is not taken for one that never asked.
 */
export type State =
	| { state: 'sent' }
	| { state: 'made'; answer: IDataObject }
	| { state: 'unknown'; what: string };

interface Payment {
	/** Hash of what was sent where. */
	request: string;
	/** Hash of the node's parameters and the item that it came from. */
	origin: string;
	referenceNumber: string;
}

type Entry = Payment & State;

/** What is remembered of one turn of a loop. */
interface Turn {
	/** By item. More than one when a person changed parameters and retried the execution. */
	items: Record<string, Entry[]>;
	/** How often the node has ended well and is run again all the same, in which execution. */
	reruns?: { executionId: string; count: number };
	/** The execution whose stop has been told of. */
	toldIn?: string;
}

/** Where the turns are in n8n's node context: by `$runIndex`. */
interface LedgerContext {
	payments?: Record<string, Turn>;
}

/** The payments of a batch so far, in the order of its items. */
export interface Summary {
	made: Array<{ itemIndex: number; referenceNumber: string; paymentId?: string }>;
	/** Sent, and it is not known whether AcountPay made them. */
	unknown: Array<{ itemIndex: number; referenceNumber: string }>;
}

const hashOf = (value: unknown) =>
	createHash('sha256').update(JSON.stringify(value)).digest('base64url');

/**
 * Remembers within one execution which payments were made, in n8n's node context. That context lives through the tries of
 * 'Retry On Fail' and through a retry of the execution by hand, so neither makes a payment again. It is keyed by the
 * node's name alone and lives through all turns of a loop, so entries are bound to the turn (`$runIndex`) and the item.
 *
 * A payment is known again by what is sent, or by where it comes from: the same parameters and the same item give another
 * request when an expression holds the time, and are the same payment. What a person changes is another one.
 */
export class Ledger {
	private readonly context: LedgerContext;
	private readonly runIndex: string;
	private readonly turn: Turn;
	private readonly parameters: string;

	constructor(private readonly execution: IExecuteFunctions) {
		this.context = execution.getContext('node') as LedgerContext;
		this.runIndex = String(execution.getWorkflowDataProxy(0).$runIndex);
		this.context.payments ??= {};
		this.turn = this.context.payments[this.runIndex] ??= { items: {} };
		this.parameters = hashOf({ ...execution.getNode().parameters, options: undefined });
	}

	/** The place of one payment in the ledger. */
	page(
		itemIndex: number,
		item: INodeExecutionData,
		baseUrl: string,
		{ method, path, headers, body }: ApiRequest,
		referenceNumber: string,
	): LedgerPage {
		return new LedgerPage((this.turn.items[itemIndex] ??= []), {
			request: hashOf([baseUrl, method, path, headers, body]),
			origin: hashOf([baseUrl, this.parameters, item.json]),
			referenceNumber,
		});
	}

	/** What this turn has made and left open, earlier tries included. */
	summary(): Summary {
		const summary: Summary = { made: [], unknown: [] };
		for (const [item, entries] of Object.entries(this.turn.items)) {
			for (const entry of entries) {
				const named = { itemIndex: Number(item), referenceNumber: entry.referenceNumber };
				if (entry.state === 'made') {
					summary.made.push({ ...named, paymentId: paymentIdOf(entry.answer) });
				} else {
					summary.unknown.push(named);
				}
			}
		}
		return summary;
	}

	/**
	 * To be called when the node has ended well. Drops this turn's entries unless n8n runs the node again, so that stored
	 * executions do not hold answers twice.
	 * @param looksFailed whether the output is one for which 'Retry On Fail' runs the node again
	 */
	close(looksFailed: boolean): void {
		if (looksFailed && this.runsAgain()) return;
		const payments = this.context.payments ?? {};
		delete payments[this.runIndex];
		if (Object.keys(payments).length === 0) delete this.context.payments;
	}

	/**
	 * Whether a stop of this execution is told of for the first time: 'Retry On Fail' runs a stopped node again. From now on
	 * it is not.
	 */
	isFirstStop(): boolean {
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

/** What the ledger holds of one item's payment. */
export class LedgerPage {
	/** What was known before the request that is on its way. */
	private before?: Entry;

	constructor(
		private readonly entries: Entry[],
		private readonly payment: Payment,
	) {}

	/** What an earlier try left; undefined when it asked for no such payment, or AcountPay refused it. */
	get earlier(): Entry | undefined {
		const { request, origin } = this.payment;
		return (
			this.entries.find((entry) => entry.request === request) ??
			this.entries.find((entry) => entry.origin === origin)
		);
	}

	/** To be called before the request leaves. */
	sending(): void {
		this.before = this.earlier;
		this.put({ state: 'sent' });
	}

	/** AcountPay made the payment. */
	made(answer: IDataObject): void {
		this.put({ state: 'made', answer });
	}

	/** It is not known whether AcountPay made the payment. */
	unknown(what: string): void {
		this.put({ state: 'unknown', what });
	}

	/** The request that was on its way made no payment: what was known before it holds again. */
	notMade(): void {
		this.remove();
		if (this.before) this.entries.push(this.before);
	}

	private put(state: State): void {
		this.remove();
		this.entries.push({ ...this.payment, ...state });
	}

	private remove(): void {
		const { earlier } = this;
		if (earlier) this.entries.splice(this.entries.indexOf(earlier), 1);
	}
}
