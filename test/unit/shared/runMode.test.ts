import type { IExecuteFunctions } from 'n8n-workflow';
import { isToolCall, runModeOf } from '../../../nodes/shared/runMode';
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
