import type { IDataObject, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';
import { finalStatusOfEvent } from '../shared/api/events';
import { answer, receiveEvent } from '../shared/webhook';
import { waitOutput } from './actions/payment/waitForCompletion.operation';

/** For how long a second delivery does not wake an execution again, in ms: n8n would run it twice. */
const WAKING = 10_000;

/** When executions were woken here, in ms since 1970. */
const woken = new Map<string, number>();

/**
 * What happens when the URL of an execution that is parked in 'Wait for Completion' is called. Only a signed final event of
 * the payment that is waited for wakes it; everything else leaves it parked. The event counts as it is: AcountPay has
 * signed it, and reading the payment may lag behind or fail.
 */
export async function resume(context: IWebhookFunctions): Promise<IWebhookResponseData> {
	const event = await receiveEvent(context);
	if (!event) return { noWebhookResponse: true };

	// The item as it was parked. The node's own fields would be evaluated on it anew, and may find nothing there.
	const parked = context.evaluateExpression('{{ $json }}', 0) as unknown as IDataObject;
	const paymentId = String(parked.paymentId);
	const status = finalStatusOfEvent(event);
	const wakes =
		status !== undefined &&
		String(event.data.paymentId) === paymentId &&
		isFirst(`${context.getExecutionId()} ${paymentId}`, Date.now());
	if (!wakes) return answer(context, 200, 'ignored');

	const known = {
		payment: { ...parked, ...event.data, status },
		statusAt: typeof event.timestamp === 'string' ? event.timestamp : new Date().toISOString(),
	};
	const json = waitOutput(paymentId, known, 'status');
	return {
		...answer(context, 200, 'accepted'),
		workflowData: [[{ json, pairedItem: { item: 0 } }]],
	};
}

function isFirst(wait: string, now: number): boolean {
	for (const [key, at] of woken) if (now - at >= WAKING) woken.delete(key);
	if (woken.has(wait)) return false;
	woken.set(wait, now);
	return true;
}
