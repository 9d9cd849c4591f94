import * as fc from 'fast-check';
import type { IDataObject } from 'n8n-workflow';
import { createHash } from 'node:crypto';
import { EVENTS } from '../../../nodes/shared/api/events';
import type { WebhookEvent } from '../../../nodes/shared/api/events';

type Repeats = typeof import('../../../nodes/AcountPayTrigger/deduplication');

/** The module as a process has it that has just been started. */
function newProcess(): Repeats {
	let repeats!: Repeats;
	jest.isolateModules(() => {
		repeats = jest.requireActual('../../../nodes/AcountPayTrigger/deduplication');
	});
	return repeats;
}

const { MEMORY, MEMORY_SIZE } = newProcess();
const TRIGGER = { triggerId: 'workflow node', environment: 'https://api.example.com' };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A full hour. */
const START = 1_792_000_800_000;

const eventOf = (event: string, paymentId: string | number): WebhookEvent => ({
	event,
	data: { paymentId },
});

/** What comes out of n8n's database of what was put in. */
const stored = (staticData: IDataObject) => JSON.parse(JSON.stringify(staticData)) as IDataObject;

describe('an event', () => {
	it('is a repeat when it came within 24 hours, over any restarts, and new after 26', () => {
		const deliveries = fc.array(
			fc.record({
				event: fc.constantFrom(...EVENTS),
				paymentId: fc.constantFrom('pay_1', 'pay_2', 3),
				pause: fc.oneof(fc.nat(1_000), fc.nat(2 * MEMORY)),
				restart: fc.boolean(),
			}),
			{ maxLength: 40 },
		);
		fc.assert(
			fc.property(deliveries, (sequence) => {
				let { isRepeat } = newProcess();
				let staticData: IDataObject = {};
				let now = START;
				const cameAt = new Map<string, number>();
				for (const { event, paymentId, pause, restart } of sequence) {
					now += pause;
					if (restart) ({ isRepeat } = newProcess());
					const key = `${event} ${paymentId}`;
					const age = now - (cameAt.get(key) ?? -Infinity);

					const repeated = isRepeat(eventOf(event, paymentId), TRIGGER, staticData, now);
					if (age < MEMORY) expect(repeated).toBe(true);
					if (age >= MEMORY + HOUR) expect(repeated).toBe(false);
					if (!repeated) cameAt.set(key, now);
					staticData = stored(staticData);
				}
			}),
		);
	});

	it('is remembered for longer than a recorded delivery of it can pass for a new one', () => {
		expect(MEMORY).toBe(24 * HOUR + 5 * MINUTE);
	});

	it('is the same whatever else it says, and with its id as number or text', () => {
		const { isRepeat } = newProcess();
		const staticData = {};
		expect(isRepeat(eventOf('payment.completed', 7), TRIGGER, staticData, 0)).toBe(false);
		const again = {
			...eventOf('payment.completed', '7'),
			timestamp: '2026-10-14T18:26:40Z',
			data: { paymentId: '7', status: 'completed', amount: 1 },
		};
		expect(isRepeat(again, TRIGGER, staticData, 1)).toBe(true);
	});

	it('of a merchant is the same when it tells of the same moment: one can be activated twice', () => {
		const { isRepeat } = newProcess();
		const staticData = {};
		const activated = (timestamp: string, data: IDataObject) =>
			isRepeat({ event: 'merchant.activated', timestamp, data }, TRIGGER, staticData, 0);
		expect(activated('2026-10-14T18:26:40Z', { merchantId: 7, clientId: 'a' })).toBe(false);
		expect(activated('2026-10-14T18:26:40Z', { merchantId: '7' })).toBe(true);
		expect(activated('2026-10-14T18:26:40Z', { merchantId: 8 })).toBe(false);
		expect(activated('2026-10-14T19:00:00Z', { merchantId: 7 })).toBe(false);
		expect(activated('2026-10-14T18:26:40Z', { merchantId: 7 })).toBe(true);
	});

	it('is never mixed up with another one', () => {
		const id = fc.oneof(fc.stringMatching(/^[\x21-\x7e]+$/), fc.constantFrom('a', 'a"', '","'));
		const distinct = fc.uniqueArray(fc.tuple(fc.oneof(fc.constantFrom(...EVENTS), id), id), {
			selector: (pair) => JSON.stringify(pair),
		});
		fc.assert(
			fc.property(distinct, (pairs) => {
				const { isRepeat } = newProcess();
				const staticData = {};
				for (const [event, paymentId] of pairs) {
					expect(isRepeat(eventOf(event, `p${paymentId}`), TRIGGER, staticData, 0)).toBe(false);
				}
			}),
		);
	});

	it('is not found across the border of two others', () => {
		const { isRepeat } = newProcess();
		const staticData: IDataObject = {};
		isRepeat(eventOf('payment.completed', 'pay_1'), TRIGGER, staticData, START);
		const [key] = Object.values(staticData.seenByHour as Record<string, string>);
		expect(key).toHaveLength(8);
		const hour = String(START / HOUR);
		for (const [keys, repeated] of [
			[`xxxx${key}xxxx`, false],
			[`${key.slice(4)}${key}${key.slice(0, 4)}`, false],
			[`${'x'.repeat(8)}${key}`, true],
			[`xxxx${key}xxxx${key}`, true],
		] as const) {
			const restarted = newProcess();
			const data = { seenByHour: { [hour]: keys } };
			const event = eventOf('payment.completed', 'pay_1');
			expect([keys, restarted.isRepeat(event, TRIGGER, data, START)]).toEqual([keys, repeated]);
		}
	});

	it('is known in this process when n8n hands out old static data', () => {
		const { isRepeat } = newProcess();
		const event = eventOf('payment.completed', 'pay_1');
		expect(isRepeat(event, TRIGGER, {}, 0)).toBe(false);
		expect(isRepeat(event, TRIGGER, {}, 1)).toBe(true);
		expect(isRepeat(event, TRIGGER, {}, MEMORY - 1)).toBe(true);
		expect(isRepeat(event, TRIGGER, {}, MEMORY + HOUR)).toBe(false);
	});

	it('is stored with all others that came at the same moment, though each saw none of them', () => {
		const { isRepeat } = newProcess();
		const ids = ['pay_1', 'pay_2', 'pay_3'];
		const views = ids.map((paymentId) => {
			const staticData: IDataObject = {};
			isRepeat(eventOf('payment.completed', paymentId), TRIGGER, staticData, 0);
			return staticData;
		});
		const last = stored(views.at(-1)!);
		const restarted = newProcess();
		for (const paymentId of ids) {
			const event = eventOf('payment.completed', paymentId);
			expect(restarted.isRepeat(event, TRIGGER, last, 1)).toBe(true);
		}
	});

	it('stays known after a repeat of what another process has stored', () => {
		const event = eventOf('payment.completed', 'pay_1');
		const staticData: IDataObject = {};
		newProcess().isRepeat(event, TRIGGER, staticData, 0);
		const { isRepeat } = newProcess();
		expect(isRepeat(event, TRIGGER, staticData, 1)).toBe(true);
		expect(isRepeat(event, TRIGGER, {}, 2)).toBe(true);
	});

	it('is known to all processes that serve a trigger, once n8n has stored it, and is kept by each', () => {
		const deliveries = fc.array(fc.record({ process: fc.nat(2), id: fc.nat(20), late: fc.nat(2) }));
		fc.assert(
			fc.property(deliveries, (sequence) => {
				const processes = [newProcess(), newProcess(), newProcess()];
				const versions: IDataObject[] = [{}];
				const knownTo = processes.map(() => new Set<number>());
				for (const { process, id, late } of sequence) {
					const at = Math.max(0, versions.length - 1 - late);
					const staticData = stored(versions[at]);
					const repeated = processes[process].isRepeat(
						eventOf('payment.completed', id),
						TRIGGER,
						staticData,
						START,
					);
					if (knownTo[process].has(id)) expect(repeated).toBe(true);
					knownTo[process].add(id);
					if (!repeated) versions.push(staticData);
				}
				const keys = Object.values((versions.at(-1)!.seenByHour ?? {}) as Record<string, string>);
				const parts = keys.join('').match(/.{8}/g) ?? [];
				expect(new Set(parts).size).toBe(parts.length);
			}),
		);
	});

	it('is stored again with the next delivery, a repeat too, where n8n has dropped or put back the data', () => {
		const { isRepeat } = newProcess();
		const staticData: IDataObject = {};
		isRepeat(eventOf('payment.completed', 1), TRIGGER, staticData, START);
		const older = stored(staticData);
		isRepeat(eventOf('payment.completed', 2), TRIGGER, staticData, START);
		for (const rewound of [older, {}]) {
			expect(isRepeat(eventOf('payment.completed', 1), TRIGGER, rewound, START)).toBe(true);
			const restarted = newProcess();
			for (const id of [1, 2]) {
				const event = eventOf('payment.completed', id);
				expect(restarted.isRepeat(event, TRIGGER, stored(rewound), START)).toBe(true);
			}
		}
	});

	it('of one environment says nothing about another, which has numbers of its own', () => {
		const { isRepeat } = newProcess();
		const event = eventOf('payment.completed', 456);
		const production = { ...TRIGGER, environment: 'https://api.acountpay.com' };
		const staticData: IDataObject = {};
		expect(isRepeat(event, TRIGGER, staticData, START)).toBe(false);
		expect(isRepeat(event, production, staticData, START)).toBe(false);
		expect(isRepeat(event, TRIGGER, staticData, START)).toBe(true);
		expect(isRepeat(event, production, staticData, START)).toBe(true);
	});

	it('stays known beside events that are over, whatever comes for other triggers', () => {
		const { isRepeat } = newProcess();
		const event = eventOf('payment.completed', 'pay_1');
		const later = START + MEMORY + HOUR;
		isRepeat(eventOf('payment.completed', 'old'), TRIGGER, {}, START);
		isRepeat(event, TRIGGER, {}, later - 2 * HOUR);
		isRepeat(event, { ...TRIGGER, triggerId: 'workflow two' }, {}, later);
		expect(isRepeat(event, TRIGGER, {}, later)).toBe(true);
	});

	it('of one trigger says nothing about another', () => {
		const { isRepeat } = newProcess();
		const event = eventOf('payment.completed', 'pay_1');
		const [one, two] = ['workflow one', 'workflow two'].map((triggerId) => ({
			...TRIGGER,
			triggerId,
		}));
		expect(isRepeat(event, one, {}, 0)).toBe(false);
		expect(isRepeat(event, two, {}, 0)).toBe(false);
		expect(isRepeat(event, one, {}, 0)).toBe(true);
	});
});

describe('what version 0.1.0 has stored', () => {
	/** As 0.1.0 wrote it: the first 16 letters of a hash, with the time. */
	const by010 = (events: Array<[string, string | number, number]>): IDataObject => ({
		seenEvents: Object.fromEntries(
			events.map(([event, id, at]) => [
				createHash('sha256')
					.update(JSON.stringify([event, String(id)]))
					.digest('base64url')
					.slice(0, 16),
				at,
			]),
		),
	});

	it('is a recorded example', () => {
		// Written by 0.1.0 for payment.completed of pay_abc123def456.
		const staticData = { seenEvents: { ZD3jnS0qGFGL4XDT: START } };
		const { isRepeat } = newProcess();
		const event = eventOf('payment.completed', 'pay_abc123def456');
		expect(isRepeat(event, TRIGGER, staticData, START + HOUR)).toBe(true);
	});

	it('still counts, and is carried over with the next event', () => {
		const { isRepeat } = newProcess();
		const old = [
			['payment.completed', 'pay_1', START - 30 * HOUR],
			['payment.completed', 'pay_2', START - 23 * HOUR],
			['payment.failed', 3, START - 1],
			['payment.completed', 'pay_4', START - 2],
		] as Array<[string, string | number, number]>;
		const staticData = by010(old);
		expect(isRepeat(eventOf('payment.completed', 'pay_2'), TRIGGER, staticData, START)).toBe(true);
		expect(isRepeat(eventOf('payment.completed', 'new'), TRIGGER, staticData, START)).toBe(false);
		expect(Object.keys(staticData)).toEqual(['seenByHour']);

		const restarted = newProcess();
		const data = stored(staticData);
		for (const [event, id, repeated] of [
			['payment.completed', 'pay_1', false],
			['payment.completed', 'pay_2', true],
			['payment.failed', 3, true],
			['payment.completed', 'pay_4', true],
			['payment.completed', 'new', true],
		] as const) {
			expect([id, restarted.isRepeat(eventOf(event, id), TRIGGER, data, START)]).toEqual([
				id,
				repeated,
			]);
		}
	});
});

describe('what was stored before the environment belonged to an event', () => {
	it('still counts, whatever the environment is', () => {
		// Written for payment.completed of pay_abc123def456.
		const staticData = { seenByHour: { [START / HOUR]: 'ZD3jnS0q' } };
		for (const environment of ['https://api.acountpay.com', '']) {
			const { isRepeat } = newProcess();
			const event = eventOf('payment.completed', 'pay_abc123def456');
			expect(isRepeat(event, { ...TRIGGER, environment }, stored(staticData), START)).toBe(true);
		}
	});
});

describe('static data that somebody else has written', () => {
	it('are passed over, and never make it throw', () => {
		const hours = fc.oneof(fc.string(), fc.constantFrom(String(START / HOUR), '-1', '1e9', 'x'));
		const values = fc.oneof(
			fc.jsonValue(),
			fc.string({ unit: 'binary' }),
			fc.constant('x'.repeat(7)),
		);
		const data = fc.oneof(
			fc.jsonValue(),
			fc.dictionary(hours, values),
			// Nothing can be made of it: neither a number nor a text.
			fc.constant({ x: { valueOf: 1, toString: 1 } }),
		);
		fc.assert(
			fc.property(data, data, (seenByHour, seenEvents) => {
				const { isRepeat } = newProcess();
				const staticData = { seenByHour, seenEvents } as IDataObject;
				const event = eventOf('payment.completed', 'pay_1');
				expect(isRepeat(event, TRIGGER, staticData, START)).toBe(false);
				expect(isRepeat(event, TRIGGER, stored(staticData), START)).toBe(true);
			}),
		);
	});
});

describe('the memory', () => {
	/** Static data of that many events before `now`, all of them others. */
	const filled = (count: number, now: number, hours = 24): IDataObject => {
		const seenByHour: Record<string, string> = {};
		for (let number = 0; number < count; number++) {
			const hour = Math.floor(now / HOUR) - hours + 1 + Math.floor((number * hours) / count);
			seenByHour[hour] = (seenByHour[hour] ?? '') + String(number).padStart(8, '.');
		}
		return { seenByHour };
	};
	const keysOf = ({ seenByHour }: IDataObject) =>
		Object.values(seenByHour as Record<string, string>)
			.join('')
			.match(/.{8}/g) ?? [];

	it.each([1, 24])(
		'keeps the last 50,000 events, in the process and in what is stored (%i hours)',
		(hours) => {
			expect(MEMORY_SIZE).toBe(50_000);
			const { isRepeat } = newProcess();
			const staticData = filled(MEMORY_SIZE - 1, START, hours);
			isRepeat(eventOf('payment.completed', 'one'), TRIGGER, staticData, START);
			expect(keysOf(staticData)).toHaveLength(MEMORY_SIZE);
			isRepeat(eventOf('payment.completed', 'two'), TRIGGER, staticData, START);
			isRepeat(eventOf('payment.completed', 'three'), TRIGGER, stored(staticData), START);
			isRepeat(eventOf('payment.completed', 'four'), TRIGGER, staticData, START);
			const keys = keysOf(staticData);
			expect(keys).toHaveLength(MEMORY_SIZE);
			// The oldest ones had to go.
			expect(keys[0]).toBe('.......3');
			for (const id of ['one', 'two', 'three', 'four']) {
				expect(isRepeat(eventOf('payment.completed', id), TRIGGER, staticData, START)).toBe(true);
			}
		},
	);

	it('counts what came while the clock was ahead as of the hour in which it was set back', () => {
		const differences = fc.nat(100 * HOUR);
		fc.assert(
			fc.property(differences, fc.boolean(), fc.boolean(), (ahead, restart, isBy010) => {
				const first = newProcess();
				let staticData: IDataObject = {};
				const event = eventOf('payment.completed', 'pay_abc123def456');
				if (isBy010) staticData = { seenEvents: { ZD3jnS0qGFGL4XDT: START + ahead } };
				else first.isRepeat(event, TRIGGER, staticData, START + ahead);
				const { isRepeat } = restart ? newProcess() : first;
				for (const later of [0, HOUR, 23 * HOUR]) {
					staticData = stored(staticData);
					expect(isRepeat(event, TRIGGER, staticData, START + later)).toBe(true);
				}
				expect(keysOf({ seenByHour: {}, ...staticData }).length).toBeLessThanOrEqual(1);
				const after = START + MEMORY + 2 * HOUR;
				expect(newProcess().isRepeat(event, TRIGGER, stored(staticData), after)).toBe(false);
				expect(isRepeat(event, TRIGGER, staticData, after)).toBe(false);
			}),
		);
	});

	it('has what seems to be yet to come neither outlive real events nor keep new ones out', () => {
		const { isRepeat } = newProcess();
		const staticData = filled(MEMORY_SIZE, START + 1_000 * HOUR);
		for (let count = 0; count < 3; count++) {
			const event = eventOf('payment.completed', count);
			expect(isRepeat(event, TRIGGER, staticData, START)).toBe(false);
		}
		expect(keysOf(staticData)).toHaveLength(MEMORY_SIZE);
		expect(isRepeat(eventOf('payment.completed', 0), TRIGGER, staticData, START)).toBe(true);
		const after = START + MEMORY + HOUR;
		isRepeat(eventOf('payment.completed', 'new'), TRIGGER, staticData, after);
		expect(keysOf(staticData)).toHaveLength(1);
		// The clock of another process may be a little ahead.
		const ahead: IDataObject = {};
		newProcess().isRepeat(eventOf('payment.completed', 'x'), TRIGGER, ahead, START + HOUR);
		const late = newProcess();
		expect(late.isRepeat(eventOf('payment.completed', 'x'), TRIGGER, ahead, START)).toBe(true);
	});

	it('forgets what is older, so that it does not only grow', () => {
		const { isRepeat } = newProcess();
		const staticData: IDataObject = {};
		for (let hour = 0; hour < 100; hour++) {
			isRepeat(eventOf('payment.completed', hour), TRIGGER, staticData, START + hour * HOUR);
		}
		expect(Object.keys(staticData.seenByHour as object)).toHaveLength(26);
	});

	it('writes nothing when it knows the event, so that n8n has nothing to store', () => {
		const { isRepeat } = newProcess();
		const staticData: IDataObject = {};
		isRepeat(eventOf('payment.completed', 'pay_1'), TRIGGER, staticData, 0);
		const frozen = Object.freeze(stored(staticData));
		expect(isRepeat(eventOf('payment.completed', 'pay_1'), TRIGGER, frozen, 1)).toBe(true);
	});

	it('holds nothing that names a payment, and eight letters an event', () => {
		const { isRepeat } = newProcess();
		const staticData: IDataObject = {};
		isRepeat(eventOf('payment.completed', 'pay_abc123def456'), TRIGGER, staticData, START);
		expect(JSON.stringify(staticData)).toMatch(/^{"seenByHour":{"\d{6}":"[\w-]{8}"}}$/);
		isRepeat(eventOf('payment.completed', 'pay_2'), TRIGGER, staticData, START);
		expect(JSON.stringify(staticData)).toMatch(/^{"seenByHour":{"\d{6}":"[\w-]{16}"}}$/);
	});

	it('stores few bytes, in as many texts as hours, however much it holds', () => {
		const { isRepeat } = newProcess();
		const staticData = filled(5_000, START);
		isRepeat(eventOf('payment.completed', 'new'), TRIGGER, staticData, START);
		expect(keysOf(staticData)).toHaveLength(5_001);
		expect(Object.keys(staticData.seenByHour as object)).toHaveLength(24);
		// 0.1.0 stored 165,000.
		expect(JSON.stringify(staticData).length).toBeLessThan(41_000);
	});

	describe('of a trigger that two processes serve', () => {
		/** What another process has stored of these events, that this one has not seen. */
		const storedElsewhere = (...ids: string[]) => {
			const { isRepeat } = newProcess();
			const staticData: IDataObject = {};
			for (const id of ids) isRepeat(eventOf('payment.completed', id), TRIGGER, staticData, START);
			return staticData;
		};
		const sees = ({ isRepeat }: Repeats, id: string, staticData: IDataObject) =>
			isRepeat(eventOf('payment.completed', id), TRIGGER, staticData, START);

		it.each([
			['nothing', []],
			['the same', ['a', 'b']],
			['less', ['a']],
			['more', ['a', 'b', 'c']],
			['others', ['c', 'd']],
			['some of it, and others', ['b', 'c']],
		])('knows all, each once, where the other has stored %s', (_what, ids) => {
			const here = newProcess();
			for (const id of ['a', 'b']) sees(here, id, {});
			const staticData = storedElsewhere(...ids);
			for (const id of ['a', 'b', ...ids]) expect(sees(here, id, staticData)).toBe(true);
			expect(sees(here, 'new', staticData)).toBe(false);
			const all = new Set(['a', 'b', ...ids, 'new']);
			expect(keysOf(staticData)).toHaveLength(all.size);
			expect(new Set(keysOf(staticData)).size).toBe(all.size);
		});
	});

	it('drops the oldest events first, also where only this process knows them', () => {
		const { isRepeat } = newProcess();
		isRepeat(eventOf('payment.completed', 'old'), TRIGGER, {}, START - HOUR);
		const staticData = filled(MEMORY_SIZE - 1, START, 1);
		isRepeat(eventOf('payment.completed', 'new'), TRIGGER, staticData, START);
		expect(keysOf(staticData)).toHaveLength(MEMORY_SIZE);
		expect(keysOf(staticData)[0]).toBe('.......0');
	});

	it('stores as of the present hour what seems to be yet to come, beside what does not', () => {
		const staticData: IDataObject = {};
		const [one, two] = ['one', 'two'].map((id) => eventOf('payment.completed', id));
		newProcess().isRepeat(one, TRIGGER, staticData, START);
		newProcess().isRepeat(two, TRIGGER, staticData, START + 20 * HOUR);
		expect(newProcess().isRepeat(one, TRIGGER, staticData, START)).toBe(true);
		expect(Object.keys(staticData.seenByHour as object)).toEqual([String(START / HOUR)]);
	});

	it('drops the oldest hours first, whole ones too', () => {
		const { isRepeat } = newProcess();
		// As numbers: as texts, hour 1000000 would come before hour 999999.
		const [older, newer] = [999_999, 1_000_000];
		const now = newer * HOUR;
		const key = (index: number) => String(index).padStart(8, '.');
		const keys = Array.from({ length: MEMORY_SIZE }, (_, index) => key(index));
		const staticData: IDataObject = {
			seenByHour: { [newer]: keys.slice(1).join(''), [older]: keys[0] },
		};
		isRepeat(eventOf('payment.completed', 'new'), TRIGGER, staticData, now);
		expect(Object.keys(staticData.seenByHour as object)).toEqual([String(newer)]);
		expect(keysOf(staticData)).toHaveLength(MEMORY_SIZE);
		expect(keysOf(staticData)[0]).toBe(key(1));
	});
});
