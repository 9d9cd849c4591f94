import type { Way } from './kit';

/** Merchants of this package's sandbox: the first pays at once, the second never, the third waits for the customer. */
export const DEMO_MERCHANTS = {
	accessTokens: ['test_merchant_success', 'test_merchant_fail', 'merchant_abc123'],
	apiKeys: [
		'22222222-2222-4222-8222-222222222222',
		'33333333-3333-4333-8333-333333333333',
		'11111111-1111-4111-8111-111111111111',
	],
};

export const DEMO_AMOUNTS = [149.99, 49.5, 899];

/**
 * The payments that `npm run demo` creates: the sample orders of the example 'create-and-get'. With `--keys` it runs
 * 'create-and-wait', which takes the first merchant and amount.
 */
export const demoPayments = (way: Way) =>
	DEMO_AMOUNTS.map((amount, index) => ({
		merchantId: DEMO_MERCHANTS[way][index],
		reference: `ORDER-${1001 + index}`,
		amount,
	}));
