import type { IExecuteFunctions } from 'n8n-workflow';
import { type Entry, isCreated } from './idempotencyRecord';

/** How many entries of retries are remembered: of the executions that were retried longest ago, they are forgotten first. */
const MAX_ENTRIES = 100_000;

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

/** Where an entry belongs: which iteration of a loop, and which of its items. */
export interface Place {
	iteration: string;
	itemIndex: number;
}

/** An entry with its place. The names are in stored executions: they are never renamed. */
export interface PlacedEntry extends Place {
	/** Tells the retried execution from others that began in the same millisecond. */
	executionKey: string;
	entry: Entry;
}

const keyOf = ({ iteration, itemIndex }: Place) => `${iteration} ${itemIndex}`;

/**
 * What the retries by hand of each execution have recorded, in this process. n8n lets a user retry the same execution twice,
 * one after the other or with a double click, and gives each retry a copy of its own.
 */
class Retries {
	/** By retried execution, then by place. */
	private readonly executions = new Map<string, Map<string, PlacedEntry[]>>();
	/** By retried execution: the retries that have recorded anything. */
	private readonly recorders = new Map<string, Set<string | undefined>>();
	private size = 0;

	add(retried: string, one: PlacedEntry): void {
		const places = this.executions.get(retried) ?? new Map<string, PlacedEntry[]>();
		this.executions.set(retried, places);
		const there = places.get(keyOf(one)) ?? [];
		places.set(keyOf(one), there);
		there.push(one);
		const recorders = this.recorders.get(retried) ?? new Set();
		this.recorders.set(retried, recorders.add(one.entry.retry));
		this.size++;
		this.forgetOldest(retried);
	}

	/** Adds an entry that an execution has stored. Where this process knows it already, a created one counts. */
	addStored(retried: string, stored: PlacedEntry): void {
		const { retry, request } = stored.entry;
		const known = this.executions
			.get(retried)
			?.get(keyOf(stored))
			?.find(({ entry }) => entry.retry === retry && entry.request === request);
		if (!known) this.add(retried, stored);
		else if (isCreated(stored.entry)) known.entry = stored.entry;
	}

	remove(retried: string, one: PlacedEntry): void {
		const there = this.executions.get(retried)?.get(keyOf(one)) ?? [];
		const index = there.findIndex(({ entry }) => entry === one.entry);
		if (index === -1) return;
		there.splice(index, 1);
		this.size--;
	}

	at(retried: string, place: Place): readonly PlacedEntry[] {
		return this.executions.get(retried)?.get(keyOf(place)) ?? [];
	}

	/**
	 * All entries, unless these retries have recorded all of them: then none, without a look at each, since every creation
	 * of a retry asks.
	 */
	allUnlessOf(own: readonly string[], retried: string): PlacedEntry[] {
		const recorders = [...(this.recorders.get(retried) ?? [])];
		if (recorders.every((retry = '') => own.includes(retry))) return [];
		return [...(this.executions.get(retried)?.values() ?? [])].flat();
	}

	private forgetOldest(present: string): void {
		for (const [retried, places] of this.executions) {
			if (this.size <= MAX_ENTRIES || retried === present) return;
			this.executions.delete(retried);
			this.recorders.delete(retried);
			this.size -= [...places.values()].flat().length;
		}
	}
}

/** The retries of this process. */
export const retries = new Retries();
