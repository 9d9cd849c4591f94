import { createHash } from 'node:crypto';
import type { INodeExecutionData, INodeParameters } from 'n8n-workflow';
import type { BuiltRequest } from '../../shared/transport/buildRequest';

/** What the user recognises a creation by. */
export interface Label {
	/** What the user calls it. */
	referenceNumber: string;
	/** Equal whenever the same thing is asked for, whatever else differs: merchant and reference, say. */
	key?: string;
	/** What has to be equal too: amount and currency, '149.99 DKK', or a merchant's bank account. */
	terms?: string;
	/** The merchant that it is for. */
	merchantId?: string;
}

/** What identifies a creation. The names are in stored executions: they are never renamed. */
export interface Identity extends Label {
	/** Hash of what was sent where. */
	request: string;
	/** Hash of the node's parameters and the item that it came from. */
	origin: string;
	/** Hash of the parameters that the label is written in, and of the item: an expression gives another label in a retry. */
	labelOrigin?: string;
	/** `labelOrigin` as older versions computed it, if there is a picker: with how its value was picked. */
	pickedOrigin?: string;
}

/**
 * The parameters that did not exist in 0.1.0, with the default that n8n fills in when it loads a workflow. At its default
 * such a parameter changes nothing, so it must not change the hash either: 0.1.0's hashes are in stored executions.
 */
const NEWER_DEFAULTS: Readonly<Record<string, unknown>> = { authentication: 'oAuth2' };

/** The parameters that hold what the user identifies the thing by, of all operations. */
const LABEL_PARAMETERS: readonly string[] = [
	'merchantId',
	'referenceNumber',
	'merchantNumber',
	'name',
	'companyName',
];

/** What a picker's value says, however it was picked, and under which name. */
const withoutMode = (value: unknown) => (value as { value?: unknown } | null)?.value ?? value;

const hashOf = (value: unknown) =>
	createHash('sha256').update(JSON.stringify(value)).digest('base64url');

/**
 * The hashes by which a retry recognises what this node has asked for.
 * @param parameters of the node, before expressions are evaluated
 * @returns the identity of what is created for an item
 */
export function identifierFor(parameters: INodeParameters) {
	const entries = Object.entries(parameters);
	const picked = entries.filter(([name]) => LABEL_PARAMETERS.includes(name));
	const labels = picked.map(([name, value]) => [name, withoutMode(value)]);
	const hasPicker = picked.some(([, value]) => withoutMode(value) !== value);
	const others = entries.filter(([name, value]) => NEWER_DEFAULTS[name] !== value);
	const node = hashOf({ ...Object.fromEntries(others), options: undefined });
	return (
		{ json }: INodeExecutionData,
		{ baseUrl, method, path, headers, body }: BuiltRequest,
		{ referenceNumber, key, terms, merchantId }: Label,
	): Identity => ({
		request: hashOf([baseUrl, method, path, headers, body]),
		origin: hashOf([baseUrl, node, json]),
		...(labels.length > 0 && {
			labelOrigin: hashOf([baseUrl, path, labels, json]),
			...(hasPicker && { pickedOrigin: hashOf([baseUrl, path, picked, json]) }),
		}),
		referenceNumber,
		...(key !== undefined && { key: hashOf([baseUrl, key]) }),
		...(terms !== undefined && { terms }),
		...(merchantId !== undefined && { merchantId }),
	});
}
