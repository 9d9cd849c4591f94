import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { apiError } from './answer';
import { keyOperations, type KeyParts } from './keys/api';
import { refuseMixed } from './keys/auth';
import { apiOf, send, type Operation, type Server } from './requests';
import { speakOAuth, tokenOperations, type TokenParts } from './tokens/api';

/** What both APIs' routes work with. */
export interface ApiParts {
	server: Server;
	tokens: TokenParts;
	keys: KeyParts;
}

/** The routes of both APIs. On the one path that they share, the request's own headers decide. */
export async function apiRoutes(
	app: FastifyInstance,
	{ server, ...parts }: ApiParts,
): Promise<void> {
	const tokens = tokenOperations(parts.tokens);
	const keys = keyOperations(parts.keys);

	/** The options and handler of a route, with its faults and its place in the records. */
	const route = (operation: Operation, withKeys = operation) => ({
		config: { endpoint: operation.endpoint },
		handler: async (request: FastifyRequest, reply: FastifyReply) =>
			await server.answer(apiOf(request) === 'keys' ? withKeys : operation, request, reply),
	});
	const unmixed = (operation: Operation): Operation => ({
		...operation,
		handle: async (request, fault) => {
			refuseMixed(request.headers);
			return await operation.handle(request, fault);
		},
	});

	await app.register(async (oauth) => {
		await speakOAuth(oauth);
		oauth.post('/oauth/token', route(tokens.grant));
	});
	await app.register(
		async (api) => {
			api.removeContentTypeParser('text/plain');
			api.setErrorHandler(async (error: FastifyError, _request, reply) =>
				send(reply, apiError(error.statusCode ?? 500, error.message)),
			);
			api.post('/payments', route(unmixed(tokens.create), unmixed(keys.create)));
			api.get('/payments/:id', route(unmixed(tokens.get)));
			api.get('/payments/:id/qr', route(unmixed(tokens.qr)));
			for (const [line, operation] of Object.entries(keys.routes)) {
				const [method, url] = line.split(' ');
				api.route({ method, url, ...route(unmixed(operation)) });
			}
		},
		{ prefix: '/v1/partner' },
	);
}
