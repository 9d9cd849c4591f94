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
	type Sent,
} from '../../shared/transport/response';
import { type CallOptions, send } from '../../shared/transport/retry';
import type { IdempotencyRecord, KnownState } from './idempotencyStore';

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
}

/**
 * Makes something at AcountPay, at most once. What an earlier attempt of this execution made is handed out, and what it
 * left open is not sent again. Only a rate limited request, which made nothing, is sent again.
 * @returns AcountPay's response, whole
 * @throws ApiError (`unknown` when it may have been made) or Cancelled (then this call made nothing)
 */
export async function createOnce(
	client: Client,
	creation: Creation,
	options: CallOptions,
	record: IdempotencyRecord,
): Promise<IDataObject> {
	const { earlier } = record;
	if (earlier?.state === 'made') return earlier.answer;
	const left = earlier && describeLeft(earlier);
	if (left === undefined) return await create(client, creation, options, record);
	if (!options.resendUnknown) throw unknownError(creation, left, { isOld: true });

	return await create(client, creation, options, record).catch((error: unknown) => {
		// Whatever became of the second request, the first may have made it.
		throw error instanceof ApiError && error.outcome !== 'unknown'
			? unknownError(creation, `${left}. Sent again: ${error.message}`, error)
			: error;
	});
}

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
	const sent: Sent = await send(client, creation.request, options, record);
	const made = isSuccess(sent) ? creation.read(sent.body) : undefined;
	if (made) {
		record.made(made);
		return made;
	}
	if (isUnreachable(sent)) {
		record.notMade();
		throw unreachableError(client, creation.subject, sent);
	}
	if (isRejection(sent)) {
		record.notMade();
		throw rejectionError(client, sent, creation.subject, creation.nothingMade);
	}
	const what = describeFailure(sent);
	record.unknown(what);
	throw unknownError(creation, what, sent);
}

const unknownError = (
	{ title, whenUnknown }: Creation,
	what: string,
	{ status, isOld }: { status?: number; isOld?: boolean },
) =>
	new ApiError('unknown', `${title} may or may not exist: AcountPay ${what}`, whenUnknown, {
		status,
		isOld,
	});
