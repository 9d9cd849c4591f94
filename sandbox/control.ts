import formbody from '@fastify/formbody';
import type { FastifyInstance } from 'fastify';

import type { Fault } from './faults';
import type { Credentials } from './oauth';
import type { Sandbox, SandboxSettings } from './server';

const text = { type: 'string' };
const flag = { type: 'boolean' };
const milliseconds = { type: 'number', minimum: 0 };

/** A JSON schema for an object with these properties and no others. */
const only = (properties: object, required: string[] = []) => ({
	type: 'object',
	properties,
	required,
	additionalProperties: false,
});

const FAULT = only({
	match: only({
		endpoint: { enum: ['token', 'create', 'get', 'qr', 'webhook'] },
		method: text,
		path: text,
		merchant: text,
		reference: text,
		event: text,
		nth: { type: 'integer', minimum: 1 },
	}),
	times: { anyOf: [{ type: 'integer', minimum: 1 }, { const: 'always' }] },
	rate: { type: 'number', minimum: 0, maximum: 1 },
	seed: { type: 'integer' },
	status: { type: 'integer', minimum: 200, maximum: 599 },
	headers: { type: 'object', additionalProperties: text },
	body: { anyOf: [text, { type: 'object' }, { type: 'array' }] },
	latencyMs: milliseconds,
	reset: { enum: ['before', 'after'] },
	cutOff: flag,
	redirectTo: text,
	revokeToken: flag,
	hang: flag,
	made: flag,
});

const SETTINGS = only({
	tokenType: text,
	expiresIn: { type: 'integer', minimum: 0 },
	omitExpiresIn: flag,
	expiredStatus: { enum: [401, 403] },
	latencyMs: milliseconds,
	numericIds: flag,
});

const CREDENTIALS = only({ clientId: text, clientSecret: text, webhookSecret: text });

/** `/_sandbox/…`: what tests in the same process do by calling the sandbox, over HTTP. */
export async function controlRoutes(
	app: FastifyInstance,
	{ sandbox }: { sandbox: Sandbox },
): Promise<void> {
	// Clients that post nothing call that a form.
	await app.register(formbody);
	app.get('/requests', async () => sandbox.requests);
	app.get('/counts', async () => ({ counts: sandbox.counts, maxInFlight: sandbox.maxInFlight }));
	app.get('/payments', async () => sandbox.payments);
	app.get('/deliveries', async () => {
		await sandbox.webhooksIdle();
		return sandbox.deliveries;
	});
	app.post<{ Body: { advanceMs: number } }>(
		'/clock',
		{ schema: { body: only({ advanceMs: milliseconds }, ['advanceMs']) } },
		async ({ body }) => {
			sandbox.clock.advance(body.advanceMs);
			return { now: new Date(sandbox.clock.now()).toISOString() };
		},
	);
	app.get('/faults', async () => sandbox.faults.list());
	app.post<{ Body: Fault }>('/faults', { schema: { body: FAULT } }, async ({ body }, reply) => {
		sandbox.faults.add(body);
		return reply.code(201).send(body);
	});
	app.delete('/faults', async (_request, reply) => {
		sandbox.faults.clear();
		return reply.code(204).send();
	});
	app.post('/tokens/revoke', async (_request, reply) => {
		sandbox.revokeTokens();
		return reply.code(204).send();
	});
	app.patch<{ Body: Partial<SandboxSettings> }>(
		'/settings',
		{ schema: { body: SETTINGS } },
		async ({ body }) => Object.assign(sandbox.settings, body),
	);
	app.patch<{ Body: Partial<Credentials> }>(
		'/credentials',
		{ schema: { body: CREDENTIALS } },
		async ({ body }) => {
			sandbox.setCredentials(body);
			return sandbox.credentials;
		},
	);
	app.post('/reset', async (_request, reply) => {
		sandbox.reset();
		return reply.code(204).send();
	});
	for (const choice of ['pay', 'decline'] as const) {
		app.post<{ Params: { id: string } }>(`/payments/:id/${choice}`, async ({ params }, reply) => {
			if (!sandbox.payments.some(({ id }) => String(id) === params.id)) {
				return reply.code(404).send({ statusCode: 404, message: 'Payment not found' });
			}
			sandbox[choice](params.id);
			return sandbox.payment(params.id);
		});
	}
}
