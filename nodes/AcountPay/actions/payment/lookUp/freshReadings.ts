import type { ListedPayment } from '../../../../shared/api/listedPayments';
import { delay } from '../../../../shared/http/delays';
import type { Client } from '../../../../shared/transport/client';
import { readMerchantList } from './readMerchantList';

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
export class FreshReadings {
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
	async read(
		merchantClientId: string,
		since: () => number,
		timeout: number,
	): Promise<ListedPayment[]> {
		const planned = this.planned.get(merchantClientId);
		if (planned) {
			planned.sinces.push(since);
			return await planned.result;
		}
		const { client } = this;
		const sinces = [since];
		const result = (this.last.get(merchantClientId) ?? Promise.resolve()).then(async () => {
			this.planned.delete(merchantClientId);
			const options = {
				timeout,
				deadline: Date.now() + READING_TIME,
				endSignal: client.cancelSignal,
				comesFirst: true,
			};
			const back = () => Math.min(...sinces.map((get) => get()));
			return (await readMerchantList(client, merchantClientId, options, back)).payments;
		});
		const pause = async () => await delay(PAUSE, client.cancelSignal);
		this.planned.set(merchantClientId, { sinces, result });
		this.last.set(merchantClientId, result.then(pause, pause));
		return await result;
	}
}
