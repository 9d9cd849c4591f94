import type { IDataObject } from 'n8n-workflow';

/** How a payment has ended. `completed` is documented as a status; `failed` and `expired` are named after their events (assumed). */
export type FinalStatus = 'completed' | 'failed' | 'expired';

const FINAL_STATUSES: ReadonlyMap<unknown, FinalStatus> = new Map([
	['completed', 'completed'],
	// What a later revision of the API calls completed.
	['paid', 'completed'],
	['failed', 'failed'],
	['expired', 'expired'],
]);

/**
 * How a payment has ended, from the `status` in a response or an event.
 * @returns undefined when it has not ended, and for every unknown status: such a payment is not paid
 */
export function finalStatusOf(status: unknown): FinalStatus | undefined {
	return FINAL_STATUSES.get(status);
}

/** Whether a payment has a status at all, known or not. */
export const hasStatus = ({ status }: IDataObject): boolean =>
	typeof status === 'string' && status.trim() !== '';

/**
 * The payment with `isPaid`: whether the customer has paid, by the payment's `status`. It is the same for both spellings of
 * that status, `completed` and `paid`, and false for every status that is not known.
 * @param payment from a response or an event
 */
export const withIsPaid = (payment: IDataObject): IDataObject => ({
	...payment,
	isPaid: finalStatusOf(payment.status) === 'completed',
});
