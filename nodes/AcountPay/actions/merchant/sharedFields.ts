import type { INodeProperties } from 'n8n-workflow';
import { customFieldsField, requiredTextField, textField } from '../../operation/sharedFields';

/** The company's name, by which the user knows a merchant. */
export const companyNameField: INodeProperties = requiredTextField(
	'companyName',
	'Company Name',
	'Nordic Coffee ApS',
	'The name of the company that gets the money',
);

/** What every merchant needs, except for a test merchant. */
export const companyFields: INodeProperties[] = [
	companyNameField,
	requiredTextField(
		'contactEmail',
		'Contact Email',
		'owner@example.com',
		'Where AcountPay reaches the merchant',
	),
];

/** What such a merchant may also have. */
export const additionalCompanyFields: INodeProperties[] = [
	textField('contactPhone', 'Contact Phone', '+45 12 34 56 78', 'A phone number of the merchant'),
	customFieldsField,
	textField(
		'partnerRefId',
		'Partner Reference ID',
		'customer-1001',
		'Your own ID for the merchant. AcountPay gives it back when the merchant is read.',
	),
];
