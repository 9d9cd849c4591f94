/** What `JSON.parse` tells a reviver about a value, from Node.js 21 on: the text that it was read from. */
export interface ReviverContext {
	source?: string;
}

/**
 * The digits of a whole number in a JSON text, when JavaScript rounds it to another one.
 * @param value what `JSON.parse` made of it
 * @returns undefined for every other value
 */
export function digitsLost(
	value: unknown,
	{ source = '' }: ReviverContext = {},
): string | undefined {
	return /^-?\d{16,}$/.test(source) && source !== String(value) ? source : undefined;
}
