import type { IDataObject } from 'n8n-workflow';
import { isErrorBody, isId, isRecord, readJson } from './responses';

/** One page of a list. */
export interface Page {
	entries: IDataObject[];
	/** How many entries the whole list has, where AcountPay says so. */
	total?: number;
	/** How many entries a page has at most, where AcountPay says so. */
	limit?: number;
}

const countIn = (value: unknown): number | undefined =>
	Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;

const says = (value: unknown): boolean =>
	typeof value === 'object' ? Object.keys(value ?? {}).length > 0 : Boolean(value);

/**
 * The page in the body of a response: an object that has the entries under the list's name (documented for payments and
 * stores), or a bare array (documented for stores, assumed for the others).
 * @param name such as `payments`
 * @returns undefined when the body holds no such list or names an error, or an entry is no object: then it may be any
 */
export function readPage(body: Buffer, name: string): Page | undefined {
	const value = readJson(body);
	const object = isRecord(value) ? value : undefined;
	if (object && (isErrorBody(object) || says(object.error) || says(object.errors)))
		return undefined;
	const entries = object ? object[name] : value;
	if (!Array.isArray(entries) || !entries.every(isRecord)) return undefined;
	return {
		entries: entries as IDataObject[],
		...(object && { total: countIn(object.total), limit: countIn(object.limit) }),
	};
}

/** The value of the first of these names that is an id: text that is not blank, or an integer. */
export const idIn = (entry: IDataObject, names: readonly string[]): string | number | undefined =>
	names.map((name) => entry[name]).find(isId);

/**
 * The entry with its id under the first of these names as well: AcountPay documents two names for the same id.
 * @param names the one that the output always has, then the others
 */
export function withId(entry: IDataObject, names: readonly [string, ...string[]]): IDataObject {
	const id = idIn(entry, names);
	return id === undefined || isId(entry[names[0]])
		? entry
		: { [names[0]]: id, ...entry, [names[0]]: id };
}
