/** A number in a JSON text: as it is written, and where it begins. */
interface JsonNumber {
	source: string;
	start: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;
/** Digits, and + - . E e. */
const isInNumber = (code: number) =>
	isDigit(code) || code === 0x2b || code === MINUS || code === 0x2e || (code | 0x20) === 0x65;
const isOpening = (code: number) => code === 0x7b || code === 0x5b;
const isClosing = (code: number) => code === 0x7d || code === 0x5d;

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
 * The numbers in a JSON text, in its order, in time linear in its length. `JSON.parse` itself tells a reviver how a number was
 * written, but not on Node.js 20, on which n8n 1.123 and 2.0 run, and a page of 100 payments takes three times as long.
 * @param text which `JSON.parse` has accepted
 */
export function* numbersIn(text: string): Generator<JsonNumber, void> {
	for (let at = 0; at < text.length; ) {
		const code = text.charCodeAt(at);
		if (code === QUOTE) {
			at = endOfString(text, at);
		} else if (isDigit(code) || code === MINUS) {
			const start = at++;
			while (isInNumber(text.charCodeAt(at))) at++;
			yield { source: text.slice(start, at), start };
		} else {
			at++;
		}
	}
}
