/**
 * Lists in pages, against a server whose list changes between requests: it adds entries at the end where new ones stand,
 * and takes entries out. The order, the largest page and what becomes of a larger one are the server's.
 */
import fc from 'fast-check';
import { collectPages, UnreadableList } from '../../../nodes/shared/transport/pagination';

interface ServerOptions {
	count: number;
	order?: 'newest' | 'oldest';
	max?: number;
	/** `fixed`: every page has `max` entries; `only`: other sizes are refused. */
	aboveMax?: 'clamp' | 'refuse' | 'fixed' | 'only';
	states?: { total?: boolean; limit?: boolean };
	/** What happens after the request of that number. */
	change?: (list: number[], request: number) => void;
}

class Server {
	requests: Array<{ page: number; limit: number }> = [];
	/** In the order in which entries were made. */
	list: number[];

	constructor(private readonly options: ServerOptions) {
		this.list = Array.from({ length: options.count }, (_, id) => id);
	}

	fetch = async (page: number, limit: number) => {
		const { order = 'newest', max = 50, aboveMax = 'clamp', states = {}, change } = this.options;
		const { total = true, limit: isLimitStated = true } = states;
		this.requests.push({ page, limit });
		if (aboveMax === 'refuse' && limit > max) return 'tooLarge' as const;
		if (aboveMax === 'only' && limit !== max) return 'tooLarge' as const;
		const size = aboveMax === 'fixed' ? max : Math.min(limit, max);
		const all = order === 'newest' ? this.list.slice().reverse() : this.list;
		const answer = {
			entries: all.slice((page - 1) * size, page * size).map((id) => ({ id })),
			...(total && { total: all.length }),
			...(isLimitStated && { limit: size }),
		};
		change?.(this.list, this.requests.length);
		return answer;
	};
}

const keyOf = ({ id }: { id?: unknown }) => String(id);

const read = async (options: ServerOptions, wanted?: number) => {
	const server = new Server(options);
	const ids = (await collectPages(server.fetch, keyOf, wanted)).map(({ id }) => id as number);
	return { server, ids, requests: server.requests.length };
};

const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);
const sorted = (ids: number[]) => [...ids].sort((a, b) => a - b);

describe('a list that holds still', () => {
	test.each([
		['clamp', 5],
		['refuse', 6],
		['only', 12],
		['fixed', 10],
	] as const)('205 entries, 50 a page (%s): at most %i requests', async (aboveMax, most) => {
		const { ids, requests } = await read({ count: 205, aboveMax });
		expect(ids).toEqual(upTo(205).slice().reverse());
		expect(requests).toBeLessThanOrEqual(most);
	});

	test('no entry takes one request', async () => {
		expect(await read({ count: 0 })).toMatchObject({ ids: [], requests: 1 });
	});

	test('a page of a hundred where the server gives it', async () => {
		expect(await read({ count: 100, max: 100 })).toMatchObject({ requests: 1 });
	});

	test.each([1, 7, 50, 51, 100, 130])(
		'%i wanted are handed out, and no more read',
		async (wanted) => {
			const { ids, requests } = await read({ count: 500 }, wanted);
			expect(ids).toEqual(upTo(500).slice().reverse().slice(0, wanted));
			expect(requests).toBe(wanted <= 50 ? 1 : wanted <= 98 ? 2 : 3);
		},
	);

	test.each([
		[{ total: false }, 20],
		[{ limit: false }, 20],
		[{ total: false, limit: false }, 20],
	])('that states less: %j', async (states, most) => {
		for (const count of [0, 3, 49, 50, 51, 100, 205]) {
			const { ids, requests } = await read({ count, states });
			expect(sorted(ids)).toEqual(upTo(count));
			expect(requests).toBeLessThanOrEqual(most);
		}
	});

	/** Lists of any length, those that fill their pages and those of one more or less in particular. */
	const anyList = fc
		.record({
			order: fc.constantFrom('newest' as const, 'oldest' as const),
			max: fc.integer({ min: 1, max: 120 }),
			aboveMax: fc.constantFrom('clamp' as const, 'refuse' as const, 'fixed' as const),
			states: fc.record({ total: fc.boolean(), limit: fc.boolean() }),
			length: fc.oneof(
				fc.nat(700),
				fc.record({ pages: fc.nat(6), more: fc.integer({ min: -1, max: 1 }) }),
			),
		})
		.map(({ length, ...options }) => ({
			...options,
			count:
				typeof length === 'number' ? length : Math.max(0, length.pages * options.max + length.more),
		}));

	test('properties: each entry once, with few requests', async () => {
		await fc.assert(
			fc.asyncProperty(anyList, async (options) => {
				const { ids, requests } = await read(options);
				expect(sorted(ids)).toEqual(upTo(options.count));
				const { aboveMax, max } = options;
				const taken = [100, 50, 20, 10, 5, 2, 1].find((size) => size <= max)!;
				const pages = Math.ceil(options.count / (aboveMax === 'refuse' ? taken : max));
				expect(requests).toBeLessThanOrEqual(8 + 3 * pages);
			}),
			{ numRuns: 1_000 },
		);
	});

	test.each(['clamp', 'refuse', 'fixed', 'only'] as const)(
		'a server that says nothing of its pages (%s)',
		async (aboveMax) => {
			for (const count of [0, 1, 2, 3, 49, 50, 51, 99, 100, 101, 205]) {
				const { ids, requests } = await read({
					count,
					aboveMax,
					states: { total: false, limit: false },
				});
				expect(sorted(ids)).toEqual(upTo(count));
				expect(requests).toBeLessThanOrEqual(12);
			}
		},
	);
});

describe('a list that changes while it is read', () => {
	/** What happens between two requests. */
	interface Change {
		added: number;
		/** Places in the list, as parts of its length. */
		removed: number[];
	}

	const changes = fc.array(
		fc.record<Change>({
			added: fc.oneof({ weight: 4, arbitrary: fc.nat(6) }, { weight: 1, arbitrary: fc.nat(140) }),
			removed: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 8 }),
		}),
		{ maxLength: 12 },
	);

	test('properties: each entry once, and every entry that was there all the time', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.record({
					count: fc.nat(400),
					order: fc.constantFrom('newest' as const, 'oldest' as const),
					// Smaller pages overlap by too few entries.
					max: fc.integer({ min: 10, max: 120 }),
					aboveMax: fc.constantFrom('clamp' as const, 'refuse' as const),
					states: fc.constantFrom({ limit: false }, {}),
				}),
				changes,
				async (options, script) => {
					let next = options.count;
					const { ids, server } = await read({
						...options,
						change(list, request) {
							const { added = 0, removed = [] } = script[request - 1] ?? {};
							for (const at of removed) list.splice(Math.floor(at * list.length), 1);
							for (let made = 0; made < added; made++) list.push(next++);
						},
					});
					expect(new Set(ids).size).toBe(ids.length);
					const stayed = server.list.filter((id) => id < options.count);
					const found = new Set(ids);
					expect(stayed.filter((id) => !found.has(id))).toEqual([]);
				},
			),
			{ numRuns: 1_000 },
		);
	});

	test('pages of a fixed size: entries that go one at a time are not missed', async () => {
		for (const aboveMax of ['fixed', 'only'] as const) {
			const { ids, server } = await read({
				count: 300,
				order: 'oldest',
				aboveMax,
				change: (list, request) => void (request < 12 && list.splice(request, 1)),
			});
			const found = new Set(ids);
			expect(server.list.filter((id) => !found.has(id))).toEqual([]);
		}
	});

	test('an order by the last change: an entry that moves to the front is found', async () => {
		const { ids } = await read({
			count: 205,
			change: (list, request) => void (request === 1 && list.push(...list.splice(10, 1))),
		});
		expect(sorted(ids)).toEqual(upTo(205));
	});
});

test('a server that gives the same page again and again is given up', async () => {
	let requests = 0;
	const reading = collectPages(async () => {
		requests++;
		return { entries: [{ id: 1 }, { id: 2 }], total: 1_000, limit: 2 };
	}, keyOf);
	await expect(reading).rejects.toThrow(UnreadableList);
	expect(requests).toBeLessThan(3_000);
});
