import fc from 'fast-check';

import { idIn, readPage, withId } from '../../../../nodes/shared/api/lists';
import { buffer } from '../../support';

const page = (body: unknown) => readPage(buffer(body), 'stores');

describe('a page', () => {
	it('is an object that has the entries under the name of the list', () => {
		const stores = [{ id: 1 }, { id: 2 }];
		expect(page({ stores, total: 205, limit: 50 })).toEqual({
			entries: stores,
			total: 205,
			limit: 50,
		});
		expect(page({ stores: [] })).toEqual({ entries: [], total: undefined });
	});

	it('is a bare array as well, of which nothing more is known', () => {
		expect(page([{ id: 1 }])).toEqual({ entries: [{ id: 1 }] });
		expect(page([])).toEqual({ entries: [] });
		expect(page({ stores: [], error: null, errors: [] })).toEqual({ entries: [] });
		expect(page({ stores: [], error: {}, errors: {} })).toEqual({ entries: [] });
		expect(Object.keys(page([])!)).toEqual(['entries']);
	});

	it.each([
		['an object without the list', { payments: [{ id: 1 }] }],
		['a list that is none', { stores: { id: 1 } }],
		['a text', '"stores"'],
		['null', 'null'],
		['a number', '1'],
		['no JSON', '<p>stores</p>'],
		['nothing', ''],
		['an error with status 200', { success: false, stores: [], total: 0 }],
		['an error beside an empty list', { stores: [], error: 'search unavailable' }],
		['errors beside a list', { stores: [{ id: 1 }], errors: [{ message: 'no' }] }],
		['an error that says so in words', { ok: 'false', stores: [] }],
		['an error of RFC 9457', { status: 503, title: 'Unavailable', stores: [] }],
		['an error as NestJS writes it', { statusCode: 503, message: 'Unavailable', stores: [] }],
	])('is not in %s', (_what, body) => {
		expect(page(body)).toBeUndefined();
	});

	it.each([[null], ['a'], [2], [[3]]])('with the entry %j can not be read', (entry) => {
		for (const entries of [[entry], [{ id: 1 }, entry, { id: 4 }]]) {
			expect(page(entries)).toBeUndefined();
			expect(page({ stores: entries })).toBeUndefined();
			expect(page({ stores: entries, total: entries.length })).toBeUndefined();
		}
	});

	it.each([[-1], [1.5], ['205'], [null], [2 ** 53]])('%p is no count', (count) => {
		expect(page({ stores: [], total: count })).toEqual({ entries: [], total: undefined });
	});

	it('may have a total of 0', () => {
		expect(page({ stores: [], total: 0 })).toEqual({ entries: [], total: 0 });
		expect(page({ stores: [], total: 1 })).toMatchObject({ total: 1 });
	});
});

describe('an id', () => {
	const NAMES = ['paymentId', 'id'] as const;

	it.each<[object, string | number | undefined]>([
		[{ paymentId: 'p1', id: 'x' }, 'p1'],
		[{ paymentId: '', id: 'x' }, 'x'],
		[{ paymentId: ' ', id: 7 }, 7],
		[{ id: 0 }, 0],
		[{ paymentId: null, id: 1.5 }, undefined],
		[{ other: 'x' }, undefined],
	])('of %j is %p', (entry, id) => {
		expect(idIn(entry as never, NAMES)).toBe(id);
	});

	it('comes first in an entry that has it under another name', () => {
		const entry = withId({ id: 'p1', status: 'paid' }, NAMES);
		expect(entry).toEqual({ paymentId: 'p1', id: 'p1', status: 'paid' });
		expect(Object.keys(entry)).toEqual(['paymentId', 'id', 'status']);
	});

	it('is not put in where there is none, nor in place of another', () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (other, value) => {
				const without = { ...other, paymentId: undefined, id: undefined };
				expect(withId(without as never, NAMES)).toBe(without);
				const taken = { ...other, paymentId: value, id: 'p1' };
				const isTaken =
					(typeof value === 'string' && value.trim() !== '') || Number.isSafeInteger(value);
				if (isTaken) expect(withId(taken as never, NAMES)).toBe(taken);
				else expect(withId(taken as never, NAMES)).toEqual({ ...taken, paymentId: 'p1' });
			}),
		);
	});
});
