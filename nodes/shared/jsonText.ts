/** A number in a JSON text. */
export interface JsonNumber {
	/** As it is written. */
	source: string;
	/** Where it begins and ends in the text. */
	start: number;
	end: number;
	/** The key that it is the value of; undefined in an array or on its own. */
	key: () => string | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const MINUS = 0x2d;

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;
/** Digits, and + - . E e. */
const isInNumber = (code: number) =>
	isDigit(code) || code === 0x2b || code === MINUS || code === 0x2e || (code | 0x20) === 0x65;
const isOpening = (code: number) => code === 0x7b || code === 0x5b;
const isClosing = (code: number) => code === 0x7d || code === 0x5d;
const isBlank = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** Where the string ends that begins at `start`: after its closing quote, or at the end of a text that is no JSON. */
function endOfString(text: string, start: number): number {
	for (let from = start + 1; ; ) {
		const quote = text.indexOf('"', from);
		if (quote === -1) return text.length;
		let backslashes = 0;
		while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
		if (backslashes % 2 === 0) return quote + 1;
		from = quote + 1;
	}
}

/**
 * Whether objects and arrays are nested deeper than `levels` in a text. To be asked before the text is parsed:
 * takes time linear in its length.
 * @param text of any kind
 */
export function isDeeperThan(levels: number, text: string): boolean {
	let depth = 0;
	for (let at = 0; at < text.length; ) {
		const code = text.charCodeAt(at);
		if (code === QUOTE) {
			at = endOfString(text, at);
			continue;
		}
		if (isClosing(code)) depth--;
		else if (isOpening(code) && ++depth > levels) return true;
		at++;
	}
	return false;
}

/**
 * Finds the numbers in a JSON text, in time linear in its length. `JSON.parse` itself tells a reviver how a number was
 * written, but not on Node.js 20, on which n8n 1.123 and 2.0 run, and a page of 100 payments takes three times as long.
 * @param text which `JSON.parse` has accepted
 */
export function scanNumbers(text: string, onNumber: (number: JsonNumber) => void): void {
	let stringStart = 0;
	let stringEnd = 0;
	let isValue = false;
	for (let at = 0; at < text.length; ) {
		const code = text.charCodeAt(at);
		if (code === QUOTE) {
			stringStart = at;
			stringEnd = at = endOfString(text, at);
		} else if (isDigit(code) || code === MINUS) {
			const start = at++;
			while (isInNumber(text.charCodeAt(at))) at++;
			const keySource = isValue ? ([stringStart, stringEnd] as const) : undefined;
			onNumber({
				source: text.slice(start, at),
				start,
				end: at,
				key: () => keySource && (JSON.parse(text.slice(...keySource)) as string),
			});
		} else {
			if (!isBlank(code)) isValue = code === COLON;
			at++;
		}
	}
}
