import type { IDataObject } from 'n8n-workflow';
import {
	type ApiRequest,
	getPayment,
	readCreated,
	readObject,
	readReason,
} from '../shared/acountPayApi';
import type { Answer, Connection, NoAnswer } from '../shared/connection';
import { growingPause, pause, retryAfter } from '../shared/pauses';
import { ApiProblem, Stopped } from '../shared/problems';
import type { LedgerPage, State } from './ledger';

/** What a request is about, for the words of an error. */
export interface Subject {
	/** The merchant it is sent for. */
	merchantId: string;
	/** As part of a sentence: "the payment with reference 'ORDER-1'". */
	name: string;
}

/** What the item's options say about its requests. */
export interface CallOptions {
	/** ms until the whole answer of one request must be there. */
	timeout: number;
	/** Until when, in ms since 1970, AcountPay is asked again where it is busy or gives no usable answer; without, as long as it takes. */
	deadline?: number;
	/** Whether a payment may be sent again when it is not known whether it was made. */
	resendUnknown: boolean;
}

/** A busy API is asked again until both are reached. */
const BUSY_TRIES = 10;
const BUSY_PATIENCE = 2 * 60_000;
const FIRST_BUSY_PAUSE = 500;
const LONGEST_BUSY_PAUSE = 30_000;
/** Even an answer that says 'Retry-After: 0' is given this much, in ms, with as much again at random. */
const SHORTEST_BUSY_PAUSE = 200;

const READ_TRIES = 5;
const FIRST_READ_PAUSE = 500;
const LONGEST_READ_PAUSE = 8_000;

/** A 408 comes from between n8n and AcountPay as often as from AcountPay, and says nothing of what AcountPay did. */
const isRefusal = (answer: Answer | NoAnswer): answer is Answer =>
	answer.status !== undefined &&
	answer.status >= 400 &&
	answer.status < 500 &&
	answer.status !== 408;

const isSuccess = ({ status }: Answer | NoAnswer) =>
	status !== undefined && status >= 200 && status < 300;

/**
 * Makes a payment, at most once: what an earlier try of this execution made is handed out, and what it left open is not
 * sent again. Only a busy API (429), which made nothing, is asked again.
 * @returns AcountPay's answer, whole
 * @throws ApiProblem (`unknown` when the payment may have been made) or Stopped (then this call made none)
 */
export async function makePayment(
	connection: Connection,
	request: ApiRequest,
	subject: Subject,
	options: CallOptions,
	page: LedgerPage,
): Promise<IDataObject> {
	const { earlier } = page;
	if (earlier?.state === 'made') return earlier.answer;
	const left = earlier && whatWasLeft(earlier);
	if (left === undefined) return await sendPayment(connection, request, subject, options, page);
	if (!options.resendUnknown) throw outcomeUnknown(subject, left, { isOld: true });

	return await sendPayment(connection, request, subject, options, page).catch((error: unknown) => {
		// Whatever became of the second request, the first may have made the payment.
		throw error instanceof ApiProblem && error.outcome !== 'unknown'
			? outcomeUnknown(subject, `${left}. When it was sent again: ${error.message}`, error)
			: error;
	});
}

const whatWasLeft = (earlier: State): string =>
	earlier.state === 'unknown'
		? earlier.what
		: 'was asked, and the execution ended before it answered';

async function sendPayment(
	connection: Connection,
	request: ApiRequest,
	subject: Subject,
	options: CallOptions,
	page: LedgerPage,
): Promise<IDataObject> {
	const answer = await sendPatiently(connection, request, options, page);
	const payment = isSuccess(answer) ? readCreated((answer as Answer).body) : undefined;
	if (payment) {
		page.made(payment);
		return payment;
	}
	if (answer.status === undefined && !answer.sent) {
		page.notMade();
		throw notReached(connection, subject);
	}
	if (isRefusal(answer)) {
		page.notMade();
		throw refusal(connection, answer, subject, 'No payment was made.');
	}
	const what = whatHappened(answer);
	page.unknown(what);
	throw outcomeUnknown(subject, what, answer);
}

/**
 * Reads from AcountPay; asks again when there is no answer, or none that can be used.
 * @param read takes what is wanted out of a successful answer; undefined: the answer can't be used
 * @param unusable the words for that, as the end of 'AcountPay …'
 * @throws ApiProblem or Stopped
 */
export async function readAnswer<Result>(
	connection: Connection,
	request: ApiRequest,
	subject: Subject,
	options: CallOptions,
	read: (answer: Answer) => Result | undefined,
	unusable?: string,
): Promise<Result> {
	for (let tries = 1; ; tries++) {
		const answer = await sendPatiently(connection, request, options);
		if (connection.cancelSignal?.aborted) throw new Stopped();
		const result = isSuccess(answer) ? read(answer as Answer) : undefined;
		if (result !== undefined) return result;

		const mayPass = !isRefusal(answer) && !isRedirect(answer);
		const wait = growingPause(tries, FIRST_READ_PAUSE, LONGEST_READ_PAUSE);
		if (!mayPass || tries === READ_TRIES || isTooLong(wait, options)) {
			throw readProblem(connection, answer, subject, unusable);
		}
		await pauseOrStop(wait, connection);
	}
}

/**
 * Reads a payment and its status.
 * @returns AcountPay's answer, whole
 * @throws ApiProblem or Stopped
 */
export async function readPayment(
	connection: Connection,
	merchantId: string,
	paymentId: string,
	options: CallOptions,
): Promise<IDataObject> {
	return await readAnswer(
		connection,
		getPayment(merchantId, paymentId),
		{ merchantId, name: `payment '${paymentId}'` },
		options,
		({ body }) => readObject(body),
	);
}

const isRedirect = ({ status }: Answer | NoAnswer) =>
	status !== undefined && status >= 300 && status < 400;

/** Sends, and waits for a busy API, which has then neither made nor read anything. */
async function sendPatiently(
	connection: Connection,
	request: ApiRequest,
	options: CallOptions,
	page?: LedgerPage,
): Promise<Answer | NoAnswer> {
	const startedAt = Date.now();
	for (let tries = 1; ; tries++) {
		let answer: Answer | NoAnswer | undefined;
		page?.sending();
		try {
			answer = await connection.send(request, options.timeout);
		} finally {
			// What is thrown is about the token: AcountPay did not get as far as this request.
			if (!answer || answer.status === 429) page?.notMade();
		}
		if (answer.status !== 429) return answer;
		if (tries >= BUSY_TRIES && Date.now() - startedAt >= BUSY_PATIENCE) return answer;

		const asked = retryAfter(answer.headers['retry-after'], Date.now());
		const wait =
			asked === undefined
				? growingPause(tries, FIRST_BUSY_PAUSE, LONGEST_BUSY_PAUSE)
				: asked + SHORTEST_BUSY_PAUSE * (1 + Math.random());
		if (isTooLong(wait, options)) return answer;
		await pauseOrStop(wait, connection);
	}
}

const isTooLong = (wait: number, { deadline = Infinity }: CallOptions) =>
	Date.now() + wait > deadline;

async function pauseOrStop(ms: number, connection: Connection): Promise<void> {
	if (!(await pause(ms, connection.cancelSignal))) throw new Stopped();
}

/** As the end of 'AcountPay …', for an answer that can't be used. */
const whatHappened = (answer: Answer | NoAnswer): string => {
	if (answer.status === undefined) return answer.what;
	if (isSuccess(answer)) return `sent an answer that could not be read (status ${answer.status})`;
	if (isRedirect(answer)) {
		return `answered with a redirect (status ${answer.status}), which is not followed`;
	}
	return `is out of order (status ${answer.status})`;
};

const outcomeUnknown = (
	{ name }: Subject,
	what: string,
	{ status, isOld }: { status?: number; isOld?: boolean },
) =>
	new ApiProblem(
		'unknown',
		`It is not known whether AcountPay made ${name}: AcountPay ${what}`,
		"Look for this reference in AcountPay before you ask for the payment again, or the customer may be asked to pay twice. This execution does not send it again, unless the option 'Resend Unknown' is on.",
		{ status, isOld },
	);

const notReached = (connection: Connection, { name }: Subject) =>
	new ApiProblem(
		'unavailable',
		`AcountPay could not be reached for ${name}`,
		`Check the environment of the credential, and whether ${connection.baseUrl} can be reached from n8n. Nothing was sent, so this item can be run again.`,
	);

const readProblem = (
	connection: Connection,
	answer: Answer | NoAnswer,
	subject: Subject,
	unusable?: string,
) => {
	if (answer.status === undefined && !answer.sent) return notReached(connection, subject);
	if (isRefusal(answer)) return refusal(connection, answer, subject, '');
	return new ApiProblem(
		'unavailable',
		`AcountPay was asked about ${subject.name}, but ${(isSuccess(answer) && unusable) || whatHappened(answer)}`,
		'Reading changes nothing, so this item can be run again.',
		{ status: answer.status },
	);
};

/** The words for an answer with a status of 400 to 499. */
function refusal(
	connection: Connection,
	{ status, body }: Answer,
	{ merchantId, name }: Subject,
	consequence: string,
): ApiProblem {
	const reason = readReason(body, (text) => connection.redact(text));
	const [what, advice] = wordsFor(status, name, merchantId);
	return new ApiProblem(
		'refused',
		`${what}${reason ? `: ${reason}` : ` (status ${status})`}`,
		`${advice} ${consequence}`.trim(),
		{ status },
	);
}

const wordsFor = (
	status: number,
	name: string,
	merchantId: string,
): [what: string, advice: string] => {
	switch (status) {
		case 401:
			return [
				`AcountPay did not accept the access token for ${name}`,
				'Check Client ID, Client Secret and Environment of the credential.',
			];
		case 403:
			return [
				`AcountPay does not allow ${name} for merchant '${merchantId}'`,
				'Check Merchant ID, and whether your AcountPay account may act for this merchant.',
			];
		case 404:
			return [
				`AcountPay does not find ${name} for merchant '${merchantId}'`,
				'Check Merchant ID and, when you read a payment, Payment ID. Sandbox and production know nothing of each other.',
			];
		case 409:
			return [
				`AcountPay says that ${name} conflicts with what it already has`,
				'Look for this reference in AcountPay before you ask again.',
			];
		case 429:
			return [
				`AcountPay is getting too many requests and did not take ${name}, however often it was asked`,
				"Run this item again later, or lower the option 'Max Concurrency'.",
			];
		default:
			return [
				`AcountPay refused ${name}`,
				'Check the fields of this item against what AcountPay says.',
			];
	}
};
