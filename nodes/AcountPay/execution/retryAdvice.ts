import type { Noun } from '../../shared/transport/apiErrors';
import type { RunMode } from '../../shared/runMode';

/** What decides how a run that has failed may go on. */
export interface FailedRun {
	mode: RunMode;
	/** Of the execution that the node runs in. */
	executionId: string;
	/** Whether there is something that may or may not exist. */
	hasUnknown: boolean;
	/** Whether 'Resend Unknown' would not send the item again that the error is about. */
	cannotResend?: boolean;
	/** What the node creates. */
	noun: Noun;
	/** Whether AcountPay's list is read before something is sent again, and nothing is sent where it leaves a doubt. */
	looksUpUnknown?: boolean;
	/** Whether a new execution looks for what exists, and creates no other. */
	looksForExisting?: boolean;
}

/**
 * The one way to run the node again that creates nothing twice that it has created, and the ways that do. A retry gets what
 * the node has stored in that very execution: so the newest one knows most, and an item is known by merchant and reference.
 */
export function safeRetry(run: FailedRun): string {
	const { mode, executionId, noun, looksForExisting } = run;
	const hasUnknown = run.hasUnknown && !run.cannotResend;
	if (mode === 'tool')
		return looksForExisting ? '' : `Each new call of this tool creates a ${noun} of its own.`;
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
		hasUnknown && resendAdvice(run),
		noun === 'payment'
			? 'Use the newest execution, and leave merchants and references as they are.'
			: 'Use the newest execution, and leave names as they are.',
		!looksForExisting && again,
	]
		.filter(Boolean)
		.join(' ');
}

const resendAdvice = ({ looksUpUnknown }: FailedRun) => {
	const resend =
		"switch on 'Resend Unknown', save, and choose 'with currently saved workflow' there";
	return looksUpUnknown
		? `If one certainly doesn't exist, ${resend}: it is sent again unless AcountPay's list leaves a doubt.`
		: `Only if AcountPay certainly has none of those that may exist, ${resend}: all of them are sent again. Otherwise run the workflow again with only the missing ones.`;
};
