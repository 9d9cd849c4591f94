import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { ValidationError } from '../../shared/errors';
import { withinSize } from './bodyLimits';
import { type ItemParameters, jsonObject, preview, requiredText, wholeNumber } from './parameters';

/**
 * A field for a text that may be left out.
 * @param name in saved workflows
 * @param displayName as the editor shows it
 * @param example that the empty field shows
 */
export const textField = (
	name: string,
	displayName: string,
	example: string,
	description: string,
): INodeProperties => ({
	displayName,
	name,
	type: 'string',
	default: '',
	placeholder: `e.g. ${example}`,
	description,
});

/** The same for a text that must be there. */
export const requiredTextField = (...args: Parameters<typeof textField>): INodeProperties => ({
	...textField(...args),
	required: true,
});

/**
 * The text of a required field, checked.
 * @throws ValidationError
 */
export const textFrom = (item: ItemParameters, { displayName, name }: INodeProperties): string =>
	requiredText(displayName, item.get(name));

/** The merchant that an operation is about, by its number. With keys only. */
export const merchantNumberField: INodeProperties = requiredTextField(
	'merchantNumber',
	'Merchant Number',
	'42',
	"AcountPay's number for the merchant: merchantId in the output of Create and Get Many. Not the client ID.",
);

/** Characters that would alter the URL path, control characters, lone surrogates, and the whole IDs `.` and `..`. */
const CHANGES_PATH = /[\s/\\?#%\p{Cc}\p{Cs}]|^\.{1,2}$/u;

/**
 * An ID that becomes a part of a URL's path.
 * @param example of such an ID
 * @throws ValidationError
 */
export function idFrom(item: ItemParameters, field: INodeProperties, example: string): string {
	const id = textFrom(item, field).trim();
	if (!CHANGES_PATH.test(id)) return id;
	throw new ValidationError(
		field.displayName,
		`must be an ID such as ${example}, without spaces or any of / \\ ? # %, but is ${preview(id)}`,
	);
}

/**
 * The checked number of a merchant.
 * @throws ValidationError
 */
export const merchantNumberFrom = (item: ItemParameters): string =>
	idFrom(item, merchantNumberField, '42');

const limitField: INodeProperties = {
	displayName: 'Limit',
	name: 'limit',
	type: 'number',
	typeOptions: { minValue: 1 },
	default: 50,
	displayOptions: { show: { returnAll: [false] } },
	description: 'Max number of results to return',
};

/** The fields of every list. */
export const listFields: INodeProperties[] = [
	{
		displayName: 'Return All',
		name: 'returnAll',
		type: 'boolean',
		default: false,
		description: 'Whether to return all results or only up to a given limit',
	},
	limitField,
];

/**
 * How many entries of a list to return at most; Infinity for all.
 * @throws ValidationError
 */
export function limitFrom(item: ItemParameters): number {
	if (item.get('returnAll') === true) return Infinity;
	const limit = item.get('limit') ?? limitField.default;
	return wholeNumber(limitField.displayName, limit, 1, Number.MAX_SAFE_INTEGER);
}

/** Compares two fields by the name that the editor shows, for sorting. */
export const byName = (a: INodeProperties, b: INodeProperties): number =>
	a.displayName.localeCompare(b.displayName);

/** 'Additional Fields' with these fields to choose from, sorted by name. */
export const additionalFieldsWith = (options: INodeProperties[]): INodeProperties => ({
	displayName: 'Additional Fields',
	name: 'additionalFields',
	type: 'collection',
	placeholder: 'Add Field',
	default: {},
	options: [...options].sort(byName),
});

/**
 * The texts that the user added to a collection, checked.
 * @param fields to look for; those that are no text are left out
 * @throws ValidationError
 */
export function textsFrom(
	collection: Record<string, unknown>,
	fields: readonly INodeProperties[],
): Record<string, string> {
	return Object.fromEntries(
		fields
			.filter(({ name, type }) => type === 'string' && name in collection)
			.map(({ name, displayName }) => [name, requiredText(displayName, collection[name])]),
	);
}

/** For values that AcountPay takes in a request's body, and that have no field of their own in this node. */
export const customFieldsField: INodeProperties = {
	displayName: 'Custom Fields',
	name: 'customFields',
	type: 'json',
	default: '{}',
	description: 'Additional body fields as a JSON object, for values without a field here',
};

/**
 * The body of a request, with the custom fields added and checked.
 * @param collection that the custom fields are in, if the user added them
 * @param fields that fill in the body already, each by its name there: no custom field may replace one
 * @throws ValidationError when the custom fields are no JSON object or would replace a field, or the body is too large
 */
export function withCustomFields<Body extends IDataObject>(
	body: Body,
	collection: IDataObject,
	fields: ReadonlyArray<Pick<INodeProperties, 'name'>>,
): Body {
	if (!('customFields' in collection)) return withinSize(body);
	const customFields = jsonObject(customFieldsField.displayName, collection.customFields);
	const taken = fields
		.map(({ name }) => name)
		.filter((name) => name !== customFieldsField.name && Object.hasOwn(customFields, name));
	if (taken.length) {
		throw new ValidationError(
			customFieldsField.displayName,
			`must not contain ${taken.join(', ')}: use the node's own fields for these`,
		);
	}
	return withinSize({ ...body, ...customFields });
}
