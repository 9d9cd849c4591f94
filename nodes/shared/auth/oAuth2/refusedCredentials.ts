/** How often one execution asks for a token with an ID and secret that AcountPay refuses. */
const MAX_REFUSALS = 4;

/** What n8n's node context holds of the token requests that AcountPay refused. */
interface StoredRefusals {
	tokenRefusals?: { executionId: string; fingerprint: string; count: number; status?: number };
}

/**
 * Counts how often AcountPay refused an id and secret. The count is in n8n's node context, which lives through the attempts
 * of 'Retry On Fail' and the iterations of a loop. Another execution starts counting from zero, and so does an edited credential.
 */
export class RefusedCredentials {
	/** @param context n8n's node context */
	constructor(
		private readonly context: StoredRefusals,
		private readonly executionId: string,
	) {}

	/**
	 * Whether AcountPay has refused the credential so often that it is not asked again.
	 * @param fingerprint of the credential
	 * @returns the last refusal's HTTP status, or undefined when AcountPay may be asked
	 */
	enough(fingerprint: string): { status?: number } | undefined {
		const known = this.knownOf(fingerprint);
		return known && known.count >= MAX_REFUSALS ? known : undefined;
	}

	/** AcountPay refused the id and secret that have this fingerprint. */
	add(fingerprint: string, status?: number): void {
		const { executionId } = this;
		const count = (this.knownOf(fingerprint)?.count ?? 0) + 1;
		this.context.tokenRefusals = { executionId, fingerprint, count, status };
	}

	/** AcountPay gave a token: nothing is left to be stored. */
	clear(): void {
		delete this.context.tokenRefusals;
	}

	private knownOf(fingerprint: string): StoredRefusals['tokenRefusals'] {
		const { tokenRefusals: known } = this.context;
		// A call by an MCP client has no execution ID.
		if (!known || known.executionId !== this.executionId) return undefined;
		return known.fingerprint === fingerprint ? known : undefined;
	}
}
