/** For how long a secret is used without being read again, in ms. A replaced or removed one is accepted for as long. */
export const TRUSTED_FOR = 10_000;
/** The shortest time between two reads that wrong signatures cause, in ms: the secret may have been replaced just now. */
export const READ_EVERY = 5_000;

/**
 * Whether something was less than `period` ms ago. If it seems to lie in the future, it was not: the clock was set back
 * since, and nobody knows how long ago it was.
 * @param at ms since 1970
 */
export function isWithin(at: number, period: number): boolean {
	const age = Date.now() - at;
	return age >= 0 && age < period;
}

/** How many reads one delivery is compared with: other deliveries may read meanwhile. */
const MAX_LOOKS = 3;

interface KnownSecrets {
	secrets: Promise<unknown>;
	/** When reading began, in ms since 1970. */
	readAt: number;
}

/**
 * Secrets that were read a short time ago. n8n reads, decrypts and evaluates a credential again each time, which takes more
 * CPU than everything else about a delivery.
 */
const known = new Map<string, KnownSecrets>();

function read(key: string, readSecrets: () => Promise<unknown>): KnownSecrets {
	for (const [other, { readAt }] of known) if (!isWithin(readAt, TRUSTED_FOR)) known.delete(other);
	const entry = { secrets: readSecrets(), readAt: Date.now() };
	known.set(key, entry);
	return entry;
}

const fresh = (entry: KnownSecrets | undefined) =>
	entry && isWithin(entry.readAt, TRUSTED_FOR) ? entry : undefined;

/**
 * Whether something was signed with a secret. Secrets are read when they have not been read for {@link TRUSTED_FOR}, and
 * when what was signed does not fit them, but then no more often than every {@link READ_EVERY}: a new secret counts
 * within that time, and noise does not cause reads. Deliveries at the same moment share one read.
 * @param key says whose secrets they are
 * @param readSecrets always of the same type for one key
 * @throws what `readSecrets` throws
 */
export async function fitsSecret<Secrets>(
	key: string,
	readSecrets: () => Promise<Secrets>,
	fits: (secrets: Secrets) => boolean,
): Promise<boolean> {
	for (let looks = 0; looks < MAX_LOOKS; looks++) {
		const cached = fresh(known.get(key));
		const entry = cached ?? read(key, readSecrets);
		const secrets = (await entry.secrets.catch((error: unknown) => {
			if (known.get(key) === entry) known.delete(key);
			throw error;
		})) as Secrets;
		if (fits(secrets)) return true;
		// They were read for this delivery: reading them again changes nothing.
		if (entry !== cached) return false;
		// Another delivery has read them meanwhile, so look at those.
		if (known.get(key) !== entry) continue;
		if (isWithin(entry.readAt, READ_EVERY)) return false;
		known.delete(key);
	}
	return false;
}
