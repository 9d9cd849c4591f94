import type { IDataObject, IExecuteFunctions, INodeParameters } from 'n8n-workflow';
import { ValidationError } from '../../shared/errors';
import { changedNumberIn } from '../../shared/largeIntegers';
import { assertFieldDepth, assertFieldSize } from './bodyLimits';

/** The parameters of one item, as they are after n8n has evaluated the expressions: of any type. */
export class ItemParameters {
	constructor(
		private readonly context: IExecuteFunctions,
		private readonly itemIndex: number,
		/** How many items the node has been given. */
		readonly itemCount: number,
	) {}

	/**
	 * The value of a field; null when the workflow does not have it.
	 * @throws ValidationError when it holds `{{` but is not in Expression mode
	 */
	get(name: string): unknown {
		refuseUnevaluated(name, rawParametersOf(this.context)[name]);
		return this.context.getNodeParameter(name, this.itemIndex, null) as unknown;
	}

	/**
	 * The fields of a collection that the user added. A field without a value counts as not added: a language model can't
	 * leave a field out, and sends an empty text or null.
	 * @throws ValidationError when one holds `{{` but is not in Expression mode
	 */
	collection(name: string): IDataObject {
		const raw = rawParametersOf(this.context)[name];
		for (const [field, value] of Object.entries(raw ?? {})) refuseUnevaluated(field, value);
		const fields = this.context.getNodeParameter(name, this.itemIndex, {}) as IDataObject | null;
		return Object.fromEntries(
			Object.entries(fields ?? {}).filter(([, value]) => !isLeftOut(value)),
		) as IDataObject;
	}
}

/**
 * What the user picked or typed, in whatever form the workflow has it: a picker's, or plain. n8n omits the mark `__rl`
 * of an untouched picker in a collection.
 * @param value as n8n hands it over
 */
export const pickedValue = (value: unknown): unknown =>
	typeof value === 'object' &&
	value !== null &&
	'value' in value &&
	('__rl' in value || 'mode' in value)
		? value.value
		: value;

/** Whether an optional field has no value. */
export function isLeftOut(value: unknown): boolean {
	const picked = pickedValue(value);
	return (
		picked === undefined || picked === null || (typeof picked === 'string' && picked.trim() === '')
	);
}

/** The fields before expressions are evaluated, by run of the node: n8n copies all of them each time it is asked. */
const rawParameters = new WeakMap<IExecuteFunctions, INodeParameters>();

function rawParametersOf(context: IExecuteFunctions): INodeParameters {
	const raw = rawParameters.get(context) ?? context.getNode().parameters;
	rawParameters.set(context, raw);
	return raw;
}

/** Fields with text of any kind: a `{{` in them may be meant as it is. */
const JSON_FIELDS = ['customFields', 'metadata'];

/**
 * @param name of the field in saved workflows; in the editor it has the same words
 * @param raw its value before it is evaluated; n8n marks an expression by a leading '='
 */
function refuseUnevaluated(name: string, raw: unknown): void {
	const isText = typeof raw === 'string' && !raw.startsWith('=');
	if (!isText || !raw.includes('{{') || JSON_FIELDS.includes(name)) return;
	throw new ValidationError(
		titleOf(name),
		`must not be the text ${preview(raw)}: n8n evaluates it only in an expression`,
		"Switch the field from 'Fixed' to 'Expression'. Nothing was sent.",
	);
}

/** `webhookUrl` → `Webhook URL` */
const titleOf = (name: string): string =>
	name
		.replace(/(?=[A-Z])/g, ' ')
		.replace(/^./, (letter) => letter.toUpperCase())
		.replace(/\b(Id|Url)\b/g, (word) => word.toUpperCase());

/** Nothing but invisible characters, such as a space without width. */
const BLANK = /^[\s\p{Default_Ignorable_Code_Point}]*$/u;

const HTTP_URL = /^https?:\/\/[^\s/]\S*$/i;

/** A value as an error shows it: as JSON, cut short. */
export function preview(value: unknown): string {
	let text: string | undefined;
	try {
		text = typeof value === 'number' ? String(value) : JSON.stringify(value);
	} catch {
		// A circular object.
	}
	text ??= typeof value;
	return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/**
 * A text that must be there. A number is taken as its text, as a spreadsheet gives order numbers.
 * @throws ValidationError when it is empty, blank, neither text nor number, or a number too large to be exact
 */
export function requiredText(field: string, value: unknown): string {
	if (typeof value === 'string' && !BLANK.test(value)) return value;
	if (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return String(value);
	if (typeof value === 'number' && !Number.isNaN(value)) {
		throw new ValidationError(field, `must be text: the number ${value} is too large to be exact`);
	}
	if (value === undefined || value === null || typeof value === 'string') {
		throw new ValidationError(
			field,
			'must not be empty',
			'When it comes from an expression, check that this item has the value.',
		);
	}
	throw new ValidationError(field, `must be text, but is ${preview(value)}`);
}

/**
 * A whole URL of the web.
 * @throws ValidationError when it is anything else
 */
export function webUrl(field: string, value: unknown): string {
	if (typeof value === 'string' && HTTP_URL.test(value) && URL.canParse(value)) return value;
	throw new ValidationError(
		field,
		`must be a whole URL that starts with https:// or http://, but is ${preview(value)}`,
	);
}

/**
 * A JSON object, which n8n hands over as text or as an object.
 * @returns a copy that is plain JSON
 * @throws ValidationError when it is anything else
 */
export function jsonObject(field: string, value: unknown): IDataObject {
	assertFieldSize(field, value);
	let text: string | undefined;
	let parsed: unknown;
	try {
		text = typeof value === 'string' ? value : JSON.stringify(value);
		parsed = JSON.parse(text) as unknown;
	} catch {
		// Refused below.
	}
	// Only text can be checked: the numbers in an object have been rounded already.
	const lost =
		parsed !== undefined && typeof value === 'string' ? changedNumberIn(value) : undefined;
	if (lost !== undefined) {
		throw new ValidationError(
			field,
			`must not have the number ${lost}, which might be sent as another number: write it in quotes`,
		);
	}
	if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed) || !text) {
		throw new ValidationError(
			field,
			`must be a JSON object, such as { "orderId": 42 }, but is ${preview(value)}`,
			typeof value === 'string' && value.includes('{{')
				? "To have n8n evaluate what is in {{ }}, switch the field from 'Fixed' to 'Expression'. Nothing was sent."
				: undefined,
		);
	}
	assertFieldDepth(field, text);
	if (typeof value !== 'string') return parsed as IDataObject;
	// For text, only its length was checked above; now its number of values is.
	assertFieldSize(field, parsed);
	return parsed as IDataObject;
}

/** As a spreadsheet gives a whole number. */
const WHOLE_NUMBER_TEXT = /^(0|[1-9]\d*)$/;

/**
 * A whole number within bounds, as a number or as the text of its digits.
 * @throws ValidationError
 */
export function wholeNumber(field: string, value: unknown, least: number, most: number): number {
	const isText = typeof value === 'string' && WHOLE_NUMBER_TEXT.test(value);
	const number = typeof value === 'number' || isText ? Number(value) : NaN;
	if (Number.isInteger(number) && number >= least && number <= most) return number;
	throw new ValidationError(
		field,
		`must be a whole number from ${least} to ${most}, but is ${preview(value)}`,
	);
}

/**
 * One of the values of a list.
 * @throws ValidationError
 */
export function oneOf<Value>(field: string, value: unknown, values: readonly Value[]): Value {
	const found = values.find((known) => known === value);
	if (found !== undefined) return found;
	throw new ValidationError(field, `must be one of ${values.join(', ')}, but is ${preview(value)}`);
}
