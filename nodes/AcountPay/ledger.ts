import { createHash } from 'node:crypto';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { type ApiRequest, paymentIdOf } from '../shared/acountPayApi';

/**
 * What is known of one payment that was asked for. `sent` is written before the request leaves, so that an execution
 * that is stopped or dies meanwhile is not taken for one that never asked.
 */
type Entry = { key: string; referenceNumber: string } & (
	| { state: 'sent' }
	| { state: 'made'; answer: IDataObject }
	| { state: 'unknown'; what: string }
);

type Entries = Record<string, Entry>;

/** The payments of a batch so far, in the order of its items. */
export interface Summary {
	made: Array<{ itemIndex: number; referenceNumber: string; paymentId?: string }>;
	/** Sent, and it is not known whether AcountPay made them. */
	unknown: Array<{ itemIndex: number; referenceNumber: string }>;
}

/** Where the entries are in n8n's node context: by `$runIndex`, then by item. */
interface LedgerContext {
	payments?: Record<string, Entries>;
}

/**
 * Remembers within one execution which payments were made, in n8n's node context. That context lives through the tries of
 * 'Retry On Fail' and through a retry of the execution by hand, so neither makes a payment again. It is keyed by the
 * node's name alone and lives through all turns of a loop, so entries are bound to the turn (`$runIndex`), the item and
 * what is sent: with other parameters it is another payment.
 */
export class Ledger {
	private readonly context: LedgerContext;
	private readonly runIndex: string;
	private readonly entries: Entries;

	constructor(context: IExecuteFunctions) {
		this.context = context.getContext('node') as LedgerContext;
		this.runIndex = String(context.getWorkflowDataProxy(0).$runIndex);
		this.context.payments ??= {};
		this.entries = this.context.payments[this.runIndex] ??= {};
	}

	/** The place of one payment in the ledger. */
	page(
		itemIndex: number,
		baseUrl: string,
		request: ApiRequest,
		referenceNumber: string,
	): LedgerPage {
		const { method, path, headers, body } = request;
		const key = createHash('sha256')
			.update(JSON.stringify([baseUrl, method, path, headers, body]))
			.digest('base64url');
		return new LedgerPage(this.entries, String(itemIndex), { key, referenceNumber });
	}

	/** What this turn has made and left open, earlier tries included. */
	summary(): Summary {
		const summary: Summary = { made: [], unknown: [] };
		for (const [item, entry] of Object.entries(this.entries)) {
			const named = { itemIndex: Number(item), referenceNumber: entry.referenceNumber };
			if (entry.state === 'made') {
				summary.made.push({ ...named, paymentId: paymentIdOf(entry.answer) });
			} else {
				summary.unknown.push(named);
			}
		}
		return summary;
	}

	/** Drops this turn's entries: for when n8n can't run the node again, so that stored executions do not hold answers twice. */
	close(): void {
		const { payments } = this.context;
		if (!payments) return;
		delete payments[this.runIndex];
		if (Object.keys(payments).length === 0) delete this.context.payments;
	}
}

/** What the ledger holds of one item's payment. */
export class LedgerPage {
	constructor(
		private readonly entries: Entries,
		private readonly item: string,
		private readonly payment: { key: string; referenceNumber: string },
	) {}

	/** What an earlier try left; undefined when it asked for no such payment, or AcountPay refused it. */
	get earlier(): Entry | undefined {
		const entry = this.entries[this.item];
		return entry?.key === this.payment.key ? entry : undefined;
	}

	/** To be called before the request leaves. */
	sending(): void {
		this.entries[this.item] = { ...this.payment, state: 'sent' };
	}

	/** AcountPay made the payment. */
	made(answer: IDataObject): void {
		this.entries[this.item] = { ...this.payment, state: 'made', answer };
	}

	/** It is not known whether AcountPay made the payment. */
	unknown(what: string): void {
		this.entries[this.item] = { ...this.payment, state: 'unknown', what };
	}

	/** AcountPay made no payment, so it may be asked again. */
	notMade(): void {
		delete this.entries[this.item];
	}
}
