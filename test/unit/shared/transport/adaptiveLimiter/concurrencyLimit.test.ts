import { ConcurrencyLimit } from '../../../../../nodes/shared/transport/adaptiveLimiter/concurrencyLimit';

/** A limit of 10 that may grow to 200, and rounds that fill it. */
function startLimit() {
	let now = 0;
	const limit = new ConcurrencyLimit(10, 200, () => now);
	/** @param busy how long this process computes in the `ms` that each call takes */
	const fill = (ms: number, busy: number) => {
		const [sentAt, calls] = [now, limit.current];
		now += ms;
		for (let left = calls; left > 0; left--) {
			limit.noteEnd(left, true);
			limit.noteAccepted(sentAt, busy);
		}
		return limit.current;
	};
	return { fill };
}

describe('The limit', () => {
	it('grows with the distance of the server, and half as much while this process is busy', () => {
		const { fill } = startLimit();
		expect(fill(300, 0)).toBe(100);
		expect(fill(300, 250)).toBe(152);
	});

	it('does not take a slow first round of this process for distance', () => {
		const { fill } = startLimit();
		expect(fill(300, 290)).toBe(13);
		expect(fill(300, 200)).toBe(28);
	});

	it('grows more slowly once the server turns out to be near', () => {
		const { fill } = startLimit();
		expect(fill(300, 0)).toBe(100);
		expect(fill(20, 0)).toBe(106);
	});
});
