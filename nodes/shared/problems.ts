import type { IDataObject } from 'n8n-workflow';

/**
 * How an item can end without its output:
 * `invalid` a field is wrong and nothing was sent; `refused` AcountPay said no, and nothing was made;
 * `unavailable` AcountPay could not be asked or did not say, and nothing was made; `unknown` the request was sent and it
 * is not known whether AcountPay made the payment; `made` it made the payment, and what came after went wrong.
 */
export type Outcome = 'invalid' | 'refused' | 'unavailable' | 'unknown' | 'made';

/** What went wrong with an item, in the merchant's words and without any secret. */
abstract class Problem extends Error {
	abstract readonly outcome: Outcome;

	/** @param description what to do now */
	constructor(
		message: string,
		readonly description?: string,
	) {
		super(message);
	}
}

/** A field holds what can't be sent. Nothing was sent for the item. */
export class FieldProblem extends Problem {
	readonly outcome = 'invalid';

	/**
	 * @param field its name in the editor
	 * @param must the rest of the sentence that the field's name begins: 'must be …'
	 * @param description what to do now, where there is more to say than that
	 */
	constructor(
		field: string,
		must: string,
		description = 'Correct the field, or what its expression takes from this item. Nothing was sent for it.',
	) {
		super(`${field} ${must}`, description);
	}
}

/** What is known of an {@link ApiProblem} besides its words. */
export interface ApiProblemFacts {
	/** The HTTP status, when there was an answer. */
	status?: number;
	/** With `unknown`: it is so since an earlier try, and nothing was sent now. */
	isOld?: boolean;
	/** With `made`: AcountPay's answer, whole. */
	payment?: IDataObject;
}

/** AcountPay refused, could not be asked, or left open what it did. */
export class ApiProblem extends Problem implements ApiProblemFacts {
	readonly status?: number;
	readonly isOld: boolean;
	readonly payment?: IDataObject;

	constructor(
		readonly outcome: Exclude<Outcome, 'invalid'>,
		message: string,
		description: string,
		{ status, isOld = false, payment }: ApiProblemFacts = {},
	) {
		super(message, description);
		this.status = status;
		this.isOld = isOld;
		this.payment = payment;
	}
}

/** Something that is no problem of AcountPay's and no check of ours. */
export class UnexpectedProblem extends Problem {
	readonly outcome = 'unavailable';

	/** @param isSafe whether the error can't hold anything secret, since it is not about a request */
	constructor(error: unknown, isSafe = false) {
		const { message, description } = (isSafe && error instanceof Error ? error : {}) as {
			message?: string;
			description?: unknown;
		};
		super(
			message ??
				'This item ended unexpectedly, before AcountPay was asked or after it had answered',
			typeof description === 'string' ? description : undefined,
		);
	}
}

/** The person or a time limit stops the execution; what this was thrown from has not been sent. */
export class Stopped extends Error {
	constructor() {
		super('The execution is being stopped');
	}
}

/** Any of them: what one item's work may throw. */
export type ItemProblem = FieldProblem | ApiProblem | UnexpectedProblem;

/** Whether something thrown is a problem of an item, rather than a bug. */
export const isItemProblem = (error: unknown): error is ItemProblem => error instanceof Problem;
