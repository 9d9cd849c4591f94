import type { IDataObject } from 'n8n-workflow';
import { isErrorBody, isId, isRecord, readObject } from './responses';

/**
 * The objects in a response that describe what it is about: the response, and the ones under `data`, `result` and its own
 * name (assumed).
 * @param name what it is about, such as `payment`
 */
export const placesIn = (response: IDataObject, name: string): IDataObject[] => [
	response,
	...['data', 'result', name]
		.map((key) => response[key])
		.filter(isRecord)
		.flatMap((place) => placesIn(place as IDataObject, name)),
];

/**
 * What was created, in the response to a create.
 * @param name what that is, such as `payment`
 * @param keys the keys that only a response about such a thing has, such as its id. Elsewhere than in {@link placesIn} they
 *   are about something else
 * @returns the whole response; undefined when the body can't be read or has no ID under any of the keys, such as an error that is
 *   sent with status 200
 */
export function readCreated(
	body: Buffer,
	name: string,
	keys: readonly string[],
): IDataObject | undefined {
	const response = readObject(body);
	if (!response) return undefined;
	const places = placesIn(response, name);
	const namesIt = (place: IDataObject) => keys.some((key) => isId(place[key]));
	return !places.some(isErrorBody) && places.some(namesIt) ? response : undefined;
}
