import { setTimeout as sleep } from 'node:timers/promises';

import type { FastifyReply, FastifyRequest } from 'fastify';

import { apiError, Refusal, render, type Answer } from './answer';
import type { Clock } from './clock';
import type { Endpoint, Fault, Faults, FaultSubject } from './faults';
import type { Api } from './payments';
import { complaints, type BodySchema } from './validation';

/** How every endpoint of both APIs may be slowed down; may be changed while the sandbox runs. */
export interface LoadSettings {
	/** How long each request of the API takes before it is handled, in real milliseconds. */
	latencyMs: number;
	/** How many requests are handled within one real second, those for tokens not counted; more get
	 * 429 with `Retry-After: 1`. 0 for no limit. */
	ratePerSecond: number;
}

/** What answers a request. @throws Refusal */
export type Handler = (request: FastifyRequest, fault?: Fault) => Answer | Promise<Answer>;

/** What a fault may be matched against beyond endpoint, method and path. */
export type Subject = (
	request: FastifyRequest,
) => Pick<FaultSubject, 'merchant' | 'reference'> | undefined;

/** A route's endpoint, which of the APIs it belongs to, and what it does. */
export interface Operation {
	endpoint: Endpoint;
	handle: Handler;
	/** What its faults are matched against. */
	subject?: Subject;
	/** What a refusal with this status says when a fault gives only the status. */
	errorOf?: (status: number) => Answer;
}

const noLonger = (ms: number) => sleep(ms, undefined, { ref: false });

/** The API that a request speaks. */
export const apiOf = ({ headers }: Pick<FastifyRequest, 'headers'>): Api =>
	headers['x-partner-client-id'] === undefined && headers['x-partner-client-secret'] === undefined
		? 'tokens'
		: 'keys';

/**
 * What is wrong with a request's body.
 * @returns one sentence for each wrong field
 * @throws Refusal with 400 when it is no JSON object
 */
export function bodyComplaints(request: FastifyRequest, schema: BodySchema): string[] {
	const { body } = request;
	if (typeof body !== 'object' || body === null || Array.isArray(body)) {
		throw new Refusal(apiError(400, 'The body must be a JSON object'));
	}
	return complaintsOf(request, body, schema);
}

/** What is wrong with a part of a request, such as its query: one sentence for each wrong field. */
export function complaintsOf(request: FastifyRequest, part: object, schema: BodySchema): string[] {
	const validate = request.getValidationFunction(schema) ?? request.compileValidationSchema(schema);
	return validate(part) ? [] : complaints(validate.errors ?? [], schema);
}

async function answerOf(handle: Handler, request: FastifyRequest, fault?: Fault): Promise<Answer> {
	try {
		return await handle(request, fault);
	} catch (error) {
		if (error instanceof Refusal) return error.answer;
		throw error;
	}
}

/** Sends an answer as it is. A header without a value is left out, `Date` included. */
export function send(reply: FastifyReply, answer: Answer): FastifyReply {
	const { headers, bytes } = render(answer);
	if (headers.date === '') reply.raw.sendDate = false;
	for (const [name, value] of Object.entries(headers)) if (value === '') delete headers[name];
	return reply
		.code(answer.status)
		.headers(headers)
		.send(bytes.length > 0 ? bytes : undefined);
}

/** The answer that a fault gives in place of the real one, or the real one as the fault changes it. */
function faultyAnswer(fault: Fault, errorOf: (status: number) => Answer, real?: Answer): Answer {
	const { redirectTo } = fault;
	const status = fault.status ?? (redirectTo === undefined ? (real?.status ?? 200) : 307);
	const headers = { ...(redirectTo !== undefined && { location: redirectTo }), ...fault.headers };
	if (fault.body !== undefined) return { status, headers, body: fault.body };
	if (redirectTo !== undefined) return { status, headers, body: '' };
	if (fault.status !== undefined && status >= 400) return { ...errorOf(status), headers };
	return { status, headers: { ...real?.headers, ...headers }, body: real?.body ?? '' };
}

/** Answers the requests of both APIs: first their latency and limit, then the faults that are ordered. */
export class Server {
	/** When the latest requests were let through, in real milliseconds; as many as the limit. */
	private readonly passed: number[] = [];

	/** @param revokeTokens ends all tokens */
	constructor(
		private readonly faults: Faults,
		private readonly settings: LoadSettings,
		private readonly clock: Clock,
		private readonly revokeTokens: () => void,
	) {}

	/** The value of a `Date` header now: the sandbox's clock. */
	date(): string {
		const second = Math.floor(this.clock.now() / 1000);
		if (second !== this.lastSecond) {
			this.lastSecond = second;
			this.lastDate = new Date(second * 1000).toUTCString();
		}
		return this.lastDate;
	}
	private lastSecond = NaN;
	private lastDate = '';

	/**
	 * Answers one request.
	 * @param isListening whether the sandbox is still there when the request's latency is over
	 */
	async answer(
		{ endpoint, handle, subject, errorOf = (status) => apiError(status) }: Operation,
		request: FastifyRequest,
		reply: FastifyReply,
	): Promise<FastifyReply> {
		const { latencyMs } = this.settings;
		if (latencyMs > 0) await noLonger(latencyMs);
		if (!request.server.server.listening) return reply.hijack();
		if (endpoint !== 'token' && this.isOverLimit()) {
			return send(reply, { ...apiError(429), headers: { 'retry-after': '1' } });
		}
		const fault = this.faults.isEmpty
			? undefined
			: this.faults.take({
					endpoint,
					api: endpoint === 'token' ? 'tokens' : apiOf(request),
					method: request.method,
					path: request.url.split('?')[0],
					...subject?.(request),
				});
		if (!fault) return send(reply, await answerOf(handle, request));

		if (fault.revokeToken) this.revokeTokens();
		const replaced = [fault.status, fault.body, fault.redirectTo].some((it) => it !== undefined);
		const unhandled = replaced || fault.hang === true || fault.reset === 'before';
		const real = (fault.made ?? !unhandled) ? await answerOf(handle, request, fault) : undefined;
		if (fault.latencyMs) await noLonger(fault.latencyMs);
		const { socket } = request.raw;
		if (fault.hang) return reply.hijack();
		if (fault.reset) {
			reply.hijack();
			socket.resetAndDestroy();
			return reply;
		}
		const answer = faultyAnswer(fault, errorOf, real);
		if (!fault.cutOff) return send(reply, answer);
		const { headers, bytes } = render(answer);
		reply.hijack();
		reply.raw.writeHead(answer.status, { date: this.date(), ...headers });
		reply.raw.write(bytes.subarray(0, bytes.length / 2), () => socket.destroy());
		return reply;
	}

	private isOverLimit(): boolean {
		const { ratePerSecond } = this.settings;
		if (ratePerSecond <= 0) return false;
		const now = Date.now();
		while (this.passed.length >= ratePerSecond) {
			if (this.passed[0] > now - 1_000) return true;
			this.passed.shift();
		}
		this.passed.push(now);
		return false;
	}
}
