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

/** A text, or what it says once its escapes are decoded. */
interface View {
	text: string;
	/** Where in the text each of its characters begins, and where the last one ends; undefined in the text itself. */
	starts?: Uint32Array;
}

const startOf = ({ starts }: View, at: number) => (starts ? starts[at] : at);

/** The escapes of URLs and JSON, as far as they stand for what secrets consist of. */
const ESCAPE = /%([\da-f]{2})|\\u([\da-f]{4})|\\(["\\/])/gi;

/** A view with the characters that escapes stand for; undefined when it has none. */
function decoded(view: View): View | undefined {
	const { text } = view;
	if (text.search(ESCAPE) === -1) return undefined;
	const starts = new Uint32Array(text.length + 1);
	let said = '';
	const put = (characters: string, from: number) => {
		for (let index = 0; index < characters.length; index++) {
			starts[said.length + index] = startOf(view, from + index);
		}
		said += characters;
	};
	let copied = 0;
	for (const { 0: escape, 1: percent, 2: unicode, 3: same, index } of text.matchAll(ESCAPE)) {
		put(text.slice(copied, index), copied);
		put(same ?? String.fromCharCode(parseInt(percent ?? unicode, 16)), index);
		copied = index + escape.length;
	}
	put(text.slice(copied), copied);
	starts[said.length] = startOf(view, text.length);
	return { text: said, starts };
}

/** A text and all that it may say: decoded, up to three times. */
function* viewsOf(text: string): Generator<View> {
	let view: View | undefined = { text };
	for (let decodings = 0; view && decodings <= MAX_DECODINGS; decodings++) {
		yield view;
		view = decoded(view);
	}
}

/** A text as it is compared: in small letters, and as long as it was, which one capital is not. */
const folded = (text: string) => text.replaceAll('\u0130', 'i').toLowerCase();

const isWordAt = (text: string, at: number) => /[\w-]/.test(text.charAt(at));
const isBase64At = (text: string, at: number) => /[\w+/-]/.test(text.charAt(at));

/** Whether a token goes on at a place. Not with what an escape stands for: a stray `%4` takes a secret's first letter. */
const goesOnAt = (view: View, at: number): boolean =>
	isWordAt(view.text, at) && startOf(view, at + 1) - startOf(view, at) === 1;

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
 * a longer text, hexadecimal, with the escapes of URLs and JSON, up to three times), and parts of at least 16 characters
 * of them where they were cut. Nothing else changes: another token that begins like
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
			for (const [start, end] of found) spans.push([startOf(view, start), startOf(view, end)]);
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
