import type { Table } from './kit';

/** The data table that invoices, paid orders and the nightly reconciliation share. */
export const ORDERS: Table = {
	name: 'AcountPay orders',
	columns: {
		reference: 'string',
		merchantId: 'string',
		amount: 'number',
		currency: 'string',
		customer: 'string',
		email: 'string',
		environment: 'string',
		state: 'string',
		paymentId: 'string',
		note: 'string',
	},
};

/** The data table of the example that pays once. */
export const PAYMENTS: Table = {
	name: 'AcountPay payments',
	columns: {
		reference: 'string',
		environment: 'string',
		merchantId: 'string',
		amount: 'number',
		currency: 'string',
		state: 'string',
		paymentId: 'string',
		paymentUrl: 'string',
		run: 'string',
		note: 'string',
	},
};

/** The data table of the examples that onboard merchants. */
export const MERCHANTS: Table = {
	name: 'AcountPay merchants',
	columns: {
		companyName: 'string',
		contactEmail: 'string',
		storeName: 'string',
		streetAddress: 'string',
		postalCode: 'string',
		city: 'string',
		state: 'string',
		merchantNumber: 'string',
		merchantId: 'string',
		storeId: 'string',
		note: 'string',
	},
};
