import { createFastTrackMerchant, type FastTrackMerchant } from '../../../shared/api/merchants';
import { customFieldsField } from '../../operation/sharedFields';
import {
	companyNameField,
	contactEmailField,
	contactPhoneField,
	partnerRefIdField,
} from './sharedFields';
import { merchantCreation } from './sharedCreate';

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
		{
			displayName: 'Registration Number',
			name: 'registrationNumber',
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. 12345678',
			description: 'The number in the company register: the CVR number in Denmark',
		},
		{
			displayName: 'Website',
			name: 'website',
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. https://shop.example.com',
			description: 'The website of the company',
		},
		{
			displayName: 'IBAN',
			name: 'iban',
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. DK50 0040 0440 1162 43',
			description: 'The bank account that gets the money',
		},
	],
	[
		{
			displayName: 'BIC',
			name: 'bic',
			type: 'string',
			default: '',
			placeholder: 'e.g. DABADKKK',
			description: 'The code of the bank (SWIFT)',
		},
		contactPhoneField,
		customFieldsField,
		partnerRefIdField,
	],
	(body) => createFastTrackMerchant(body as typeof body & FastTrackMerchant),
);
