import type { INodeProperties } from 'n8n-workflow';
import { requiredTextField, textField } from '../../operation/sharedFields';

/** The company's name, by which the user knows a merchant. */
export const companyNameField: INodeProperties = requiredTextField(
	'companyName',
	'Company Name',
	'Nordic Coffee ApS',
	'The name of the company that gets the money',
);

/** Where AcountPay reaches the merchant. */
export const contactEmailField: INodeProperties = requiredTextField(
	'contactEmail',
	'Contact Email',
	'owner@example.com',
	'Where AcountPay reaches the merchant',
);

/** A phone number of the merchant. */
export const contactPhoneField: INodeProperties = textField(
	'contactPhone',
	'Contact Phone',
	'+45 12 34 56 78',
	'A phone number of the merchant',
);

/** The partner's own ID for the merchant. */
export const partnerRefIdField: INodeProperties = textField(
	'partnerRefId',
	'Partner Reference ID',
	'customer-1001',
	'Your own ID for the merchant. AcountPay gives it back when the merchant is read.',
);
