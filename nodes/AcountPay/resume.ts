import type { IDataObject, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { endNamedBy, subjectOf, type WebhookEvent } from '../shared/api/events';
import { finalStatusOf } from '../shared/api/statuses';
import { delay } from '../shared/http/delays';
import { log } from '../shared/requestContext';
import { Client } from '../shared/transport/client';
import { doubtAboutStatus } from '../shared/webhooks/doubts';
import {
	answer,
	logDoubt,
	logUnknownOnce,
	oAuth2Secrets,
	receiveEvent,
} from '../shared/webhooks/receive';
import { SCHEMES } from '../shared/webhooks/schemes';
import { contradictionIn, fixedFieldsOf } from './actions/payment/lookUp/samePayment';
import { readPayment } from './actions/payment/readPayment';
import { checkedMerchantClientId } from './actions/payment/sharedFields';
import { waitOutput } from './actions/payment/awaitedPayment';

/** For how long a second delivery does not wake an execution again, in ms: n8n would run it twice. */
const WAKING = 20_000;

/**
 * For how long AcountPay is asked about an event that contradicts the payment, in ms; less than {@link WAKING}. Not long: if
 * the timeout ends the wait meanwhile, n8n could run the execution a second time, from where it was when the event came.
 */
const ASKING = 15_000;
/** The pause before it is asked again, in ms; it doubles. The status that AcountPay reports may lag behind the event. */
const FIRST_PAUSE = 1_000;
/** How long the response to one request may take, in ms. */
const ASKING_TIMEOUT = 5_000;
/** The least time between two such series of questions of one wait, in ms. */
const ASK_EVERY = 30_000;

/**
 * What happens when the URL of an execution that waits in 'Wait for Completion' is called. Only a signed final event of the
 * payment that is waited for ends the wait. It counts as it is: AcountPay has signed it, and reading the payment may lag
 * behind or fail. An event that contradicts what is known of the payment, or itself, counts for nothing: then AcountPay is
 * asked, and a final status in its response ends the wait.
 */
export async function resume(context: IWebhookFunctions): Promise<IWebhookResponseData> {
	const received = await receiveEvent(context, SCHEMES.oAuth2, oAuth2Secrets);
	if (!received) return { noWebhookResponse: true };
	const { event } = received;

	// The item as it waits. The node's own fields would be evaluated on it again, and may find nothing there.
	const waiting = context.evaluateExpression('{{ $json }}', 0) as unknown as IDataObject;
	const paymentId = String(waiting.paymentId);
	const wait = `${context.getExecutionId()} ${paymentId}`;
	const status = endNamedBy(event);
	const { kind, id } = subjectOf(event) ?? {};
	const isTheEnd = status !== undefined && kind === 'payment' && id === paymentId;
	if (!isTheEnd) {
		logUnknownOnce(context, event.event, SCHEMES.oAuth2.events);
		return answer(context, 200, 'ignored');
	}

	const doubt = doubtAbout(context, event, waiting);
	if (doubt !== undefined) {
		logDoubt(context, event, `${doubt}. The payment is read from AcountPay instead`);
		answer(context, 200, 'ignored');
		const payment = isFirst(asked, wait, ASK_EVERY) && (await endOf(context, waiting, wait));
		if (!payment) return { noWebhookResponse: true };
		return wake(wait, paymentId, payment, new Date().toISOString());
	}

	const at = typeof event.timestamp === 'string' ? event.timestamp : new Date().toISOString();
	const result = wake(wait, paymentId, { ...waiting, ...event.data, status }, at);
	answer(context, 200, result.workflowData ? 'accepted' : 'ignored');
	return result;
}

/** Ends the wait with a payment that has ended, unless that was done just now. */
function wake(
	wait: string,
	paymentId: string,
	payment: IDataObject,
	statusAt: string,
): IWebhookResponseData {
	if (!isFirst(woken, wait, WAKING)) return { noWebhookResponse: true };
	const json = waitOutput(paymentId, { payment, statusAt }, 'status');
	return { noWebhookResponse: true, workflowData: [[{ json, pairedItem: { item: 0 } }]] };
}

/** Why an event is not believed; undefined when it is. */
function doubtAbout(
	context: IWebhookFunctions,
	event: WebhookEvent,
	waiting: IDataObject,
): string | undefined {
	const doubt = doubtAboutStatus(event);
	if (doubt !== undefined) return doubt;
	const known = fixedFieldsOf(waiting);
	const merchantId = merchantOf(context);
	// Where the payment names no merchant, the field does. An event may have the merchant's client ID or its number.
	known.merchantId ??= merchantId;
	known.merchantNumber ??= merchantId;
	return contradictionIn(known, event.data) === undefined
		? undefined
		: 'its merchant, reference, amount or currency is not that of the payment that is waited for';
}

/**
 * The merchant in the node's field, evaluated on the item as it waits.
 * @returns undefined when the field's expression needs what the item had only before the wait
 */
function merchantOf(context: IWebhookFunctions): string | undefined {
	try {
		return checkedMerchantClientId(context.getNodeParameter('merchantId'));
	} catch {
		return undefined;
	}
}

/**
 * Asks AcountPay until the payment has ended, for {@link ASKING} at most, or until another event has ended the wait.
 * @returns undefined when it has not ended, or can't be read
 */
async function endOf(
	context: IWebhookFunctions,
	waiting: IDataObject,
	wait: string,
): Promise<IDataObject | undefined> {
	const deadline = Date.now() + ASKING - ASKING_TIMEOUT;
	for (let pause = FIRST_PAUSE; ; pause *= 2) {
		const payment = await ask(context, waiting, deadline);
		if (!payment || finalStatusOf(payment.status)) return payment;
		if (Date.now() + pause > deadline) return undefined;
		await delay(pause);
		if (woken.has(wait)) return undefined;
	}
}

/** Reads the payment. A failure is logged: the wait goes on, and may end by another event. */
async function ask(
	context: IWebhookFunctions,
	waiting: IDataObject,
	deadline: number,
): Promise<IDataObject | undefined> {
	try {
		const merchantClientId = merchantOf(context);
		if (merchantClientId === undefined) {
			throw new Error("its Merchant ID can't be evaluated while it waits");
		}
		const client = await Client.open(context);
		const options = { timeout: ASKING_TIMEOUT, deadline };
		const paymentId = String(waiting.paymentId);
		const payment = await readPayment(client, { paymentId, merchantClientId }, options);
		const contradiction = contradictionIn(fixedFieldsOf(waiting), payment);
		if (contradiction)
			throw new Error('AcountPay responded about another one than before the wait');
		return payment;
	} catch (error) {
		log(context, `could not read the payment: ${(error as Error).message}`);
		return undefined;
	}
}

/** When executions were woken here, and when AcountPay was asked for them, in ms since 1970. */
const woken = new Map<string, number>();
const asked = new Map<string, number>();

/** Whether something is done for a wait for the first time within `period` ms. */
function isFirst(times: Map<string, number>, wait: string, period: number): boolean {
	const now = Date.now();
	for (const [key, at] of times) if (now - at >= period) times.delete(key);
	if (times.has(wait)) return false;
	times.set(wait, now);
	return true;
}
