import type { Trace } from '../../../creation/createOnce';
import type { WantedPayment } from './samePayment';

/**
 * What is kept of a request that has left, to find its payment by. The names are in stored executions: they are never
 * renamed. `from`, `to` and `until` are by AcountPay's clock, in ms since 1970, and missing while that is not known.
 */
export interface PaymentTrace extends Trace {
	payment: WantedPayment;
	/** The request did not leave before this. */
	from?: number;
	/** The request had left by then. */
	to?: number;
	/** The request can't have been waited for any longer. */
	until?: number;
	/** The same by this machine's clock. Missing in traces of older versions. */
	untilHere?: number;
	/** Whether another request for this merchant and reference was open while this one was. */
	wasNotAlone?: boolean;
	/** Why a look left a doubt, as the end of "AcountPay's list of payments …". It stays one. */
	doubt?: string;
}
