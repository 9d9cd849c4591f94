import fc from 'fast-check';
import { isId, readJson, readObject, readReason } from '../../../../nodes/shared/api/responses';
import { buffer, parsed } from '../../support';

describe('responses', () => {
	it('that are JSON objects are read as they are, but for large integers', () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (value) => {
				const text = JSON.stringify(value);
				expect(readObject(buffer(text))).toEqual(parsed(text));
			}),
		);
	});

	it.each<[string, object]>([
		['\uFEFF{"id":1}', { id: 1 }],
		['{"id":9007199254740991}', { id: 9007199254740991 }],
		['{"id":9007199254740993}', { id: '9007199254740993' }],
		['{"id":9007199254740994}', { id: '9007199254740994' }],
		['{"data":{"paymentId":-9007199254740992}}', { data: { paymentId: '-9007199254740992' } }],
		[
			'{"a":[9007199254740993,-12345678901234567890]}',
			{ a: ['9007199254740993', '-12345678901234567890'] },
		],
		[
			'{"a":1e300,"b":149.99,"c":"90071992547409930"}',
			{ a: 1e300, b: 149.99, c: '90071992547409930' },
		],
		[
			'{"a":9007199254740994,"b":0.1234567890123456789,"id":1.5}',
			{ a: '9007199254740994', b: 0.12345678901234568, id: 1.5 },
		],
	])('%p is read without loss', (text, value) => {
		expect(readObject(buffer(text))).toEqual(value);
	});

	it.each([
		[''],
		['{}'],
		['[]'],
		['\uFEFF'],
		['[{"id":1}]'],
		['null'],
		['1'],
		['"x"'],
		['{"id":'],
		['<html>'],
	])('%p says nothing', (text) => {
		expect(readObject(buffer(text))).toBeUndefined();
	});
});

describe('the reason of a refusal', () => {
	const reasonIn = (body: unknown) => readReason(buffer(body), (text) => text);

	it.each<[unknown, string]>([
		[{ statusCode: 400, message: 'amount is wrong', error: 'Bad Request' }, 'amount is wrong'],
		[{ message: ['a', ' b ', ''], error: 'Bad Request' }, 'a; b'],
		[{ message: '', error: 'Bad Request' }, 'Bad Request'],
		[{ message: [], error: { message: 'inner' } }, 'inner'],
		[{ error: 'invalid_client' }, 'invalid_client'],
		[{ errors: [{ message: 'one' }, 'two', { other: 1 }] }, 'one; two'],
		[
			{ message: 'Validation failed', errors: [{ field: 'amount', message: 'too small' }] },
			'Validation failed; too small',
		],
		[{ message: 'too small', errors: ['too small'] }, 'too small'],
		[{ errors: { amount: ['too small', 'no number'] } }, 'amount: too small; amount: no number'],
		[{ message: { amount: 'too small' }, error: 'Bad Request' }, 'amount: too small'],
		[{ title: 'Invalid', status: 400, detail: 'too small' }, 'title: Invalid; detail: too small'],
		[{ data: { reason: 'too small' } }, 'data: reason: too small'],
		[{ errors: [] }, ''],
		[{ other: 1 }, ''],
		[['one', 'two'], 'one; two'],
		['"text"', 'text'],
		['plain words', 'plain words'],
		['', ''],
		['null', ''],
		[
			'<html><head><title>T</title></head><body><h1>502</h1> Bad&nbsp;<b>Gateway</b></body></html>',
			'502 Bad&nbsp; Gateway',
		],
		['<script>alert(1)</script >after', 'after'],
		['{"message": "cut o', '{"message": "cut o'],
	])('in %p is %p', (body, reason) => {
		expect(reasonIn(body)).toBe(reason);
	});

	it('has what must not get out hidden before it is cut', () => {
		const hide = (text: string) => text.replace('secret', '[secret]');
		const before = 'x'.repeat(495);
		expect(readReason(buffer({ message: `${before} secret` }), hide)).toBe(`${before} [se…`);
	});

	it('is never longer than 500 characters, whatever came', () => {
		expect(reasonIn('x'.repeat(500))).toBe('x'.repeat(500));
		expect(reasonIn('x'.repeat(501))).toBe(`${'x'.repeat(499)}…`);
		fc.assert(
			fc.property(fc.oneof(fc.string({ maxLength: 3_000 }), fc.json()), (text) => {
				expect(reasonIn(text).length).toBeLessThanOrEqual(500);
			}),
		);
	});
});

describe('ids', () => {
	it.each([['pay_1'], ['0'], [0], [7], [-1], [Number.MAX_SAFE_INTEGER]])('%p is one', (id) => {
		expect(isId(id)).toBe(true);
	});

	it.each([[''], [' '], [Infinity], [NaN], [1.5], [2 ** 53], [null], [undefined], [{}], [['a']]])(
		'%p is none',
		(id) => {
			expect(isId(id)).toBe(false);
		},
	);
});

describe('JSON of any kind', () => {
	it.each<[string, unknown]>([
		['[1,"a"]', [1, 'a']],
		['"a"', 'a'],
		['0', 0],
		['null', null],
		['[{"id":9007199254740993}]', [{ id: '9007199254740993' }]],
		['{"\\u0069d":9007199254740994}', { id: '9007199254740994' }],
		['{"a":"id","b":9007199254740994}', { a: 'id', b: '9007199254740994' }],
		['[9007199254740991,9007199254740992]', [9007199254740991, '9007199254740992']],
		['{"id":1e20,"b":9007199254740993.0}', { id: 1e20, b: 9007199254740992 }],
		['{"id" :\n 9007199254740994 }', { id: '9007199254740994' }],
		['{"a":"\\"9007199254740993","b\\\\":1}', { a: '"9007199254740993', 'b\\': 1 }],
		['{"a":1e400,"b":-0,"c":1E2}', { a: Infinity, b: -0, c: 100 }],
	])('%p', (text, value) => {
		expect(readJson(buffer(text))).toEqual(value);
	});

	it.each([
		['{9007199254740993:1}'],
		['{"a":1,9007199254740993:1}'],
		['00000000000000000001'],
		[''],
	])('%p is none', (text) => expect(readJson(buffer(text))).toBeUndefined());

	it('is read as JSON.parse reads it, but for large integers', () => {
		fc.assert(
			fc.property(fc.json(), (text) => {
				expect(readJson(buffer(text))).toEqual(parsed(text));
			}),
		);
	});

	it('keeps the digits of any integer', () => {
		fc.assert(
			fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (value) => {
				expect(String(readJson(buffer(`{"id":${value}}`))?.['id' as never])).toBe(String(value));
			}),
		);
	});

	it('is taken down to 100 levels', () => {
		const nested = (levels: number) => buffer('['.repeat(levels) + ']'.repeat(levels));
		expect(readJson(nested(100))).toBeDefined();
		expect(readJson(nested(101))).toBeUndefined();
		expect(readJson(nested(100_000))).toBeUndefined();
	});
});

describe('HTML', () => {
	it.each([
		['<h1>Bad</h1>\n<p>Gateway</p>', 'Bad Gateway'],
		['<title>502</title><h1>Bad</h1>', '502 Bad'],
		['<problem><title>Out of credit</title></problem>', 'Out of credit'],
		['<head><title>502</title><style>a{}</style></head><body>Bad</body>', 'Bad'],
		['a<SCRIPT src="x">b < c > d</script >e', 'a e'],
		['a<style>b</Style>c<script>d<style>e</script>f', 'a c f'],
		['a<script>b</style></script', 'a'],
		['Field <title> is missing', 'Field is missing'],
		['a<head>b', 'a'],
		['<header>a</header><titles>b</titles>', 'a b'],
		['</script>a < b, c > d <b', 'a d <b'],
		['<<b>>', '< >'],
	])('%p says %p', (html, text) => {
		expect(readReason(buffer(html), (reason) => reason)).toBe(text);
	});

	it('is looked at for 64 kB, and a style sheet that is cut there is none of it', () => {
		const reason = (html: string) => readReason(buffer(html), (text) => text);
		expect(reason(`<h1>Bad</h1><style>${'a{}'.repeat(30_000)}</style>Gateway`)).toBe('Bad');
		expect(reason(`<h1>Bad</h1>${' '.repeat(70_000)}Gateway`)).toBe('Bad');
		expect(reason(`<h1>Bad</h1>${' '.repeat(60_000)}Gateway`)).toBe('Bad Gateway');
	});
});
