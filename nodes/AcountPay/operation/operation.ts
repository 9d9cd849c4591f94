import type {
	IBinaryData,
	IBinaryKeyData,
	IDataObject,
	INodeExecutionData,
	INodeProperties,
	INodePropertyOptions,
} from 'n8n-workflow';
import type { Authentication } from '../../shared/auth';
import type { ApiRequest } from '../../shared/api/request';
import type { Noun } from '../../shared/transport/apiErrors';
import type { Client } from '../../shared/transport/client';
import type { CallOptions } from '../../shared/transport/sendWithRetries';
import type { IdempotencyRecord } from '../creation/idempotencyRecord';
import type { Label } from '../creation/identityHashes';
import type { ItemParameters } from './parameters';

/** A file for n8n to store. */
export interface Image {
	data: Buffer;
	/** Such as `image/png`. */
	mimeType: string;
	fileName: string;
}

/** What an operation is given to do its work for one item. */
export interface ItemWork {
	client: Client;
	/** Its `endSignal` is aborted when the execution is cancelled, or another item has failed and ends the node. */
	options: CallOptions & { endSignal: AbortSignal };
	/** n8n's ID of the execution. */
	executionId: string;
	/** Where a webhook resumes this execution once it waits. */
	resumeUrl(): string;
	/** The item as it came in. */
	inputItem: INodeExecutionData;
	/**
	 * The record of whether this item's request has created something.
	 * @param label what the user recognises it by
	 */
	record(request: ApiRequest, label: Label): IdempotencyRecord;
	/**
	 * Gives an image to n8n, which says how to refer to it.
	 * @throws UnexpectedError when n8n can't store it
	 */
	storeImage(image: Image): Promise<IBinaryData>;
}

/** One item that goes out. */
export interface ItemOutput {
	json: IDataObject;
	binary?: IBinaryKeyData;
	/** Set when the execution is to be put to wait until then: `json` is the output when nothing wakes it. */
	waitUntil?: Date;
}

/** What an operation creates. */
export interface Created<Input> {
	noun: Noun;
	/** What the user calls the thing that is to be created. */
	nameOf(input: Input): string;
	/** AcountPay's id in its response. */
	idOf(response: IDataObject): string | undefined;
	/** Whether AcountPay's list is read before something with an unknown outcome is sent again. */
	looksUpUnknown?: boolean;
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
	/** Its own entries of 'Options', beside the ones of every operation. */
	options?: INodeProperties[];
	/** Whether all items run at once, since they mostly wait. */
	mostlyWaits?: boolean;
	/** For operations that create something. They get the option *Resend Unknown*. */
	creates?: Created<Input>;
	/**
	 * Reads and checks the parameters of one item. Sends nothing.
	 * @throws ValidationError
	 */
	check(item: ItemParameters, client: Client): Input;
	/**
	 * Does the work for one item.
	 * @returns as many items as it has
	 * @throws ApiError or Cancelled
	 */
	run(input: Input, work: ItemWork): Promise<ItemOutput[]>;
}

/** One entry of the node's list 'Resource'. */
export interface Resource {
	/** As the list shows it. */
	name: string;
	/** Its operations in the order of the list. */
	operations: readonly OperationByAuthentication[];
}

/**
 * One entry of the list 'Operation': for each way to authenticate, the operation that does it, if there is one. Where API keys
 * need another operation than access tokens, its name ends in `WithKeys`.
 */
type OperationByAuthentication = Partial<Record<Authentication, Operation<unknown>>>;
