import { setTimeout as sleep } from 'node:timers/promises';

import { Clock } from '../../sandbox/clock';

let clock: Clock;
beforeEach(() => {
	clock = new Clock();
});
afterEach(() => {
	jest.restoreAllMocks();
	clock.reset();
});

/** Stops real time, which is a little later each time that a busy machine looks. */
const realTimeIs = (ms: number) => jest.spyOn(Date, 'now').mockReturnValue(ms);

describe('the clock', () => {
	it('runs in real time, plus what it was moved by', () => {
		realTimeIs(1_000);
		expect(clock.now()).toBe(1_000);
		clock.advance(60_000);
		expect(clock.now()).toBe(61_000);
		realTimeIs(1_020);
		expect(clock.now()).toBe(61_020);
	});

	it('runs what is due in order, each at its own moment', () => {
		realTimeIs(1_000);
		const start = clock.now();
		const ran: Array<[string, number]> = [];
		const note = (name: string) => () => ran.push([name, clock.now() - start]);
		clock.after(3_000, note('c'));
		clock.after(1_000, note('a'));
		clock.after(2_000, () => {
			note('b')();
			clock.after(500, note('b+'));
			clock.after(60_000, note('never'));
		});
		clock.after(3_000, note('d'));
		clock.advance(10_000);
		expect(ran).toEqual([
			['a', 1_000],
			['b', 2_000],
			['b+', 2_500],
			['c', 3_000],
			['d', 3_000],
		]);
		expect(clock.now() - start).toBe(10_000);
	});

	it('stands still while it runs what is due, however long the machine takes', () => {
		let real = 1_000;
		jest.spyOn(Date, 'now').mockImplementation(() => real++);
		const ran: string[] = [];
		clock.after(0, () => {
			ran.push('begun');
			clock.after(1_000, () => ran.push('ended'));
		});
		clock.advance(1_000);
		expect(ran).toEqual(['begun', 'ended']);
	});

	it('runs nothing early, and nothing at once', () => {
		const ran: string[] = [];
		clock.after(0, () => ran.push('now'));
		clock.after(5_000, () => ran.push('later'));
		expect(ran).toEqual([]);
		clock.advance(4_000);
		expect(ran).toEqual(['now']);
	});

	it('runs what is due in real time, too, however far it was moved', async () => {
		clock.advance(1_000_000_000);
		const order: string[] = [];
		clock.after(40, () => order.push('second'));
		clock.after(20, () => order.push('first'));
		await sleep(120);
		expect(order).toEqual(['first', 'second']);
	});

	it('forgets all on reset', async () => {
		const ran: string[] = [];
		const frozen = realTimeIs(1_000);
		clock.after(10, () => ran.push('no'));
		clock.advance(5);
		clock.reset();
		expect(clock.now()).toBe(1_000);
		frozen.mockRestore();
		await sleep(40);
		clock.advance(1_000);
		expect(ran).toEqual([]);
	});

	it.each([-1, NaN, Infinity])('does not move by %p', (ms) => {
		expect(() => clock.advance(ms)).toThrow(RangeError);
	});
});
