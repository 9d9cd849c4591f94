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
import { OAuth2 } from './oAuth2/oAuth2';

/**
 * All ways to authenticate, by their value in the node's parameter `authentication`. Everywhere in this package, 'with access
 * tokens' means `oAuth2`, and 'with keys' means `apiKey`.
 */
export const AUTH_METHODS = { oAuth2: OAuth2, apiKey: ApiKeys };
/** The name of one of {@link AUTH_METHODS}. */
export type Authentication = keyof typeof AUTH_METHODS;

/** In the order in which they were added. n8n saves fields in this order, and a retry recognises items by a hash of them. */
export const AUTHENTICATIONS = Object.keys(AUTH_METHODS) as Authentication[];

/** The authentication of a workflow of 0.1.0, which does not have the parameter. */
const DEFAULT: Authentication = 'oAuth2';
const OTHERS = AUTHENTICATIONS.filter((authentication) => authentication !== DEFAULT);

/**
 * The way to authenticate that the node has chosen.
 * @throws ValidationError when there is none of that name
 */
export function authenticationOf(context: RequestContext): Authentication {
	const { authentication = DEFAULT } = context.getNode().parameters;
	if (typeof authentication === 'string' && Object.hasOwn(AUTH_METHODS, authentication)) {
		return authentication as Authentication;
	}
	throw new ValidationError(
		authenticationField.displayName,
		`must be one of ${AUTHENTICATIONS.join(', ')}`,
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
	options: AUTHENTICATIONS.map((value) => ({ value, ...AUTH_METHODS[value].option })).sort((a, b) =>
		a.name.localeCompare(b.name),
	),
	default: DEFAULT,
};

/** Authentications as the nodes show them. */
export const nameOfAuthentication = (...authentications: Authentication[]): string =>
	authentications.map((authentication) => AUTH_METHODS[authentication].option.name).join(' or ');

/** Shows a field with one authentication only; with the default, in workflows of 0.1.0 too. */
export const shownWith = (authentication: Authentication): ICredentialsDisplayOptions =>
	authentication === DEFAULT
		? { hide: { authentication: OTHERS } }
		: { show: { authentication: [authentication] } };

/**
 * An entry of a list as n8n shows it: with some authentications only. n8n before 2.41 shows it with all.
 * @param authentications the ones that have it
 * @param all authentications with which the list is shown
 */
export function optionShownWith(
	option: INodePropertyOptions,
	authentications: readonly Authentication[],
	all: readonly Authentication[] = AUTHENTICATIONS,
): INodePropertyOptions {
	if (authentications.length === all.length) return option;
	const show = { ...option.displayOptions?.show, authentication: [...authentications] };
	return { ...option, displayOptions: { ...option.displayOptions, show } };
}

/**
 * The same for the default's credential. n8n's dialog offers an authentication only where `show` names it. `_cnd` keeps that from
 * hiding the credential in a workflow of 0.1.0, which has no value; with the other values `hide` does.
 */
const SHOWN_BY_DEFAULT = {
	show: { authentication: [DEFAULT, { _cnd: { not: '' } }] },
	hide: { authentication: OTHERS },
} as ICredentialsDisplayOptions;

/** The credentials of a node: one for each way to authenticate. */
export const credentialsByAuthentication: INodeCredentialDescription[] = AUTHENTICATIONS.map(
	(authentication) => ({
		name: AUTH_METHODS[authentication].credentialType,
		required: true,
		displayOptions: authentication === DEFAULT ? SHOWN_BY_DEFAULT : shownWith(authentication),
	}),
);
