import { parse } from 'flatted';
import type {
	ExecutionError,
	ExecutionStatus,
	IContextObject,
	IDataObject,
	INodeExecutionData,
	IRunExecutionData,
	ITaskData,
	IWorkflowBase,
	WorkflowExecuteMode,
} from 'n8n-workflow';

/** An execution as n8n's database holds it. */
export interface StoredExecution {
	id: string;
	mode: WorkflowExecuteMode;
	status: ExecutionStatus;
	/** Whether it went through to the end; only those can't be retried. */
	finished: boolean;
	workflow: IWorkflowBase;
	/** The whole IRunExecutionData, serialised by flatted. */
	data: string;
	waitTill?: Date;
	/** The execution that this one is a retry by hand of. */
	retryOf?: string;
}

/** Which output to look at: of the last run (turn of a loop) and the first output, unless told otherwise. */
export interface OutputChoice {
	run?: number;
	output?: number;
}

/** What a person finds when they open a stored execution. Errors are plain objects here: n8n stores them so. */
export class Execution {
	/** Read back from the stored text, as n8n does for a retry or a resumption. */
	readonly data: IRunExecutionData;

	/** @param node the node that is meant where a method gets no name */
	constructor(
		readonly stored: StoredExecution,
		readonly node: string,
	) {
		this.data = parse(stored.data) as IRunExecutionData;
	}

	get id() {
		return this.stored.id;
	}

	/** `success`, `error`, `canceled` or `waiting`. */
	get status() {
		return this.stored.status;
	}

	/** Until when it is parked in n8n's database. */
	get waitTill() {
		return this.stored.waitTill;
	}

	/** What ended the execution: a NodeApiError or NodeOperationError with message, description, context. */
	get error(): ExecutionError | undefined {
		return this.data.resultData.error;
	}

	/** A node's run data, one entry a run: status, error, output, times. */
	runs(node = this.node): ITaskData[] {
		return this.data.resultData.runData[node] ?? [];
	}

	/** The items that a node handed on; none when it did not run or failed. */
	items(node = this.node, { run = -1, output = 0 }: OutputChoice = {}): INodeExecutionData[] {
		return this.runs(node).at(run)?.data?.main[output] ?? [];
	}

	/** The JSON of those items. */
	json(node = this.node, choice: OutputChoice = {}): IDataObject[] {
		return this.items(node, choice).map(({ json }) => json);
	}

	/** What a node keeps in `getContext('node')`, as it was stored with the execution. */
	context(node = this.node): IContextObject | undefined {
		return this.data.executionData?.contextData[`node:${node}`];
	}
}
