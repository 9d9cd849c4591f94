/* eslint-disable @n8n/community-nodes/no-restricted-imports, @n8n/community-nodes/require-node-api-error -- runs outside n8n */
import { setTimeout as sleep } from 'node:timers/promises';

import formbody from '@fastify/formbody';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import QRCode from 'qrcode';

import { apiError, Refusal, render, tokenError, type Answer } from './answer';
import type { Endpoint, Fault, Faults } from './faults';
import type { OAuth } from './oauth';
import { paymentUrl, presentPayment, type Payment, type Payments } from './payments';

/** What the API's routes work with. */
export interface ApiParts {
	oauth: OAuth;
	payments: Payments;
	faults: Faults;
	/** `latencyMs`: how long each request takes before it is handled. */
	settings: { latencyMs: number };
	/** The sandbox's address, known once it listens. */
	url: () => string;
}

type Handler = (request: FastifyRequest) => Answer | Promise<Answer>;

/** What the token endpoint says with a status when a fault doesn't say it. */
const TOKEN_ERRORS: Record<number, string> = {
	400: 'invalid_grant',
	401: 'invalid_client',
	429: 'rate_limit_exceeded',
};

const standardError = (endpoint: Endpoint, status: number) =>
	endpoint === 'token'
		? tokenError(status, TOKEN_ERRORS[status] ?? 'server_error')
		: apiError(status);

/**
 * X-Merchant-Client-Id, which every call for payments must carry.
 * @throws Refusal with 400 (assumed) when it is missing or blank
 */
function merchantOf(request: FastifyRequest): string {
	const merchant = request.headers['x-merchant-client-id'];
	if (typeof merchant === 'string' && merchant.trim() !== '') return merchant;
	throw new Refusal(apiError(400, 'X-Merchant-Client-Id header is required'));
}

async function answerOf(handle: Handler, request: FastifyRequest): Promise<Answer> {
	try {
		return await handle(request);
	} catch (error) {
		if (error instanceof Refusal) return error.answer;
		throw error;
	}
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
	const { headers, bytes } = render(answer);
	return reply
		.code(answer.status)
		.headers(headers)
		.send(bytes.length > 0 ? bytes : undefined);
}

/** The answer that a fault gives in place of the real one, or the real one as the fault changes it. */
function faultyAnswer(endpoint: Endpoint, fault: Fault, real?: Answer): Answer {
	const { redirectTo } = fault;
	const status = fault.status ?? (redirectTo === undefined ? (real?.status ?? 200) : 307);
	const headers = { ...(redirectTo !== undefined && { location: redirectTo }), ...fault.headers };
	if (fault.body !== undefined) return { status, headers, body: fault.body };
	if (redirectTo !== undefined) return { status, headers, body: '' };
	if (fault.status !== undefined && status >= 400) {
		return { ...standardError(endpoint, status), headers };
	}
	return { status, headers: { ...real?.headers, ...headers }, body: real?.body ?? '' };
}

/** The API's routes: the token endpoint and the three endpoints of payments. */
export async function apiRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
	const { oauth, payments, faults, settings, url } = parts;

	async function serve(
		endpoint: Endpoint,
		handle: Handler,
		request: FastifyRequest,
		reply: FastifyReply,
	): Promise<FastifyReply> {
		if (settings.latencyMs > 0) await sleep(settings.latencyMs, undefined, { ref: false });
		if (!app.server.listening) return reply.hijack();
		const { id } = request.params as { id?: string };
		const fault = faults.take({
			endpoint,
			method: request.method,
			path: request.url.split('?')[0],
			merchant: request.headers['x-merchant-client-id'] as string | undefined,
			reference:
				id === undefined
					? (request.body as { referenceNumber?: string } | undefined)?.referenceNumber
					: payments.find(id)?.referenceNumber,
		});
		if (!fault) return send(reply, await answerOf(handle, request));

		if (fault.revokeToken) oauth.revokeAll();
		const replaced = [fault.status, fault.body, fault.redirectTo].some((it) => it !== undefined);
		const unhandled = replaced || fault.hang === true || fault.reset === 'before';
		const real = (fault.made ?? !unhandled) ? await answerOf(handle, request) : undefined;
		if (fault.latencyMs) await sleep(fault.latencyMs, undefined, { ref: false });
		const { socket } = request.raw;
		if (fault.hang) return reply.hijack();
		if (fault.reset) {
			reply.hijack();
			socket.resetAndDestroy();
			return reply;
		}
		const answer = faultyAnswer(endpoint, fault, real);
		if (!fault.cutOff) return send(reply, answer);
		const { headers, bytes } = render(answer);
		reply.hijack();
		reply.raw.writeHead(answer.status, headers);
		reply.raw.write(bytes.subarray(0, bytes.length / 2), () => socket.destroy());
		return reply;
	}

	/** The options and handler of a route, with its faults and its place in the records. */
	const route = (endpoint: Endpoint, handle: Handler) => ({
		config: { endpoint },
		handler: async (request: FastifyRequest, reply: FastifyReply) =>
			await serve(endpoint, handle, request, reply),
	});

	/** The payment that the path names, if it is this partner's and this merchant's. */
	function ownPayment(request: FastifyRequest): Payment {
		const partner = oauth.partner(request.headers);
		const merchant = merchantOf(request);
		const payment = payments.find((request.params as { id: string }).id);
		if (payment?.partner === partner && payment.merchant === merchant) return payment;
		throw new Refusal(apiError(404, 'Payment not found'));
	}

	await app.register(async (tokens) => {
		tokens.removeAllContentTypeParsers();
		await tokens.register(formbody);
		tokens.setErrorHandler(async (error: FastifyError, _request, reply) => {
			const status = error.statusCode ?? 500;
			return send(reply, tokenError(status, 'invalid_request', error.message));
		});
		const grant: Handler = ({ headers, body }) =>
			oauth.grant(headers, (body ?? {}) as Record<string, unknown>);
		tokens.post('/oauth/token', route('token', grant));
	});

	await app.register(async (api) => {
		api.removeContentTypeParser('text/plain');
		api.setErrorHandler(async (error: FastifyError, _request, reply) =>
			send(reply, apiError(error.statusCode ?? 500, error.message)),
		);
		const create: Handler = (request) => {
			const { headers, body } = request;
			const partner = oauth.partner(headers);
			const mock = headers['x-mock-payment'] as string | undefined;
			const payment = payments.create(partner, merchantOf(request), mock, body);
			return { status: 201, body: presentPayment(url(), payment) };
		};
		const get: Handler = (request) => ({
			status: 200,
			body: presentPayment(url(), ownPayment(request)),
		});
		const qr: Handler = async (request) => ({
			status: 200,
			headers: { 'content-type': 'image/png' },
			body: await QRCode.toBuffer(paymentUrl(url(), ownPayment(request)), { scale: 8 }),
		});
		api.post('/v1/partner/payments', route('create', create));
		api.get('/v1/partner/payments/:id', route('get', get));
		api.get('/v1/partner/payments/:id/qr', route('qr', qr));
	});
}
