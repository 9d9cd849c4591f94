import type { IDataObject } from 'n8n-workflow';
import { parseExactly } from '../largeIntegers';

/*
 * Reading a response. Whatever a server sends, it takes time linear in the size of the response, and n8n serves nobody
 * else meanwhile: so JSON is taken only up to a depth, and only the beginning of a text for people is looked at.
 */

/** How deep the JSON of a response may be nested. What AcountPay documents has three levels. */
const MAX_DEPTH = 100;

/** How much of a response is looked at for the reason of an error, in characters. */
const MAX_REASON_INPUT = 64 * 1024;

/** How many values of a JSON response are looked at for it, nested ones included. */
const MAX_REASON_VALUES = 10_000;

/** How long a reason may be, in characters. */
const MAX_REASON_LENGTH = 500;

/** Whether a value is an object, and no array. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The JSON in the body of a response. An integer that JavaScript can't hold for certain comes as text with its digits. A byte
 * order mark is passed over, as RFC 8259 allows.
 * @returns undefined when the body is cut off, empty or HTML, or nested deeper than 100 levels
 */
export function readJson(body: Buffer): unknown {
	const text = body.toString('utf8');
	try {
		return parseExactly(text.startsWith('\uFEFF') ? text.slice(1) : text, MAX_DEPTH);
	} catch {
		return undefined;
	}
}

/**
 * The JSON object in the body of a response.
 * @returns undefined when there is none, or it is empty: then it says nothing about a payment
 */
export function readObject(body: Buffer): IDataObject | undefined {
	const value = readJson(body);
	return isRecord(value) && Object.keys(value).length > 0 ? (value as IDataObject) : undefined;
}

/**
 * Whether a body is that of an error, whatever its status: by `statusCode` or `status` with a number, as NestJS and RFC 9457
 * have it, a `status` of `error`, or a `success` or `ok` that is false (assumed).
 */
export const isErrorBody = ({
	statusCode,
	status,
	success,
	ok,
}: Record<string, unknown>): boolean =>
	[success, ok].some((value) => String(value) === 'false') ||
	[statusCode, status].some((value) => Number(value) >= 400) ||
	status === 'error';

/**
 * The JSON object in the body of a successful response.
 * @returns undefined when there is none, it is empty, or it is an error that was sent with status 200
 */
export function readResponse(body: Buffer): IDataObject | undefined {
	const object = readObject(body);
	return object && !isErrorBody(object) ? object : undefined;
}

/**
 * Whether a value can be an id: text that is not blank, or an integer (both are documented). A number that JavaScript
 * can't hold, such as `1e400`, is none: many things would share it.
 */
export const isId = (value: unknown): value is string | number =>
	typeof value === 'string' ? value.trim() !== '' : Number.isSafeInteger(value);

/**
 * The texts in a part of a response, each with the names on the way to it: of an object its `message`, or else all.
 * @param budget how many values may still be looked at
 */
function* textsOf(value: unknown, budget: { values: number }, path = ''): Generator<string> {
	if (--budget.values < 0) return;
	if (typeof value === 'string' && value.trim() !== '') yield path + value.trim();
	else if (Array.isArray(value)) for (const part of value) yield* textsOf(part, budget, path);
	else if (isRecord(value)) {
		let isSaid = false;
		for (const text of textsOf(value.message, budget, path)) {
			isSaid = true;
			yield text;
		}
		if (isSaid) return;
		for (const name of Object.keys(value)) {
			// It had nothing to say. To look at it again at each level doubles the time with each of them.
			if (name !== 'message') yield* textsOf(value[name], budget, `${path}${name}: `);
		}
	}
}

/** Each text once, in the order in which they were found, until there is as much as is looked at. */
function joined(texts: Iterable<string>): string {
	const parts = new Set<string>();
	let left = MAX_REASON_INPUT;
	for (const text of texts) {
		// Cut before anything else: the names on the way to a text may be longer than the body together.
		const part = text.slice(0, left);
		parts.add(part);
		left -= part.length;
		if (left <= 0) break;
	}
	return [...parts].join('; ');
}

/** What a JSON response says where errors are expected to say it, else every text that there is. */
function textsIn(value: unknown): string {
	const budget = { values: MAX_REASON_VALUES };
	const { message, error, errors } = isRecord(value) ? value : ({} as Record<string, unknown>);
	const texts = [...textsOf(message, budget)];
	if (texts.length === 0) texts.push(...textsOf(error, budget));
	texts.push(...textsOf(errors, budget));
	return joined(texts.length > 0 ? texts : textsOf(value, budget));
}

/**
 * What AcountPay says about why it refused, for people to read. The shape of errors is assumed: `message` (text or
 * list) as NestJS sends it, else `error` (text or object with `message`), with `errors`, which may name fields; else every
 * text that there is. HTML is stripped of its tags. At most 64 kB of text are looked at.
 * @param hide takes secrets out; before the text is cut, since half a secret is harder to find
 * @returns at most 500 characters; an empty string when the body says nothing
 */
export function readReason(body: Buffer, hide: (text: string) => string): string {
	const value = readJson(body);
	const text = value === undefined ? textOf(body) : textsIn(value);
	const reason = hide(text);
	return reason.length > MAX_REASON_LENGTH ? `${reason.slice(0, MAX_REASON_LENGTH - 1)}…` : reason;
}

/** What a browser does not show. What has no end lasts as long as the page: nothing is searched twice. */
const INVISIBLE = /<(script|style|head)\b[^]*?(?:<\/\1\s*>|$)/gi;

/** The text of a body that is no JSON, without the tags of HTML. */
const textOf = (body: Buffer): string =>
	body
		.toString('utf8')
		.trim()
		.slice(0, MAX_REASON_INPUT)
		.replace(INVISIBLE, ' ')
		.replace(/<[^<>]*>/g, ' ')
		.replace(/\s+/g, ' ')
		.trim();
