import { createMerchant } from '../../../shared/api/merchants';
import { merchantCreation } from './merchantCreation';
import { additionalCompanyFields, companyFields } from './sharedFields';

/** Creates a merchant, which does the rest of its onboarding itself. */
export const create = merchantCreation(
	{
		name: 'Create',
		value: 'create',
		action: 'Create merchant',
		description: 'Create a merchant. It completes its onboarding at the link in onboardingUrl.',
	},
	companyFields,
	additionalCompanyFields,
	createMerchant,
);
