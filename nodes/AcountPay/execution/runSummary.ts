import type { ItemError, Outcome } from '../../shared/errors';
import type { Noun } from '../../shared/transport/apiErrors';
import type { End, EndedItem } from '../creation/idempotencyStore';

/** How the items ended, in a run that creates something. */
export interface RunSummary {
	/** What the run creates; payments when not given. */
	noun?: Noun;
	/** Whether AcountPay's list is read before something with an unknown outcome is sent again. */
	looksUpUnknown?: boolean;
	items: readonly EndedItem[];
}

/** How an item has ended that has failed so. After any other outcome it counts as not started. */
const ENDS: Partial<Record<Outcome, End>> = {
	invalid: 'refused',
	refused: 'refused',
	unknown: 'unknown',
};

/**
 * Adds to the items of which something is known how all other items ended.
 * @param names by item; missing where its fields were not read
 * @param errorOf the error of an item that has failed
 */
export function withOthers(
	known: readonly EndedItem[],
	itemCount: number,
	names: ReadonlyArray<string | undefined>,
	errorOf: (itemIndex: number) => ItemError | undefined,
): EndedItem[] {
	const items = [...known];
	const isKnown = new Set(known.map(({ itemIndex }) => itemIndex));
	for (let itemIndex = 0; itemIndex < itemCount; itemIndex++) {
		const { outcome } = errorOf(itemIndex) ?? {};
		const end = (outcome && ENDS[outcome]) ?? 'notStarted';
		// What is known of the item may be of an earlier attempt, when it asked for something else.
		if (end === 'refused' || !isKnown.has(itemIndex)) {
			items.push({ itemIndex, name: names[itemIndex], end });
		}
	}
	return items;
}
