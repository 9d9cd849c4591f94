import { type IExecuteFunctions, type INodeExecutionData, sleep } from 'n8n-workflow';
import { Connection } from '../shared/connection';
import { Limiter } from '../shared/limiter';
import {
	ApiProblem,
	isItemProblem,
	type ItemProblem,
	Stopped,
	UnexpectedProblem,
} from '../shared/problems';
import type { CallOptions } from './calls';
import { ItemParameters } from './itemParameters';
import { Ledger } from './ledger';
import { errorItem, nodeErrorFor, stoppedError } from './nodeErrors';
import type { ItemOutput, Operation } from './operation';
import { callOptionsOf, concurrencyOf } from './options';

/** An item whose parameters are in order, so that it may be sent. */
interface CheckedItem<Input> {
	input: Input;
	options: CallOptions;
}

/**
 * For how long items are checked before n8n gets a turn, in ms. Evaluating the expressions of 10,000 items takes many
 * seconds, in which n8n would answer nobody and could not stop the execution either.
 */
const CHECK_SLICE = 50;

/** How an item has ended. */
type Result = ItemOutput | { problem: ItemProblem };

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
	/** The first item that has failed, when the node stops on errors. */
	private failedItem?: number;
	/** Aborted with {@link failedItem}. */
	private readonly failure = new AbortController();
	/** The first item that an earlier try has left open. It fails the node too, but keeps no other item from being sent. */
	private openItem?: number;

	constructor(
		private readonly context: IExecuteFunctions,
		private readonly operation: Operation<Input>,
		private readonly items = context.getInputData(),
	) {
		this.ledger = new Ledger(context);
	}

	/**
	 * @returns one output item for each input item, in order; none when the execution is parked
	 * @throws NodeApiError or NodeOperationError when an item fails and the node stops on errors
	 */
	async run(): Promise<INodeExecutionData[]> {
		const opened = await this.open();
		if (opened) {
			await this.check(opened.connection);
			await this.work(opened.connection, opened.concurrency);
		}
		const parkUntil = this.parkUntil();
		if (parkUntil) {
			this.ledger.close(false);
			await this.context.putExecutionToWait(parkUntil);
			// 'Retry On Fail' would run the node again for an item with an `error`, on fields that are no longer what they were.
			return [];
		}
		const node = this.context.getNode();
		const output = this.results.map((result, item): INodeExecutionData => {
			if ('problem' in result) return errorItem(node, result.problem, item);
			const { json, binary } = result;
			return { json, ...(binary && { binary }), pairedItem: { item } };
		});
		this.ledger.close(looksFailed(output));
		return output;
	}

	/** What all items share. */
	private async open(): Promise<{ connection: Connection; concurrency: number } | undefined> {
		try {
			return {
				connection: await Connection.open(this.context),
				concurrency: concurrencyOf(new ItemParameters(this.context, 0, this.items.length)),
			};
		} catch (error) {
			const problem = problemIn(error);
			for (let item = 0; item < this.items.length; item++) this.fail(item, problem);
			return undefined;
		}
	}

	private async check(connection: Connection): Promise<void> {
		let sliceEnd = Date.now() + CHECK_SLICE;
		for (let item = 0; item < this.items.length; item++) {
			if (Date.now() > sliceEnd) {
				await sleep(0);
				if (connection.cancelSignal?.aborted) return;
				sliceEnd = Date.now() + CHECK_SLICE;
			}
			const parameters = new ItemParameters(this.context, item, this.items.length);
			try {
				this.checked[item] = {
					options: callOptionsOf(parameters),
					input: this.operation.check(parameters, connection),
				};
			} catch (error) {
				this.fail(item, problemIn(error));
			}
		}
	}

	private async work(connection: Connection, concurrency: number): Promise<void> {
		const limiter = new Limiter(concurrency);
		const { cancelSignal } = connection;
		const endSignal = AbortSignal.any([
			this.failure.signal,
			...(cancelSignal ? [cancelSignal] : []),
		]);
		let next = 0;
		const worker = async () => {
			while (next < this.items.length && !endSignal.aborted) {
				await this.workOn(next++, connection, limiter, endSignal);
			}
		};
		const workers = this.operation.sideBySide ? this.items.length : concurrency;
		await Promise.all(Array.from({ length: workers }, worker));

		if (cancelSignal?.aborted) {
			throw stoppedError(this.context, this.ledger.summary(), this.ledger.isFirstStop());
		}
		const failedItem = this.failedItem ?? this.openItem;
		if (failedItem === undefined) return;
		const failed = this.results[failedItem];
		if ('problem' in failed) this.fail(failedItem, failed.problem);
	}

	private async workOn(
		item: number,
		connection: Connection,
		limiter: Limiter,
		endSignal: AbortSignal,
	): Promise<void> {
		const checked = this.checked[item];
		if (!checked) return;
		// Let go of, so that 10,000 items that are done need no more memory than their answers.
		this.checked[item] = undefined;
		const { input, options } = checked;
		try {
			this.results[item] = await this.operation.run(input, {
				connection,
				options,
				endSignal,
				inputItem: this.items[item],
				inTurn: async (work) => await limiter.inTurn(work),
				storeImage: async ({ data, fileName, mimeType }) =>
					await this.context.helpers
						.prepareBinaryData(data, fileName, mimeType)
						.catch((error: unknown) => {
							throw new UnexpectedProblem(error, true);
						}),
				page: (request, referenceNumber) =>
					this.ledger.page(item, this.items[item], connection.baseUrl, request, referenceNumber),
			});
		} catch (error) {
			if (error instanceof Stopped) return;
			const problem = isItemProblem(error) ? error : new UnexpectedProblem(error);
			this.results[item] = { problem };
			if (this.context.continueOnFail()) return;
			if (problem instanceof ApiProblem && problem.isOld) this.openItem ??= item;
			else {
				this.failedItem ??= item;
				this.failure.abort();
			}
		}
	}

	/**
	 * When the execution is to be parked until. What a parked item's output is goes into n8n's own input item: that is what
	 * n8n hands on when nothing wakes the execution.
	 */
	private parkUntil(): Date | undefined {
		let parkUntil: Date | undefined;
		this.results.forEach((result, item) => {
			if ('problem' in result || !result.parkUntil) return;
			this.items[item].json = result.json;
			parkUntil = result.parkUntil;
		});
		return parkUntil;
	}

	/** Ends the node with the item's problem, or keeps it as the item's result when the node continues. */
	private fail(item: number, problem: ItemProblem): void {
		if (!this.context.continueOnFail()) {
			throw nodeErrorFor(this.context, problem, item, this.ledger.summary());
		}
		this.results[item] = { problem };
	}
}

/** What is thrown before anything was sent and is not ours is n8n's word on an expression or a credential. */
const problemIn = (error: unknown): ItemProblem =>
	isItemProblem(error) ? error : new UnexpectedProblem(error, true);

/**
 * 'Retry On Fail' also runs a node again that has ended well, when its first item has such an `error`; since n8n 2.41 no
 * longer for null and false.
 */
const looksFailed = ([first]: INodeExecutionData[]): boolean => first?.json.error !== undefined;
