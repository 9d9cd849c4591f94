import { createHmac } from 'node:crypto';
import type { ICredentialDataDecryptedObject, IDataObject } from 'n8n-workflow';
import { baseUrlOf, OAUTH2_HOSTS } from '../../api/hosts';
import type { RequestContext } from '../../requestContext';
import type { PartnerCredential } from '../auth';

/** The name of the credential type for access tokens. It is in people's saved workflows. */
export const CREDENTIAL_TYPE = 'acountPayApi';

/** The credential as n8n hands it to a node. */
export type AcountPayCredential = PartnerCredential & {
	/** What n8n stores of the access token. */
	oauthTokenData?: TokenData;
};

/** n8n's record of an access token, with the fingerprint that this package adds. */
export interface TokenData extends IDataObject {
	access_token?: string;
	token_type?: string;
	/** Seconds, as AcountPay sent it. */
	expires_in?: number | string;
	/** Milliseconds since 1970, as text; worked out from the response's `expires_in`. */
	n8n_expires_at?: string;
	/** {@link fingerprintOf} the credential that the token was asked for with. */
	acountPayFingerprint?: string;
	/** While n8n gets a token: the token that it is to replace. */
	acountPayReplaces?: string;
}

/** Reads the node's credential, with what n8n has stored of its token. */
export async function readCredential(context: RequestContext): Promise<AcountPayCredential> {
	const credential = await context.getCredentials<AcountPayCredential>(CREDENTIAL_TYPE);
	return { ...credential, oauthTokenData: credential.oauthTokenData ?? {} };
}

/** When a token ends, in ms since 1970; never, as far as is known, when AcountPay did not say. */
export function expiryOf(token: TokenData): number {
	const expiry = Number(token.n8n_expires_at ?? NaN);
	return Number.isFinite(expiry) ? expiry : Infinity;
}

/** n8n asks for it before each request, with the same credential. */
const fingerprints = new WeakMap<AcountPayCredential, string>();

/**
 * Tells whether two access tokens were asked for with the same client id and secret at the same environment. n8n keeps
 * the token when the user edits the credential, and a payment created with the old token is created as the old partner.
 * @returns hex text that gives nothing of the secret away
 */
export function fingerprintOf(credential: AcountPayCredential): string {
	const known = fingerprints.get(credential);
	if (known !== undefined) return known;
	const fingerprint = createHmac('sha256', String(credential.clientSecret))
		.update(JSON.stringify([baseUrlOf(credential, OAUTH2_HOSTS), credential.clientId]))
		.digest('hex');
	fingerprints.set(credential, fingerprint);
	return fingerprint;
}

/**
 * A token as it is to be stored: with the fingerprint of the credential that got it, with its end, which n8n before 2.41
 * does not note, and with a type that n8n puts into a header; with others it goes into the URL.
 * @returns no token when the response had none: n8n merges it into the old token, and a token from before an edit must not be
 *   marked
 */
function marked(credential: AcountPayCredential, fetched: TokenData = {}): TokenData {
	const { acountPayReplaces: old, ...token } = fetched;
	// AcountPay may issue the same token again, but then the response says when it ends (documented).
	const isOld = token.access_token === old && token.expires_in === undefined;
	if (isOld || !token.access_token) return {};
	const life = Number(token.expires_in) * 1000;
	return {
		...(life > 0 && { n8n_expires_at: String(Date.now() + life) }),
		...token,
		token_type: 'Bearer',
		acountPayFingerprint: fingerprintOf(credential),
	};
}

/**
 * What n8n calls as the credential's `preAuthentication`: puts the fingerprint on the token. n8n stores it when it has
 * just fetched that token; before a request it is only put on n8n's copy in memory.
 */
export async function addFingerprint(data: ICredentialDataDecryptedObject): Promise<IDataObject> {
	const credential = data as AcountPayCredential;
	return { oauthTokenData: marked(credential, credential.oauthTokenData) };
}

/**
 * A copy of the credential for n8n to put a new token into and to store. n8n before 2.41 asks no `preAuthentication` then,
 * so the token is marked as it is put in.
 */
export function forNewToken(credential: AcountPayCredential): AcountPayCredential {
	let token = credential.oauthTokenData;
	return Object.defineProperty({ ...credential }, 'oauthTokenData', {
		enumerable: true,
		get: () => token,
		set: (fetched: TokenData) => {
			token = marked(credential, fetched);
		},
	});
}
