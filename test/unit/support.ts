import type { IDataObject, IExecuteFunctions, INode } from 'n8n-workflow';
import { ItemParameters } from '../../nodes/AcountPay/operation/parameters';
import type { IdempotencyRecord } from '../../nodes/AcountPay/creation/idempotencyRecord';
import type { Label } from '../../nodes/AcountPay/creation/identityHashes';
import { IdempotencyStore } from '../../nodes/AcountPay/creation/idempotencyStore';
import { paymentIdOf } from '../../nodes/shared/api/payments';
import type { ApiRequest } from '../../nodes/shared/api/request';
import { ApiError, ValidationError } from '../../nodes/shared/errors';
import { AdaptiveLimiter, ServerDown } from '../../nodes/shared/transport/adaptiveLimiter';
import type { BuiltRequest } from '../../nodes/shared/transport/buildRequest';
import type { Client } from '../../nodes/shared/transport/client';
import { ServerClock } from '../../nodes/shared/transport/serverClock';
import type { ApiResponse, NetworkFailure } from '../../nodes/shared/http/response';
import type { CallOptions } from '../../nodes/shared/transport/sendWithRetries';

type Scripted = ApiResponse | NetworkFailure | Error;

/** Responses that a client gives, one for each request; the last one again and again. */
export type Script = Scripted[];

/** A value as the bytes of a body: as JSON unless it is text. */
export const buffer = (value: unknown): Buffer =>
	Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

/** A response with a body, as JSON unless it is text. */
export const response = (
	status: number,
	body: unknown = {},
	headers: Record<string, unknown> = {},
): ApiResponse => ({
	status,
	headers,
	body: buffer(body),
});

/** How a PNG begins. */
export const PNG = '\x89PNG\r\n\x1a\n';

/** A response whose body begins like an image. */
export const imageResponse = (beginning: string, mimeType?: string): ApiResponse => ({
	...response(200, '', mimeType === undefined ? {} : { 'content-type': mimeType }),
	body: Buffer.from(beginning, 'latin1'),
});

/** No response within the time limit. */
export const late: NetworkFailure = {
	status: undefined,
	sent: true,
	what: 'did not respond within 30 seconds',
};

/** No connection. */
export const unreachable: NetworkFailure = {
	status: undefined,
	sent: false,
	what: 'could not be reached',
};

/** What an item's options say by default. */
export const callOptions: CallOptions = { timeout: 30_000, resendUnknown: false };

/**
 * A client that plays a script instead of asking AcountPay. Only for what decides on answers; what n8n does with
 * tokens and requests is tested on n8n's engine.
 */
export function scripted(script: Script | ((request: ApiRequest) => Scripted)) {
	const sent: ApiRequest[] = [];
	const stop = new AbortController();
	const client = {
		baseUrl: 'https://acountpay.test',
		cancelSignal: stop.signal,
		// Of jest's clocks the one that goes on when the machine's is set back; n8n has been up for a while.
		limiter: new AdaptiveLimiter(1, { now: () => 60_000 + Number(process.hrtime.bigint()) / 1e6 }),
		clock: new ServerClock(),
		redact: (text: string) => text.replaceAll('s3cret', '[secret]'),
		buildRequest: (request: ApiRequest) => built(request),
		unauthorizedWords: (name: string) => ({
			message: `AcountPay did not accept the access token for ${name}`,
			advice: 'Check Client ID, Client Secret and Environment of the credential.',
		}),
		exchange: async (request: ApiRequest) => {
			const next =
				typeof script === 'function'
					? script(request)
					: script[Math.min(sent.length, script.length - 1)];
			sent.push(request);
			if (next instanceof Error) throw next;
			return next;
		},
	} as unknown as Client;
	return { client, sent, stop };
}

/**
 * The context of one execution as far as an idempotency store looks at it; `data` is what n8n stores, and `retryOf` when the
 * execution began that it is a retry of.
 */
export function execution(
	data: IDataObject = {},
	{
		runIndex = 0,
		id = '1',
		node = {},
		retryOf,
	}: { runIndex?: number; id?: string; node?: Partial<INode>; retryOf?: number } = {},
) {
	const context = {
		getContext: () => data,
		getWorkflowDataProxy: () => ({ $runIndex: runIndex }),
		getExecutionId: () => id,
		getMode: () => (retryOf === undefined ? 'webhook' : 'retry'),
		getExecutionContext: () => ({ establishedAt: retryOf }),
		getWorkflow: () => ({ id: 'w' }),
		getNode: () => ({
			name: 'AcountPay',
			type: 'n8n-nodes-acountpay.acountPay',
			parameters: {},
			...node,
		}),
	} as unknown as IExecuteFunctions;
	return { data, store: new IdempotencyStore(context, paymentIdOf) };
}

/** A request as it leaves, to a host. */
export const built = (
	{ method, path, headers = {}, body, merchantClientId = '' }: ApiRequest,
	baseUrl = 'https://acountpay.test',
): BuiltRequest => ({
	baseUrl,
	method,
	path,
	headers: { ...headers, merchantClientId },
	body,
});

/** The record of a request in a store of its own. */
export const recordFor = (request: ApiRequest, { store } = execution()): IdempotencyRecord =>
	store.record(0, { json: {} }, built(request), label('ORDER-1'));

/** What a person knows a payment by. */
export const label = (referenceNumber: string, terms = '10 DKK'): Label => ({
	referenceNumber,
	key: referenceNumber,
	terms,
});

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

/** Gives every test of a file a clock that {@link after} moves. */
export function useFakeTime(): void {
	beforeEach(() => {
		jest.useFakeTimers({ now: Date.UTC(2026, 0, 1), doNotFake: ['performance'] });
	});
	afterEach(() => {
		jest.useRealTimers();
		jest.restoreAllMocks();
	});
}

/** Runs to the end while time goes by, and tells how it ended and how long it took. */
export async function end<Result>(work: Promise<Result>) {
	const startedAt = Date.now();
	let ended: { value?: Result; error?: unknown } | undefined;
	work.then(
		(value) => (ended = { value }),
		(error: unknown) => (ended = { error }),
	);
	while (!ended) await after(100);
	return { ...ended, took: Date.now() - startedAt };
}

/** The error with which {@link end} says that something ended. */
export function errorOf({ error }: { error?: unknown }): ApiError {
	expect(error).toBeInstanceOf(ApiError);
	return error as ApiError;
}

/** The error that a promise is rejected with; undefined when it is not. */
export const errorFrom = async (promise: Promise<unknown>): Promise<ApiError | undefined> =>
	await promise.then(
		() => undefined,
		(error: ApiError) => error,
	);

/** The limiter takes no request for the server any more once so many were sent. */
export function giveUpAfter(requests: number, { limiter }: Client, sent: unknown[]): void {
	const run = limiter.run.bind(limiter);
	limiter.run = async (work, ...rest) => {
		if (sent.length === requests) throw new ServerDown();
		return await run(work, ...rest);
	};
}

/** What a check says of a value that it refuses. */
export function refusal(check: () => unknown): string {
	try {
		check();
	} catch (error) {
		expect(error).toBeInstanceOf(ValidationError);
		return (error as ValidationError).message;
	}
	return 'not refused';
}

/** What JavaScript has written, with the integers that it may have rounded as text. */
export const parsed = (text: string): unknown =>
	JSON.parse(text, (_key, value: unknown) => {
		const isRounded = typeof value === 'number' && !Number.isSafeInteger(value);
		return isRounded && /^-?\d+$/.test(String(value)) ? String(value) : value;
	});
