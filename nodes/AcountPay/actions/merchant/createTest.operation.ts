import { createTestMerchant } from '../../../shared/api/merchants';
import { ValidationError } from '../../../shared/errors';
import { merchantCreation } from './merchantCreation';
import { companyNameField } from './sharedFields';

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
