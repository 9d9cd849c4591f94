import type { IDataObject } from 'n8n-workflow';
import {
	additionalFieldsWith,
	customFieldsField,
	idFrom,
	limitFrom,
	merchantNumberFrom,
	requiredTextField,
	textField,
	textFrom,
	textsFrom,
	withCustomFields,
} from '../../../../nodes/AcountPay/operation/sharedFields';
import { parameters, refusal } from '../../support';

const city = textField('city', 'City', 'Aarhus', 'The city of the store');
const name = requiredTextField('name', 'Name', 'Aarhus C', 'The name of the store');
const isDefault = {
	...city,
	name: 'isDefault',
	displayName: 'Is Default',
	type: 'boolean' as const,
};

it('a text field is empty until a person types, and shows an example', () => {
	expect(city).toEqual({
		displayName: 'City',
		name: 'city',
		type: 'string',
		default: '',
		placeholder: 'e.g. Aarhus',
		description: 'The city of the store',
	});
	expect(name).toMatchObject({ name: 'name', placeholder: 'e.g. Aarhus C', required: true });
});

it("a required text is named as in the editor when it isn't there", () => {
	expect(textFrom(parameters({ name: 'Aarhus' }), name)).toBe('Aarhus');
	expect(refusal(() => textFrom(parameters({ name: '' }), name))).toBe('Name must not be empty');
});

describe('an ID in a URL', () => {
	const idOf = (id: string) => idFrom(parameters({ city: id }), city, 'a-1');

	it('is taken without the spaces around it', () => {
		expect(idOf(' a-1 ')).toBe('a-1');
		expect(merchantNumberFrom(parameters({ merchantNumber: 42 }))).toBe('42');
	});

	it.each(['a/b', 'a\\b', 'a?b', 'a#b', 'a%b', 'a b', 'a\tb', 'a\u0000b', 'a\ud800', '.', '..'])(
		'%j would be another one',
		(id) => {
			expect(refusal(() => idOf(id))).toBe(
				`City must be an ID such as a-1, without spaces or any of / \\ ? # %, but is ${JSON.stringify(id)}`,
			);
		},
	);

	it.each(['...', '.a', 'a.', 'a..b'])('%j is one', (id) => {
		expect(idOf(id)).toBe(id);
	});

	it('has the words of the field', () => {
		expect(refusal(() => merchantNumberFrom(parameters({ merchantNumber: 'a b' })))).toBe(
			'Merchant Number must be an ID such as 42, without spaces or any of / \\ ? # %, but is "a b"',
		);
	});
});

describe('how many entries of a list are wanted', () => {
	it.each<[IDataObject, number]>([
		[{}, 50],
		[{ limit: 1 }, 1],
		[{ limit: '7' }, 7],
		[{ returnAll: false, limit: 3 }, 3],
		[{ returnAll: 'true', limit: 3 }, 3],
		[{ returnAll: true, limit: 3 }, Infinity],
	])('%j: %p', (values, limit) => {
		expect(limitFrom(parameters(values))).toBe(limit);
	});

	it.each([0, -1, 1.5, 'all', 2 ** 53])('not %j', (limit) => {
		expect(refusal(() => limitFrom(parameters({ limit })))).toMatch(
			/^Limit must be a whole number from 1 to 9007199254740991, but is /,
		);
	});
});

it('additional fields are shown by name, whatever the order they are given in', () => {
	const given = [name, customFieldsField, city];
	expect(additionalFieldsWith(given)).toMatchObject({
		name: 'additionalFields',
		type: 'collection',
		default: {},
		options: [city, customFieldsField, name],
	});
	expect(given[0]).toBe(name);
});

describe('the texts of a collection', () => {
	it('are those that were added, and nothing else', () => {
		const added = { city: 'Aarhus', isDefault: true, other: 'x' };
		expect(textsFrom(added, [city, name, isDefault])).toEqual({ city: 'Aarhus' });
	});

	it('are refused by the name in the editor', () => {
		expect(refusal(() => textsFrom({ city: {} }, [city]))).toBe('City must be text, but is {}');
	});
});

describe('custom fields', () => {
	const bodyWith = (customFields?: unknown) =>
		withCustomFields(
			{ city: 'Aarhus' },
			(customFields === undefined ? {} : { customFields }) as IDataObject,
			[city, name, customFieldsField],
		);

	it('join the body, also with a name that an object has by itself', () => {
		expect(bodyWith()).toEqual({ city: 'Aarhus' });
		expect(bodyWith({ terminal: 'T-1', toString: 'x', customFields: 1 })).toEqual({
			city: 'Aarhus',
			terminal: 'T-1',
			toString: 'x',
			customFields: 1,
		});
	});

	it('replace no field, also one that is not filled in', () => {
		expect(refusal(() => bodyWith({ name: 'A', other: 1, city: 'B' }))).toBe(
			"Custom Fields must not contain city, name: use the node's own fields for these",
		);
	});

	it('must be a JSON object', () => {
		expect(refusal(() => bodyWith('[1]'))).toMatch(/^Custom Fields must be a JSON object/);
	});

	it('count to the size of what is sent', () => {
		const large = 'x'.repeat(60_000);
		expect(withCustomFields({ city: large }, {}, [])).toEqual({ city: large });
		for (const [city, customFields] of [
			[large, { other: large }],
			[large + large, {}],
		]) {
			expect(refusal(() => withCustomFields({ city }, { customFields }, []))).toMatch(
				/^What is sent must not be larger than /,
			);
		}
		expect(refusal(() => withCustomFields({ city: large + large }, {}, []))).toMatch(
			/^What is sent must not be larger than /,
		);
	});
});
