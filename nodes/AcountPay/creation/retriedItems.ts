import type { IExecuteFunctions } from 'n8n-workflow';
import { type Entry, isCreated } from './idempotencyRecord';

/** How many items of retried executions are remembered at most: the oldest are forgotten first. */
const MAX_ITEMS = 100_000;

/** What not every version of n8n has. */
interface NewerMethods {
	getExecutionContext?(): { establishedAt?: number } | undefined;
}

/**
 * When the execution began that this one is a retry by hand of, in ms since 1970. A retry gets a copy of what n8n has stored
 * of the execution, this moment included.
 * @returns undefined when it is no retry, or n8n does not tell
 */
export function retriedFrom(execution: IExecuteFunctions): number | undefined {
	if (execution.getMode?.() !== 'retry') return undefined;
	return (execution as NewerMethods).getExecutionContext?.()?.establishedAt;
}

/** The retries that know of an entry: by having recorded it, or by what n8n has stored of the execution that they retry. */
const knownTo = new WeakMap<Entry, Set<string>>();

/** A retry knows of an entry. */
export function markKnownTo(entry: Entry, executionId: string): void {
	knownTo.set(entry, (knownTo.get(entry) ?? new Set()).add(executionId));
}

/** Whether a retry knows of an entry itself. */
export const isKnownTo = (entry: Entry, executionId: string): boolean =>
	knownTo.get(entry)?.has(executionId) ?? true;

/** The retry that has come to know of an entry last. */
export const lastKnownTo = (entry: Entry): string | undefined =>
	[...(knownTo.get(entry) ?? [])].at(-1);

/**
 * What this process knows of the items of executions that were retried by hand. n8n lets the user retry the same execution
 * twice, one after the other or with a double click, and gives each retry a copy of its own.
 */
class RetriedItems {
	/** By retried iteration, then by item. */
	private readonly iterations = new Map<string, Map<number, Entry[]>>();
	private size = 0;

	/**
	 * The one list for an item, in which all retries record what they do.
	 * @param own what the execution has stored of it: it knows more when the retry before ran in another process
	 */
	entriesOf(iteration: string, itemIndex: number, own: Entry[], executionId: string): Entry[] {
		const items = this.iterations.get(iteration) ?? new Map<number, Entry[]>();
		this.iterations.set(iteration, items);
		const list = items.get(itemIndex) ?? own;
		for (const entry of own) {
			markKnownTo(merge(list, entry), executionId);
		}
		if (!items.has(itemIndex)) this.size++;
		items.set(itemIndex, list);
		this.forgetOldest(iteration);
		return list;
	}

	/** What other retries have recorded for any item of an iteration. */
	entriesOfOthers(iteration: string, executionId: string): Entry[] {
		const all = [...(this.iterations.get(iteration)?.values() ?? [])].flat();
		return all.filter((entry) => !isKnownTo(entry, executionId));
	}

	private forgetOldest(present: string): void {
		for (const [iteration, { size }] of this.iterations) {
			if (this.size <= MAX_ITEMS || iteration === present) return;
			this.iterations.delete(iteration);
			this.size -= size;
		}
	}
}

/**
 * Adds a stored entry to a list, unless that knows more.
 * @returns the entry that is in the list for it
 */
function merge(list: Entry[], entry: Entry): Entry {
	const index = list.findIndex(({ request }) => request === entry.request);
	if (index >= 0) {
		if (isCreated(entry) && !isCreated(list[index])) list[index] = entry;
		return list[index];
	}
	// Sent again since then, with other fields: the outcome that is stored as unknown is known by now.
	const created = list.find(
		(other) =>
			isCreated(other) &&
			((other.key !== undefined && other.key === entry.key) || other.origin === entry.origin),
	);
	if (!isCreated(entry) && created) return created;
	list.push(entry);
	return entry;
}

/** The retried items of this process. */
export const retriedItems = new RetriedItems();
