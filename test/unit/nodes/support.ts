import type { IDataObject, IExecuteFunctions, INode } from 'n8n-workflow';
import type { ApiRequest } from '../../../nodes/shared/acountPayApi';
import type { Answer, Connection, NoAnswer } from '../../../nodes/shared/connection';
import { ItemParameters } from '../../../nodes/AcountPay/itemParameters';
import type { LedgerPage } from '../../../nodes/AcountPay/ledger';
import { Ledger } from '../../../nodes/AcountPay/ledger';

/** Answers that a connection gives, one for each request; the last one again and again. */
export type Script = Array<Answer | NoAnswer | Error>;

/** An answer with a body, as JSON unless it is text. */
export const answer = (
	status: number,
	body: unknown = {},
	headers: Record<string, unknown> = {},
): Answer => ({
	status,
	headers,
	body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

/**
 * A connection that plays a script instead of asking AcountPay. Only for what decides on answers; what n8n does with
 * tokens and requests is tested on n8n's engine.
 */
export function scripted(script: Script) {
	const sent: ApiRequest[] = [];
	const stop = new AbortController();
	const connection = {
		baseUrl: 'https://acountpay.test',
		cancelSignal: stop.signal,
		redact: (text: string) => text.replaceAll('s3cret', '[secret]'),
		send: async (request: ApiRequest) => {
			const next = script[Math.min(sent.length, script.length - 1)];
			sent.push(request);
			if (next instanceof Error) throw next;
			return next;
		},
	} as unknown as Connection;
	return { connection, sent, stop };
}

/** The context of one execution as far as a ledger looks at it; `data` is what n8n stores. */
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
		getNode: () => ({ parameters: {}, ...node }),
	} as unknown as IExecuteFunctions;
	return { data, ledger: new Ledger(context) };
}

/** The page of a request in a ledger of its own. */
export const pageFor = (request: ApiRequest, { ledger } = execution()): LedgerPage =>
	ledger.page(0, { json: {} }, 'https://acountpay.test', request, 'ORDER-1');

/** Parameters of one item, as n8n would hand them over. */
export const parameters = (values: IDataObject, itemCount = 1): ItemParameters =>
	new ItemParameters(
		{
			getNodeParameter: (name: string, _item: number, fallback: unknown) =>
				name in values ? values[name] : fallback,
		} as unknown as IExecuteFunctions,
		0,
		itemCount,
	);

/** Lets promises go on while jest's clock stands still or is moved. */
export async function after(ms: number): Promise<void> {
	await jest.advanceTimersByTimeAsync(ms);
}
