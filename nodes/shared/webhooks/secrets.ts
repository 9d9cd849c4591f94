/** For how long a secret is used without being read again, in ms. One that was replaced or removed is accepted as long. */
export const TRUSTED_FOR = 10_000;
/** The shortest time between two reads that wrong signatures cause, in ms: the secret may have been replaced just now. */
export const READ_EVERY = 5_000;

/** How many secrets one delivery is compared with: other deliveries may read it meanwhile. */
const MAX_LOOKS = 3;

interface KnownSecret {
	secret: Promise<string>;
	/** When reading it began, in ms since 1970. */
	readAt: number;
}

/**
 * Webhook secrets that were read a short time ago. n8n reads, decrypts and evaluates a credential anew each time, which
 * takes more CPU than all else about a delivery.
 */
const known = new Map<string, KnownSecret>();

function read(key: string, readSecret: () => Promise<string>): KnownSecret {
	const now = Date.now();
	for (const [other, { readAt }] of known) if (now - readAt >= TRUSTED_FOR) known.delete(other);
	const entry = { secret: readSecret(), readAt: now };
	known.set(key, entry);
	return entry;
}

const fresh = (entry: KnownSecret | undefined) =>
	entry && Date.now() - entry.readAt < TRUSTED_FOR ? entry : undefined;

/**
 * Whether something was signed with a secret. The secret is read when it has not been read for {@link TRUSTED_FOR}, and
 * when what was signed does not fit it, but then no more often than every {@link READ_EVERY}: a new secret counts at
 * once, and noise does not cause reads. Deliveries at the same moment share one read.
 * @param key tells secrets apart
 * @throws what `readSecret` throws
 */
export async function fitsSecret(
	key: string,
	readSecret: () => Promise<string>,
	fits: (secret: string) => boolean,
): Promise<boolean> {
	for (let looks = 0; looks < MAX_LOOKS; looks++) {
		const cached = fresh(known.get(key));
		const entry = cached ?? read(key, readSecret);
		const secret = await entry.secret.catch((error: unknown) => {
			if (known.get(key) === entry) known.delete(key);
			throw error;
		});
		if (fits(secret)) return true;
		// It was read for this delivery: reading it again changes nothing.
		if (entry !== cached) return false;
		// Another delivery has read it meanwhile, so look at that.
		if (known.get(key) !== entry) continue;
		if (Date.now() - entry.readAt < READ_EVERY) return false;
		known.delete(key);
	}
	return false;
}
