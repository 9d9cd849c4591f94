import { randomBytes, randomUUID } from 'node:crypto';

import type { Clock } from '../clock';
import { PROCESSING_MS, type Course } from '../payments';

/** The two documented events of merchants. */
export type MerchantEvent = 'merchant.activated' | 'merchant.deactivated';

/** A merchant as the sandbox keeps it; moments are ISO 8601 on the sandbox's clock. */
export interface Merchant {
	/** AcountPay's number for it. */
	id: number;
	/** What payments name it by: a UUID. */
	clientId: string;
	companyName: string;
	contactEmail: string;
	contactPhone?: string;
	/** The partner's own id for it. */
	partnerRefId?: string;
	/** Only active merchants can be paid (assumed). */
	status: 'pending' | 'active' | 'inactive';
	createdAt: string;
	/** Opens the page where the merchant does the rest. */
	onboardingToken?: string;
	/** When that page ends; assumed: after 7 days. */
	expiresAt?: string;
	/** What else the body held. */
	customFields: Record<string, unknown>;
}

/** A merchant's store, as the sandbox keeps it. */
export interface Store {
	/** A UUID, or `loc_…` when it was made while the setting `storeIdKey` was 'id'. */
	id: string;
	/** The merchant's number. */
	merchantId: number;
	/** The fields that were sent, `countryCode` filled in. */
	fields: Record<string, unknown>;
	createdAt: string;
}

/** Assumed. */
export const ONBOARDING_MS = 7 * 24 * 60 * 60_000;

/** The merchants that are there from the start, and how their payments go on. None is documented. */
export const KEY_MERCHANTS = {
	/** Its payments wait for the customer. */
	shop: { id: 1, clientId: '11111111-1111-4111-8111-111111111111', companyName: 'Sandbox Shop' },
	/** Its payments are paid after a second. */
	success: {
		id: 2,
		clientId: '22222222-2222-4222-8222-222222222222',
		companyName: 'Always Paid ApS',
	},
	/** Its payments fail after a second. */
	fail: { id: 3, clientId: '33333333-3333-4333-8333-333333333333', companyName: 'Never Paid ApS' },
	/** Its payments are paid after 30 seconds. */
	slow: { id: 4, clientId: '44444444-4444-4444-8444-444444444444', companyName: 'Slow Bank ApS' },
} as const;

const COURSES: Record<string, Course> = {
	[KEY_MERCHANTS.success.clientId]: { end: 'completed', afterMs: PROCESSING_MS },
	[KEY_MERCHANTS.fail.clientId]: { end: 'failed', afterMs: PROCESSING_MS },
	[KEY_MERCHANTS.slow.clientId]: { end: 'completed', afterMs: 30_000 },
};

/** How a merchant's payments go on by themselves; undefined where they wait for the customer. */
export const courseOf = (clientId: string): Course | undefined => COURSES[clientId];

/** Where the merchant's onboarding goes on. */
export const onboardingPath = ({ onboardingToken }: Merchant) => `/onboarding/${onboardingToken}`;

/** The merchants and their stores. */
export class Merchants {
	private byId = new Map<number, Merchant>();
	private readonly byClientId = new Map<string, Merchant>();
	private storesOf = new Map<number, Store[]>();

	/** @param tell is told when a merchant is activated or deactivated, with the real moment */
	constructor(
		private readonly clock: Clock,
		private readonly settings: { storeIdKey: 'storeId' | 'id' },
		private readonly tell: (event: MerchantEvent, merchant: Merchant) => void,
	) {
		this.reset();
	}

	/** All merchants, in the order of their numbers. */
	all(): Merchant[] {
		return [...this.byId.values()];
	}

	/** The merchant with that number or client id. */
	find(id: number | string): Merchant | undefined {
		return typeof id === 'number' ? this.byId.get(id) : this.byClientId.get(id);
	}

	/** The merchant whose onboarding this token opens. */
	findByToken(token: string): Merchant | undefined {
		return this.all().find(({ onboardingToken }) => onboardingToken === token);
	}

	/**
	 * Makes a merchant: one that has to be onboarded first, or an active one.
	 * @param fields checked already
	 */
	create(
		fields: Pick<Merchant, 'companyName' | 'contactEmail'> & Partial<Merchant>,
		status: 'pending' | 'active',
	): Merchant {
		const now = this.clock.now();
		const merchant: Merchant = {
			id: this.byId.size + 1,
			clientId: randomUUID(),
			status,
			createdAt: new Date(now).toISOString(),
			...(status === 'pending' && {
				onboardingToken: randomBytes(24).toString('base64url'),
				expiresAt: new Date(now + ONBOARDING_MS).toISOString(),
			}),
			customFields: {},
			...fields,
		};
		this.byId.set(merchant.id, merchant);
		this.byClientId.set(merchant.clientId, merchant);
		return merchant;
	}

	/** The merchant has done its part, or AcountPay takes it back. */
	activate(merchant: Merchant): void {
		this.move(merchant, 'active', 'merchant.activated');
	}

	/** AcountPay closes the merchant. */
	deactivate(merchant: Merchant): void {
		this.move(merchant, 'inactive', 'merchant.deactivated');
	}

	/** The stores of the merchant, or of all merchants. */
	stores(merchant?: Merchant): Store[] {
		return merchant ? (this.storesOf.get(merchant.id) ?? []) : [...this.storesOf.values()].flat();
	}

	/** @param fields checked already */
	createStore(merchant: Merchant, fields: Record<string, unknown>): Store {
		const isUuid = this.settings.storeIdKey === 'storeId';
		const store: Store = {
			id: isUuid ? randomUUID() : `loc_${randomBytes(6).toString('hex')}`,
			merchantId: merchant.id,
			fields: { countryCode: 'DK', ...fields },
			createdAt: new Date(this.clock.now()).toISOString(),
		};
		this.storesOf.set(merchant.id, [...this.stores(merchant), store]);
		return store;
	}

	/** Forgets all but the merchants of the start. */
	reset(): void {
		this.byId.clear();
		this.byClientId.clear();
		this.storesOf.clear();
		for (const known of Object.values(KEY_MERCHANTS)) {
			this.create({ ...known, contactEmail: `merchant${known.id}@example.com` }, 'active');
		}
	}

	private move(merchant: Merchant, status: Merchant['status'], event: MerchantEvent): void {
		if (merchant.status === status) return;
		merchant.status = status;
		this.tell(event, merchant);
	}
}
