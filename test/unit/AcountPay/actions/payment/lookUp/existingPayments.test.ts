import fc from 'fast-check';
import type { IDataObject } from 'n8n-workflow';
import { CreatedPayments } from '../../../../../../nodes/AcountPay/actions/payment/lookUp/createdPayments';
import {
	existingAmong,
	ExistingPayments,
	type IfExists,
} from '../../../../../../nodes/AcountPay/actions/payment/lookUp/existingPayments';
import { SharedReadings } from '../../../../../../nodes/AcountPay/actions/payment/lookUp/sharedReadings';
import { compare } from '../../../../../../nodes/AcountPay/actions/payment/lookUp/samePayment';
import { listedPaymentOf } from '../../../../../../nodes/shared/api/listedPayments';
import type { ApiRequest } from '../../../../../../nodes/shared/api/request';
import { ApiError, Cancelled } from '../../../../../../nodes/shared/errors';
import { callOptions, end, errorOf, response, scripted, useFakeTime } from '../../../../support';

useFakeTime();

const WANTED = { merchantId: 'shop', referenceNumber: 'ORDER-1', amount: 10, currency: 'DKK' };
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const entry = (changes: IDataObject = {}): IDataObject => ({
	id: 7,
	merchantClientId: 'shop',
	referenceNumber: 'ORDER-1',
	amount: 10,
	currency: 'DKK',
	status: 'pending',
	createdAt: new Date().toISOString(),
	...changes,
});

/** An AcountPay with a list, and the clients of as many executions as a test wants. */
function acountPay(entries: IDataObject[] = []) {
	const state = { entries, fail: undefined as Error | undefined, readings: 0 };
	const clientOf = (account = 'a') => {
		const { client, stop } = scripted(({ query }: ApiRequest) => {
			if (state.fail) return state.fail;
			const { page, limit } = query as { page: number; limit: number };
			if (page === 1) state.readings++;
			const payments = state.entries.slice((page - 1) * limit, page * limit);
			return response(200, { payments, total: state.entries.length, page, limit });
		});
		return Object.assign(client, { account, stop });
	};
	const requests = { hasUnresolved: (() => false) as (order: string) => boolean };
	const existing = new ExistingPayments(undefined, undefined, requests);
	return { state, clientOf, existing, requests };
}

type AcountPay = ReturnType<typeof acountPay>;

const asking = (
	{ existing, clientOf }: AcountPay,
	{
		wanted = WANTED,
		ifExists = 'return' as IfExists,
		executionId = '1' as string | undefined,
		isOwn = (() => false) as (id: string) => boolean,
		previousPaymentId = undefined as string | undefined,
		client = clientOf(),
	} = {},
) =>
	existing.find(
		{ client, wanted, ifExists, options: callOptions, executionId, isOwn },
		previousPaymentId === undefined ? undefined : { paymentId: previousPaymentId },
	);

const ask = async (...args: Parameters<typeof asking>) => await end(asking(...args));

it('a list that shows another merchant for every payment leaves an order of that reference in doubt', async () => {
	const listed = [entry({ merchantClientId: 42 }), entry({ id: 8, referenceNumber: 'ORDER-2' })];
	const foreign = listed.map((one) => ({ ...one, merchantClientId: 42 }));
	expect((await ask(acountPay(foreign))).error).toMatchObject({
		outcome: 'refused',
		message:
			"Payment 'ORDER-1' was not created: AcountPay has payment 7, which is listed for the merchant '42'",
	});
	const wanted = { ...WANTED, referenceNumber: 'ORDER-3' };
	expect(await ask(acountPay(foreign), { wanted })).toMatchObject({ value: undefined });
	// It shows our merchant as well, so it is another merchant's.
	expect(await ask(acountPay([...foreign, { ...listed[1], id: 9 }]))).toMatchObject({
		value: undefined,
	});
});

describe('what exists of an order', () => {
	const among = (entries: IDataObject[]) => existingAmong(entries.map(listedPaymentOf), WANTED);

	it.each<[string, IDataObject[], string]>([
		['nothing', [], 'none'],
		['the same', [entry()], '7'],
		['the same, paid', [entry({ status: 'paid' })], '7'],
		['the same, in a status that is not known', [entry({ status: 'on hold' })], '7'],
		['the same without a status', [entry({ status: undefined })], '7'],
		['a failed one', [entry({ status: 'failed' })], 'none'],
		['an expired one', [entry({ status: 'expired' })], 'none'],
		['a failed one that differs', [entry({ id: 8, status: 'failed', amount: 3 }), entry()], '7'],
		['a failed one that does not tell all', [entry({ status: 'failed', amount: 'ten' })], 'none'],
		['a similar one', [entry({ referenceNumber: 'order 1' })], 'none'],
		['another one', [entry({ referenceNumber: 'ORDER-10' })], 'none'],
		['one of another merchant', [entry({ merchantClientId: 'cafe' })], 'none'],
		[
			'one that differs',
			[entry({ amount: 12 })],
			'payment 7, which has the amount 12 instead of 10',
		],
		[
			'one that differs twice',
			[entry({ amount: 12, currency: 'EUR' })],
			'payment 7, which has the amount 12 instead of 10 and has the currency EUR instead of DKK',
		],
		[
			'one without a reference',
			[entry({ referenceNumber: '' })],
			'payment 7, which is listed without its reference',
		],
		[
			'one without an ID',
			[entry({ id: '' })],
			'payment without an ID, which is listed without its ID',
		],
		['two', [entry(), entry({ id: 8 })], 'payment 7, payment 8'],
		[
			'the same and one that differs',
			[entry({ id: 8, currency: 'EUR' }), entry()],
			'payment 7, payment 8, which has the currency EUR instead of DKK',
		],
	])('%s', (_what, entries, says) => {
		const found = among(entries);
		expect(
			found.kind === 'one' ? found.payment.id : found.kind === 'none' ? 'none' : found.why,
		).toBe(says);
	});

	it('for any list it is exactly one that is the same, or a doubt, or nothing', () => {
		const entries = fc.array(
			fc.record({
				id: fc.nat(),
				merchantClientId: fc.constantFrom('shop', ' SHOP', 'cafe', undefined),
				referenceNumber: fc.constantFrom('ORDER-1', 'order 1', 'ORDER-10', undefined),
				amount: fc.constantFrom(10, '10.00', 12),
				currency: fc.constantFrom('DKK', 'dkk', 'EUR'),
				createdAt: fc.constantFrom('2026-01-01T10:00:00Z', undefined),
				status: fc.constantFrom('pending', 'paid', 'failed', 'expired', 'odd', undefined),
			}),
			{ maxLength: 4 },
		);
		fc.assert(
			fc.property(entries, (all) => {
				const relations = (all as IDataObject[])
					.filter(({ status }) => status !== 'failed' && status !== 'expired')
					.map((one) => compare(WANTED, listedPaymentOf(one)).relation)
					.filter((relation) => relation !== 'other' && relation !== 'similar');
				const isOne = relations.length === 1 && relations[0] === 'same';
				expect(among(all as IDataObject[]).kind).toBe(
					relations.length === 0 ? 'none' : isOne ? 'one' : 'doubt',
				);
			}),
		);
	});
});

describe('Return It', () => {
	it('hands out what AcountPay lists', async () => {
		const paid = entry({ status: 'paid' });
		const found = await ask(acountPay([paid]));
		expect(found.value).toEqual({ ...paid, paymentId: 7, isPaid: true, existing: true });
	});

	it('hands out what this process has created, with its link, while AcountPay does not list it', async () => {
		const at = acountPay();
		const created = {
			paymentId: 7,
			status: 'pending',
			paymentUrl: 'https://pay.acountpay.com/p/7',
		};
		at.existing.add(at.clientOf(), WANTED, '1', created);
		expect((await ask(at, { executionId: '2' })).value).toEqual({
			...created,
			isPaid: false,
			existing: true,
		});
		// Written in another way by AcountPay, but it is the one.
		at.state.entries = [entry({ referenceNumber: 'order1', status: 'paid' })];
		jest.setSystemTime(Date.now() + MINUTE);
		expect((await ask(at)).value).toMatchObject({ ...created, status: 'paid', existing: true });
		at.state.entries = [entry({ status: 'expired' })];
		jest.setSystemTime(Date.now() + MINUTE);
		const { value, error } = await ask(at);
		expect([value, error]).toEqual([undefined, undefined]);
	});

	it('names the payment by its own ID, not by one that belongs to the request', async () => {
		const acount = acountPay();
		const response = { id: 'req_1', paymentId: null, data: { paymentId: 1011 } };
		acount.existing.add(acount.clientOf(), WANTED, '1', response);
		expect((await ask(acount)).value).toEqual({
			...response,
			paymentId: '1011',
			isPaid: false,
			existing: true,
		});
	});

	it('keeps the link of a payment that AcountPay lists without one', async () => {
		const link = 'https://pay.acountpay.com/p/7';
		const at = acountPay([entry({ paymentUrl: null, status: 'paid' })]);
		at.existing.add(at.clientOf(), WANTED, '1', { paymentId: 7, paymentUrl: link });
		const { value } = await ask(at, { executionId: '2' });
		expect(value).toMatchObject({ paymentUrl: link, status: 'paid', isPaid: true });
	});

	it.each<[string, IDataObject[], boolean]>([
		['not at all', [], false],
		['in another way', [entry({ referenceNumber: 'order1' })], false],
		['as expired', [entry({ status: 'expired' })], true],
	])(
		'of a payment that it has found before and that is now listed %s',
		async (how, entries, mayCreate) => {
			const { value, error } = await ask(acountPay(entries), { previousPaymentId: '7' });
			expect(value).toBeUndefined();
			if (mayCreate) return expect(error).toBeUndefined();
			expect(error).toMatchObject({
				outcome: 'refused',
				message:
					"Payment 'ORDER-1' was not created: AcountPay has shown payment 7 for this order before, and does not list it as failed or expired now",
			});
		},
	);

	it('reads once for all in half a minute, and then again', async () => {
		const at = acountPay();
		for (const [ms, readings] of [
			[0, 1],
			[29_000, 1],
			[1_100, 2],
			[10_000, 2],
		]) {
			jest.setSystemTime(Date.now() + ms);
			await Promise.all([ask(at), ask(at, { wanted: { ...WANTED, referenceNumber: 'ORDER-2' } })]);
			expect(at.state.readings).toBe(readings);
		}
	});

	it('a payment that is older than 30 days is not seen, and a younger one is', async () => {
		for (const [days, id] of [
			[29.9, 7],
			[30.1, undefined],
		] as const) {
			const createdAt = new Date(Date.now() - days * DAY).toISOString();
			const found = await ask(acountPay([entry(), entry({ createdAt })].slice(1)));
			expect(found.value?.paymentId).toBe(id);
		}
	});

	it.each<[string, IDataObject[], RegExp]>([
		[
			'differs',
			[entry({ amount: 12 })],
			/AcountPay has payment 7, which has the amount 12 instead of 10$/,
		],
		['there are two', [entry(), entry({ id: 8 })], /AcountPay has payment 7, payment 8$/],
		['one has no reference', [entry({ referenceNumber: '' })], /listed without its reference$/],
		[
			'it does not tell all',
			[entry({ createdAt: 1 })],
			/payment 7, which is listed without its time of creation$/,
		],
	])('sends nothing when it %s', async (_what, entries, words) => {
		const error = errorOf(await ask(acountPay(entries)));
		expect(error).toMatchObject({ outcome: 'refused', message: expect.stringMatching(words) });
		expect(error.description).toBe(
			'Nothing was sent for this item. Check in AcountPay which payment this order has, and correct the item.',
		);
	});

	it('sends nothing while a request of this process is unresolved, unless its payment is there', async () => {
		const hasUnresolved = () => true;
		const opened = (entries: IDataObject[]) => {
			const at = acountPay(entries);
			Object.assign(at.requests, { hasUnresolved });
			return at;
		};
		expect(errorOf(await ask(opened([])))).toMatchObject({
			outcome: 'unknown',
			message: expect.stringMatching(/another request for it is open/),
			description: expect.stringMatching(
				/^Nothing was sent for this item\. Look for the reference in AcountPay\./,
			),
			rulesOut: 'resend',
		});
		expect((await ask(opened([entry()]))).value).toMatchObject({ paymentId: 7 });
		// What was created without an ID can't be told from others.
		const nameless = opened([]);
		nameless.existing.add(nameless.clientOf(), WANTED, '1', { status: 'pending' });
		expect(errorOf(await ask(nameless)).message).toMatch(/another request for it is open/);
	});

	it('is not passed by a request that is settled right now, and remembered a moment later', async () => {
		const at = acountPay();
		at.requests.hasUnresolved = () => {
			queueMicrotask(() => at.existing.add(at.clientOf(), WANTED, '2', { paymentId: 9 }));
			return false;
		};
		expect((await ask(at)).value).toMatchObject({ paymentId: 9, existing: true });
		const later = acountPay();
		let looks = 0;
		later.requests.hasUnresolved = () => looks++ === 0;
		expect(errorOf(await ask(later)).message).toMatch(/another request for it is open/);
	});

	it('sends nothing while the list can not be read', async () => {
		const at = acountPay();
		at.state.fail = new ApiError('unavailable', 'The list is late', 'Run it again.', {
			status: 500,
		});
		expect(errorOf(await ask(at))).toMatchObject({
			outcome: 'unavailable',
			message: 'The list is late',
			description: 'Run it again. Nothing was sent for this item.',
			status: 500,
		});
	});

	it('a similar reference is another order, unless the payment shows no merchant either', async () => {
		const similar = entry({ referenceNumber: 'order 1' });
		for (const merchantClientId of ['shop', 42]) {
			const found = await ask(acountPay([{ ...similar, merchantClientId, amount: null }]));
			expect([found.value, found.error]).toEqual([undefined, undefined]);
		}
		const error = errorOf(await ask(acountPay([{ ...similar, merchantClientId: null }])));
		expect(error.message).toMatch(/payment 7, which is listed without its merchant$/);
	});

	it('of what this process has created and has failed creates another one', async () => {
		const at = acountPay();
		at.existing.add(at.clientOf(), WANTED, '1', { paymentId: 7, status: 'failed' });
		const { value, error } = await ask(at);
		expect([value, error]).toEqual([undefined, undefined]);
	});

	it('hands out nothing of another account, and creates nothing before the list shows it', async () => {
		const at = acountPay();
		at.existing.add(at.clientOf('b'), WANTED, '1', { paymentId: 7, paymentUrl: 'x' });
		expect(errorOf(await ask(at)).message).toMatch(/another request for it is open/);
		jest.setSystemTime(Date.now() + MINUTE);
		at.state.entries = [entry()];
		expect((await ask(at)).value).toEqual({
			...entry({ createdAt: at.state.entries[0].createdAt }),
			paymentId: 7,
			isPaid: false,
			existing: true,
		});
		jest.setSystemTime(Date.now() + MINUTE);
		at.state.entries = [entry({ status: 'failed' })];
		expect(await ask(at)).toMatchObject({ value: undefined });
		at.existing.add(at.clientOf('b'), WANTED, '1', { paymentId: 8 });
		expect(errorOf(await ask(at)).message).toMatch(/another request for it is open/);
	});

	it('creates nothing while the list shows the payment of another account, however it writes the reference', async () => {
		const at = acountPay();
		at.existing.add(at.clientOf('b'), WANTED, '1', { paymentId: 7, status: 'pending' });
		at.state.entries = [entry({ referenceNumber: 'order' })];
		expect(errorOf(await ask(at))).toMatchObject({
			outcome: 'refused',
			message:
				"Payment 'ORDER-1' was not created: AcountPay has payment 7, which another credential has created for it",
		});
		at.state.entries = [entry({ referenceNumber: 'order', status: 'expired' })];
		expect(await ask(at, { client: at.clientOf('c') })).toMatchObject({ value: undefined });
	});
});

describe('Fail', () => {
	const ifExists = 'fail';

	it('fails on what exists, and names it', async () => {
		const error = errorOf(await ask(acountPay([entry()]), { ifExists }));
		expect(error.message).toBe(
			"Payment 'ORDER-1' was not created: AcountPay has payment 7 (pending) for it already",
		);
		expect(error.outcome).toBe('refused');
		expect(error.description).toBe(
			"Nothing was sent for this item. To get that payment instead, set the option 'If a Payment Exists' to 'Return It'.",
		);
		expect((await ask(acountPay(), { ifExists })).value).toBeUndefined();
		const ofNoStatus = await ask(acountPay([entry({ status: null })]), { ifExists });
		expect(errorOf(ofNoStatus).message).toMatch(/has payment 7 \(of no status\) for it already$/);
	});

	it('fails on what exists for a call without an execution ID, too', async () => {
		const existing = acountPay([entry()]);
		const mine = acountPay();
		const call = undefined as unknown as string;
		mine.existing.add(mine.clientOf(), WANTED, call, { paymentId: 7 });
		for (const at of [existing, mine]) {
			const found = at.existing.find({
				client: at.clientOf(),
				wanted: WANTED,
				ifExists,
				options: callOptions,
				isOwn: () => false,
			});
			expect(errorOf(await end(found)).message).toMatch(/for it already$/);
		}
	});

	it('hands out what this execution has created itself', async () => {
		const at = acountPay();
		at.existing.add(at.clientOf(), WANTED, '1', { paymentId: 7 });
		expect((await ask(at, { ifExists })).value).toMatchObject({ paymentId: 7, existing: true });
		expect(errorOf(await ask(at, { ifExists, executionId: '2' })).outcome).toBe('refused');
		const isOwn = (id: string) => id === '7';
		expect((await ask(acountPay([entry()]), { ifExists, isOwn })).value).toMatchObject({ id: 7 });
	});
});

it('what was created is remembered for an hour, and 10,000 payments at most', () => {
	const created = new CreatedPayments();
	const add = (order: string) =>
		created.add(order, { account: 'a', executionId: '1', payment: listedPaymentOf({}) });
	add('ORDER-1');
	jest.setSystemTime(Date.now() + 59 * MINUTE);
	expect(created.of('ORDER-1')).toHaveLength(1);
	add('ORDER-1');
	expect(created.of('ORDER-1')).toHaveLength(2);
	jest.setSystemTime(Date.now() + MINUTE);
	expect(created.of('ORDER-1')).toHaveLength(1);
	jest.setSystemTime(Date.now() + 59 * MINUTE);
	expect(created.of('ORDER-1')).toHaveLength(0);
	for (let index = 0; index <= 10_000; index++) add(`ORDER-${index}`);
	expect(created.of('ORDER-0')).toHaveLength(0);
	expect(created.of('ORDER-1')).toHaveLength(1);
});

describe('one item of an order at a time', () => {
	it('each waits for those before, and who gives up lets nobody pass', async () => {
		const { existing, clientOf } = acountPay();
		const client = clientOf();
		const log: string[] = [];
		const stop = new AbortController();
		const work = (name: string, ms: number, signal = new AbortController().signal) =>
			existing.exclusively(client, WANTED, signal, async () => {
				log.push(`${name} begins`);
				await new Promise((resolve) => setTimeout(resolve, ms));
				log.push(`${name} ends`);
			});
		const first = work('first', 1_000);
		const second = work('second', 10, stop.signal).catch((error: unknown) => error);
		const third = work('third', 10);
		await jest.advanceTimersByTimeAsync(100);
		stop.abort();
		expect(await second).toBeInstanceOf(Cancelled);
		const fourth = work('fourth', 10);
		await end(Promise.all([first, third, fourth]));
		const names = ['first', 'third', 'fourth'];
		expect(log).toEqual(names.flatMap((name) => [`${name} begins`, `${name} ends`]));
	});

	it('none begins once its execution has ended', async () => {
		const { existing, clientOf } = acountPay();
		const work = jest.fn();
		const begun = existing.exclusively(clientOf(), WANTED, AbortSignal.abort(), work);
		await expect(begun).rejects.toBeInstanceOf(Cancelled);
		expect(work).not.toHaveBeenCalled();
	});

	it('another order does not wait, and an error ends a turn', async () => {
		const { existing, clientOf } = acountPay();
		const client = clientOf();
		const { signal } = new AbortController();
		const fail = existing.exclusively(client, WANTED, signal, () =>
			Promise.reject(new Error('no')),
		);
		const other = { ...WANTED, referenceNumber: 'ORDER-2' };
		const never = new Promise<string>(() => undefined);
		void existing.exclusively(client, other, signal, () => never);
		await expect(fail).rejects.toThrow('no');
		const same = { ...WANTED, merchantId: ' SHOP', referenceNumber: 'ORDER-1 ' };
		expect(await existing.exclusively(client, same, signal, async () => 'next')).toBe('next');
	});
});

it('whatever comes in whatever order, an order has one payment, and all its items get that one', async () => {
	const ms = fc.integer({ min: 0, max: 90_000 });
	const item = fc.record({ order: fc.nat(2), startsAt: ms, latency: ms, execution: fc.nat(3) });
	const items = fc.array(item, { minLength: 1, maxLength: 25 });
	await fc.assert(
		fc.asyncProperty(items, ms, fc.array(fc.nat(2)), async (all, lag, before) => {
			const at = acountPay();
			const clients = [0, 1, 2, 3].map(() => at.clientOf());
			let lastId = 0;
			const created: IDataObject[] = before.map((order) =>
				entry({ id: ++lastId, referenceNumber: `ORDER-${order}`, status: 'failed' }),
			);
			at.state.entries = [...created];
			const requests = new Set<string>();
			at.requests.hasUnresolved = (key) => [...requests].some((order) => key.includes(order));
			const got = all.map(async ({ order, startsAt, latency, execution }) => {
				const wanted = { ...WANTED, referenceNumber: `ORDER-${order}` };
				const client = clients[execution];
				await new Promise((resolve) => setTimeout(resolve, startsAt));
				const { signal } = new AbortController();
				return await at.existing.exclusively(client, wanted, signal, async () => {
					const executionId = String(execution);
					const found = await asking(at, { wanted, client, executionId });
					if (found) return found.paymentId;
					requests.add(wanted.referenceNumber);
					const payment = entry({ id: ++lastId, referenceNumber: wanted.referenceNumber });
					created.push(payment);
					setTimeout(() => at.state.entries.unshift(payment), lag);
					await new Promise((resolve) => setTimeout(resolve, latency));
					requests.delete(wanted.referenceNumber);
					at.existing.add(client, wanted, executionId, { paymentId: payment.id });
					return payment.id;
				});
			});
			const { value, error } = await end(Promise.all(got));
			expect(error).toBeUndefined();
			for (const order of new Set(all.map((one) => one.order))) {
				const ids = all.flatMap((one, index) => (one.order === order ? [value![index]] : []));
				const live = created.filter(
					({ referenceNumber, status }) =>
						referenceNumber === `ORDER-${order}` && status !== 'failed',
				);
				expect(live).toHaveLength(1);
				expect(new Set(ids)).toEqual(new Set([live[0].id]));
			}
		}),
		{ numRuns: 60 },
	);
});

it('readings that are shared end with their age, not with who uses them', async () => {
	const { state, clientOf } = acountPay();
	const readings = new SharedReadings(30_000);
	const read = async () => await readings.read(clientOf(), 'shop', 30, callOptions);
	await end(Promise.all([read(), read(), read()]));
	expect(state.readings).toBe(1);
});
