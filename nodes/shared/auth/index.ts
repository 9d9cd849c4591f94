import type {
	ICredentialsDisplayOptions,
	INodeCredentialDescription,
	INodeProperties,
	INodePropertyOptions,
} from 'n8n-workflow';
import { ValidationError } from '../errors';
import type { RequestContext } from '../requestContext';
import type { Auth } from './auth';
import { ApiKeys } from './apiKeys';
import { OAuth2 } from './oAuth2';

/** A way to authenticate, as the nodes offer it. */
interface AuthMethod {
	/** The name of the credential type that it needs. */
	credentialType: string;
	/**
	 * Reads the node's credential; sends nothing.
	 * @throws ValidationError when its base URL may not be given a secret
	 */
	open(context: RequestContext): Promise<Auth>;
}

/** All ways to authenticate, by their value in the node's parameter `authentication`. */
export const AUTH_METHODS = { oAuth2: OAuth2, apiKey: ApiKeys } satisfies Record<
	string,
	AuthMethod
>;
/** The name of one of {@link AUTH_METHODS}. */
export type Authentication = keyof typeof AUTH_METHODS;

/**
 * The way to authenticate that the node has chosen. A workflow of 0.1.0 does not have the parameter.
 * @throws ValidationError when there is none of that name
 */
export function authenticationOf(context: RequestContext): Authentication {
	const { authentication = 'oAuth2' } = context.getNode().parameters;
	if (typeof authentication === 'string' && Object.hasOwn(AUTH_METHODS, authentication)) {
		return authentication as Authentication;
	}
	throw new ValidationError(
		authenticationField.displayName,
		`must be one of ${Object.keys(AUTH_METHODS).join(', ')}`,
		'Choose it from the list in the node. Nothing was sent.',
	);
}

/**
 * Opens the way to authenticate that the node has chosen.
 * @throws ValidationError when there is none of that name, or its base URL may not be given a secret
 */
export const openAuth = async (context: RequestContext): Promise<Auth> =>
	await AUTH_METHODS[authenticationOf(context)].open(context);

/** The parameter with which a node chooses; the same in every node. */
export const authenticationField: INodeProperties = {
	displayName: 'Authentication',
	name: 'authentication',
	type: 'options',
	noDataExpression: true,
	options: [
		{
			name: 'API Keys',
			value: 'apiKey',
			description:
				'You have a client ID and secret from the Partner Dashboard (partner.acountpay.com, API Credentials)',
		},
		{
			name: 'OAuth2',
			value: 'oAuth2',
			description:
				'AcountPay gave you a client_id, client_secret and webhook_secret for access tokens, before March 2026',
		},
	],
	default: 'oAuth2',
};

/** An authentication as the nodes show it. */
export const nameOfAuthentication = (authentication: Authentication): string =>
	(authenticationField.options as INodePropertyOptions[]).find(
		({ value }) => value === authentication,
	)!.name;

/**
 * Shows a field with one authentication only. The fields of the default are shown unless another one is chosen: workflows of
 * 0.1.0 do not have the parameter.
 */
export const SHOWN_WITH: Readonly<Record<Authentication, ICredentialsDisplayOptions>> = {
	oAuth2: { hide: { authentication: ['apiKey'] } },
	apiKey: { show: { authentication: ['apiKey'] } },
};

/** The same for the default's credential. n8n's dialog offers an authentication only where its value shows a credential. */
const SHOWN_BY_DEFAULT = {
	show: { authentication: ['oAuth2', { _cnd: { not: 'apiKey' } }] },
} as ICredentialsDisplayOptions;

/** The credentials of a node: one for each way to authenticate. */
export const credentialsByAuthentication: INodeCredentialDescription[] = [
	{ name: OAuth2.credentialType, required: true, displayOptions: SHOWN_BY_DEFAULT },
	{ name: ApiKeys.credentialType, required: true, displayOptions: SHOWN_WITH.apiKey },
];
