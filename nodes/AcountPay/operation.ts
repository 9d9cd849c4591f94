import type { IDataObject, INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import type { Connection } from '../shared/connection';
import type { CallOptions } from './calls';
import type { ItemParameters } from './itemParameters';
import type { LedgerPage } from './ledger';
import type { ApiRequest } from '../shared/acountPayApi';

/** What an operation is given to do its work for one item. */
export interface ItemWork {
	connection: Connection;
	options: CallOptions;
	/** Where it is remembered whether this item's payment was made. */
	page: (request: ApiRequest, referenceNumber: string) => LedgerPage;
}

/**
 * One entry of the node's list 'Operation': its fields, its checks and its call.
 * @typeParam Input what the checks make of an item's parameters
 */
export interface Operation<Input> {
	/** The entry in the list. */
	option: INodePropertyOptions & { value: string };
	/** Its own fields, shown when it is chosen. */
	fields: INodeProperties[];
	/** Its own entries of 'Options', beside those of every operation. */
	options?: INodeProperties[];
	/**
	 * Reads and checks the parameters of one item. Sends nothing.
	 * @throws FieldProblem
	 */
	check(item: ItemParameters, connection: Connection): Input;
	/**
	 * Does the work for one item.
	 * @returns the JSON of the output item
	 * @throws ApiProblem or Stopped
	 */
	run(input: Input, work: ItemWork): Promise<IDataObject>;
}
