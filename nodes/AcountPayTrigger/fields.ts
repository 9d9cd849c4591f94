import type { INodeProperties } from 'n8n-workflow';
import type { EVENTS, KEY_EVENTS } from '../shared/api/events';
import { type Authentication, AUTHENTICATIONS, SHOWN_WITH } from '../shared/auth';

const NOTICES: Readonly<Record<Authentication, { name: string; displayName: string }>> = {
	oAuth2: {
		name: 'webhookNotice',
		displayName:
			'AcountPay sends events to the Webhook URL that a payment was created with. Open <b>Webhook URLs</b> above and copy one into the field Webhook URL of the AcountPay node that creates the payments: the <b>Test URL</b> works while this step listens, the <b>Production URL</b> once the workflow is published.',
	},
	apiKey: {
		name: 'registrationNotice',
		displayName:
			'This trigger registers itself at AcountPay when the workflow is published, and while this step listens. There is no URL to copy. It gets the events of all your merchants. AcountPay must be able to reach n8n from the internet.',
	},
};

/** Says where events come from: for each authentication, what a person has to do for that. */
export const notices: INodeProperties[] = AUTHENTICATIONS.map((authentication) => ({
	...NOTICES[authentication],
	type: 'notice',
	default: '',
	displayOptions: SHOWN_WITH[authentication],
}));

/** How the list shows an event. */
interface ListedEvent {
	name: string;
	description?: string;
}

const COMPLETED: ListedEvent = {
	name: 'Payment Completed',
	description: 'The money is on its way',
};

const EVENTS_WITH_TOKENS: Record<(typeof EVENTS)[number], ListedEvent> = {
	'payment.completed': COMPLETED,
	'payment.created': { name: 'Payment Created' },
	'payment.expired': { name: 'Payment Expired', description: 'Nobody paid within 30 minutes' },
	'payment.failed': { name: 'Payment Failed', description: 'Declined or broken off' },
	'payment.processing': { name: 'Payment Processing', description: 'The customer is paying' },
};

const EVENTS_WITH_KEYS: Record<(typeof KEY_EVENTS)[number], ListedEvent> = {
	'merchant.activated': {
		name: 'Merchant Activated',
		description: 'A merchant has finished its onboarding and can be paid',
	},
	'merchant.deactivated': { name: 'Merchant Deactivated' },
	'payment.completed': COMPLETED,
	'payment.failed': {
		name: 'Payment Failed',
		description: 'Declined, broken off, or not paid in time',
	},
};

const LISTED: Readonly<Record<Authentication, Record<string, ListedEvent>>> = {
	oAuth2: EVENTS_WITH_TOKENS,
	apiKey: EVENTS_WITH_KEYS,
};

/** The events that start the workflow: for each authentication, those that AcountPay has there (documented). */
export const eventFields: INodeProperties[] = AUTHENTICATIONS.map((authentication) => ({
	displayName: 'Trigger On',
	name: 'events',
	type: 'multiOptions',
	required: true,
	displayOptions: SHOWN_WITH[authentication],
	options: Object.entries(LISTED[authentication]).map(([value, listed]) => ({ value, ...listed })),
	default: ['payment.completed'],
}));
