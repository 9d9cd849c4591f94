import type { ICredentialTestRequest, ICredentialType, Icon, INodeProperties } from 'n8n-workflow';
import { baseUrlExpression, KEY_HOSTS, PROFILE_PATH } from '../nodes/shared/api/hosts';
import { KEY_HEADERS } from '../nodes/shared/auth/apiKeys';
import { credentialFields } from '../nodes/shared/auth/credentialFields';

/**
 * The API keys of an AcountPay partner. It has no `authenticate` on purpose: the nodes of this package add the keys to their
 * requests themselves, and no other node, such as HTTP Request, can be made to send them anywhere.
 */
export class AcountPayKeyApi implements ICredentialType {
	name = 'acountPayKeyApi';

	displayName = 'AcountPay (API Keys) API';

	icon: Icon = { light: 'file:../icons/acountpay.svg', dark: 'file:../icons/acountpay.dark.svg' };

	documentationUrl = 'https://github.com/acountpay/n8n-nodes-acountpay#credentials';

	properties: INodeProperties[] = [
		...credentialFields(KEY_HOSTS, {
			clientId:
				'The client ID of your API keys, from the Partner Dashboard (partner.acountpay.com), under API Credentials',
			hint: 'For API keys from the Partner Dashboard. A client_id for access tokens belongs in a credential of the type AcountPay (Access Tokens) API.',
			clientSecret:
				'The client secret of the same API keys. The Partner Dashboard shows it once; when it is lost, rotate the keys there.',
			webhookSecret:
				'Only needed for a webhook that you registered by hand in the Partner Dashboard. A trigger that registers itself has its own secret.',
		}),
	];

	/** Reads the partner's profile with the keys as they are typed now, which changes nothing at AcountPay. */
	test: ICredentialTestRequest = {
		request: {
			method: 'GET',
			url: `={{ ${baseUrlExpression('$credentials', KEY_HOSTS)} + "${PROFILE_PATH}" }}`,
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
						'AcountPay refused these API keys. Copy client ID and client secret again, and check that they belong to this environment.',
				},
			},
		],
	};
}
