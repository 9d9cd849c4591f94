import type { IDataObject } from 'n8n-workflow';
import { readObject } from './responses';

/** Where a response speaks of something else, or gives back what was sent. */
const NOT_WHAT_WAS_MADE = ['error', 'errors', 'metadata'];

/**
 * What was made, in the response to a create.
 * @param names of what tells that a response is about such a thing, such as its id
 * @returns undefined when the body can't be read or names nothing anywhere, as an error that is sent with status 200
 */
export function readMade(body: Buffer, names: readonly string[]): IDataObject | undefined {
	const response = readObject(body);
	if (!response) return undefined;
	let isNamed = false;
	JSON.stringify(response, (key, value: unknown) => {
		if (NOT_WHAT_WAS_MADE.includes(key)) return undefined;
		isNamed ||= names.includes(key) && value !== null && value !== '';
		return value;
	});
	return isNamed ? response : undefined;
}
