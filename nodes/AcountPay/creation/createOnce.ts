import type { IDataObject } from 'n8n-workflow';
import type { ApiRequest } from '../../shared/api/request';
import { ApiError, type ApiErrorFacts } from '../../shared/errors';
import { nothingDoneError, type Subject } from '../../shared/transport/apiErrors';
import type { Client } from '../../shared/transport/client';
import { describeFailure, isSuccess, type SendResult } from '../../shared/http/response';
import { type CallOptions, sendAtMostOnce } from '../../shared/transport/sendWithRetries';
import {
	type Entry,
	type IdempotencyRecord,
	isCreated,
	type KnownState,
} from './idempotencyRecord';

/** What is stored about a sent request, so that what it created can be found later. The look-up adds its own fields. */
export interface Trace {
	/** Identifies the request. */
	id: string;
}

/** The result of looking for something that may have been created. */
export type LookUpResult =
	/** `response`: the payment as AcountPay's list has it. */
	| { kind: 'found'; response: IDataObject }
	/** `report`: what was looked at, as a sentence. */
	| { kind: 'none' | 'doubt'; report: string };

/**
 * Finds out what a request with an unknown outcome has created. Without a look-up, an unknown outcome stays unknown.
 */
export interface LookUp {
	/** The request is about to leave. @returns what is to be stored about it */
	sending(): Trace;
	/** The last request has created nothing. */
	notCreated(): void;
	/**
	 * Looks for what a request has created.
	 * @param trace what is stored about it; undefined: nothing
	 * @param willResend whether the caller resends on `none`, so `none` must also mean that resending is safe
	 */
	find(trace: Trace | undefined, willResend: boolean): Promise<LookUpResult>;
}

/** What an operation tells about the thing that it creates. */
export interface Creation {
	request: ApiRequest;
	subject: Subject;
	/** What may or may not exist when the outcome is unknown, as the beginning of a sentence: "Payment 'ORDER-1'". */
	title: string;
	/**
	 * Takes what was created out of the body of a successful response.
	 * @returns undefined when the body names nothing that was created
	 */
	readCreated(body: Buffer): IDataObject | undefined;
	/**
	 * Whether the response is about something else than was asked for.
	 * @returns why, as the end of 'AcountPay …'; undefined if nothing shows that
	 */
	contradicts?(response: IDataObject): string | undefined;
	/** What the user does when the outcome is unknown. */
	unknownAdvice: string;
	/** Where it can be looked for. */
	lookUp?: LookUp;
	/**
	 * Asked right before a new request: what exists already, to return instead.
	 * @param previous the existing one that an earlier attempt returned
	 * @throws ApiError when nothing may be sent
	 */
	findExisting?(previous?: IDataObject): Promise<IDataObject | undefined>;
	/**
	 * Told what was created, or found to have been created.
	 * @param response AcountPay's, whole
	 * @param trace of the request whose creation was found: it may have asked for something else than is asked for now
	 */
	onCreated?(response: IDataObject, trace?: Trace): void;
}

/** What is to be created, and all that it takes. */
interface Task {
	client: Client;
	creation: Creation;
	options: CallOptions;
	record: IdempotencyRecord;
}

/**
 * Creates something at AcountPay, at most once. What an earlier attempt of this execution created is returned, and a
 * request whose outcome is unknown is not sent again, unless 'Resend Unknown' is on. A request that was rate limited, or refused
 * for its outdated authentication, has created nothing and is sent again. Where there is a look-up, an unknown outcome is looked
 * up first, and what is found is returned as created.
 * @returns AcountPay's response, whole, or what the look-up has found
 * @throws ApiError (`unknown` when it may have been created) or Cancelled (then this call created nothing)
 */
export async function createOnce(task: Task): Promise<IDataObject> {
	const { client, creation, record } = task;
	return await record.exclusively(client.cancelSignal, async () => {
		const { earlier } = record;
		if (earlier) return await resolveEarlier(task, earlier);
		const { obstacle } = record;
		if (obstacle) throw obstacleError(creation, obstacle);
		return await createUnlessExisting(task);
	});
}

/** Returns what exists already, or creates. @param previous the existing one that an earlier attempt returned */
async function createUnlessExisting(task: Task, previous?: IDataObject): Promise<IDataObject> {
	const existing = await task.creation.findExisting?.(previous);
	if (!existing) return await create(task);
	task.record.created(existing);
	return existing;
}

/** Where 'Resend Unknown' has sent nothing, the same retry would most likely send nothing again. */
const NOT_SENT_AGAIN =
	'So it was not sent again. If it certainly does not exist, run the workflow again with only this item.';

/** Returns what an earlier attempt created, looks for it if that is unknown, or creates it again with 'Resend Unknown'. */
async function resolveEarlier(task: Task, earlier: Entry): Promise<IDataObject> {
	const { creation, options, record } = task;
	const { hasChanged } = record;
	if (isCreated(earlier)) {
		if (hasChanged) throw changedError(creation, earlier);
		const isExisting = earlier.answer.existing === true;
		if (!isExisting || !creation.findExisting) return earlier.answer;
		// Something from before this execution may have been paid, or have expired, since.
		return await createUnlessExisting(task, earlier.answer);
	}
	const what = describeUnknown(earlier);
	const willResend = options.resendUnknown === true && !hasChanged;
	const found = await creation.lookUp?.find(earlier.trace, willResend);
	if (found?.kind === 'found') {
		const answer = remember(task, found.response, earlier.trace);
		if (!hasChanged) return answer;
		throw changedError(creation, { ...earlier, answer });
	}
	if (!willResend || found?.kind === 'doubt') {
		const notSent = willResend ? ` ${NOT_SENT_AGAIN}` : '';
		throw unknownError(creation, what, {
			isOld: true,
			rulesOut: willResend ? 'resend' : undefined,
			report: found && `${found.report}${notSent}`,
		});
	}
	return await create(task).catch((error: unknown) => {
		// However the second request ended, the first may have created it.
		if (!(error instanceof ApiError) || error.outcome === 'unknown') throw error;
		const { message, status, isOld } = error;
		throw unknownError(creation, `${what}. Tried again: ${message}`, { status, isOld });
	});
}

/** The error for an item when an earlier loop iteration asked for the same thing, or for another one with the same reference. */
function obstacleError(creation: Creation, entry: Entry): ApiError {
	if (!isCreated(entry)) {
		const report = 'An earlier run of this node in this execution asked for it.';
		return unknownError(creation, describeUnknown(entry), {
			isOld: true,
			rulesOut: 'resend',
			report,
		});
	}
	return new ApiError(
		'unknown',
		`${creation.title} was not sent: an earlier run of this node in this execution created it`,
		'Nothing was sent for this item. If it is another order, give it a reference of its own.',
		{ isOld: true, payment: entry.answer },
	);
}

/** The error for an item of a retry when another retry of the same execution has created something. */
const retriedElsewhereError = ({ title }: Creation, executionId: string) =>
	new ApiError(
		'unknown',
		`${title} was not sent: execution ${executionId}, another retry of the same execution, may have created it`,
		`Nothing was sent for this item. Open execution ${executionId}: it shows what it has created. If it has failed, retry that one instead. If it has ended well, run the workflow again with only the items that it has not created.`,
		{ isOld: true, rulesOut: 'retry' },
	);

/** The error for an item whose request has changed since it was created. */
const changedError = (
	{ title }: Creation,
	{ terms, answer }: { terms?: string; answer: IDataObject },
) =>
	new ApiError(
		'refused',
		`${title} exists already: ${answer.existing === true ? 'it was there before this execution' : 'an earlier attempt of this execution created it'}${terms ? ` for ${terms}` : ''}`,
		'Nothing was sent now. Change the item back. If you want another one, run the workflow again with only this item.',
		{ isOld: true, payment: answer },
	);

const describeUnknown = (earlier: KnownState): string =>
	earlier.state === 'unknown'
		? earlier.what
		: 'was asked, and the execution ended before it responded';

/** @param trace of the request, when what it created was looked up */
function remember({ creation, record }: Task, response: IDataObject, trace?: Trace): IDataObject {
	record.created(response);
	creation.onCreated?.(response, trace);
	return response;
}

const create = async (task: Task): Promise<IDataObject> =>
	await task.record.unlessRetriedElsewhere(
		async () => await sendCreate(task),
		(executionId) => retriedElsewhereError(task.creation, executionId),
	);

async function sendCreate(task: Task): Promise<IDataObject> {
	const { client, creation, options, record } = task;
	const { lookUp, subject } = creation;
	let trace: Trace | undefined;
	const observer = {
		sending: () => {
			trace = lookUp?.sending();
			record.sending(trace);
		},
		notCreated: () => {
			lookUp?.notCreated();
			record.notCreated();
		},
	};
	const result: SendResult = await sendAtMostOnce(client, creation.request, options, observer);
	const { status } = result;
	const response = isSuccess(result) ? creation.readCreated(result.body) : undefined;
	const { noun = 'payment' } = subject;
	const otherItemsId = response && record.idOfOther(response);
	const contradiction =
		(response && creation.contradicts?.(response)) ??
		(otherItemsId && `responded about ${noun} '${otherItemsId}', which belongs to another item`);
	if (response && contradiction === undefined) return remember(task, response);
	const consequence = `This ${noun} was not created.`;
	const nothingDone = nothingDoneError(client, result, subject, consequence);
	if (nothingDone) {
		observer.notCreated();
		throw nothingDone;
	}
	const what = contradiction ?? describeFailure(result);
	record.unknown(what, trace);
	const found = await lookUp?.find(trace, false);
	if (found?.kind === 'found') return remember(task, found.response, trace);
	throw unknownError(creation, what, { status, report: found?.report });
}

const unknownError = (
	{ title, unknownAdvice }: Creation,
	what: string,
	{ report, ...facts }: ApiErrorFacts & { report?: string },
) =>
	new ApiError(
		'unknown',
		`${title} may or may not exist: AcountPay ${what}`,
		report ? `${report} ${unknownAdvice}` : unknownAdvice,
		facts,
	);
