import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Redactor } from '../../../nodes/shared/redaction';

const secret = 'cs_5up3r/s3cret+w1th=s1gns&m0re"quotes';
const opaque = 'opaque-access-token-0123456789-abcdef';
const header = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9';
const payload = Buffer.from('{"iss":"https://api.acountpay.com","sub":"partner_1","jti":"7f3a"}');
const signature = 'Zm9vYmFyLXNpZ25hdHVyZS1vZi10aGlzLXRva2Vu';
const jwt = `${header}.${payload.toString('base64url')}.${signature}`;

/** A redactor that knows these secrets. */
function redactorOf(...secrets: string[]): Redactor {
	const own = new Redactor();
	for (const one of secrets) own.add(one);
	return own;
}

let redactor: Redactor;
beforeEach(() => {
	redactor = redactorOf(secret, opaque, jwt, '');
});

const base64 = (text: string) => Buffer.from(text).toString('base64');
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const json = (text: string) => JSON.stringify(text).slice(1, -1);
const html = (text: string) =>
	text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('=', '&#61;');
const hexEscaped = (text: string) =>
	[...text].map((sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

const encodings: Array<[string, (text: string) => string]> = [
	['plain', (text) => text],
	['behind Bearer', (text) => `Bearer ${text}`],
	['base64', base64],
	['base64 without padding', (text) => base64(text).replace(/=+$/, '')],
	['base64 for URLs', base64url],
	['base64 with Bearer', (text) => base64(`Bearer ${text}`)],
	['base64 for URLs with Bearer', (text) => base64url(`Bearer ${text}`)],
	['base64 of id and secret', (text) => base64(`partner_1:${text}`)],
	['base64 of id and secret, one longer', (text) => base64(`partner_12:${text}`)],
	['base64 in the middle of more', (text) => base64(`{"a":"${text}","b":1}`)],
	['hexadecimal', (text) => Buffer.from(text).toString('hex')],
	['hexadecimal in capitals', (text) => Buffer.from(text).toString('hex').toUpperCase()],
	['for a URL', encodeURIComponent],
	['for a URL in small letters', (text) => encodeURIComponent(text).toLowerCase()],
	['for a URL twice', (text) => encodeURIComponent(encodeURIComponent(text))],
	['base64 for a URL', (text) => encodeURIComponent(base64(text))],
	['as JSON', json],
	['as JSON with \\/', (text) => json(text).replaceAll('/', '\\/')],
	['as JSON with \\u', (text) => json(text).replaceAll('&', '\\u0026').replaceAll('=', '\\u003D')],
	['as JSON, all of it with \\u', hexEscaped],
	['as JSON twice', (text) => json(json(text))],
	['as HTML', html],
	['as HTML in JSON', (text) => json(html(text))],
	['in small letters', (text) => text.toLowerCase()],
	['in capitals', (text) => text.toUpperCase()],
];

/** What may be left of an encoded secret, in letters and digits. */
const nothingOf = (text: string) => text.replace('[secret]', '').replace(/%3D|[^\w]/g, '');

describe.each([
	['the client secret', secret],
	['an opaque token', opaque],
	['a JWT', jwt],
])('%s', (_what, hidden) => {
	it.each(encodings)('is taken out: %s', (_how, encode) => {
		const before = nothingOf(redactor.text(encode('')));
		for (const [left, right] of [
			['', ''],
			['Said "', '" to it'],
			['x=', '&y=1'],
		]) {
			const redacted = redactor.text(left + encode(hidden) + right);
			expect(redacted).toContain('[secret]');
			expect(redacted.startsWith(left)).toBe(true);
			expect(redacted.endsWith(right)).toBe(true);
			// Around base64 of more than the secret, what is not of the secret stays.
			const kept = redacted.slice(left.length, redacted.length - right.length);
			if (!_how.includes('of id') && !_how.includes('middle') && !_how.includes('Bearer')) {
				expect(nothingOf(kept)).toBe(before);
			}
			expect(redactor.text(redacted)).toBe(redacted);
		}
	});

	it.each(encodings)('is taken out where it was cut: %s', (_how, encode) => {
		const whole = encode(hidden);
		const constant = encode('').length;
		const enough = _how.includes('\\u') ? 6 * 18 : _how.includes('base64') ? 26 : 36;
		for (let length = constant + enough + 16; length < whole.length; length += 7) {
			const cut = redactor.text(`Said: ${whole.slice(0, length)}…`);
			expect([length, cut]).toEqual([length, expect.stringMatching(/^Said: .*\[secret\].*…$/)]);
		}
	});

	it('is taken out where only its end is left', () => {
		for (const length of [16, 20, 30]) {
			expect(redactor.text(`****${hidden.slice(-length)}`)).toBe('****[secret]');
		}
	});
});

it('cut to 30 characters with Bearer, as it is and as base64', () => {
	const bearer = `Bearer ${opaque}`;
	expect(redactor.text(bearer.slice(0, 30))).toBe('Bearer [secret]');
	expect(redactor.text(base64(bearer).slice(0, 30))).toMatch(/^QmVhcmVyI?\[secret\]$/);
	expect(redactor.text(`Invalid: ${bearer.slice(0, 30)}...`)).toBe('Invalid: Bearer [secret]...');
	// The first part of a JWT is its header: others have the same, but go on otherwise.
	expect(redactor.text(`Bearer ${header.slice(0, 30)}…`)).toBe('Bearer [secret]…');
	expect(redactor.text(`{"token":"${header}"}`)).toBe('{"token":"[secret]"}');
});

describe('nothing else changes', () => {
	const otherPayload = Buffer.from(
		'{"iss":"https://api.acountpay.com","sub":"partner_1","jti":"9"}',
	);
	it.each([
		[
			'another JWT of the same issuer',
			`${header}.${otherPayload.toString('base64url')}.c2lnbmF0dXJl`,
		],
		['another id that begins like a secret', 'opaque-access-token-9'],
		['a shorter part', `${opaque.slice(0, 15)} ${secret.slice(-15)}`],
		['escapes', 'a%2Fb%zz &amp; &amp &#x2F; &#x; \\u0041 \\uzz \\n "\\"" %'],
		['nothing', ''],
	])('%s stays', (_what, text) => {
		expect(redactor.text(text)).toBe(text);
		const inJson = JSON.stringify({ [text]: [text, { a: text, b: 1, c: null, d: true }] });
		expect(redactor.text(inJson)).toBe(inJson);
	});

	it('any JSON stays as it is', () => {
		fc.assert(
			fc.property(fc.json(), (text) => {
				expect(redactor.text(text)).toBe(text);
			}),
		);
	});

	it('around a secret, in any text', () => {
		const others = fc.string({ unit: 'binary' });
		fc.assert(
			fc.property(others, others, (before, after) => {
				expect(redactor.text(`${before} ${opaque} ${after}`)).toBe(`${before} [secret] ${after}`);
			}),
		);
	});
});

it('any text with a secret anywhere in it, in any encoding, has none afterwards', () => {
	fc.assert(
		fc.property(
			fc.string({ maxLength: 80 }),
			fc.constantFrom(...encodings.filter(([how]) => !how.includes('middle'))),
			fc.string({ maxLength: 80 }),
			fc.constantFrom(secret, opaque, jwt),
			(before, [, encode], after, hidden) => {
				const redacted = redactor.text(before + encode(hidden) + after);
				expect(redacted).toContain('[secret]');
				expect(redacted).not.toContain(encode(hidden).slice(-12));
			},
		),
		{ numRuns: 2_000 },
	);
});

it.each<[string, (text: string) => string]>([
	['%4', encodeURIComponent],
	['%4', (text) => encodeURIComponent(encodeURIComponent(text))],
	['x%2541%4', encodeURIComponent],
])('a secret behind %s, which makes an escape of its first letter', (before, encode) => {
	const redacted = redactor.text(before + encode(secret));
	expect(redacted).toBe(`${before}c[secret]`);
});

it('a random secret in any of its base64 forms', () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 8, max: 64 }),
			fc.integer({ min: 0, max: 9 }),
			fc.integer({ min: 0, max: 9 }),
			(length, before, after) => {
				const bytes = randomBytes(length).toString('base64url').slice(0, length);
				const own = redactorOf(bytes);
				for (const encode of [base64, base64url]) {
					const text = encode(' '.repeat(before) + bytes + ' '.repeat(after));
					const shown = own.text(text);
					expect(shown).toContain('[secret]');
					const left = Buffer.from(shown.replace('[secret]', ''), 'base64').toString('latin1');
					expect(left.length).toBeLessThanOrEqual(before + after + 2);
				}
			},
		),
	);
});

describe('JSON', () => {
	const redacted = (value: unknown) => JSON.parse(redactor.text(JSON.stringify(value))) as unknown;

	it('has secrets taken out of texts and keys, at any depth', () => {
		const payment = {
			id: 'p1',
			echo: { authorization: `Bearer ${opaque}`, kept: [1, null, { a: 'b' }] },
			[secret]: [opaque, 'x'],
			[`x ${secret}`]: { [opaque]: 1 },
		};
		expect(redacted(payment)).toEqual({
			id: 'p1',
			echo: { authorization: 'Bearer [secret]', kept: [1, null, { a: 'b' }] },
			'[secret]': ['[secret]', 'x'],
			'x [secret]': { '[secret]': 1 },
		});
	});

	it('is JSON afterwards, whatever stands around a secret', () => {
		const hidden = fc.constantFrom(secret, opaque, jwt, json(secret), secret.slice(0, 33));
		fc.assert(
			fc.property(fc.string(), hidden, fc.string(), (before, said, after) => {
				const value = redacted({ message: before + said + after }) as { message: string };
				expect(value.message).toContain('[secret]');
			}),
		);
	});
});

describe('what a person does not see between the letters of a secret', () => {
	const hidden = [
		['a tag between any two', '<wbr>'],
		['a tag with attributes', '<span class="x">'],
		['a soft hyphen', '\u00ad'],
		['a soft hyphen of HTML', '&#173;'],
		['a space without width', '\u200b'],
		['a tag whose signs are escaped for HTML', '&lt;wbr&gt;'],
		['a tag whose signs are escaped for JSON', '\\u003cwbr\\u003e'],
	];
	it.each(hidden)('does not hide it: %s', (_what, between) => {
		for (const said of [secret, opaque, jwt, base64url(opaque)]) {
			expect(redactor.text(`<p>${[...said].join(between)}</p>`)).toBe('<p>[secret]</p>');
		}
	});

	it.each(hidden)('stays where no secret is: %s', (_what, between) => {
		const text = `<p>${[...'Payment refused: the amount is too high'].join(between)}</p>`;
		expect(redactor.text(text)).toBe(text);
	});

	it('does not hide it, wherever it stands', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: jwt.length - 1 }), (at) => {
				const broken = `${jwt.slice(0, at)}<wbr>${jwt.slice(at)}`;
				expect(redactor.text(`Bearer ${broken}.`)).toBe('Bearer [secret].');
			}),
		);
	});
});

describe('a secret in UTF-16', () => {
	it.each([
		['little-endian', (text: string) => Buffer.from(text, 'utf16le')],
		['big-endian', (text: string) => Buffer.from(text, 'utf16le').swap16()],
	])('is taken out of a text that is read as UTF-8: %s', (_what, encode) => {
		for (const said of [secret, opaque, jwt]) {
			const text = encode(`{"message":"Bearer ${said}"}`).toString('utf8');
			const redacted = redactor.text(text);
			expect(redacted.replaceAll('\0', '')).toBe('{"message":"Bearer [secret]"}');
		}
	});
});

describe('short secrets', () => {
	it('are only taken out as whole words', () => {
		const short = redactorOf('1', 'pw');
		expect(short.text('1, pw and 11, pws, (pw)')).toBe(
			'[secret], [secret] and 11, pws, ([secret])',
		);
		expect(short.text(base64('pw'))).toBe(base64('pw'));
		expect(short.text('{"id":"pay_1","amount":11}')).toBe('{"id":"pay_1","amount":11}');
	});

	it('of 8 characters are taken out in all forms', () => {
		const short = redactorOf('p4ss/w0d');
		expect(short.text('xp4ss/w0dy p4ss%2Fw0d p4ss\\/w0d')).toBe('x[secret]y [secret] [secret]');
		expect(short.text(base64('id:p4ss/w0d'))).toContain('[secret]');
	});

	it('empty ones never', () => {
		const none = redactorOf('');
		expect(none.text('abc')).toBe('abc');
		none.add('abcdefgh');
		expect(none.text('abcdefgh')).toBe('[secret]');
	});
});

it('a secret that was encoded up to three times is taken out, and no more is decoded', () => {
	const encoded = (times: number): string =>
		times === 0 ? secret : encodeURIComponent(encoded(times - 1));
	expect(redactor.text(encoded(3))).toBe('[secret]');
	expect(redactor.text(encoded(4))).toBe(encoded(4));
});

describe('what stands right beside a secret', () => {
	it.each(['\u0130', '\u0130\u0130\u0130', 'ßß'])('%s keeps its place', (before) => {
		expect(redactor.text(`${before} ${secret} ${before}`)).toBe(`${before} [secret] ${before}`);
	});

	it('stays, when it holds no bit of a secret in base64', () => {
		const own = redactorOf('a-secret-of-24-character');
		const encoded = base64('a-secret-of-24-character');
		expect(own.text(encoded + base64('xyz'))).toBe(`[secret]${base64('xyz')}`);
		expect(own.text(`"${base64('1a-secret-of-24-character12').slice(2)}"`)).toMatch(/^"\[secret\]/);
	});

	it('goes with it, when it is a part of the secret', () => {
		expect(redactor.text(`x ${secret.slice(-20)}${secret}`)).toBe('x [secret]');
		expect(redactor.text(`${secret}${secret.slice(0, 20)} x`)).toBe('[secret] x');
	});

	it('goes with it, when it is another secret', () => {
		expect(redactor.text(`${secret}${opaque}`)).toBe('[secret]');
		expect(redactor.text(`x${secret}${opaque}x`)).toBe('x[secret]x');
	});

	it('hides no secret that is a part of another secret', () => {
		const own = redactorOf(opaque, `x${opaque}y`);
		expect(own.text(`q${opaque}r`)).toBe('q[secret]r');
	});
});

it('two parts that are no secret together stay', () => {
	const text = `a${opaque.slice(-20)}${opaque.slice(0, 20)}b`;
	expect(redactor.text(text)).toBe(text);
});

it('a secret that is added later is taken out, too', () => {
	const later = new Redactor();
	expect(later.text(opaque)).toBe(opaque);
	later.add(opaque);
	later.add(secret);
	expect(later.text(`${opaque} ${secret}`)).toBe('[secret] [secret]');
});

it('letters that are not ASCII, in a URL', () => {
	const own = redactorOf('hemmeligt-kodeord-på-ø');
	expect(own.text(encodeURIComponent('hemmeligt-kodeord-på-ø'))).toBe('[secret]');
	expect(own.text('hemmeligt-kodeord-p\\u00e5-\\u00F8')).toBe('[secret]');
});
