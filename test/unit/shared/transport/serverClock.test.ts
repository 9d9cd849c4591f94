/** AcountPay's clock, from responses at any moment of a second, with any latency, to clocks that differ by anything. */
import fc from 'fast-check';
import { ServerClock } from '../../../../nodes/shared/transport/serverClock';

const START = Date.UTC(2026, 10, 26);

const httpDate = (ms: number) => ({ date: new Date(ms).toUTCString() });

/** A request that leaves at `at` on this machine, and takes `there` and `back` ms. */
const observe = (clock: ServerClock, ahead: number, at: number, there: number, back: number) =>
	clock.observe(httpDate(at + there + ahead), at, at + there + back);

it('no response, no clock', () => {
	expect(new ServerClock().at(START)).toBeUndefined();
});

it('holds the truth, whatever the latencies', () => {
	const latency = fc.nat(2_000);
	fc.assert(
		fc.property(
			fc.integer({ min: -1e8, max: 1e8 }),
			fc.array(fc.tuple(fc.nat(60_000), latency, latency), { minLength: 1, maxLength: 20 }),
			fc.nat(60_000),
			(ahead, requests, left) => {
				const clock = new ServerClock();
				for (const [at, there, back] of requests) observe(clock, ahead, START + at, there, back);
				const moment = clock.at(START + left)!;
				expect(moment.from).toBeLessThanOrEqual(START + left + ahead);
				expect(moment.to).toBeGreaterThanOrEqual(START + left + ahead);
			},
		),
	);
});

it.each([30, 80, 200])('two servers whose clocks are %i ms apart are one clock', (apart) => {
	const clock = new ServerClock();
	for (let request = 0; request < 500; request++) {
		observe(clock, (request % 2) * apart, START + request * 37, 5, 5);
	}
	const { from, to } = clock.at(START)!;
	expect(from).toBeLessThanOrEqual(START);
	expect(to).toBeGreaterThanOrEqual(START + apart);
});

it.each([
	['AcountPay', 60_000, START + 1_000],
	['this machine', 3_600_000, START - 3_600_000],
])('a clock of %s that was set: nothing is known any more', (_whose, ahead, at) => {
	const clock = new ServerClock();
	observe(clock, 0, START, 5, 5);
	for (const later of [0, 5_000]) observe(clock, ahead, at + later, 5, 5);
	for (const moment of [START, START + 10, at, at + 10_000]) {
		expect(clock.at(moment)).toBeUndefined();
	}
});

it.each([
	['none', {}],
	['of a cache', { ...httpDate(START), age: '3' }],
	['that is no date', { date: 'yesterday' }],
	['in another form', { date: new Date(START).toISOString() }],
	['twice', { date: [httpDate(START).date] }],
	['that does not exist', { date: 'Xyz, 99 Abc 2026 99:99:99 GMT' }],
])('a header %s tells nothing', (_what, headers) => {
	const clock = new ServerClock();
	clock.observe(headers, START, START + 10);
	expect(clock.at(START)).toBeUndefined();
});
