import type { IHookFunctions, INodeProperties, IWebhookFunctions } from 'n8n-workflow';
import { NodeOperationError } from 'n8n-workflow';
import type { EVENTS, KEY_EVENTS } from '../shared/api/events';
import {
	type Authentication,
	AUTHENTICATIONS,
	nameOfAuthentication,
	optionShownWith,
	shownWith,
} from '../shared/auth';
import { ValidationError } from '../shared/errors';
import { SCHEMES } from '../shared/webhooks/schemes';

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

/** Says where events come from: for each authentication, what the user has to do for that. */
export const notices: INodeProperties[] = AUTHENTICATIONS.map((authentication) => ({
	...NOTICES[authentication],
	type: 'notice',
	default: '',
	displayOptions: shownWith(authentication),
}));

type Listed = (typeof EVENTS | typeof KEY_EVENTS)[number];

/** How the list shows each event. */
const LISTED: Readonly<Record<Listed, { name: string; description?: string }>> = {
	'merchant.activated': {
		name: 'Merchant Activated',
		description: 'A merchant has finished its onboarding and can be paid',
	},
	'merchant.deactivated': {
		name: 'Merchant Deactivated',
		description: 'A merchant can no longer be paid',
	},
	'payment.completed': { name: 'Payment Completed', description: 'The customer has paid' },
	'payment.created': { name: 'Payment Created' },
	'payment.expired': { name: 'Payment Expired', description: 'Nobody paid within 30 minutes' },
	'payment.failed': {
		name: 'Payment Failed',
		description: 'The customer declined or gave up. With API keys also: nobody paid in time.',
	},
	'payment.processing': { name: 'Payment Processing', description: 'The customer is paying' },
};

const authenticationsWith = (event: string): Authentication[] =>
	AUTHENTICATIONS.filter((authentication) => SCHEMES[authentication].events.includes(event));

/**
 * The events that start the workflow. One field for all authentications, though each has events of its own: n8n's list of
 * actions has those of the first such field alone.
 */
export const eventsField: INodeProperties = {
	displayName: 'Trigger On',
	name: 'events',
	type: 'multiOptions',
	required: true,
	options: Object.entries(LISTED).map(([value, listed]) =>
		optionShownWith({ value, ...listed }, authenticationsWith(value)),
	),
	default: ['payment.completed'],
};

/** Events as the list shows them. */
const namesOf = (events: readonly string[]): string =>
	events.map((event) => LISTED[event as Listed].name).join(', ');

const foreignTo = (authentication: Authentication): string[] =>
	Object.keys(LISTED).filter((event) => !SCHEMES[authentication].events.includes(event));

/**
 * Says so if the user chose an event that does not come with the node's authentication: n8n's list of actions offers them all,
 * and switching the credential leaves them as they are.
 */
export const foreignEventNotices: INodeProperties[] = AUTHENTICATIONS.map((authentication) => {
	const { show, hide } = shownWith(authentication);
	const foreign = foreignTo(authentication);
	return {
		displayName: `With ${nameOfAuthentication(authentication)}, AcountPay does not send <b>${namesOf(foreign)}</b>. Remove these events, or choose another credential.`,
		name: 'foreignEventNotice',
		type: 'notice',
		default: '',
		displayOptions: { show: { ...show, events: foreign }, ...(hide && { hide }) },
	};
});

type Context = IHookFunctions | IWebhookFunctions;

/** The chosen events, as they are: an expression may give a single name. */
export const eventsOf = (context: Context): string[] =>
	[context.getNodeParameter('events', []) as string | string[]].flat();

function eventsError(context: Context, authentication: Authentication): NodeOperationError {
	const { message, description } = new ValidationError(
		eventsField.displayName,
		`must be one or more of ${namesOf(SCHEMES[authentication].events)}, which are the events with ${nameOfAuthentication(authentication)}`,
		'Choose them from the list in the node, then publish the workflow again.',
	);
	return new NodeOperationError(context.getNode(), `${message}. ${description}`);
}

/**
 * The chosen events, to register a webhook for with keys: each of them is documented.
 * @throws NodeOperationError with the advice in its message
 */
export function eventsToRegister(context: Context): string[] {
	const events = eventsOf(context);
	const known: readonly string[] = SCHEMES.apiKey.events;
	if (events.length > 0 && events.every((event) => known.includes(event))) {
		return [...new Set(events)];
	}
	throw eventsError(context, 'apiKey');
}

/**
 * With access tokens, refuses events that only come with keys: n8n's list of actions offers them all. A name that nobody knows
 * may be a new event.
 * @throws NodeOperationError with the advice in its message
 */
export function refuseForeignEvents(context: IHookFunctions): void {
	const foreign = foreignTo('oAuth2');
	if (eventsOf(context).some((event) => foreign.includes(event))) {
		throw eventsError(context, 'oAuth2');
	}
}
