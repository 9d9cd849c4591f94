import type { ICredentialTestRequest, ICredentialType, Icon, INodeProperties } from 'n8n-workflow';
import { keyBaseUrlExpression } from '../nodes/shared/api/hosts';
import { PROFILE_PATH } from '../nodes/shared/api/profile';
import { KEY_HEADERS } from '../nodes/shared/auth/apiKeys';
import { environmentFields } from '../nodes/shared/auth/environmentFields';

/**
 * The keys of an AcountPay partner. It has no `authenticate` on purpose: the nodes of this package add the keys to their
 * requests themselves, and no other node, such as HTTP Request, can be made to send them anywhere.
 */
export class AcountPayKeyApi implements ICredentialType {
	name = 'acountPayKeyApi';

	displayName = 'AcountPay Key API';

	icon: Icon = { light: 'file:../icons/acountpay.svg', dark: 'file:../icons/acountpay.dark.svg' };

	documentationUrl = 'https://github.com/acountpay/n8n-nodes-acountpay#credentials';

	properties: INodeProperties[] = [
		...environmentFields,
		{
			displayName: 'Client ID',
			name: 'clientId',
			type: 'string',
			default: '',
			required: true,
			description:
				'The client ID of a pair of keys from the AcountPay Partner Dashboard, under API Credentials',
			hint: 'The client_id and client_secret for access tokens need the credential AcountPay API: choose OAuth2 above',
		},
		{
			displayName: 'Client Secret',
			name: 'clientSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			description:
				'The client secret of the same pair of keys. The Partner Dashboard shows it once; when it is lost, rotate the pair there.',
		},
		{
			displayName: 'Webhook Secret',
			name: 'webhookSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description:
				'Only needed for a webhook that you registered by hand in the Partner Dashboard. A trigger that registers itself has its own secret.',
		},
	];

	/** Reads the partner's profile with the keys as they are typed now, which changes nothing at AcountPay. */
	test: ICredentialTestRequest = {
		request: {
			method: 'GET',
			url: `={{ ${keyBaseUrlExpression('$credentials')} + "${PROFILE_PATH}" }}`,
			headers: {
				[KEY_HEADERS.clientId]: '={{ $credentials.clientId }}',
				[KEY_HEADERS.clientSecret]: '={{ $credentials.clientSecret }}',
			},
			disableFollowRedirect: true,
		},
		rules: [
			{
				type: 'responseCode',
				properties: {
					value: 401,
					message:
						'AcountPay refused these keys. Copy client ID and client secret again, and check that they belong to this environment.',
				},
			},
		],
	};
}
