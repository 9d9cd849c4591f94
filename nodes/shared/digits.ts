/** How a value stands in a JSON text: what `JSON.parse` tells a reviver, from Node.js 21 on. */
export interface Written {
	source?: string;
}

/**
 * The digits of a whole number in a JSON text, when JavaScript rounds it to another one.
 * @param value what `JSON.parse` made of it
 * @returns undefined for every other value
 */
export function digitsLost(value: unknown, { source = '' }: Written = {}): string | undefined {
	return /^-?\d{16,}$/.test(source) && source !== String(value) ? source : undefined;
}
