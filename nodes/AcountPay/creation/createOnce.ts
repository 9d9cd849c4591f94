import type { IDataObject } from 'n8n-workflow';
import type { ApiRequest } from '../../shared/api/request';
import { ApiError } from '../../shared/errors';
import { rejectionError, type Subject, unreachableError } from '../../shared/transport/apiErrors';
import type { Client } from '../../shared/transport/client';
import {
	describeFailure,
	isRejection,
	isSuccess,
	isUnreachable,
	type SendResult,
} from '../../shared/http/response';
import { type CallOptions, send } from '../../shared/transport/send';
import type { Entry, IdempotencyRecord, KnownState, Obstacle } from './idempotencyRecord';

/** What is kept of a request that has left, to find by it what it has created. What else it holds is the look-up's. */
export interface Trace {
	/** Tells this request from every other one. */
	id: string;
}

/** What was found where something that may have been made was looked for. */
export type Found =
	/** `made`: the payment as AcountPay's list has it. */
	| { kind: 'made'; made: IDataObject }
	/** `looked`: what was looked at, as a sentence. */
	| { kind: 'none' | 'doubt'; looked: string };

/**
 * Finds out what became of requests whose outcome is not known. Where there is none, an open outcome stays open.
 */
export interface LookUp {
	/** The request is about to leave. @returns what is to be kept of it */
	sending(): Trace;
	/** The request that left last has made nothing. */
	notMade(): void;
	/**
	 * It has made something.
	 * @param response AcountPay's response, whole
	 */
	made(response: IDataObject): void;
	/** What is known by now of the request that left last. */
	trace(): Trace | undefined;
	/**
	 * Looks for what a request has made.
	 * @param left what is kept of it; undefined: nothing
	 * @param willResend whether it is sent again unless something speaks against it: then `none` says that nothing does
	 */
	find(left: Trace | undefined, willResend: boolean): Promise<Found>;
}

/** What an operation tells about the thing that it makes. */
export interface Creation {
	request: ApiRequest;
	subject: Subject;
	/** What may or may not exist when the outcome is unknown, as the beginning of a sentence: "Payment 'ORDER-1'". */
	title: string;
	/**
	 * Takes what was made out of the body of a successful response.
	 * @returns undefined when the body names nothing that was made
	 */
	read(body: Buffer): IDataObject | undefined;
	/** What a rejection means, as a sentence of its own: 'This payment was not created.' */
	nothingMade: string;
	/** What a person does when the outcome is unknown. */
	whenUnknown: string;
	/** Where it can be looked for. */
	lookUp?: LookUp;
	/**
	 * Asked right before a new request when this execution knows nothing of it: what exists already, and takes its place.
	 * @throws ApiError when nothing may be sent
	 */
	existing?(): Promise<IDataObject | undefined>;
	/** Told of what was created, or was found to be. */
	created?(response: IDataObject): void;
}

/**
 * Makes something at AcountPay, at most once. What an earlier attempt of this execution made is handed out, and what it
 * left open is not sent again. Only a rate limited request, which made nothing, is sent again. Where there is a look-up,
 * an open outcome is looked up first, and what is found is handed out as made.
 * @returns AcountPay's response, whole, or what the look-up has found
 * @throws ApiError (`unknown` when it may have been made) or Cancelled (then this call made nothing)
 */
export async function createOnce(
	client: Client,
	creation: Creation,
	options: CallOptions,
	record: IdempotencyRecord,
): Promise<IDataObject> {
	return await record.exclusively(client.cancelSignal, async () => {
		const { earlier } = record;
		if (earlier) return await settle(client, creation, options, record, earlier);
		const { obstacle } = record;
		if (obstacle) throw obstacleError(creation, obstacle);
		const existing = await creation.existing?.();
		if (!existing) return await create(client, creation, options, record);
		record.made(existing);
		return existing;
	});
}

/** Hands out what an earlier attempt has created, or finds out what it has. */
async function settle(
	client: Client,
	creation: Creation,
	options: CallOptions,
	record: IdempotencyRecord,
	earlier: Entry,
): Promise<IDataObject> {
	const { isOtherwise } = record;
	if (earlier.state === 'made') {
		if (isOtherwise) throw otherwiseError(creation, earlier);
		// What was there before this execution may have been paid since.
		const isExisting = earlier.answer.existing === true;
		return (isExisting && (await creation.existing?.())) || earlier.answer;
	}
	const left = describeLeft(earlier);
	const willResend = options.resendUnknown && !isOtherwise;
	const found = await creation.lookUp?.find(earlier.trace, willResend);
	if (found?.kind === 'made') {
		record.made(found.made);
		creation.created?.(found.made);
		if (isOtherwise) throw otherwiseError(creation, { ...earlier, answer: found.made });
		return found.made;
	}
	if (!willResend || found?.kind === 'doubt') {
		throw unknownError(creation, left, { isOld: true, looked: found?.looked });
	}
	return await create(client, creation, options, record).catch((error: unknown) => {
		// Whatever became of the second request, the first may have made it.
		throw error instanceof ApiError && error.outcome !== 'unknown'
			? unknownError(creation, `${left}. Sent again: ${error.message}`, error)
			: error;
	});
}

/** The error for an item that can't be told from something that this execution or another retry of it knows of. */
function obstacleError(creation: Creation, { entry, executionId }: Obstacle): ApiError {
	const payment = entry.state === 'made' ? entry.answer : undefined;
	if (executionId !== undefined) {
		return new ApiError(
			'refused',
			`${creation.title} was not sent: execution ${executionId}, another retry of the same execution, may have created it`,
			`Nothing was sent for this item. Retry execution ${executionId} instead: it knows what it has created.`,
			{ isOld: true, payment },
		);
	}
	if (payment) {
		return new ApiError(
			'refused',
			`${creation.title} was not sent: an earlier run of this node in this execution created it`,
			'Nothing was sent for this item. If it is another order, give it a reference of its own.',
			{ isOld: true, payment },
		);
	}
	const looked = 'An earlier run of this node in this execution asked for it.';
	return unknownError(creation, describeLeft(entry as KnownState), { isOld: true, looked });
}

/** The error for an item that now asks for something else than what it has got. */
const otherwiseError = (
	{ title }: Creation,
	{ terms, answer }: { terms?: string; answer: IDataObject },
) =>
	new ApiError(
		'refused',
		`${title} exists already: an earlier attempt of this execution created it${terms ? ` for ${terms}` : ''}`,
		'Nothing was sent now. Change the item back, or run the workflow anew if another one is wanted.',
		{ isOld: true, payment: answer },
	);

const describeLeft = (earlier: KnownState): string =>
	earlier.state === 'unknown'
		? earlier.what
		: 'was asked, and the execution ended before it responded';

async function create(
	client: Client,
	creation: Creation,
	options: CallOptions,
	record: IdempotencyRecord,
): Promise<IDataObject> {
	const { lookUp } = creation;
	const observer = {
		sending: () => record.sending(lookUp?.sending()),
		notMade: () => {
			lookUp?.notMade();
			record.notMade();
		},
	};
	const sent: SendResult = await send(client, creation.request, options, observer);
	const { status } = sent;
	const made = isSuccess(sent) ? creation.read(sent.body) : undefined;
	if (made) {
		lookUp?.made(made);
		record.made(made);
		creation.created?.(made);
		return made;
	}
	if (isUnreachable(sent)) {
		observer.notMade();
		throw unreachableError(client, creation.subject, sent);
	}
	if (isRejection(sent)) {
		observer.notMade();
		throw rejectionError(client, sent, creation.subject, creation.nothingMade);
	}
	const what = describeFailure(sent);
	record.unknown(what, lookUp?.trace());
	const found = await lookUp?.find(lookUp.trace(), false);
	if (found?.kind === 'made') {
		record.made(found.made);
		creation.created?.(found.made);
		return found.made;
	}
	throw unknownError(creation, what, { status, looked: found?.looked });
}

const unknownError = (
	{ title, whenUnknown }: Creation,
	what: string,
	{ status, isOld, looked }: { status?: number; isOld?: boolean; looked?: string },
) =>
	new ApiError(
		'unknown',
		`${title} may or may not exist: AcountPay ${what}`,
		looked ? `${looked} ${whenUnknown}` : whenUnknown,
		{ status, isOld },
	);
