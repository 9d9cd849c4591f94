import {
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	NodeApiError,
	NodeOperationError,
} from 'n8n-workflow';
import { ApiError, type ItemError, type Outcome } from '../../shared/errors';
import type { Noun } from '../../shared/transport/apiErrors';
import { namesOf } from '../../shared/namesOf';
import { runModeOf } from '../../shared/runMode';
import { safeRetry } from './retryAdvice';
import type { End, EndedItem } from '../creation/idempotencyStore';
import type { RunSummary } from './runSummary';

/** How many items an error names in its text; all of them are in its `context`. */
const MAX_NAMED_ITEMS = 50;

/** An outcome as `details` has it: 'made' is what 0.1.0 called it, and saved workflows test for it. */
const nameOf = (outcome: Outcome): string => (outcome === 'created' ? 'made' : outcome);

/** n8n takes a run for cancelled when its error holds this word, whoever wrote it. */
const CANCEL_WORD = /canceled/g;

function messageFor(context: IExecuteFunctions, failed: ItemError, itemIndex: number): string {
	const mayExist = failed.outcome === 'unknown' || failed.outcome === 'created';
	// Advice that must be in the message: a language model reads nothing else.
	const advice = mayExist && runModeOf(context) === 'tool' ? '. Do not create it again' : '';
	return `${failed.message.replace(CANCEL_WORD, 'cancelled')}${advice} [item ${itemIndex}]`;
}

/**
 * The error that ends the node.
 * @param summary how the items ended; all of it goes into the error's `context` as `paymentsMade` (`merchantsMade`,
 *   `storesMade`), `paymentsExisting` where there are such, `outcomesUnknown`, `refused` and `notStarted`
 * @returns NodeApiError when AcountPay was asked, NodeOperationError when a field is wrong
 */
export function nodeErrorFor(
	context: IExecuteFunctions,
	failed: ItemError,
	itemIndex: number,
	summary: RunSummary,
): NodeApiError | NodeOperationError {
	const message = messageFor(context, failed, itemIndex);
	const { noun = 'payment', items } = summary;
	const mayExist = items.some(({ end }) => end === 'created' || end === 'unknown');
	const description = [
		failed.description,
		...sentencesFor(summary, itemIndex),
		mayExist && failed.rulesOut !== 'retry' && safeRetry(context, summary, failed),
	]
		.filter(Boolean)
		.join(' ');
	const options = { message, description, itemIndex };
	const error =
		failed instanceof ApiError
			? new NodeApiError(context.getNode(), {}, { ...options, httpCode: failed.status?.toString() })
			: new NodeOperationError(context.getNode(), message, options);
	// n8n puts words of its own in place of a message that holds a code such as ECONNRESET, with advice to retry.
	Object.assign(error, { message, description });
	error.context.outcome = nameOf(failed.outcome);
	for (const { end, key } of endsOf(noun)) {
		const ended = items.filter((item) => item.end === end).map(inContext(noun));
		if (end !== 'existing' || ended.length > 0) error.context[key] = ended;
	}
	return error;
}

/**
 * The output of an item that has failed in a node that continues. n8n sends it to the error output because its `json` has
 * these keys; before 2.41 only because of an `error` beside the `json`.
 */
export function errorItem(
	context: IExecuteFunctions,
	failed: ItemError,
	itemIndex: number,
): INodeExecutionData {
	const { onError } = context.getNode();
	const { outcome, description, status, payment } = failed;
	const item: INodeExecutionData = {
		json: {
			error: messageFor(context, failed, itemIndex),
			details: {
				outcome: nameOf(outcome),
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

/** How many items one line of the log names. */
const ITEMS_PER_LINE = 50;

/**
 * For a run that was cancelled, by the user or a time limit: writes how the items ended to n8n's log, since n8n keeps
 * no output and no error of a cancelled node.
 * @param isFirst whether this cancellation has not been logged yet
 * @returns the error to end the node with
 */
export function cancelledError(
	context: IExecuteFunctions,
	summary: RunSummary,
	isFirst: boolean,
): NodeOperationError {
	const stopped = `AcountPay node '${context.getNode().name}', execution ${context.getExecutionId()}, was stopped`;
	for (const [what, names] of isFirst ? namesIn(summary) : []) {
		for (let from = 0; from < names.length; from += ITEMS_PER_LINE) {
			const line = names.slice(from, from + ITEMS_PER_LINE).join(', ');
			context.logger.warn(`${stopped}. ${what} (${names.length}): ${line}`);
		}
	}
	return new NodeOperationError(context.getNode(), 'The execution was stopped', {
		description: sentencesFor(summary).join(' '),
	});
}

/** An item as an error's `context` has it, where a payment's name is its reference number. */
const inContext =
	(noun: Noun) =>
	({ itemIndex, name, id }: EndedItem): IDataObject => ({
		itemIndex,
		...(name !== undefined && { [noun === 'payment' ? 'referenceNumber' : 'name']: name }),
		...(id !== undefined && { [`${noun}Id`]: id }),
	});

/** The ends of items in the order in which they are told: with a title, and the key in an error's `context`. */
const endsOf = (noun: Noun): ReadonlyArray<{ end: End; title: string; key: string }> => [
	{ end: 'unknown', title: 'May or may not exist', key: 'outcomesUnknown' },
	{ end: 'refused', title: 'Refused', key: 'refused' },
	{
		end: 'created',
		title: `${noun[0].toUpperCase()}${noun.slice(1)}s created`,
		key: `${noun}sMade`,
	},
	{ end: 'existing', title: 'Existed already', key: `${noun}sExisting` },
	{ end: 'notStarted', title: 'Not started', key: 'notStarted' },
];

/** Whether AcountPay has it: then it is named with its id. */
const exists = ({ end }: EndedItem) => end === 'created' || end === 'existing';

/**
 * How the items ended: a title, and the names of the items that it is true of.
 * @param itemIndex of the item that the error is about, which is named again only with its id
 */
function namesIn({ noun = 'payment', items }: RunSummary, itemIndex?: number) {
	return endsOf(noun).map(({ end, title }): [string, string[]] => {
		const told = items.filter(
			(item) => item.end === end && (exists(item) || item.itemIndex !== itemIndex),
		);
		return [title, told.map(textOf)];
	});
}

function textOf(item: EndedItem): string {
	const name = item.name ?? `item ${item.itemIndex}`;
	return exists(item) ? `${name} = ${item.id ?? 'no ID'}` : name;
}

/** What the user must know about the other items when a run ends early. */
const sentencesFor = (summary: RunSummary, itemIndex?: number): string[] =>
	namesIn(summary, itemIndex)
		.filter(([, names]) => names.length > 0)
		.map(([what, names]) => `${what} (${names.length}): ${namesOf(names, MAX_NAMED_ITEMS)}.`);
