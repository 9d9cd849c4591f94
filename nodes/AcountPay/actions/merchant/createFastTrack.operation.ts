import { createFastTrackMerchant } from '../../../shared/api/merchants';
import { requiredTextField, textField } from '../../operation/sharedFields';
import { merchantCreation } from './merchantCreation';
import { additionalCompanyFields, companyFields } from './sharedFields';

/** Creates a merchant with its full company data. */
export const createFastTrack = merchantCreation(
	{
		name: 'Create Fast Track',
		value: 'createFastTrack',
		action: 'Create merchant by fast track',
		description: 'Create a merchant with its full company data',
	},
	[
		...companyFields,
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
	[textField('bic', 'BIC', 'DABADKKK', 'The code of the bank (SWIFT)'), ...additionalCompanyFields],
	createFastTrackMerchant,
);
