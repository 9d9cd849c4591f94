import type { FastifyInstance, FastifyRequest } from 'fastify';

import { apiError } from './answer';

/** The names of this machine, with any port. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d+))?$/i;

const READS = new Set(['GET', 'HEAD']);

/**
 * Whether another web page may have sent the request. A browser says so in one of two headers; a
 * program that is no browser sends neither.
 */
function isForeign({ headers, socket }: FastifyRequest): boolean {
	const site = headers['sec-fetch-site'];
	if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
	const { origin } = headers;
	if (origin === undefined) return false;
	const port = /^http:\/\/(.+)$/.exec(origin)?.[1].match(LOOPBACK)?.[1];
	return port !== String(socket.localPort);
}

/**
 * Keeps web pages of others out, which a browser on this machine may have open: the sandbox answers
 * only under a name of this machine, so that no name of theirs can be led here (421), and what changes
 * something, and all of `/_sandbox`, only when its own pages or no browser asked for it (403).
 */
export function guard(app: FastifyInstance): void {
	app.addHook('onRequest', async (request, reply) => {
		const { host } = request.headers;
		if (host === undefined || !LOOPBACK.test(host)) {
			const { status, body } = apiError(421, 'The sandbox answers on localhost and 127.0.0.1 only');
			return reply.code(status).send(body);
		}
		// The route that was found, since a path can be written in other ways: `/%5Fsandbox`.
		const { url: route = '' } = request.routeOptions;
		const isOpen = READS.has(request.method) && !route.startsWith('/_sandbox');
		if (!isOpen && isForeign(request)) {
			const { status, body } = apiError(403, 'The sandbox takes nothing from other web pages');
			return reply.code(status).send(body);
		}
	});
}
