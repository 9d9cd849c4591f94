import { createHash } from 'node:crypto';
import type { IDataObject } from 'n8n-workflow';
import type { PaymentEvent } from '../shared/api/events';

/** How long an event is remembered, in ms. */
export const MEMORY = 24 * 60 * 60_000;
/** How many events are remembered for one trigger: n8n writes them all to its database with each new one. */
export const MEMORY_SIZE = 5_000;

/** When each event came, in ms since 1970, the oldest first. */
type Seen = Record<string, number>;

/** What this process has seen: deliveries at the same moment each get n8n's static data as it was before all of them. */
const seenHere = new Map<string, Map<string, number>>();

/** By what an event is known again: AcountPay may sign a repeat anew, so neither signature nor time belong to it. */
const keyOf = ({ event, data }: PaymentEvent) =>
	createHash('sha256')
		.update(JSON.stringify([event, String(data.paymentId)]))
		.digest('base64url')
		.slice(0, 16);

/**
 * Remembers an event, in n8n's static data of the node and in this process.
 * @param triggerId tells this trigger from others in the same process
 * @param staticData n8n's static data of the node; n8n stores it when the node has answered the webhook itself
 * @param now ms since 1970
 * @returns whether it has come before, within {@link MEMORY}
 */
export function isRepeat(
	event: PaymentEvent,
	triggerId: string,
	staticData: IDataObject,
	now: number,
): boolean {
	const key = keyOf(event);
	const here = seenHere.get(triggerId) ?? new Map<string, number>();
	seenHere.set(triggerId, here);

	const stored = (staticData.seenEvents ?? {}) as Seen;
	const all = new Map([...Object.entries(stored), ...here]);
	const recent = new Map([...all].filter(([, at]) => now - at < MEMORY).slice(1 - MEMORY_SIZE));
	if (recent.has(key)) return true;

	recent.set(key, now);
	seenHere.set(triggerId, recent);
	staticData.seenEvents = Object.fromEntries(recent);
	return false;
}
