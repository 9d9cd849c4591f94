import { createMerchant, type NewMerchant } from '../../../shared/api/merchants';
import { customFieldsField } from '../../operation/sharedFields';
import {
	companyNameField,
	contactEmailField,
	contactPhoneField,
	partnerRefIdField,
} from './sharedFields';
import { creatingMerchants } from './sharedCreate';

/** Makes a merchant, which does the rest of its onboarding itself. */
export const create = creatingMerchants(
	{
		name: 'Create',
		value: 'create',
		action: 'Create merchant',
		description: 'Create a merchant. It completes its onboarding at the link onboardingUrl.',
	},
	[companyNameField, contactEmailField],
	[contactPhoneField, customFieldsField, partnerRefIdField],
	(body) => createMerchant(body as typeof body & NewMerchant),
);
