import type { IDataObject } from 'n8n-workflow';
import { finalStatusOf } from '../../../shared/api/statuses';
import { aborted, delay } from '../../../shared/backoff';
import { ApiError, Cancelled, ValidationError } from '../../../shared/errors';
import type { Client } from '../../../shared/transport/client';
import type { CallOptions } from '../../../shared/transport/send';
import { WEBHOOK_SECRET_MISSING } from '../../../shared/webhooks/receive';
import type { ItemOutput, ItemWork, Operation } from '../operation';
import { isLeftOut, preview } from '../parameters';
import { merchantIdField, merchantIdFrom, paymentIdField, paymentIdFrom } from './sharedFields';
import { readPayment } from './readPayment';

/** A payment that is waited for. */
export interface Awaited {
	paymentId: string;
	timeoutMinutes: number;
}

interface WaitInput extends Awaited {
	merchantId: string;
	resumeOn: 'webhook' | 'polling';
}

/** Reads the payment that is waited for. */
export type Reader = (client: Client, options: CallOptions) => Promise<IDataObject>;

const readerOf =
	({ merchantId, paymentId }: WaitInput): Reader =>
	async (client, options) =>
		await readPayment(client, merchantId, paymentId, options);

/** A payment lives 30 minutes (documented); the rest is for late events. */
const DEFAULT_TIMEOUT_MINUTES = 35;
const MAX_TIMEOUT_MINUTES = 7 * 24 * 60;

/** Time limit (ms) for the status check before the execution waits. Keep it short: webhooks that arrive during it are lost. */
const STATUS_CHECK_TIMEOUT = 10_000;

/** How long after its timeout a wait still takes a response, in ms: the last look takes place right at the timeout. */
const LAST_LOOK = 10_000;

const FIRST_POLLING_DELAY = 2_000;
const MAX_POLLING_DELAY = 15_000;
const POLLING_DELAY_GROWTH = 1.5;

/** Waits until the customer has paid or declined, or the payment has expired. */
export const waitForCompletion: Operation<WaitInput> = {
	option: {
		name: 'Wait for Completion',
		value: 'waitForCompletion',
		action: 'Wait for completion of payment',
		description: 'Go on when the customer has paid or declined, or the payment has expired',
		// A language model would sit and wait.
		displayOptions: { hide: { '@tool': [true] } },
	},
	fields: [
		merchantIdField,
		paymentIdField,
		{
			displayName: 'Resume On',
			name: 'resumeOn',
			type: 'options',
			options: [
				{
					name: 'Polling',
					value: 'polling',
					description:
						'The node asks AcountPay every 2 to 15 seconds. For any number of payments, and any n8n.',
				},
				{
					name: 'Webhook',
					value: 'webhook',
					description:
						'A webhook from AcountPay resumes the execution. For one payment an execution, and an n8n that AcountPay can reach.',
				},
			],
			default: 'polling',
			description: 'How the node finds out that the payment has ended',
		},
		{
			displayName:
				'The payment must have the URL of this execution, or nothing resumes the workflow before the timeout. In the node that creates the payment, add <b>Webhook URL</b>, switch it to <b>Expression</b> and enter <code>{{ $execution.resumeUrl }}</code>.',
			name: 'webhookNotice',
			type: 'notice',
			default: '',
			displayOptions: { show: { resumeOn: ['webhook'] } },
		},
		{
			displayName: 'Timeout (Minutes)',
			name: 'timeoutMinutes',
			type: 'number',
			typeOptions: { minValue: 0 },
			default: DEFAULT_TIMEOUT_MINUTES,
			description:
				'The longest time to wait. A payment expires after 30 minutes. After the timeout the workflow goes on with waitEndedBy = timeout.',
		},
	],
	mostlyWaits: true,

	check(item, client) {
		const input: WaitInput = {
			merchantId: merchantIdFrom(item),
			paymentId: paymentIdFrom(item),
			resumeOn: resumeOnOf(item.get('resumeOn')),
			timeoutMinutes: timeoutMinutesOf(item.get('timeoutMinutes')),
		};
		if (input.resumeOn === 'webhook') {
			if (item.itemCount > 1) {
				throw new ValidationError(
					'Resume On',
					`can't be Webhook for ${item.itemCount} items: an execution has one URL and waits for one payment`,
					"Put this node and the one that creates the payment into a 'Loop Over Items' node with a batch size of 1, or choose Polling.",
				);
			}
			if (!client.hasWebhookSecret) {
				const { message, description } = WEBHOOK_SECRET_MISSING;
				throw new ValidationError('Resume On', `can't be Webhook: ${message}`, description);
			}
		}
		return input;
	},

	run: async (input, work) =>
		input.resumeOn === 'polling'
			? [await poll(input, work, readerOf(input))]
			: [await waitForWebhook(input, work)],
};

function resumeOnOf(value: unknown): WaitInput['resumeOn'] {
	if (isLeftOut(value)) return 'polling';
	if (value === 'webhook' || value === 'polling') return value;
	throw new ValidationError('Resume On', `must be webhook or polling, but is ${preview(value)}`);
}

/** @throws ValidationError */
export function timeoutMinutesOf(value: unknown): number {
	if (isLeftOut(value)) return DEFAULT_TIMEOUT_MINUTES;
	if (typeof value === 'number' && value > 0 && value <= MAX_TIMEOUT_MINUTES) return value;
	throw new ValidationError(
		'Timeout (Minutes)',
		`must be a number above 0 and at most ${MAX_TIMEOUT_MINUTES} (a week), but is ${preview(value)}`,
	);
}

/** A payment as AcountPay last reported it. */
interface Known {
	payment: IDataObject;
	/** When that was, as ISO 8601; null when AcountPay has not reported it at all. */
	statusAt: string | null;
}

/**
 * The output of a wait: the payment, with its id, a final status under its documented name, why the wait has ended, and
 * when AcountPay reported the status.
 */
export function waitOutput(
	paymentId: string,
	{ payment, statusAt }: Known,
	waitEndedBy: 'status' | 'timeout',
): IDataObject {
	const status = finalStatusOf(payment.status);
	return { ...payment, paymentId, ...(status && { status }), waitEndedBy, statusAt };
}

/** Reads the payment. Server errors, network failures and rate limits do not end a wait. */
async function ask(read: Reader, client: Client, options: CallOptions): Promise<Known | ApiError> {
	return await read(client, options).then(
		(payment) => ({ payment, statusAt: new Date().toISOString() }),
		(error: unknown) => {
			const isTransient =
				error instanceof ApiError && (error.outcome === 'unavailable' || error.status === 429);
			if (isTransient) return error;
			throw error;
		},
	);
}

/**
 * What AcountPay says of a payment, or that it has not said it in time. Whatever holds the response up, a wait ends: the queue
 * of requests, an access token, AcountPay.
 * @param over aborted when no response is waited for any more
 */
async function unlessOver(
	over: AbortSignal,
	asking: Promise<Known | ApiError>,
	paymentId: string,
): Promise<Known | ApiError> {
	const ended = new AbortController();
	const late = () =>
		new ApiError(
			'unavailable',
			`AcountPay has not reported payment '${paymentId}' by the timeout`,
			'Reading changes nothing, so this item can be run again.',
		);
	const said = asking.catch((error: unknown) => {
		// A request that leaves the queue because the time is over is no cancellation.
		if (over.aborted && error instanceof Cancelled) return late();
		throw error;
	});
	const end = aborted(over, ended.signal).then(late);
	return await Promise.race([said, end]).finally(() => ended.abort());
}

/** Reads the payment every 2 to 15 seconds until it has ended, or the time is over. */
export async function poll(input: Awaited, work: ItemWork, read: Reader): Promise<ItemOutput> {
	const { client, endSignal } = work;
	const deadline = Date.now() + input.timeoutMinutes * 60_000;
	const over = AbortSignal.timeout(deadline + LAST_LOOK - Date.now());
	const options = { ...work.options, deadline, endSignal: AbortSignal.any([endSignal, over]) };
	let known: Known | undefined;
	/** AcountPay's last response that was not the payment, or else why there was none. */
	let failure: ApiError | undefined;
	for (
		let wait = FIRST_POLLING_DELAY;
		;
		wait = Math.min(MAX_POLLING_DELAY, wait * POLLING_DELAY_GROWTH)
	) {
		const timeout = Math.min(options.timeout, Math.max(1, deadline + LAST_LOOK - Date.now()));
		const asking = ask(read, client, { ...options, timeout });
		const response = await unlessOver(over, asking, input.paymentId);
		if (!(response instanceof ApiError)) known = response;
		else if (!failure || response.status !== undefined) failure = response;
		if (known && finalStatusOf(known.payment.status)) {
			return { json: waitOutput(input.paymentId, known, 'status') };
		}
		const left = deadline - Date.now();
		if (left <= 0) {
			if (!known) throw failure;
			return { json: waitOutput(input.paymentId, known, 'timeout') };
		}
		// The last delay ends at the deadline, so that what has come until then is seen.
		if (!(await delay(Math.min(wait, left), endSignal))) throw new Cancelled();
	}
}

/**
 * Puts the execution to wait unless the payment has ended. When nothing wakes it, no code of this node runs: n8n hands on
 * what stands in the item, so that must be the payment as it is known now, which has not ended.
 */
async function waitForWebhook(
	input: WaitInput,
	{ client, options, resumeUrl }: ItemWork,
): Promise<ItemOutput> {
	const waitUntil = new Date(Date.now() + input.timeoutMinutes * 60_000);
	const response = await ask(readerOf(input), client, {
		...options,
		timeout: Math.min(options.timeout, STATUS_CHECK_TIMEOUT),
		deadline: Date.now() + STATUS_CHECK_TIMEOUT,
	});
	const known = response instanceof ApiError ? { payment: {}, statusAt: null } : response;
	if (finalStatusOf(known.payment.status)) {
		return { json: waitOutput(input.paymentId, known, 'status') };
	}
	const { webhookUrl } = known.payment;
	if (typeof webhookUrl === 'string' && !isSameAddress(webhookUrl, resumeUrl())) {
		throw new ValidationError(
			'Resume On',
			"can't be Webhook: the payment has another Webhook URL than this execution's, so nothing would resume it",
			'In the node that creates the payment, switch Webhook URL to Expression and enter {{ $execution.resumeUrl }}. Or choose Polling.',
		);
	}
	return { json: waitOutput(input.paymentId, known, 'timeout'), waitUntil };
}

/** Whether two URLs lead to the same place, whatever follows the path. */
function isSameAddress(one: string, other: string): boolean {
	const [first, second] = [one, other].map((url) => {
		if (!URL.canParse(url)) return url;
		const { origin, pathname } = new URL(url);
		return `${origin}${pathname}`.replace(/\/$/, '');
	});
	return first === second;
}
