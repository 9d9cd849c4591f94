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
 * The merchants for a picker, by name. There are none with access tokens, where a picker is what a switched credential left.
 * @param filter what the user has typed: a part of the name, of an ID, or of the partner's own ID
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

const adviceFor = (error: ItemError) =>
	error instanceof ReadError
		? "Choose 'By ID' and enter the merchant's client ID."
		: error.description;

/**
 * The entries of a picker: merchants that payments can be created for, by name. Where several have a name, each has its ID
 * too.
 * @param merchants as AcountPay lists them
 */
export function pickerItems(merchants: IDataObject[], filter?: string): INodeListSearchItems[] {
	const counts = new Map<string, number>();
	for (const { name } of merchants.flatMap(itemOf)) counts.set(name, (counts.get(name) ?? 0) + 1);
	const told = ({ name, value }: INodeListSearchItems) => ({
		name: counts.get(name) === 1 ? name : `${name}, ${value}`,
		value,
	});
	return merchants.filter(matching(filter)).flatMap(itemOf).map(told).sort(byName);
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

function itemOf({ companyName, clientId, status }: IDataObject): INodeListSearchItems[] {
	if (typeof clientId !== 'string' || clientId === '') return [];
	const name = typeof companyName === 'string' && companyName ? companyName : clientId;
	const isActive = status === 'active' || status === undefined;
	return [{ name: isActive ? name : `${name} (${String(status)})`, value: clientId }];
}

const byName = (one: INodeListSearchItems, other: INodeListSearchItems) =>
	one.name.localeCompare(other.name);
