import { readJson } from '../../../../nodes/shared/api/responses';
import * as fc from 'fast-check';
import { EVENTS, KEY_EVENTS, SIGNATURE } from '../../../../nodes/shared/api/events';
import { isSignedWith, SCHEMES } from '../../../../nodes/shared/webhooks/schemes';
import {
	type Delivery,
	NOW,
	receiveAlone,
	SECONDS,
	signedWithKey,
	signedWithToken,
	statusOf,
} from '../../deliveries';
import { buffer, parsed } from '../../support';

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
		event: parsed(JSON.stringify(event)) as object,
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

	it('is refused when there is more than the signature, or a list of signatures', async () => {
		const timestamp = new Date(NOW).toISOString();
		const body = buffer({ event: 'payment.failed', timestamp, data: { paymentId: 1 } });
		expect(await statusOf(scheme, signed(body, 'key'), 'key')).toBeUndefined();
		const right = String(signed(body, 'key').headers[header]);
		for (const signature of [`ab${right}`, `${right}ab`, [right], [right, right]]) {
			const delivery = signed(body, 'key');
			delivery.headers[header] = signature;
			expect(await statusOf(scheme, delivery, 'key')).toBe(401);
		}
	});

	it('is signed by nobody with an empty secret', () => {
		const body = buffer({ event: 'payment.failed', data: { paymentId: 1 } });
		for (const [secret, isSigned] of [
			['key', true],
			['', false],
		] as const) {
			const claimed = scheme.readHeaders(signed(body, secret).headers, NOW);
			expect(typeof claimed !== 'string' && isSignedWith(secret, claimed, body)).toBe(isSigned);
		}
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

	it('never throws, whatever is signed: it is an event, one that nobody knows, or refused with 400', async () => {
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
				.map((value) => buffer({ ...value, timestamp })),
		);
		await fc.assert(
			fc.asyncProperty(anything, async (body) => {
				const { event, status } = await receiveAlone(scheme, signed(body, 'key'), 'key');
				if (event) expect(['string', 'number']).toContain(typeof event.data.paymentId);
				else {
					const { event: name } = (readJson(body) ?? {}) as { event?: unknown };
					const isUnknown =
						typeof name === 'string' && /^\w[\w.:-]*$/.test(name) && !scheme.events.includes(name);
					expect(status).toBe(isUnknown ? 200 : 400);
				}
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
			buffer({ event: 'payment.failed', timestamp, data: { paymentId: 1 } }),
			'key',
		);
		delivery.headers['content-type'] = type;
		expect(await statusOf(scheme, delivery, 'key')).toBe(refused ? 400 : undefined);
	});
});

describe('the headers with access tokens', () => {
	const body = buffer({ event: 'payment.failed', data: { paymentId: 1 } });
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

	it('are refused with a list of timestamps', async () => {
		const delivery = signedWithToken(body, 'key');
		delivery.headers[SIGNATURE.timestampHeader] = [String(SECONDS)];
		expect(await refusedFor(delivery)).toBe('it has no timestamp');
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
		buffer({ event: 'payment.failed', timestamp, data: { paymentId: 1 } });
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

	it.each([
		['its event is more than 24 hours old', ago(DAY + 1)],
		['its event is more than 5 minutes ahead of the clock of n8n', ago(-5 * 60_000 - 1)],
		['its body has no timestamp', at(null)],
	])('is refused with the reason that %s', async (reason, body) => {
		const { logged } = await receiveAlone(SCHEMES.apiKey, signedWithKey(body, 'key'), 'key');
		expect(logged).toEqual([expect.stringContaining(`refused a webhook: ${reason}`)]);
	});

	it('with a local time that names no zone is refused, and the log says what is missing', async () => {
		const local = at(new Date(NOW + 2 * 60 * 60_000).toISOString().replace('Z', ''));
		const { event, logged } = await receiveAlone(
			SCHEMES.apiKey,
			signedWithKey(local, 'key'),
			'key',
		);
		expect(event).toBeUndefined();
		expect(logged).toEqual([expect.stringContaining('names no time zone')]);
	});
});
