import type { IExecuteFunctions } from 'n8n-workflow';
import type { Entry } from './idempotencyRecord';

/** How many items of retried executions are remembered at most: the oldest are forgotten first. */
const MOST = 100_000;

/** What not every version of n8n has. */
interface NewerMethods {
	getExecutionContext?(): { establishedAt?: number } | undefined;
}

/**
 * What this execution is a retry by hand of. A retry gets a copy of what n8n has stored of the execution, with the moment at
 * which it began: all retries of one execution, and retries of those, have it in common.
 * @returns undefined when it is no retry
 */
export function retriedOf(execution: IExecuteFunctions): string | undefined {
	if (execution.getMode?.() !== 'retry') return undefined;
	const { establishedAt } = (execution as NewerMethods).getExecutionContext?.() ?? {};
	if (establishedAt === undefined) return undefined;
	return [execution.getWorkflow().id, execution.getNode().name, establishedAt].join(' ');
}

/** Whether two entries are of the same request. */
const isSame = (one: Entry, other: Entry) => one.request === other.request;

/**
 * What this process knows of the items of executions that were retried by hand. n8n lets a person retry the same execution
 * twice, one after the other or with a double click, and gives each retry a copy of its own.
 */
class RetriedItems {
	private readonly lists = new Map<string, Entry[]>();

	/**
	 * The one list for an item, in which all retries put down what they do.
	 * @param item retried execution, turn and index
	 * @param own what the execution has stored of it: it knows more when the retry before ran in another process
	 */
	shared(item: readonly unknown[], own: Entry[]): Entry[] {
		const key = JSON.stringify(item);
		const list = this.lists.get(key) ?? own;
		for (const entry of list === own ? [] : own) {
			const index = list.findIndex((known) => isSame(known, entry));
			if (index < 0) list.push(entry);
			else if (entry.state === 'made' && list[index].state !== 'made') list[index] = entry;
		}
		this.lists.set(key, list);
		for (const oldest of this.lists.keys()) {
			if (this.lists.size <= MOST) break;
			this.lists.delete(oldest);
		}
		return list;
	}
}

/** Those of this process. */
export const retriedItems = new RetriedItems();
