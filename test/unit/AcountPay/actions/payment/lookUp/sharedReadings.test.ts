import fc from 'fast-check';
import type { IDataObject } from 'n8n-workflow';
import { SharedReadings } from '../../../../../../nodes/AcountPay/actions/payment/lookUp/sharedReadings';
import { MAX_PAYMENTS } from '../../../../../../nodes/AcountPay/actions/payment/lookUp/readMerchantList';
import type { ApiRequest } from '../../../../../../nodes/shared/api/request';
import { ApiError, Cancelled } from '../../../../../../nodes/shared/errors';
import { callOptions, response, scripted } from '../../../../support';

const DAY = 24 * 60 * 60_000;

/** A payment of the list that is so many days old. */
const aged = (days: number, id: number): IDataObject => ({
	id,
	merchantClientId: 'shop',
	referenceNumber: `ORDER-${id}`,
	amount: 10,
	currency: 'DKK',
	createdAt: new Date(Date.now() - days * DAY).toISOString(),
});

/** A client of a server that has these payments, 100 a page; `state` may change them. */
function serving(payments: IDataObject[], account = 'a') {
	const state = { payments, fail: undefined as Error | undefined };
	const { client, sent, stop } = scripted(({ query }: ApiRequest) => {
		const { page, limit } = query as { page: number; limit: number };
		if (state.fail) return state.fail;
		const entries = state.payments.slice((page - 1) * limit, page * limit);
		return response(200, { payments: entries, total: state.payments.length, page, limit });
	});
	return { client: Object.assign(client, { account }), sent, stop, state };
}

const idsOf = (payments: ReadonlyArray<{ id?: string }>) => payments.map(({ id }) => Number(id));

/** 300 payments, a day between them, the newest first: half a day old, one and a half … */
const orderly = () => Array.from({ length: 300 }, (_, index) => aged(index + 0.5, index));

describe('how far a list is read', () => {
	const read = async (payments: IDataObject[], days: number) => {
		const { client, sent } = serving(payments);
		const list = await new SharedReadings(Infinity).read(client, 'shop', days, callOptions);
		return { ids: idsOf(list.ofLastDays(days)).sort((a, b) => a - b), pages: sent.length };
	};

	it.each([
		[30, 1],
		// Up to a day behind the look back.
		[98, 1],
		[99, 2],
		[250, 3],
		[3_000, 3],
	])('%d days of a list that is newest first take %d pages', async (days, pages) => {
		const { ids, pages: read30 } = await read(orderly(), days);
		expect(read30).toBe(pages);
		expect(ids).toEqual(Array.from({ length: Math.min(days, 300) }, (_, index) => index));
	});

	it.each([400, 422])('a page size that is refused with %i is made smaller', async (status) => {
		const { client, sent } = serving(orderly());
		const { exchange } = client;
		client.exchange = async (request, options) =>
			Number(request.query?.limit) > 20
				? response(status, { message: 'limit must not be greater than 20' })
				: await exchange.call(client, request, options);
		const list = await new SharedReadings(Infinity).read(client, 'shop', 30, callOptions);
		expect(idsOf(list.ofLastDays(30))).toHaveLength(30);
		expect(sent.map(({ query }) => query?.limit)).toEqual([20, 20]);
	});

	it.each<[string, (list: IDataObject[]) => IDataObject[]]>([
		['oldest first', (list) => list.reverse()],
		['out of order once', (list) => [...list.slice(0, 5), list[299], ...list.slice(5, 299)]],
		[
			'without a time somewhere',
			(list) => [{ ...list[0], createdAt: undefined }, ...list.slice(1)],
		],
		[
			'of one moment',
			(list) => list.map((entry) => ({ ...entry, createdAt: aged(200, 0).createdAt })),
		],
	])('a list that is %s is read to its end', async (_what, change) => {
		expect((await read(change(orderly()), 30)).pages).toBeGreaterThanOrEqual(3);
	});

	it('whatever the order, nothing of the look back is missed, and nothing older is in it', async () => {
		const ages = fc.array(fc.double({ min: 0, max: 60, noNaN: true }), { maxLength: 350 });
		const kinds = fc.constantFrom('newest', 'oldest', 'random' as const);
		await fc.assert(
			fc.asyncProperty(ages, kinds, fc.integer({ min: 1, max: 50 }), async (all, kind, days) => {
				const list = all.map((age, id) => ({ age, entry: aged(age, id) }));
				if (kind !== 'random')
					list.sort((a, b) => (kind === 'newest' ? a.age - b.age : b.age - a.age));
				const { ids } = await read(
					list.map(({ entry }) => entry),
					days,
				);
				// What is this close to the end of the look back depends on when reading began.
				const isClear = (id: number) => Math.abs(all[id] - days) > 0.001;
				const wanted = all.flatMap((age, id) => (age < days ? [id] : []));
				expect(ids.filter(isClear)).toEqual(wanted.filter(isClear));
			}),
			{ numRuns: 60 },
		);
	});

	it('a list that is too long is an error, and never what was read of it', async () => {
		const long = Array.from({ length: MAX_PAYMENTS + 1 }, (_, id) => aged(1, id));
		await expect(read(long, 30)).rejects.toMatchObject({
			outcome: 'unavailable',
			message: expect.stringMatching(/is too long to look through/),
			description: 'Look for the reference in AcountPay.',
		});
	});

	it('a list that is too long is read as far as needed, or at its first page refused if it is not newest first', async () => {
		const long = Array.from({ length: MAX_PAYMENTS + 1 }, (_, id) => aged(id, id));
		expect((await read(long, 30)).pages).toBe(1);
		const { client, sent } = serving(long.reverse());
		const reading = new SharedReadings(Infinity).read(client, 'shop', 30, callOptions);
		await expect(reading).rejects.toThrow(/is too long to look through/);
		expect(sent).toHaveLength(1);
	});

	it('a page that fails is an error, and never what was read of it', async () => {
		const { client, sent, state } = serving(orderly().reverse());
		const payments = [...state.payments];
		const failing = new SharedReadings(Infinity);
		Object.defineProperty(state, 'payments', {
			get: () => {
				if (sent.length > 1) throw new ApiError('unavailable', 'Page 2 failed', '');
				return payments;
			},
		});
		await expect(failing.read(client, 'shop', 30, callOptions)).rejects.toThrow('Page 2 failed');
	});

	it('a list that takes longer than two minutes is an error', async () => {
		let passed = 0;
		const start = Date.now();
		const clock = jest.spyOn(Date, 'now').mockImplementation(() => start + passed);
		const { client, sent } = serving(
			Array.from({ length: 5_000 }, (_, id) => aged(5_000 - id, id)),
		);
		const { exchange } = client;
		client.exchange = async (...request) => {
			passed += 3_000;
			return await exchange(...request);
		};
		const reading = new SharedReadings(Infinity).read(client, 'shop', 30, callOptions);
		await expect(reading).rejects.toThrow(/its end was not reached in time/);
		expect(sent.length).toBeLessThanOrEqual(41);
		clock.mockRestore();
	});

	it('a clock that is ahead, of AcountPay or of this machine, takes nothing out of the look back', async () => {
		const { client } = serving([aged(20, 1)]);
		const list = await new SharedReadings(Infinity).read(client, 'shop', 30, callOptions);
		for (const ahead of [-25 * DAY, 25 * DAY]) {
			const { client: shop } = serving([aged(20, 1)]);
			shop.clock.observe(
				{ date: new Date(Date.now() + ahead).toUTCString() },
				Date.now(),
				Date.now(),
			);
			const other = await new SharedReadings(Infinity).read(shop, 'shop', 30, callOptions);
			expect(idsOf(other.ofLastDays(30))).toEqual([1]);
		}
		expect(idsOf(list.ofLastDays(30))).toEqual([1]);
	});
});

describe('who shares a reading', () => {
	it('all who want the same list while it is young, also with another look back', async () => {
		const { client, sent } = serving(orderly());
		const readings = new SharedReadings(30_000);
		const looks = [30, 5, 120, 30].map(
			async (days) =>
				(await readings.read(client, 'shop', days, callOptions)).ofLastDays(days).length,
		);
		expect(await Promise.all(looks)).toEqual([30, 5, 120, 30]);
		// One reading, as far back as anybody wanted.
		expect(sent).toHaveLength(2);
		for (const days of [100, 120]) await readings.read(client, 'shop', days, callOptions);
		expect(sent).toHaveLength(2);
		// What was read does not reach this far.
		await readings.read(client, 'shop', 200, callOptions);
		expect(sent).toHaveLength(5);
	});

	it('whoever wants more days gets them, also as reading ends', async () => {
		for (let ticks = 0; ticks < 60; ticks++) {
			const { client } = serving(orderly());
			const readings = new SharedReadings(30_000);
			const first = readings.read(client, 'shop', 30, callOptions);
			for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
			const more = await readings.read(client, 'shop', 250, callOptions);
			expect([ticks, more.ofLastDays(250).length]).toEqual([ticks, 250]);
			expect((await first).ofLastDays(30)).toHaveLength(30);
		}
	});

	it('not another account, another merchant, or a merchant that is written otherwise', async () => {
		const readings = new SharedReadings(30_000);
		const [one, two] = [serving([]), serving([], 'b')];
		await readings.read(one.client, 'shop', 30, callOptions);
		await readings.read(one.client, 'SHOP', 30, callOptions);
		await readings.read(one.client, 'cafe', 30, callOptions);
		await readings.read(two.client, 'shop', 30, callOptions);
		expect([one.sent.length, two.sent.length]).toEqual([3, 1]);
	});

	it('not of the lists that were read longest ago once all have more than 50,000 payments', async () => {
		const { client, sent } = serving(
			Array.from({ length: 17_000 }, (_, id) => aged(17_000 - id, id)),
		);
		const readings = new SharedReadings(Infinity);
		const pagesOf = async (merchant: string) => {
			const before = sent.length;
			await readings.read(client, merchant, 30, callOptions);
			return sent.length - before;
		};
		const pages = [];
		for (const merchant of ['one', 'two', 'three', 'three', 'two', 'one']) {
			pages.push(await pagesOf(merchant));
		}
		expect(pages).toEqual([170, 170, 170, 0, 0, 170]);
	});

	it('not who comes later than its age allows', async () => {
		const { client, sent } = serving([]);
		const readings = new SharedReadings(30_000);
		await readings.read(client, 'shop', 30, callOptions);
		const now = Date.now();
		const clock = jest.spyOn(Date, 'now');
		clock.mockReturnValue(now + 29_000);
		await readings.read(client, 'shop', 30, callOptions);
		expect(sent).toHaveLength(1);
		clock.mockReturnValue(now + 30_001);
		await readings.read(client, 'shop', 30, callOptions);
		expect(sent).toHaveLength(2);
		clock.mockRestore();
	});

	it.each([new Cancelled(), new ApiError('refused', 'Wrong keys', '')])(
		'another run that ends or fails (%s) harms nobody, and its own items are told',
		async (fail) => {
			const [ending, other] = [serving([]), serving([aged(1, 7)])];
			ending.state.fail = fail;
			const readings = new SharedReadings(30_000);
			const [first, second, third] = await Promise.allSettled([
				readings.read(ending.client, 'shop', 30, callOptions),
				readings.read(ending.client, 'shop', 30, callOptions),
				readings.read(other.client, 'shop', 30, callOptions),
			]);
			expect([first, second]).toEqual([
				{ status: 'rejected', reason: fail },
				{ status: 'rejected', reason: fail },
			]);
			expect(third).toMatchObject({ status: 'fulfilled', value: { all: [{ id: '7' }] } });
			// One request told all items of the run.
			expect(ending.sent).toHaveLength(1);
			// Nothing is kept of what has failed.
			delete ending.state.fail;
			await readings.read(ending.client, 'shop', 30, callOptions);
		},
	);
});
