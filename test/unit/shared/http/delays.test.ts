import fc from 'fast-check';
import {
	aborted,
	backoff,
	MAX_RETRY_AFTER,
	delay,
	retryAfter,
} from '../../../../nodes/shared/http/delays';

const now = Date.UTC(2026, 10, 22, 12, 0, 0);

describe('Retry-After', () => {
	it('in whole seconds', () => {
		fc.assert(
			fc.property(fc.nat({ max: 300 }), (seconds) => {
				expect(retryAfter(String(seconds), now)).toBe(seconds * 1_000);
			}),
		);
		expect(retryAfter(' 7 ', now)).toBe(7_000);
		expect(retryAfter(7, now)).toBe(7_000);
	});

	it('as an HTTP date', () => {
		fc.assert(
			fc.property(fc.nat({ max: 300 }), (seconds) => {
				expect(retryAfter(new Date(now + seconds * 1_000).toUTCString(), now)).toBe(
					seconds * 1_000,
				);
			}),
		);
		expect(retryAfter('Sunday, 22-Nov-26 12:00:09 GMT', now)).toBe(9_000);
	});

	it('is never longer than the longest pause, nor below none', () => {
		expect(retryAfter('86400', now)).toBe(MAX_RETRY_AFTER);
		expect(retryAfter('9'.repeat(400), now)).toBe(MAX_RETRY_AFTER);
		expect(retryAfter(new Date(now + 86_400_000).toUTCString(), now)).toBe(MAX_RETRY_AFTER);
		expect(retryAfter(new Date(now - 60_000).toUTCString(), now)).toBe(0);
	});

	it.each([
		[undefined],
		[null],
		[''],
		['soon'],
		['-5'],
		['1.5'],
		['Sun, not a date'],
		[{}],
		['5 s'],
	])('%p says nothing', (value) => {
		expect(retryAfter(value, now)).toBeUndefined();
	});

	it('takes whatever comes', () => {
		fc.assert(
			fc.property(fc.anything(), (value) => {
				fc.pre(!(typeof value === 'object' && value !== null));
				const asked = typeof value === 'symbol' ? undefined : retryAfter(value, now);
				expect(asked === undefined || (asked >= 0 && asked <= MAX_RETRY_AFTER)).toBe(true);
			}),
		);
	});
});

describe('growing pauses', () => {
	afterEach(() => jest.restoreAllMocks());

	it('double, up to the longest', () => {
		jest.spyOn(Math, 'random').mockReturnValue(0);
		expect([1, 2, 3, 4, 5, 6].map((tries) => backoff(tries, 500, 5_000))).toEqual([
			500, 1_000, 2_000, 4_000, 5_000, 5_000,
		]);
	});

	it('lose at most half to chance', () => {
		jest.spyOn(Math, 'random').mockReturnValue(1);
		expect([1, 2, 9].map((tries) => backoff(tries, 500, 5_000))).toEqual([250, 500, 2_500]);
	});
});

describe('a pause', () => {
	beforeEach(() => {
		jest.useFakeTimers();
	});
	afterEach(() => {
		jest.useRealTimers();
	});

	it('is waited to its end', async () => {
		for (const signal of [undefined, new AbortController().signal]) {
			let waited: boolean | undefined;
			void delay(1_000, signal).then((result) => (waited = result));
			await jest.advanceTimersByTimeAsync(999);
			expect(waited).toBeUndefined();
			await jest.advanceTimersByTimeAsync(1);
			expect(waited).toBe(true);
		}
	});

	it('ends when the execution is stopped', async () => {
		const stop = new AbortController();
		let waited: boolean | undefined;
		void delay(60_000, stop.signal).then((result) => (waited = result));
		await jest.advanceTimersByTimeAsync(10);
		expect(waited).toBeUndefined();
		stop.abort();
		await jest.advanceTimersByTimeAsync(0);
		expect(waited).toBe(false);
		expect(await delay(60_000, stop.signal)).toBe(false);
	});

	it('lets go of the signal, which outlives thousands of pauses', async () => {
		const { signal } = new AbortController();
		const options: Array<{ signal?: AbortSignal }> = [];
		const add = signal.addEventListener.bind(signal);
		signal.addEventListener = (type: string, listener: never, option?: unknown) => {
			options.push(option as { signal?: AbortSignal });
			add(type, listener, option as never);
		};
		void delay(1_000, signal);
		await jest.advanceTimersByTimeAsync(1_000);
		expect(options.map(({ signal: forget }) => forget?.aborted)).toEqual([true]);
	});
});

it('a signal that is aborted already is not waited for', async () => {
	await expect(aborted(AbortSignal.abort())).resolves.toBeUndefined();
});
