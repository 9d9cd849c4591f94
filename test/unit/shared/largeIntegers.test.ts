import fc from 'fast-check';
import { changedNumberIn, parseExactly } from '../../../nodes/shared/largeIntegers';

describe('a number that JavaScript would send as another one', () => {
	it.each([
		['9007199254740993'],
		['-9007199254740993'],
		['9007199254740993.0'],
		['9007199254740993e0'],
		['90071992547409930e-1'],
		['0.1234567890123456789'],
		['1.00000000000000001'],
		['1e400'],
		['-1e400'],
		['1e-400'],
		['123456789012345678901234567890'],
		['1e99999999999999999999'],
		[`0.${'0'.repeat(400)}1`],
		['1'.repeat(1_000)],
		['1.2345678e-320'],
		// Sent as the same number, but who knows.
		['90071992547409920e-1'],
		['1.7976931348623157e308'],
		[`1.${'0'.repeat(400)}`],
		[`1${'0'.repeat(22)}`],
	])('%s is found', (number) => {
		for (const text of [number, `[1,${number}]`, `{"a":"1","b":{"c":[ ${number} ]}}`]) {
			expect(changedNumberIn(text)).toBe(number);
		}
	});

	it.each([
		['0'],
		['-0'],
		['0.0'],
		['0e400'],
		['0.1'],
		['1.50'],
		['100'],
		['1e2'],
		['1E+2'],
		['1e-7'],
		['0.0000001'],
		['1e21'],
		['1e22'],
		['9007199254740991'],
		['9007199254740992'],
		['9007199254740994'],
		['5e-324'],
		['1.7976931348623157e+308'],
		['1.79769313486231e308'],
		['149.99'],
		['-149.990'],
		['0.000000123456789012345'],
	])('%s is none', (number) => {
		expect(changedNumberIn(`{"a":[${number}]}`)).toBeUndefined();
	});

	it.each([['"1e400"'], ['{"1e400":"9007199254740993"}'], ['["\\"",{"a":"\\\\"}]']])(
		'in the texts of %s is none',
		(text) => expect(changedNumberIn(text)).toBeUndefined(),
	);

	it('the first one is named', () => {
		expect(changedNumberIn('[1, 1e400, 1e500]')).toBe('1e400');
	});

	it('none is in what JavaScript itself has written', () => {
		fc.assert(
			fc.property(
				fc.jsonValue(),
				fc.double({ noNaN: true, noDefaultInfinity: true }),
				(json, number) => {
					expect(changedNumberIn(JSON.stringify([json, number]))).toBeUndefined();
				},
			),
		);
	});

	it('is every integer that is rounded, and none of 15 digits', () => {
		fc.assert(
			fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), (value) => {
				const [digits, exponent = '0'] = JSON.stringify(Number(value)).split('e+');
				const [whole, fraction = ''] = digits.split('.');
				const sent = BigInt(whole + fraction.padEnd(Number(exponent), '0'));
				if (sent !== value) expect(changedNumberIn(String(value))).toBe(String(value));
				expect(changedNumberIn(String(value % 10n ** 15n))).toBeUndefined();
			}),
		);
	});

	it('is none of 15 digits with any exponent, wherever the point is', () => {
		const digits = fc.stringMatching(/^[1-9]\d{0,14}$/);
		fc.assert(
			fc.property(
				digits,
				fc.nat(15),
				fc.integer({ min: -280, max: 290 }),
				(all, point, exponent) => {
					const at = Math.min(point, all.length - 1);
					const number = `${all.slice(0, at) || '0'}.${all.slice(at)}e${exponent}`;
					expect(changedNumberIn(number)).toBeUndefined();
					// To 15 digits it is what was written.
					expect(Number(Number(number).toPrecision(15))).toBe(Number(number));
				},
			),
		);
	});
});

describe('JSON whose integers are kept exactly', () => {
	const exactly = (integer: bigint) => {
		const number = Number(integer);
		return Number.isSafeInteger(number) ? number : String(integer);
	};

	it('has each integer that JavaScript holds for certain as a number, and each other one as text', () => {
		const integers = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
		fc.assert(
			fc.property(fc.array(fc.tuple(integers, fc.string())), (entries) => {
				const text = entries.map(([value, name]) => `{${JSON.stringify(name)}: ${value} }`);
				expect(parseExactly(`[ ${text.join(' , ')}]`, 2)).toEqual(
					entries.map(([value, name]) => ({ [name]: exactly(value) })),
				);
			}),
		);
	});

	it.each<[string, unknown]>([
		['1234567890123456', 1234567890123456],
		['9007199254740991', 9007199254740991],
		['9007199254740992', '9007199254740992'],
		['-9007199254740991', -9007199254740991],
		['-9007199254740993', '-9007199254740993'],
		['123456789012345678e2', Number('123456789012345678e2')],
		['0.1234567890123456789', 0.12345678901234568],
		['"9007199254740993"', '9007199254740993'],
		[
			'{"9007199254740993":[9007199254740993],"b":9007199254740995,"c":149.99}',
			{ '9007199254740993': ['9007199254740993'], b: '9007199254740995', c: 149.99 },
		],
	])('in %s is %j', (text, value) => {
		expect(parseExactly(text, 2)).toEqual(value);
	});

	it('may be nested up to a depth', () => {
		expect(parseExactly('[[1]]', 2)).toEqual([[1]]);
		expect(() => parseExactly('[[[1]]]', 2)).toThrow(
			new RangeError('JSON is nested deeper than 2 levels'),
		);
	});

	it.each(['', '{', '[9007199254740993', '9007199254740993 1'])('%j is none', (text) => {
		expect(() => parseExactly(text, 2)).toThrow(SyntaxError);
	});
});
