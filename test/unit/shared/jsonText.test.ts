/** What is looked for in a JSON text without parsing it. */
import fc from 'fast-check';
import { isDeeperThan, numbersIn } from '../../../nodes/shared/jsonText';

/** The numbers in a text, as they are written, each where it is said to be. */
const sourcesIn = (text: string): string[] =>
	Array.from(numbersIn(text), ({ source, start }) => {
		expect(text.slice(start, start + source.length)).toBe(source);
		return source;
	});

/** The same of the value that was written, in the order of the text. */
function sourcesOf(value: unknown): string[] {
	if (typeof value === 'number') return [JSON.stringify(value)];
	return typeof value === 'object' && value !== null ? Object.values(value).flatMap(sourcesOf) : [];
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
	it.each([
		['0', ['0']],
		['-12.50E+3', ['-12.50E+3']],
		['[1,-0,9007199254740993]', ['1', '-0', '9007199254740993']],
		['{"a":1e400}', ['1e400']],
		['{ "a" : 1 , "b\\"2" :\n\t2\r}', ['1', '2']],
		['{"a":[1]}', ['1']],
		['{"a":"1"}', []],
		['{"a":"x: 1","b":"\\\\"}', []],
		['{"1":true,"2":null}', []],
		['""', []],
	])('%s', (text, sources) => {
		expect(sourcesIn(text)).toEqual(sources);
	});

	it('properties: those that were written', () => {
		fc.assert(
			fc.property(anyJson, indents, (value, indent) => {
				const text = JSON.stringify(value, undefined, indent);
				expect(sourcesIn(text)).toEqual(sourcesOf(value));
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
