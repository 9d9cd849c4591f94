declare global {
	/** Ends the shared n8n and removes what was made for it. */
	var endSharedN8n: (() => Promise<void>) | undefined;
}

/** Ends what `setup.ts` started. */
export default async function teardown(): Promise<void> {
	await globalThis.endSharedN8n?.();
}
