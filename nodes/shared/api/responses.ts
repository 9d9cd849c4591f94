import type { IDataObject } from 'n8n-workflow';
import { digitsLost, type ReviverContext } from '../largeIntegers';

/** Some servers put it before their JSON; RFC 8259 lets readers pass over it. */
const BYTE_ORDER_MARK = /^\uFEFF/;

/** Whether a value is an object, and no array. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * For `JSON.parse`: keeps a whole number that JavaScript would round as text, and so every id that is too large to be
 * told from its neighbours. A rounded id is that of another payment.
 */
const keepLargeIntegers = (key: string, value: unknown, context?: ReviverContext): unknown => {
	const isLargeId =
		['id', 'paymentId'].includes(key) && Number.isInteger(value) && !Number.isSafeInteger(value);
	return digitsLost(value, context) ?? (isLargeId ? String(value) : value);
};

/**
 * The JSON object in the body of a response.
 * @returns undefined when the body is cut off, empty, HTML, or JSON of another kind: then it says nothing about a payment
 */
export function readObject(body: Buffer): IDataObject | undefined {
	try {
		const text = body.toString('utf8').replace(BYTE_ORDER_MARK, '');
		const value: unknown = JSON.parse(text, keepLargeIntegers);
		return isRecord(value) && Object.keys(value).length > 0 ? (value as IDataObject) : undefined;
	} catch {
		return undefined;
	}
}

const MAX_REASON_LENGTH = 500;

/** All texts in a part of a response: of an object its `message`, or else each text with the name that it has there. */
const textsIn = (value: unknown): string[] => {
	if (typeof value === 'string') return value.trim() === '' ? [] : [value.trim()];
	if (Array.isArray(value)) return value.flatMap(textsIn);
	if (!isRecord(value)) return [];
	const message = textsIn(value.message);
	if (message.length) return message;
	return Object.entries(value).flatMap(([name, part]) =>
		textsIn(part).map((text) => `${name}: ${text}`),
	);
};

/** What a response says where errors are expected to say it. */
const statedIn = ({ message, error, errors }: Record<string, unknown>): string[] => {
	const [summary = []] = [message, error].map(textsIn).filter((texts) => texts.length);
	return [...new Set([...summary, ...textsIn(errors)])];
};

const visibleText = (html: string) =>
	html
		.replace(/<(script|style|head)\b[\s\S]*?<\/\1\s*>/gi, ' ')
		.replace(/<[^>]*>/g, ' ')
		.replace(/\s+/g, ' ')
		.trim();

/**
 * What AcountPay says about why it rejected a request, for a person to read. The shape of errors is assumed: `message` (text or
 * list) as NestJS sends it, else `error` (text or object with `message`), with `errors`, which may name fields; else every
 * text that there is. HTML is stripped of its tags.
 * @param hide takes out what must not get out; before the text is cut, since half a secret is not found
 * @returns at most 500 characters; an empty string when the body says nothing
 */
export function readReason(body: Buffer, hide: (text: string) => string): string {
	const text = body.toString('utf8').trim();
	let reason: string;
	try {
		const value: unknown = JSON.parse(text);
		const texts = isRecord(value) ? statedIn(value) : [];
		reason = (texts.length ? texts : textsIn(value)).join('; ');
	} catch {
		reason = visibleText(text);
	}
	reason = hide(reason);
	return reason.length > MAX_REASON_LENGTH ? `${reason.slice(0, MAX_REASON_LENGTH - 1)}…` : reason;
}
