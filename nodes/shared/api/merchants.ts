import type { IDataObject } from 'n8n-workflow';
import { idIn, withId } from './lists';
import { readCreated } from './created';
import { type ApiRequest, create, get } from './request';

/*
 * A merchant has two IDs. `merchantClientId` is what payments name it by. `merchantNumber` is what the endpoints of merchants and
 * stores name it by; AcountPay calls that one `merchantId` or `id`. The node's field `merchantId` holds the client ID: it is older.
 */

const MERCHANTS_PATH = '/v1/partner/merchants';

/** What AcountPay calls a merchant's number: `merchantId` on creation, and in both ways when it is read (documented). */
const NUMBER_NAMES = ['merchantId', 'id'] as const;

/**
 * The request that creates a merchant, which does the rest of its onboarding itself (documented).
 * @param merchant `companyName`, `contactEmail`, and perhaps `contactPhone` and `partnerRefId`; it is sent as it is
 */
export const createMerchant = (merchant: IDataObject): ApiRequest =>
	create(MERCHANTS_PATH, merchant);

/**
 * The request that creates a merchant with full company data (documented in part: AcountPay knows more fields).
 * @param merchant the same, `registrationNumber`, `website`, `iban`, and perhaps `bic`
 */
export const createFastTrackMerchant = (merchant: IDataObject): ApiRequest =>
	create(`${MERCHANTS_PATH}/fast-track`, merchant);

/** The request that creates a merchant which can be paid at once (documented; the sandbox only). */
export const createTestMerchant = (companyName: string): ApiRequest =>
	create(`${MERCHANTS_PATH}/test`, { companyName });

/** The request that reads a merchant by its number (documented). */
export const getMerchant = (merchantNumber: string): ApiRequest =>
	get(`${MERCHANTS_PATH}/${encodeURIComponent(merchantNumber)}`);

/** The request that lists all merchants of the partner (documented; that it has no pages is assumed). */
export const listMerchants = (): ApiRequest => get(MERCHANTS_PATH);

/** A merchant with its number as `merchantId`, whatever AcountPay calls it. */
export const withMerchantNumber = (merchant: IDataObject): IDataObject =>
	withId(merchant, NUMBER_NAMES);

/** A merchant's number as text; undefined when the response has none. */
export const merchantNumberOf = (merchant: IDataObject): string | undefined =>
	idIn(merchant, NUMBER_NAMES)?.toString();

/** What tells that a response is about a merchant. */
const NAMES_MERCHANT = [...NUMBER_NAMES, 'clientId'] as const;

/** The merchant in the response to a create. @returns undefined when the body names none */
export const readCreatedMerchant = (body: Buffer): IDataObject | undefined =>
	readCreated(body, 'merchant', NAMES_MERCHANT);
