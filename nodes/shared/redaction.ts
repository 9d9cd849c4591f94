/** What stands in the place of a secret. */
const PLACEHOLDER = '[secret]';

/** A part of a secret of so many characters in a row counts as a leak, when nothing else goes on in its place. */
const SHORTEST_PART = 16;

/** Texts are searched by pieces of so many characters. */
const PIECE = 8;

/** In a part that is long enough, a piece begins at one of the places that are so far from each other. */
const STRIDE = SHORTEST_PART - PIECE + 1;

/** How many places in one secret are remembered for a piece: some secrets repeat themselves. */
const PLACES_OF_A_PIECE = 4;

/** A shorter secret is only known in its plain form, as a whole word: too much of what is encoded looks like it. */
const SHORTEST_ENCODED = 8;

/** How often a text may be encoded: `%252F` is a slash that was encoded twice. */
const MAX_DECODINGS = 3;

/** A form in which a secret may stand in a text. */
interface Form {
	text: string;
	/** Whether it is base64 of the secret and its neighbours, whose characters next to it hold some bits of it. */
	sharesStart: boolean;
	sharesEnd: boolean;
	/** From where up to where the text was last compared with it. */
	comparedAt: number;
	comparedTo: number;
}

/** From a place in a text up to, and without, another. */
type Span = [start: number, end: number];

/** A text, or what it says once it is decoded, with the place in the text of each of its characters. */
interface View {
	text: string;
	/** One more than there are characters: the last is the end of the text. Undefined: each where it is. */
	places?: Uint32Array;
}

const TABLE_SIZE = 1 << 16;

// Taken once: in jest, each look-up of a global costs more than the hash.
const { imul } = Math;

/** A hash of the piece of a text that begins at a place. */
function placeInTable(text: string, at: number): number {
	let hash = 0;
	for (let index = at; index < at + PIECE; index++) {
		hash = (imul(hash, 31) + text.charCodeAt(index)) | 0;
	}
	// Spreads what the last characters change over all bits.
	return imul(hash, 0x9e3779b1) >>> 16;
}

const isWordCode = (code: number) =>
	(code >= 0x30 && code <= 0x39) ||
	(code >= 0x41 && code <= 0x5a) ||
	(code >= 0x61 && code <= 0x7a) ||
	code === 0x5f ||
	code === 0x2d;

/** Whether a token would go on at a place. */
const isWordAt = (text: string, at: number) =>
	at >= 0 && at < text.length && isWordCode(text.charCodeAt(at));

const isBase64At = (text: string, at: number) =>
	isWordAt(text, at) || text[at] === '+' || text[at] === '/';

/** The forms in which servers echo a secret, besides escapes, which are decoded. */
function formsOf(secret: string): Form[] {
	const forms = new Map<string, Form>();
	const add = (text: string, sharesStart = false, sharesEnd = false) => {
		if (text.length < SHORTEST_ENCODED || forms.has(text)) return;
		forms.set(text, {
			text,
			sharesStart,
			sharesEnd,
			comparedAt: 0,
			comparedTo: 0,
		});
	};
	add(secret);
	add(secret.toLowerCase());
	add(secret.toUpperCase());
	add(secret.replaceAll(' ', '+'));
	const bytes = Buffer.from(secret);
	// What an URL-encoded letter such as ø is decoded to here: its bytes, each as a character.
	add(bytes.toString('latin1'));
	add(bytes.toString('hex'));
	add(bytes.toString('hex').toUpperCase());
	for (const before of [0, 1, 2]) {
		const whole = Buffer.concat([Buffer.alloc(before), bytes]);
		// The characters that hold bits of the secret alone.
		const start = Math.ceil((before * 8) / 6);
		const end = Math.floor((whole.length * 8) / 6);
		for (const encoding of ['base64', 'base64url'] as const) {
			const text = whole.toString(encoding).slice(start, end);
			add(text, before > 0, (whole.length * 8) % 6 > 0);
		}
	}
	return [...forms.values()];
}

/** Those of characters that are in secrets, with their UTF-16 units. */
const HTML_ENTITIES: ReadonlyMap<string, number> = new Map([
	['amp', 0x26],
	['lt', 0x3c],
	['gt', 0x3e],
	['quot', 0x22],
	['apos', 0x27],
	['sol', 0x2f],
	['plus', 0x2b],
	['equals', 0x3d],
]);
/** The longest that is read: `&#x10ffff;`, with zeros in front. */
const LONGEST_ENTITY = 12;

/** The number that hexadecimal digits at a place stand for; -1 when there are not so many. */
function hexAt(text: string, at: number, digits: number): number {
	let value = 0;
	for (let index = at; index < at + digits; index++) {
		const code = text.charCodeAt(index);
		const letter = code | 0x20;
		if (code >= 0x30 && code <= 0x39) value = value * 16 + code - 0x30;
		else if (letter >= 0x61 && letter <= 0x66) value = value * 16 + letter - 0x57;
		else return -1;
	}
	return value;
}

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const BACKSLASH = 0x5c;
/** What stands for itself behind a backslash: " / and the backslash. */
const ESCAPED: ReadonlySet<number> = new Set([0x22, 0x2f, BACKSLASH]);

/** What an escape at a place stands for, as an UTF-16 unit, and its length; undefined when there is none. */
function escapeAt(text: string, at: number): [unit: number, length: number] | undefined {
	const sign = text.charCodeAt(at);
	if (sign === AMPERSAND) return entityAt(text, at);
	if (sign === PERCENT) {
		const unit = hexAt(text, at + 1, 2);
		return unit === -1 ? undefined : [unit, 3];
	}
	const next = text.charCodeAt(at + 1);
	if (ESCAPED.has(next)) return [next, 2];
	const unit = text[at + 1] === 'u' ? hexAt(text, at + 2, 4) : -1;
	return unit === -1 ? undefined : [unit, 6];
}

function entityAt(text: string, at: number): [unit: number, length: number] | undefined {
	let end = at + 1;
	while (end < at + LONGEST_ENTITY && (isWordAt(text, end) || text[end] === '#')) end++;
	if (text[end] !== ';') return undefined;
	const name = text.slice(at + 1, end);
	const [, hex, decimal] = /^#(?:x([0-9a-f]+)|([0-9]+))$/i.exec(name) ?? [];
	const unit = hex ? parseInt(hex, 16) : Number(decimal ?? HTML_ENTITIES.get(name));
	return unit <= 0xffff ? [unit, end + 1 - at] : undefined;
}

/** What a view says once its escapes are decoded: those of URLs, JSON and HTML. Undefined when it has none. */
function decoded({ text, places }: View): View | undefined {
	if (!/[%&\\]/.test(text)) return undefined;
	const units = new Uint16Array(text.length);
	const unitPlaces = new Uint32Array(text.length + 1);
	let length = 0;
	for (let at = 0; at < text.length; ) {
		const code = text.charCodeAt(at);
		const isEscape = code === PERCENT || code === AMPERSAND || code === BACKSLASH;
		const escape = isEscape ? escapeAt(text, at) : undefined;
		unitPlaces[length] = places ? places[at] : at;
		units[length++] = escape ? escape[0] : code;
		at += escape ? escape[1] : 1;
	}
	if (length === text.length) return undefined;
	unitPlaces[length] = places ? places[text.length] : text.length;
	const said = Buffer.from(units.buffer, 0, length * 2).toString('utf16le');
	return { text: said, places: unitPlaces };
}

/**
 * Takes secrets out of what comes from outside: whole ones in every form that servers echo (plain, base64 alone or in
 * a longer text, hexadecimal, with the escapes of URLs, JSON and HTML, up to three times), and parts of at least 16
 * characters of them where they were cut. Nothing else changes: another token that begins like a secret stays, as a JWT with
 * the same header does. Takes time linear in the length of the text, whatever the number of secrets.
 */
export class Redactor {
	private readonly secrets = new Set<string>();
	/** Those that are only looked for as whole words, and forms that have no part long enough to be looked for. */
	private readonly short = new Set<string>();
	/** Where each piece of the forms is. */
	private readonly pieces = new Map<string, Array<[form: Form, offset: number]>>();
	/** Of most pieces of a text, one look at this table says that they are none. */
	private readonly mayBePiece = new Uint8Array(TABLE_SIZE);
	private readonly forms: Form[] = [];
	/** Secrets that are not searched for yet: many nodes never see a text that could hold one. */
	private added: string[] = [];
	/** A shorter text holds none. */
	private shortest = Infinity;

	/** @param secrets empty ones are passed over */
	constructor(secrets: Iterable<string> = []) {
		for (const secret of secrets) this.add(secret);
	}

	/** From now on this secret is taken out, too. */
	add(secret: string): void {
		if (secret === '' || this.secrets.has(secret)) return;
		this.secrets.add(secret);
		this.added.push(secret);
		this.shortest = Math.min(this.shortest, secret.length, SHORTEST_PART);
	}

	/** The text without secrets; the same when it has none. */
	text(text: string): string {
		if (text.length < this.shortest) return text;
		this.prepare();
		const spans: Span[] = [];
		let view: View | undefined = { text };
		for (let decodings = 0; view && decodings <= MAX_DECODINGS; decodings++) {
			this.search(view, spans);
			view = decoded(view);
		}
		return spans.length === 0 ? text : withoutSpans(text, spans);
	}

	/**
	 * JSON without secrets, neither in its texts nor in its keys.
	 * @param json nested as deep as a response may be
	 * @returns the same object when it has none
	 */
	value<T>(json: T): T {
		return this.redacted(json) as T;
	}

	private redacted(json: unknown): unknown {
		if (typeof json === 'string') return this.text(json);
		if (typeof json !== 'object' || json === null) return json;
		if (Array.isArray(json)) {
			let copy: unknown[] | undefined;
			for (let index = 0; index < json.length; index++) {
				const part = this.redacted(json[index]);
				if (part !== json[index]) (copy ??= [...(json as unknown[])])[index] = part;
			}
			return copy ?? json;
		}
		let changed = false;
		const entries = Object.entries(json).map(([key, part]): [string, unknown] => {
			const entry: [string, unknown] = [this.text(key), this.redacted(part)];
			changed ||= entry[0] !== key || entry[1] !== part;
			return entry;
		});
		return changed ? Object.fromEntries(withDistinctKeys(entries)) : json;
	}

	private prepare(): void {
		for (const secret of this.added) {
			if (secret.length < SHORTEST_ENCODED) this.short.add(secret);
			else for (const form of formsOf(secret)) this.prepareForm(form);
		}
		this.added = [];
	}

	private prepareForm(form: Form): void {
		if (form.text.length < SHORTEST_PART) {
			this.short.add(form.text);
			return;
		}
		this.forms.push(form);
		for (let offset = 0; offset + PIECE <= form.text.length; offset++) {
			const piece = form.text.slice(offset, offset + PIECE);
			const places = this.pieces.get(piece);
			this.mayBePiece[placeInTable(piece, 0)] = 1;
			if (!places) this.pieces.set(piece, [[form, offset]]);
			else if (places.length < PLACES_OF_A_PIECE) places.push([form, offset]);
		}
	}

	/** Finds what is to be taken out of a view. */
	private search(view: View, spans: Span[]): void {
		for (const form of this.forms) form.comparedAt = form.comparedTo = 0;
		const { text } = view;
		const add = (start: number, end: number) => {
			const { places } = view;
			spans.push(places ? [places[start], places[end]] : [start, end]);
		};
		for (const secret of this.short) {
			const mustBeWord = secret.length < SHORTEST_ENCODED;
			for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + 1)) {
				const end = at + secret.length;
				if (!mustBeWord || !(isWordAt(text, at - 1) || isWordAt(text, end))) add(at, end);
			}
		}
		if (this.pieces.size === 0) return;
		for (let at = 0; at + PIECE <= text.length; at += STRIDE) {
			if (this.mayBePiece[placeInTable(text, at)] === 0) continue;
			const places = this.pieces.get(text.slice(at, at + PIECE));
			if (!places) continue;
			for (const [form, offset] of places) {
				const span = spanAround(view, at, form, offset);
				if (span) add(...span);
			}
		}
	}
}

/**
 * Whether a token goes on at a place. Not with what an escape stands for: a stray `%4` before a secret makes an escape of its
 * first letter.
 */
const goesOnAt = ({ text, places }: View, at: number): boolean =>
	isWordAt(text, at) && (!places || places[at + 1] - places[at] === 1);

/** The secret, or the part of it, that a piece of a text belongs to. */
function spanAround(view: View, at: number, form: Form, offset: number): Span | undefined {
	const { text } = view;
	// Or a secret that repeats itself would be compared with the same text again and again.
	if (at < form.comparedTo && at !== form.comparedAt) return undefined;
	let before = 0;
	while (offset - before > 0 && text[at - before - 1] === form.text[offset - before - 1]) before++;
	let after = PIECE;
	const { length } = form.text;
	while (offset + after < length && at + after < text.length) {
		if (text[at + after] !== form.text[offset + after]) break;
		after++;
	}
	form.comparedTo = Math.max(at + after, form.comparedAt === at ? form.comparedTo : 0);
	form.comparedAt = at;

	let start = at - before;
	let end = at + after;
	const isFromStart = before === offset;
	const isToEnd = offset + after === length;
	const isLong = before + after >= SHORTEST_PART;
	// A text that goes on otherwise is another one, such as an id that begins like the secret.
	const isPart = (isFromStart || !goesOnAt(view, start - 1)) && (isToEnd || !goesOnAt(view, end));
	if (!isPart || !(isLong || (isFromStart && isToEnd))) return undefined;
	if (isFromStart && form.sharesStart && isBase64At(text, start - 1)) start--;
	if (isToEnd && form.sharesEnd && isBase64At(text, end)) end++;
	return [start, end];
}

/** A text with the placeholder where spans are; those that touch or overlap become one. */
function withoutSpans(text: string, spans: Span[]): string {
	spans.sort(([one], [other]) => one - other);
	const parts: string[] = [];
	let copied = 0;
	let covered = -1;
	for (const [start, end] of spans) {
		if (start > covered) parts.push(text.slice(copied, start), PLACEHOLDER);
		covered = Math.max(covered, end);
		copied = covered;
	}
	parts.push(text.slice(copied));
	return parts.join('');
}

/** Keys that have become equal get numbers, so that no value is lost. */
function withDistinctKeys(entries: Array<[string, unknown]>): Array<[string, unknown]> {
	const counts = new Map<string, number>();
	return entries.map(([key, value]) => {
		const count = (counts.get(key) ?? 0) + 1;
		counts.set(key, count);
		return [count === 1 ? key : `${key} ${count}`, value];
	});
}
