import type { Noun } from '../../shared/transport/apiErrors';
import type { RunMode } from '../../shared/runMode';

/**
 * The one way to run the node again that creates nothing twice that it has created, and the ways that do. A retry gets what
 * the node has stored in that very execution: so the newest one knows most, and an item is known by merchant and reference.
 * @param executionId of the execution that the node runs in
 * @param hasUnknown whether there is something that may or may not exist
 * @param noun what the node creates
 * @param looksFirst whether a new execution looks for what exists, and creates no other
 */
export function safeRetry(
	mode: RunMode,
	executionId: string,
	hasUnknown: boolean,
	noun: Noun,
	looksFirst = false,
): string {
	if (mode === 'tool' && looksFirst) return '';
	if (mode === 'tool') return `Each new call of this tool creates a ${noun} of its own.`;
	const [where, again] = {
		subWorkflow: [
			`retry this sub-workflow's own execution, Executions → ${executionId} → Retry`,
			"A retry of the calling workflow, also by 'Retry On Fail', creates them again.",
		],
		editor: [
			'use Executions → this execution → Retry',
			"'Execute step' and 'Execute workflow' create them again.",
		],
		execution: ['use Executions → this execution → Retry', 'A new execution creates them again.'],
	}[mode];
	const unless = hasUnknown ? " (unless 'Resend Unknown' is on)" : '';
	return [
		`To continue, ${where}: it creates none of these ${noun}s again${unless}.`,
		hasUnknown &&
			"If one certainly does not exist, switch on 'Resend Unknown', save, and choose 'with currently saved workflow' there. Where the list leaves a doubt, nothing is sent: run the workflow anew with that item alone.",
		noun === 'payment'
			? 'Use the newest execution, and leave merchants and references as they are.'
			: 'Use the newest execution, and leave names as they are.',
		!looksFirst && again,
	]
		.filter(Boolean)
		.join(' ');
}
