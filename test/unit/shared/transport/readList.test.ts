/** How a list is read with the requests of an operation. What becomes of its pages is in `pagination.test.ts`. */
import type { IDataObject } from 'n8n-workflow';
import { type ApiRequest, get } from '../../../../nodes/shared/api/request';
import { type List, readList } from '../../../../nodes/shared/transport/readList';
import { callOptions, end, errorOf, response, scripted, useFakeTime } from '../../support';

useFakeTime();

const entries = (count: number): IDataObject[] =>
	Array.from({ length: count }, (_, index) => ({ id: index + 1 }));

const inPages: List = {
	subject: { name: 'the list of payments' },
	request: (page, limit) => get('/payments', { query: { status: 'paid', page, limit } }),
	name: 'payments',
	idOf: ({ id }) => id as string | undefined,
};
const withoutPages: List = { ...inPages, request: get('/stores', { merchantClientId: 'm' }) };

type Answer = Parameters<typeof scripted>[0];

async function read(list: List, answer: Answer, wanted = Infinity, options = callOptions) {
	const { client, sent } = scripted(answer);
	const ended = await end(readList(client, list, options, wanted));
	return { ...ended, queries: sent.map(({ query }) => query), sent };
}

/** Serves a list in pages of at most so many entries, and refuses larger ones if a status is given. */
const serving =
	(all: IDataObject[], { most = 100, status = 0 } = {}) =>
	({ query = {} }: ApiRequest) => {
		const { page = 1, limit = most } = query as { page?: number; limit?: number };
		if (limit > most && status > 0) return response(status, { message: 'No' });
		const size = Math.min(limit, most);
		const payments = all.slice((page - 1) * size, page * size);
		return response(200, { payments, total: all.length, page, limit: size });
	};

describe('a list in pages', () => {
	it('is read to its end, with what the operation asks for', async () => {
		const { value, queries } = await read(inPages, serving(entries(230)));
		expect(value).toEqual(entries(230));
		expect(queries).toEqual([1, 2, 3].map((page) => ({ status: 'paid', page, limit: 100 })));
	});

	it.each([
		[1, 1],
		[60, 60],
		[150, 100],
	])('is read until there are %i entries, in pages of %i', async (wanted, limit) => {
		const { value, queries } = await read(inPages, serving(entries(230)), wanted);
		expect(value).toEqual(entries(wanted));
		expect(queries).toHaveLength(Math.ceil(wanted / limit));
		for (const query of queries) expect(query).toMatchObject({ limit });
	});

	it.each([400, 422])('is read in smaller pages where a %i says so', async (status) => {
		const { value, queries } = await read(inPages, serving(entries(30), { most: 20, status }));
		expect(value).toEqual(entries(30));
		expect(queries.map((query) => query!.limit)).toEqual([100, 50, 20, 20]);
	});

	it('is refused where not even one entry is served, and at once for another reason', async () => {
		const one = await read(inPages, [response(400, { message: 'No' })], 2);
		expect(errorOf(one)).toMatchObject({ outcome: 'refused', status: 400 });
		expect(one.queries.map((query) => query!.limit)).toEqual([2, 1]);
		const other = await read(inPages, [response(403)]);
		expect(errorOf(other)).toMatchObject({ outcome: 'refused', status: 403 });
		expect(other.sent).toHaveLength(1);
	});

	it('has an entry once that comes again with another status, as it was at first', async () => {
		const all = [...entries(2), { id: 2, status: 'paid' }, { id: 3 }];
		const { value } = await read(inPages, ({ query }) =>
			response(200, {
				payments: all.slice(2 * Number(query!.page) - 2).slice(0, 2),
				total: 3,
				limit: 2,
			}),
		);
		expect(value).toEqual(entries(3));
	});

	it('tells entries without an ID by what they hold', async () => {
		const all = [{ name: 'A' }, { name: 'B' }, { name: 'A' }];
		const { value } = await read(inPages, [response(200, { payments: all, total: 2 })]);
		expect(value).toEqual([{ name: 'A' }, { name: 'B' }]);
	});

	it('is too long above 100,000 entries, unless fewer are wanted', async () => {
		const page = (total: number) => [response(200, { payments: entries(5), total, limit: 5 })];
		const { sent, ...all } = await read(inPages, page(100_001));
		expect(errorOf(all).message).toMatch(
			/^AcountPay was asked about the list of payments, but it is too long: /,
		);
		expect(sent).toHaveLength(1);
		expect((await read(inPages, page(100_001), 5)).value).toEqual(entries(5));
	});

	it('is given up at the deadline, and without one after ten minutes', async () => {
		const message =
			/^AcountPay was asked about the list of payments, but its end was not reached in time$/;
		const soon = { ...callOptions, deadline: Date.now() - 1 };
		expect(errorOf(await read(inPages, serving(entries(1)), 1, soon)).message).toMatch(message);
		const slow = await read(inPages, (request) => {
			jest.setSystemTime(Date.now() + 4 * 60_000);
			return serving(entries(500))(request);
		});
		expect(errorOf(slow).message).toMatch(message);
		expect(slow.sent).toHaveLength(3);
	});

	it('that is none is said to be none', async () => {
		expect(errorOf(await read(inPages, [response(200, { other: [] })])).message).toBe(
			'AcountPay was asked about the list of payments, but sent a response that is no list',
		);
	});

	it('is asked for with the time limit of the item', async () => {
		const { client } = scripted([]);
		const timeouts: number[] = [];
		client.exchange = async (_request, timeout) => {
			timeouts.push(timeout);
			return response(200, { payments: [], total: 0 });
		};
		await end(readList(client, inPages, { ...callOptions, timeout: 7_000 }, Infinity));
		expect(timeouts).toEqual([7_000]);
	});
});

describe('a list without pages', () => {
	const stores = (count: number, total?: number) =>
		response(200, { payments: entries(count), total });

	it.each([undefined, 3, 0])('is whole where its count is %p', async (total) => {
		const { value, sent } = await read(withoutPages, [stores(3, total)]);
		expect(value).toEqual(entries(3));
		expect(sent).toEqual([get('/stores', { merchantClientId: 'm' })]);
	});

	it('is whole however long it is, also where a page would be full', async () => {
		const { value, sent } = await read(withoutPages, [response(200, entries(250))]);
		expect(value).toEqual(entries(250));
		expect(sent).toHaveLength(1);
	});

	it('is read in pages if AcountPay has more than it sent', async () => {
		const { value, queries } = await read(withoutPages, serving(entries(30), { most: 20 }));
		expect(value).toEqual(entries(30));
		expect(queries.map((query) => query?.page)).toEqual([undefined, 1, 2]);
	});

	it('is not asked for again when enough was sent, and gives no more than that', async () => {
		for (const wanted of [1, 20]) {
			const { value, sent } = await read(withoutPages, serving(entries(30), { most: 20 }), wanted);
			expect(value).toEqual(entries(wanted));
			expect(sent).toHaveLength(1);
		}
	});
});
