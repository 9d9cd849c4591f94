import type { ICredentialType, INodeProperties } from 'n8n-workflow';

/**
 * OAuth2 with client credentials, as a package would have it. Its token URL is stored as typed: as an
 * expression it would cost each call of the nodes that this package is measured against CPU time.
 */
export class BenchApi implements ICredentialType {
	name = 'benchApi';

	extends = ['oAuth2Api'];

	displayName = 'Bench API';

	properties: INodeProperties[] = [
		{ displayName: 'Grant Type', name: 'grantType', type: 'hidden', default: 'clientCredentials' },
		{ displayName: 'Authentication', name: 'authentication', type: 'hidden', default: 'body' },
		{ displayName: 'Scope', name: 'scope', type: 'hidden', default: '' },
		{ displayName: 'Base URL', name: 'baseUrl', type: 'string', default: '' },
	];
}
