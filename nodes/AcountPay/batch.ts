import {
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	NodeOperationError,
} from 'n8n-workflow';
import { Connection } from '../shared/connection';
import { isItemProblem, type ItemProblem, Stopped, UnexpectedProblem } from '../shared/problems';
import type { CallOptions } from './calls';
import { ItemParameters } from './itemParameters';
import { Ledger } from './ledger';
import { errorItem, nodeErrorFor, stoppedError } from './nodeErrors';
import type { Operation } from './operation';
import { callOptionsOf, concurrencyOf } from './options';

/** An item whose parameters are in order, so that it may be sent. */
interface CheckedItem<Input> {
	input: Input;
	options: CallOptions;
}

/** How an item has ended. */
type Result = { json: IDataObject } | { problem: ItemProblem };

/**
 * One run of an operation over all items of the node's input.
 *
 * Every item is checked before the first is sent. At most 'Max Concurrency' items are in flight. When one fails and the
 * node stops on errors, no further one starts and those in flight are let finish. When the execution is stopped, the same.
 * Either way every payment made is named: in the error, or in n8n's log where n8n keeps no error.
 */
export class Batch<Input> {
	private readonly ledger: Ledger;
	private readonly results: Result[] = [];
	private readonly checked: Array<CheckedItem<Input> | undefined> = [];
	private failedItem?: number;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly operation: Operation<Input>,
		private readonly itemCount = context.getInputData().length,
	) {
		this.ledger = new Ledger(context);
	}

	/**
	 * @returns one output item for each input item, in order
	 * @throws NodeApiError or NodeOperationError when an item fails and the node stops on errors
	 */
	async run(): Promise<INodeExecutionData[]> {
		const opened = await this.open();
		if (opened) {
			this.check(opened.connection);
			await this.work(opened.connection, opened.concurrency);
		}
		const output = this.results.map(
			(result, item): INodeExecutionData =>
				'json' in result
					? { json: result.json, pairedItem: { item } }
					: errorItem(result.problem, item),
		);
		if (!this.runsAgain(output)) this.ledger.close();
		return output;
	}

	/** What all items share. */
	private async open(): Promise<{ connection: Connection; concurrency: number } | undefined> {
		try {
			return {
				connection: await Connection.open(this.context),
				concurrency: concurrencyOf(new ItemParameters(this.context, 0)),
			};
		} catch (error) {
			const problem = this.problemIn(error, 0);
			for (let item = 0; item < this.itemCount; item++) this.fail(item, problem);
			return undefined;
		}
	}

	private check(connection: Connection): void {
		for (let item = 0; item < this.itemCount; item++) {
			const parameters = new ItemParameters(this.context, item);
			try {
				this.checked[item] = {
					options: callOptionsOf(parameters),
					input: this.operation.check(parameters, connection),
				};
			} catch (error) {
				this.fail(item, this.problemIn(error, item));
			}
		}
	}

	private async work(connection: Connection, concurrency: number): Promise<void> {
		let next = 0;
		const worker = async () => {
			while (next < this.itemCount && this.mayStart(connection))
				await this.workOn(next++, connection);
		};
		await Promise.all(Array.from({ length: concurrency }, worker));

		if (connection.cancelSignal?.aborted) throw stoppedError(this.context, this.ledger.summary());
		if (this.failedItem === undefined) return;
		const failed = this.results[this.failedItem];
		if ('problem' in failed) this.fail(this.failedItem, failed.problem);
	}

	private mayStart({ cancelSignal }: Connection): boolean {
		return this.failedItem === undefined && !cancelSignal?.aborted;
	}

	private async workOn(item: number, connection: Connection): Promise<void> {
		const checked = this.checked[item];
		if (!checked) return;
		// Let go of, so that 10,000 items that are done need no more memory than their answers.
		this.checked[item] = undefined;
		const { input, options } = checked;
		try {
			const json = await this.operation.run(input, {
				connection,
				options,
				page: (request, referenceNumber) =>
					this.ledger.page(item, connection.baseUrl, request, referenceNumber),
			});
			this.results[item] = { json };
		} catch (error) {
			if (error instanceof Stopped) return;
			this.results[item] = { problem: isItemProblem(error) ? error : new UnexpectedProblem(error) };
			if (!this.context.continueOnFail()) this.failedItem ??= item;
		}
	}

	/** Ends the node with the item's problem, or keeps it as the item's result when the node continues. */
	private fail(item: number, problem: ItemProblem): void {
		if (!this.context.continueOnFail()) {
			throw nodeErrorFor(this.context, problem, item, this.ledger.summary());
		}
		this.results[item] = { problem };
	}

	/** What is thrown before anything was sent and is not ours is n8n's word on an expression or a credential. */
	private problemIn(error: unknown, itemIndex: number): ItemProblem {
		if (isItemProblem(error)) return error;
		if (this.context.continueOnFail()) return new UnexpectedProblem(error, true);
		throw new NodeOperationError(this.context.getNode(), error as Error, { itemIndex });
	}

	/** 'Retry On Fail' also runs a node again that has ended well, when its first item has such an `error`. */
	private runsAgain(output: INodeExecutionData[]): boolean {
		const error = output[0]?.json.error;
		return (
			!!this.context.getNode().retryOnFail &&
			error !== undefined &&
			error !== null &&
			error !== false
		);
	}
}
