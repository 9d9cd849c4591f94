import type { FastifySchemaValidationError } from 'fastify/types/schema';

/** A JSON schema of one field, as far as the sandbox uses it. */
interface FieldSchema {
	type?: string;
	format?: string;
	minimum?: number;
	enum?: readonly string[];
	pattern?: string;
	minItems?: number;
	items?: FieldSchema;
}

/** A JSON schema of an object's fields. */
export interface BodySchema {
	type: 'object';
	properties: Record<string, FieldSchema>;
	required?: readonly string[];
	additionalProperties?: boolean;
}

/** A text of any kind. */
export const text = { type: 'string' } as const;

/** A text with something else than white space in it. */
export const filledText = { type: 'string', pattern: '\\S' } as const;

/** Yes or no. */
export const flag = { type: 'boolean' };

/** A time, not negative, in ms. */
export const milliseconds = { type: 'number', minimum: 0 };

/** A number that counts something. */
export const wholeNumber = { type: 'integer', minimum: 0 };

/** A JSON schema for an object with these properties and no others. */
export const only = (properties: object, required: string[] = []) => ({
	type: 'object',
	properties,
	required,
	additionalProperties: false,
});

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

/** The formats that the schemas name; fastify has an `email` and a `url` of its own. Assumed: that an amount has two decimals at most. */
export const FORMATS = {
	amount: {
		type: 'number' as const,
		validate: (value: number) => Math.round(value * 100) / 100 === value,
	},
	currency: (value: string) => CURRENCIES.has(value),
	address: /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
	webUrl: (value: string) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
};

/** What is said when a value has the wrong format, whatever else is wrong with it. */
const FORMAT_SENTENCES: Record<string, string> = {
	currency: 'must be a valid ISO4217 currency code',
	address: 'must be an email',
	webUrl: 'must be a URL address',
};

const article = (type = 'string') => (/^[aeio]/.test(type) ? `an ${type}` : `a ${type}`);

function sentence({ keyword }: FastifySchemaValidationError, field: FieldSchema): string {
	if (FORMAT_SENTENCES[field.format ?? '']) return FORMAT_SENTENCES[field.format!];
	if (keyword === 'minimum') return `must not be less than ${field.minimum}`;
	if (keyword === 'format') return 'must have at most 2 decimal places';
	if (keyword === 'pattern' || keyword === 'minItems') return 'should not be empty';
	if (keyword === 'enum') {
		return `must be one of the following values: ${(field.enum ?? field.items?.enum)!.join(', ')}`;
	}
	return `must be ${article(field.type)}`;
}

/**
 * What NestJS says of a body that breaks its schema. Assumed: the sentences.
 * @param errors what ajv found, every error of the body
 * @returns one sentence for each wrong field, in the schema's order; last those of unknown fields
 */
export function complaints(errors: FastifySchemaValidationError[], schema: BodySchema): string[] {
	const fields = Object.keys(schema.properties);
	const said = new Map<string, string>();
	const unknown: string[] = [];
	for (const error of errors) {
		const { keyword, params, instancePath } = error;
		if (keyword === 'additionalProperties') {
			unknown.push(`property ${String(params.additionalProperty)} should not exist`);
			continue;
		}
		const name = String(params.missingProperty ?? instancePath.split('/')[1]);
		if (!said.has(name)) said.set(name, `${name} ${sentence(error, schema.properties[name])}`);
	}
	return [...fields.flatMap((name) => said.get(name) ?? []), ...unknown];
}
