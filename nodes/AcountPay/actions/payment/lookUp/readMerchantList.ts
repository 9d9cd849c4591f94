import { type ListedPayment, listedPaymentOf } from '../../../../shared/api/listedPayments';
import {
	listedPaymentIdOf,
	listPayments,
	type PaymentFilters,
} from '../../../../shared/api/payments';
import { ApiError } from '../../../../shared/errors';
import type { Client } from '../../../../shared/transport/client';
import { type List, readPages } from '../../../../shared/transport/readList';
import type { CallOptions } from '../../../../shared/transport/sendWithRetries';
import { asListOf } from './samePayment';

/** AcountPay's list of payments. */
export const paymentList = (filters: PaymentFilters): List => ({
	subject: { name: 'the list of payments', merchantClientId: filters.merchantClientId },
	request: (page, limit) => listPayments(filters, page, limit),
	name: 'payments',
	idOf: listedPaymentIdOf,
});

/** By how much a list that is newest first may be out of order, in ms: `createdAt` may have whole seconds. */
const DISORDER = 1_000;

/** How many payments one reading takes in at most: they are all in memory. */
export const MAX_PAYMENTS = 20_000;

/**
 * Reads a merchant's payments, newest first or not: that is not documented. While the list has been newest first so far,
 * reading stops at the first page that ends before `since`; what is created meanwhile comes to the front. Otherwise it reads
 * all.
 * @param since how far back, by AcountPay's clock in ms since 1970; asked after each page
 * @param options its `deadline` ends the reading
 * @returns `isWhole`: the list was read to its end
 * @throws ApiError when it can't be read that far, or Cancelled
 */
export async function readMerchantList(
	client: Client,
	merchantClientId: string,
	options: CallOptions,
	since: () => number,
): Promise<{ payments: ListedPayment[]; isWhole: boolean }> {
	const payments: ListedPayment[] = [];
	const result = (isWhole: boolean) => ({
		payments: asListOf(merchantClientId, payments),
		isWhole,
	});
	let isNewestFirst = true;
	let oldest = Infinity;
	const pages = readPages(client, paymentList({ merchantClientId }), options);
	for await (const { entries, total = 0 } of pages) {
		for (const payment of entries.map(listedPaymentOf)) {
			const { createdAt = NaN } = payment;
			isNewestFirst &&= createdAt <= oldest + DISORDER;
			oldest = createdAt;
			payments.push(payment);
		}
		// A list of one moment only does not show its order.
		const showsOrder = isNewestFirst && oldest < (payments.at(0)?.createdAt ?? NaN);
		if (showsOrder && oldest < since()) return result(false);
		if (payments.length > MAX_PAYMENTS || (!isNewestFirst && total > MAX_PAYMENTS)) {
			throw new ApiError(
				'unavailable',
				`AcountPay's list of payments of merchant '${merchantClientId}' is too long to look through: at most ${MAX_PAYMENTS} payments are read`,
				'Look for the reference in AcountPay.',
			);
		}
	}
	return result(true);
}
