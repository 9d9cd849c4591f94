import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import {
	isLeftOut,
	ItemParameters,
	jsonObject,
	oneOf,
	pickedValue,
	preview,
	requiredText,
	webUrl,
	wholeNumber,
} from '../../../../nodes/AcountPay/operation/parameters';
import type { ValidationError } from '../../../../nodes/shared/errors';
import { refusal } from '../../support';

/** What an error says to do. */
function adviceOf(check: () => unknown): string | undefined {
	try {
		check();
	} catch (error) {
		return (error as ValidationError).description;
	}
	return undefined;
}

/** The parameters of item 3 as a person typed them, and as n8n has evaluated them. */
function parameters(typed: IDataObject, evaluated: IDataObject = typed) {
	const asked: Array<[string, number, unknown]> = [];
	let copies = 0;
	const context = {
		getNode: () => {
			copies++;
			return { parameters: typed };
		},
		getNodeParameter: (name: string, item: number, fallback: unknown) => {
			asked.push([name, item, fallback]);
			return name in evaluated ? evaluated[name] : fallback;
		},
	} as unknown as IExecuteFunctions;
	return { item: new ItemParameters(context, 3, 5), asked, copies: () => copies };
}

describe('a field', () => {
	it('has the value of its item, and null where the workflow does not have it', () => {
		const { item, asked, copies } = parameters({ amount: '={{ 1 }}' }, { amount: 149.99 });
		expect(item.get('amount')).toBe(149.99);
		expect(item.get('description')).toBeNull();
		expect(asked).toEqual([
			['amount', 3, null],
			['description', 3, null],
		]);
		expect(item.itemCount).toBe(5);
		// n8n copies all parameters each time.
		expect(copies()).toBe(1);
	});

	it.each([
		['amount', 'Amount'],
		['merchantId', 'Merchant ID'],
		['webhookUrl', 'Webhook URL'],
		['referenceNumber', 'Reference Number'],
	])('%s with an expression that n8n takes for text', (name, title) => {
		const { item } = parameters({ [name]: '{{ $json.x }}' });
		expect(refusal(() => item.get(name))).toBe(
			`${title} must not be the text "{{ $json.x }}": n8n evaluates it only in an expression`,
		);
		expect(adviceOf(() => item.get(name))).toBe(
			"Switch the field from 'Fixed' to 'Expression'. Nothing was sent.",
		);
	});

	it.each<[string, IDataObject]>([
		['an expression', { amount: '={{ $json.x }}' }],
		['a text without an expression', { amount: '{ 1 }' }],
		['JSON in which braces may be meant', { metadata: '{{}}' }],
		['custom fields', { customFields: '{{}}' }],
		['a number', { amount: 1 }],
		['an object', { amount: { text: '{{ 1 }}' } }],
	])('%s is taken', (_what, typed) => {
		const [name] = Object.keys(typed);
		expect(parameters(typed).item.get(name)).toBe(typed[name]);
	});
});

describe('a collection', () => {
	it('has the fields with a value', () => {
		const fields = { a: 'x', b: '', c: ' ', d: null, e: 0, f: false, g: [] };
		const { item, asked } = parameters({ more: fields });
		expect(item.collection('more')).toEqual({ a: 'x', e: 0, f: false, g: [] });
		expect(asked).toEqual([['more', 3, {}]]);
	});

	it('is empty where the workflow does not have it', () => {
		expect(parameters({}).item.collection('more')).toEqual({});
		expect(parameters({ more: null }).item.collection('more')).toEqual({});
	});

	it('with an expression that n8n takes for text', () => {
		const { item } = parameters({ more: { storeId: 'x {{ $json.x }}' } });
		expect(refusal(() => item.collection('more'))).toMatch(/^Store ID must not be the text/);
	});
});

describe('a picker', () => {
	it.each<[unknown, unknown]>([
		[{ __rl: true, mode: 'list', value: 'shop' }, 'shop'],
		[{ __rl: true, mode: 'id', value: '' }, ''],
		[{ mode: 'list', value: '' }, ''],
		['shop', 'shop'],
		[null, null],
		[7, 7],
	])('%j has %j', (value, picked) => {
		expect(pickedValue(value)).toBe(picked);
	});

	it.each([{ value: 'shop' }, { __rl: true }])('%j is none', (value) => {
		expect(pickedValue(value)).toBe(value);
	});

	it.each<[unknown, boolean]>([
		[undefined, true],
		[null, true],
		['', true],
		[' ', true],
		[{ __rl: true, mode: 'list', value: '' }, true],
		[{ __rl: true, mode: 'list', value: null }, true],
		[{ mode: 'list', value: '' }, true],
		['x', false],
		[0, false],
		[false, false],
		[{}, false],
		[{ __rl: true, mode: 'list', value: 'x' }, false],
	])('%j is left out: %p', (value, is) => {
		expect(isLeftOut(value)).toBe(is);
	});
});

describe('a value in an error', () => {
	it.each<[unknown, string]>([
		['a"b', '"a\\"b"'],
		[1.5, '1.5'],
		[NaN, 'NaN'],
		[Infinity, 'Infinity'],
		[{ a: 1 }, '{"a":1}'],
		[undefined, 'undefined'],
		[() => 1, 'function'],
		['x'.repeat(58), `"${'x'.repeat(58)}"`],
		['x'.repeat(59), `"${'x'.repeat(58)}…`],
	])('%p', (value, words) => {
		expect(preview(value)).toBe(words);
	});
});

describe('a text that must be there', () => {
	it.each<[unknown, string]>([
		['ORDER-1', 'ORDER-1'],
		[' x ', ' x '],
		[0, '0'],
		[-7, '-7'],
		[Number.MAX_SAFE_INTEGER, '9007199254740991'],
	])('%p', (value, text) => {
		expect(requiredText('Name', value)).toBe(text);
	});

	it.each<[unknown, string]>([
		[2 ** 53, 'Name must be text: the number 9007199254740992 is too large to be exact'],
		[-Infinity, 'Name must be text: the number -Infinity is too large to be exact'],
		[NaN, 'Name must be text, but is NaN'],
		[true, 'Name must be text, but is true'],
		[{}, 'Name must be text, but is {}'],
		['', 'Name must not be empty'],
		[' \n', 'Name must not be empty'],
		[null, 'Name must not be empty'],
		[undefined, 'Name must not be empty'],
	])('%p is refused', (value, words) => {
		expect(refusal(() => requiredText('Name', value))).toBe(words);
	});

	it('says where to look when it is empty', () => {
		expect(adviceOf(() => requiredText('Name', ''))).toBe(
			'When it comes from an expression, check that this item has the value.',
		);
	});
});

describe('a URL', () => {
	it.each(['https://shop.example', 'HTTP://shop.example/a?b#c', 'http://127.0.0.1:5678/x'])(
		'%s',
		(url) => expect(webUrl('Webhook URL', url)).toBe(url),
	);

	it.each(['', 'shop.example', 'ftp://shop.example', 'https:///x', 'https://a b', 'https://[', 7])(
		'%p is refused',
		(url) =>
			expect(refusal(() => webUrl('Webhook URL', url))).toBe(
				`Webhook URL must be a whole URL that starts with https:// or http://, but is ${JSON.stringify(url)}`,
			),
	);
});

describe('a JSON object', () => {
	const json = (value: unknown) => jsonObject('Metadata', value);

	it('is taken as text and as an object, and is a copy', () => {
		const given = { a: [1, { b: null }] };
		expect(json(given)).toEqual(given);
		expect(json(given)).not.toBe(given);
		expect(json('{ "a": [1, { "b": null }] }')).toEqual(given);
		expect(json({ at: new Date(0) })).toEqual({ at: '1970-01-01T00:00:00.000Z' });
	});

	it.each<[unknown]>([
		['[1]'],
		['null'],
		['7'],
		['"x"'],
		['{'],
		[''],
		[[1]],
		[null],
		[7],
		[undefined],
	])('%p is none', (value) => {
		expect(refusal(() => json(value))).toBe(
			`Metadata must be a JSON object, such as { "orderId": 42 }, but is ${preview(value)}`,
		);
		expect(adviceOf(() => json(value))).toBe(
			'Correct the field, or what its expression takes from this item. Nothing was sent for it.',
		);
	});

	it('says how to have an expression evaluated', () => {
		expect(adviceOf(() => json('{ "a": {{ $json.a }} }'))).toBe(
			"To have n8n evaluate what is in {{ }}, switch the field from 'Fixed' to 'Expression'. Nothing was sent.",
		);
	});

	it('that holds itself is refused', () => {
		const circle: Record<string, unknown> = {};
		circle.self = circle;
		expect(refusal(() => json(circle))).toMatch(/^Metadata must be a JSON object/);
	});

	it('has no number that would be sent as another one, where a person wrote it', () => {
		expect(refusal(() => json('{ "a": 9007199254740993 }'))).toBe(
			'Metadata must not have the number 9007199254740993, which might be sent as another number: write it in quotes',
		);
		expect(json({ a: 9007199254740992 })).toEqual({ a: 9007199254740992 });
	});

	it('is bounded, however it comes', () => {
		const values = Array.from({ length: 1_001 }, () => 1);
		const tooMany = 'Metadata must not have more than 1000 values';
		expect(refusal(() => json({ values }))).toBe(tooMany);
		expect(refusal(() => json(JSON.stringify({ values })))).toBe(tooMany);
		const deep = `{"a":${'['.repeat(50)}${']'.repeat(50)}}`;
		const tooDeep = 'Metadata must not be nested deeper than 50 levels';
		expect(refusal(() => json(deep))).toBe(tooDeep);
		expect(refusal(() => json(JSON.parse(deep)))).toBe(tooDeep);
		expect(refusal(() => json(' '.repeat(100_001)))).toMatch(/^Metadata must not be larger than/);
	});
});

describe('a whole number', () => {
	const number = (value: unknown) => wholeNumber('Limit', value, 1, 50);

	it.each([1, 2, 50])('%i', (value) => expect(number(value)).toBe(value));

	it.each(['1', '7', '50'])('%p is the number', (value) => {
		expect(number(value)).toBe(Number(value));
	});

	it.each([0, 51, 1.5, NaN, '0', '51', '1.5', '07', ' 7', '+7', '1e1', '0x7', '', null, true, [7]])(
		'%p is refused',
		(value) => {
			expect(refusal(() => number(value))).toBe(
				`Limit must be a whole number from 1 to 50, but is ${preview(value)}`,
			);
		},
	);
});

describe('one of a list', () => {
	it.each(['create', 'fail', 'return'])('%s is one', (value) => {
		expect(oneOf('If a Payment Exists', value, ['create', 'fail', 'return'])).toBe(value);
	});

	it.each([['Fail'], ['fail '], [true], [0], [null], [['fail']]])('%j is none', (value) => {
		expect(refusal(() => oneOf('If a Payment Exists', value, ['create', 'fail', 'return']))).toBe(
			`If a Payment Exists must be one of create, fail, return, but is ${JSON.stringify(value)}`,
		);
	});
});
