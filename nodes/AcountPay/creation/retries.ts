import type { IExecuteFunctions } from 'n8n-workflow';
import { forgetOldest } from '../../shared/forgetOldest';

/** How many retried executions are remembered: those that were retried longest ago are forgotten first. */
const MAX_EXECUTIONS = 10_000;

/** What not every version of n8n has. */
interface NewerMethods {
	getExecutionContext?(): { establishedAt?: number } | undefined;
}

/**
 * When the execution began that a user has retried, in ms since 1970. A retry gets a copy of what n8n has stored of the
 * execution, this moment included.
 * @returns undefined when n8n does not tell
 */
export const retriedExecutionBegan = (execution: IExecuteFunctions): number | undefined =>
	(execution as NewerMethods).getExecutionContext?.()?.establishedAt;

/**
 * An execution that was retried by hand, and which of its retries have created something, in this process. n8n lets a user
 * retry the same execution twice, one after the other or with a double click, and gives each retry a copy of its own of what
 * the first one knew. So only one of them, and retries of it, may create anything.
 */
export class RetriedExecution {
	/** By retry: how many creations it has recorded or has under way. */
	private readonly counts = new Map<string, number>();

	/** A retry begins a creation or records one (1), or has ended or dropped it (-1). */
	count(retry: string, change: 1 | -1): void {
		this.counts.set(retry, (this.counts.get(retry) ?? 0) + change);
	}

	/** Whether this process knows of anything that a retry has created. */
	has(retry: string): boolean {
		return (this.counts.get(retry) ?? 0) > 0;
	}

	/** A retry that has created something, or may be about to, and is none of `own`. */
	otherThan(own: readonly string[]): string | undefined {
		return [...this.counts.keys()].find((retry) => !own.includes(retry) && this.has(retry));
	}
}

const executions = new Map<string, RetriedExecution>();

/** The same for all retries of an execution that begin in this process. */
export function retriedExecution(key: string): RetriedExecution {
	const execution = executions.get(key) ?? new RetriedExecution();
	executions.delete(key);
	executions.set(key, execution);
	forgetOldest(executions, MAX_EXECUTIONS);
	return execution;
}
