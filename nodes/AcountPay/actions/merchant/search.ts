import {
	type IDataObject,
	type ILoadOptionsFunctions,
	type INodeListSearchItems,
	type INodeListSearchResult,
	NodeOperationError,
} from 'n8n-workflow';
import { authenticationOf } from '../../../shared/auth';
import { isItemError, type ItemError, ReadError } from '../../../shared/errors';
import { Client } from '../../../shared/transport/client';
import { readMerchants } from './getMany.operation';

/** How long the list may take, in ms: the user is waiting for it. */
const PATIENCE = 15_000;

/**
 * The merchants for a picker, sorted by name. With access tokens AcountPay has no list of them. The picker is there all the
 * same when a merchant was picked with API keys before the user switched to access tokens.
 * @param filter what the user has typed: a part of the name, of an ID at AcountPay, or of the partner's own ID for the merchant
 * @throws NodeOperationError
 */
export async function searchMerchants(
	this: ILoadOptionsFunctions,
	filter?: string,
): Promise<INodeListSearchResult> {
	if (authenticationOf(this) !== 'apiKey') {
		throw new NodeOperationError(
			this.getNode(),
			'AcountPay has no list of merchants for access tokens. Choose By ID.',
		);
	}
	try {
		const client = await Client.open(this);
		const options = { timeout: PATIENCE, deadline: Date.now() + PATIENCE };
		const merchants = await readMerchants(client, options, Infinity);
		return { results: pickerItems(merchants, filter) };
	} catch (error) {
		throw isItemError(error)
			? new NodeOperationError(this.getNode(), error.message, { description: adviceFor(error) })
			: error;
	}
}

/** Without the list, the ID can still be entered. */
const adviceFor = (error: ItemError) =>
	error instanceof ReadError
		? "Choose 'By ID' and enter the merchant's client ID."
		: error.description;

/**
 * The entries of a picker, sorted by name: the merchants that payments can be created for. Merchants that share a name are
 * shown with their client IDs.
 * @param merchants as AcountPay lists them
 */
export function pickerItems(merchants: IDataObject[], filter?: string): INodeListSearchItems[] {
	const counts = new Map<string, number>();
	for (const { name } of merchants.flatMap(entryOf)) counts.set(name, (counts.get(name) ?? 0) + 1);
	const distinct = ({ name, value }: INodeListSearchItems) => ({
		name: counts.get(name) === 1 ? name : `${name}, ${value}`,
		value,
	});
	return merchants.filter(matching(filter)).flatMap(entryOf).map(distinct).sort(byName);
}

const matching = (filter = '') => {
	const wanted = filter.trim().toLowerCase();
	return ({ companyName, clientId, merchantId, partnerRefId }: IDataObject): boolean =>
		[companyName, clientId, merchantId, partnerRefId].some((value) =>
			String(value ?? '')
				.toLowerCase()
				.includes(wanted),
		);
};

/** A merchant's entry in the picker; none without a client ID, since no payment can be created for it. */
function entryOf({ companyName, clientId, status }: IDataObject): INodeListSearchItems[] {
	if (typeof clientId !== 'string' || clientId === '') return [];
	const name = typeof companyName === 'string' && companyName ? companyName : clientId;
	const isActive = status === 'active' || status === undefined;
	return [{ name: isActive ? name : `${name} (${String(status)})`, value: clientId }];
}

const byName = (one: INodeListSearchItems, other: INodeListSearchItems) =>
	one.name.localeCompare(other.name);
