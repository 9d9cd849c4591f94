import { filledText, text, type BodySchema } from '../validation';
import { KEY_EVENTS } from './webhooks';

/** An object with these fields and no others: assumed, as NestJS does it when it is told to be strict. */
const only = (properties: BodySchema['properties'], required: string[] = []): BodySchema => ({
	type: 'object',
	properties,
	required,
	additionalProperties: false,
});

const email = { type: 'string', format: 'address' };
const url = { type: 'string', format: 'webUrl' };
const wholeNumber = { type: 'string', pattern: '^[1-9]\\d*$' };

const merchant = {
	companyName: filledText,
	contactEmail: email,
	contactPhone: text,
	partnerRefId: text,
};

/** Documented; assumed: that an amount has two decimals at most, and that required texts are not empty. */
export const CREATE_PAYMENT = only(
	{
		merchantClientId: filledText,
		amount: { type: 'number', minimum: 0.01, format: 'amount' },
		referenceNumber: filledText,
		description: text,
		currency: { type: 'string', format: 'currency' },
		storeId: filledText,
		registerId: filledText,
	},
	['merchantClientId', 'amount', 'referenceNumber'],
);

/** The query of a list. Any status is taken: which there are is not documented. */
export const LIST_PAYMENTS = only({
	merchantClientId: text,
	status: text,
	page: wholeNumber,
	limit: wholeNumber,
});

/** Documented; both required fields are the ones of the smallest sample. */
export const NEW_MERCHANT = only(merchant, ['companyName', 'contactEmail']);

/** Documented in part: fields that are not known here are accepted. */
export const FAST_TRACK: BodySchema = {
	type: 'object',
	properties: {
		...merchant,
		registrationNumber: filledText,
		website: url,
		iban: filledText,
		bic: filledText,
	},
	required: ['companyName', 'contactEmail', 'registrationNumber', 'website', 'iban'],
};

/** Documented. */
export const TEST_MERCHANT = only({ companyName: filledText }, ['companyName']);

/** Documented. */
export const CREATE_STORE = only(
	{
		name: filledText,
		locationId: text,
		streetAddress: text,
		city: text,
		postalCode: text,
		countryCode: text,
		phone: text,
		email,
		isDefault: { type: 'boolean' },
	},
	['name'],
);

/** A registration, and a change of one: documented that both fields are needed. */
export const WEBHOOK = only(
	{ url, events: { type: 'array', minItems: 1, items: { type: 'string', enum: KEY_EVENTS } } },
	['url', 'events'],
);
