/**
 * Lists in pages, against a server whose list changes between requests: it adds entries at the end where new ones stand,
 * and takes entries out. The order, the largest page and what becomes of a larger one are the server's.
 */
import fc from 'fast-check';
import { ReadError } from '../../../../nodes/shared/errors';
import { pagesOf } from '../../../../nodes/shared/transport/pagination';

interface ServerOptions {
	count: number;
	order?: 'newest' | 'oldest';
	max?: number;
	/**
	 * `clamp`: pages have `max` entries; `skip`: so do they, but each begins where one of the asked size would; `fixed`: every
	 * page has `max` entries; `only`: other sizes are refused.
	 */
	aboveMax?: 'clamp' | 'skip' | 'refuse' | 'fixed' | 'only';
	statesTotal?: boolean;
	/** Whether it says how many entries a page has at most. */
	statesLimit?: boolean;
	/** What it says as its count: that of the list, 0, that of the page, or one too small. */
	total?: 'right' | 'zero' | 'page' | 'tooSmall';
	/** How many entries share a sort key: their order is another one on each request. */
	ties?: number;
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

	fetchPage = async (page: number, limit: number) => {
		const { order = 'newest', max = 50, aboveMax = 'clamp', change } = this.options;
		const { statesTotal = true, statesLimit = false, total = 'right', ties = 1 } = this.options;
		this.requests.push({ page, limit });
		if (aboveMax === 'refuse' && limit > max) return 'tooLarge' as const;
		if (aboveMax === 'only' && limit !== max) return 'tooLarge' as const;
		const size = aboveMax === 'fixed' ? max : Math.min(limit, max);
		const start = (page - 1) * (aboveMax === 'skip' ? limit : size);
		const all = this.list
			.map((id) => ({ id, at: Math.floor(id / ties), tie: ties > 1 ? Math.random() : id }))
			.sort((one, other) => one.at - other.at || one.tie - other.tie);
		if (order === 'newest') all.reverse();
		const entries = all.slice(start, start + size).map(({ id }) => ({ id }));
		const totals = {
			right: all.length,
			zero: 0,
			page: entries.length,
			tooSmall: Math.max(0, all.length - 1),
		};
		const answer = {
			entries,
			...(statesTotal && { total: totals[total] }),
			...(statesLimit && { limit: size }),
		};
		change?.(this.list, this.requests.length);
		return answer;
	};
}

const keyOf = ({ id }: { id?: unknown }) => String(id);

const listOf = ({ fetchPage }: Pick<Server, 'fetchPage'>, deadline = Infinity) => ({
	name: 'the list of payments',
	fetchPage,
	keyOf,
	deadline,
});

const read = async (options: ServerOptions, wanted?: number) => {
	const server = new Server(options);
	const ids: number[] = [];
	for await (const { entries } of pagesOf(listOf(server), wanted)) {
		ids.push(...entries.map(({ id }) => id as number));
		if (wanted !== undefined && ids.length >= wanted) break;
	}
	return { server, ids: ids.slice(0, wanted), requests: server.requests.length };
};

const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);
const sorted = (ids: number[]) => [...ids].sort((a, b) => a - b);

describe('a list that holds still', () => {
	it.each([
		['clamp', 5],
		['skip', 5],
		['refuse', 6],
		['only', 6],
		['fixed', 5],
	] as const)('205 entries, 50 a page (%s): %i requests', async (aboveMax, most) => {
		const { ids, requests } = await read({ count: 205, aboveMax });
		expect(ids).toEqual(upTo(205).slice().reverse());
		expect(requests).toBe(most);
	});

	it('1,000 entries take ten requests', async () => {
		expect((await read({ count: 1_000, max: 100 })).requests).toBe(10);
	});

	it('no entry takes one request', async () => {
		expect(await read({ count: 0 })).toMatchObject({ ids: [], requests: 1 });
		expect(await read({ count: 0, statesTotal: false })).toMatchObject({ ids: [], requests: 1 });
	});

	it.each([1, 7, 50, 51, 100, 130])(
		'%i wanted are handed out, and no more read',
		async (wanted) => {
			const { ids, requests, server } = await read({ count: 500 }, wanted);
			expect(ids).toEqual(upTo(500).slice().reverse().slice(0, wanted));
			expect(requests).toBe(Math.ceil(wanted / 50));
			expect(server.requests[0].limit).toBe(Math.min(100, wanted));
		},
	);

	/** Lists of any length, those that fill their pages and those of one more or less in particular. */
	const anyList = fc
		.record({
			order: fc.constantFrom('newest' as const, 'oldest' as const),
			max: fc.integer({ min: 1, max: 120 }),
			aboveMax: fc.constantFrom(...(['clamp', 'skip', 'refuse', 'fixed'] as const)),
			statesTotal: fc.boolean(),
			statesLimit: fc.boolean(),
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

	it('properties: each entry once, in order, with one request a page', async () => {
		await fc.assert(
			fc.asyncProperty(anyList, async (options) => {
				const { aboveMax, max, count, order, statesTotal, statesLimit } = options;
				const { ids, requests } = await read(options);
				expect(ids).toEqual(order === 'newest' ? upTo(count).reverse() : upTo(count));
				const sizes = [100, 50, 20, 10, 5, 2, 1];
				const taken = sizes.find((size) => size <= max)!;
				const refused = aboveMax === 'refuse' ? sizes.indexOf(taken) : 0;
				const clamped = Math.min(100, max);
				const size = { clamp: clamped, skip: clamped, refuse: taken, fixed: max }[aboveMax];
				const pages = Math.max(1, Math.ceil(count / size));
				// Of a count that may be that of the page, the second page tells.
				const second = pages === 1 && count >= (statesLimit ? size : 20) ? 1 : 0;
				// Without a count, a second reading has to find nothing new, and each ends on an empty page.
				expect(requests).toBeLessThanOrEqual(
					refused + (statesTotal ? pages + second : 2 * (pages + 1)),
				);
			}),
			{ numRuns: 500 },
		);
	});
});

describe('a count that is wrong', () => {
	it.each(['zero', 'page', 'tooSmall'] as const)('(%s) leaves nothing out', async (total) => {
		for (const count of [1, 20, 21, 99, 100, 101, 150, 205, 300]) {
			const { ids } = await read({ count, max: 100, total });
			expect(ids).toEqual(upTo(count).reverse());
		}
	});

	it('leaves nothing out where pages begin as if they were as long as asked for', async () => {
		const { ids } = await read({ count: 205, aboveMax: 'skip', total: 'page' });
		expect(ids).toEqual(upTo(205).reverse());
	});

	it('properties: all entries, whatever the count says', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom('right' as const, 'zero' as const, 'page' as const, 'tooSmall' as const),
				fc.nat(700),
				fc.integer({ min: 20, max: 120 }),
				fc.constantFrom('clamp' as const, 'refuse' as const, 'fixed' as const),
				fc.boolean(),
				async (total, count, max, aboveMax, statesLimit) => {
					const size = {
						clamp: Math.min(100, max),
						refuse: [100, 50, 20].find((one) => one <= max)!,
						fixed: max,
					}[aboveMax];
					// Two full pages and a count of as many entries look like the whole list.
					fc.pre(total !== 'tooSmall' || count - 1 === size || (count - 1) % size !== 0);
					const { ids, requests } = await read({ count, max, aboveMax, total, statesLimit });
					expect(ids).toEqual(upTo(count).reverse());
					expect(requests).toBeLessThanOrEqual(2 * (Math.ceil(count / size) + 2) + 2);
				},
			),
			{ numRuns: 1_000 },
		);
	});

	it('is told from one that has fallen: what is taken out meanwhile is noticed, by one more reading', async () => {
		for (const taken of [1, 60, 110, 150]) {
			const { ids, server, requests } = await read({
				count: 205,
				change: (all, request) => void (request === 2 && all.splice(205 - taken, taken)),
			});
			const found = new Set(ids);
			expect(server.list.filter((id) => !found.has(id))).toEqual([]);
			expect(requests).toBe(3 + Math.ceil((205 - taken) / 50));
		}
	});
});

describe('a list that changes while it is read', () => {
	/** What happens between two requests. */
	interface Change {
		added: number;
		/** Places in the list, as parts of its length. */
		removed: number[];
	}

	const added = fc.oneof(
		{ weight: 4, arbitrary: fc.nat(6) },
		{ weight: 1, arbitrary: fc.nat(140) },
	);
	const removed = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 8 });
	const changes = (change: fc.Arbitrary<Change>) => fc.array(change, { maxLength: 12 });

	/** Plays the changes, one after each request, and tells who was there all the time and was not found. */
	async function missedWhile(options: ServerOptions, script: Change[]) {
		let next = options.count;
		const { ids, server } = await read({
			...options,
			change(list, request) {
				const change = script[request - 1] ?? { added: 0, removed: [] };
				for (const at of change.removed) list.splice(Math.floor(at * list.length), 1);
				for (let made = 0; made < change.added; made++) list.push(next++);
			},
		});
		expect(new Set(ids).size).toBe(ids.length);
		const found = new Set(ids);
		return server.list.filter((id) => id < options.count && !found.has(id));
	}

	const list = fc.record({
		count: fc.nat(400),
		max: fc.integer({ min: 10, max: 120 }),
		aboveMax: fc.constantFrom('clamp' as const, 'refuse' as const, 'fixed' as const),
	});

	it('properties: newest first, every entry that was there all the time is found', async () => {
		await fc.assert(
			fc.asyncProperty(
				list,
				changes(fc.record<Change>({ added, removed })),
				async (options, script) => {
					expect(await missedWhile({ ...options, order: 'newest' }, script)).toEqual([]);
				},
			),
			{ numRuns: 1_000 },
		);
	});

	it('properties: oldest first too, where a gap between two pages has either', async () => {
		const one = fc.oneof(
			added.map((count): Change => ({ added: count, removed: [] })),
			removed.map((places): Change => ({ added: 0, removed: places })),
		);
		await fc.assert(
			fc.asyncProperty(list, changes(one), async (options, script) => {
				expect(await missedWhile({ ...options, order: 'oldest' }, script)).toEqual([]);
			}),
			{ numRuns: 1_000 },
		);
	});

	it('a list that gets longer with each request is read to where it ended at some moment', async () => {
		let next = 1_000;
		const { ids, requests } = await read({
			count: 1_000,
			max: 100,
			change: (all) => void all.push(next++, next++),
		});
		expect(sorted(ids)).toEqual(upTo(ids.length));
		expect(ids.length).toBeGreaterThan(1_000);
		expect(requests).toBe(12);
	});

	it('what was found after the count fell in the middle of a reading does not count: more may go unnoticed', async () => {
		const { ids, server } = await read({
			count: 200,
			change(all, request) {
				if (request === 2) all.pop();
				if (request === 4) {
					all.shift();
					all.push(200);
				}
			},
		});
		const found = new Set(ids);
		expect(server.list.filter((id) => id < 200 && !found.has(id))).toEqual([]);
	});

	it('an order by the last change: an entry that moves to the front is found', async () => {
		const { ids } = await read({
			count: 205,
			change: (all, request) => void (request === 1 && all.push(...all.splice(10, 1))),
		});
		expect(sorted(ids)).toEqual(upTo(205));
	});
});

describe('a list whose equal sort keys are in another order on each request', () => {
	it('300 payments, 150 for each createdAt, 50 a page: all 300, or an error', async () => {
		let whole = 0;
		for (let run = 0; run < 200; run++) {
			const { ids } = await read({ count: 300, ties: 150 }).catch((error: unknown) => {
				expect(error).toBeInstanceOf(ReadError);
				return { ids: undefined };
			});
			if (!ids) continue;
			expect(sorted(ids)).toEqual(upTo(300));
			whole++;
		}
		expect(whole).toBeGreaterThan(190);
	});

	it('properties: all, or an error, also while new ones come', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 0, max: 300 }),
				fc.integer({ min: 2, max: 300 }),
				fc.integer({ min: 5, max: 120 }),
				fc.array(fc.nat(3), { maxLength: 10 }),
				async (count, ties, max, script) => {
					let next = count;
					const { ids, server } = await read({
						count,
						ties,
						max,
						change(all, request) {
							for (let made = 0; made < (script[request] ?? 0); made++) all.push(next++);
						},
					}).catch((error: unknown) => {
						expect(error).toBeInstanceOf(ReadError);
						return { ids: undefined, server: undefined };
					});
					if (!ids) return;
					const found = new Set(ids);
					expect(found.size).toBe(ids.length);
					expect(server.list.filter((id) => id < count && !found.has(id))).toEqual([]);
				},
			),
			{ numRuns: 300 },
		);
	});
});

describe('bounds', () => {
	const readAll = async (
		fetchPage: (page: number, limit: number) => Promise<{ entries: object[]; total?: number }>,
		deadline?: number,
	) => {
		let requests = 0;
		const counted = async (page: number, limit: number) => {
			requests++;
			return await fetchPage(page, limit);
		};
		let count = 0;
		const ended = await (async () => {
			for await (const { entries } of pagesOf(listOf({ fetchPage: counted } as never, deadline))) {
				count += entries.length;
			}
		})().catch((error: unknown) => error);
		return { ended, requests, count };
	};

	it('a server that gives the same page again and again is given up soon', async () => {
		const { ended, requests } = await readAll(async () => ({
			entries: [{ id: 1 }, { id: 2 }],
			total: 1_000,
		}));
		expect(ended).toBeInstanceOf(ReadError);
		expect(ended).toMatchObject({
			outcome: 'unavailable',
			message: 'AcountPay was asked about the list of payments, but its pages kept changing',
		});
		expect(requests).toBe(18);
	});

	it.each([undefined, 20])(
		'a full page without a count that comes again is not the whole list (limit %s)',
		async (limit) => {
			const entries = upTo(20).map((id) => ({ id }));
			const full = await readAll(async () => ({ entries, limit }));
			expect(full.ended).toBeInstanceOf(ReadError);
			expect(full.ended).toMatchObject({ message: expect.stringMatching(/without a count$/) });
			expect(full.requests).toBe(4);
			const short = await readAll(async () => ({ entries: entries.slice(1), limit }));
			expect(short).toMatchObject({ ended: undefined, count: 19 });
		},
	);

	it('a page of two that comes again and again is not the whole of a list of three', async () => {
		const { ended } = await readAll(async () => ({ entries: [{ id: 1 }, { id: 2 }], total: 3 }));
		expect(ended).toBeInstanceOf(ReadError);
	});

	it('a list without entries is whole, even when its pages have 0 entries at most', async () => {
		const { ended } = await readAll(async () => ({ entries: [], limit: 0 }));
		expect(ended).toBeUndefined();
	});

	it('a first page that comes without its entries once is read again, as large as before', async () => {
		const limits: number[] = [];
		const { ended, count } = await readAll(async (_page, limit) => {
			const entries = limits.push(limit) === 1 ? [] : upTo(30).map((id) => ({ id }));
			return { entries, total: 30, limit };
		});
		expect({ ended, count, limits }).toEqual({ ended: undefined, count: 30, limits: [100, 100] });
	});

	it('a list that always has one entry fewer than its count is an error', async () => {
		const { ended, count } = await readAll(async (page) => ({
			entries: page < 4 ? [{ id: page }] : [],
			total: 4,
		}));
		expect(ended).toBeInstanceOf(ReadError);
		expect(count).toBe(3);
	});

	it('a count that falls and rises without an end is given up after 2,000 pages', async () => {
		let asked = 0;
		const { ended, requests } = await readAll(async () => ({
			entries: [{ id: ++asked }],
			total: 1_000 + (asked % 2),
		}));
		expect(ended).toMatchObject({
			message: expect.stringMatching(/ about the list of payments, but it is too long: /),
		});
		expect(requests).toBe(2_000);
	});

	it('a list without an end ends at 100,000 entries', async () => {
		const { ended, count } = await readAll(async (page, limit) => ({
			entries: upTo(limit).map((id) => ({ id: page * limit + id })),
			total: 1e9,
		}));
		expect(ended).toMatchObject({
			message:
				'AcountPay was asked about the list of payments, but it is too long: this node reads at most 100000 entries and 2000 pages',
			description: "Turn off 'Return All' and set a Limit.",
		});
		expect(count).toBeLessThanOrEqual(100_100);
	});

	it('the deadline is looked at before each page', async () => {
		const { ended, requests } = await readAll(async (page) => {
			await new Promise((resolve) => setTimeout(resolve, 20));
			return { entries: [{ id: page }], total: 1e9 };
		}, Date.now() + 90);
		expect(ended).toMatchObject({
			message: expect.stringMatching(/, but its end was not reached in time$/),
		});
		expect(requests).toBeGreaterThan(1);
		expect(requests).toBeLessThan(7);
	});

	it('n8n gets to run within a page of 50,000 entries', async () => {
		let turns = 0;
		const timer = setInterval(() => turns++, 0);
		const { ended, count } = await readAll(async () => ({
			entries: upTo(50_000).map((id) => ({ id })),
			total: 50_000,
		}));
		clearInterval(timer);
		expect(ended).toBeUndefined();
		expect(count).toBe(50_000);
		expect(turns).toBeGreaterThan(10);
	});
});
