import { isDeeperThan, type JsonNumber, scanNumbers } from './jsonText';

/** The keys of ids: a rounded id belongs to another payment. */
const ID_KEYS: ReadonlySet<unknown> = new Set(['id', 'paymentId']);

/** An integer of fewer digits is never rounded. */
const SHORTEST_LARGE_INTEGER = 16;

/** Found in every text with a large integer, and in some others. */
const MAY_BE_LARGE = /\d{16}|\d[eE]/;

/**
 * The text that replaces a number in a JSON text: the digits of an integer that JavaScript would round, and of every
 * id that is too large to be told from its neighbours.
 * @returns undefined for every number that may stay one
 */
function exactTextOf({ source, key }: JsonNumber): string | undefined {
	if (source.length < SHORTEST_LARGE_INTEGER && !/e/i.test(source)) return undefined;
	const value = Number(source);
	if (/^-?\d{16,}$/.test(source) && source !== String(value)) return source;
	const isLarge = Number.isInteger(value) && !Number.isSafeInteger(value);
	return isLarge && ID_KEYS.has(key()) ? String(value) : undefined;
}

/**
 * Parses JSON so that no integer is rounded: one that JavaScript can't hold comes as text with its digits. Takes time
 * linear in the length of the text.
 * @param maxDepth how deep objects and arrays may be nested
 * @throws SyntaxError when the text is not JSON, RangeError when it is nested deeper
 */
export function parseExactly(text: string, maxDepth: number): unknown {
	if (isDeeperThan(maxDepth, text)) {
		throw new RangeError(`JSON is nested deeper than ${maxDepth} levels`);
	}
	const value: unknown = JSON.parse(text);
	if (!MAY_BE_LARGE.test(text)) return value;
	const parts: string[] = [];
	let copied = 0;
	scanNumbers(text, (number) => {
		const exact = exactTextOf(number);
		if (exact === undefined) return;
		parts.push(text.slice(copied, number.start), `"${exact}"`);
		copied = number.end;
	});
	return copied === 0 ? value : (JSON.parse(parts.join('') + text.slice(copied)) as unknown);
}

/** A decimal number, so that equal ones have equal texts: its digits without zeros around them, and their exponent. */
function canonical(source: string): string {
	const [mantissa, exponent = '0'] = source.toLowerCase().split('e');
	const [whole, fraction = ''] = mantissa.replace('-', '').split('.');
	const digits = (whole + fraction).replace(/^0+/, '');
	if (digits === '') return '0';
	// Not by a pattern such as /0+$/, which takes quadratic time on zeros that are not at the end.
	let end = digits.length;
	while (digits[end - 1] === '0') end--;
	const shift = Number(exponent) - fraction.length + (digits.length - end);
	return `${mantissa.startsWith('-') ? '-' : ''}${digits.slice(0, end)}e${shift}`;
}

/**
 * The first number in a JSON text that JavaScript would send as another one: `9007199254740993`, `0.1234567890123456789`,
 * or `1e400`, which becomes null. `1.50` is sent as 1.5, the same number. Takes time linear in the length of the text.
 * @param text which `JSON.parse` has accepted
 * @returns as it is written; undefined when there is none
 */
export function changedNumberIn(text: string): string | undefined {
	let changed: string | undefined;
	scanNumbers(text, ({ source }) => {
		const sent = String(Number(source));
		if (changed !== undefined || sent === source) return;
		const isSame = Number.isFinite(Number(source)) && canonical(source) === canonical(sent);
		if (!isSame) changed = source;
	});
	return changed;
}
