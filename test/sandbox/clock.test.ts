import { setTimeout as sleep } from 'node:timers/promises';

import { Clock } from '../../sandbox/clock';

let clock: Clock;
beforeEach(() => {
	clock = new Clock();
});
afterEach(() => clock.reset());

describe('the clock', () => {
	it('runs in real time, plus what it was moved by', async () => {
		expect(Math.abs(clock.now() - Date.now())).toBeLessThan(50);
		clock.advance(60_000);
		const before = clock.now();
		expect(Math.abs(before - Date.now() - 60_000)).toBeLessThan(50);
		await sleep(20);
		expect(clock.now() - before).toBeGreaterThanOrEqual(19);
	});

	it('runs what is due in order, each at its own moment', () => {
		const start = clock.now();
		const ran: Array<[string, number]> = [];
		const note = (name: string) => () => ran.push([name, Math.round((clock.now() - start) / 100)]);
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
			['a', 10],
			['b', 20],
			['b+', 25],
			['c', 30],
			['d', 30],
		]);
		expect(Math.round((clock.now() - start) / 100)).toBe(100);
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
		clock.after(10, () => ran.push('no'));
		clock.advance(5);
		clock.reset();
		expect(Math.abs(clock.now() - Date.now())).toBeLessThan(50);
		await sleep(40);
		clock.advance(1_000);
		expect(ran).toEqual([]);
	});

	it.each([-1, NaN, Infinity])('does not move by %p', (ms) => {
		expect(() => clock.advance(ms)).toThrow(RangeError);
	});
});
