import type { ItemError } from '../../shared/errors';
import type { Noun } from '../../shared/transport/apiErrors';
import type { NamedItem, Summary } from '../creation/idempotencyStore';

/** How the items ended, in a run that creates something. */
export interface RunSummary extends Summary {
	/** What the run creates; payments when not given. */
	noun?: Noun;
	/** Whether AcountPay's list is read before something with an unknown outcome is sent again. */
	looksUpUnknown?: boolean;
	/** AcountPay refused them, or a field is wrong: nothing was created. */
	refused: Array<Partial<NamedItem> & { itemIndex: number }>;
	/** Nothing was created: the run ended before they were sent, or they could not be sent. */
	notStarted: Array<Partial<NamedItem> & { itemIndex: number }>;
}

/**
 * Adds to the created items, and the ones whose outcome is unknown, how all other items ended.
 * @param names by item; missing where its fields were not read
 * @param errorOf the error of an item that has failed
 * @param what the run creates
 */
export function summarise(
	known: Summary,
	itemCount: number,
	names: ReadonlyArray<string | undefined>,
	errorOf: (itemIndex: number) => ItemError | undefined,
	what: Pick<RunSummary, 'noun' | 'looksUpUnknown'> = {},
): RunSummary {
	const summary: RunSummary = {
		...what,
		...known,
		unknown: [...known.unknown],
		refused: [],
		notStarted: [],
	};
	const named = new Set(
		[...known.created, ...known.existing, ...known.unknown].map(({ itemIndex }) => itemIndex),
	);
	for (let itemIndex = 0; itemIndex < itemCount; itemIndex++) {
		const name = names[itemIndex];
		const item = { itemIndex, ...(name !== undefined && { name }) };
		const outcome = errorOf(itemIndex)?.outcome;
		// What is known of the item may be of an earlier attempt, when it asked for something else.
		if (outcome === 'refused' || outcome === 'invalid') summary.refused.push(item);
		else if (named.has(itemIndex)) continue;
		else if (outcome === 'unknown') summary.unknown.push({ name: '', ...item });
		else summary.notStarted.push(item);
	}
	return summary;
}
