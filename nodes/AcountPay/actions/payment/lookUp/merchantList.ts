import { delay } from '../../../../shared/backoff';
import { type ListedPayment, listedPaymentOf } from '../../../../shared/api/listedPayments';
import { listedPaymentIdOf, listPayments, readPaymentsPage } from '../../../../shared/api/payments';
import type { Client } from '../../../../shared/transport/client';
import { readPages } from '../../../../shared/transport/readList';

/** How far the order of a list may be from that of `createdAt`, in ms (assumed). */
const DISORDER = 60_000;

/** The shortest time from the end of a reading of a merchant's list to the next one, in ms. */
const PAUSE = 250;

/** How long one reading may take, in ms. */
const READING_TIME = 60_000;

/** A reading that has not begun yet: whoever needs one by then shares it. */
interface PlannedReading {
	/** How far back it is to reach for each who shares it, by AcountPay's clock; -Infinity for the whole list. */
	sinces: Array<() => number>;
	result: Promise<ListedPayment[]>;
}

/** The readings of merchants' lists in one run: one serves all who wait for it. */
export class MerchantLists {
	private readonly planned = new Map<string, PlannedReading>();
	/** The end of the last reading of a merchant's list, and the pause after it. */
	private readonly last = new Map<string, Promise<unknown>>();

	constructor(private readonly client: Client) {}

	/**
	 * Reads a merchant's list, from now on.
	 * @param since how far back, by AcountPay's clock in ms since 1970; asked when the first page is there
	 * @param timeout ms until the response to one request must be there
	 * @throws ApiError or Cancelled
	 */
	async read(merchantId: string, since: () => number, timeout: number): Promise<ListedPayment[]> {
		let reading = this.planned.get(merchantId);
		if (reading) {
			reading.sinces.push(since);
		} else {
			const sinces = [since];
			const result = this.afterLast(merchantId, async () => {
				this.planned.delete(merchantId);
				return await readBackTo(this.client, merchantId, sinces, timeout);
			});
			reading = { sinces, result };
			this.planned.set(merchantId, reading);
		}
		return await reading.result;
	}

	private async afterLast<Result>(
		merchantId: string,
		read: () => Promise<Result>,
	): Promise<Result> {
		const before = this.last.get(merchantId) ?? Promise.resolve();
		const result = before.then(read);
		const pause = async () => await delay(PAUSE, this.client.cancelSignal);
		this.last.set(merchantId, result.then(pause, pause));
		return await result;
	}
}

async function readBackTo(
	client: Client,
	merchantId: string,
	sinces: ReadonlyArray<() => number>,
	timeout: number,
): Promise<ListedPayment[]> {
	const { cancelSignal } = client;
	const list = {
		subject: { name: 'the list of payments', merchantId },
		request: (page: number, limit: number) => listPayments({ merchantId }, page, limit),
		readPage: readPaymentsPage,
		idOf: listedPaymentIdOf,
	};
	const options = {
		timeout,
		deadline: Date.now() + READING_TIME,
		resendUnknown: false,
		endSignal: cancelSignal,
		comesFirst: true,
	};
	const payments: ListedPayment[] = [];
	let isNewestFirst = true;
	let newest: number | undefined;
	let oldest: number | undefined;
	for await (const { entries } of readPages(client, list, options)) {
		for (const payment of entries.map(listedPaymentOf)) {
			const { createdAt = NaN } = payment;
			newest ??= createdAt;
			isNewestFirst &&= createdAt <= (oldest ?? Infinity);
			oldest = createdAt;
			payments.push(payment);
		}
		if (newest === undefined || oldest === undefined) continue;
		const since = Math.min(...sinces.map((get) => get()));
		// Served newest first: payments that are created meanwhile come to the front, and the rest is older.
		if (isNewestFirst && oldest < newest && oldest < since - DISORDER) break;
	}
	return payments;
}
