import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import type { IWebhookFunctions } from 'n8n-workflow';
import { EVENTS, SIGNATURE } from '../../../nodes/shared/api/events';
import {
	answer,
	type Delivery,
	readDelivery,
	receiveEvent,
	requireWebhookSecret,
} from '../../../nodes/shared/webhook';

const NOW = 1_792_000_000_000;
const SECONDS = NOW / 1000;

/** Signs as documented: lower-case hex HMAC-SHA256 over `<timestamp>.<body>`. */
const signatureOf = (body: Buffer, secret: string, timestamp: string) =>
	createHmac('sha256', secret)
		.update(Buffer.concat([Buffer.from(`${timestamp}.`), body]))
		.digest('hex');

const signed = (body: Buffer, secret: string, timestamp = String(SECONDS)): Delivery => ({
	headers: {
		[SIGNATURE.timestampHeader]: timestamp,
		[SIGNATURE.signatureHeader]: signatureOf(body, secret, timestamp),
	},
	rawBody: body,
});

const refusalOf = (delivery: Delivery, secret: string, now = NOW) => {
	const result = readDelivery(delivery, secret, now);
	return 'refusal' in result ? result.refusal : undefined;
};

const secrets = fc.string({ unit: 'binary', minLength: 1 });
const events = fc.record({
	event: fc.oneof(fc.constantFrom(...EVENTS), fc.string()),
	timestamp: fc.string(),
	data: fc.record({
		paymentId: fc.oneof(fc.string(), fc.integer()),
		metadata: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
	}),
});
/** Events as bytes, written in any of the ways that JSON allows. */
const bodies = fc.tuple(events, fc.constantFrom('', '\t', '  ')).map(([event, indent]) => ({
	event: JSON.parse(JSON.stringify(event)) as object,
	body: Buffer.from(JSON.stringify(event, null, indent)),
}));

describe('a delivery', () => {
	it('is read when these bytes were signed with this secret', () => {
		fc.assert(
			fc.property(bodies, secrets, ({ event, body }, secret) => {
				expect(readDelivery(signed(body, secret), secret, NOW)).toEqual({ event });
			}),
		);
	});

	it('has the documented signature', () => {
		// Made by: printf '%s' '1792000000.{"event":…}' | openssl dgst -sha256 -hmac whsec_example
		const body = Buffer.from(
			'{"event":"payment.completed","timestamp":"2026-10-14T18:26:40Z","data":{"paymentId":"pay_abc123def456"}}',
		);
		const headers = {
			'x-acountpay-timestamp': '1792000000',
			'x-acountpay-signature': '1c41e0be120a1686db54495e01218eee6bb05048d1784efac9e46f7d93e5b008',
		};
		expect(readDelivery({ headers, rawBody: body }, 'whsec_example', NOW)).toHaveProperty('event');
	});

	it('is refused when one bit of the body is another', () => {
		fc.assert(
			fc.property(bodies, secrets, fc.nat(), fc.nat(7), ({ body }, secret, at, bit) => {
				const delivery = signed(body, secret);
				const changed = Buffer.from(body);
				changed[at % changed.length] ^= 1 << bit;
				expect(refusalOf({ ...delivery, rawBody: changed }, secret)).toMatchObject({ status: 401 });
			}),
		);
	});

	it('is refused when the body is shorter or longer', () => {
		fc.assert(
			fc.property(bodies, secrets, fc.nat(), ({ body }, secret, length) => {
				const delivery = signed(body, secret);
				for (const rawBody of [
					body.subarray(0, length % body.length),
					Buffer.concat([body, Buffer.from(' ')]),
				]) {
					expect(refusalOf({ ...delivery, rawBody }, secret)).toMatchObject({ status: 401 });
				}
			}),
		);
	});

	it('is refused when it was signed with another secret', () => {
		fc.assert(
			fc.property(bodies, secrets, secrets, ({ body }, secret, other) => {
				// HMAC fills short keys up with zeros, so these would be the same key.
				fc.pre(secret.replace(/\0+$/, '') !== other.replace(/\0+$/, ''));
				expect(refusalOf(signed(body, other), secret)).toMatchObject({ status: 401 });
			}),
		);
	});

	it('is refused when any letter of the signature is another', () => {
		fc.assert(
			fc.property(
				bodies,
				secrets,
				fc.nat(63),
				fc.string({ maxLength: 1 }),
				(sent, secret, at, letter) => {
					const delivery = signed(sent.body, secret);
					const right = String(delivery.headers[SIGNATURE.signatureHeader]);
					const signature = right.slice(0, at) + letter + right.slice(at + 1);
					fc.pre(signature !== right);
					delivery.headers[SIGNATURE.signatureHeader] = signature;
					expect(refusalOf(delivery, secret)).toMatchObject({ status: 401 });
				},
			),
		);
	});

	it('is refused with any other timestamp than was signed, and with any other signature', () => {
		const header = fc.oneof(
			fc.string(),
			fc.integer({ min: SECONDS - 300, max: SECONDS + 300 }).map(String),
			fc.stringMatching(/^[0-9a-f]{64}$/),
			fc.array(fc.string()),
			fc.constant(undefined),
		);
		fc.assert(
			fc.property(bodies, secrets, header, header, ({ body }, secret, timestamp, signature) => {
				fc.pre(timestamp !== String(SECONDS));
				const right = signed(body, secret).headers;
				for (const headers of [
					{ ...right, [SIGNATURE.timestampHeader]: timestamp },
					{ ...right, [SIGNATURE.signatureHeader]: signature },
					{ [SIGNATURE.timestampHeader]: timestamp, [SIGNATURE.signatureHeader]: signature },
				]) {
					expect(refusalOf({ headers, rawBody: body }, secret)).toMatchObject({ status: 401 });
				}
			}),
		);
	});

	it.each([
		[-301_000, true],
		[-300_999, true],
		[-300_000, false],
		[-299_001, false],
		[0, false],
		[300_000, false],
		// The second in which it was signed is not over: its timestamp has no more than whole ones.
		[300_999, false],
		[301_000, true],
	])('that comes %i ms after its timestamp: refused is %s', (ms, refused) => {
		const body = Buffer.from('{"event":"payment.failed","data":{"paymentId":1}}');
		expect(refusalOf(signed(body, 'key'), 'key', NOW + ms) !== undefined).toBe(refused);
	});

	it.each([
		['text/plain', true],
		['Text/Plain; charset=utf-8', true],
		['application/json', false],
		['application/json; charset=utf-8', false],
		['application/x-www-form-urlencoded', false],
		['', false],
	])('of an event that calls itself %j: refused is %s', (type, refused) => {
		const body = Buffer.from('{"event":"payment.failed","data":{"paymentId":1}}');
		const delivery = signed(body, 'key');
		delivery.headers['content-type'] = type;
		expect(refusalOf(delivery, 'key')?.status).toBe(refused ? 400 : undefined);
	});

	it.each([
		'',
		'0x6ACFC000',
		'1.792e9',
		'1792000000.0',
		' 1792000000',
		'+1792000000',
		'1792000000\n',
	])('is refused with the timestamp %j, though it was signed', (timestamp) => {
		const body = Buffer.from('{"event":"payment.failed","data":{"paymentId":1}}');
		expect(refusalOf(signed(body, 'key', timestamp), 'key')).toEqual({
			status: 401,
			reason: 'it has no timestamp',
		});
	});

	it('is refused without a webhook secret, whatever it was signed with', () => {
		fc.assert(
			fc.property(bodies, fc.string(), ({ body }, key) => {
				expect(refusalOf(signed(body, key), '')).toEqual({
					status: 401,
					reason: 'the credential has no Webhook Secret',
				});
			}),
		);
	});

	it('never throws, whatever is signed: it is an event of a payment or refused with 400', () => {
		// An id that is too large to be exact comes as its digits, which test/unit/nodes/api.test.ts tests.
		const ids = fc
			.jsonValue()
			.filter((id) => typeof id !== 'number' || Math.abs(id) <= Number.MAX_SAFE_INTEGER);
		const anything = fc.oneof(
			fc.uint8Array().map((bytes) => Buffer.from(bytes)),
			fc.json().map((text) => Buffer.from(text)),
			fc
				.record(
					{
						event: fc.jsonValue(),
						data: fc.oneof(fc.jsonValue(), fc.record({ paymentId: ids })),
					},
					{ requiredKeys: [] },
				)
				.map((value) => Buffer.from(JSON.stringify(value))),
		);
		fc.assert(
			fc.property(anything, (body) => {
				const result = readDelivery(signed(body, 'key'), 'key', NOW);
				if ('event' in result) {
					const sent = JSON.parse(body.toString('utf8'));
					expect(result.event).toEqual(sent);
					expect(typeof sent.event).toBe('string');
					expect(['string', 'number']).toContain(typeof sent.data.paymentId);
				} else {
					expect(result.refusal.status).toBe(400);
				}
			}),
			{ numRuns: 1_000 },
		);
	});

	it('says why it is refused without saying what would be right', () => {
		fc.assert(
			fc.property(bodies, fc.string({ minLength: 8 }), ({ body }, secret) => {
				const delivery = signed(body, 'another');
				const { reason } = refusalOf(delivery, secret)!;
				expect(reason).not.toContain(secret);
				expect(reason).not.toContain(signatureOf(body, secret, String(SECONDS)));
			}),
		);
	});
});

describe('a delivery that a node receives', () => {
	const body = Buffer.from('{"event":"payment.completed","data":{"paymentId":"pay_1"}}');
	const secret = 'whsec';

	/** What n8n calls `webhook()` with, as far as it is looked at; `request` and `credential` say what is not as usual. */
	function received(
		request: Record<string, unknown> = {},
		credential: Promise<object> = Promise.resolve({ webhookSecret: ` ${secret} ` }),
	) {
		const now = String(Math.floor(Date.now() / 1000));
		const { headers, rawBody } = signed(body, secret, now);
		const answered: unknown[] = [];
		const logged: string[] = [];
		const response = {
			status: (status: number) => answered.push(status) && response,
			json: (json: object) => answered.push(json) && response,
			end: () => answered.push('end'),
		};
		const context = {
			getRequestObject: () => ({ headers, rawBody, ...request }),
			getResponseObject: () => response,
			getCredentials: async () => await credential,
			getNode: () => ({ name: 'Wait', credentials: {} }),
			logger: { warn: (line: string) => logged.push(line) },
		} as unknown as IWebhookFunctions;
		return { context, answered, logged };
	}

	it('is handed on when it is signed, and is not answered yet', async () => {
		const { context, answered, logged } = received();
		expect(await receiveEvent(context)).toEqual(JSON.parse(body.toString()));
		expect([answered, logged]).toEqual([[], []]);
	});

	it('is read first where n8n has not read it', async () => {
		const request: Record<string, unknown> = { rawBody: undefined, readable: true };
		const { context } = received(request);
		const asked = context.getRequestObject();
		asked.readRawBody = async () => {
			asked.rawBody = body;
		};
		context.getRequestObject = () => asked;
		expect(await receiveEvent(context)).toMatchObject({ event: 'payment.completed' });
	});

	it.each<[string, object, Promise<object>, number, string]>([
		['unsigned', { headers: {} }, Promise.resolve({ webhookSecret: secret }), 401, 'no timestamp'],
		[
			'a form, of which nothing is left',
			{ rawBody: undefined, readable: false },
			Promise.resolve({ webhookSecret: secret }),
			401,
			'its signature is wrong',
		],
		['without a secret', {}, Promise.resolve({}), 401, 'the credential has no Webhook Secret'],
		[
			'without a credential',
			{},
			Promise.resolve().then(() => {
				throw new Error('gone');
			}),
			500,
			'the credential could not be read',
		],
	])('is refused, with a line in the log: %s', async (_what, request, credential, status, why) => {
		const { context, answered, logged } = received(request as never, credential);
		expect(await receiveEvent(context)).toBeUndefined();
		expect(answered).toEqual([status, { result: 'refused' }, 'end']);
		expect(logged).toEqual([
			expect.stringMatching(`^AcountPay node 'Wait' refused a webhook: .*${why}$`),
		]);
	});

	it('is answered by the node itself', () => {
		const { context, answered } = received();
		expect(answer(context, 200, 'accepted')).toEqual({ noWebhookResponse: true });
		expect(answered).toEqual([200, { result: 'accepted' }, 'end']);
	});

	it.each([[{ webhookSecret: ' ' }], [{}]])('is never to come with %j', async (credential) => {
		const { context } = received({}, Promise.resolve(credential));
		const problem = await requireWebhookSecret(context as never).catch((error: Error) => error);
		expect(problem).toMatchObject({
			message: 'The credential has no Webhook Secret',
			description: expect.stringContaining('fill in Webhook Secret'),
		});
	});

	it('may come when there is a secret', async () => {
		await requireWebhookSecret(received().context as never);
	});
});
