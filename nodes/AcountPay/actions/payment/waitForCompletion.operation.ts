import type { IDataObject } from 'n8n-workflow';
import { finalStatusOf } from '../../../shared/acountPayApi';
import type { Connection } from '../../../shared/connection';
import { pause } from '../../../shared/pauses';
import { ApiProblem, FieldProblem, Stopped } from '../../../shared/problems';
import { WEBHOOK_SECRET_MISSING } from '../../../shared/webhooks/receive';
import { type CallOptions, readPayment } from '../../calls';
import { shown } from '../../itemParameters';
import type { ItemOutput, ItemWork, Operation } from '../../operation';
import { merchantIdField, merchantIdOf, paymentIdField, paymentIdOf } from './fields';

interface WaitInput {
	merchantId: string;
	paymentId: string;
	resumeOn: 'webhook' | 'polling';
	timeoutMinutes: number;
}

/** A payment lives 30 minutes (documented); the rest is for what AcountPay tells late. */
const DEFAULT_TIMEOUT_MINUTES = 35;
const LONGEST_TIMEOUT_MINUTES = 7 * 24 * 60;

/** How long AcountPay is asked before an execution is parked, in ms: what AcountPay tells meanwhile finds nothing to wake. */
const PARKING_PATIENCE = 10_000;

const FIRST_POLLING_PAUSE = 2_000;
const LONGEST_POLLING_PAUSE = 15_000;
const POLLING_PAUSE_GROWTH = 1.5;

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
					name: 'Webhook',
					value: 'webhook',
					description:
						'AcountPay wakes the execution. For one payment, and an n8n that AcountPay can reach.',
				},
				{
					name: 'Polling',
					value: 'polling',
					description:
						'The node asks every 2 to 15 seconds. For any number of payments, and any n8n.',
				},
			],
			default: 'webhook',
			description: 'How the node learns what became of the payment',
			hint: 'For Webhook, the node that creates the payment needs {{ $execution.resumeUrl }} as its Webhook URL',
		},
		{
			displayName: 'Timeout (Minutes)',
			name: 'timeoutMinutes',
			type: 'number',
			typeOptions: { minValue: 0 },
			default: DEFAULT_TIMEOUT_MINUTES,
			description:
				'How long to wait at most. A payment expires after 30 minutes. After the timeout the workflow goes on with waitEndedBy = timeout.',
		},
	],
	sideBySide: true,

	check(item, connection) {
		const input: WaitInput = {
			merchantId: merchantIdOf(item),
			paymentId: paymentIdOf(item),
			resumeOn: resumeOnOf(item.get('resumeOn')),
			timeoutMinutes: timeoutMinutesOf(item.get('timeoutMinutes')),
		};
		if (input.resumeOn === 'webhook') {
			if (item.itemCount > 1) {
				throw new FieldProblem(
					'Resume On',
					`can't be Webhook for ${item.itemCount} items: an execution has one URL and waits for one payment`,
					"Put this node and the one that creates the payment into a 'Loop Over Items' node with a batch size of 1, or choose Polling.",
				);
			}
			if (!connection.hasWebhookSecret) {
				const { message, description } = WEBHOOK_SECRET_MISSING;
				throw new FieldProblem('Resume On', `can't be Webhook: ${message}`, description);
			}
		}
		return input;
	},

	run: async (input, work) =>
		input.resumeOn === 'polling' ? await poll(input, work) : await park(input, work),
};

function resumeOnOf(value: unknown): WaitInput['resumeOn'] {
	if (value === 'webhook' || value === 'polling') return value;
	throw new FieldProblem('Resume On', `must be webhook or polling, but is ${shown(value)}`);
}

function timeoutMinutesOf(value: unknown): number {
	if (typeof value === 'number' && value > 0 && value <= LONGEST_TIMEOUT_MINUTES) return value;
	throw new FieldProblem(
		'Timeout (Minutes)',
		`must be a number above 0 and at most ${LONGEST_TIMEOUT_MINUTES} (a week), but is ${shown(value)}`,
	);
}

/** A payment as AcountPay last told of it, and when that was. */
interface Known {
	payment: IDataObject;
	/** ISO 8601; null when AcountPay has not told of it at all. */
	statusAt: string | null;
}

/**
 * The output of a wait: the payment, with its id, a final status under the name that is documented, why the wait has
 * ended, and when AcountPay told the status.
 */
export function waitOutput(
	paymentId: string,
	{ payment, statusAt }: Known,
	waitEndedBy: 'status' | 'timeout',
): IDataObject {
	const status = finalStatusOf(payment.status);
	return { ...payment, paymentId, ...(status && { status }), waitEndedBy, statusAt };
}

/** Asks what AcountPay knows of the payment. An AcountPay that is out of order or busy does not end a wait. */
async function ask(
	connection: Connection,
	{ merchantId, paymentId }: WaitInput,
	options: CallOptions,
): Promise<Known | ApiProblem> {
	return await readPayment(connection, merchantId, paymentId, options).then(
		(payment) => ({ payment, statusAt: new Date().toISOString() }),
		(error: unknown) => {
			const passes =
				error instanceof ApiProblem && (error.outcome === 'unavailable' || error.status === 429);
			if (passes) return error;
			throw error;
		},
	);
}

async function poll(input: WaitInput, work: ItemWork): Promise<ItemOutput> {
	const { connection, inTurn, endSignal } = work;
	const deadline = Date.now() + input.timeoutMinutes * 60_000;
	const options = { ...work.options, deadline };
	let known: Known | undefined;
	for (
		let wait = FIRST_POLLING_PAUSE;
		;
		wait = Math.min(LONGEST_POLLING_PAUSE, wait * POLLING_PAUSE_GROWTH)
	) {
		const told = await inTurn(async () => await ask(connection, input, options));
		if (!(told instanceof ApiProblem)) known = told;
		if (known && finalStatusOf(known.payment.status)) {
			return { json: waitOutput(input.paymentId, known, 'status') };
		}
		const left = deadline - Date.now();
		if (left <= 0) {
			if (!known) throw told;
			return { json: waitOutput(input.paymentId, known, 'timeout') };
		}
		// The last pause ends at the deadline, so that what has come until then is seen.
		if (!(await pause(Math.min(wait, left), endSignal))) throw new Stopped();
	}
}

/**
 * Parks the execution unless the payment has ended. When nothing wakes it, no code of this node runs: n8n hands on what
 * stands in the item, so that must be the payment as it is known now, which has not ended.
 */
async function park(input: WaitInput, { connection, options }: ItemWork): Promise<ItemOutput> {
	const parkUntil = new Date(Date.now() + input.timeoutMinutes * 60_000);
	const told = await ask(connection, input, {
		...options,
		timeout: Math.min(options.timeout, PARKING_PATIENCE),
		deadline: Date.now() + PARKING_PATIENCE,
	});
	const known = told instanceof ApiProblem ? { payment: {}, statusAt: null } : told;
	if (finalStatusOf(known.payment.status)) {
		return { json: waitOutput(input.paymentId, known, 'status') };
	}
	return { json: waitOutput(input.paymentId, known, 'timeout'), parkUntil };
}
