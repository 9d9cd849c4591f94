import type { RequestContext } from '../requestContext';
import type { Auth } from './auth';
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
export const AUTH_METHODS = { oAuth2: OAuth2 } satisfies Record<string, AuthMethod>;

/** Opens the way to authenticate that the node has chosen. */
export const openAuth = async (context: RequestContext): Promise<Auth> =>
	await AUTH_METHODS.oAuth2.open(context);
