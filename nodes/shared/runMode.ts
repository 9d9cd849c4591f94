import type { IExecuteFunctions, IWorkflowDataProxyData } from 'n8n-workflow';

/**
 * By whom and how the node is run. It decides which retry is safe: `tool` for a language model; `subWorkflow` called by another
 * workflow; `editor` by the user's click; `execution` everywhere else.
 */
export type RunMode = 'tool' | 'subWorkflow' | 'editor' | 'execution';

/** The methods that not every version of n8n has. */
interface NewerMethods {
	/** n8n 2.20 and later. */
	isToolExecution?(): boolean;
	/** Of the context in which n8n runs the tools of an agent that does not run in the engine; in all versions. */
	getNextRunIndex?: unknown;
	getExecutionContext?(): { parentExecutionId?: string } | undefined;
}

/**
 * Whether n8n runs the node for one call of a tool, in which each of its tries has a run index of its own. False for
 * version 3 of the agent, whose tools run in the engine as other nodes do.
 */
export function isToolCall(context: IExecuteFunctions): boolean {
	const { isToolExecution } = context as NewerMethods;
	return isToolExecution?.call(context) ?? 'getNextRunIndex' in context;
}

/** Not in n8n's types. */
interface ModelInput extends IWorkflowDataProxyData {
	$fromAI(name: string): unknown;
}

/** Names that a model fills in, in a node's parameters as JSON. */
const MODEL_NAMES = /\$fromai\(\s*\\?['"`]([\w-]+)/gi;

/**
 * Whether n8n takes this call's parameters from another call. It finds them by the run index, and gives calls of several
 * items the same one when an agent works on them at once (its option *Batch Size*).
 */
export function hasOtherArguments(context: IExecuteFunctions): boolean {
	if (!isToolCall(context)) return false;
	const [{ json }] = context.getInputData();
	const { $fromAI } = context.getWorkflowDataProxy(0) as ModelInput;
	const own = { ...json, ...(json.query as object | undefined) };
	const names = JSON.stringify(context.getNode().parameters).matchAll(MODEL_NAMES);
	return [...names].some(
		([, name]) => JSON.stringify($fromAI(name) ?? null) !== JSON.stringify(own[name] ?? null),
	);
}

/** The mode of this run of the node. */
export function runModeOf(context: IExecuteFunctions): RunMode {
	// n8n gives the tool that it makes of a node this name.
	if (isToolCall(context) || context.getNode().type.endsWith('Tool')) return 'tool';
	const parent = (context as NewerMethods).getExecutionContext?.()?.parentExecutionId;
	const mode = context.getMode();
	if (mode === 'integrated' || parent !== undefined) return 'subWorkflow';
	return mode === 'manual' ? 'editor' : 'execution';
}
