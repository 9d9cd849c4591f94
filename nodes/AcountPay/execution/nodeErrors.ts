import {
	type IExecuteFunctions,
	type INode,
	type INodeExecutionData,
	NodeApiError,
	NodeOperationError,
} from 'n8n-workflow';
import { ApiError, type ItemError } from '../../shared/errors';
import type { Summary } from './idempotencyStore';

/** How many payments an error names in its text; all of them are in its `context`. */
const NAMED_PAYMENTS = 50;

/** n8n takes a run for cancelled when its error holds this word, whoever wrote it. */
const CANCEL_WORD = /canceled/g;

const messageFor = (failed: ItemError, itemIndex: number) =>
	`${failed.message.replace(CANCEL_WORD, 'cancelled')} [item ${itemIndex}]`;

/**
 * The error that ends the node.
 * @param summary what the run has made and left open; all of it goes into the error's `context` as `paymentsMade` and
 *   `outcomesUnknown`
 * @returns NodeApiError when AcountPay was asked, NodeOperationError when a field is wrong
 */
export function nodeErrorFor(
	context: IExecuteFunctions,
	failed: ItemError,
	itemIndex: number,
	summary: Summary,
): NodeApiError | NodeOperationError {
	const message = messageFor(failed, itemIndex);
	const description = [
		failed.description,
		...sentencesFor({
			...summary,
			unknown: summary.unknown.filter((payment) => payment.itemIndex !== itemIndex),
		}),
	]
		.filter(Boolean)
		.join(' ');
	const options = { message, description, itemIndex };
	const error =
		failed instanceof ApiError
			? new NodeApiError(
					context.getNode(),
					{},
					{ ...options, ...(failed.status && { httpCode: String(failed.status) }) },
				)
			: new NodeOperationError(context.getNode(), message, options);
	// n8n puts words of its own in place of a message that holds a code such as ECONNRESET, with advice to retry.
	Object.assign(error, { message, description });
	Object.assign(error.context, {
		outcome: failed.outcome,
		paymentsMade: summary.made,
		outcomesUnknown: summary.unknown,
	});
	return error;
}

/**
 * The output of an item that has failed in a node that continues. By these keys of its `json` n8n tells an item for the
 * error output; before 2.41 only by an `error` beside the `json`.
 */
export function errorItem(
	{ onError }: Pick<INode, 'onError'>,
	failed: ItemError,
	itemIndex: number,
): INodeExecutionData {
	const { outcome, description } = failed;
	const { status, payment } = failed instanceof ApiError ? failed : {};
	const item: INodeExecutionData = {
		json: {
			error: messageFor(failed, itemIndex),
			details: {
				outcome,
				...(status && { status }),
				...(description && { description }),
				...(payment && { payment }),
			},
		},
		pairedItem: { item: itemIndex },
	};
	if (onError === 'continueErrorOutput') {
		// Not enumerable, or n8n would store it, and put its message in the place of the whole `json`.
		Object.defineProperty(item, 'error', { value: failed });
	}
	return item;
}

/** How many payments one line of the log names. */
const LOGGED_PAYMENTS = 50;

/**
 * For a run that was cancelled, by a person or a time limit: writes every payment made and every open outcome to n8n's
 * log, since n8n keeps no output and no error of a cancelled node.
 * @param isFirst whether this cancellation has not been logged yet
 * @returns the error to end the node with
 */
export function cancelledError(
	context: IExecuteFunctions,
	{ made, unknown }: Summary,
	isFirst: boolean,
): NodeOperationError {
	const place = `AcountPay node '${context.getNode().name}', execution ${context.getExecutionId()}, was stopped`;
	const log = (what: string, names: string[]) => {
		for (let from = 0; from < names.length; from += LOGGED_PAYMENTS) {
			const line = names.slice(from, from + LOGGED_PAYMENTS).join(', ');
			context.logger.warn(`${place}. ${what} (${names.length}): ${line}`);
		}
	};
	if (isFirst) {
		log('Payments made', made.map(nameOfMade));
		log(
			'Not known whether these payments were made',
			unknown.map(({ referenceNumber }) => referenceNumber),
		);
	}
	return new NodeOperationError(context.getNode(), 'The execution was stopped', {
		description: sentencesFor({ made, unknown }).join(' '),
	});
}

const nameOfMade = ({ referenceNumber, paymentId }: Summary['made'][number]) =>
	`${referenceNumber} = ${paymentId ?? 'no ID'}`;

/** What a person must know of the other items when a run ends early. */
function sentencesFor({ made, unknown }: Summary): string[] {
	const sentences: string[] = [];
	if (unknown.length) {
		const names = unknown.map(({ referenceNumber }) => referenceNumber);
		sentences.push(`It is not known either whether these were made: ${listed(names)}.`);
	}
	if (made.length) {
		sentences.push(
			`Payments made (${made.length}): ${listed(made.map(nameOfMade))}. A retry of this execution hands them out and makes none of them again.`,
		);
	}
	return sentences;
}

const listed = (names: string[]) => {
	const more = names.length - NAMED_PAYMENTS;
	return names.slice(0, NAMED_PAYMENTS).join(', ') + (more > 0 ? ` and ${more} more` : '');
};
