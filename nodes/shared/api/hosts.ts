/** The environments of a credential. Production and sandbox have separate client ids and secrets (documented). */
export type Environment = 'production' | 'sandbox' | 'custom';

/** The hosts of AcountPay's own environments. */
export type Hosts = Readonly<Record<Exclude<Environment, 'custom'>, string>>;

/** Where the API with access tokens is served (documented). */
export const OAUTH2_HOSTS: Hosts = {
	production: 'https://api.acountpay.com',
	sandbox: 'https://acount-apis-staging-a8cdb2402163.herokuapp.com',
};

/** Where the API with keys is served, below `/v1` (documented). */
export const KEY_HOSTS: Hosts = {
	production: 'https://api.acountpay.com',
	sandbox: 'https://sandbox.api.acountpay.com',
};

/** Where an access token is asked for (documented). */
export const TOKEN_PATH = '/oauth/token';

/** What tells who keys belong to (documented). Reading it changes nothing. */
export const PROFILE_PATH = '/v1/partner/profile';

/**
 * A base URL that may be given a client secret: https anywhere, or http on this machine. As the source of a
 * case-insensitive regular expression, since the credential's own expressions must apply the same rule.
 */
export const SAFE_BASE_URL_PATTERN =
	'^(https:\\/\\/[^\\s\\/?#\\\\@]+|http:\\/\\/(localhost|127(\\.\\d+){3}|\\[::1\\])(:\\d+)?)(\\/[^\\s?#\\\\]*)?$';

const SAFE_BASE_URL = new RegExp(SAFE_BASE_URL_PATTERN, 'i');

/** What a custom base URL may end with and is not taken from it: all paths begin with it. */
const API_PATH = /(?<=[^/])\/v1(\/partner)?$/i;

/** Everything before the slashes at the end. `/\/+$/` alone would try from each of many slashes. */
const SLASHES_AT_END = /^(.*[^/])\/*$/;

const MAX_URL_LENGTH = 2_048;

/** The fields of a credential that say where to send requests. */
export interface AcountPayHost {
	environment: Environment;
	/** Only looked at when `environment` is `custom`. */
	baseUrl?: string;
}

/**
 * The URL that all paths are appended to, without a slash at its end. A custom base URL is taken with and without `/v1` or
 * `/v1/partner`.
 * @param hosts of the environments that have a host of their own
 * @returns undefined when a custom base URL is neither https nor http on this machine, or the environment is unknown
 */
export function baseUrlOf(
	{ environment, baseUrl }: AcountPayHost,
	hosts: Hosts,
): string | undefined {
	if (environment !== 'custom') return hosts[environment];
	const typed = String(baseUrl ?? '').trim();
	const isSafe = typed.length <= MAX_URL_LENGTH && SAFE_BASE_URL.test(typed) && URL.canParse(typed);
	return isSafe ? typed.replace(SLASHES_AT_END, '$1').replace(API_PATH, '') : undefined;
}

/* n8n requests a URL of a credential before any code of a node runs, so the same rules must be in its expressions. */

/** What becomes of an unsafe base URL: n8n's HTTP client refuses the protocol, and names it. */
const REFUSED_URL = 'base-url-must-start-with-https-or-be-http-on-localhost:';

/**
 * {@link baseUrlOf} as the source of an expression in a credential.
 * @param fields the variable that has the credential's fields
 */
export const baseUrlExpression = (fields: '$self' | '$credentials', hosts: Hosts): string =>
	`(${Object.entries(hosts)
		.map(([environment, host]) => `${fields}["environment"] === "${environment}" ? "${host}" : `)
		.join('')}` +
	`/${SAFE_BASE_URL_PATTERN}/i.test(String(${fields}["baseUrl"]).trim())` +
	` ? String(${fields}["baseUrl"]).trim().replace(${String(SLASHES_AT_END)}, "$1").replace(${String(API_PATH)}, "")` +
	` : "${REFUSED_URL}")`;

/** Whether requests to this base URL move real money, also where a custom one names the host of production. */
export const isProduction = (baseUrl: string): boolean =>
	new URL(baseUrl).host === new URL(OAUTH2_HOSTS.production).host;
