/** What is looked for in a JSON text without parsing it. */
import fc from 'fast-check';
import { isDeeperThan, type JsonNumber, scanNumbers } from '../../../nodes/shared/jsonText';

interface Found {
	source: string;
	key: string | undefined;
}

/** The numbers in a text, each where it says that it is. */
function numbersIn(text: string): Found[] {
	const found: Found[] = [];
	scanNumbers(text, ({ source, start, end, key }: JsonNumber) => {
		expect(text.slice(start, end)).toBe(source);
		found.push({ source, key: key() });
	});
	return found;
}

/** The same of the value that was written, in the order of the text. */
function numbersOf(value: unknown, key?: string): Found[] {
	if (typeof value === 'number') return [{ source: JSON.stringify(value), key }];
	if (Array.isArray(value)) return value.flatMap((part) => numbersOf(part));
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([name, part]) => numbersOf(part, name));
}

const levelsOf = (value: unknown): number =>
	typeof value === 'object' && value !== null
		? 1 + Math.max(0, ...Object.values(value).map(levelsOf))
		: 0;

/** Texts that hold what ends, escapes or looks like something else. */
const awkwardText = fc.oneof(
	fc.string(),
	fc.constantFrom('"', '\\', '\\"', '\\\\', '{', '[[[', '}', ':', '-1', '1e5', ' 7', '\\u0022'),
);

const anyJson = fc.letrec((tie) => ({
	value: fc.oneof(
		{ maxDepth: 6 },
		fc.oneof(
			fc.integer(),
			fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
			fc.boolean(),
			fc.constant(null),
			awkwardText,
		),
		fc.array(tie('value'), { maxLength: 4 }),
		fc.dictionary(awkwardText, tie('value'), { maxKeys: 4 }),
	),
})).value;

/** Whitespace wherever JSON allows it. */
const indents = fc.constantFrom(undefined, ' ', '\n', '\t', '\r\n  ');

describe('numbers in a text', () => {
	it.each<[string, Found[]]>([
		['0', [{ source: '0', key: undefined }]],
		['-12.50E+3', [{ source: '-12.50E+3', key: undefined }]],
		[
			'[1,-0,9007199254740993]',
			['1', '-0', '9007199254740993'].map((source) => ({ source, key: undefined })),
		],
		['{"a":1e400}', [{ source: '1e400', key: 'a' }]],
		[
			'{ "a" : 1 , "b\\"2" :\n\t2\r}',
			[
				{ source: '1', key: 'a' },
				{ source: '2', key: 'b"2' },
			],
		],
		['{"a":[1]}', [{ source: '1', key: undefined }]],
		['{"a":"1"}', []],
		['{"a":"x: 1","b":"\\\\"}', []],
		['{"1":true,"2":null}', []],
		['""', []],
	])('%s', (text, found) => {
		expect(numbersIn(text)).toEqual(found);
	});

	it('properties: those that were written, with their keys', () => {
		fc.assert(
			fc.property(anyJson, indents, (value, indent) => {
				const text = JSON.stringify(value, undefined, indent);
				expect(numbersIn(text)).toEqual(numbersOf(value));
			}),
			{ numRuns: 2_000 },
		);
	});
});

describe('how deep a text is nested', () => {
	it.each([
		['1', 0],
		['{}', 1],
		['[[]]', 2],
		['[[],[]]', 2],
		['{"a":[{}]}', 3],
		['"[[[["', 0],
		['["\\"[[", "\\\\", [1]]', 2],
	])('%s: %i levels', (text, levels) => {
		expect(isDeeperThan(levels, text)).toBe(false);
		if (levels > 0) expect(isDeeperThan(levels - 1, text)).toBe(true);
	});

	it('of a string that never ends', () => {
		expect(isDeeperThan(1, '{"a[[[[')).toBe(false);
		expect(isDeeperThan(1, '{"a\\"[[[[')).toBe(false);
	});

	it('properties: as deep as the value is', () => {
		fc.assert(
			fc.property(anyJson, indents, fc.nat(8), (value, indent, levels) => {
				expect(isDeeperThan(levels, JSON.stringify(value, undefined, indent))).toBe(
					levelsOf(value) > levels,
				);
			}),
			{ numRuns: 1_000 },
		);
	});
});
