/** How the list is read for a payment whose outcome is not known, and what else counts. */
import type { IDataObject } from 'n8n-workflow';
import { PaymentLookUp } from '../../../nodes/AcountPay/actions/payment/lookUpPayment';
import type { Entry, IdempotencyRecord } from '../../../nodes/AcountPay/execution/idempotencyStore';
import type { Trace } from '../../../nodes/AcountPay/execution/lookUp';
import { keyOf, openRequests } from '../../../nodes/AcountPay/execution/openRequests';
import type { ApiRequest } from '../../../nodes/shared/api/request';
import { AdaptiveLimiter } from '../../../nodes/shared/transport/adaptiveLimiter';
import { after, callOptions, end, response, scripted, useFakeTime } from './support';

useFakeTime();

let products = 0;
/** A payment that no other test asks for: what is open is kept for the whole process. */
const newProduct = () => ({
	merchantId: 'shop',
	referenceNumber: `PRODUCT-${++products}`,
	amount: 149.99,
	currency: 'DKK',
});
type Wanted = ReturnType<typeof newProduct>;

const listed = (
	id: number,
	wanted: Wanted,
	at: number,
	changes: IDataObject = {},
): IDataObject => ({
	id,
	referenceNumber: wanted.referenceNumber,
	amount: wanted.amount,
	currency: wanted.currency,
	merchantClientId: wanted.merchantId,
	status: 'pending',
	createdAt: new Date(at).toISOString(),
	...changes,
});

/** Older payments of other orders, a second apart, the newest first. */
const older = (count: number, wanted: Wanted, before = Date.now() - 1_001) =>
	Array.from({ length: count }, (_, index) =>
		listed(1_000_000 + index, wanted, before - index * 1_000, { referenceNumber: 'OLDER' }),
	);

/** An AcountPay with a list. Its clock is that of this machine, as far as a `Date` header shows it. */
function shop(list: IDataObject[]) {
	const { client, stop } = scripted([]);
	const asked: ApiRequest[] = [];
	const server = { status: 200 };
	client.send = async (request) => {
		asked.push(request);
		await after(5);
		const now = Date.now();
		client.clock.observe({ date: new Date(now).toUTCString() }, now, now);
		const { page, limit } = request.query as { page: number; limit: number };
		const size = Math.min(50, limit);
		const payments = list.slice((page - 1) * size, page * size);
		return response(server.status, { payments, total: list.length, page, limit: size });
	};
	Object.assign(client, { limiter: new AdaptiveLimiter(5) });
	return { client, stop, asked, server, list };
}
type Shop = ReturnType<typeof shop>;

/** The look-up of one item; `others` is what the execution has stored of other items. */
function lookUp({ client }: Shop, wanted: Wanted, others: Entry[] = []) {
	const record = { others: () => others } as unknown as IdempotencyRecord;
	return new PaymentLookUp(client, wanted, callOptions, record);
}

const found = async (of: PaymentLookUp, left: Trace | undefined) =>
	(await end(of.find(left))).value!;

const looked = (words: string, times = 'once') =>
	`AcountPay's list of payments was looked at ${times}: it ${words}.`;

const entryOf = (wanted: Wanted, more: object): Entry =>
	({ request: 'r', origin: 'o', referenceNumber: wanted.referenceNumber, ...more }) as Entry;

describe('the list', () => {
	test('has the payment: it is handed out under the name that a create has, marked as looked up', async () => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 2_500), ...older(3, wanted)]);
		const item = lookUp(at, wanted);
		const trace = item.sending();
		expect(await found(item, trace)).toEqual({
			kind: 'made',
			made: { ...at.list[0], paymentId: 7, lookedUp: true },
		});
		expect(at.asked[0]).toMatchObject({
			method: 'GET',
			path: '/v1/partner/payments',
			query: { page: 1, limit: 100 },
			merchantId: 'shop',
			repeatable: true,
		});
	});

	test('does not have it: it is looked at five times, in 7.5 to 12 seconds', async () => {
		const wanted = newProduct();
		const at = shop(older(3, wanted));
		const item = lookUp(at, wanted);
		const { value, took } = await end(item.find(item.sending()));
		expect(value).toEqual({ kind: 'none', looked: looked('does not show it', '5 times') });
		expect(at.asked).toHaveLength(5);
		expect(took).toBeGreaterThanOrEqual(7_500);
		expect(took).toBeLessThan(12_500);
	});

	test('has it late', async () => {
		const wanted = newProduct();
		const at = shop(older(3, wanted));
		const item = lookUp(at, wanted);
		const finding = item.find(item.sending());
		await after(2_000);
		at.list.unshift(listed(8, wanted, Date.now()));
		expect((await end(finding)).value).toMatchObject({ kind: 'made', made: { paymentId: 8 } });
	});

	test('is read no further than a minute before the request when the newest come first', async () => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 2_500), ...older(900, wanted)]);
		const item = lookUp(at, wanted);
		expect(await found(item, item.sending())).toMatchObject({ kind: 'made' });
		// A page has 50 payments, which were made within 50 seconds.
		expect(at.asked).toHaveLength(2);
	});

	test('is read as far back as a request of an earlier attempt left', async () => {
		const wanted = newProduct();
		const left = Date.now() - 600_000;
		const trace = { id: 'old', payment: wanted, from: left, to: left + 10, until: left + 90_000 };
		const list = older(900, wanted);
		list[595] = listed(7, wanted, left + 3_999);
		const at = shop(list);
		expect(await found(lookUp(at, wanted), trace)).toMatchObject({ kind: 'made' });
		expect(at.asked.length).toBeGreaterThanOrEqual(660 / 50);
		expect(at.asked.length).toBeLessThan(900 / 50);
	});

	test('is read whole while AcountPay shows no clock', async () => {
		const wanted = newProduct();
		const at = shop(older(300, wanted));
		at.client.clock.observe = () => undefined;
		const item = lookUp(at, wanted);
		await found(item, item.sending());
		expect(at.asked.length).toBeGreaterThanOrEqual(5 * 6);
	});

	test('is newest first also where payments were made in the same moment', async () => {
		const wanted = newProduct();
		const list = older(900, wanted).map((payment, index, all) => ({
			...payment,
			createdAt: all[index - (index % 2)].createdAt,
		}));
		const at = shop(list);
		const item = lookUp(at, wanted);
		await found(item, item.sending());
		expect(at.asked.length).toBeLessThanOrEqual(5 * 2);
	});

	test('is read whole when the oldest come first', async () => {
		const wanted = newProduct();
		const list = [...older(300, wanted).reverse(), listed(7, wanted, Date.now() + 2_500)];
		const at = shop(list);
		const item = lookUp(at, wanted);
		expect(await found(item, item.sending())).toMatchObject({ kind: 'made' });
		expect(at.asked.length).toBeGreaterThanOrEqual(6);
	});

	test('is read whole when one of its dates is missing', async () => {
		const wanted = newProduct();
		const undated = listed(9, wanted, 0, { referenceNumber: 'OTHER', createdAt: undefined });
		const at = shop([undated, ...older(300, wanted)]);
		const item = lookUp(at, wanted);
		await found(item, item.sending());
		expect(at.asked.length).toBeGreaterThanOrEqual(5 * 6);
	});

	test('that is out of order by seconds is read further, as nothing tells how far', async () => {
		const wanted = newProduct();
		const rest = older(300, wanted);
		const at = shop([rest[100], ...rest]);
		const item = lookUp(at, wanted);
		await found(item, item.sending());
		expect(at.asked.length).toBeGreaterThanOrEqual(5 * 6);
	});

	test('of one moment only is read whole: its order can not be seen', async () => {
		const wanted = newProduct();
		const same = older(120, wanted).map((payment) => ({
			...payment,
			createdAt: new Date(Date.now() - 600_001).toISOString(),
		}));
		const at = shop(same);
		const item = lookUp(at, wanted);
		await found(item, item.sending());
		expect(at.asked.length).toBeGreaterThanOrEqual(5 * 3);
	});

	test('of more than 20 pages is a doubt', async () => {
		const wanted = newProduct();
		const at = shop(older(1_200, wanted).reverse());
		const item = lookUp(at, wanted);
		expect(await found(item, item.sending())).toEqual({
			kind: 'doubt',
			looked: looked('is too long to look through', '5 times'),
		});
		expect(at.asked).toHaveLength(5 * 20);
	});

	test.each([404, 500])('that AcountPay does not send (%i) is a doubt', async (status) => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 2_500)]);
		at.server.status = status;
		const item = lookUp(at, wanted);
		const { value, took } = await end(item.find(item.sending()));
		expect(value).toEqual({ kind: 'doubt', looked: looked('could not be read', '5 times') });
		// A look asks for up to ten seconds, unless AcountPay refuses.
		expect(took).toBeGreaterThan(status === 500 ? 20_000 : 7_500);
		expect(took).toBeLessThan(status === 500 ? 75_000 : 12_500);
	});

	test('that AcountPay does not send at first is asked for again', async () => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 2_500), ...older(3, wanted)]);
		at.server.status = 503;
		const item = lookUp(at, wanted);
		const finding = item.find(item.sending());
		await after(1_000);
		at.server.status = 200;
		expect((await end(finding)).value).toMatchObject({ kind: 'made' });
	});

	test('is left when the execution is stopped', async () => {
		const wanted = newProduct();
		const at = shop(older(3, wanted));
		const item = lookUp(at, wanted);
		const finding = item.find(item.sending());
		await after(100);
		at.stop.abort();
		expect((await end(finding)).value).toEqual({
			kind: 'doubt',
			looked: looked('was not read to the end: the execution is being stopped'),
		});
	});

	test('with no trace of the request leaves a doubt about every payment that fits', async () => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 2_500), ...older(3, wanted)]);
		expect(await found(lookUp(at, wanted), undefined)).toEqual({
			kind: 'doubt',
			looked: looked('shows payment 7, which may be older', '5 times'),
		});
	});
});

describe('looks are shared', () => {
	test('by all items of a merchant that wait for one, and by no other merchant', async () => {
		const [one, two] = [newProduct(), newProduct()];
		const other = { ...newProduct(), merchantId: 'other' };
		const list = [one, two, other].map((wanted, id) => listed(id, wanted, Date.now() + 2_500));
		const at = shop([...list, ...older(3, one)]);
		const items = [one, two, other].map((wanted) => lookUp(at, wanted));
		const traces = items.map((item) => item.sending());
		const all = await end(Promise.all(items.map(async (item, i) => await item.find(traces[i]))));
		expect(all.value!.map(({ kind }) => kind)).toEqual(['made', 'made', 'made']);
		const asked = (merchantId: string) =>
			at.asked.filter((request) => request.merchantId === merchantId).length;
		expect(asked('shop')).toBe(asked('other'));
	});

	test('and go as far back as any of the items needs', async () => {
		const [now, before] = [newProduct(), newProduct()];
		const left = Date.now() - 600_000;
		const trace = { id: 'old', payment: before, from: left, to: left + 10, until: left + 90_000 };
		const list = older(900, now);
		list[595] = listed(7, before, left + 3_999);
		const at = shop(list);
		const items = [lookUp(at, now), lookUp(at, before)];
		const finding = [items[0].find(items[0].sending()), items[1].find(trace)];
		const [one, two] = (await end(Promise.all(finding))).value!;
		expect([one.kind, two.kind]).toEqual(['none', 'made']);
	});

	test('and begin a quarter of a second apart', async () => {
		const [one, two] = [newProduct(), newProduct()];
		const at = shop(older(3, one));
		const times: number[] = [];
		const { send } = at.client;
		at.client.send = async (...request) => {
			times.push(Date.now());
			return await send(...request);
		};
		const [first, second] = [lookUp(at, one), lookUp(at, two)];
		const finding = [first.find(first.sending())];
		await after(2);
		finding.push(second.find(second.sending()));
		await end(Promise.all(finding));
		times.slice(1).forEach((time, index) => {
			expect(time - times[index]).toBeGreaterThanOrEqual(250);
		});
	});
});

describe('the trace of a request', () => {
	test('has its id and its payment, and once the clock is known when it left', async () => {
		const wanted = newProduct();
		const at = shop(older(3, wanted));
		const item = lookUp(at, wanted);
		expect(item.trace()).toBeUndefined();
		const leftAt = Date.now();
		const trace = item.sending();
		expect(item.trace()).toBe(trace);
		expect(trace).toEqual({ id: expect.stringMatching(/^[\da-f-]{36}$/), payment: wanted });
		await found(item, trace);
		expect(trace.from).toBeLessThanOrEqual(leftAt);
		expect(trace.to).toBeGreaterThanOrEqual(leftAt);
		expect(trace.until).toBe(trace.to! + callOptions.timeout + 60_000);
		// The next one knows it at once.
		expect(lookUp(at, wanted).sending()).toHaveProperty('from');
	});

	test('is open for its time limit and a minute, and no longer once it is settled', () => {
		const wanted = newProduct();
		const at = shop([]);
		const key = keyOf(at.client.baseUrl, wanted);
		const item = lookUp(at, wanted);
		const leftAt = Date.now();
		const trace = item.sending();
		expect(openRequests.get(key, trace.id)).toMatchObject({
			trace,
			leftAt,
			isInFlight: true,
			expiresAt: leftAt + callOptions.timeout + 60_000,
		});
		item.notMade();
		expect(openRequests.equalTo(key)).toEqual([]);

		const again = item.sending();
		expect(again.id).not.toBe(trace.id);
		item.made({ note: 'a response without an id' });
		expect(openRequests.equalTo(key)).toHaveLength(1);
		item.made({ paymentId: 12 });
		expect(openRequests.equalTo(key)).toEqual([]);
		expect(openRequests.isTaken(key, '12')).toBe(true);
	});

	test('nothing is settled of an item that has sent nothing', () => {
		const wanted = newProduct();
		const at = shop([]);
		const item = lookUp(at, wanted);
		item.notMade();
		item.made({ paymentId: 12 });
		expect(openRequests.isTaken(keyOf(at.client.baseUrl, wanted), '12')).toBe(false);
	});
});

describe('a payment that fits', () => {
	const withOne = () => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 2_500), ...older(3, wanted)]);
		return { wanted, at };
	};
	const being = looked('shows payment 7, and an equal one is being created', '5 times');
	const twoOpen = looked('shows one that could be it: 7, and 2 equal ones are open', '5 times');

	test('is handed out once', async () => {
		const { wanted, at } = withOne();
		const item = lookUp(at, wanted);
		expect(await found(item, item.sending())).toMatchObject({ kind: 'made' });
		const next = lookUp(at, wanted);
		expect(await found(next, next.sending())).toMatchObject({ kind: 'none' });
	});

	test('is not handed out while an equal request is in flight', async () => {
		const { wanted, at } = withOne();
		const other = lookUp(at, wanted);
		other.sending();
		const item = lookUp(at, wanted);
		expect(await found(item, item.sending())).toEqual({ kind: 'doubt', looked: being });
		other.notMade();
		expect(await found(item, item.trace())).toMatchObject({ kind: 'made' });
	});

	test('is not handed out while another equal request is open', async () => {
		const { wanted, at } = withOne();
		const [one, two] = [lookUp(at, wanted), lookUp(at, wanted)];
		const traces = [one.sending(), two.sending()];
		const both = end(Promise.all([one.find(traces[0]), two.find(traces[1])]));
		expect((await both).value).toEqual([
			{ kind: 'doubt', looked: twoOpen },
			{ kind: 'doubt', looked: twoOpen },
		]);
		// Two payments for two equal requests: which is whose makes no difference.
		at.list.unshift(listed(8, wanted, Date.now() + 1_000));
		const ids = [];
		for (const [item, trace] of [
			[one, traces[0]],
			[two, traces[1]],
		] as const) {
			const result = await found(item, trace);
			expect(result.kind).toBe('made');
			ids.push(result.kind === 'made' && result.made.paymentId);
		}
		expect(ids.sort()).toEqual([7, 8]);
	});

	test.each<[string, object]>([
		['as id', { answer: { id: 7 } }],
		['as paymentId', { answer: { paymentId: '7' } }],
	])('is not handed out when another item was given it (%s)', async (_what, more) => {
		const { wanted, at } = withOne();
		const item = lookUp(at, wanted, [entryOf(wanted, { state: 'made', ...more })]);
		expect(await found(item, item.sending())).toMatchObject({ kind: 'none' });
	});

	test('is handed out when another item was given another one', async () => {
		const { wanted, at } = withOne();
		const item = lookUp(at, wanted, [entryOf(wanted, { state: 'made', answer: { id: 6 } })]);
		expect(await found(item, item.sending())).toMatchObject({ kind: 'made' });
	});

	test.each<[string, (wanted: Wanted) => object, string]>([
		[
			'open, with a trace',
			(payment) => ({ state: 'unknown', what: '', trace: { id: 'a', payment } }),
			twoOpen,
		],
		[
			'made without an id, with a trace',
			(payment) => ({ state: 'made', answer: {}, trace: { id: 'a', payment } }),
			being,
		],
		['open, without a trace', () => ({ state: 'sent' }), twoOpen],
		['made without an id', () => ({ state: 'made', answer: { note: 1 } }), being],
	])('is in doubt beside a stored entry that is %s', async (_what, more, words) => {
		const { wanted, at } = withOne();
		const item = lookUp(at, wanted, [entryOf(wanted, more(wanted))]);
		expect(await found(item, item.sending())).toEqual({ kind: 'doubt', looked: words });
	});

	test.each<[string, (wanted: Wanted) => Partial<Entry>]>([
		['of another reference', () => ({ state: 'sent', referenceNumber: 'OTHER' })],
		[
			'of another amount',
			(payment) => ({ state: 'sent', trace: { id: 'a', payment: { ...payment, amount: 1 } } }),
		],
	])('is handed out beside an open entry %s', async (_what, more) => {
		const { wanted, at } = withOne();
		const item = lookUp(at, wanted, [entryOf(wanted, more(wanted))]);
		expect(await found(item, item.sending())).toMatchObject({ kind: 'made' });
	});

	test('an open request that is stored as well counts once', async () => {
		const { wanted, at } = withOne();
		at.list.unshift(listed(8, wanted, Date.now() + 3_500));
		const entries: Entry[] = [];
		const [item, other] = [lookUp(at, wanted, entries), lookUp(at, wanted)];
		const trace = item.sending();
		const open = other.sending();
		entries.push(entryOf(wanted, { state: 'unknown', what: '', trace: open }));
		expect(await found(other, open)).toMatchObject({ kind: 'doubt' });
		expect(await found(item, trace)).toMatchObject({ kind: 'made' });
	});

	test('its own entry is no rival', async () => {
		const { wanted, at } = withOne();
		const entries: Entry[] = [];
		const item = lookUp(at, wanted, entries);
		const trace = item.sending();
		entries.push(entryOf(wanted, { state: 'unknown', what: '', trace }));
		expect(await found(item, trace)).toMatchObject({ kind: 'made' });
	});
});
