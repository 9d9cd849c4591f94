import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { IDataObject, IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import { isRecord } from '../shared/api/responses';
import { isSamePath, pathIn } from '../shared/api/webhookRegistrations';
import { forgetOldest } from '../shared/forgetOldest';
import type { WebhookCredential } from '../shared/webhooks/secrets';

/*
 * The trigger's record of its webhook at AcountPay. n8n's static data can be read by whoever reads the workflow, written by
 * whoever edits it, put back by an execution that ends later, and dropped. So the record there is encrypted, bound to the
 * trigger, and never the only copy: this process remembers too, and of two the newer one counts.
 */

/** A webhook that AcountPay has given to this trigger. */
export interface Registration {
	/** AcountPay's number for the webhook, as text. */
	id: string;
	/** The secret that its deliveries are signed with; empty once it is forgotten. */
	secret: string;
	/** The URL that it was registered with. */
	url: string;
	/** When AcountPay was last asked for it or about it, in ms since 1970: of two, the newer one counts. */
	at: number;
}

/** Whose registration it is. One that was written for another owner is not read. */
export interface Owner {
	workflowId: string;
	nodeId: string;
	/** Where it was registered: the numbers of one environment mean something else in another. */
	baseUrl: string;
	/** From the client secret: whoever has the workflow, but not the credential, has nothing. */
	key: Buffer;
	/**
	 * The node's URL. Only its path tells triggers apart: n8n's processes may each know their host by another name. Undefined
	 * for a test in the editor, which n8n gives static data of its own.
	 */
	url?: string;
}

const ALGORITHM = 'aes-256-gcm';
const IV_LENGTH = 12;
const TAG_LENGTH = 16;
/** The most characters of what is encrypted: AcountPay's ID and secret have 600 at most. */
const MAX_LENGTH = 4_096;

/** What the key is for: another purpose of the same client secret gets another key. */
const PURPOSE = 'n8n-nodes-acountpay: webhook registration';

/** What is authenticated besides the registration itself. */
const bindingOf = ({ workflowId, nodeId }: Owner, url: string, baseUrl: string) =>
	Buffer.from(JSON.stringify([workflowId, nodeId, url, baseUrl]));

function seal(owner: Owner, { url, id, secret, at }: Registration): IDataObject {
	const iv = randomBytes(IV_LENGTH);
	const cipher = createCipheriv(ALGORITHM, owner.key, iv, { authTagLength: TAG_LENGTH });
	cipher.setAAD(bindingOf(owner, url, owner.baseUrl));
	const sealed = Buffer.concat([cipher.update(JSON.stringify({ id, secret, at })), cipher.final()]);
	return {
		url,
		baseUrl: owner.baseUrl,
		sealed: Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url'),
	};
}

/** A registration as n8n has stored it, and where it was registered. */
type StoredRegistration = Registration & Pick<Owner, 'baseUrl'>;

/** What is stored for this owner; undefined when there is nothing that the owner has written. */
function open(owner: Owner, record: unknown): StoredRegistration | undefined {
	const { url, baseUrl, sealed } = isRecord(record) ? record : {};
	if (typeof url !== 'string' || typeof baseUrl !== 'string' || typeof sealed !== 'string') {
		return undefined;
	}
	if (sealed.length > MAX_LENGTH) return undefined;
	const bytes = Buffer.from(sealed, 'base64url');
	try {
		const iv = bytes.subarray(0, IV_LENGTH);
		const cipher = createDecipheriv(ALGORITHM, owner.key, iv, { authTagLength: TAG_LENGTH });
		cipher.setAAD(bindingOf(owner, url, baseUrl));
		cipher.setAuthTag(bytes.subarray(IV_LENGTH, IV_LENGTH + TAG_LENGTH));
		const encrypted = bytes.subarray(IV_LENGTH + TAG_LENGTH);
		const text = cipher.update(encrypted, undefined, 'utf8') + cipher.final('utf8');
		return { ...(JSON.parse(text) as Omit<Registration, 'url'>), url, baseUrl };
	} catch {
		return undefined;
	}
}

/** What this process remembers, by owner; the one that was used last is the last. */
const memory = new Map<string, Registration>();
/** How many owners are remembered at most: triggers that were removed leave something behind. */
const MEMORY_SIZE = 10_000;

/** The key is part of it: another credential must not be given the secret, to encrypt it with a key that others know. */
function memoryKeyOf({ workflowId, nodeId, baseUrl, key, url = '' }: Owner): string {
	const keyHash = createHash('sha256').update(key).digest('base64');
	return JSON.stringify([workflowId, nodeId, baseUrl, keyHash, pathIn(url)]);
}

function remember(owner: Owner, registration: Registration): void {
	const key = memoryKeyOf(owner);
	memory.delete(key);
	memory.set(key, registration);
	forgetOldest(memory, MEMORY_SIZE);
}

/** What is kept of one owner's registration, in n8n's static data of the node and in this process. */
export class RegistrationStore {
	constructor(
		private readonly staticData: IDataObject,
		readonly owner: Owner,
	) {}

	/**
	 * What a node has kept.
	 * @param url of the node; undefined for a test in the editor
	 * @returns undefined when the credential has no client secret: everybody could work the key out, so nothing is kept
	 */
	static of(
		context: IHookFunctions | IWebhookFunctions,
		{ environment: baseUrl, clientSecret }: WebhookCredential,
		url: string | undefined,
	): RegistrationStore | undefined {
		if (clientSecret === '') return undefined;
		const key = Buffer.from(hkdfSync('sha256', clientSecret, '', PURPOSE, 32));
		const ids = { workflowId: String(context.getWorkflow().id), nodeId: context.getNode().id };
		const owner = { ...ids, baseUrl, key, url };
		return new RegistrationStore(context.getWorkflowStaticData('node'), owner);
	}

	/** The newest registration; undefined when there is none, none with the owner's path, or the newest was forgotten. */
	get current(): Registration | undefined {
		const newest = this.newest();
		return newest?.secret ? newest : undefined;
	}

	/** Whether this owner has written what n8n has stored. */
	get isReadable(): boolean {
		return this.stored() !== undefined;
	}

	/** What n8n has stored for another URL or environment: n8n has moved, or the credential was edited. */
	get oldRegistration(): StoredRegistration | undefined {
		const stored = this.stored();
		const { url, baseUrl } = this.owner;
		return stored?.secret && (stored.url !== url || stored.baseUrl !== baseUrl)
			? stored
			: undefined;
	}

	/** The present, in ms since 1970, and newer than every record, also when the clock was put back. */
	nextTime(): number {
		return Math.max(Date.now(), (this.newest()?.at ?? 0) + 1);
	}

	/** Keeps a registration, here and in n8n's static data, unless something newer is known. */
	keep(registration: Registration): void {
		const newest = this.newest();
		if (!newest || newest.at <= registration.at) remember(this.owner, registration);
		this.storeNewest();
	}

	/**
	 * Forgets the registration. That is kept, too: n8n may put an older one back.
	 * @param at when AcountPay was asked, by {@link nextTime}
	 */
	forget(at: number): void {
		this.keep({ id: '', secret: '', url: this.owner.url ?? '', at });
	}

	/** Stores the newest again, where n8n has dropped it or put an older one in its place. */
	storeNewest(): void {
		const newest = this.newest();
		const stored = this.stored();
		const isStored = stored?.at === newest?.at && stored?.baseUrl === this.owner.baseUrl;
		if (newest && !isStored) this.staticData.registration = seal(this.owner, newest);
	}

	private stored(): StoredRegistration | undefined {
		return open(this.owner, this.staticData.registration);
	}

	/** The newest that n8n has stored or this process remembers, also if it is one that was forgotten. */
	private newest(): Registration | undefined {
		const { owner } = this;
		const opened = this.stored();
		const isOwn =
			opened?.baseUrl === owner.baseUrl &&
			(owner.url === undefined || isSamePath(opened.url, owner.url));
		const stored = isOwn ? opened : undefined;
		if (owner.url === undefined) return stored;
		const remembered = memory.get(memoryKeyOf(owner));
		if (!stored || (remembered && remembered.at >= stored.at)) return remembered;
		remember(owner, stored);
		return stored;
	}
}

/** Takes out of n8n's static data a registration in the clear, as this package once stored it. */
export function dropUnencrypted(staticData: IDataObject): void {
	const { registration } = staticData;
	if (isRecord(registration) && 'secret' in registration) delete staticData.registration;
}
