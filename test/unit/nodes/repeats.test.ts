import * as fc from 'fast-check';
import type { IDataObject } from 'n8n-workflow';
import { EVENTS, type PaymentEvent } from '../../../nodes/shared/api/events';

type Repeats = typeof import('../../../nodes/AcountPayTrigger/repeats');

/** The module as a process has it that has just been started. */
function newProcess(): Repeats {
	let repeats!: Repeats;
	jest.isolateModules(() => {
		repeats = jest.requireActual('../../../nodes/AcountPayTrigger/repeats');
	});
	return repeats;
}

const { MEMORY, MEMORY_SIZE } = newProcess();
const TRIGGER = 'workflow node';

const eventOf = (event: string, paymentId: string | number): PaymentEvent => ({
	event,
	data: { paymentId },
});

/** What comes out of n8n's database of what was put in. */
const stored = (staticData: IDataObject) => JSON.parse(JSON.stringify(staticData)) as IDataObject;

describe('an event', () => {
	it('is a repeat exactly when it came within 24 hours, over any restarts', () => {
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
				let now = 1_792_000_000_000;
				const cameAt = new Map<string, number>();
				for (const { event, paymentId, pause, restart } of sequence) {
					now += pause;
					if (restart) ({ isRepeat } = newProcess());
					const key = `${event} ${paymentId}`;
					const expected = now - (cameAt.get(key) ?? -Infinity) < MEMORY;
					if (!expected) cameAt.set(key, now);

					expect(isRepeat(eventOf(event, paymentId), TRIGGER, staticData, now)).toBe(expected);
					staticData = stored(staticData);
				}
			}),
		);
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

	it('is never mixed up with another one', () => {
		const name = fc.oneof(
			fc.constantFrom(...EVENTS),
			fc.string(),
			fc.constantFrom('a', 'a"', '","'),
		);
		const distinct = fc.uniqueArray(fc.tuple(name, name), {
			selector: (pair) => JSON.stringify(pair),
		});
		fc.assert(
			fc.property(distinct, (pairs) => {
				const { isRepeat } = newProcess();
				const staticData = {};
				for (const [event, paymentId] of pairs) {
					expect(isRepeat(eventOf(event, paymentId), TRIGGER, staticData, 0)).toBe(false);
				}
			}),
		);
	});

	it('is known in this process when n8n hands out old static data', () => {
		const { isRepeat } = newProcess();
		const event = eventOf('payment.completed', 'pay_1');
		const before: IDataObject = {};
		expect(isRepeat(event, TRIGGER, stored(before), 0)).toBe(false);
		expect(isRepeat(event, TRIGGER, stored(before), 1)).toBe(true);
		expect(isRepeat(event, TRIGGER, stored(before), MEMORY - 1)).toBe(true);
		expect(isRepeat(event, TRIGGER, stored(before), MEMORY)).toBe(false);
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

	it('of one trigger says nothing about another', () => {
		const { isRepeat } = newProcess();
		const event = eventOf('payment.completed', 'pay_1');
		expect(isRepeat(event, 'workflow one', {}, 0)).toBe(false);
		expect(isRepeat(event, 'workflow two', {}, 0)).toBe(false);
		expect(isRepeat(event, 'workflow one', {}, 0)).toBe(true);
	});
});

describe('the memory', () => {
	const fill = ({ isRepeat }: Repeats, staticData: IDataObject, count: number, from = 0) => {
		for (let id = from; id < from + count; id++) {
			isRepeat(eventOf('payment.completed', id), TRIGGER, staticData, id);
		}
	};
	const size = (staticData: IDataObject) => Object.keys(staticData.seenEvents as object).length;

	it('keeps the last 5,000 events, in the process and in what is stored', () => {
		expect(MEMORY_SIZE).toBe(5_000);
		const running = newProcess();
		const staticData: IDataObject = {};
		fill(running, staticData, 300);
		// What 5,000 deliveries one after the other would come to, without their 5,000 copies.
		const seen = staticData.seenEvents as Record<string, number>;
		expect(size(staticData)).toBe(300);
		const many: IDataObject = { seenEvents: { ...seen } };
		for (let filler = 0; size(many) < MEMORY_SIZE; filler++) {
			(many.seenEvents as IDataObject)[`filler-${filler}`] = 300 + filler;
		}
		const { isRepeat } = newProcess();
		const now = MEMORY_SIZE + 1;
		expect(isRepeat(eventOf('payment.completed', 'new'), TRIGGER, many, now)).toBe(false);
		expect(size(many)).toBe(MEMORY_SIZE);
		expect(isRepeat(eventOf('payment.completed', 2), TRIGGER, many, now)).toBe(true);
		expect(isRepeat(eventOf('payment.completed', 'new'), TRIGGER, many, now)).toBe(true);
		// The oldest one had to go.
		expect(isRepeat(eventOf('payment.completed', 0), TRIGGER, many, now)).toBe(false);
	});

	it('forgets what is older than 24 hours, so that it does not only grow', () => {
		expect(MEMORY).toBe(24 * 60 * 60 * 1_000);
		const running = newProcess();
		const staticData: IDataObject = {};
		fill(running, staticData, 10);
		running.isRepeat(eventOf('payment.completed', 'new'), TRIGGER, staticData, MEMORY + 5);
		expect(size(staticData)).toBe(5);
	});

	it('writes nothing when it knows the event, so that n8n has nothing to store', () => {
		const { isRepeat } = newProcess();
		const staticData: IDataObject = {};
		isRepeat(eventOf('payment.completed', 'pay_1'), TRIGGER, staticData, 0);
		const frozen = Object.freeze(stored(staticData));
		expect(isRepeat(eventOf('payment.completed', 'pay_1'), TRIGGER, frozen, 1)).toBe(true);
	});

	it('holds nothing that names a payment, and stays small', () => {
		const { isRepeat } = newProcess();
		const staticData: IDataObject = {};
		isRepeat(
			eventOf('payment.completed', 'pay_abc123def456'),
			TRIGGER,
			staticData,
			1_792_000_000_000,
		);
		const text = JSON.stringify(staticData.seenEvents);
		expect(text).not.toContain('abc123');
		expect(text.length).toBeLessThan(40);
	});
});
