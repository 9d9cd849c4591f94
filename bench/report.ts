import type { Surroundings } from './results';

/** The machine and the versions, as a sentence. */
export const measuredOn = (on: Surroundings): string =>
	`Measured on ${on.date.slice(0, 10)}: ${on.cpu}, ${on.cores} cores, ${on.memoryGb} GB of memory, ${on.system}, ` +
	`Node ${on.node}, n8n ${on.n8n}, n8n-nodes-acountpay ${on.package}, axios ${on.axios}.`;

/** The places in the document that measurements fill. */
export type Section = 'distances' | 'bursts' | 'profile';

/**
 * Puts a report into its place in the document, instead of the one that is there.
 *
 * @throws Error when the document has no such place
 */
export function insertReport(document: string, section: Section, text: string): string {
	const [beginMark, endMark] = [`<!-- ${section}: begin -->`, `<!-- ${section}: end -->`];
	const begin = document.indexOf(beginMark);
	const end = document.indexOf(endMark);
	if (begin < 0 || end < begin) {
		throw new Error(`The document has no '${beginMark}' and '${endMark}'`);
	}
	return `${document.slice(0, begin + beginMark.length)}\n\n${text}\n\n${document.slice(end)}`;
}
