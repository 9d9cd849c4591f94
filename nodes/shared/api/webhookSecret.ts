/** How a secret is written that is not shown whole: dots, stars, or one character again and again. */
const MASK = /[•●∙…]|\.\.\.|\*\*\*|([^])\1{11}/;

/** Whether a text is no secret but what a page or a response shows in its place: whoever guesses it could sign events. */
export const isMask = (text: string): boolean => MASK.test(text);

/** The webhook secret in a credential's fields; empty when there is none, or only a mask. */
export function webhookSecretIn({ webhookSecret }: { webhookSecret?: unknown }): string {
	const secret = typeof webhookSecret === 'string' ? webhookSecret.trim() : '';
	return isMask(secret) ? '' : secret;
}
