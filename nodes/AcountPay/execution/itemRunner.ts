import { type IExecuteFunctions, type INodeExecutionData, sleep } from 'n8n-workflow';
import {
	ApiError,
	Cancelled,
	errorOfN8n,
	isItemError,
	type ItemError,
	unexpectedError,
} from '../../shared/errors';
import { hasOtherArguments, runModeOf } from '../../shared/runMode';
import { Client } from '../../shared/transport/client';
import type { CallOptions } from '../../shared/transport/sendWithRetries';
import type { ItemOutput, Operation } from '../operation/operation';
import { callOptionsOf, concurrencyOf } from '../operation/options';
import { ItemParameters } from '../operation/parameters';
import { IdempotencyStore } from '../creation/idempotencyStore';
import { cancelledError, errorItem, nodeErrorFor } from './nodeErrors';
import { type RunSummary, withOthers } from './runSummary';

/** An item whose parameters have passed the checks, so that its requests may be sent. */
interface CheckedItem<Input> {
	input: Input;
	options: CallOptions;
}

/**
 * How long to check items before yielding to n8n, in ms. Evaluating the expressions of 10,000 items takes many seconds, in
 * which n8n would respond to nobody and could not cancel the execution either.
 */
const CHECK_SLICE = 50;

/** How an item has ended. */
interface Result {
	/** Empty when it has failed. */
	output: ItemOutput[];
	error?: ItemError;
}

/**
 * One run of an operation over all items of the node's input.
 *
 * Unless {@link checksAsItGoes}, every item is checked before the first is sent. At most 'Max Concurrency' requests are in
 * flight. When an item fails and the node stops on errors, no further item starts and those in flight finish; the same when
 * the execution is cancelled. But an error that `letsOthersContinue`, or of an item that mostly waits, ends the node only
 * after all items. Everything that was created is named: in the error, or in n8n's log where n8n keeps no error.
 */
export class ItemRunner<Input> {
	private readonly items: INodeExecutionData[];
	private readonly store: IdempotencyStore;
	private readonly results: Result[] = [];
	private readonly checked: Array<CheckedItem<Input> | undefined> = [];
	/** What the user calls the items that create something. */
	private readonly names: Array<string | undefined> = [];
	/** The first item that has failed, when the node stops on errors. */
	private failedItem?: number;
	/** Aborted when {@link failedItem} is set, unless the items mostly wait. */
	private readonly failure = new AbortController();
	/** The first failed item that lets the others continue. It fails the node in the end. */
	private firstDeferredFailure?: number;
	/**
	 * Whether each item is checked just before it is sent: if the node continues on errors, a failed check does not stop the
	 * others. An operation whose items mostly wait has all of them checked first, in any case.
	 */
	private readonly checksAsItGoes: boolean;
	/** When checks next yield to n8n, in ms since 1970. */
	private sliceEnd = Date.now() + CHECK_SLICE;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly operation: Operation<Input>,
	) {
		this.items = context.getInputData();
		this.store = new IdempotencyStore(context, operation.creates?.idOf);
		this.checksAsItGoes = context.continueOnFail() && !operation.mostlyWaits;
	}

	/**
	 * @returns the output of all items, in their order; none when the execution is put to wait
	 * @throws NodeApiError or NodeOperationError when an item fails and the node stops on errors
	 */
	async run(): Promise<INodeExecutionData[]> {
		const opened = await this.open();
		if (opened) {
			if (!this.checksAsItGoes) await this.checkAll(opened.client);
			await this.work(opened.client, opened.concurrency);
		}
		// Only a single item waits for a webhook.
		const { json, waitUntil } = this.results.at(0)?.output.at(0) ?? {};
		if (json && waitUntil) {
			// n8n outputs its own input item when nothing wakes the execution.
			this.items[0].json = json;
			this.store.close(false);
			await this.context.putExecutionToWait(waitUntil);
			// Not the item: if it has an `error`, 'Retry On Fail' would run the node again, on the overwritten input.
			return [];
		}
		const items = this.results.flatMap(({ output, error }, item): INodeExecutionData[] => {
			if (error) return [errorItem(this.context, error, item)];
			return output.map(({ json, binary }) => ({
				json,
				...(binary && { binary }),
				pairedItem: { item },
			}));
		});
		this.store.close(looksFailed(items));
		return items;
	}

	/** What all items share; undefined when it can't be had, and the node continues. */
	private async open(): Promise<{ client: Client; concurrency: number } | undefined> {
		try {
			const concurrency = concurrencyOf(new ItemParameters(this.context, 0, this.items.length));
			return { client: await Client.open(this.context, concurrency), concurrency };
		} catch (error) {
			const itemError = itemErrorOf(error);
			for (let item = 0; item < this.items.length; item++) this.fail(item, itemError);
			return undefined;
		}
	}

	private async checkAll(client: Client): Promise<void> {
		for (let item = 0; item < this.items.length; item++) {
			await this.yieldToN8n();
			if (client.cancelSignal?.aborted) return;
			this.check(item, client);
		}
	}

	/** @returns undefined when the item has failed, and the node continues */
	private check(item: number, client: Client): CheckedItem<Input> | undefined {
		const parameters = new ItemParameters(this.context, item, this.items.length);
		try {
			const options = callOptionsOf(parameters);
			const input = this.operation.check(parameters, client);
			// In the same tick as the parameters were read: calls at once change them for each other.
			if (hasOtherArguments(this.context)) throw otherArgumentsError();
			this.checked[item] = { options, input };
			this.names[item] = this.operation.creates?.nameOf(input);
		} catch (error) {
			this.fail(item, itemErrorOf(error));
		}
		return this.checked[item];
	}

	/** Lets n8n run after {@link CHECK_SLICE} ms of checks. */
	private async yieldToN8n(): Promise<void> {
		if (Date.now() <= this.sliceEnd) return;
		await sleep(0);
		this.sliceEnd = Date.now() + CHECK_SLICE;
	}

	private async work(client: Client, concurrency: number): Promise<void> {
		const { cancelSignal } = client;
		const endSignal = AbortSignal.any([
			this.failure.signal,
			...(cancelSignal ? [cancelSignal] : []),
		]);
		let next = 0;
		const worker = async () => {
			while (next < this.items.length && !endSignal.aborted) {
				await this.workOn(next++, client, endSignal);
			}
		};
		const { length } = this.items;
		const workers = this.operation.mostlyWaits ? length : Math.min(concurrency, length);
		await Promise.all(Array.from({ length: workers }, worker));

		if (cancelSignal?.aborted) {
			throw cancelledError(this.context, this.summary(), this.store.isFirstCancellation());
		}
		const failedItem = this.failedItem ?? this.firstDeferredFailure;
		if (failedItem === undefined) return;
		const { error } = this.results[failedItem];
		// Throws: all items are done by now.
		if (error) this.fail(failedItem, error);
	}

	private async workOn(item: number, client: Client, endSignal: AbortSignal): Promise<void> {
		let checked: CheckedItem<Input> | undefined = this.checked[item];
		if (this.checksAsItGoes) {
			await this.yieldToN8n();
			if (!endSignal.aborted) checked = this.check(item, client);
		}
		if (!checked) return;
		// Dropped, so that 10,000 finished items need no more memory than their responses.
		this.checked[item] = undefined;
		const { input, options } = checked;
		try {
			const output = await this.operation.run(input, {
				client,
				options: { ...options, endSignal },
				inputItem: this.items[item],
				executionId: this.context.getExecutionId(),
				resumeUrl: () =>
					String(this.context.evaluateExpression('{{ $execution.resumeUrl }}', item)),
				storeImage: async ({ data, fileName, mimeType }) =>
					await this.context.helpers
						.prepareBinaryData(data, fileName, mimeType)
						.catch((error: unknown) => {
							throw errorOfN8n(error);
						}),
				record: (request, label) =>
					this.store.record(item, this.items[item], client.buildRequest(request), label),
			});
			this.results[item] = { output };
			this.store.setFailed(item, false);
		} catch (error) {
			if (error instanceof Cancelled) return;
			const creates = this.operation.creates !== undefined;
			const itemError = isItemError(error) ? error : unexpectedError(creates);
			this.results[item] = { output: [], error: itemError };
			this.store.setFailed(item, true);
			if (this.isOutput(itemError)) return;
			if (itemError.letsOthersContinue) {
				this.firstDeferredFailure ??= item;
			} else {
				this.failedItem ??= item;
				// Waiting items are not stopped: a customer may be paying right now.
				if (!this.operation.mostlyWaits) this.failure.abort();
			}
		}
	}

	/** What became of the items so far; empty for operations that create nothing. */
	private summary(): RunSummary {
		const { creates } = this.operation;
		const known = this.store.endedItems();
		const errorOf = (item: number) => this.results.at(item)?.error;
		return {
			...creates,
			items: creates ? withOthers(known, this.items.length, this.names, errorOf) : known,
		};
	}

	/**
	 * Whether an item's error is output. As a tool it is, unless n8n shall try again: of an error that is thrown, version 2 of
	 * n8n's agent tells its model nothing, not even that a payment may exist, and version 3 ends in n8n 2.0.
	 */
	private isOutput({ outcome }: ItemError): boolean {
		if (this.context.continueOnFail()) return true;
		const triesAgain = this.context.getNode().retryOnFail === true && outcome !== 'unknown';
		return runModeOf(this.context) === 'tool' && !triesAgain;
	}

	/** Ends the node with the item's error, or keeps it as the item's result when the node continues. */
	private fail(item: number, error: ItemError): void {
		this.results[item] = { output: [], error };
		if (this.isOutput(error)) return;
		throw nodeErrorFor(this.context, error, item, this.summary());
	}
}

const otherArgumentsError = () =>
	new ApiError(
		'unavailable',
		'Nothing was sent: n8n mixed up the arguments of simultaneous calls of this tool',
		"Call it again. To prevent this, set the agent's option 'Batch Size' to 1.",
	);

/** Errors raised before any request is sent, other than our own, come from n8n (expression or credential) and are safe to show. */
const itemErrorOf = (error: unknown): ItemError => (isItemError(error) ? error : errorOfN8n(error));

/**
 * Whether 'Retry On Fail' may run the node again although it succeeded: n8n does if the first item's `json` has an `error`, and
 * since 2.41 not if that is null or false.
 */
const looksFailed = ([first]: INodeExecutionData[]): boolean => first?.json.error !== undefined;
