import { createHmac } from 'node:crypto';
import type { ICredentialDataDecryptedObject, IDataObject } from 'n8n-workflow';
import { type AcountPayHost, baseUrlOf } from './acountPayApi';

/** The name of the credential type 'AcountPay API'. It is in people's saved workflows. */
export const CREDENTIAL_NAME = 'acountPayApi';

/** The credential as n8n hands it to a node. */
export interface AcountPayCredential extends AcountPayHost {
	clientId: string;
	clientSecret: string;
	/** Empty when the person takes no webhooks. */
	webhookSecret?: string;
	/** What n8n stores of the access token. */
	oauthTokenData?: TokenData;
}

/** n8n's record of an access token, with the fingerprint that this package adds. */
export interface TokenData extends IDataObject {
	access_token?: string;
	/** Milliseconds since 1970, as text; n8n works it out from the answer's `expires_in`. */
	n8n_expires_at?: string;
	/** {@link fingerprintOf} the credential that the token was asked for with. */
	acountPayFingerprint?: string;
	/** While n8n gets a token: the one of another id, secret or environment that it is to replace. */
	acountPayReplaces?: string;
}

/**
 * Tells whether two access tokens were asked for with the same client id and secret at the same environment. n8n keeps
 * the token when a person edits the credential, and a payment made with the old token is made as the old partner.
 * @returns hex text that gives nothing of the secret away
 */
export function fingerprintOf(credential: AcountPayCredential): string {
	return createHmac('sha256', String(credential.clientSecret))
		.update(JSON.stringify([baseUrlOf(credential), credential.clientId]))
		.digest('hex');
}

/**
 * What n8n calls as the credential's `preAuthentication`: puts the fingerprint on the token. n8n stores it when it has
 * just fetched that token; before a request it is only put on n8n's copy in memory.
 */
export async function addFingerprint(data: ICredentialDataDecryptedObject): Promise<IDataObject> {
	const credential = data as unknown as AcountPayCredential;
	const { acountPayReplaces: old, ...token } = credential.oauthTokenData ?? {};
	// n8n lays the answer over the old token: after an answer without one, the old one is what is left.
	const isOld = old !== undefined && token.access_token === old && token.expires_in === undefined;
	if (isOld) return { oauthTokenData: {} };
	return { oauthTokenData: { ...token, acountPayFingerprint: fingerprintOf(credential) } };
}
