import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
	canReplace,
	changeWebhook,
	isSamePath,
	isSameUrl,
	listWebhooks,
	readWebhook,
	readWebhooks,
	registerWebhook,
	removeWebhook,
	secretsIn,
} from '../../../../nodes/shared/api/webhookRegistrations';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const whole = {
	id: 7,
	url: 'https://n8n.example.com/webhook/1',
	events: ['payment.completed'],
	status: 'active',
	secret: 'whsec_0123',
	lastTriggeredAt: null,
};

describe('the requests', () => {
	const target = { url: 'https://n8n.example.com/webhook/1', events: ['payment.failed'] };

	it('are the documented ones, and only the registration is not repeatable', () => {
		const path = '/v1/partner/webhooks';
		expect(listWebhooks()).toEqual({ method: 'GET', path, repeatable: true, secretsIn });
		expect(registerWebhook(target)).toEqual({
			method: 'POST',
			path,
			body: target,
			repeatable: false,
			secretsIn,
		});
		expect(changeWebhook('7', target)).toEqual({
			method: 'PUT',
			path: `${path}/7`,
			body: target,
			repeatable: true,
			secretsIn,
		});
		expect(removeWebhook('7')).toEqual({
			method: 'DELETE',
			path: `${path}/7`,
			repeatable: true,
			secretsIn,
		});
	});

	it('stay below their path, whatever the ID is', () => {
		const ids = fc.oneof(
			fc.string(),
			fc.constantFrom('..', '.', '../payments', '7', 'wh_1', '7?a', '%2e'),
		);
		fc.assert(
			fc.property(ids, (id) => {
				const below = /^\/v1\/partner\/webhooks\/[A-Za-z0-9][\w-]*$/;
				for (const request of [
					() => removeWebhook(id).path,
					() => changeWebhook(id, target).path,
				]) {
					if (/^[A-Za-z0-9][\w-]{0,99}$/.test(id)) expect(request()).toMatch(below);
					else expect(request).toThrow(RangeError);
				}
			}),
		);
	});
});

describe('a webhook in a response', () => {
	const { url, events, secret } = whole;

	it.each([
		[whole, { id: '7', url, events, isActive: true, secret }],
		[
			{ ...whole, id: 'wh_1', status: 'inactive' },
			{ id: 'wh_1', url, events, isActive: false, secret },
		],
		[
			{ ...whole, id: undefined, webhookId: 8 },
			{ id: '8', url, events, isActive: true, secret },
		],
		[
			{ id: 7, url },
			{ id: '7', url, isActive: true, secret: undefined },
		],
		[
			{ id: 7, url, events: 'payment.failed' },
			{ id: '7', url, isActive: true, secret: undefined },
		],
	])('%j', (body, read) => {
		expect(readWebhook(json(body))).toEqual(read);
	});

	it.each([
		{},
		{ url },
		...['', null, '..', 'a/b', '7 ', -1, Infinity, 'wh.1'].map((id) => ({ ...whole, id })),
		[],
		'text',
		null,
		[whole],
	])('is not %j', (body) => {
		expect(readWebhook(json(body))).toBeUndefined();
	});

	it.each([
		'[REDACTED]',
		'whsec_xxxxxxxxxxxx',
		'whsec_ 0123',
		'',
		'  ',
		'whsec_***',
		'••••',
		'whsec_…1234',
		'whsec_...1234',
		null,
		7,
		{},
	])('has no secret in %j', (shown) => {
		expect(readWebhook(json({ ...whole, secret: shown }))).toMatchObject({ secret: undefined });
	});
});

describe('a secret that a list shows', () => {
	const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
	const secrets = hex(48).map((digits) => `whsec_${digits}`);
	const given = `whsec_${createHash('sha256').update('given').digest('hex').slice(0, 48)}`;

	it('can replace the one that was given when it is another one of its kind', () => {
		const random = fc.uint8Array({ minLength: 8, maxLength: 8 });
		fc.assert(
			fc.property(random, (seed) => {
				const digits = createHash('sha256').update(seed).digest('hex').slice(0, 48);
				expect(canReplace(given, `whsec_${digits}`)).toBe(true);
			}),
		);
	});

	it('can not when it is a mask, shorter, or of other characters', () => {
		const masks = fc.oneof(
			secrets.map((secret) => secret.replace(/(?<=_.*)[0-9a-f](?=.{4})/g, 'x')),
			secrets.map((secret) => `whsec_${'0'.repeat(44)}${secret.slice(-4)}`),
			fc
				.constantFrom('deadbeef', 'abcdef012345', 'ab', '0f1')
				.map((word) => `whsec_${word.repeat(48 / word.length)}`),
			secrets.map((secret) => secret.slice(0, 20)),
			secrets.map((secret) => secret.slice(6)),
			secrets.map((secret) => `${secret}0`),
			secrets.map((secret) => secret.replace('whsec_', 'WHSEC_')),
			fc.nat(47).map((at) => `${given.slice(0, 6 + at)}g${given.slice(7 + at)}`),
			fc.constantFrom('[REDACTED]', '●●●●', `whsec_${'x'.repeat(48)}`, '', 'whsec_'),
		);
		fc.assert(
			fc.property(masks, (mask) => {
				expect(canReplace(given, mask)).toBe(false);
			}),
		);
	});
});

describe('the secrets in a response', () => {
	const secret = ['whsec', '5f3c9a1e77'].join('_');
	it.each([
		['a webhook', json({ ...whole, secret })],
		['a list', json([{ ...whole, secret }])],
		['an error that echoes the request', json({ message: `{"url":"x","secret":"${secret}"}` })],
		['one in a list of errors', json({ errors: [{ value: { secret } }] })],
		['HTML', Buffer.from(`<p>no such webhook: ${secret}</p>`)],
		['a form', Buffer.from(`url=x&secret=${secret}&a=b`)],
	])('are found in %s', (_what, body) => {
		expect(secretsIn(body)).toContain(secret);
	});

	it('are found whatever form they have, where a name says so', () => {
		expect(secretsIn(json({ secret: 'plain-0123' }))).toContain('plain-0123');
		expect(secretsIn(json({ clientSecret: 'plain-0123' }))).toContain('plain-0123');
	});

	it('are found when JSON writes some of their characters as escapes', () => {
		const body = Buffer.from('{"message":"bad: whsec\\u005f01\\/23","secret":"a\\u0062c-01\\/23"}');
		expect(secretsIn(body)).toEqual(expect.arrayContaining(['whsec_01/23', 'abc-01/23']));
	});

	it('are not made of a sentence', () => {
		expect(secretsIn(json({ message: 'secret: required, or client secret = wrong' }))).toEqual([]);
	});

	it('are looked for in a time that is linear in the length', () => {
		for (const part of ['secret', 'secret:', 'secret"', 'whsec_', 'secret="\\']) {
			const startedAt = Date.now();
			secretsIn(Buffer.from(part.repeat(200_000)));
			expect(Date.now() - startedAt).toBeLessThan(2_000);
		}
	});
});

describe('a URL that AcountPay lists', () => {
	const url = 'https://n8n.example.com/webhook/a-1/webhook';

	it.each([
		[url, url],
		['https://n8n.example.com:443/webhook/a-1/webhook', url],
		['HTTPS://N8N.Example.COM/webhook/a-1/webhook', url],
		['https://n8n.example.com/webhook/%61-1/webhook', url],
		['https://xn--kb-lka.example/webhook', 'https://køb.example/webhook'],
		['https://n8n.example.com/a%2fb', 'https://n8n.example.com/a%2Fb'],
	])('%s is %s', (listed, own) => {
		expect(isSameUrl(listed, own)).toBe(true);
		expect(isSameUrl(own, listed)).toBe(true);
	});

	it.each([
		undefined,
		null,
		'x',
		'',
		{},
		'http://n8n.example.com/webhook/a-1/webhook',
		'https://n8n.example.com:8443/webhook/a-1/webhook',
		'https://n8n.example.com/webhook/A-1/webhook',
		'https://n8n.example.com/webhook/a-1/webhook/',
		'https://n8n.example.com/webhook/a-1/webhook?a',
		'https://n8n.example.com/webhook/a-1%2Fwebhook',
		'https://n8n.example.com@evil.example/webhook/a-1/webhook',
		'https://evil.example/webhook/a-1/webhook',
	])('%j is another', (listed) => {
		expect(isSameUrl(listed, url)).toBe(false);
	});

	it('that is no URL is not even itself', () => {
		expect(isSameUrl('x', 'x')).toBe(false);
	});

	it('may be that of the same trigger at another host', () => {
		expect(isSamePath('http://localhost:5678/webhook/a-1/webhook', url)).toBe(true);
		expect(isSamePath('https://n8n.example.com/webhook/a-2/webhook', url)).toBe(false);
		expect(isSamePath(undefined, url)).toBe(false);
	});
});

describe('a list of webhooks', () => {
	it.each([
		[
			[whole, { ...whole, id: 8 }],
			['7', '8'],
		],
		[{ webhooks: [whole] }, ['7']],
		[{ webhooks: [whole], total: 1 }, ['7']],
		[{ webhooks: [whole], total: 0 }, ['7']],
		[{ webhooks: [whole, { ...whole, id: '..' }], total: 2 }, ['7']],
		[{ webhooks: [], total: 0 }, []],
		[[], []],
		[[whole, {}], ['7']],
	])('%j', (body, ids) => {
		expect(readWebhooks(json(body))!.map(({ id }) => id)).toEqual(ids);
	});

	it.each([
		{},
		{ error: 'none' },
		'text',
		null,
		7,
		[whole, 'text'],
		[null],
		{ webhooks: [whole], total: 2 },
		{ webhooks: [], total: 1 },
		{ webhooks: [whole], limit: 1 },
	])('is not %j', (body) => {
		expect(readWebhooks(json(body))).toBeUndefined();
	});

	it('is read or not, and never throws', () => {
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				const body = json(value);
				for (const { id } of readWebhooks(body) ?? []) expect(id).not.toBe('');
				expect(() => readWebhook(body)).not.toThrow();
			}),
		);
	});
});
