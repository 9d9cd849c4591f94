import type { IExecuteFunctions } from 'n8n-workflow';
import { hasOtherArguments, isToolCall, runModeOf } from '../../../nodes/shared/runMode';
import { safeRetry } from '../../../nodes/AcountPay/execution/retryAdvice';
import type { RunSummary } from '../../../nodes/AcountPay/execution/runSummary';

const contextOf = ({
	mode = 'trigger',
	type = 'acountPay',
	parameters = {},
	...more
}: Record<string, unknown>) =>
	({
		getMode: () => mode,
		getNode: () => ({ type, parameters }),
		getExecutionId: () => '42',
		...more,
	}) as unknown as IExecuteFunctions;

describe('where the node runs', () => {
	it.each<[string, Record<string, unknown>, string]>([
		['a workflow that a trigger has started', {}, 'execution'],
		['a click in the editor', { mode: 'manual' }, 'editor'],
		['a retry by hand', { mode: 'retry' }, 'execution'],
		['a sub-workflow', { mode: 'integrated' }, 'subWorkflow'],
		[
			'a sub-workflow that was clicked at in its parent',
			{ mode: 'manual', getExecutionContext: () => ({ parentExecutionId: '7' }) },
			'subWorkflow',
		],
		['an execution without a parent', { getExecutionContext: () => ({}) }, 'execution'],
		['an execution without a context', { getExecutionContext: () => undefined }, 'execution'],
		['a tool of an agent in the engine', { type: 'acountPayTool' }, 'tool'],
		['a tool, n8n 2.20 and later', { isToolExecution: () => true }, 'tool'],
		['a tool that is tried in the editor', { mode: 'manual', isToolExecution: () => true }, 'tool'],
		[
			'a node, n8n 2.20 and later',
			{ isToolExecution: () => false, getNextRunIndex: 1 },
			'execution',
		],
		['a tool, n8n before 2.20', { getNextRunIndex: () => 1 }, 'tool'],
	])('%s', (_what, more, mode) => {
		expect(runModeOf(contextOf(more))).toBe(mode);
	});

	it('n8n is asked as a method of its context', () => {
		const context = contextOf({});
		Object.assign(context, {
			isToolExecution(this: unknown) {
				return this === context;
			},
		});
		expect(isToolCall(context)).toBe(true);
	});

	it('the tool of an agent in the engine has run indexes as a node has', () => {
		expect(isToolCall(contextOf({ type: 'acountPayTool' }))).toBe(false);
	});
});

describe('the arguments of a call of a tool', () => {
	const parameters = {
		amount: "={{ $fromAI('amount', '', 'number') }}",
		options: { nested: '={{ /*n8n-auto-generated-fromAI-override*/ $fromAI("shop", ``) }}' },
		currency: '={{ $fromai( `currency` ) }}',
		reference: "={{ $fromAI('reference') }} of {{ $fromAi('shop') }}",
	};

	/** @param own what the model has given @param seen where n8n looks for it */
	const isOther = (own: object, seen: Record<string, unknown>, isToolExecution = true) =>
		hasOtherArguments(
			contextOf({
				parameters,
				isToolExecution: () => isToolExecution,
				getInputData: () => [{ json: own }],
				getWorkflowDataProxy: (item: number) => ({
					$fromAI: (name: string) => (item === 0 ? seen[name] : 'of another item'),
				}),
			}),
		);
	const call = { amount: 10, currency: 'DKK', reference: 'A', shop: { id: 1 } };

	it.each<[string, object, Record<string, unknown>]>([
		['are all the same', call, { ...call, shop: { id: 1 } }],
		['are within a query', { query: call }, call],
		['lack what the model has left out', { amount: 10, reference: null }, { amount: 10 }],
		['have what no parameter asks for', { ...call, note: 'x' }, { ...call, note: 'y' }],
	])('are its own when they %s', (_what, own, seen) => {
		expect(isOther(own, seen)).toBe(false);
	});

	it.each(Object.keys(call))('are those of another call when %s differs or is missing', (name) => {
		expect(isOther(call, { ...call, [name]: 'other' })).toBe(true);
		expect(isOther({ query: call }, { ...call, [name]: 'other' })).toBe(true);
		expect(isOther(call, { ...call, [name]: undefined })).toBe(true);
		expect(isOther({ ...call, [name]: undefined }, call)).toBe(true);
	});

	it('are not looked at where n8n runs the node otherwise', () => {
		expect(isOther(call, {}, false)).toBe(false);
	});
});

describe('the safe retry', () => {
	const adviceFor = (context: Record<string, unknown>, changes: Partial<RunSummary> = {}) => {
		return safeRetry(contextOf(context), { items: [], ...changes }, {});
	};
	const items = [{ itemIndex: 0, name: 'R', end: 'unknown' as const }];

	it.each([
		['tool', { type: 'acountPayTool' }, 'Each new call of this tool may create another store.'],
		[
			'subWorkflow',
			{ mode: 'integrated' },
			"To continue, retry this sub-workflow's own execution, Executions → 42 → Retry: it creates none of these stores again. Use the newest execution, and leave names as they are. A retry of the calling workflow, also by 'Retry On Fail', may create them again.",
		],
		[
			'editor',
			{ mode: 'manual' },
			"To continue, use Executions → this execution → Retry: it creates none of these stores again. Use the newest execution, and leave names as they are. 'Execute step' and 'Execute workflow' may create them again.",
		],
		[
			'execution',
			{},
			'To continue, use Executions → this execution → Retry: it creates none of these stores again. Use the newest execution, and leave names as they are. A new execution may create them again.',
		],
	])('%s', (_mode, context, words) => {
		expect(adviceFor(context, { noun: 'store' })).toBe(words);
	});

	it('says that all unknown ones are sent again where nothing can be looked up', () => {
		expect(adviceFor({}, { items })).toContain(
			"it creates none of these payments again (unless 'Resend Unknown' is on). Only if AcountPay certainly has none of those that may exist, switch on 'Resend Unknown', save, and choose 'with currently saved workflow' there: all of them are sent again. Otherwise run the workflow again with only the missing ones. Use the newest execution, and leave merchants and references as they are. A new",
		);
	});

	it('speaks of the list where there is one', () => {
		expect(adviceFor({}, { items, looksUpUnknown: true })).toContain(
			"If one certainly doesn't exist, switch on 'Resend Unknown', save, and choose 'with currently saved workflow' there: it is sent again unless AcountPay's list leaves a doubt. Use",
		);
	});
});
