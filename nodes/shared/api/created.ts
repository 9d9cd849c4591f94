import type { IDataObject } from 'n8n-workflow';
import { isRecord, readObject } from './responses';

/** Keys whose values are about something else, or are what was sent. */
const NOT_WHAT_WAS_CREATED: ReadonlySet<string> = new Set(['error', 'errors', 'metadata']);

const saysNothing = (value: unknown) =>
	value === null || value === '' || (typeof value === 'number' && !Number.isFinite(value));

/** Whether one of the names stands anywhere in a value. No deeper than the JSON of a response is nested. */
function holdsOneOf(names: ReadonlySet<string>, value: unknown): boolean {
	if (Array.isArray(value)) return value.some((part) => holdsOneOf(names, part));
	if (!isRecord(value)) return false;
	return Object.keys(value).some(
		(key) =>
			!NOT_WHAT_WAS_CREATED.has(key) &&
			((names.has(key) && !saysNothing(value[key])) || holdsOneOf(names, value[key])),
	);
}

/** Whether a body is that of an error, whatever its status, as NestJS writes it (assumed). */
const isError = ({ statusCode }: IDataObject) =>
	typeof statusCode === 'number' && statusCode >= 400;

/**
 * What was created, in the response to a create.
 * @param names keys that only a response about such a thing has, such as its id
 * @returns the whole response; undefined when the body can't be read or has none of the names, such as an error that is
 *   sent with status 200
 */
export function readCreated(body: Buffer, names: ReadonlySet<string>): IDataObject | undefined {
	const response = readObject(body);
	if (!response || isError(response)) return undefined;
	return holdsOneOf(names, response) ? response : undefined;
}
