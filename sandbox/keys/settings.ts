import type { PaymentStatus } from '../payments';

/** How the API with keys may differ from what the sandbox takes it to be; may be changed while it runs. */
export interface KeySettings {
	/** Accepts fields and queries that are not documented; default false: they are refused with 400. */
	allowUnknownFields: boolean;
	/** Takes payments for merchants and stores that do not exist; default false: 404. The merchants of the
	 * API with tokens then do here what they do there. */
	allowUnknownMerchants: boolean;
	/** The most entries of a page; not documented. Default 50. */
	listMax: number;
	/** What a larger `limit` comes to: it is cut to the maximum (default), or refused with 400. */
	listAboveMax: 'clamp' | 'refuse';
	/** The order of payments in lists; not documented. Default 'newest' first. 'shuffled': newest first by the second of
	 * `createdAt`, and payments of the same second in another order on each request. */
	listOrder: 'newest' | 'oldest' | 'shuffled';
	/** By how much `createdAt` in lists is ahead of the `Date` of responses, in milliseconds. */
	listShiftMs: number;
	/** How lists write references: as they were sent (default), in capitals or small letters, without signs, or cut
	 * off after three characters. */
	listReference: 'asSent' | 'capitals' | 'small' | 'signless' | 'cut';
	/** How long a new payment is kept out of lists, in milliseconds on the sandbox's clock. */
	listLagMs: number;
	/** For how many looks at page 1 of a list a new payment is kept out of lists. */
	listLagLooks: number;
	/** The spelling of statuses. Documented: pending and paid, and that every other end is a failure. */
	keyStatuses: Record<PaymentStatus, string>;
	/** The merchant list's shape: `[…]` (default), or `{ merchants: […] }`; not documented. */
	merchantList: 'array' | 'object';
	/** What a merchant's number is called when it is read; documented in both ways. Default 'id'. */
	merchantIdKey: 'id' | 'merchantId';
	/** The store list's shape; documented in both ways. Default `{ stores: […] }`. */
	storeList: 'array' | 'object';
	/** What a store's id is called: `storeId`, a UUID (default), or `id`, `loc_abc123`; documented in both ways. */
	storeIdKey: 'storeId' | 'id';
	/** Whether the secret of a webhook is shown on its creation only (default), or always; documented in both ways. */
	secretShown: 'creation' | 'always';
	/** Whether DELETE of a webhook works; not documented. Default false: 404. */
	removableWebhooks: boolean;
	/** Written before the hex digits of X-Webhook-Signature; not documented. Default ''. */
	signaturePrefix: '' | 'sha256=';
	/** Behaves as production where the documents name a difference: no test merchants (404). */
	production: boolean;
}

/** What the documents say, or the likeliest where they say nothing or two things. */
export const DEFAULT_KEY_SETTINGS: KeySettings = {
	allowUnknownFields: false,
	allowUnknownMerchants: false,
	listMax: 50,
	listAboveMax: 'clamp',
	listOrder: 'newest',
	listShiftMs: 0,
	listReference: 'asSent',
	listLagMs: 0,
	listLagLooks: 0,
	keyStatuses: {
		pending: 'pending',
		processing: 'pending',
		completed: 'paid',
		failed: 'failed',
		expired: 'failed',
	},
	merchantList: 'array',
	merchantIdKey: 'id',
	storeList: 'object',
	storeIdKey: 'storeId',
	secretShown: 'creation',
	removableWebhooks: false,
	signaturePrefix: '',
	production: false,
};
