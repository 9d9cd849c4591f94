import {
	assertFieldDepth,
	assertFieldSize,
	withinSize,
} from '../../../../nodes/AcountPay/operation/bodyLimits';
import { ValidationError } from '../../../../nodes/shared/errors';
import { refusal } from '../../support';

const size = (value: unknown) => refusal(() => assertFieldSize('Metadata', value));
const depth = (text: string) => refusal(() => assertFieldDepth('Metadata', text));
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

const KEEP =
	'Keep large data in n8n or in your shop, and send only a key to find it by. Nothing was sent for this item.';

/** What is said besides what is wrong. */
function advice(check: () => unknown): string | undefined {
	try {
		check();
	} catch (error) {
		return (error as ValidationError).description;
	}
	return undefined;
}

describe('a JSON field as text', () => {
	it('may have 100 kB', () => {
		expect(size('x'.repeat(100_000))).toBe('not refused');
		expect(size('x'.repeat(100_001))).toBe(
			'Metadata must not be larger than 100 kB, but has 100 kB',
		);
		expect(size('x'.repeat(2_499_999))).toBe(
			'Metadata must not be larger than 100 kB, but has 2500 kB',
		);
		expect(advice(() => assertFieldSize('Metadata', 'x'.repeat(100_001)))).toBe(KEEP);
	});
});

describe('a JSON field as an object', () => {
	it('may have 100 kB of keys and texts', () => {
		expect(size({ a: 'x'.repeat(99_999) })).toBe('not refused');
		expect(size({ a: 'x'.repeat(100_000) })).toBe('Metadata must not be larger than 100 kB');
		expect(size({ ['x'.repeat(99_999)]: 'y' })).toBe('not refused');
		expect(size({ ['x'.repeat(99_999)]: 'yz' })).toBe('Metadata must not be larger than 100 kB');
		expect(size({ ['x'.repeat(100_001)]: 1 })).toBe('Metadata must not be larger than 100 kB');
		expect(size(['x'.repeat(50_000), ['y'.repeat(50_001)]])).toBe(
			'Metadata must not be larger than 100 kB',
		);
		expect(advice(() => assertFieldSize('Metadata', { a: 'x'.repeat(100_001) }))).toBe(KEEP);
	});

	it('may have 1,000 values, at all levels', () => {
		const values = (count: number) => Array.from({ length: count }, () => 1);
		expect(size(values(1_000))).toBe('not refused');
		expect(size(values(1_001))).toBe('Metadata must not have more than 1000 values');
		expect(size({ a: values(999) })).toBe('not refused');
		expect(size({ a: values(500), b: values(499) })).toBe(
			'Metadata must not have more than 1000 values',
		);
		expect(advice(() => assertFieldSize('Metadata', values(1_001)))).toBe(KEEP);
	});

	it('has what is its own, and a date has its JSON form', () => {
		const inherited = Object.create({ a: 'x'.repeat(200_000) }) as object;
		expect(size(inherited)).toBe('not refused');
		const date = Object.assign(new Date(), { note: 'x'.repeat(200_000) });
		expect(size({ date })).toBe('not refused');
		expect(size({ date: { ...date } })).toBe('Metadata must not be larger than 100 kB');
		expect(size({ date: { toJSON: 1, note: 'x'.repeat(200_000) } })).toBe(
			'Metadata must not be larger than 100 kB',
		);
	});

	it.each([NaN, Infinity, -Infinity])('has no number %p', (number) => {
		expect(size({ a: [number] })).toBe(
			`Metadata must not have the number ${number}, which can't be sent as JSON`,
		);
	});

	it.each([null, undefined, 0, 1.5, true, {}, []])('may be %p', (value) => {
		expect(size(value)).toBe('not refused');
		expect(size({ a: value })).toBe('not refused');
	});

	it('that holds itself comes to an end', () => {
		const circle: Record<string, unknown> = {};
		circle.self = circle;
		expect(size(circle)).toBe('not refused');
	});
});

describe('the depth of JSON text', () => {
	it('is 50 levels at most', () => {
		expect(depth(nested(50))).toBe('not refused');
		expect(depth(nested(51))).toBe('Metadata must not be nested deeper than 50 levels');
	});
});

describe('a body', () => {
	it('may have 100 kB of JSON, in bytes', () => {
		const frame = '{"a":""}'.length;
		const body = { a: 'x'.repeat(100_000 - frame) };
		expect(withinSize(body)).toBe(body);
		expect(refusal(() => withinSize({ a: `${body.a}x` }))).toBe(
			'What is sent must not be larger than 100 kB, but has 100 kB',
		);
		expect(refusal(() => withinSize({ a: 'ø'.repeat(60_000) }))).toBe(
			'What is sent must not be larger than 100 kB, but has 120 kB',
		);
	});
});
