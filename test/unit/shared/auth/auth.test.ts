/** The list of the ways to authenticate, and what follows from it for the nodes. */
import { type INodeParameters, NodeHelpers } from 'n8n-workflow';
import {
	AUTHENTICATIONS,
	authenticationField,
	authenticationOf,
	credentialsByAuthentication,
	nameOfAuthentication,
	openAuth,
	optionShownWith,
	shownWith,
} from '../../../../nodes/shared/auth';
import { ApiKeys } from '../../../../nodes/shared/auth/apiKeys';
import type { RequestContext } from '../../../../nodes/shared/requestContext';
import { refusal } from '../../support';

const contextWith = (parameters: INodeParameters, read: string[] = [], changes = {}) =>
	({
		getNode: () => ({ parameters }),
		getCredentials: async (type: string) => {
			read.push(type);
			return { environment: 'production', clientId: 'id', clientSecret: 's3cret', ...changes };
		},
	}) as unknown as RequestContext;

describe('the choice of a node', () => {
	it.each([
		[{}, 'oAuth2'],
		[{ authentication: 'oAuth2' }, 'oAuth2'],
		[{ authentication: 'apiKey' }, 'apiKey'],
	])('%j is %s', (parameters, authentication) => {
		expect(authenticationOf(contextWith(parameters))).toBe(authentication);
	});

	it.each(['', 'none', 'toString', 7, null, ['apiKey']])('%j is none', (authentication) => {
		expect(refusal(() => authenticationOf(contextWith({ authentication })))).toBe(
			'Authentication must be one of oAuth2, apiKey',
		);
	});

	it('reads the credential of that kind, and no other', async () => {
		const read: string[] = [];
		const auth = await openAuth(contextWith({ authentication: 'apiKey' }, read));
		expect(auth).toBeInstanceOf(ApiKeys);
		expect(read).toEqual(['acountPayKeyApi']);
	});

	it('tells accounts apart by ID and secret with access tokens too, and gives neither away', async () => {
		const open = async (changes: object) => await openAuth(contextWith({}, [], changes));
		const all = [{}, { clientId: 'other' }, { clientSecret: 'other' }, { webhookSecret: 'other' }];
		const accounts = (await Promise.all(all.map(open))).map(({ account }) => account);
		expect(new Set(accounts).size).toBe(3);
		expect(accounts[3]).toBe(accounts[0]);
		expect(accounts[0]).not.toMatch(/s3cret/);
	});
});

describe('what the nodes show', () => {
	it('the list, by name, with the way of 0.1.0 as the default', () => {
		expect(authenticationField).toMatchObject({
			name: 'authentication',
			type: 'options',
			noDataExpression: true,
			default: 'oAuth2',
			options: [
				{ name: 'Access Tokens', value: 'oAuth2', description: expect.stringMatching(/client_id/) },
				{ name: 'API Keys', value: 'apiKey', description: expect.stringMatching(/Dashboard/) },
			],
		});
		expect(nameOfAuthentication('apiKey')).toBe('API Keys');
		expect(nameOfAuthentication('oAuth2', 'apiKey')).toBe('Access Tokens or API Keys');
	});

	it('fields of one way only; those of the default also where a workflow does not say', () => {
		expect(AUTHENTICATIONS.map(shownWith)).toEqual([
			{ hide: { authentication: ['apiKey'] } },
			{ show: { authentication: ['apiKey'] } },
		]);
	});

	it('a credential for each', () => {
		expect(credentialsByAuthentication).toEqual([
			{
				name: 'acountPayApi',
				required: true,
				displayOptions: {
					show: { authentication: ['oAuth2', { _cnd: { not: '' } }] },
					hide: { authentication: ['apiKey'] },
				},
			},
			{
				name: 'acountPayKeyApi',
				required: true,
				displayOptions: { show: { authentication: ['apiKey'] } },
			},
		]);
	});

	it.each([
		[{}, ['acountPayApi']],
		[{ authentication: 'oAuth2' }, ['acountPayApi']],
		[{ authentication: 'apiKey' }, ['acountPayKeyApi']],
	])('for %j n8n shows the credential %j, and no other', (parameters, shown) => {
		const names = credentialsByAuthentication
			.filter((credential) => NodeHelpers.displayParameter(parameters, credential, null, null))
			.map(({ name }) => name);
		expect(names).toEqual(shown);
	});

	it('an entry of a list with some of them only', () => {
		const option = { name: 'A', value: 'a', displayOptions: { show: { resource: ['payment'] } } };
		expect(optionShownWith(option, ['oAuth2', 'apiKey'])).toBe(option);
		expect(optionShownWith(option, ['apiKey'], ['apiKey'])).toBe(option);
		expect(optionShownWith(option, ['apiKey'])).toEqual({
			...option,
			displayOptions: { show: { resource: ['payment'], authentication: ['apiKey'] } },
		});
		expect(optionShownWith({ name: 'B', value: 'b' }, ['oAuth2'])).toEqual({
			name: 'B',
			value: 'b',
			displayOptions: { show: { authentication: ['oAuth2'] } },
		});
	});
});
