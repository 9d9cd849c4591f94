import type { INodeProperties } from 'n8n-workflow';

/** The company's name, by which a person knows a merchant. */
export const companyNameField: INodeProperties = {
	displayName: 'Company Name',
	name: 'companyName',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'e.g. Nordic Coffee ApS',
	description: 'The name of the company that gets the money',
};

/** Where AcountPay reaches the merchant. */
export const contactEmailField: INodeProperties = {
	displayName: 'Contact Email',
	name: 'contactEmail',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'e.g. owner@example.com',
	description: 'Where AcountPay reaches the merchant',
};

/** A phone number of the merchant. */
export const contactPhoneField: INodeProperties = {
	displayName: 'Contact Phone',
	name: 'contactPhone',
	type: 'string',
	default: '',
	placeholder: 'e.g. +45 12 34 56 78',
	description: 'A phone number of the merchant',
};

/** The partner's own ID for the merchant. */
export const partnerRefIdField: INodeProperties = {
	displayName: 'Partner Reference ID',
	name: 'partnerRefId',
	type: 'string',
	default: '',
	placeholder: 'e.g. customer-1001',
	description: 'Your own ID for the merchant. AcountPay gives it back when the merchant is read.',
};
