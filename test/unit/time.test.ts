/** That no text takes long: jest alone runs this, since Stryker counts each step, which takes minutes here. */
import fc from 'fast-check';

import { readCreatedPayment } from '../../nodes/shared/api/payments';
import { readJson, readReason } from '../../nodes/shared/api/responses';
import { changedNumberIn } from '../../nodes/shared/largeIntegers';
import { qrCodePng } from '../../nodes/shared/qrCode/qrCodePng';
import { Redactor } from '../../nodes/shared/redaction';

const MB = 1 << 20;

/**
 * In ms. On a fast machine of its own none takes 100; in jest's own context each look-up of a global costs many times as
 * much, and on a slow machine with other suites beside it one took 740. What backtracks takes a minute to days.
 */
const LIMIT = 2_500;

/** Milliseconds of CPU, the least of three: the machine does other things, too. */
const cpuOf = (work: () => void) => {
	const once = () => {
		const before = process.cpuUsage();
		work();
		return msOfCpuSince(before);
	};
	return Math.min(once(), once(), once());
};

function msOfCpuSince(before: NodeJS.CpuUsage): number {
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1_000;
}

describe('an answer of any bytes', () => {
	const hide = (text: string) => text;

	/** How long the body is looked at in all the ways that there are, at most. */
	const longest = (body: Buffer) =>
		Math.max(
			cpuOf(() => readReason(body, hide)),
			cpuOf(() => readCreatedPayment(body)),
			cpuOf(() => readJson(body)),
		);

	const nested = (open: string, levels: number, close: string) =>
		`${open.repeat(levels)}1${close.repeat(levels)}`;

	it.each<[string, string]>([
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
	])('of %s is read in linear time', (_what, text) => {
		const body = Buffer.from(text);
		expect(body.length).toBeLessThanOrEqual(MB);
		expect(longest(body)).toBeLessThan(LIMIT);
	});

	it('of many keys is read in about the time that JSON.parse needs', () => {
		const keys = Array.from({ length: 75_000 }, (_, index) => `"key${index}":1`);
		const body = Buffer.from(`{${keys.join(',')}}`);
		const plain = cpuOf(() => JSON.parse(body.toString()));
		expect(longest(body)).toBeLessThan(Math.max(LIMIT, 3 * plain));
	});

	it('that are repeated at random is read in linear time', () => {
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

describe('secrets', () => {
	const header = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9';
	const jwt = `${header}.eyJzdWIiOiJwYXJ0bmVyXzEifQ.Zm9vYmFyLXNpZ25hdHVyZQ`;
	const secrets = ['cs_5up3r/s3cret+w1th=s1gns', jwt, 'abcd'.repeat(100) + 'x', 'd'.repeat(100)];

	it.each([
		['plain', 'x'.repeat(MB)],
		['percent signs', '%25'.repeat(MB / 3)],
		['backslashes', '\\'.repeat(MB)],
		['ampersands', '&'.repeat(MB)],
		['the header of a JWT, again and again', header.repeat(MB / header.length)],
		['most of a secret, again and again', `${jwt.slice(0, -1)}x`.repeat(MB / jwt.length)],
		['a secret that repeats itself', 'abcd'.repeat(MB / 4)],
		['<', '<'.repeat(MB)],
		['tags', '<b>'.repeat(MB / 3)],
		['a tag that does not end', `<${'b'.repeat(MB)}`],
		['zero bytes', '\0'.repeat(MB)],
		['escapes that do not end', '&#x0'.repeat(MB / 4)],
	])('are taken out of 1 MB of %s in linear time', (_what, text) => {
		const own = new Redactor();
		for (const secret of secrets) own.add(secret);
		expect(cpuOf(() => own.text(text))).toBeLessThan(LIMIT);
	});
});

describe('a number that JavaScript would send as another one', () => {
	it.each([
		['digits', '1'.repeat(MB)],
		['zeros after the point', `[1.${'0'.repeat(MB)}1]`],
		['many numbers', `[${'0.10,'.repeat(200_000)}1]`],
	])('is found among 1 MB of %s in linear time', (_what, text) => {
		expect(cpuOf(() => changedNumberIn(text))).toBeLessThan(LIMIT);
	});
});

describe('a QR code', () => {
	// Some 3 and 10 ms each on a busy machine: this finds what is ten times slower.
	it.each([
		[60, 300, 30],
		[500, 100, 100],
	])('of a link of %i characters is drawn in passing', async (length, count, limitMs) => {
		const link = 'https://pay.acountpay.com/'.padEnd(length - 4, 'x');
		const before = process.cpuUsage();
		for (let turn = 0; turn < count; turn++) await qrCodePng(`${link}${1_000 + turn}`);
		expect(msOfCpuSince(before) / count).toBeLessThan(limitMs);
	});
});
