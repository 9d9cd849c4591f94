import fc from 'fast-check';
import {
	aborted,
	backoff,
	MAX_RETRY_AFTER,
	delay,
	inTurn,
	retryAfter,
} from '../../../../nodes/shared/http/delays';
import { Cancelled } from '../../../../nodes/shared/errors';

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
		['in Sun, 22 Nov 2026 12:00:09 GMT'],
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

describe('work for one key', () => {
	/** Work that lasts until a test ends it, and which has begun so far. */
	function turns() {
		const ends = new Map<string, Promise<unknown>>();
		const begun: string[] = [];
		const start = (
			name: string,
			{ key = 'order', signal = undefined as AbortSignal | undefined } = {},
		) => {
			let resolve!: (result: string) => void;
			let reject!: (error: Error) => void;
			const work = new Promise<string>((...both) => ([resolve, reject] = both));
			const ended = inTurn(ends, key, signal, async () => {
				begun.push(name);
				return await work;
			});
			// A test may look at how it has ended later.
			ended.catch(() => undefined);
			return { resolve, reject, ended };
		};
		return { ends, begun, start };
	}
	const settled = async () => await new Promise(setImmediate);

	it('is done one after the other, also after work that has failed', async () => {
		const { begun, start } = turns();
		const [first, second, third] = ['1', '2', '3'].map((name) => start(name));
		await settled();
		expect(begun).toEqual(['1']);
		first.reject(new Error('failed'));
		await settled();
		expect(begun).toEqual(['1', '2']);
		second.resolve('done');
		await settled();
		expect(begun).toEqual(['1', '2', '3']);
		third.resolve('done too');
		await expect(first.ended).rejects.toThrow('failed');
		expect(await second.ended).toBe('done');
		expect(await third.ended).toBe('done too');
	});

	it('waits for whoever began before it, however many have ended meanwhile', async () => {
		const { begun, start } = turns();
		const [first] = [start('1'), start('2')];
		first.resolve('done');
		await settled();
		start('3');
		await settled();
		expect(begun).toEqual(['1', '2']);
	});

	it('waits for no work for another key', async () => {
		const { begun, start } = turns();
		start('1');
		start('2', { key: 'other order' });
		await settled();
		expect(begun).toEqual(['1', '2']);
	});

	it('is not begun once the execution is stopped, and lets nobody pass what is under way', async () => {
		const { begun, start } = turns();
		const stop = new AbortController();
		const first = start('1');
		const stopped = start('2', { signal: stop.signal });
		start('3');
		stop.abort();
		await expect(stopped.ended).rejects.toBeInstanceOf(Cancelled);
		await settled();
		expect(begun).toEqual(['1']);
		first.resolve('done');
		await settled();
		expect(begun).toEqual(['1', '3']);
	});

	it('leaves nothing behind', async () => {
		const { ends, start } = turns();
		const [first, second] = [start('1'), start('2')];
		first.resolve('done');
		await settled();
		expect(ends.size).toBe(1);
		second.reject(new Error('failed'));
		await settled();
		expect(ends.size).toBe(0);
	});
});
