import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import type { FastifyInstance } from 'fastify';

import type { Endpoint } from './faults';
import type { Api } from './payments';
import { apiOf } from './requests';

/** A request to the API as it came in. Pages and the control API are not recorded. */
export interface RecordedRequest {
	/** Absent for a path that the API doesn't have. */
	endpoint?: Endpoint;
	/** The API that it speaks: 'keys' when it has a header of theirs. */
	api: Api;
	method: string;
	/** With its query. */
	path: string;
	headers: IncomingHttpHeaders;
	/** The body's text as it came. */
	rawBody: string;
	/** The body as parsed; undefined when there was none, or none that could be parsed. */
	body: unknown;
	/** The status answered; absent before that, and when no whole answer was given. */
	status?: number;
	/** When it came, in real milliseconds since 1970. */
	startedAt: number;
	/** When its answer was through or broken off; absent before that. */
	endedAt?: number;
}

declare module 'fastify' {
	interface FastifyContextConfig {
		/** Marks a route of the API. */
		endpoint?: Endpoint;
	}
	interface FastifyRequest {
		/** Present for the API's requests. */
		recorded?: RecordedRequest;
	}
}

const NOT_THE_API = /^\/(?:$|\?|(?:pay|p|onboarding|_sandbox)(?:\/|$))/;

const isCounted = ({ endpoint }: RecordedRequest) => endpoint !== undefined && endpoint !== 'token';

/** Records the requests that come in, how they ended, and how many were under way at once. */
export class Traffic {
	/** In the order in which they came. */
	readonly requests: RecordedRequest[] = [];
	/** How many requests of each endpoint came to which end, as `'create 201'` or `'get none'`. */
	readonly counts: Record<string, number> = {};
	/** The most requests, those for tokens not counted, that were under way at once. */
	maxInFlight = 0;
	private inFlight = 0;

	/** @param record whether requests are kept; counts are kept in any case */
	constructor(private readonly record: boolean) {}

	/** Watches all routes that `app` is given from now on. */
	watch(app: FastifyInstance): void {
		app.addHook('onRequest', async (request, reply) => {
			if (NOT_THE_API.test(request.url)) return;
			const { endpoint } = request.routeOptions.config;
			const recorded: RecordedRequest = {
				endpoint,
				api: apiOf(request),
				method: request.method,
				path: request.url,
				headers: request.headers,
				rawBody: '',
				body: undefined,
				startedAt: Date.now(),
			};
			request.recorded = recorded;
			if (this.record) this.requests.push(recorded);
			if (isCounted(recorded)) {
				this.maxInFlight = Math.max(this.maxInFlight, ++this.inFlight);
			}
			reply.raw.once('close', () => {
				recorded.endedAt = Date.now();
				if (recorded.status === undefined) this.count(recorded);
			});
		});
		app.addHook('preParsing', async (request, _reply, payload) => {
			if (!this.record || !request.recorded) return payload;
			const bytes = await buffer(payload);
			request.recorded.rawBody = bytes.toString('utf8');
			return Readable.from([bytes]);
		});
		app.addHook('preHandler', async ({ recorded, body }) => {
			if (recorded) recorded.body = body;
		});
		app.addHook('onSend', async ({ recorded }, reply) => {
			if (!recorded || recorded.endedAt !== undefined) return;
			recorded.status = reply.statusCode;
			this.count(recorded);
		});
	}

	/** Forgets requests and counts. */
	clear(): void {
		this.requests.length = 0;
		for (const key of Object.keys(this.counts)) delete this.counts[key];
		this.maxInFlight = this.inFlight;
	}

	/** Called once for each request: when its answer is about to be sent, or when it got none. */
	private count(recorded: RecordedRequest): void {
		const key = `${recorded.endpoint ?? 'unknown'} ${recorded.status ?? 'none'}`;
		this.counts[key] = (this.counts[key] ?? 0) + 1;
		if (isCounted(recorded)) this.inFlight--;
	}
}
