import type { IDataObject } from 'n8n-workflow';
import { ValidationError } from '../../shared/errors';
import { isDeeperThan } from '../../shared/jsonText';

/*
 * What is sent for one item is limited in size, because n8n serves nobody else while a large field is parsed, hashed, sent and
 * stored. AcountPay documents no limit; these are far above what an order needs (assumed).
 */

/** The most JSON that is sent for one item, in bytes. */
const MAX_BODY_SIZE = 100_000;

/** How many values a JSON field may hold: keys of objects and elements of lists, at all levels. */
const MAX_VALUES = 1_000;

/** How deep objects and lists may be nested in a JSON field. */
const MAX_DEPTH = 50;

/** In whole kilobytes: sizes are for people. */
const inKilobytes = (bytes: number) => `${Math.round(bytes / 1_000)} kB`;

/**
 * Refuses a JSON field that is too large, before it is parsed or copied. Takes no longer for a huge value than for one
 * that is just allowed.
 * @param value as n8n hands it over: text, or what an expression gave
 * @throws ValidationError
 */
export function assertFieldSize(field: string, value: unknown): void {
	if (typeof value === 'string') {
		// A character is at least one byte.
		if (value.length > MAX_BODY_SIZE) throw tooLarge(field, value.length);
		return;
	}
	let values = 0;
	let size = 0;
	const count = (part: unknown, depth: number): void => {
		if (typeof part === 'string') size += part.length;
		if (size > MAX_BODY_SIZE) throw tooLarge(field);
		if (typeof part === 'number' && !Number.isFinite(part)) throw noNumber(field, part);
		if (typeof part !== 'object' || part === null || hasJsonForm(part)) return;
		// Ends here, since an object that contains itself has no end. What is nested deeper is refused once it is text.
		if (depth > MAX_DEPTH) return;
		// Not Object.keys, which lists all keys of a huge object first.
		for (const key in part) {
			if (!Object.hasOwn(part, key)) continue;
			if (++values > MAX_VALUES) throw tooMany(field);
			size += key.length;
			count((part as IDataObject)[key], depth + 1);
		}
	};
	count(value, 1);
}

/**
 * Refuses JSON text that is nested too deep.
 * @throws ValidationError
 */
export function assertFieldDepth(field: string, text: string): void {
	if (!isDeeperThan(MAX_DEPTH, text)) return;
	throw new ValidationError(field, `must not be nested deeper than ${MAX_DEPTH} levels`);
}

/**
 * Refuses a request body that is too large.
 * @returns the body
 * @throws ValidationError
 */
export function withinSize<Body extends IDataObject>(body: Body): Body {
	const size = Buffer.byteLength(JSON.stringify(body));
	if (size > MAX_BODY_SIZE) throw tooLarge('What is sent', size);
	return body;
}

/** Whether JSON has a form of its own for an object, such as a date. */
const hasJsonForm = (value: object) => typeof (value as { toJSON?: unknown }).toJSON === 'function';

const noNumber = (field: string, value: number) =>
	new ValidationError(field, `must not have the number ${value}, which can't be sent as JSON`);

const KEEP_IT =
	'Keep large data in n8n or in your shop, and send only a key to find it by. Nothing was sent for this item.';

const tooMany = (field: string) =>
	new ValidationError(field, `must not have more than ${MAX_VALUES} values`, KEEP_IT);

function tooLarge(field: string, size?: number): ValidationError {
	const has = size === undefined ? '' : `, but has ${inKilobytes(size)}`;
	const limit = inKilobytes(MAX_BODY_SIZE);
	return new ValidationError(field, `must not be larger than ${limit}${has}`, KEEP_IT);
}
