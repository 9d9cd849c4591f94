import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import type { IDataObject, IWebhookFunctions } from 'n8n-workflow';
import { contradictsItself, differenceBetween } from '../../../nodes/shared/webhooks/doubts';
import {
	EVENTS,
	KEY_EVENTS,
	readWebhookEvent,
	SIGNATURE,
	subjectOf,
	timeOf,
} from '../../../nodes/shared/api/events';
import {
	answer,
	receiveEvent,
	requireWebhookSecret,
	webhookSecretOf,
} from '../../../nodes/shared/webhooks/receive';
import {
	type Headers,
	SCHEMES,
	type SignatureScheme,
} from '../../../nodes/shared/webhooks/schemes';
import { READ_EVERY, TRUSTED_FOR } from '../../../nodes/shared/webhooks/secrets';

const NOW = 1_792_000_000_000;
const SECONDS = NOW / 1000;

interface Delivery {
	headers: Headers;
	rawBody: Buffer | undefined;
	readable?: boolean;
	readRawBody?: () => Promise<void>;
}

/** Workflows have IDs, so that no test gets the secret of another. */
let workflows = 0;
afterEach(() => workflows++);

/** What n8n calls `webhook()` with, as far as it is looked at. */
function contextOf(delivery: Delivery, readCredential: () => Promise<object>) {
	const answered: unknown[] = [];
	const logged: string[] = [];
	const response = {
		status: (status: number) => answered.push(status) && response,
		json: (json: object) => answered.push(json) && response,
		end: () => answered.push('end'),
	};
	const context = {
		getRequestObject: () => delivery,
		getResponseObject: () => response,
		getCredentials: readCredential,
		getNode: () => ({ id: 'node', name: 'Wait', credentials: { acountPayApi: { id: '1' } } }),
		getWorkflow: () => ({ id: String(workflows) }),
		logger: { warn: (line: string) => logged.push(line) },
	} as unknown as IWebhookFunctions;
	return { context, answered, logged };
}

/** What becomes of a delivery to a node with this secret, at this moment. */
async function receive(
	scheme: SignatureScheme,
	delivery: Delivery,
	readSecret: string | (() => Promise<string>),
	now = NOW,
) {
	jest.spyOn(Date, 'now').mockReturnValue(now);
	const secretOf = async () => (typeof readSecret === 'string' ? readSecret : await readSecret());
	const { context, answered, logged } = contextOf(delivery, async () => ({}));
	const event = await receiveEvent(context, scheme, secretOf);
	return { event, status: answered[0] as number | undefined, answered, logged };
}
/** The same without anything that an earlier delivery left. */
const receiveAlone: typeof receive = async (...args) => {
	workflows++;
	return await receive(...args);
};
const statusOf = async (...args: Parameters<typeof receive>) =>
	(await receiveAlone(...args)).status;

const hmac = (secret: string, ...parts: Array<string | Buffer>) =>
	parts.reduce((hash, part) => hash.update(part), createHmac('sha256', secret)).digest('hex');

/** Signs as documented: lower-case hex HMAC-SHA256 over `<timestamp>.<body>`. */
const signedWithToken = (
	rawBody: Buffer,
	secret: string,
	timestamp = String(SECONDS),
): Delivery => ({
	headers: {
		[SIGNATURE.timestampHeader]: timestamp,
		[SIGNATURE.signatureHeader]: hmac(secret, `${timestamp}.`, rawBody),
	},
	rawBody,
});
/** Signs as documented: HMAC-SHA256 over the body. */
const signedWithKey = (rawBody: Buffer, secret: string, form = (hex: string) => hex): Delivery => ({
	headers: { 'x-webhook-signature': form(hmac(secret, rawBody)) },
	rawBody,
});

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const secrets = fc.string({ unit: 'binary', minLength: 1 });
const ids = fc.oneof(fc.stringMatching(/^[a-zA-Z_][\w-]{0,20}$/), fc.nat());
const extras = fc.record({
	metadata: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
});
const timestamps = fc
	.integer({ min: NOW - 24 * 60 * 60_000, max: NOW + 5 * 60_000 })
	.map((time) => new Date(time).toISOString());
const eventOf = (names: readonly string[]) =>
	fc.oneof(fc.constantFrom(...names), fc.string()).chain((event) => {
		const subject = event.startsWith('merchant.') ? 'merchantId' : 'paymentId';
		return fc
			.tuple(timestamps, ids, extras)
			.map(([timestamp, id, extra]) => ({ event, timestamp, data: { ...extra, [subject]: id } }));
	});
/** Events as bytes, written in any of the ways that JSON allows. */
const bodiesOf = (names: readonly string[]) =>
	fc.tuple(eventOf(names), fc.constantFrom('', '\t', '  ')).map(([event, indent]) => ({
		event: JSON.parse(JSON.stringify(event)) as object,
		body: Buffer.from(JSON.stringify(event, null, indent)),
	}));

const schemes = [
	{
		name: 'with access tokens',
		scheme: SCHEMES.oAuth2,
		names: EVENTS as readonly string[],
		signed: (body: Buffer, secret: string) => signedWithToken(body, secret),
		header: SIGNATURE.signatureHeader as string,
	},
	{
		name: 'with keys',
		scheme: SCHEMES.apiKey,
		names: KEY_EVENTS as readonly string[],
		signed: (body: Buffer, secret: string) => signedWithKey(body, secret),
		header: 'x-webhook-signature',
	},
];

describe.each(schemes)('a delivery of the API $name', ({ scheme, names, signed, header }) => {
	const bodies = bodiesOf(names);

	it('is read when these bytes were signed with this secret', async () => {
		await fc.assert(
			fc.asyncProperty(bodies, secrets, async ({ event, body }, secret) => {
				const received = await receiveAlone(scheme, signed(body, secret), secret);
				expect(received).toMatchObject({ answered: [], logged: [] });
				expect(received.event).toEqual(event);
			}),
		);
	});

	it('is refused when one bit of the body is another', async () => {
		await fc.assert(
			fc.asyncProperty(bodies, secrets, fc.nat(), fc.nat(7), async ({ body }, secret, at, bit) => {
				const changed = Buffer.from(body);
				changed[at % changed.length] ^= 1 << bit;
				const delivery = { ...signed(body, secret), rawBody: changed };
				expect(await statusOf(scheme, delivery, secret)).toBe(401);
			}),
		);
	});

	it('is refused when the body is shorter or longer', async () => {
		await fc.assert(
			fc.asyncProperty(bodies, secrets, fc.nat(), async ({ body }, secret, length) => {
				for (const rawBody of [
					body.subarray(0, length % body.length),
					Buffer.concat([body, Buffer.from(' ')]),
				]) {
					const delivery = { ...signed(body, secret), rawBody };
					expect(await statusOf(scheme, delivery, secret)).toBe(401);
				}
			}),
		);
	});

	it('is refused when it was signed with another secret', async () => {
		await fc.assert(
			fc.asyncProperty(bodies, secrets, secrets, async ({ body }, secret, other) => {
				// HMAC fills short keys up with zeros, so these would be the same key.
				fc.pre(secret.replace(/\0+$/, '') !== other.replace(/\0+$/, ''));
				expect(await statusOf(scheme, signed(body, other), secret)).toBe(401);
			}),
		);
	});

	it('is refused when any letter of the signature is another', async () => {
		const letter = fc.string({ maxLength: 1 });
		await fc.assert(
			fc.asyncProperty(bodies, secrets, fc.nat(63), letter, async (sent, secret, at, other) => {
				const delivery = signed(sent.body, secret);
				const right = String(delivery.headers[header]);
				const signature = right.slice(0, at) + other + right.slice(at + 1);
				fc.pre(signature.toLowerCase() !== right);
				delivery.headers[header] = signature;
				expect(await statusOf(scheme, delivery, secret)).toBe(401);
			}),
		);
	});

	it('is refused without a webhook secret, whatever it was signed with', async () => {
		await fc.assert(
			fc.asyncProperty(bodies, fc.string(), async ({ body }, key) => {
				const { answered, logged } = await receiveAlone(scheme, signed(body, key), '');
				expect(answered).toEqual([401, { result: 'refused' }, 'end']);
				expect(logged[0]).toContain('the credential has no Webhook Secret');
			}),
		);
	});

	it('is refused with the headers of the other API, however it was signed', async () => {
		const [other] = schemes.filter((each) => each.scheme !== scheme);
		await fc.assert(
			fc.asyncProperty(bodies, secrets, async ({ body }, secret) => {
				expect(await statusOf(scheme, other.signed(body, secret), secret)).toBe(401);
			}),
		);
	});

	it('never throws, whatever is signed: it is an event, or refused with 400', async () => {
		const timestamp = new Date(NOW).toISOString();
		const anything = fc.oneof(
			fc.uint8Array().map((bytesOf) => Buffer.from(bytesOf)),
			fc.json().map((text) => Buffer.from(text)),
			fc
				.record(
					{
						event: fc.oneof(fc.jsonValue(), fc.constantFrom(...names)),
						data: fc.oneof(fc.jsonValue(), fc.record({ paymentId: fc.jsonValue() })),
					},
					{ requiredKeys: [] },
				)
				.map((value) => bytes({ ...value, timestamp })),
		);
		await fc.assert(
			fc.asyncProperty(anything, async (body) => {
				const { event, status } = await receiveAlone(scheme, signed(body, 'key'), 'key');
				if (event) expect(['string', 'number']).toContain(typeof event.data.paymentId);
				else expect(status).toBe(400);
			}),
			{ numRuns: 1_000 },
		);
	});

	it('says why it is refused without saying what would be right', async () => {
		await fc.assert(
			fc.asyncProperty(bodies, fc.string({ minLength: 8 }), async ({ body }, secret) => {
				const { logged } = await receiveAlone(scheme, signed(body, 'another'), secret);
				expect(logged).toHaveLength(1);
				expect(logged[0]).not.toContain(secret);
				expect(logged[0]).not.toContain(String(signed(body, secret).headers[header]));
			}),
		);
	});

	it.each([
		['text/plain', true],
		['Text/Plain; charset=utf-8', true],
		['application/json', false],
		['application/json; charset=utf-8', false],
		['application/x-www-form-urlencoded', false],
		['', false],
	])('of an event that calls itself %j: refused is %s', async (type, refused) => {
		const timestamp = new Date(NOW).toISOString();
		const delivery = signed(
			bytes({ event: 'payment.failed', timestamp, data: { paymentId: 1 } }),
			'key',
		);
		delivery.headers['content-type'] = type;
		expect(await statusOf(scheme, delivery, 'key')).toBe(refused ? 400 : undefined);
	});
});

describe('the headers with access tokens', () => {
	const body = bytes({ event: 'payment.failed', data: { paymentId: 1 } });
	const refusedFor = async (delivery: Delivery, now = NOW) =>
		(await receiveAlone(SCHEMES.oAuth2, delivery, 'key', now)).logged[0]?.replace(
			/^.*webhook: /,
			'',
		);

	it('have the documented signature', async () => {
		// Made by: printf '%s' '1792000000.{"event":…}' | openssl dgst -sha256 -hmac whsec_example
		const rawBody = Buffer.from(
			'{"event":"payment.completed","timestamp":"2026-10-14T18:26:40Z","data":{"paymentId":"pay_abc123def456"}}',
		);
		const headers = {
			'x-acountpay-timestamp': '1792000000',
			'x-acountpay-signature': '1c41e0be120a1686db54495e01218eee6bb05048d1784efac9e46f7d93e5b008',
		};
		const { event } = await receiveAlone(SCHEMES.oAuth2, { headers, rawBody }, 'whsec_example');
		expect(event).toBeDefined();
	});

	it('are refused with any other timestamp than was signed, and any other signature', async () => {
		const value = fc.oneof(
			fc.string(),
			fc.integer({ min: SECONDS - 300, max: SECONDS + 300 }).map(String),
			fc.stringMatching(/^[0-9a-f]{64}$/),
			fc.array(fc.string()),
			fc.constant(undefined),
		);
		await fc.assert(
			fc.asyncProperty(value, value, async (timestamp, signature) => {
				fc.pre(timestamp !== String(SECONDS));
				const right = signedWithToken(body, 'key').headers;
				for (const headers of [
					{ ...right, [SIGNATURE.timestampHeader]: timestamp },
					{ ...right, [SIGNATURE.signatureHeader]: signature },
					{ [SIGNATURE.timestampHeader]: timestamp, [SIGNATURE.signatureHeader]: signature },
				]) {
					expect(await statusOf(SCHEMES.oAuth2, { headers, rawBody: body }, 'key')).toBe(401);
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
	])('that come %i ms after their timestamp: refused is %s', async (ms, refused) => {
		const reason = await refusedFor(signedWithToken(body, 'key'), NOW + ms);
		expect(reason !== undefined).toBe(refused);
		if (refused) expect(reason).toContain('300 seconds away');
	});

	it.each([
		'',
		'0x6ACFC000',
		'1.792e9',
		'1792000000.0',
		' 1792000000',
		'+1792000000',
		'1792000000\n',
	])('are refused with the timestamp %j, though it was signed', async (timestamp) => {
		const delivery = signedWithToken(body, 'key', timestamp);
		expect(await refusedFor(delivery)).toBe('it has no timestamp');
	});
});

describe('the delivery with keys', () => {
	const at = (timestamp: unknown) =>
		bytes({ event: 'payment.failed', timestamp, data: { paymentId: 1 } });
	const ago = (ms: number) => at(new Date(NOW - ms).toISOString());
	const DAY = 24 * 60 * 60_000;

	it('has the documented signature', async () => {
		// Made by: printf '%s' '{"event":…}' | openssl dgst -sha256 -hmac whsec_example
		const rawBody = Buffer.from(
			'{"event":"payment.completed","timestamp":"2026-10-14T17:46:40Z","data":{"paymentId":456}}',
		);
		const headers = {
			'x-webhook-signature': 'f87862c30a802506458e4404919ec3914130deb5ffb7d176024e495e7af18011',
		};
		const { event } = await receiveAlone(SCHEMES.apiKey, { headers, rawBody }, 'whsec_example');
		expect(event).toBeDefined();
	});

	it.each<[string, (hex: string) => string, boolean]>([
		['sha256= before it', (hex) => `sha256=${hex}`, true],
		['capitals', (hex) => hex.toUpperCase(), true],
		['another algorithm before it', (hex) => `sha1=${hex}`, false],
		['base64', (hex) => Buffer.from(hex, 'hex').toString('base64'), false],
		['two of them', (hex) => `${hex}, ${hex}`, false],
		['a space', (hex) => `${hex} `, false],
		['nothing', () => '', false],
		['half', (hex) => hex.slice(32), false],
	])('with a signature with %s: taken is %s', async (_what, form, taken) => {
		const delivery = signedWithKey(ago(0), 'key', form);
		expect(await statusOf(SCHEMES.apiKey, delivery, 'key')).toBe(taken ? undefined : 401);
	});

	it.each([
		[ago(DAY), true],
		[ago(DAY + 1), false],
		[ago(-5 * 60_000), true],
		[ago(-5 * 60_000 - 1), false],
		[at('2026-10-14T17:46:40+00:00'), true],
		[at('2026-10-14T19:46:40.123456+0200'), true],
		[at('2026-10-14T17:46'), true],
		[at('2026-10-14'), false],
		[at('Wed, 14 Oct 2026 18:26:40 GMT'), false],
		[at('2026-13-14T18:26:40Z'), false],
		[at(NOW), false],
		[at(null), false],
		[at(undefined), false],
	])('whose body is %s: taken is %s', async (body, taken) => {
		const { event, logged } = await receiveAlone(SCHEMES.apiKey, signedWithKey(body, 'key'), 'key');
		expect(event !== undefined).toBe(taken);
		expect(logged).toHaveLength(taken ? 0 : 1);
	});

	it('tells the time of an event without a zone in UTC', () => {
		const event = { event: 'a', data: {} };
		expect(timeOf({ ...event, timestamp: '2026-10-14T17:46:40' })).toBe(NOW);
		expect(timeOf({ ...event, timestamp: '2026-10-14T17:46:40Z' })).toBe(NOW);
		expect(timeOf({ ...event, timestamp: '2026-10-14T19:46:40+02:00' })).toBe(NOW);
	});
});

describe('the body of an event', () => {
	it.each([
		'1e400',
		'-1e400',
		'-0',
		'-1',
		'1.5',
		'1e21',
		'""',
		'" "',
		'"pay 1"',
		'"pay_1\\n"',
		'"\\u0000"',
		'"\\ud800"',
		'"1e400"',
		'"-0"',
		'"1.0"',
		'"+1"',
		'null',
		'true',
		'[]',
		'["pay_1"]',
		'{}',
		'{"id":"pay_1"}',
	])('with the payment ID %s is no event', (id) => {
		const body = Buffer.from(`{"event":"payment.completed","data":{"paymentId":${id}}}`);
		expect(readWebhookEvent(body)).toBeUndefined();
	});

	it.each([
		['"pay_abc123def456"', 'pay_abc123def456'],
		['"7e2b1c52-8a0f-4d0c-9d7e-3f2a1b0c9d8e"', '7e2b1c52-8a0f-4d0c-9d7e-3f2a1b0c9d8e'],
		['456', '456'],
		['"456"', '456'],
		['0', '0'],
		['1e3', '1000'],
		['9007199254740993', '9007199254740993'],
		['"0012"', '0012'],
		['"NaN"', 'NaN'],
	])('with the payment ID %s is about %s', (id, read) => {
		const body = Buffer.from(`{"event":"payment.completed","data":{"paymentId":${id}}}`);
		expect(subjectOf(readWebhookEvent(body)!)).toEqual({ kind: 'payment', id: read });
	});

	it.each<[object, object | undefined]>([
		[
			{ merchantId: 7, clientId: 'c' },
			{ kind: 'merchant', id: '7' },
		],
		[{ merchantId: 'm' }, { kind: 'merchant', id: 'm' }],
		[{ clientId: 'c' }, { kind: 'merchant', id: 'c' }],
		[
			{ merchantId: '', clientId: 'c' },
			{ kind: 'merchant', id: 'c' },
		],
		[{ paymentId: 'pay_1' }, undefined],
		[{ merchantId: null }, undefined],
	])('of a merchant with %j is about %j', (data, subject) => {
		const event = readWebhookEvent(bytes({ event: 'merchant.activated', data }));
		expect(event && subjectOf(event)).toEqual(subject);
	});

	it.each([
		'{"event":"payment.completed"}',
		'{"event":"payment.completed","data":null}',
		'{"event":"payment.completed","data":"pay_1"}',
		'{"event":1,"data":{"paymentId":"pay_1"}}',
		'{"data":{"paymentId":"pay_1"}}',
		'[]',
		'null',
		'',
	])('%s is no event', (body) => {
		expect(readWebhookEvent(Buffer.from(body))).toBeUndefined();
	});
});

describe('an event', () => {
	it.each<[string, unknown, boolean]>([
		['payment.completed', 'completed', false],
		['payment.completed', 'paid', false],
		['payment.completed', 'processing', false],
		['payment.completed', undefined, false],
		['payment.completed', 'failed', true],
		['payment.completed', 'expired', true],
		['payment.completed', 'reversed', true],
		['payment.completed', 1, true],
		['payment.failed', 'failed', false],
		['payment.failed', 'expired', false],
		['payment.failed', 'rejected', false],
		['payment.failed', undefined, false],
		['payment.failed', 'completed', true],
		['payment.failed', 'paid', true],
		['payment.expired', 'paid', true],
		['payment.expired', 'pending', false],
		['payment.processing', 'completed', false],
		['payment.created', 'failed', false],
		['merchant.activated', 'inactive', false],
		['completed', 'failed', false],
	])('%s with the status %j contradicts itself: %s', (event, status, contradicts) => {
		expect(contradictsItself({ event, data: { paymentId: 1, status } as IDataObject })).toBe(
			contradicts,
		);
	});

	const known = {
		amount: 149.99,
		currency: 'DKK',
		referenceNumber: 'ORDER-1',
		merchantId: 'merchant_abc123',
		merchantClientId: 'merchant_abc123',
	};
	it.each<[IDataObject, string | undefined]>([
		[{}, undefined],
		[{ ...known }, undefined],
		[{ amount: '149.99' }, undefined],
		[{ amount: '149.990' }, undefined],
		[{ amount: null, currency: '', referenceNumber: undefined } as never, undefined],
		[{ currency: ' dkk' }, undefined],
		[{ amount: 1 }, 'amount'],
		[{ amount: 0 }, 'amount'],
		[{ amount: '149,99' }, 'amount'],
		[{ amount: ' ' }, 'amount'],
		[{ amount: [149.99] }, undefined],
		[{ currency: 'EUR' }, 'currency'],
		[{ referenceNumber: 'ORDER-2' }, 'referenceNumber'],
		[{ referenceNumber: 'order-1' }, 'referenceNumber'],
		[{ merchantId: 'merchant_x' }, 'merchantId'],
		[{ merchantClientId: 'merchant_x' }, 'merchantClientId'],
		[{ status: 'failed', anything: 1 }, undefined],
	])('with %j differs in %j', (data, field) => {
		expect(differenceBetween(known, { event: 'payment.completed', data })).toBe(field);
	});

	it('differs in nothing from a payment of which nothing is known', () => {
		expect(differenceBetween({}, { event: 'payment.completed', data: known })).toBeUndefined();
		const empty = { amount: null, currency: '', referenceNumber: undefined };
		expect(
			differenceBetween(empty as never, { event: 'payment.completed', data: known }),
		).toBeUndefined();
	});
});

describe('the secret', () => {
	const body = bytes({ event: 'payment.completed', data: { paymentId: 'pay_1' } });
	const seconds = (now: number) => String(Math.floor(now / 1000));
	/** A node whose credential is read from `current`. */
	function node(secret: string) {
		const state = { current: secret, reads: 0, fails: false };
		const readSecret = async () => {
			state.reads++;
			if (state.fails) throw new Error('gone');
			return state.current;
		};
		const send = async (key: string, now: number) => {
			const delivery = signedWithToken(body, key, seconds(now));
			return (await receive(SCHEMES.oAuth2, delivery, readSecret, now)).status;
		};
		return { state, send, readSecret };
	}

	it('is not read for what the headers refuse', async () => {
		const { state, readSecret } = node('key');
		const right = signedWithToken(body, 'key').headers;
		for (const headers of [
			{},
			{ ...right, [SIGNATURE.timestampHeader]: undefined },
			{ ...right, [SIGNATURE.timestampHeader]: 'now' },
			{ ...right, [SIGNATURE.timestampHeader]: String(SECONDS - 301) },
			{ ...right, [SIGNATURE.signatureHeader]: undefined },
			{ ...right, [SIGNATURE.signatureHeader]: 'zz' },
			{ ...right, [SIGNATURE.signatureHeader]: ['a', 'b'] },
		]) {
			const delivery = { headers, rawBody: body };
			expect((await receive(SCHEMES.oAuth2, delivery, readSecret)).status).toBe(401);
		}
		const keyed = { headers: { 'x-webhook-signature': 'zz' }, rawBody: body };
		expect((await receive(SCHEMES.apiKey, keyed, readSecret)).status).toBe(401);
		expect(state.reads).toBe(0);
	});

	it('is read once for many deliveries, and again after ten seconds', async () => {
		const { state, send } = node('key');
		expect(TRUSTED_FOR).toBe(10_000);
		for (const ms of [0, 1, 5_000, 9_999]) expect(await send('key', NOW + ms)).toBeUndefined();
		expect(state.reads).toBe(1);
		expect(await send('key', NOW + 10_000)).toBeUndefined();
		expect(state.reads).toBe(2);
	});

	it('is read once for deliveries at the same moment, right and wrong ones', async () => {
		const { state, send } = node('key');
		const statuses = await Promise.all(
			['key', 'other', 'key', 'other'].map(async (key) => await send(key, NOW)),
		);
		expect(statuses).toEqual([undefined, 401, undefined, 401]);
		expect(state.reads).toBe(1);
	});

	it('is read at most every five seconds, however much noise comes', async () => {
		const { state, send } = node('key');
		expect(READ_EVERY).toBe(5_000);
		for (let ms = 0; ms < 60_000; ms += 100) {
			const keys = ms % 1_000 ? ['noise'] : ['noise', 'noise', 'key'];
			const statuses = await Promise.all(keys.map(async (key) => await send(key, NOW + ms)));
			expect(statuses).toEqual(keys.map((key) => (key === 'key' ? undefined : 401)));
		}
		expect(state.reads).toBe(12);
	});

	it('counts at once when it was replaced, and the old one no more', async () => {
		const { state, send } = node('old');
		expect(await send('old', NOW)).toBeUndefined();
		state.current = 'new';
		expect(await send('new', NOW + READ_EVERY)).toBeUndefined();
		expect(await send('old', NOW + READ_EVERY + 1)).toBe(401);
		expect(state.reads).toBe(2);
	});

	it('is accepted for ten seconds at most after it was removed or replaced', async () => {
		for (const current of ['', 'new']) {
			workflows++;
			const { state, send } = node('old');
			await send('old', NOW);
			state.current = current;
			expect(await send('old', NOW + TRUSTED_FOR - 1)).toBeUndefined();
			expect(await send('old', NOW + TRUSTED_FOR)).toBe(401);
			expect(await send('', NOW + TRUSTED_FOR)).toBe(401);
		}
	});

	it('that can not be read is asked for again with the next delivery', async () => {
		const { state, send } = node('key');
		state.fails = true;
		expect(await Promise.all([send('key', NOW), send('key', NOW)])).toEqual([500, 500]);
		expect(state.reads).toBe(1);
		state.fails = false;
		expect(await send('key', NOW)).toBeUndefined();
	});

	it('of one node says nothing about another workflow', async () => {
		const one = node('one');
		expect(await one.send('one', NOW)).toBeUndefined();
		workflows++;
		const two = node('two');
		expect(await two.send('one', NOW)).toBe(401);
		expect(await two.send('two', NOW)).toBeUndefined();
	});
});

describe('a delivery that a node receives', () => {
	const body = bytes({ event: 'payment.completed', data: { paymentId: 'pay_1' } });
	const received = (
		delivery: Partial<Delivery> = {},
		credential: Promise<object> = Promise.resolve({ webhookSecret: ' whsec ' }),
	) => {
		jest.spyOn(Date, 'now').mockReturnValue(NOW);
		return contextOf(
			{ ...signedWithToken(body, 'whsec'), ...delivery },
			async () => await credential,
		);
	};
	const receiveIn = async (context: IWebhookFunctions) =>
		await receiveEvent(context, SCHEMES.oAuth2, webhookSecretOf);

	it('is handed on when it is signed, and is not answered yet', async () => {
		const { context, answered, logged } = received();
		expect(await receiveIn(context)).toEqual(JSON.parse(body.toString()));
		expect([answered, logged]).toEqual([[], []]);
	});

	it('is read first where n8n has not read it', async () => {
		const delivery: Partial<Delivery> = { rawBody: undefined, readable: true };
		const { context } = received(delivery);
		const request = context.getRequestObject();
		request.readRawBody = async () => {
			request.rawBody = body;
		};
		expect(await receiveIn(context)).toMatchObject({ event: 'payment.completed' });
	});

	it.each<[string, Partial<Delivery>, object, number, string]>([
		['unsigned', { headers: {} }, { webhookSecret: 'whsec' }, 401, 'no timestamp'],
		[
			'a form, of which nothing is left',
			{ rawBody: undefined, readable: false },
			{ webhookSecret: 'whsec' },
			401,
			'its signature is wrong',
		],
		[
			'broken off',
			{
				rawBody: undefined,
				readable: true,
				readRawBody: async () => await Promise.reject(new Error('aborted')),
			},
			{ webhookSecret: 'whsec' },
			400,
			'its body broke off',
		],
		['without a secret', {}, {}, 401, 'the credential has no Webhook Secret'],
		['without a credential', {}, new Error('gone'), 500, 'the credential could not be read'],
	])('is refused, with a line in the log: %s', async (_what, delivery, credential, status, why) => {
		const { context, answered, logged } = received(
			delivery,
			credential instanceof Error
				? Promise.resolve().then(() => {
						throw credential;
					})
				: Promise.resolve(credential),
		);
		expect(await receiveIn(context)).toBeUndefined();
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
		const problem = await requireWebhookSecret(context as never, webhookSecretOf).catch(
			(error: Error) => error,
		);
		expect(problem).toMatchObject({
			message: expect.stringMatching(/^The credential has no Webhook Secret\. .*fill in/),
		});
	});

	it('may come when there is a secret', async () => {
		await requireWebhookSecret(received().context as never, webhookSecretOf);
	});
});
