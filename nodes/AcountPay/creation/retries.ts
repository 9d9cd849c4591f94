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
 * Which retries by hand of an execution have created something, in this process. n8n lets a user retry the same execution
 * twice, one after the other or with a double click, and gives each retry a copy of its own of what the first one knew. So
 * only one of them, and retries of it, may create anything.
 */
class Retries {
	/** By retried execution, then by retry: how many creations it has recorded or has under way. */
	private readonly executions = new Map<string, Map<string, number>>();

	/** A retry begins a creation or records one (1), or has ended or dropped it (-1). */
	count(retried: string, retry: string, change: 1 | -1): void {
		const counts = this.executions.get(retried) ?? new Map<string, number>();
		this.executions.delete(retried);
		this.executions.set(retried, counts.set(retry, (counts.get(retry) ?? 0) + change));
		forgetOldest(this.executions, MAX_EXECUTIONS);
	}

	/** Whether this process knows of anything that a retry has created. */
	has(retried: string, retry: string): boolean {
		return (this.executions.get(retried)?.get(retry) ?? 0) > 0;
	}

	/** A retry that has created something, or may be about to, and is none of `own`. */
	otherThan(own: readonly string[], retried: string): string | undefined {
		const retries = [...(this.executions.get(retried)?.keys() ?? [])];
		return retries.find((retry) => !own.includes(retry) && this.has(retried, retry));
	}
}

/** The retries of this process. */
export const retries = new Retries();
