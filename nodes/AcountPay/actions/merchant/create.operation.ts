import { createMerchant } from '../../../shared/api/merchants';
import { customFieldsField } from '../../operation/sharedFields';
import { merchantCreation } from './sharedCreate';
import {
	companyNameField,
	contactEmailField,
	contactPhoneField,
	partnerRefIdField,
} from './sharedFields';

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
