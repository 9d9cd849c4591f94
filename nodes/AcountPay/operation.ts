import type {
	IBinaryData,
	IBinaryKeyData,
	IDataObject,
	INodeExecutionData,
	INodeProperties,
	INodePropertyOptions,
} from 'n8n-workflow';
import type { ApiRequest } from '../shared/acountPayApi';
import type { Connection } from '../shared/connection';
import type { CallOptions } from './calls';
import type { ItemParameters } from './itemParameters';
import type { LedgerPage } from './ledger';
import type { Image } from './qrCode';

/** What an operation is given to do its work for one item. */
export interface ItemWork {
	connection: Connection;
	options: CallOptions;
	/** Aborted when the execution is stopped, or another item has failed and ends the node: nothing is to be waited for. */
	endSignal: AbortSignal;
	/** The item as it came in. */
	inputItem: INodeExecutionData;
	/** The place where it is remembered whether this item's payment was made. */
	page(request: ApiRequest, referenceNumber: string): LedgerPage;
	/** Does work when fewer than 'Max Concurrency' items are at it: for operations that run side by side. */
	inTurn<Result>(work: () => Promise<Result>): Promise<Result>;
	/**
	 * Gives an image to n8n, which says how to refer to it.
	 * @throws UnexpectedProblem when n8n can't store it
	 */
	storeImage(image: Image): Promise<IBinaryData>;
}

/** What becomes of one item. */
export interface ItemOutput {
	json: IDataObject;
	binary?: IBinaryKeyData;
	/** Set when the execution is to be parked until then: `json` is what goes on when nothing wakes it. */
	parkUntil?: Date;
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
	/** Whether all items are worked on at once, since they mostly wait; each request then takes its turn. */
	sideBySide?: boolean;
	/**
	 * Reads and checks the parameters of one item. Sends nothing.
	 * @throws FieldProblem
	 */
	check(item: ItemParameters, connection: Connection): Input;
	/**
	 * Does the work for one item.
	 * @throws ApiProblem or Stopped
	 */
	run(input: Input, work: ItemWork): Promise<ItemOutput>;
}
