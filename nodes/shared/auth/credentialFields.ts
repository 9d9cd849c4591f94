import type { INodeProperties } from 'n8n-workflow';
import type { Hosts } from '../api/hosts';

/** A host without its scheme. */
const nameOf = (host: string): string => new URL(host).host;

/** What each of a partner's own values is, in the words of the way to authenticate. */
interface Descriptions {
	clientId: string;
	/** Which credential is the right one for it. */
	hint: string;
	clientSecret: string;
	webhookSecret: string;
}

/** A field that is shown as dots. */
const secretField = (displayName: string, name: string, description: string): INodeProperties => ({
	displayName,
	name,
	type: 'string',
	typeOptions: { password: true },
	default: '',
	description,
});

/**
 * The fields that say where requests go (see `AcountPayHost` in `hosts.ts`). The default is the sandbox: real money takes a choice.
 * @param hosts of its API
 * @param values what the user has from AcountPay, and has other ones of in each environment
 */
export const hostFields = (hosts: Hosts, values: string): INodeProperties[] => [
	{
		displayName: 'Environment',
		name: 'environment',
		type: 'options',
		options: [
			{
				name: 'Production',
				value: 'production',
				description: `Real payments, at ${nameOf(hosts.production)}`,
			},
			{
				name: 'Sandbox',
				value: 'sandbox',
				description: `AcountPay's test system, at ${nameOf(hosts.sandbox)}, with a ${values} of its own`,
			},
			{
				name: 'Custom',
				value: 'custom',
				description: "Another server that speaks the same API, such as this package's own sandbox",
			},
		],
		default: 'sandbox',
		description: `Where payments are created. The ${values} must be those of this environment.`,
	},
	{
		displayName: 'Base URL',
		name: 'baseUrl',
		type: 'string',
		displayOptions: { show: { environment: ['custom'] } },
		default: '',
		required: true,
		placeholder: 'e.g. https://acountpay.example.com',
		description:
			'Without /v1/partner. Must start with https://: plain http:// is only allowed for localhost.',
	},
];

/**
 * The fields that a partner fills in: who it is, and where requests go. Client IDs fit one environment only, so a wrong one shows
 * when the credential is saved.
 * @param hosts of its API
 */
export const credentialFields = (hosts: Hosts, descriptions: Descriptions): INodeProperties[] => [
	{
		displayName: 'Client ID',
		name: 'clientId',
		type: 'string',
		default: '',
		required: true,
		description: descriptions.clientId,
		hint: descriptions.hint,
	},
	{ ...secretField('Client Secret', 'clientSecret', descriptions.clientSecret), required: true },
	...hostFields(hosts, 'client ID and secret'),
	secretField('Webhook Secret', 'webhookSecret', descriptions.webhookSecret),
];
