import type { IExecuteFunctions } from 'n8n-workflow';
import type { ItemError } from '../../shared/errors';
import { runModeOf } from '../../shared/runMode';
import type { RunSummary } from './runSummary';

/**
 * The one way to run the node again that creates nothing a second time, and the ways that may. n8n gives a retry what the
 * node has stored in the execution that is retried: so the newest one knows most, and an item is known by merchant and
 * reference.
 * @param rulesOut `resend`: 'Resend Unknown' would not send the item again that the error is about
 */
export function safeRetry(
	context: IExecuteFunctions,
	{ noun = 'payment', looksUpUnknown, items }: RunSummary,
	{ rulesOut }: Pick<ItemError, 'rulesOut'>,
): string {
	const mode = runModeOf(context);
	if (mode === 'tool') return `Each new call of this tool may create another ${noun}.`;
	const where =
		mode === 'subWorkflow'
			? `retry this sub-workflow's own execution, Executions → ${context.getExecutionId()} → Retry`
			: 'use Executions → this execution → Retry';
	const again = {
		subWorkflow: "A retry of the calling workflow, also by 'Retry On Fail', may create them again.",
		editor: "'Execute step' and 'Execute workflow' may create them again.",
		execution: 'A new execution may create them again.',
	}[mode];
	const mayResend = items.some(({ end }) => end === 'unknown') && rulesOut !== 'resend';
	const unless = mayResend ? " (unless 'Resend Unknown' is on)" : '';
	return [
		`To continue, ${where}: it creates none of these ${noun}s again${unless}.`,
		mayResend && resendAdvice(looksUpUnknown),
		noun === 'payment'
			? 'Use the newest execution, and leave merchants and references as they are.'
			: 'Use the newest execution, and leave names as they are.',
		again,
	]
		.filter(Boolean)
		.join(' ');
}

const resendAdvice = (looksUpUnknown?: boolean) => {
	const resend =
		"switch on 'Resend Unknown', save, and choose 'with currently saved workflow' there";
	return looksUpUnknown
		? `If one certainly doesn't exist, ${resend}: it is sent again unless AcountPay's list leaves a doubt.`
		: `Only if AcountPay certainly has none of those that may exist, ${resend}: all of them are sent again. Otherwise run the workflow again with only the missing ones.`;
};
