/** The environments of a credential. Production and sandbox have separate client ids and secrets (documented). */
export type Environment = 'production' | 'sandbox' | 'custom';

/** The hosts of AcountPay's own environments. */
export type Hosts = Readonly<Record<Exclude<Environment, 'custom'>, string>>;

/** Where the API with access tokens is served (documented). */
export const OAUTH2_HOSTS: Hosts = {
	production: 'https://api.acountpay.com',
	sandbox: 'https://acount-apis-staging-a8cdb2402163.herokuapp.com',
};

/** Where an access token is asked for (documented). */
export const TOKEN_PATH = '/oauth/token';

/**
 * A base URL that may be given a client secret: https anywhere, or http on this machine. As the source of a
 * case-insensitive regular expression, since the credential's own expressions must apply the same rule.
 */
export const SAFE_BASE_URL_PATTERN =
	'^(https:\\/\\/[^\\s\\/?#\\\\@]+|http:\\/\\/(localhost|127(\\.\\d+){3}|\\[::1\\])(:\\d+)?)(\\/[^\\s?#\\\\]*)?$';

const SAFE_BASE_URL = new RegExp(SAFE_BASE_URL_PATTERN, 'i');

/** Everything before the slashes at the end. `/\/+$/` alone would try from each of many slashes. */
export const SLASHES_AT_END = /^(.*[^/])\/*$/;

const MAX_URL_LENGTH = 2_048;

/** The fields of a credential that say where to send requests. */
export interface AcountPayHost {
	environment: Environment;
	/** Only looked at when `environment` is `custom`. */
	baseUrl?: string;
}

/**
 * The URL that all paths are appended to, without a slash at its end.
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
	return isSafe ? typed.replace(SLASHES_AT_END, '$1') : undefined;
}

/** Whether requests to this base URL move real money, also where a custom one names the host of production. */
export const isProduction = (baseUrl: string): boolean =>
	new URL(baseUrl).host === new URL(OAUTH2_HOSTS.production).host;
