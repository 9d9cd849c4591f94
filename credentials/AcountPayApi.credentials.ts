import type {
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	IDataObject,
	IHttpRequestHelper,
	Icon,
	INodeProperties,
} from 'n8n-workflow';
import { baseUrlExpression, OAUTH2_HOSTS, TOKEN_PATH } from '../nodes/shared/api/hosts';
import { credentialFields } from '../nodes/shared/auth/credentialFields';
import { addFingerprint } from '../nodes/shared/auth/oAuth2/accessToken';

/* n8n posts id and secret to this URL before any code of a node runs. */
const tokenUrlFor = (fields: '$self' | '$credentials') =>
	`={{ ${baseUrlExpression(fields, OAUTH2_HOSTS)} + "${TOKEN_PATH}" }}`;
/** The host in a URL. */
const HOST_OF_URL = /^\w+:\/\/(\[[^\]]*\]|[^:/]+)(?:[:/].*)?$/;
const HOST = `={{ ${baseUrlExpression('$self', OAUTH2_HOSTS)}.replace(${String(HOST_OF_URL)}, "$1") }}`;

/* n8n evaluates the dialog's test on a workflow without a name, in an execution without an id. */
const NONE_IN_WORKFLOWS =
	'={{ $workflow.name || $execution.id !== "__UNKNOWN__" ? "none" : "domains" }}';

/*
 * The people who asked for this package set the credential's name; n8n's naming rule for OAuth2 credentials would have
 * it called AcountPayOAuth2Api. The name is in saved workflows and can't be changed.
 */
const PARENT_CREDENTIAL = 'oAuth2Api';

/** A field of n8n's OAuth2 credential that nobody has to fill in. */
const hidden = (displayName: string, name: string, value: string | boolean): INodeProperties => ({
	displayName,
	name,
	type: 'hidden',
	default: value,
});

/** Client id and secret of an AcountPay partner. n8n's own OAuth2 code gets, stores and renews the access token. */
export class AcountPayApi implements ICredentialType {
	name = 'acountPayApi';

	extends = [PARENT_CREDENTIAL];

	displayName = 'AcountPay (Access Tokens) API';

	icon: Icon = { light: 'file:../icons/acountpay.svg', dark: 'file:../icons/acountpay.dark.svg' };

	documentationUrl = 'https://github.com/acountpay/n8n-nodes-acountpay#credentials';

	properties: INodeProperties[] = [
		hidden('Grant Type', 'grantType', 'clientCredentials'),
		...credentialFields(OAUTH2_HOSTS, {
			clientId:
				'The client_id that AcountPay gave you as a partner. Sandbox and production have different ones.',
			hint: 'For access tokens. API keys from the Partner Dashboard belong in a credential of the type AcountPay (API Keys) API.',
			clientSecret:
				'The client_secret that belongs to this client ID in this environment. If the connection fails, copy both again.',
			webhookSecret:
				'The webhook_secret that AcountPay gave you. Only needed for AcountPay Trigger and to wait by webhook: it proves that events come from AcountPay.',
		}),
		/*
		 * Whether an HTTP Request node may use this credential: never, or whoever edits a workflow could have the access token
		 * sent to a server of their own. n8n's rule for domains does not help: it looks neither at the port nor at the node's
		 * own proxy. n8n 2.20 wants domains to test the credential in its dialog, where there is no workflow. Our nodes are
		 * not concerned.
		 */
		hidden('Allowed HTTP Request Domains', 'allowedHttpRequestDomains', NONE_IN_WORKFLOWS),
		hidden('Allowed Domains', 'allowedDomains', HOST),
		hidden('Authorization URL', 'authUrl', ''),
		hidden('Access Token URL', 'accessTokenUrl', tokenUrlFor('$self')),
		hidden('Scope', 'scope', ''),
		hidden('Auth URI Query Parameters', 'authQueryParameters', ''),
		hidden('Authentication', 'authentication', 'body'),
		hidden('Send Additional Body Properties', 'sendAdditionalBodyProperties', false),
		hidden('Additional Body Properties', 'additionalBodyProperties', ''),
	];

	/** Puts a fingerprint of this credential on its token, so that a token outlives no edit of id, secret or environment. */
	async preAuthentication(
		this: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
	): Promise<IDataObject> {
		return await addFingerprint(credentials);
	}

	/** Asks for a token with the id and secret as they are typed now: a stored token would hide a wrong secret. */
	test: ICredentialTestRequest = {
		request: {
			method: 'POST',
			url: tokenUrlFor('$credentials'),
			headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
			body: {
				grant_type: 'client_credentials',
				client_id: '={{ $credentials.clientId }}',
				client_secret: '={{ $credentials.clientSecret }}',
			},
			disableFollowRedirect: true,
		},
	};
}
