import fc from 'fast-check';
import { readMadePayment } from '../../../nodes/shared/api/payments';
import { isId, readJson, readObject, readReason } from '../../../nodes/shared/api/responses';
import { buffer } from './support';

describe('responses', () => {
	test('that are JSON objects are read as they are', () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (value) => {
				const text = JSON.stringify(value);
				expect(readObject(buffer(text))).toEqual(JSON.parse(text));
			}),
		);
	});

	test.each<[string, object]>([
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
			{ a: 9007199254740994, b: 0.12345678901234568, id: 1.5 },
		],
	])('%p is read without loss', (text, value) => {
		expect(readObject(buffer(text))).toEqual(value);
	});

	test.each([
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

	test.each<[unknown, string]>([
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

	test('has what must not get out hidden before it is cut', () => {
		const hide = (text: string) => text.replace('secret', '[secret]');
		const before = 'x'.repeat(495);
		expect(readReason(buffer({ message: `${before} secret` }), hide)).toBe(`${before} [se…`);
	});

	test('is never longer than 500 characters, whatever came', () => {
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
	test.each([['pay_1'], ['0'], [0], [7], [-1], [Number.MAX_SAFE_INTEGER]])('%p is one', (id) => {
		expect(isId(id)).toBe(true);
	});

	test.each([[''], [' '], [Infinity], [NaN], [1.5], [2 ** 53], [null], [undefined], [{}], [['a']]])(
		'%p is none',
		(id) => {
			expect(isId(id)).toBe(false);
		},
	);
});

describe('JSON of any kind', () => {
	test.each<[string, unknown]>([
		['[1,"a"]', [1, 'a']],
		['"a"', 'a'],
		['0', 0],
		['null', null],
		['[{"id":9007199254740993}]', [{ id: '9007199254740993' }]],
		['{"\\u0069d":9007199254740994}', { id: '9007199254740994' }],
		['{"a":"id","b":9007199254740994}', { a: 'id', b: 9007199254740994 }],
		['{"id":[9007199254740994]}', { id: [9007199254740994] }],
		['{"id" :\n 9007199254740994 }', { id: '9007199254740994' }],
		['{"a":"\\"9007199254740993","b\\\\":1}', { a: '"9007199254740993', 'b\\': 1 }],
		['{"a":1e400,"b":-0,"c":1E2}', { a: Infinity, b: -0, c: 100 }],
	])('%p', (text, value) => {
		expect(readJson(buffer(text))).toEqual(value);
	});

	test.each([
		['{9007199254740993:1}'],
		['{"a":1,9007199254740993:1}'],
		['00000000000000000001'],
		[''],
	])('%p is none', (text) => expect(readJson(buffer(text))).toBeUndefined());

	test('is read as JSON.parse reads it, where no integer is large', () => {
		fc.assert(
			fc.property(fc.json(), (text) => {
				expect(readJson(buffer(text))).toEqual(JSON.parse(text));
			}),
		);
	});

	test('keeps the digits of any integer', () => {
		fc.assert(
			fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (value) => {
				expect(String(readJson(buffer(`{"id":${value}}`))?.['id' as never])).toBe(String(value));
			}),
		);
	});

	test('is taken down to 100 levels', () => {
		const nested = (levels: number) => buffer('['.repeat(levels) + ']'.repeat(levels));
		expect(readJson(nested(100))).toBeDefined();
		expect(readJson(nested(101))).toBeUndefined();
		expect(readJson(nested(100_000))).toBeUndefined();
	});
});

describe('HTML', () => {
	/** As it was: quadratic. */
	const visibleText = (html: string) =>
		html
			.replace(/<(script|style|head)\b[\s\S]*?<\/\1\s*>/gi, ' ')
			.replace(/<[^>]*>/g, ' ')
			.replace(/\s+/g, ' ')
			.trim();

	test('says the same as by the patterns that were there before', () => {
		const part = fc.constantFrom(
			...['<', '>', '</', '<script', '<SCRIPT>', '</script', '</script >', '<style>', '</Style>'],
			...['<head ', '</head>', '<header>', '<b>', '</b>', ' ', '\n', 'a', 'script', '/', '='],
		);
		fc.assert(
			fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
				const html = parts.join('');
				expect(readReason(buffer(html), (text) => text)).toBe(visibleText(html));
			}),
			{ numRuns: 5_000 },
		);
	});

	test('is looked at for 64 kB, and a style sheet that is cut there is none of it', () => {
		const reason = (html: string) => readReason(buffer(html), (text) => text);
		expect(reason(`<h1>Bad</h1><style>${'a{}'.repeat(30_000)}</style>Gateway`)).toBe('Bad');
		expect(reason(`<h1>Bad</h1>${' '.repeat(70_000)}Gateway`)).toBe('Bad');
		expect(reason(`<h1>Bad</h1>${' '.repeat(60_000)}Gateway`)).toBe('Bad Gateway');
	});
});

describe('any bytes', () => {
	const MB = 1 << 20;
	/**
	 * In ms. On a machine of its own none takes 100; in jest's own context each look-up of a global costs many times as
	 * much, and other suites run beside this one. What backtracks takes seconds to days.
	 */
	const LIMIT = 500;
	const hide = (text: string) => text;

	/** Milliseconds of CPU, the least of three: the machine does other things, too. */
	const cpuOf = (work: () => void) => {
		const once = () => {
			const before = process.cpuUsage();
			work();
			const { user, system } = process.cpuUsage(before);
			return (user + system) / 1_000;
		};
		return Math.min(once(), once(), once());
	};

	/** How long the body is looked at in all the ways that there are, at most. */
	const longest = (body: Buffer) =>
		Math.max(
			cpuOf(() => readReason(body, hide)),
			cpuOf(() => readMadePayment(body)),
			cpuOf(() => readJson(body)),
		);

	const nested = (open: string, levels: number, close: string) =>
		`${open.repeat(levels)}1${close.repeat(levels)}`;

	test.each<[string, string]>([
		['313 bytes of nested messages', nested('{"message":', 26, '}')],
		['95,000 nested messages', nested('{"message":', 87_000, '}')],
		['nested lists', nested('[', MB / 2 - 1, ']')],
		['nested lists that do not end', '['.repeat(MB)],
		['<', '<'.repeat(MB)],
		['<script', '<script'.repeat(MB / 7)],
		['<script> </script', '<script></script  '.repeat(MB / 18)],
		['</script and spaces', `<script></script${' '.repeat(MB - 20)}`],
		['spaces', ' '.repeat(MB)],
		['quotes', '"'.repeat(MB)],
		['a long string', JSON.stringify({ message: 'x'.repeat(MB - 14) })],
		['a long string of spaces', JSON.stringify({ message: ' '.repeat(MB - 14) })],
		['escapes', `"${'\\"'.repeat(MB / 2 - 1)}"`],
		['backslashes', `"${'\\\\'.repeat(MB / 2 - 1)}"`],
		['digits', '1'.repeat(MB)],
		['zeros', `[${'0,'.repeat(MB / 2 - 2)}0]`],
		['large integers', `[${'12345678901234567890,'.repeat(MB / 21 - 1)}1]`],
		['large ids', `[${'{"id":12345678901234567890},'.repeat(MB / 28 - 1)}1]`],
		['empty lists', `[${'[],'.repeat(MB / 3 - 1)}1]`],
		['a long key with many values', `{"${'k'.repeat(MB / 2)}":[${'{"a":""},'.repeat(50_000)}1]}`],
		['a long key with many texts', `{"${'k'.repeat(MB / 2)}":[${'"x",'.repeat(100_000)}1]}`],
	])('of %s are read in linear time', (_what, text) => {
		const body = Buffer.from(text);
		expect(body.length).toBeLessThanOrEqual(MB);
		expect(longest(body)).toBeLessThan(LIMIT);
	});

	test('of many keys are read in about the time that JSON.parse needs', () => {
		const keys = Array.from({ length: 75_000 }, (_, index) => `"key${index}":1`);
		const body = Buffer.from(`{${keys.join(',')}}`);
		const plain = cpuOf(() => JSON.parse(body.toString()));
		expect(longest(body)).toBeLessThan(Math.max(LIMIT, 3 * plain));
	});

	test('that are repeated at random are read in linear time', () => {
		const token = fc.constantFrom(
			...[
				'{"message":',
				'{"error":',
				'{"id":',
				'[',
				']',
				'}',
				'"',
				'\\',
				'<',
				'>',
				'<style',
				'</style',
			],
			...['&', '%', ' ', ',', ':', '1', '1e400', '-', 'x', '\uFEFF', 'ø', '\0'],
		);
		const unit = fc.oneof(
			fc.array(token, { minLength: 1, maxLength: 6 }).map((tokens) => Buffer.from(tokens.join(''))),
			fc.uint8Array({ minLength: 1, maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
		);
		const anyBytes = fc
			.array(fc.tuple(unit, fc.integer({ min: 1, max: MB / 4 })), { minLength: 1, maxLength: 4 })
			.map((parts) => {
				const all = parts.map(([bytes, size]) => Buffer.alloc(size, bytes));
				return Buffer.concat(all).subarray(0, MB);
			});
		fc.assert(
			fc.property(anyBytes, (body) => {
				expect(longest(body)).toBeLessThan(LIMIT);
				expect(readReason(body, hide).length).toBeLessThanOrEqual(500);
			}),
			{ numRuns: 60 },
		);
	}, 60_000);
});
