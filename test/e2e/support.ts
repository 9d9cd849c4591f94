/* eslint-disable @n8n/community-nodes/no-restricted-imports -- runs outside n8n */
/**
 * What the tests on a real n8n share: three orders, the parameters of Create for items like them, and waiting.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** How often {@link until} looks, in ms. */
const LOOK_EVERY_MS = 20;

/** Three orders of three merchants, as the items that payments are made of. */
export const THREE_ORDERS = [
	{ merchant: 'merchant_copenhagen', reference: 'ORDER-1001', amount: 149.99 },
	{ merchant: 'merchant_aarhus', reference: 'ORDER-1002', amount: 49.5 },
	{ merchant: 'merchant_odense', reference: 'ORDER-1003', amount: 899 },
];

/** The parameters of the operation Create for items that have `merchant`, `amount` and `reference`. */
export const CREATE = {
	operation: 'create',
	merchantId: '={{ $json.merchant }}',
	amount: '={{ $json.amount }}',
	referenceNumber: '={{ $json.reference }}',
};

/** The numbers from 0 up to, and without, `end`. */
export const upTo = (end: number): number[] => [...Array(end).keys()];

/**
 * Waits until something holds.
 *
 * @param limitMs several times what it takes on a busy machine
 * @param description of what was seen instead, for the error
 * @throws Error when it does not hold after `limitMs`
 */
export async function until(
	condition: () => boolean | Promise<boolean>,
	limitMs = 60_000,
	description = () => String(condition),
): Promise<void> {
	const end = Date.now() + limitMs;
	while (!(await condition())) {
		if (Date.now() > end) throw new Error(`Not so within ${limitMs} ms: ${description()}`);
		await sleep(LOOK_EVERY_MS);
	}
}
