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
const TEMPORARY_REFUSALS: readonly unknown[] = [401, 403, 404];

/** Whether AcountPay has refused to report a payment, and may report it a little later. */
export const mayBeTemporary = (response: Report | ApiError): response is ApiError =>
	response instanceof ApiError && TEMPORARY_REFUSALS.includes(response.status);

/** A payment as AcountPay last reported it. */
export interface Report {
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
	{ payment, statusAt }: Report,
	waitEndedBy: 'status' | 'timeout',
): IDataObject {
	const status = finalStatusOf(payment.status) ?? payment.status;
	const output = withIsPaid({ ...payment, paymentId, ...(status !== undefined && { status }) });
	if (statusAt !== null && !hasStatus(payment)) delete output.isPaid;
	return { ...output, waitEndedBy, statusAt };
}

/** A payment that is waited for, as AcountPay reports it from time to time. */
export class AwaitedPayment {
	/** Since when AcountPay has refused to report it, in ms since 1970. */
	private refusedSince?: number;
	/** Its fields that never change, each as it was first reported. */
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
	async ask(options: CallOptions): Promise<Report | ApiError> {
		return await readPayment(this.client, this.key, options, false).then(
			(payment) => {
				this.refusedSince = undefined;
				return this.doubtAbout(payment) ?? { payment, statusAt: new Date().toISOString() };
			},
			(error: unknown) => {
				if (!(error instanceof ApiError)) throw error;
				if (error.outcome === 'unavailable' || error.status === 429) return error;
				if (!mayBeTemporary(error)) throw error;
				this.refusedSince ??= Date.now();
				if (Date.now() - this.refusedSince >= REFUSAL_PATIENCE) throw error;
				return error;
			},
		);
	}

	/** A payment keeps its reference, amount, currency and merchant: if one differs, this is another payment. */
	private doubtAbout(payment: IDataObject): ApiError | undefined {
		const known = fixedFieldsOf(payment, this.fixed);
		const contradiction = contradictionIn(known, payment);
		if (contradiction !== undefined)
			return new OtherPaymentError(this.key.paymentId, contradiction);
		this.fixed = known;
		return undefined;
	}
}

/**
 * AcountPay's report on a payment, or an error when time is up, whatever holds the report up: the queue of requests, an access
 * token, AcountPay.
 * @param over aborted when no response is waited for any more
 */
export async function inTime(
	over: AbortSignal,
	asking: Promise<Report | ApiError>,
	paymentId: string,
): Promise<Report | ApiError> {
	const ended = new AbortController();
	const late = () =>
		new ApiError(
			'unavailable',
			`AcountPay has not reported payment '${paymentId}' by the timeout`,
			'Reading changes nothing, so this item can be run again.',
		);
	const report = asking.catch((error: unknown) => {
		// A request that left the queue because the time is over does not mean a cancelled execution.
		if (over.aborted && error instanceof Cancelled) return late();
		throw error;
	});
	const end = aborted(over, ended.signal).then(late);
	return await Promise.race([report, end]).finally(() => ended.abort());
}
