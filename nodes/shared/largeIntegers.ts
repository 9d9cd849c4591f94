import { isDeeperThan, numbersIn } from './jsonText';

/** An integer with fewer digits is never rounded. */
const LARGE_INTEGER = /^-?\d{16,}$/;

/**
 * Parses JSON so that no integer is rounded: one that JavaScript can't hold for certain comes as text with its digits. Takes time
 * linear in the length of the text.
 * @param maxDepth how deep objects and arrays may be nested
 * @throws SyntaxError when the text is not JSON, RangeError when it is nested deeper
 */
export function parseExactly(text: string, maxDepth: number): unknown {
	if (isDeeperThan(maxDepth, text)) {
		throw new RangeError(`JSON is nested deeper than ${maxDepth} levels`);
	}
	const value: unknown = JSON.parse(text);
	if (!/\d{16}/.test(text)) return value;
	const parts: string[] = [];
	let copied = 0;
	for (const { source, start } of numbersIn(text)) {
		if (!LARGE_INTEGER.test(source) || Number.isSafeInteger(Number(source))) continue;
		parts.push(text.slice(copied, start), `"${source}"`);
		copied = start + source.length;
	}
	return copied === 0 ? value : (JSON.parse(parts.join('') + text.slice(copied)) as unknown);
}

/** JavaScript keeps each decimal number with so many digits at most, unless it is very large or close to zero. */
const KEPT_DIGITS = 15;
const CLOSE_TO_ZERO = 1e-300;

function mayBeChanged(source: string): boolean {
	const value = Number(source);
	if (String(value) === source) return false;
	const [mantissa] = source.toLowerCase().split('e');
	const digits = mantissa.replace(/\D/g, '').replace(/^0+/, '');
	if (digits === '') return false;
	const isOutOfRange = !Number.isFinite(value) || Math.abs(value) < CLOSE_TO_ZERO;
	return isOutOfRange || digits.length > KEPT_DIGITS;
}

/**
 * The first number in a JSON text that JavaScript may send as another one: `9007199254740993`, `0.1234567890123456789`,
 * or `1e400`, which becomes null. `1.50` is sent as 1.5, the same number. Takes time linear in the length of the text.
 * @param text which `JSON.parse` has accepted
 * @returns as it is written; undefined when there is none
 */
export function changedNumberIn(text: string): string | undefined {
	for (const { source } of numbersIn(text)) if (mayBeChanged(source)) return source;
	return undefined;
}
