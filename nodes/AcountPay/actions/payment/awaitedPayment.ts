import type { IDataObject } from 'n8n-workflow';
import type { PaymentKey } from '../../../shared/api/payments';
import { finalStatusOf, hasStatus, withIsPaid } from '../../../shared/api/statuses';
import { aborted } from '../../../shared/http/delays';
import { ApiError, Cancelled } from '../../../shared/errors';
import type { Client } from '../../../shared/transport/client';
import type { CallOptions } from '../../../shared/transport/sendWithRetries';
import { contradictionIn, type FixedFields, fixedFieldsOf } from './lookUp/samePayment';
import { OtherPaymentError, readPayment } from './readPayment';

/** How long AcountPay may refuse to report a payment before that ends a wait, in ms: a new one may not be there yet. */
const REFUSAL_PATIENCE = 60_000;

/** With these AcountPay refuses a payment that it may report a little later. */
const PASSING_REFUSALS: readonly unknown[] = [401, 403, 404];

/** Whether AcountPay has refused to report a payment, and may report it a little later. */
export const mayPass = (response: Known | ApiError): response is ApiError =>
	response instanceof ApiError && PASSING_REFUSALS.includes(response.status);

/** A payment as AcountPay last reported it. */
export interface Known {
	payment: IDataObject;
	/** When that was, as ISO 8601; null when AcountPay has not reported it at all. */
	statusAt: string | null;
}

/**
 * The output of a wait: the payment, with its id, a final status under its documented name, whether it is paid, why the
 * wait has ended, and when AcountPay reported the status. A response without a status says nothing of whether it is paid.
 */
export function waitOutput(
	paymentId: string | number,
	{ payment, statusAt }: Known,
	waitEndedBy: 'status' | 'timeout',
): IDataObject {
	const status = finalStatusOf(payment.status) ?? payment.status;
	const known = withIsPaid({ ...payment, paymentId, ...(status !== undefined && { status }) });
	if (statusAt !== null && !hasStatus(payment)) delete known.isPaid;
	return { ...known, waitEndedBy, statusAt };
}

/** A payment that is waited for, as AcountPay reports it from time to time. */
export class AwaitedPayment {
	/** Since when AcountPay has refused to report it, in ms since 1970. */
	private refusedSince?: number;
	/** What does not change about it, as the first response that named it had it. */
	private fixed: FixedFields = {};

	constructor(
		private readonly client: Client,
		private readonly key: PaymentKey,
	) {}

	/**
	 * Reads the payment. Server errors, network failures, rate limits and a minute of refusals do not end a wait.
	 * @returns the payment; an error when AcountPay is to be asked again
	 * @throws ApiError or Cancelled
	 */
	async ask(options: CallOptions): Promise<Known | ApiError> {
		return await readPayment(this.client, this.key, options, false).then(
			(payment) => {
				this.refusedSince = undefined;
				return this.doubtAbout(payment) ?? { payment, statusAt: new Date().toISOString() };
			},
			(error: unknown) => {
				if (!(error instanceof ApiError)) throw error;
				if (error.outcome === 'unavailable' || error.status === 429) return error;
				if (!mayPass(error)) throw error;
				this.refusedSince ??= Date.now();
				if (Date.now() - this.refusedSince >= REFUSAL_PATIENCE) throw error;
				return error;
			},
		);
	}

	/** A payment keeps its reference, amount, currency and merchant: another one is that of another payment. */
	private doubtAbout(payment: IDataObject): ApiError | undefined {
		const contradiction = contradictionIn(this.fixed, payment);
		if (contradiction !== undefined)
			return new OtherPaymentError(this.key.paymentId, contradiction);
		this.fixed = fixedFieldsOf(payment, this.fixed);
		return undefined;
	}
}

/**
 * AcountPay's report on a payment, or that it has not come in time. Whatever holds the response up, a wait ends: the queue
 * of requests, an access token, AcountPay.
 * @param over aborted when no response is waited for any more
 */
export async function unlessOver(
	over: AbortSignal,
	asking: Promise<Known | ApiError>,
	paymentId: string,
): Promise<Known | ApiError> {
	const ended = new AbortController();
	const late = () =>
		new ApiError(
			'unavailable',
			`AcountPay has not reported payment '${paymentId}' by the timeout`,
			'Reading changes nothing, so this item can be run again.',
		);
	const said = asking.catch((error: unknown) => {
		// A request that left the queue because the time is over does not mean a cancelled execution.
		if (over.aborted && error instanceof Cancelled) return late();
		throw error;
	});
	const end = aborted(over, ended.signal).then(late);
	return await Promise.race([said, end]).finally(() => ended.abort());
}
