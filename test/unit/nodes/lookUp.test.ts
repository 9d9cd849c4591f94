/** What the list tells about a payment whose outcome is not known. */
import fc from 'fast-check';
import { readListed } from '../../../nodes/shared/api/listedPayments';
import {
	decide,
	type Decision,
	LOOK_DELAYS,
	lookRepeatedly,
	PRECISION,
	type Rival,
	type Trace,
} from '../../../nodes/AcountPay/execution/lookUp';
import { ServerClock } from '../../../nodes/shared/transport/serverClock';

const LEFT = Date.UTC(2026, 10, 26, 12);
const iso = (ms: number) => new Date(ms).toISOString();

const wanted = { merchantId: 'shop', referenceNumber: 'ORDER-1', amount: 149.99, currency: 'DKK' };

const entry = (id: number, at: number, changes: object = {}) => ({
	id,
	referenceNumber: 'ORDER-1',
	amount: 149.99,
	currency: 'DKK',
	merchantClientId: 'shop',
	status: 'pending',
	createdAt: iso(at),
	...changes,
});

/** What the clock leaves open is `width` ms wide. */
const traceWith = (width: number, id = 'mine', left = LEFT): Trace => ({
	id,
	payment: wanted,
	from: left,
	to: left + width,
	until: left + width + 90_000,
});

const nothing = { rivals: [], isTaken: () => false };

/** One more in the list, so that it shows that its dates are exact. */
const OTHER = entry(1, LEFT - 86_400_001, { referenceNumber: 'OTHER' });

const decided = (
	entries: object[],
	{ trace = traceWith(10), rivals = [] as Rival[], taken = [] as string[] } = {},
): Decision =>
	decide(readListed([OTHER, ...entries] as never), trace, {
		rivals,
		isTaken: (id) => taken.includes(id),
	});

const madeId = (decision: Decision) => (decision.kind === 'made' ? decision.id : decision.kind);

describe('one payment', () => {
	test.each([0, 1, 500, 89_000])('made %i ms after the request left', (after) => {
		expect(madeId(decided([entry(2, LEFT + after)]))).toBe('2');
	});

	test.each<[string, object]>([
		['amount as text', { amount: '149.99' }],
		['currency in small letters', { currency: 'dkk' }],
		['merchant in capitals', { merchantClientId: 'SHOP' }],
		['id as text, by its other name', { id: undefined, paymentId: '2' }],
		['spaces around the reference', { referenceNumber: ' ORDER-1 ' }],
		['microseconds', { createdAt: '2026-11-26T12:00:00.123456Z' }],
		['another time zone', { createdAt: '2026-11-26T13:00:00.123+01:00' }],
	])('%s', (_what, changes) => {
		expect(madeId(decided([entry(2, LEFT + 100, changes)]))).toBe('2');
	});

	test.each<[string, object]>([
		['reference', { referenceNumber: 'ORDER-10' }],
		['merchant', { merchantClientId: 'other' }],
		['amount', { amount: 149.98 }],
		['currency', { currency: 'EUR' }],
	])('another %s is not it', (_what, changes) => {
		expect(decided([entry(2, LEFT + 100, changes)]).kind).toBe('none');
	});

	test.each(['referenceNumber', 'merchantClientId', 'amount', 'currency', 'createdAt', 'id'])(
		'without %s is a doubt',
		(name) => {
			expect(decided([entry(2, LEFT + 100, { [name]: undefined })]).kind).toBe('doubt');
		},
	);

	test.each(['2026-11-26T12:00:00.100', '26/11/2026', 1.5e12, null, {}])(
		'createdAt %p is a doubt',
		(createdAt) => {
			expect(decided([entry(2, 0, { createdAt })]).kind).toBe('doubt');
		},
	);

	test('that is taken is not it', () => {
		expect(decided([entry(2, LEFT + 100)], { taken: ['2'] }).kind).toBe('none');
	});

	test('without a clock is a doubt, and none is none', () => {
		const trace: Trace = { id: 'mine', payment: wanted };
		expect(decided([entry(2, LEFT + 100)], { trace }).kind).toBe('doubt');
		expect(decided([], { trace }).kind).toBe('none');
	});

	test('made long after the request is a doubt', () => {
		expect(decided([entry(2, LEFT + 100_000)])).toMatchObject({ kind: 'doubt' });
	});

	test('twice on shifting pages is one', () => {
		expect(madeId(decided([entry(2, LEFT + 5), entry(2, LEFT + 5)]))).toBe('2');
	});
});

describe('at the moment when the request left', () => {
	const trace = traceWith(1_050);

	test('older by more than the clock leaves open', () => {
		expect(decided([entry(2, LEFT - 2)], { trace }).kind).toBe('none');
	});

	test.each([-1, 0, 500, 1_049])('%i ms of a second: more must be known of the clock', (after) => {
		expect(decided([entry(2, LEFT + after)], { trace })).toMatchObject({
			kind: 'doubt',
			isClock: true,
		});
	});

	test('made later than that', () => {
		expect(madeId(decided([entry(2, LEFT + 1_050)], { trace }))).toBe('2');
	});

	test('a clock that is known well enough', () => {
		const at = (width: number) => decided([entry(2, LEFT + 1)], { trace: traceWith(width) }).kind;
		expect(at(PRECISION - 1)).toBe('made');
		expect(at(PRECISION)).toBe('doubt');
	});

	test('dates in whole seconds: rounded or cut off, they may be of an older one', () => {
		const entries = (at: number) => readListed([entry(2, at)]);
		const on = (at: number) => decide(entries(at), traceWith(10), nothing).kind;
		expect(on(LEFT - 1_000)).toBe('none');
		expect(on(LEFT)).toBe('doubt');
		expect(on(LEFT + 1_000)).toBe('made');
	});
});

describe('equal requests', () => {
	const rival = (isInFlight: boolean, trace: Trace | undefined = traceWith(10, 'other')) => ({
		trace,
		isInFlight,
	});
	const two = [entry(2, LEFT + 100), entry(3, LEFT + 200)];

	test('two payments, no other request', () => {
		expect(decided(two)).toEqual({ kind: 'doubt', why: 'shows 2 that could be it: 2, 3' });
	});

	test('two payments for two requests', () => {
		expect(madeId(decided(two, { rivals: [rival(false)] }))).toBe('2');
	});

	test('one payment for two requests', () => {
		expect(decided(two.slice(1), { rivals: [rival(false)] })).toEqual({
			kind: 'doubt',
			why: 'shows one that could be it: 3, and 2 equal ones are open',
		});
	});

	test('one that is in flight', () => {
		expect(decided(two, { rivals: [rival(true)] }).kind).toBe('doubt');
	});

	test('one of which nothing is kept', () => {
		expect(decided(two, { rivals: [{ isInFlight: false }] }).kind).toBe('doubt');
	});

	test('one that left after one of the payments was made', () => {
		const later = rival(false, traceWith(10, 'other', LEFT + 150));
		expect(decided(two, { rivals: [later] }).kind).toBe('doubt');
	});
});

describe('any history', () => {
	/** What happened at AcountPay: requests of ours, and payments that others have made. */
	const history = fc.record({
		ahead: fc.integer({ min: -1e7, max: 1e7 }),
		latencies: fc.array(fc.tuple(fc.nat(300), fc.nat(300)), { minLength: 1, maxLength: 6 }),
		phases: fc.array(fc.nat(999), { minLength: 6, maxLength: 6 }),
		requests: fc.array(
			fc.record({
				at: fc.nat(5_000),
				handling: fc.nat(2_000),
				isMade: fc.boolean(),
				outcome: fc.constantFrom('named', 'unknown', 'inFlight'),
				isListed: fc.boolean(),
				product: fc.constantFrom('a', 'b'),
			}),
			{ minLength: 1, maxLength: 5 },
		),
		others: fc.array(
			fc.record({
				/** Before the first of our requests, in ms. */
				before: fc.integer({ min: PRECISION + 1, max: 5_000 }),
				product: fc.constantFrom('a', 'b'),
				merchant: fc.constantFrom('shop', 'other'),
			}),
			{ maxLength: 5 },
		),
		shuffle: fc.infiniteStream(fc.nat(1_000)),
	});

	test('never a wrong payment, never one twice, and the right one when there is no doubt', () => {
		let found = 0;
		fc.assert(
			fc.property(history, ({ ahead, latencies, phases, requests, others, shuffle }) => {
				const clock = new ServerClock();
				latencies.forEach(([there, back], index) => {
					const at = LEFT + 10_000 + index * 1_000 + phases[index];
					const date = new Date(at + there + ahead).toUTCString();
					clock.observe({ date }, at, at + there + back);
				});
				const entries: Array<ReturnType<typeof entry>> = [];
				const owner = new Map<string, string>();
				const taken = new Set<string>();
				const open: Array<{ trace: Trace; isInFlight: boolean; truth?: string }> = [];
				let lastId = 10;
				for (const other of others) {
					const at = LEFT + ahead - other.before;
					const changes = { referenceNumber: other.product, merchantClientId: other.merchant };
					entries.push(entry(++lastId, at, changes));
					owner.set(String(lastId), 'others');
				}
				requests.forEach(({ at, handling, isMade, outcome, isListed, product }, index) => {
					const trace: Trace = {
						id: `request ${index}`,
						payment: { ...wanted, referenceNumber: product },
					};
					const moment = clock.at(LEFT + at);
					if (moment) Object.assign(trace, moment, { until: moment.to + 90_000 });
					let id: string | undefined;
					if (isMade || outcome === 'named') {
						id = String(++lastId);
						owner.set(id, trace.id);
						const made = entry(lastId, LEFT + at + handling + ahead, { referenceNumber: product });
						if (isListed) entries.push(made);
					}
					if (outcome === 'named') taken.add(id!);
					else
						open.push({
							trace,
							isInFlight: outcome === 'inFlight',
							truth: isListed ? id : undefined,
						});
				});
				const random = shuffle[Symbol.iterator]();
				entries.sort(() => (random.next().value as number) - 500);
				const listed = readListed([OTHER, ...entries] as never);
				const shared = new Map<string, Set<string>>();

				for (const request of open.filter(({ isInFlight }) => !isInFlight)) {
					const rivals = open.filter(
						({ trace }) =>
							trace !== request.trace &&
							trace.payment.referenceNumber === request.trace.payment.referenceNumber,
					);
					const decision = decide(listed, request.trace, {
						rivals,
						isTaken: (id) => taken.has(id),
					});
					if (decision.kind === 'made') {
						found++;
						expect(taken.has(decision.id)).toBe(false);
						// Its own, or that of an equal request which gets this one's in turn.
						const { referenceNumber } = request.trace.payment;
						const sharers = shared.get(referenceNumber) ?? new Set<string>();
						if (rivals.length > 0) {
							for (const { trace } of [request, ...rivals]) sharers.add(trace.id);
							shared.set(referenceNumber, sharers);
						}
						expect([request.trace.id, ...sharers]).toContain(owner.get(decision.id));
						taken.add(decision.id);
						open.splice(open.indexOf(request), 1);
					} else if (decision.kind === 'none') {
						expect(request.truth === undefined || taken.has(request.truth)).toBe(true);
					} else if (request.trace.from !== undefined && rivals.length === 0) {
						// Alone, and the clock known well enough: no doubt is left.
						const width = request.trace.to! - request.trace.from;
						expect(width).toBeGreaterThan(PRECISION - 1);
					}
				}
			}),
			{ numRuns: 3_000 },
		);
		expect(found).toBeGreaterThan(200);
	});
});

describe('the looks', () => {
	const looking = async (decisions: Decision[], waits: boolean[] = []) => {
		const pauses: number[] = [];
		let looks = 0;
		const result = await lookRepeatedly(
			async () => decisions[Math.min(looks++, decisions.length - 1)],
			async (ms) => {
				pauses.push(ms);
				return waits[pauses.length - 1] ?? true;
			},
		);
		return { ...result, pauses };
	};
	const none: Decision = { kind: 'none' };
	const made = { kind: 'made', id: '2' } as Decision;

	test('end with the first that finds it', async () => {
		expect(await looking([none, made])).toMatchObject({ decision: made, looks: 2, pauses: [500] });
	});

	test('are bounded', async () => {
		const { decision, looks, pauses } = await looking([none]);
		expect({ decision, looks, pauses }).toEqual({ decision: none, looks: 5, pauses: LOOK_DELAYS });
	});

	test('come sooner when they are for the clock', async () => {
		const clock: Decision = { kind: 'doubt', why: '', isClock: true };
		expect(await looking([clock, made])).toMatchObject({ pauses: [300] });
	});

	test('stop when the execution is stopped, and leave a doubt', async () => {
		expect(await looking([none], [true, false])).toMatchObject({
			decision: { kind: 'doubt' },
			looks: 2,
		});
	});
});
