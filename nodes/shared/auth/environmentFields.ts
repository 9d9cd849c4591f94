import type { INodeProperties } from 'n8n-workflow';

/** The fields of a credential that say where its requests go (see `AcountPayHost` in `hosts.ts`). */
export const environmentFields: INodeProperties[] = [
	{
		displayName: 'Environment',
		name: 'environment',
		type: 'options',
		options: [
			{
				name: 'Production',
				value: 'production',
				description: 'Real payments',
			},
			{
				name: 'Sandbox',
				value: 'sandbox',
				description: "AcountPay's test system, with a client ID and secret of its own",
			},
			{
				name: 'Custom',
				value: 'custom',
				description: 'Another server that speaks the same API, such as the sandbox of this package',
			},
		],
		default: 'production',
		description:
			'Where payments are made. The client ID and secret must be those of this environment.',
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
			'Must start with https://. Plain http:// is only allowed for localhost, since the client secret is sent there.',
	},
];
