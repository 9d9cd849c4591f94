import type { Client } from '../../../../shared/transport/client';
import type { ListedPayment } from '../../../../shared/api/listedPayments';
import type { CallOptions } from '../../../../shared/transport/sendWithRetries';
import { readMerchantList } from './readMerchantList';

/** A day, in ms. */
const DAY = 24 * 60 * 60_000;

/** How many days reading looks back where nobody says otherwise. */
export const DEFAULT_LOOK_BACK = 30;

/** How many payments the shared readings keep together at most: the oldest readings are forgotten first. */
const MAX_KEPT = 50_000;

/** How long one reading may take, in ms. */
const READING_TIME = 2 * 60_000;

/** A merchant's payments as one reading of AcountPay's list has found them. */
export class MerchantPayments {
	private byId?: Map<string | undefined, ListedPayment>;

	/** @param readAt when the reading began, by AcountPay's clock or by this machine's, whichever is behind; ms since 1970 */
	constructor(
		readonly all: readonly ListedPayment[],
		private readonly readAt: number,
		/** When the reading began, in ms since 1970 on this machine. */
		readonly startedAt: number,
	) {}

	/** The payments of the last `days` days. One that doesn't show when it was created may be one of them. */
	ofLastDays(days: number): ListedPayment[] {
		return this.all.filter(({ createdAt = Infinity }) => createdAt >= this.readAt - days * DAY);
	}

	/** The payment of that ID. */
	withId(id: string | undefined): ListedPayment | undefined {
		this.byId ??= new Map(this.all.map((payment) => [payment.id, payment]));
		return id === undefined ? undefined : this.byId.get(id);
	}
}

/** A reading that several wait for. */
interface Reading {
	client: Client;
	/** In ms since 1970 on this machine. */
	startedAt: number;
	/** How many days it looks back; as many as anyone who waits for it wants. */
	days: number;
	/** Set when it reads no further, so that it can't look back more days than it has. */
	found?: MerchantPayments;
	result: Promise<MerchantPayments>;
}

/** Readings of merchants' lists, each shared by all who want the same list within a time. */
export class SharedReadings {
	/** The oldest first. */
	private readonly readings = new Map<string, Reading>();

	/** @param maxAge how long after its beginning a reading is shared, in ms; Infinity: as long as this object lives */
	constructor(private readonly maxAge: number) {}

	/**
	 * Reads a merchant's payments, or waits for a reading that has begun already. While the list is newest first, reading
	 * stops a day behind the look back; otherwise it reads all.
	 * @param days how far to look back
	 * @param options its `endSignal` ends a reading of its own
	 * @returns the payments of at least this many days; see {@link MerchantPayments.ofLastDays}
	 * @throws ApiError when the list can't be read that far, or Cancelled
	 */
	async read(
		client: Client,
		merchantClientId: string,
		days: number,
		options: CallOptions,
	): Promise<MerchantPayments> {
		// The merchant as it is sent: whether AcountPay minds its case is not known.
		const key = JSON.stringify([client.baseUrl, client.account, merchantClientId]);
		for (;;) {
			const reading = this.readings.get(key);
			const isUsable =
				reading &&
				Date.now() < reading.startedAt + this.maxAge &&
				(!reading.found || reading.days >= days);
			if (!isUsable) return await this.start(key, client, merchantClientId, days, options);
			reading.days = Math.max(reading.days, days);
			const shared = await reading.result.catch((error: unknown) => {
				if (reading.client === client) throw error;
				// Another run's reading ends with that run, so this run reads for itself.
				return undefined;
			});
			// Whoever asked for more days as reading ended has been left out.
			if (shared && reading.days >= days) return shared;
		}
	}

	private async start(
		key: string,
		client: Client,
		merchantClientId: string,
		days: number,
		options: CallOptions,
	): Promise<MerchantPayments> {
		const reading = { client, startedAt: Date.now(), days } as Reading;
		const forget = () => {
			if (this.readings.get(key) === reading) this.readings.delete(key);
		};
		reading.result = readBackTo(reading, merchantClientId, options).catch((error: unknown) => {
			forget();
			throw error;
		});
		// Deleted first, so that it becomes the newest.
		this.readings.delete(key);
		this.readings.set(key, reading);
		// Nothing needs it by then, and it may be large.
		if (this.maxAge < Infinity) {
			AbortSignal.timeout(this.maxAge).addEventListener('abort', forget);
		}
		const result = await reading.result;
		this.forgetOldest();
		return result;
	}

	private forgetOldest(): void {
		let kept = 0;
		for (const [key, { found }] of [...this.readings].reverse()) {
			kept += found?.all.length ?? 0;
			if (kept > MAX_KEPT) this.readings.delete(key);
		}
	}
}

/** @param reading is looked at after each page, since others may want more meanwhile */
async function readBackTo(
	reading: Reading,
	merchantClientId: string,
	options: CallOptions,
): Promise<MerchantPayments> {
	const { client, startedAt } = reading;
	const deadline = startedAt + READING_TIME;
	// AcountPay's clock is known from the first page on.
	const readAt = () => Math.min(startedAt, client.clock.at(startedAt)?.from ?? Infinity);
	let days = 0;
	const since = () => {
		days = reading.days;
		return readAt() - (days + 1) * DAY;
	};
	const read = await readMerchantList(client, merchantClientId, { ...options, deadline }, since);
	reading.days = read.isWhole ? Infinity : days;
	reading.found = new MerchantPayments(read.payments, readAt(), startedAt);
	return reading.found;
}
