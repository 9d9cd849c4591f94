import type { INodeProperties } from 'n8n-workflow';

const WITH_TOKENS = { hide: { authentication: ['apiKey'] } };
const WITH_KEYS = { show: { authentication: ['apiKey'] } };

/** Says where events come from: for each authentication, what a person has to do for that. */
export const notices: INodeProperties[] = [
	{
		displayName:
			'AcountPay sends events to the Webhook URL that a payment was created with. Open <b>Webhook URLs</b> above and copy one into the field Webhook URL of the AcountPay node that creates the payments: the <b>Test URL</b> works while this step listens, the <b>Production URL</b> once the workflow is published.',
		name: 'webhookNotice',
		type: 'notice',
		default: '',
		displayOptions: WITH_TOKENS,
	},
	{
		displayName:
			'This trigger registers itself at AcountPay when the workflow is published, and while this step listens. There is no URL to copy. It is told of all your merchants. AcountPay must be able to reach n8n from the internet.',
		name: 'registrationNotice',
		type: 'notice',
		default: '',
		displayOptions: WITH_KEYS,
	},
];

const COMPLETED = {
	name: 'Payment Completed',
	value: 'payment.completed',
	description: 'The money is on its way',
};

/** The events that start the workflow: for each authentication, those that AcountPay has there (documented). */
export const eventFields: INodeProperties[] = [
	{
		displayName: 'Trigger On',
		name: 'events',
		type: 'multiOptions',
		required: true,
		displayOptions: WITH_TOKENS,
		options: [
			COMPLETED,
			{ name: 'Payment Created', value: 'payment.created' },
			{
				name: 'Payment Expired',
				value: 'payment.expired',
				description: 'Nobody paid within 30 minutes',
			},
			{
				name: 'Payment Failed',
				value: 'payment.failed',
				description: 'Declined or broken off',
			},
			{
				name: 'Payment Processing',
				value: 'payment.processing',
				description: 'The customer is paying',
			},
		],
		default: ['payment.completed'],
	},
	{
		displayName: 'Trigger On',
		name: 'events',
		type: 'multiOptions',
		required: true,
		displayOptions: WITH_KEYS,
		options: [
			{
				name: 'Merchant Activated',
				value: 'merchant.activated',
				description: 'A merchant has finished its onboarding and can be paid',
			},
			{ name: 'Merchant Deactivated', value: 'merchant.deactivated' },
			COMPLETED,
			{
				name: 'Payment Failed',
				value: 'payment.failed',
				description: 'Declined, broken off, or not paid in time',
			},
		],
		default: ['payment.completed'],
	},
];
