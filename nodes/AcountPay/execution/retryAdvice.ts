import type { Noun } from '../../shared/transport/apiErrors';
import type { RunMode } from './runMode';

/**
 * The one way to run the node again that makes nothing twice that it has made, and the ways that do.
 * @param executionId of the execution that the node runs in
 * @param hasUnknown whether there is something that may or may not exist
 * @param noun what the node makes
 */
export function safeRetry(
	mode: RunMode,
	executionId: string,
	hasUnknown: boolean,
	noun: Noun,
): string {
	const unless = hasUnknown ? " (unless 'Resend Unknown' is on)" : '';
	const creates = `it creates none of these ${noun}s again${unless}`;
	switch (mode) {
		case 'tool':
			return `Each new call of this tool creates a ${noun} of its own.`;
		case 'subWorkflow':
			return `To go on, retry this sub-workflow's own execution, Executions → ${executionId} → Retry: ${creates}. A retry of the calling workflow, also by 'Retry On Fail', creates them again.`;
		case 'editor':
			return `To go on, use Executions → this execution → Retry: ${creates}. 'Execute step' and 'Execute workflow' create them again.`;
		case 'execution':
			return `To go on, use Executions → this execution → Retry: ${creates}. A new execution creates them again.`;
	}
}
