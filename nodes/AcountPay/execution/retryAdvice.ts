import type { IDataObject, IExecuteFunctions, INode } from 'n8n-workflow';
import type { ItemError } from '../../shared/errors';
import { runModeOf } from '../../shared/runMode';
import type { RunSummary } from './runSummary';

/**
 * Whether the option 'If a Payment Exists' keeps a new execution from creating a payment that exists. An option set by an
 * expression counts as off: its value isn't known here.
 */
const looksForExisting = ({ parameters }: INode): boolean => {
	const { existingPayment } = (parameters?.options ?? {}) as IDataObject;
	// The option is kept when a user goes back to access tokens, which don't have it.
	return (
		parameters?.authentication === 'apiKey' &&
		(existingPayment === 'return' || existingPayment === 'fail')
	);
};

/**
 * The one way to run the node again that creates nothing twice that it has created, and the ways that do. A retry gets what
 * the node has stored in that very execution: so the newest one knows most, and an item is known by merchant and reference.
 * @param rulesOut `resend`: 'Resend Unknown' would not send the item again that the error is about
 */
export function safeRetry(
	context: IExecuteFunctions,
	{ noun = 'payment', unknown, looksUpUnknown }: RunSummary,
	{ rulesOut }: Pick<ItemError, 'rulesOut'>,
): string {
	const mode = runModeOf(context);
	const isLookedFor = looksForExisting(context.getNode());
	if (mode === 'tool')
		return isLookedFor ? '' : `Each new call of this tool creates a ${noun} of its own.`;
	const where =
		mode === 'subWorkflow'
			? `retry this sub-workflow's own execution, Executions → ${context.getExecutionId()} → Retry`
			: 'use Executions → this execution → Retry';
	const again = {
		subWorkflow: "A retry of the calling workflow, also by 'Retry On Fail', creates them again.",
		editor: "'Execute step' and 'Execute workflow' create them again.",
		execution: 'A new execution creates them again.',
	}[mode];
	const mayResend = unknown.length > 0 && rulesOut !== 'resend';
	const unless = mayResend ? " (unless 'Resend Unknown' is on)" : '';
	return [
		`To continue, ${where}: it creates none of these ${noun}s again${unless}.`,
		mayResend && resendAdvice(looksUpUnknown),
		noun === 'payment'
			? 'Use the newest execution, and leave merchants and references as they are.'
			: 'Use the newest execution, and leave names as they are.',
		!isLookedFor && again,
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
