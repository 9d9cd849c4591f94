/**
 * Several names, or other texts, for a sentence.
 * @param most how many of them are named at most; of the others it says how many there are
 */
export function namesOf(texts: readonly string[], most = 3): string {
	const more = texts.length - most;
	return texts.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
