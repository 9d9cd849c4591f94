import { endNamedBy, type WebhookEvent } from '../api/events';
import { finalStatusOf } from '../api/statuses';

/** Statuses that a payment may have when it is not paid, or no longer paid (assumed, except `failed` and `expired`). */
const UNPAID =
	/^(?:payment_)?(?:failed|expired|declined|rejected|refused|abandoned|cancell?ed|reversed|refunded|chargeback|unpaid|not_paid|timeout|timed_out)$/;

/** Statuses of a payment that has not ended: one of them is stale, since it was read before the event. */
const OPEN = /^(?:created|pending|processing)$/;

const isMissing = (value: unknown) => value === undefined || value === null || value === '';

const isOneOf = (names: RegExp, status: unknown) =>
	typeof status === 'string' && names.test(status);

/**
 * Why the status in the final event of a payment is not believed. It may be missing or stale, or must match the event, whatever
 * its case. Any unpaid status matches any unpaid event: the API with keys has one event for all of them (documented).
 * @returns as the end of 'does not act on …: …'; undefined for an event that is believed, or that is not final
 */
export function doubtAboutStatus(event: WebhookEvent): string | undefined {
	const finalStatus = endNamedBy(event);
	const { status: given } = event.data;
	const status = typeof given === 'string' ? given.trim().toLowerCase() : given;
	if (finalStatus === undefined || isMissing(status)) return undefined;
	const isPaid = finalStatusOf(status) === 'completed';
	const isUnpaid = isOneOf(UNPAID, status);
	if (isOneOf(OPEN, status) || (finalStatus === 'completed' ? isPaid : isUnpaid)) return undefined;
	return isPaid || isUnpaid ? 'its status contradicts its name' : 'its status is not known';
}
