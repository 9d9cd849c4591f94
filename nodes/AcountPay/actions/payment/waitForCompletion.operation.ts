import type { INodeProperties } from 'n8n-workflow';
import type { PaymentKey } from '../../../shared/api/payments';
import { finalStatusOf } from '../../../shared/api/statuses';
import { delay } from '../../../shared/http/delays';
import { ApiError, Cancelled, ValidationError } from '../../../shared/errors';
import { WEBHOOK_SECRET_MISSING } from '../../../shared/webhooks/receive';
import type { ItemOutput, ItemWork, Operation } from '../../operation/operation';
import { isLeftOut, oneOf, preview } from '../../operation/parameters';
import { AwaitedPayment, inTime, mayBeTemporary, type Report, waitOutput } from './awaitedPayment';
import { idAsWritten, OtherPaymentError } from './readPayment';
import {
	merchantPaymentFrom,
	paymentFieldsForTokens,
	paymentIdFrom,
	paymentNumberField,
} from './sharedFields';

/** A payment that is waited for. */
interface Awaited extends PaymentKey {
	timeoutMinutes: number;
}

const RESUME_ON = ['webhook', 'polling'] as const;

interface WaitInput extends Awaited {
	merchantClientId: string;
	resumeOn: (typeof RESUME_ON)[number];
}

/** A payment lives 30 minutes (documented); the rest is for late events. */
const DEFAULT_TIMEOUT_MINUTES = 35;
const MAX_TIMEOUT_MINUTES = 7 * 24 * 60;

/** Time limit (ms) for the status check before the execution waits. Keep it short: webhooks that arrive during it are lost. */
const STATUS_CHECK_TIMEOUT = 10_000;

/** How long after its timeout a wait still takes a response, in ms: the last look takes place right at the timeout. */
const LAST_LOOK = 10_000;
/** Within this much waits of one node end that began together, in ms. */
const QUEUE_MARGIN = 250;

const FIRST_POLLING_DELAY = 2_000;
const MAX_POLLING_DELAY = 15_000;
const POLLING_DELAY_GROWTH = 1.5;

/** The longest time that a payment is waited for. */
const timeoutField: INodeProperties = {
	displayName: 'Timeout (Minutes)',
	name: 'timeoutMinutes',
	type: 'number',
	typeOptions: { minValue: 0 },
	default: DEFAULT_TIMEOUT_MINUTES,
	description:
		'The longest time to wait. A payment expires after 30 minutes. After the timeout the workflow continues with waitEndedBy = timeout.',
};

/** Waits until the customer has paid or declined, or the payment has expired, with access tokens. */
export const waitForCompletion: Operation<WaitInput> = {
	option: {
		name: 'Wait for Completion',
		value: 'waitForCompletion',
		action: 'Wait for completion of payment',
		description: 'Continue when the customer has paid or declined, or the payment has expired',
		// A language model would sit and wait.
		displayOptions: { hide: { '@tool': [true] } },
	},
	fields: [
		...paymentFieldsForTokens,
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
						'A webhook from AcountPay resumes the execution. For one payment per execution, and an n8n that AcountPay can reach.',
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
		timeoutField,
	],
	mostlyWaits: true,

	check(item, client) {
		const resumeOn = item.get('resumeOn');
		const input: WaitInput = {
			...merchantPaymentFrom(item),
			resumeOn: isLeftOut(resumeOn) ? 'polling' : oneOf('Resume On', resumeOn, RESUME_ON),
			timeoutMinutes: timeoutMinutesOf(item.get('timeoutMinutes')),
		};
		if (input.resumeOn === 'polling') return input;
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
		return input;
	},

	run: async (input, work) =>
		input.resumeOn === 'polling' ? [await poll(input, work)] : [await waitForWebhook(input, work)],
};

/** @throws ValidationError */
function timeoutMinutesOf(value: unknown): number {
	if (isLeftOut(value)) return DEFAULT_TIMEOUT_MINUTES;
	if (typeof value === 'number' && value > 0 && value <= MAX_TIMEOUT_MINUTES) return value;
	throw new ValidationError(
		timeoutField.displayName,
		`must be a number above 0 and at most ${MAX_TIMEOUT_MINUTES} (a week), but is ${preview(value)}`,
	);
}

/** Whether an error is about a response of AcountPay, rather than about none. */
const saysMore = (error: ApiError) =>
	error.status !== undefined || error instanceof OtherPaymentError;

/** Reads the payment every 2 to 15 seconds until it has ended, or the time is over. */
async function poll(input: Awaited, work: ItemWork): Promise<ItemOutput> {
	const { endSignal } = work.options;
	const payment = new AwaitedPayment(work.client, input);
	// Rounded, since Node's timers take whole milliseconds only.
	const deadline = Date.now() + Math.round(input.timeoutMinutes * 60_000);
	const over = AbortSignal.timeout(deadline + LAST_LOOK - Date.now());
	const options = { ...work.options, deadline, endSignal: AbortSignal.any([endSignal, over]) };
	let report: Report | undefined;
	/** AcountPay's last response that was not the payment, or else why there was none. */
	let failure: ApiError | undefined;
	for (let wait = FIRST_POLLING_DELAY; ; wait *= POLLING_DELAY_GROWTH) {
		// A little longer than the wait: a request that makes room in the queue by its end lets no other wait's last look leave.
		const timeLeft = deadline + LAST_LOOK + QUEUE_MARGIN - Date.now();
		const timeout = Math.min(options.timeout, Math.max(1, timeLeft));
		const response = await inTime(over, payment.ask({ ...options, timeout }), input.paymentId);
		if (!(response instanceof ApiError)) report = response;
		else if (!failure || saysMore(response)) failure = response;
		if (report && finalStatusOf(report.payment.status)) {
			return { json: waitOutput(idAsWritten(input), report, 'status') };
		}
		const left = deadline - Date.now();
		if (left <= 0 || over.aborted) {
			if (!report || response instanceof OtherPaymentError) throw failure;
			return { json: waitOutput(idAsWritten(input), report, 'timeout') };
		}
		// The last delay ends at the deadline, so that a payment made by then is seen.
		await delay(Math.min(wait, MAX_POLLING_DELAY, left), options.endSignal);
		if (endSignal.aborted) throw new Cancelled();
	}
}

/**
 * Puts the execution to wait unless the payment has ended. When nothing wakes it, no code of this node runs: n8n outputs
 * what stands in the item, so that must be the payment as it is known now, which has not ended.
 */
async function waitForWebhook(input: WaitInput, work: ItemWork): Promise<ItemOutput> {
	const { options, resumeUrl } = work;
	const { endSignal } = options;
	const waitUntil = new Date(Date.now() + input.timeoutMinutes * 60_000);
	const payment = new AwaitedPayment(work.client, input);
	const check = async () => {
		const over = AbortSignal.timeout(STATUS_CHECK_TIMEOUT);
		const asking = payment.ask({
			...options,
			timeout: Math.min(options.timeout, STATUS_CHECK_TIMEOUT),
			deadline: Date.now() + STATUS_CHECK_TIMEOUT,
			endSignal: AbortSignal.any([endSignal, over]),
		});
		return await inTime(over, asking, input.paymentId);
	};
	let response = await check();
	// A change meanwhile is not lost: the next status check sees it.
	while (mayBeTemporary(response) && Date.now() < waitUntil.getTime()) {
		if (!(await delay(FIRST_POLLING_DELAY, endSignal))) throw new Cancelled();
		response = await check();
	}
	if (mayBeTemporary(response) || response instanceof OtherPaymentError) throw response;
	const report = response instanceof ApiError ? { payment: {}, statusAt: null } : response;
	if (finalStatusOf(report.payment.status)) {
		return { json: waitOutput(input.paymentId, report, 'status') };
	}
	const { webhookUrl } = report.payment;
	if (typeof webhookUrl === 'string' && !isSameAddress(webhookUrl, resumeUrl())) {
		throw new ValidationError(
			'Resume On',
			"can't be Webhook: the payment has another Webhook URL than this execution's, so nothing would resume it",
			'In the node that creates the payment, switch Webhook URL to Expression and enter {{ $execution.resumeUrl }}. Or choose Polling.',
		);
	}
	return { json: waitOutput(input.paymentId, report, 'timeout'), waitUntil };
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

/** The same with keys: by polling, since a payment has no webhook of its own. */
export const waitWithKeys: Operation<Awaited> = {
	option: waitForCompletion.option,
	fields: [paymentNumberField, timeoutField],
	mostlyWaits: true,

	check: (item) => ({
		paymentId: paymentIdFrom(item),
		timeoutMinutes: timeoutMinutesOf(item.get('timeoutMinutes')),
	}),

	run: async (input, work) => [await poll(input, work)],
};
