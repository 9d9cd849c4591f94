import { type INodeProperties, NodeHelpers } from 'n8n-workflow';
import { KEY_HOSTS } from '../../../../nodes/shared/api/hosts';
import { credentialFields } from '../../../../nodes/shared/auth/credentialFields';

let fields: INodeProperties[];
beforeEach(() => {
	fields = credentialFields(KEY_HOSTS, {
		clientId: 'Whose it is',
		hint: 'Which one it is',
		clientSecret: 'What belongs to it',
		webhookSecret: 'What it proves',
	});
});

const fieldOf = (name: string) => fields.find((field) => field.name === name)!;

it('the names, which are in saved credentials, and the words beside them', () => {
	expect(fields.map(({ name, displayName }) => [name, displayName])).toEqual([
		['clientId', 'Client ID'],
		['clientSecret', 'Client Secret'],
		['environment', 'Environment'],
		['baseUrl', 'Base URL'],
		['webhookSecret', 'Webhook Secret'],
	]);
	expect(fieldOf('clientId')).toMatchObject({
		description: 'Whose it is',
		hint: 'Which one it is',
	});
	expect(fieldOf('clientSecret').description).toBe('What belongs to it');
	expect(fieldOf('webhookSecret').description).toBe('What it proves');
});

it('secrets are shown as dots, and nothing else is', () => {
	const hidden = fields.filter(({ typeOptions }) => typeOptions?.password === true);
	expect(hidden.map(({ name }) => name)).toEqual(['clientSecret', 'webhookSecret']);
	for (const { type } of hidden) expect(type).toBe('string');
});

it('all but the webhook secret and the environment must be typed: nothing is filled in', () => {
	const texts = fields.filter(({ type }) => type === 'string');
	expect(texts.map(({ name, required = false }) => [name, required])).toEqual([
		['clientId', true],
		['clientSecret', true],
		['baseUrl', true],
		['webhookSecret', false],
	]);
	for (const field of texts) expect(field.default).toBe('');
});

describe('the environment', () => {
	it('is the sandbox until a person chooses another one: real money takes a choice', () => {
		expect(fieldOf('environment')).toMatchObject({
			type: 'options',
			default: 'sandbox',
			description:
				'Where payments are created. The client ID and secret must be those of this environment.',
		});
	});

	it('is one of three, and says where its requests go', () => {
		expect(fieldOf('environment').options).toEqual([
			{
				name: 'Production',
				value: 'production',
				description: 'Real payments, at api.acountpay.com',
			},
			{
				name: 'Sandbox',
				value: 'sandbox',
				description:
					"AcountPay's test system, at sandbox.api.acountpay.com, with a client ID and secret of its own",
			},
			{
				name: 'Custom',
				value: 'custom',
				description: "Another server that speaks the same API, such as this package's own sandbox",
			},
		]);
	});

	it.each([
		['production', false],
		['sandbox', false],
		['custom', true],
	])('%s takes a base URL: %s', (value, isShown) => {
		const baseUrl = fieldOf('baseUrl');
		const values = { environment: value };
		expect(NodeHelpers.displayParameter(values, baseUrl, null, null)).toBe(isShown);
		expect(baseUrl.placeholder).toBe('e.g. https://acountpay.example.com');
		expect(baseUrl.description).toBe(
			'Without /v1/partner. Must start with https://: plain http:// is only allowed for localhost.',
		);
	});
});
