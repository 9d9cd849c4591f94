import type { IDataObject, IExecuteFunctions, INode } from 'n8n-workflow';
import { ItemParameters } from '../../../nodes/AcountPay/actions/parameters';
import {
	type IdempotencyRecord,
	IdempotencyStore,
} from '../../../nodes/AcountPay/execution/idempotencyStore';
import { paymentIdOf } from '../../../nodes/shared/api/payments';
import type { ApiRequest } from '../../../nodes/shared/api/request';
import type { Client, PlacedRequest } from '../../../nodes/shared/transport/client';
import { AdaptiveLimiter } from '../../../nodes/shared/transport/adaptiveLimiter';
import type { ApiResponse, NetworkFailure } from '../../../nodes/shared/transport/response';

/** Responses that a client gives, one for each request; the last one again and again. */
export type Script = Array<ApiResponse | NetworkFailure | Error>;

/** A response with a body, as JSON unless it is text. */
export const response = (
	status: number,
	body: unknown = {},
	headers: Record<string, unknown> = {},
): ApiResponse => ({
	status,
	headers,
	body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

/**
 * A client that plays a script instead of asking AcountPay. Only for what decides on answers; what n8n does with
 * tokens and requests is tested on n8n's engine.
 */
export function scripted(script: Script) {
	const sent: ApiRequest[] = [];
	const stop = new AbortController();
	const client = {
		baseUrl: 'https://acountpay.test',
		cancelSignal: stop.signal,
		limiter: new AdaptiveLimiter(1),
		redact: (text: string) => text.replaceAll('s3cret', '[secret]'),
		place: (request: ApiRequest) => placed(request),
		rejectedWords: (name: string) => ({
			message: `AcountPay did not accept the access token for ${name}`,
			advice: 'Check Client ID, Client Secret and Environment of the credential.',
		}),
		send: async (request: ApiRequest) => {
			const next = script[Math.min(sent.length, script.length - 1)];
			sent.push(request);
			if (next instanceof Error) throw next;
			return next;
		},
	} as unknown as Client;
	return { client, sent, stop };
}

/** The context of one execution as far as an idempotency store looks at it; `data` is what n8n stores. */
export function execution(
	data: IDataObject = {},
	{
		runIndex = 0,
		id = '1',
		node = {},
	}: { runIndex?: number; id?: string; node?: Partial<INode> } = {},
) {
	const context = {
		getContext: () => data,
		getWorkflowDataProxy: () => ({ $runIndex: runIndex }),
		getExecutionId: () => id,
		getNode: () => ({ type: 'n8n-nodes-acountpay.acountPay', parameters: {}, ...node }),
	} as unknown as IExecuteFunctions;
	return { data, store: new IdempotencyStore(context, paymentIdOf) };
}

/** A request as it leaves, to a host. */
export const placed = (
	{ method, path, headers = {}, body, merchantId = '' }: ApiRequest,
	baseUrl = 'https://acountpay.test',
): PlacedRequest => ({
	baseUrl,
	method,
	path,
	headers: { ...headers, merchantId },
	body,
});

/** The record of a request in a store of its own. */
export const recordFor = (request: ApiRequest, { store } = execution()): IdempotencyRecord =>
	store.record(0, { json: {} }, placed(request), 'ORDER-1');

/** Parameters of one item, as n8n would hand them over. */
export const parameters = (values: IDataObject, itemCount = 1): ItemParameters =>
	new ItemParameters(
		{
			getNodeParameter: (name: string, _item: number, fallback: unknown) =>
				name in values ? values[name] : fallback,
			getNode: () => ({ parameters: values }),
		} as unknown as IExecuteFunctions,
		0,
		itemCount,
	);

/** Lets promises go on while jest's clock stands still or is moved. */
export async function after(ms: number): Promise<void> {
	await jest.advanceTimersByTimeAsync(ms);
}
