import type { IDataObject, INodeProperties } from 'n8n-workflow';
import {
	createFastTrackMerchant,
	createMerchant,
	createTestMerchant,
	merchantNumberOf,
	readCreatedMerchant,
	withMerchantNumber,
} from '../../../shared/api/merchants';
import type { ApiRequest } from '../../../shared/api/request';
import { ValidationError } from '../../../shared/errors';
import type { Client } from '../../../shared/transport/client';
import { createOnce, type Creation } from '../../creation/createOnce';
import {
	additionalFieldsWith,
	customFieldsField,
	requiredTextField,
	textField,
	textFrom,
	textsFrom,
	withCustomFields,
} from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';

/** The company's name, by which the user knows a merchant. */
const companyNameField = requiredTextField(
	'companyName',
	'Company Name',
	'Nordic Coffee ApS',
	'The name of the company that gets the money',
);

/** Where AcountPay reaches the merchant. */
const contactEmailField = requiredTextField(
	'contactEmail',
	'Contact Email',
	'owner@example.com',
	'Where AcountPay reaches the merchant',
);

/** A phone number of the merchant. */
const contactPhoneField = textField(
	'contactPhone',
	'Contact Phone',
	'+45 12 34 56 78',
	'A phone number of the merchant',
);

/** The partner's own ID for the merchant. */
const partnerRefIdField = textField(
	'partnerRefId',
	'Partner Reference ID',
	'customer-1001',
	'Your own ID for the merchant. AcountPay gives it back when the merchant is read.',
);

/** The body of a request that creates a merchant. */
type Body = IDataObject & { companyName: string };

/**
 * An operation that creates a merchant.
 * @param required its fields, each with the name that it has in the body
 * @param additional fields that the user may add; none: there is no such field
 * @param requestFor the request with a checked body
 * @param checkClient throws a ValidationError where no such merchant can be created
 */
const merchantCreation = (
	option: Operation<Body>['option'],
	required: INodeProperties[],
	additional: INodeProperties[],
	requestFor: (body: Body) => ApiRequest,
	checkClient?: (client: Client) => void,
): Operation<Body> => ({
	option,
	fields: additional.length ? [...required, additionalFieldsWith(additional)] : required,
	creates: { noun: 'merchant', nameOf: ({ companyName }) => companyName, idOf: merchantNumberOf },

	check(item, client) {
		checkClient?.(client);
		const texts = required.map((field) => [field.name, textFrom(item, field).trim()]);
		const added = additional.length ? item.collection('additionalFields') : {};
		const own = { ...(Object.fromEntries(texts) as Body), ...textsFrom(added, additional) };
		return withCustomFields(own, added, [...required, ...additional]);
	},

	async run(body, { client, options, record }) {
		const request = requestFor(body);
		const { companyName } = body;
		const creation: Creation = {
			request,
			subject: { noun: 'merchant', name: `the merchant '${companyName}'` },
			title: `Merchant '${companyName}'`,
			readCreated: readCreatedMerchant,
			unknownAdvice: 'Look for this company in AcountPay before you create it again.',
		};
		const key = JSON.stringify([request.path, companyName]);
		const known = record(request, { referenceNumber: companyName, key, terms: accountIn(body) });
		const created = await createOnce({ client, creation, options, record: known });
		return [{ json: withMerchantNumber(created) }];
	},
});

/** Which company it is and where its money goes, in words: a retry with another account must not pass for the same merchant. */
function accountIn({ registrationNumber, iban, bic }: Body): string | undefined {
	const known = Object.entries({ 'registration number': registrationNumber, IBAN: iban, BIC: bic })
		.filter(([, value]) => typeof value === 'string')
		.map(([name, value]) => `${name} ${value as string}`);
	return known.length > 0 ? known.join(', ') : undefined;
}

/** Creates a merchant, which does the rest of its onboarding itself. */
export const create = merchantCreation(
	{
		name: 'Create',
		value: 'create',
		action: 'Create merchant',
		description: 'Create a merchant. It completes its onboarding at the link in onboardingUrl.',
	},
	[companyNameField, contactEmailField],
	[contactPhoneField, customFieldsField, partnerRefIdField],
	createMerchant,
);

/** Creates a merchant with its full company data. */
export const createFastTrack = merchantCreation(
	{
		name: 'Create Fast Track',
		value: 'createFastTrack',
		action: 'Create merchant by fast track',
		description: 'Create a merchant with its full company data',
	},
	[
		companyNameField,
		contactEmailField,
		requiredTextField(
			'registrationNumber',
			'Registration Number',
			'12345678',
			'The number in the company register: the CVR number in Denmark',
		),
		requiredTextField(
			'website',
			'Website',
			'https://shop.example.com',
			'The website of the company',
		),
		requiredTextField(
			'iban',
			'IBAN',
			'DK50 0040 0440 1162 43',
			'The bank account that gets the money',
		),
	],
	[
		textField('bic', 'BIC', 'DABADKKK', 'The code of the bank (SWIFT)'),
		contactPhoneField,
		customFieldsField,
		partnerRefIdField,
	],
	createFastTrackMerchant,
);

/** Creates a merchant that can be paid at once. */
export const createTest = merchantCreation(
	{
		name: 'Create Test Merchant',
		value: 'createTest',
		action: 'Create test merchant',
		description: "Create a merchant that can be paid immediately. AcountPay's sandbox only.",
	},
	[companyNameField],
	[],
	({ companyName }) => createTestMerchant(companyName),
	(client) => {
		if (!client.isProduction) return;
		throw new ValidationError(
			'Create Test Merchant',
			"can't be used with a credential for production, which has no test merchants",
			"Choose a credential for AcountPay's sandbox, or the operation Create. Nothing was sent.",
		);
	},
);
