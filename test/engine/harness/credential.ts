import { Container } from './environment';
import { Cipher, Credentials, EncryptionKeyProxy, InstanceSettings } from 'n8n-core';
import type { ICredentialDataDecryptedObject, INodeCredentialsDetails } from 'n8n-workflow';

/** What n8n's OAuth2 code stores of a token: the endpoint's answer, and when it ends (ms since 1970, as text). */
export interface OAuthTokenData {
	access_token?: string;
	n8n_expires_at?: string;
	[field: string]: unknown;
}

// As in an n8n without key rotation, which is the default: one key, the instance's own.
const instanceKey = {
	id: 'instance',
	value: Container.get(Cipher).encryptDEKWithInstanceKey(
		Container.get(InstanceSettings).encryptionKey,
	),
	algorithm: 'aes-256-cbc',
	format: 'no-prefix' as const,
};
Container.get(EncryptionKeyProxy).setProvider({
	getActiveKey: async () => instanceKey,
	getLegacyKey: async () => instanceKey,
	getKeyById: async () => null,
});

let lastId = 0;

/** A credential as n8n stores it: encrypted, under an id, with whatever its OAuth2 code wrote beside the fields. */
export class StoredCredential {
	readonly id = `credential-${++lastId}`;

	/** How often n8n read it for a node or for a token refresh. */
	reads = 0;

	/** How often n8n's OAuth2 code wrote a token. */
	tokenWrites = 0;

	private encrypted?: string;

	private constructor(
		readonly type: string,
		readonly name: string,
	) {}

	/** @param data the fields that a person filled in; the others get their defaults when they are used */
	static async create(type: string, name: string, data: ICredentialDataDecryptedObject) {
		const credential = new StoredCredential(type, name);
		await credential.write(data);
		return credential;
	}

	/** What a node's `credentials` property holds. */
	get reference(): INodeCredentialsDetails {
		return { id: this.id, name: this.name };
	}

	/** n8n-core's credential object on what is stored now. */
	get row(): Credentials<ICredentialDataDecryptedObject> {
		return new Credentials(this.reference, this.type, this.encrypted);
	}

	/** Everything stored, decrypted: no defaults, no expression resolved. */
	async data(): Promise<ICredentialDataDecryptedObject> {
		return await this.row.getData();
	}

	/** The stored token, or undefined when none was fetched yet. */
	async oauthTokenData(): Promise<OAuthTokenData | undefined> {
		return (await this.data()).oauthTokenData as OAuthTokenData | undefined;
	}

	/** Saves the credential dialog with other values; as in n8n, the stored token stays. */
	async edit(fields: ICredentialDataDecryptedObject) {
		await this.write({ ...(await this.data()), ...fields });
	}

	/** Puts a token in place, or takes it away. */
	async setOauthTokenData(oauthTokenData: OAuthTokenData | undefined) {
		const token = oauthTokenData as ICredentialDataDecryptedObject | undefined;
		await this.write({ ...(await this.data()), oauthTokenData: token as never });
	}

	/** Replaces everything stored. */
	async write(data: ICredentialDataDecryptedObject) {
		const row = this.row;
		await row.setData(data);
		this.encrypted = row.getDataToSave().data;
	}
}
