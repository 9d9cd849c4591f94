/** How the list is read for a payment whose outcome is not known, and what else counts. */
import type { IDataObject } from 'n8n-workflow';
import { PaymentLookUp } from '../../../../../../nodes/AcountPay/actions/payment/lookUp/paymentLookUp';
import {
	type PaymentTrace,
	sentRequests,
} from '../../../../../../nodes/AcountPay/actions/payment/lookUp/sentRequests';
import { keyOf } from '../../../../../../nodes/AcountPay/actions/payment/lookUp/samePayment';
import type { Trace } from '../../../../../../nodes/AcountPay/creation/createOnce';
import {
	type Entry,
	type IdempotencyRecord,
	isCreated,
} from '../../../../../../nodes/AcountPay/creation/idempotencyRecord';
import { paymentIdOf } from '../../../../../../nodes/shared/api/payments';
import type { ApiRequest } from '../../../../../../nodes/shared/api/request';
import { AdaptiveLimiter } from '../../../../../../nodes/shared/transport/adaptiveLimiter';
import { after, callOptions, end, response, scripted, useFakeTime } from '../../../../support';

useFakeTime();

let products = 0;
let shops = 0;
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
	client.exchange = async (request) => {
		asked.push(request);
		await after(5);
		const now = Date.now();
		client.clock.observe({ date: new Date(now).toUTCString() }, now, now);
		const { page, limit } = request.query as { page: number; limit: number };
		const size = Math.min(50, limit);
		const payments = list.slice((page - 1) * size, page * size);
		return response(server.status, { payments, total: list.length, page, limit: size });
	};
	// Of its own: what belongs to whom is kept for the whole process.
	Object.assign(client, {
		limiter: new AdaptiveLimiter(5, { now: () => Date.now() }),
		baseUrl: `https://acountpay-${++shops}.test`,
	});
	return { client, stop, asked, server, list };
}
type Shop = ReturnType<typeof shop>;

/** The look-up of one item; `others` is what the execution has stored of other items, `earlier` of this one. */
function lookUp(
	{ client }: Shop,
	wanted: Wanted,
	{ others = [], earlier }: { others?: Entry[]; earlier?: Partial<Entry> } = {},
) {
	const othersWithId = (id: string) =>
		others.filter((other) => isCreated(other) && paymentIdOf(other.answer) === id);
	const record = { others: () => others, othersWithId, earlier } as unknown as IdempotencyRecord;
	return new PaymentLookUp(client, wanted, callOptions, record);
}

const found = async (of: PaymentLookUp, left: Trace | undefined, willResend = false) =>
	(await end(of.find(left, willResend))).value!;

const keyAt = ({ client }: Shop, wanted: Wanted) => `${client.baseUrl} ${keyOf(wanted)}`;
const isOwned = ({ client }: Shop, id: string) =>
	sentRequests.belongsToOther(`${client.baseUrl} ${id}`, 'nobody');

const looked = (words: string, times = 'once') =>
	`AcountPay's list of payments was looked at ${times}: it ${words}.`;

const entryOf = (wanted: Wanted, more: object): Entry =>
	({ request: 'r', origin: 'o', referenceNumber: wanted.referenceNumber, ...more }) as Entry;

describe('the list', () => {
	it('has the payment: it is handed out under the name that a create has, marked as looked up', async () => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 2_500), ...older(3, wanted)]);
		const item = lookUp(at, wanted);
		const trace = item.sending();
		expect(await found(item, trace)).toEqual({
			kind: 'found',
			response: { ...at.list[0], paymentId: 7, lookedUp: true },
		});
		expect(at.asked[0]).toMatchObject({
			method: 'GET',
			path: '/v1/partner/payments',
			query: { page: 1, limit: 100 },
			merchantClientId: 'shop',
			repeatable: true,
		});
	});

	it('does not have it: it is looked at five times, in 7.5 to 12 seconds', async () => {
		const wanted = newProduct();
		const at = shop(older(3, wanted));
		const item = lookUp(at, wanted);
		const { value, took } = await end(item.find(item.sending(), false));
		expect(value).toEqual({ kind: 'none', report: looked('does not show it', '5 times') });
		expect(at.asked).toHaveLength(5);
		expect(took).toBeGreaterThanOrEqual(7_500);
		expect(took).toBeLessThan(12_500);
	});

	it('names older payments of the same reference where it has no other: a clock may be wrong', async () => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() - 180_000), ...older(3, wanted)]);
		const item = lookUp(at, wanted);
		expect(await found(item, item.sending())).toEqual({
			kind: 'none',
			report: looked('does not show it. It shows older payments of this reference: 7', '5 times'),
		});
	});

	it('is not searched for longer than the request was waited for, whatever a retry would wait', async () => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 5 * 60_000)]);
		const trace = lookUp(at, wanted).sending();
		const { client } = at;
		const record = { others: () => [], othersWithId: () => [] } as unknown as IdempotencyRecord;
		const patient = { ...callOptions, timeout: 600_000 };
		const retried = new PaymentLookUp(client, wanted, patient, record);
		expect(await found(retried, trace)).toMatchObject({ kind: 'doubt' });
	});

	it('has it late', async () => {
		const wanted = newProduct();
		const at = shop(older(3, wanted));
		const item = lookUp(at, wanted);
		const finding = item.find(item.sending(), false);
		await after(2_000);
		at.list.unshift(listed(8, wanted, Date.now()));
		expect((await end(finding)).value).toMatchObject({ kind: 'found', response: { paymentId: 8 } });
	});

	it('is read no further than three minutes before the request when the newest come first', async () => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 2_500), ...older(900, wanted)]);
		const item = lookUp(at, wanted);
		expect(await found(item, item.sending())).toMatchObject({ kind: 'found' });
		// A page has 50 payments, which were created within 50 seconds.
		expect(at.asked).toHaveLength(4);
	});

	it('is read as far back as a request of an earlier attempt left', async () => {
		const wanted = newProduct();
		const left = Date.now() - 600_000;
		const trace = { id: 'old', payment: wanted, from: left, to: left + 10, until: left + 90_000 };
		const list = older(900, wanted);
		list[595] = listed(7, wanted, left + 3_999);
		const at = shop(list);
		expect(await found(lookUp(at, wanted), trace)).toMatchObject({ kind: 'found' });
		expect(at.asked.length).toBeGreaterThanOrEqual(660 / 50);
		expect(at.asked.length).toBeLessThan(900 / 50);
	});

	it('is read whole while AcountPay shows no clock', async () => {
		const wanted = newProduct();
		const at = shop(older(300, wanted));
		at.client.clock.observe = () => undefined;
		const item = lookUp(at, wanted);
		await found(item, item.sending());
		expect(at.asked.length).toBeGreaterThanOrEqual(5 * 6);
	});

	it('is newest first also where payments were made in the same moment', async () => {
		const wanted = newProduct();
		const list = older(900, wanted).map((payment, index, all) => ({
			...payment,
			createdAt: all[index - (index % 2)].createdAt,
		}));
		const at = shop(list);
		const item = lookUp(at, wanted);
		await found(item, item.sending());
		expect(at.asked.length).toBeLessThanOrEqual(5 * 4);
	});

	it('is read whole when the oldest come first', async () => {
		const wanted = newProduct();
		const list = [...older(300, wanted).reverse(), listed(7, wanted, Date.now() + 2_500)];
		const at = shop(list);
		const item = lookUp(at, wanted);
		expect(await found(item, item.sending())).toMatchObject({ kind: 'found' });
		expect(at.asked.length).toBeGreaterThanOrEqual(6);
	});

	it('is read whole when one of its dates is missing', async () => {
		const wanted = newProduct();
		const undated = listed(9, wanted, 0, { referenceNumber: 'OTHER', createdAt: undefined });
		const at = shop([undated, ...older(300, wanted)]);
		const item = lookUp(at, wanted);
		await found(item, item.sending());
		expect(at.asked.length).toBeGreaterThanOrEqual(5 * 6);
	});

	it('that is out of order by seconds is read further, as nothing tells how far', async () => {
		const wanted = newProduct();
		const rest = older(300, wanted);
		const at = shop([rest[100], ...rest]);
		const item = lookUp(at, wanted);
		await found(item, item.sending());
		expect(at.asked.length).toBeGreaterThanOrEqual(5 * 6);
	});

	it('of one moment only is read whole: its order can not be seen', async () => {
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

	it.each([404, 500])('that AcountPay does not send (%i) is a doubt', async (status) => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 2_500)]);
		at.server.status = status;
		const item = lookUp(at, wanted);
		const { value, took } = await end(item.find(item.sending(), false));
		expect(value).toEqual({ kind: 'doubt', report: looked('could not be read', '5 times') });
		expect(took).toBeGreaterThan(status === 500 ? 20_000 : 7_500);
		expect(took).toBeLessThan(status === 500 ? 330_000 : 12_500);
	});

	it('that AcountPay does not send at first is asked for again', async () => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 2_500), ...older(3, wanted)]);
		at.server.status = 503;
		const item = lookUp(at, wanted);
		const finding = item.find(item.sending(), false);
		await after(1_000);
		at.server.status = 200;
		expect((await end(finding)).value).toMatchObject({ kind: 'found' });
	});

	it('is left when the execution is stopped', async () => {
		const wanted = newProduct();
		const at = shop(older(3, wanted));
		const item = lookUp(at, wanted);
		const finding = item.find(item.sending(), false);
		await after(100);
		at.stop.abort();
		expect((await end(finding)).value).toEqual({
			kind: 'doubt',
			report: looked('was not read to the end: the execution is being stopped'),
		});
	});

	it('with no trace of the request leaves a doubt about every payment that fits', async () => {
		const wanted = newProduct();
		const at = shop([listed(7, wanted, Date.now() + 2_500), ...older(3, wanted)]);
		expect(await found(lookUp(at, wanted), undefined)).toEqual({
			kind: 'doubt',
			report: looked('shows payment 7, which may be older or newer'),
		});
	});
});

describe('looks are shared', () => {
	it('by all items of a merchant that wait for one, and by no other merchant', async () => {
		const [one, two] = [newProduct(), newProduct()];
		const other = { ...newProduct(), merchantId: 'other' };
		const list = [one, two, other].map((wanted, id) => listed(id, wanted, Date.now() + 2_500));
		const at = shop([...list, ...older(3, one)]);
		const items = [one, two, other].map((wanted) => lookUp(at, wanted));
		const traces = items.map((item) => item.sending());
		const all = await end(
			Promise.all(items.map(async (item, i) => await item.find(traces[i], false))),
		);
		expect(all.value!.map(({ kind }) => kind)).toEqual(['found', 'found', 'found']);
		const asked = (merchantId: string) =>
			at.asked.filter((request) => request.merchantClientId === merchantId).length;
		expect(asked('shop')).toBe(asked('other'));
	});

	it('and go as far back as any of the items needs', async () => {
		const [now, before] = [newProduct(), newProduct()];
		const left = Date.now() - 600_000;
		const trace = { id: 'old', payment: before, from: left, to: left + 10, until: left + 90_000 };
		const list = older(900, now);
		list[595] = listed(7, before, left + 3_999);
		const at = shop(list);
		const items = [lookUp(at, now), lookUp(at, before)];
		const finding = [items[0].find(items[0].sending(), false), items[1].find(trace, false)];
		const [one, two] = (await end(Promise.all(finding))).value!;
		expect([one.kind, two.kind]).toEqual(['none', 'found']);
		// The first reading already: 13 pages of 50 seconds.
		expect(at.asked[12].query!.page).toBe(13);
	});

	it('and go before the payments that still wait to be sent', async () => {
		const wanted = newProduct();
		const at = shop(older(3, wanted));
		const limiter = new AdaptiveLimiter(1);
		Object.assign(at.client, { limiter });
		const looksBefore: number[] = [];
		const create = async () => {
			looksBefore.push(at.asked.length);
			await new Promise((resolve) => setTimeout(resolve, 100));
		};
		const item = lookUp(at, wanted);
		const trace = item.sending();
		for (let sent = 0; sent < 3; sent++) void limiter.run(create, () => ({ kind: 'ok' }), {});
		await found(item, trace);
		expect(looksBefore.slice(0, 2)).toEqual([0, 1]);
	});

	it('and begin a quarter of a second apart', async () => {
		const [one, two] = [newProduct(), newProduct()];
		const at = shop(older(3, one));
		const times: number[] = [];
		const { exchange: send } = at.client;
		at.client.exchange = async (...request) => {
			times.push(Date.now());
			return await send(...request);
		};
		const [first, second] = [lookUp(at, one), lookUp(at, two)];
		const finding = [first.find(first.sending(), false)];
		await after(2);
		finding.push(second.find(second.sending(), false));
		await end(Promise.all(finding));
		times.slice(1).forEach((time, index) => {
			expect(time - times[index]).toBeGreaterThanOrEqual(250);
		});
	});
});

describe('the trace of a request', () => {
	it('has its id and its payment, and once the clock is known when it left', async () => {
		const wanted = newProduct();
		const at = shop(older(3, wanted));
		const item = lookUp(at, wanted);
		const sentAt = Date.now();
		const trace = item.sending() as PaymentTrace;
		expect(trace).toEqual({
			id: expect.stringMatching(/^[\da-f-]{36}$/),
			payment: wanted,
			untilHere: sentAt + callOptions.timeout + 30_000,
		});
		await found(item, trace);
		expect(trace.from).toBeLessThanOrEqual(sentAt);
		expect(trace.to).toBeGreaterThanOrEqual(sentAt);
		expect(trace.until).toBe(trace.to! + callOptions.timeout + 30_000);
		// The next one knows it at once.
		expect(lookUp(at, wanted).sending()).toHaveProperty('from');
	});

	it('is unresolved until it is known what it created', () => {
		const wanted = newProduct();
		const at = shop([]);
		const key = keyAt(at, wanted);
		const item = lookUp(at, wanted);
		const sentAt = Date.now();
		const trace = item.sending();
		expect(sentRequests.get(key, trace.id)).toEqual({ trace, sentAt });
		item.notCreated();
		expect(sentRequests.hasUnresolved(key, Date.now())).toBe(false);

		const again = item.sending();
		expect(again.id).not.toBe(trace.id);
		item.created({ note: 'a response without an id' });
		expect(sentRequests.hasUnresolved(key, Date.now())).toBe(true);
		item.created({ paymentId: 12 });
		expect(sentRequests.hasUnresolved(key, Date.now())).toBe(false);
		expect(isOwned(at, '12')).toBe(true);
	});

	it('counts as unresolved for an hour, and for good once a look has left a doubt', () => {
		const wanted = newProduct();
		const at = shop([]);
		const key = keyAt(at, wanted);
		const trace = lookUp(at, wanted).sending() as PaymentTrace;
		const until = Date.now() + callOptions.timeout + 30_000 + 3_600_000;
		expect([
			sentRequests.hasUnresolved(key, until),
			sentRequests.hasUnresolved(key, until + 1),
		]).toEqual([true, false]);
		trace.doubt = 'is odd';
		expect(sentRequests.hasUnresolved(key, until + 1)).toBe(true);
	});

	it('counts as unresolved however many others are settled, and until 100,000 others are not', () => {
		const wanted = newProduct();
		const at = shop([]);
		const key = keyAt(at, wanted);
		lookUp(at, wanted).sending();
		for (let other = 0; other < 100_000; other++) {
			sentRequests.add(`${key} ${other}`, { id: 'a', payment: wanted });
			sentRequests.resolve(`${key} ${other}`, 'a');
		}
		expect(sentRequests.hasUnresolved(key, Date.now())).toBe(true);
		for (let other = 0; other < 100_000; other++) {
			sentRequests.add(`${key} ${other}`, { id: 'a', payment: wanted });
		}
		expect(sentRequests.hasUnresolved(key, Date.now())).toBe(false);
		expect(sentRequests.hasUnresolved(`${key} 0`, Date.now())).toBe(true);
	});

	it('nothing is settled of an item that has sent nothing', () => {
		const at = shop([]);
		const item = lookUp(at, newProduct());
		item.notCreated();
		item.created({ paymentId: 13 });
		expect(isOwned(at, '13')).toBe(false);
	});

	it('keeps the doubt that a look has seen: nothing is looked at again', async () => {
		const wanted = newProduct();
		const at = shop([listed(71, wanted, Date.now(), { amount: 1 })]);
		const item = lookUp(at, wanted);
		const trace = item.sending() as PaymentTrace;
		const words = looked('shows payment 71, which has the amount 1 instead of 149.99');
		expect(await found(item, trace)).toEqual({ kind: 'doubt', report: words });
		at.list.splice(0, 1, listed(72, wanted, Date.now()));
		const stored = JSON.parse(JSON.stringify(trace)) as Trace;
		expect(await found(lookUp(at, wanted), stored, true)).toEqual({ kind: 'doubt', report: words });
		expect(at.asked).toHaveLength(1);
	});

	it('keeps that doubt for a retry whose stored copy is from before', async () => {
		const wanted = newProduct();
		const at = shop([listed(73, wanted, Date.now(), { amount: 1 })]);
		const item = lookUp(at, wanted);
		const trace = item.sending();
		const stored = JSON.parse(JSON.stringify(trace)) as Trace;
		const doubt = await found(item, trace);
		at.list.splice(0, 1, listed(74, wanted, Date.now()));
		expect(await found(lookUp(at, wanted), stored)).toEqual(doubt);
	});
});

describe('a payment that fits', () => {
	let ids = 100;
	const withOne = () => {
		const wanted = newProduct();
		const id = ++ids;
		const at = shop([listed(id, wanted, Date.now() + 2_500), ...older(3, wanted)]);
		const notAlone = looked(
			`shows payment ${id}, but another payment with this reference was requested too`,
		);
		return { wanted, at, id, notAlone };
	};

	it('is handed out once', async () => {
		const { wanted, at } = withOne();
		const item = lookUp(at, wanted);
		expect(await found(item, item.sending())).toMatchObject({ kind: 'found' });
		const next = lookUp(at, wanted);
		expect(await found(next, next.sending())).toMatchObject({ kind: 'none' });
	});

	it('is handed out to the same request again', async () => {
		const { wanted, at } = withOne();
		const item = lookUp(at, wanted);
		const trace = item.sending();
		const first = await found(item, trace);
		expect(await found(item, trace)).toEqual(first);
	});

	it('is not handed out when an equal request was in flight, whatever became of that', async () => {
		const { wanted, at, notAlone } = withOne();
		const other = lookUp(at, wanted);
		other.sending();
		const item = lookUp(at, wanted);
		const trace = item.sending();
		other.notCreated();
		expect(await found(item, trace)).toEqual({ kind: 'doubt', report: notAlone });
	});

	it('is not handed out by a retry, whose stored copy does not know that it was not alone', async () => {
		const { wanted, at, notAlone } = withOne();
		const stored = JSON.parse(JSON.stringify(lookUp(at, wanted).sending())) as PaymentTrace;
		lookUp(at, wanted).sending();
		const moment = { from: Date.now() - 10, to: Date.now(), until: Date.now() + 60_000 };
		const result = await found(lookUp(at, wanted), { ...stored, ...moment });
		expect(result).toEqual({ kind: 'doubt', report: notAlone });
	});

	it('is not handed out to a request that was alone at first', async () => {
		const { wanted, at, notAlone } = withOne();
		const item = lookUp(at, wanted);
		const trace = item.sending();
		lookUp(at, { ...wanted, amount: 1 }).sending();
		expect(await found(item, trace)).toEqual({ kind: 'doubt', report: notAlone });
	});

	it('is not handed out beside an equal request that this execution has stored as open', async () => {
		const { wanted, at, notAlone } = withOne();
		const open: PaymentTrace = { id: 'a', payment: wanted };
		const others = [entryOf(wanted, { state: 'unknown', what: '', trace: open })];
		const item = lookUp(at, wanted, { others });
		expect(await found(item, item.sending())).toEqual({ kind: 'doubt', report: notAlone });
		expect(open.wasNotAlone).toBe(true);
	});

	it.each<[string, (id: number) => object]>([
		['as id', (id) => ({ answer: { id } })],
		['as paymentId', (id) => ({ answer: { paymentId: String(id) } })],
	])('is not handed out when another item was given it (%s)', async (_what, answerOf) => {
		const { wanted, at, id } = withOne();
		const others = [entryOf(wanted, { state: 'made', ...answerOf(id) })];
		const item = lookUp(at, wanted, { others });
		expect(await found(item, item.sending())).toMatchObject({ kind: 'none' });
	});

	it('is handed out when another item was given another one', async () => {
		const { wanted, at } = withOne();
		const others = [entryOf(wanted, { state: 'made', answer: { id: 6 } })];
		const item = lookUp(at, wanted, { others });
		expect(await found(item, item.sending())).toMatchObject({ kind: 'found' });
	});

	it.each<[string, (wanted: Wanted) => Partial<Wanted>]>([
		['reference', () => ({ referenceNumber: 'OTHER' })],
		['merchant', () => ({ merchantId: 'kiosk' })],
	])('is handed out beside an open request of another %s', async (_what, changes) => {
		const { wanted, at } = withOne();
		const payment = { ...wanted, ...changes(wanted) };
		const others = [entryOf(wanted, { state: 'sent', trace: { id: 'a', payment } })];
		lookUp(at, payment, { others }).sending();
		const item = lookUp(at, wanted, { others });
		expect(await found(item, item.sending())).toMatchObject({ kind: 'found' });
	});
});

describe("with 'Resend Unknown'", () => {
	const sent = (list: (wanted: Wanted) => IDataObject[] = () => []) => {
		const wanted = newProduct();
		const at = shop([...list(wanted), ...older(130, wanted).map((one) => ({ ...one, amount: 1 }))]);
		const item = lookUp(at, wanted);
		return { wanted, at, item, trace: item.sending() as PaymentTrace };
	};

	/** Until the newest payments were looked at five times. */
	const fiveLooksAt = async ({ asked }: Shop) => {
		while (asked.length < 15) await after(100);
		await after(1_000);
	};

	it('nothing speaks against it once the whole list was read, after all that the request can take', async () => {
		const { at, item, trace } = sent();
		const { value, took } = await end(item.find(trace, true));
		expect(value).toEqual({ kind: 'none', report: looked('does not show it', '6 times') });
		expect(took).toBeGreaterThanOrEqual(callOptions.timeout + 30_000);
		expect(took).toBeLessThan(callOptions.timeout + 45_000);
		// Five looks at the newest payments, and one at all.
		expect(at.asked.slice(-3).map(({ query }) => query!.page)).toEqual([1, 2, 3]);
	});

	it('a trace of an older version is waited for just as long', async () => {
		const { at, wanted, trace } = sent();
		const stored = { ...trace, untilHere: undefined };
		const { took } = await end(lookUp(at, wanted).find(stored, true));
		expect(took).toBeGreaterThanOrEqual(callOptions.timeout + 30_000);
	});

	it('it is found when it shows in the meantime', async () => {
		const { at, wanted, item, trace } = sent();
		const finding = item.find(trace, true);
		await fiveLooksAt(at);
		at.list.unshift(listed(201, wanted, Date.now()));
		expect((await end(finding)).value).toMatchObject({
			kind: 'found',
			response: { paymentId: 201 },
		});
	});

	it('a payment of the same amount speaks against it, however its reference is written', async () => {
		const { item, trace } = sent((wanted) => [
			listed(202, wanted, Date.now() - 20 * 3_600_000, { referenceNumber: '?', description: 'x' }),
		]);
		expect(await found(item, trace, true)).toEqual({
			kind: 'doubt',
			report: looked('shows a payment of the same amount that may be it: 202', '6 times'),
		});
		expect(trace.doubt).toBeUndefined();
	});

	it("a payment that is somebody else's does not", async () => {
		const { at, wanted, item, trace } = sent();
		const other = lookUp(at, { ...wanted, referenceNumber: 'ANOTHER' });
		other.sending();
		other.created({ paymentId: 203 });
		at.list.unshift(listed(203, wanted, Date.now(), { referenceNumber: 'ANOTHER' }));
		expect(await found(item, trace, true)).toMatchObject({ kind: 'none' });
	});

	it('a payment that another execution has created for the same order speaks against it', async () => {
		for (const status of ['pending', 'paid', 'expired']) {
			const { at, wanted, item, trace } = sent();
			await after(200_000);
			item.notCreated();
			const other = lookUp(at, wanted);
			other.sending();
			other.created({ paymentId: 204 });
			at.list.unshift(listed(204, wanted, Date.now(), { status }));
			expect(await found(item, trace, true)).toMatchObject({
				kind: status === 'expired' ? 'none' : 'doubt',
			});
			// Of an equal item of the same execution it says nothing.
			const twin = entryOf(wanted, { state: 'made', answer: { paymentId: 204 } });
			const beside = lookUp(at, wanted, { others: [twin] });
			expect(await found(beside, trace, true)).toMatchObject({ kind: 'none' });
		}
	});

	it('a payment of the same order that another execution has created since speaks against it, of any amount', async () => {
		const { at, wanted, item, trace } = sent();
		await after(200_000);
		const dearer = { ...wanted, amount: 200 };
		const other = lookUp(at, dearer);
		other.sending();
		other.created({ paymentId: 204 });
		at.list.unshift(listed(204, dearer, Date.now()));
		expect(await found(item, { ...trace, wasNotAlone: false } as Trace, true)).toEqual({
			kind: 'doubt',
			report: looked('shows another payment of this order: 204', '6 times'),
		});
	});

	it('so does one that the list shows with its reference written otherwise', async () => {
		for (const referenceNumber of ['product', '42']) {
			const { at, wanted, item, trace } = sent();
			await after(200_000);
			const other = lookUp(at, wanted);
			other.sending();
			other.created({ paymentId: 204 });
			at.list.unshift(listed(204, wanted, Date.now(), { referenceNumber }));
			expect(await found(item, { ...trace, wasNotAlone: false } as Trace, true)).toMatchObject({
				kind: 'doubt',
			});
		}
	});

	it('what another execution has created for the same order before that speaks against it only with the same amount', async () => {
		for (const [amount, kind] of [
			[149.99, 'doubt'],
			[200, 'none'],
		] as const) {
			const { at, wanted, item, trace } = sent();
			item.notCreated();
			const before = { ...wanted, amount };
			const other = lookUp(at, before);
			other.sending();
			other.created({ paymentId: 205 });
			at.list.push(listed(205, before, Date.now() - 180_000));
			const moment = { from: Date.now() - 10, to: Date.now(), until: Date.now() + 60_000 };
			const alone = { ...trace, ...moment, wasNotAlone: false };
			expect(await found(item, alone, true)).toMatchObject({ kind });
		}
	});

	it('a list that can not be read speaks against it, and so does a stop', async () => {
		const { at, item, trace } = sent();
		const finding = item.find(trace, true);
		await fiveLooksAt(at);
		at.server.status = 404;
		expect((await end(finding)).value).toEqual({
			kind: 'doubt',
			report: looked('could not be read', '6 times'),
		});
		at.server.status = 200;
		const again = sent();
		const stopped = again.item.find(again.trace, true);
		await fiveLooksAt(again.at);
		again.at.stop.abort();
		expect((await end(stopped)).value).toMatchObject({ kind: 'doubt' });
	});

	it('what is sent again is handed out nothing, also when another process has sent it first', async () => {
		const wanted = newProduct();
		const at = shop([listed(206, wanted, Date.now()), ...older(3, wanted)]);
		const moment = { from: Date.now() - 10, to: Date.now(), until: Date.now() + 60_000 };
		const trace = { id: 'of another process', payment: wanted, ...moment };
		const again = lookUp(at, wanted, { earlier: { trace } });
		const second = again.sending();
		expect(second).toMatchObject({ ...moment, wasNotAlone: true });
		expect(await found(again, second)).toMatchObject({ kind: 'doubt' });
	});

	it('what is sent again keeps what is kept of the first request, and is handed out nothing', async () => {
		const { at, wanted, trace } = sent();
		const again = lookUp(at, wanted, { earlier: { trace } });
		const second = again.sending() as PaymentTrace;
		expect(second).toMatchObject({ payment: wanted, wasNotAlone: true });
		expect(second.id).not.toBe(trace.id);
		expect(trace.wasNotAlone).toBe(true);
		await after(400_000);
		at.list.unshift(listed(204, wanted, Date.now() - 399_000));
		expect(await found(again, second, true)).toMatchObject({ kind: 'doubt' });
	});
});
