/** The text that replaces a secret. */
const PLACEHOLDER = '[secret]';

/** A part of a secret with this many characters in a row counts as a leak, when nothing else goes on in its place. */
const WINDOW = 16;

/** Most texts hold nothing: a look at one piece of each window tells so. */
const PIECE = 8;

/** From one looked-at piece to the next, so that each window holds one. */
const STRIDE = WINDOW - PIECE + 1;

/** A shorter secret is only known in its plain form, as a whole word: too much of what is encoded looks like it. */
const SHORTEST_ENCODED = 8;

/** How often a text may be encoded: `%252F` is a slash that was encoded twice. */
const MAX_DECODINGS = 3;

/** What a part of a form of a secret says of the form's ends. */
interface Edges {
	/** When the form begins with it: how many characters in front of it hold some bits of the secret. */
	before?: number;
	/** When the form ends with it: the same behind it. */
	after?: number;
}

const INSIDE: Edges = {};

/** A form in which a secret may stand in a text. */
type Form = { text: string } & Required<Edges>;

/** Windows that follow each other by one character: a secret, or a part of one. */
interface Run {
	start: number;
	end: number;
	/** Where the first form in it begins, and the last one ends. */
	formStart?: number;
	formEnd?: number;
}

/** From a place in a text up to, and without, another. */
type Span = [start: number, end: number];

/** A text, or what it says once it is decoded, with the place in the text where each of its characters begins and ends. */
interface View {
	text: string;
	/** Undefined in the text itself. */
	starts?: Uint32Array;
	ends?: Uint32Array;
}

const startOf = ({ starts }: View, at: number) => (starts ? starts[at] : at);
const endOf = ({ ends }: View, at: number) => (ends ? ends[at] : at + 1);

/** The escapes of URLs, JSON and HTML, as far as they stand for what secrets consist of. */
const ESCAPE =
	/%([\da-f]{2})|\\u([\da-f]{4})|&#x0{0,6}([\da-f]{1,4});|&#0{0,6}(\d{1,5});|\\(["\\/])|&(amp|lt|gt|quot|apos|sol|plus|equals);/gi;

const ENTITIES: Readonly<Record<string, string>> = {
	amp: '&',
	lt: '<',
	gt: '>',
	quot: '"',
	apos: "'",
	sol: '/',
	plus: '+',
	equals: '=',
};

/**
 * Text that nobody sees: tags, characters without width, and the zero bytes of UTF-16, which is read as UTF-8 here. The charset
 * that a response names is not believed: a false one would hide a secret from every search.
 */
const INVISIBLE = /<[^<>]*>|[\0\u00ad\u200b-\u200d\u2060\ufeff]/g;

/** The character that a match of {@link ESCAPE} stands for. */
function unescaped([, percent, unicode, hex, decimal, same, name]: string[]): string {
	const digits = percent ?? unicode ?? hex;
	if (digits !== undefined) return String.fromCharCode(parseInt(digits, 16));
	if (decimal !== undefined) return String.fromCharCode(Number(decimal));
	return same ?? ENTITIES[name.toLowerCase()];
}

/** A view with one character, or none, in the place of each match; undefined when there is no match. */
function replaced(
	view: View,
	pattern: RegExp,
	replacement: (match: string[]) => string,
): View | undefined {
	const { text } = view;
	if (text.search(pattern) === -1) return undefined;
	const starts = new Uint32Array(text.length);
	const ends = new Uint32Array(text.length);
	let said = '';
	const put = (characters: string, from: number, width: number) => {
		for (let index = 0; index < characters.length; index++) {
			starts[said.length + index] = startOf(view, from + index);
			ends[said.length + index] = endOf(view, from + index + width - 1);
		}
		said += characters;
	};
	let copied = 0;
	for (const match of text.matchAll(pattern)) {
		put(text.slice(copied, match.index), copied, 1);
		put(replacement(match), match.index, match[0].length);
		copied = match.index + match[0].length;
	}
	put(text.slice(copied), copied, 1);
	return { text: said, starts, ends };
}

/** A text and all that it may say: decoded, up to three times, each with and without text that nobody sees. */
function* viewsOf(text: string): Generator<View> {
	let view: View | undefined = { text };
	for (let decodings = 0; view && decodings <= MAX_DECODINGS; decodings++) {
		yield view;
		const visible = replaced(view, INVISIBLE, () => '');
		if (visible) yield visible;
		view = replaced(view, ESCAPE, unescaped);
	}
}

/** A text as it is compared: in small letters, and as long as it was, which one capital is not. */
const folded = (text: string) => text.replaceAll('\u0130', 'i').toLowerCase();

const isWordAt = (text: string, at: number) => /[\w-]/.test(text.charAt(at));
const isBase64At = (text: string, at: number) => /[\w+/-]/.test(text.charAt(at));

/** Whether a token goes on at a place. Not with what an escape stands for: a stray `%4` takes a secret's first letter. */
const goesOnAt = (view: View, at: number): boolean =>
	isWordAt(view.text, at) && endOf(view, at) - startOf(view, at) === 1;

/** The forms in which servers echo a secret, besides escapes, which are decoded; of a short one, only itself. */
function formsOf(secret: string): Form[] {
	if (secret.length < SHORTEST_ENCODED) return [{ text: folded(secret), before: 0, after: 0 }];
	const bytes = Buffer.from(secret);
	// In latin1: what a letter such as ø is once its escape in a URL is decoded here.
	const texts = new Set([secret, bytes.toString('latin1'), bytes.toString('hex')]);
	const whole = [...texts].map((text) => ({ text, before: 0, after: 0 }));
	// Base64 of the secret alone and in a longer text: its characters depend on where in three bytes it begins.
	const inBase64 = [0, 1, 2].flatMap((offset) => {
		const bits = (offset + bytes.length) * 8;
		const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
		return (['base64', 'base64url'] as const).map((alphabet) => ({
			text: shifted.toString(alphabet).slice(Math.ceil((offset * 8) / 6), Math.floor(bits / 6)),
			before: Math.sign(offset),
			after: Math.sign(bits % 6),
		}));
	});
	return [...whole, ...inBase64].map((form) => ({ ...form, text: folded(form.text) }));
}

/**
 * Takes secrets out of texts from outside: whole ones in every form that servers echo (plain, base64 alone or in
 * a longer text, hexadecimal, with the escapes of URLs, JSON and HTML, up to three times, with tags within, in UTF-16),
 * and parts of at least 16 characters of them where they were cut. Nothing else changes: another token that begins like
 * a secret stays, as a JWT with the same header does. Takes time linear in the length of the text, whatever the number of
 * secrets.
 */
export class Redactor {
	private readonly secrets = new Set<string>();
	/** Secrets that are only looked for as whole words, and forms that are shorter than a window. */
	private readonly words = new Set<string>();
	private readonly windows = new Map<string, Edges>();
	private readonly pieces = new Set<string>();
	/** Secrets that were added since the last text: a long list of them costs nothing until there is an error. */
	private readonly added: string[] = [];

	/** From now on this secret is taken out, too. An empty one is passed over. */
	add(secret: string): void {
		if (secret === '' || this.secrets.has(secret)) return;
		this.secrets.add(secret);
		this.added.push(secret);
	}

	private addForm({ text, before, after }: Form): void {
		if (text.length < WINDOW) {
			this.words.add(text);
			return;
		}
		for (let at = 0; at + PIECE <= text.length; at++) this.pieces.add(text.slice(at, at + PIECE));
		const last = text.length - WINDOW;
		for (let at = 1; at < last; at++) {
			const window = text.slice(at, at + WINDOW);
			if (!this.windows.has(window)) this.windows.set(window, INSIDE);
		}
		this.addEdges(text.slice(0, WINDOW), { before });
		this.addEdges(text.slice(last), { after });
	}

	private addEdges(window: string, edges: Edges): void {
		this.windows.set(window, { ...this.windows.get(window), ...edges });
	}

	/** The text without secrets; the same when it has none. */
	text(text: string): string {
		for (const form of this.added.splice(0).flatMap(formsOf)) this.addForm(form);
		const spans: Span[] = [];
		for (const view of viewsOf(text)) {
			const comparable = folded(view.text);
			const found = [...this.wordsIn(view, comparable), ...this.partsIn(view, comparable)];
			for (const [start, end] of found) spans.push([startOf(view, start), endOf(view, end - 1)]);
		}
		return withoutSpans(text, spans);
	}

	private *wordsIn(view: View, text: string): Generator<Span> {
		for (const word of this.words) {
			const mustBeAlone = word.length < SHORTEST_ENCODED;
			for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
				const end = at + word.length;
				if (mustBeAlone && (isWordAt(view.text, at - 1) || isWordAt(view.text, end))) continue;
				yield [at, end];
			}
		}
	}

	private partsIn(view: View, text: string): Span[] {
		const runs: Run[] = [];
		let run: Run | undefined;
		for (const [at, { before, after }] of this.windowsIn(text)) {
			const end = at + WINDOW;
			if (!run || end > run.end + 1) runs.push((run = { start: at, end }));
			run.end = end;
			if (before !== undefined) {
				run.formStart ??= at - (isBase64At(view.text, at - 1) ? before : 0);
			}
			if (after !== undefined) run.formEnd = end + (isBase64At(view.text, end) ? after : 0);
		}
		return runs.flatMap((found) => spanOf(view, found));
	}

	/** The windows in a text, in order: those around each piece that may belong to one. */
	private *windowsIn(text: string): Generator<[at: number, edges: Edges]> {
		for (let piece = 0; piece + PIECE <= text.length; piece += STRIDE) {
			if (!this.pieces.has(text.slice(piece, piece + PIECE))) continue;
			for (let at = Math.max(0, piece - STRIDE + 1); at <= piece; at++) {
				const edges = this.windows.get(text.slice(at, at + WINDOW));
				if (edges) yield [at, edges];
			}
		}
	}
}

/** What is taken out of a run: a text that goes on otherwise is another one, such as an id that begins like a secret. */
function spanOf(view: View, { start, end, formStart, formEnd }: Run): Span[] {
	const from = goesOnAt(view, start - 1)
		? (formStart ?? Infinity)
		: Math.min(start, formStart ?? start);
	const to = goesOnAt(view, end) ? (formEnd ?? -Infinity) : Math.max(end, formEnd ?? end);
	return from < to ? [[from, to]] : [];
}

/** A text with the placeholder where spans are; those that touch or overlap become one. */
function withoutSpans(text: string, spans: Span[]): string {
	spans.sort(([one], [other]) => one - other);
	let kept = '';
	let copied = 0;
	let covered = -1;
	for (const [start, end] of spans) {
		if (start > covered) kept += text.slice(copied, start) + PLACEHOLDER;
		copied = covered = Math.max(covered, end);
	}
	return kept + text.slice(copied);
}
