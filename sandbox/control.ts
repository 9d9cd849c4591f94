import type { FastifyInstance, FastifyReply } from 'fastify';

import { apiError } from './answer';
import { type Fault, FAULT_SCHEMA } from './faults';
import type { Keys } from './keys/auth';
import type { Sandbox, SandboxSettings } from './sandbox';
import type { Credentials } from './tokens/oauth';
import { flag, milliseconds, only, text, wholeNumber } from './validation';

const shape = { enum: ['array', 'object'] };

const SETTINGS = only({
	tokenType: text,
	expiresIn: wholeNumber,
	omitExpiresIn: flag,
	expiredStatus: { enum: [401, 403] },
	latencyMs: milliseconds,
	ratePerSecond: wholeNumber,
	numericIds: flag,
	allowUnknownFields: flag,
	allowUnknownMerchants: flag,
	listMax: { type: 'integer', minimum: 1 },
	listAboveMax: { enum: ['clamp', 'refuse'] },
	listOrder: { enum: ['newest', 'oldest', 'shuffled'] },
	listShiftMs: { type: 'integer' },
	listReference: { enum: ['asSent', 'capitals', 'small', 'signless', 'cut'] },
	listLagMs: milliseconds,
	listLagLooks: wholeNumber,
	keyStatuses: only(
		{ pending: text, processing: text, completed: text, failed: text, expired: text },
		['pending', 'processing', 'completed', 'failed', 'expired'],
	),
	merchantList: shape,
	merchantIdKey: { enum: ['id', 'merchantId'] },
	storeList: shape,
	storeIdKey: { enum: ['storeId', 'id'] },
	secretShown: { enum: ['creation', 'always'] },
	removableWebhooks: flag,
	signaturePrefix: { enum: ['', 'sha256='] },
	production: flag,
} satisfies Record<keyof SandboxSettings, object>);

const CREDENTIALS = only({ clientId: text, clientSecret: text, webhookSecret: text });
const KEYS = only({ clientId: text, clientSecret: text });

/** Takes JSON and nothing else: another web page can send forms and plain text without being asked. */
function takeJsonOnly(app: FastifyInstance): void {
	app.removeContentTypeParser('text/plain');
	// Many clients call it a form when they post nothing.
	app.addHook('onRequest', async (request) => {
		if (request.headers['content-length'] === '0') delete request.headers['content-type'];
	});
}

/** `/_sandbox/…`: what tests in the same process do by calling the sandbox, over HTTP. */
export async function controlRoutes(
	app: FastifyInstance,
	{ sandbox }: { sandbox: Sandbox },
): Promise<void> {
	takeJsonOnly(app);
	app.get('/requests', async () => sandbox.requests);
	app.get('/counts', async () => ({ counts: sandbox.counts, maxInFlight: sandbox.maxInFlight }));
	app.get('/payments', async () => sandbox.payments);
	app.get('/merchants', async () => sandbox.merchants);
	app.get('/stores', async () => sandbox.stores);
	app.get('/registrations', async () => sandbox.registrations);
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
	app.post<{ Body: Fault }>(
		'/faults',
		{ schema: { body: FAULT_SCHEMA } },
		async ({ body }, reply) => {
			sandbox.faults.add(body);
			return reply.code(201).send(body);
		},
	);
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
	app.patch<{ Body: Partial<Keys> }>('/keys', { schema: { body: KEYS } }, async ({ body }) => {
		sandbox.setKeys(body);
		return sandbox.keys;
	});
	app.post('/reset', async (_request, reply) => {
		sandbox.reset();
		return reply.code(204).send();
	});
	const missing = async (reply: FastifyReply, what: string) =>
		await reply.code(404).send(apiError(404, `${what} not found`).body);
	for (const choice of ['pay', 'decline', 'expire'] as const) {
		app.post<{ Params: { id: string } }>(`/payments/:id/${choice}`, async ({ params }, reply) => {
			if (!sandbox.payments.some(({ id }) => String(id) === params.id)) {
				return await missing(reply, 'Payment');
			}
			sandbox[choice](params.id);
			return sandbox.payment(params.id);
		});
	}
	for (const choice of ['activate', 'deactivate'] as const) {
		app.post<{ Params: { id: string } }>(`/merchants/:id/${choice}`, async ({ params }, reply) => {
			const number = Number(params.id);
			if (!sandbox.merchants.some(({ id }) => id === number)) {
				return await missing(reply, 'Merchant');
			}
			sandbox[choice](number);
			return sandbox.merchant(number);
		});
	}
}
