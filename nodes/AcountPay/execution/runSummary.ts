import type { ItemError } from '../../shared/errors';
import type { Noun } from '../../shared/transport/apiErrors';
import type { Summary } from '../creation/idempotencyStore';

/** An item, and what a person calls it where its fields could be read. */
interface NamedItem {
	itemIndex: number;
	referenceNumber?: string;
}

/** What became of the items of a run that makes something. */
export interface RunSummary extends Summary {
	/** What the run makes; payments when not given. */
	noun?: Noun;
	/** AcountPay rejected them, or a field is wrong: nothing was made. */
	refused: NamedItem[];
	/** Nothing was made: the run ended before they were sent, or they could not be sent. */
	notStarted: NamedItem[];
}

/**
 * Adds to what was made and left open what became of all other items.
 * @param references by item; missing where its fields were not read
 * @param errorOf the error of an item that has failed
 * @param noun what the run makes
 */
export function summarise(
	known: Summary,
	itemCount: number,
	references: ReadonlyArray<string | undefined>,
	errorOf: (itemIndex: number) => ItemError | undefined,
	noun?: Noun,
): RunSummary {
	const summary: RunSummary = {
		...known,
		unknown: [...known.unknown],
		...(noun && { noun }),
		refused: [],
		notStarted: [],
	};
	const settled = new Set([...known.made, ...known.unknown].map(({ itemIndex }) => itemIndex));
	for (let itemIndex = 0; itemIndex < itemCount; itemIndex++) {
		if (settled.has(itemIndex)) continue;
		const referenceNumber = references[itemIndex];
		const item = { itemIndex, ...(referenceNumber !== undefined && { referenceNumber }) };
		const outcome = errorOf(itemIndex)?.outcome;
		if (outcome === 'unknown') summary.unknown.push({ referenceNumber: '', ...item });
		else if (outcome === 'refused' || outcome === 'invalid') summary.refused.push(item);
		else summary.notStarted.push(item);
	}
	return summary;
}
