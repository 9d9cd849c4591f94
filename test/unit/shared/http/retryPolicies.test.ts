import { Cancelled } from '../../../../nodes/shared/errors';
import {
	RATE_LIMITED,
	READ,
	retry,
	type RetryLimits,
	type RetryPolicy,
	TOKEN,
} from '../../../../nodes/shared/http/retryPolicies';
import { after, end, useFakeTime } from '../../support';

useFakeTime();

type Delay = number | 'backoff' | undefined;

/** Makes attempts whose results ask for these delays, the last again and again. */
async function attempts(delays: Delay[], policy: RetryPolicy, limits: RetryLimits = {}) {
	const at: number[] = [];
	const startedAt = Date.now();
	const ended = await end(
		retry(
			async () => {
				at.push(Date.now() - startedAt);
				return at.length;
			},
			(result) => delays[Math.min(result, delays.length) - 1],
			policy,
			limits,
		),
	);
	return { ...ended, at };
}

/** The pauses between the moments. */
const gaps = (at: number[]) => at.slice(1).map((moment, index) => moment - at[index]);

it('a result that stands is the only one', async () => {
	expect(await attempts([undefined], READ)).toMatchObject({ value: 1, at: [0] });
});

it('a delay that was asked for is kept, and the next result handed out', async () => {
	expect(await attempts([300, 700, undefined], READ)).toMatchObject({
		value: 3,
		at: [0, 300, 1_000],
	});
});

it('an attempt that throws ends the attempts', async () => {
	const error = new Error('broken');
	const attempt = jest.fn(async () => await Promise.reject(error));
	expect(await end(retry(attempt, () => 'backoff', READ, {}))).toMatchObject({ error });
	expect(attempt).toHaveBeenCalledTimes(1);
});

describe('backoff', () => {
	beforeEach(() => jest.spyOn(Math, 'random').mockReturnValue(0.5));

	it('doubles with each attempt of a read, of which there are five', async () => {
		const { value, at } = await attempts(['backoff'], READ);
		expect(value).toBe(5);
		const [first, ...others] = gaps(at);
		expect(first).toBeGreaterThanOrEqual(250);
		expect(first).toBeLessThanOrEqual(500);
		expect(others).toEqual([2 * first, 4 * first, 8 * first]);
	});

	it('of an access token goes on for a minute, and no attempt comes after it', async () => {
		const { at } = await attempts(['backoff'], TOKEN);
		const waits = gaps(at);
		expect(waits[0]).toBeGreaterThanOrEqual(500);
		expect(waits[0]).toBeLessThanOrEqual(1_000);
		expect(waits[1]).toBe(2 * waits[0]);
		// The longest pause is 16 s.
		expect(Math.max(...waits)).toBe(16 * waits[0]);
		expect(at.at(-1)).toBeGreaterThan(60_000 - 16_000);
		expect(at.at(-1)).toBeLessThanOrEqual(60_000);
	});
});

describe('a rate limited request', () => {
	it('is sent again for two minutes, however many attempts that takes', async () => {
		const { value, at } = await attempts([1_000], RATE_LIMITED);
		expect(value).toBe(121);
		expect(at.at(-1)).toBe(120_000);
	});

	it('is sent again ten times, however long that takes', async () => {
		const { value, at } = await attempts([60_000], RATE_LIMITED);
		expect(value).toBe(10);
		expect(at.at(-1)).toBe(540_000);
	});
});

describe('a deadline', () => {
	it('that the next attempt would pass ends the attempts at once', async () => {
		const deadline = Date.now() + 2_500;
		expect(await attempts([1_000], RATE_LIMITED, { deadline })).toMatchObject({
			value: 3,
			took: 2_000,
		});
	});

	it('lets an attempt be made right at it', async () => {
		const deadline = Date.now() + 2_000;
		const { at } = await attempts([1_000], RATE_LIMITED, { deadline });
		expect(at).toEqual([0, 1_000, 2_000]);
	});
});

it('an execution that is cancelled ends the delay, and no attempt follows', async () => {
	const controller = new AbortController();
	const ended = attempts([60_000], RATE_LIMITED, { cancelSignal: controller.signal });
	await after(1_000);
	controller.abort();
	const { error, at, took } = await ended;
	expect(error).toBeInstanceOf(Cancelled);
	expect(at).toEqual([0]);
	expect(took).toBeLessThan(2_000);
});
