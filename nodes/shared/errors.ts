import type { IDataObject } from 'n8n-workflow';

/**
 * How an item can end without its output:
 * `invalid` a field is wrong and nothing was sent; `refused` AcountPay refused the request and nothing was created;
 * `unavailable` AcountPay could not be asked or did not say, and nothing was created; `unknown` the request was sent and
 * AcountPay may or may not have acted on it; `created` AcountPay created what was asked for, and a later step failed.
 */
export type Outcome = 'invalid' | 'refused' | 'unavailable' | 'unknown' | 'created';

/** What is known about an error besides its words: of an {@link ApiError} alone. */
export interface ApiErrorFacts {
	/** The HTTP status, when there was a response. */
	status?: number;
	/** An earlier attempt left it so, and nothing was sent now. */
	isOld?: boolean;
	/** Which advice on going on is wrong: of any retry of this execution, or of 'Resend Unknown' alone. */
	rulesOut?: 'retry' | 'resend';
	/** The whole payment: with `created`, and where it keeps a new one from being created. */
	payment?: IDataObject;
}

/** What went wrong with an item, in the merchant's words and without any secret. */
abstract class ItemErrorBase extends Error implements ApiErrorFacts {
	abstract readonly outcome: Outcome;
	readonly status?: number;
	readonly isOld: boolean = false;
	readonly rulesOut?: ApiErrorFacts['rulesOut'];
	readonly payment?: IDataObject;

	/** @param description what to do now */
	constructor(
		message: string,
		readonly description?: string,
	) {
		super(message);
	}

	/** Whether other items are still sent: an earlier attempt failed and nothing was sent now, or the creation itself succeeded. */
	get letsOthersContinue(): boolean {
		return this.isOld || this.outcome === 'created';
	}
}

/** A field holds a value that can't be sent. Nothing was sent for the item. */
export class ValidationError extends ItemErrorBase {
	readonly outcome = 'invalid';

	/**
	 * @param field its name in the editor
	 * @param must the rest of the sentence that the field's name begins: 'must be …'
	 * @param description what to do now, where there is more to say than the default
	 */
	constructor(
		field: string,
		must: string,
		description = 'Correct the field, or what its expression takes from this item. Nothing was sent for it.',
	) {
		super(`${field} ${must}`, description);
	}
}

/** AcountPay refused a request, could not be asked, or did not say what it did. */
export class ApiError extends ItemErrorBase {
	constructor(
		readonly outcome: Exclude<Outcome, 'invalid'>,
		message: string,
		description: string,
		facts: ApiErrorFacts = {},
	) {
		super(message, description);
		Object.assign(this, facts);
	}
}

/** AcountPay was asked about something, and the response says nothing usable of it. */
export class ReadError extends ApiError {
	/**
	 * @param name what it was asked about, as part of a sentence
	 * @param what happened, as the end of 'AcountPay was asked about …, but …'
	 */
	constructor(
		name: string,
		what: string,
		advice = 'Reading changes nothing, so this item can be run again.',
		facts: ApiErrorFacts = {},
	) {
		super('unavailable', `AcountPay was asked about ${name}, but ${what}`, advice, facts);
	}
}

/** An error that neither AcountPay nor a check of this package raised. */
export class UnexpectedError extends ItemErrorBase {
	constructor(
		readonly outcome: 'unavailable' | 'unknown',
		message = 'This item ended unexpectedly, before AcountPay was asked or after it had responded',
		description?: string,
	) {
		super(message, description);
	}
}

/** An error of n8n's, in its own words. Only for one that is not about a request, so that it can hold no secret. */
export function errorOfN8n(error: unknown): UnexpectedError {
	if (!(error instanceof Error)) return unexpectedError(false);
	const { message, description } = error as Error & { description?: unknown };
	const advice = typeof description === 'string' ? description : undefined;
	return new UnexpectedError('unavailable', message, advice);
}

/**
 * The error for any other one: its words may hold a secret, and are left out.
 * @param mayHaveCreated whether a request that creates something may have left
 */
export function unexpectedError(mayHaveCreated: boolean): UnexpectedError {
	if (!mayHaveCreated) return new UnexpectedError('unavailable');
	const advice = 'Look in AcountPay for what this item asks for before you create it again.';
	return new UnexpectedError('unknown', undefined, advice);
}

/** The execution is being cancelled, by the user or a time limit. The request that this was thrown for was not sent. */
export class Cancelled extends Error {
	constructor() {
		super('The execution is being stopped');
	}
}

/** Any error that one item's work may end with. */
export type ItemError = ValidationError | ApiError | UnexpectedError;

/** Whether something thrown is an error of an item, rather than a bug. */
export const isItemError = (error: unknown): error is ItemError => error instanceof ItemErrorBase;
