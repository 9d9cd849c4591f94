import type { IDataObject } from 'n8n-workflow';
import { idIn, withId } from './lists';
import { readCreated } from './created';
import { getMerchant } from './merchants';
import { type ApiRequest, create, get } from './request';

/** What AcountPay calls a store's id (documented in both ways). */
const ID_NAMES = ['storeId', 'id'] as const;

const storesPath = (merchantNumber: string) => `${getMerchant(merchantNumber).path}/stores`;

/**
 * The request that creates a store (documented).
 * @param store `name`, and perhaps `locationId`, `streetAddress`, `city`, `postalCode`, `countryCode` (two letters; DK when
 *   there are none), `phone`, `email` and `isDefault`; it is sent as it is
 */
export const createStore = (merchantNumber: string, store: IDataObject): ApiRequest =>
	create(storesPath(merchantNumber), store);

/** The request that lists a merchant's stores (documented; that it has no pages is assumed). */
export const listStores = (merchantNumber: string): ApiRequest => get(storesPath(merchantNumber));

/** A store with its id as `storeId`, whatever AcountPay calls it. */
export const withStoreId = (store: IDataObject): IDataObject => withId(store, ID_NAMES);

/** A store's id as text; undefined when the response has none. */
export const storeIdOf = (store: IDataObject): string | undefined =>
	idIn(store, ID_NAMES)?.toString();

/** The store in the response to a create. @returns undefined when the body names none */
export const readCreatedStore = (body: Buffer): IDataObject | undefined =>
	readCreated(body, 'store', ID_NAMES);
