import { keyOf, OpenRequests } from '../../../nodes/AcountPay/execution/openRequests';
import { ServerClock } from '../../../nodes/shared/transport/serverClock';

const wanted = { merchantId: 'shop', referenceNumber: 'ORDER-1', amount: 149.99, currency: 'DKK' };

describe('open requests', () => {
	const request = (id: string, expiresAt = Date.now() + 1_000) => ({
		trace: { id, payment: wanted },
		leftAt: Date.now(),
		clock: new ServerClock(),
		isInFlight: true,
		expiresAt,
	});
	const key = keyOf('https://acountpay.test', wanted);

	test('are told by payment and host', () => {
		expect(keyOf('https://acountpay.test', { ...wanted, merchantId: 'SHOP' })).toBe(key);
		expect(keyOf('https://other.test', wanted)).not.toBe(key);
		for (const changes of [{ amount: 1 }, { currency: 'EUR' }, { referenceNumber: 'x' }]) {
			expect(keyOf('https://acountpay.test', { ...wanted, ...changes })).not.toBe(key);
		}
	});

	test('are there until they are settled or too old', () => {
		const requests = new OpenRequests();
		requests.add(key, request('a'));
		requests.add(key, request('b'));
		requests.add(key, request('old', Date.now() - 1));
		expect(requests.equalTo(key).map(({ trace }) => trace?.id)).toEqual(['a', 'b']);
		requests.remove(key, 'a');
		expect(requests.get(key, 'a')).toBeUndefined();
		expect(requests.equalTo(key)).toHaveLength(1);
		expect(requests.equalTo('another')).toEqual([]);
	});

	test('payments are remembered for ten minutes', () => {
		jest.useFakeTimers();
		try {
			const requests = new OpenRequests();
			requests.take(key, '2');
			jest.advanceTimersByTime(9 * 60_000);
			requests.equalTo(key);
			expect(requests.isTaken(key, '2')).toBe(true);
			expect(requests.isTaken(key, '3')).toBe(false);
			jest.advanceTimersByTime(2 * 60_000);
			requests.equalTo(key);
			expect(requests.isTaken(key, '2')).toBe(false);
		} finally {
			jest.useRealTimers();
		}
	});

	test('of one payment are kept apart from those of another, and the last one leaves nothing', () => {
		const requests = new OpenRequests();
		requests.add(key, request('a'));
		requests.add('other', request('b'));
		requests.remove(key, 'b');
		requests.remove('nothing', 'a');
		expect(requests.equalTo(key)).toHaveLength(1);
		requests.remove(key, 'a');
		expect(requests.equalTo(key)).toEqual([]);
		expect(requests.equalTo('other')).toHaveLength(1);
	});

	test('that are too old are dropped once a minute, whatever is asked for', () => {
		jest.useFakeTimers();
		try {
			const requests = new OpenRequests();
			requests.add(key, request('short', Date.now() + 1_000));
			requests.add(key, request('long', Date.now() + 600_000));
			jest.advanceTimersByTime(1_000);
			expect(requests.equalTo(key).map(({ trace }) => trace?.id)).toEqual(['long']);
			// Still there for its own execution, until the minute is over.
			expect(requests.get(key, 'short')).toBeDefined();
			jest.advanceTimersByTime(58_999);
			requests.add('other', request('new'));
			expect(requests.get(key, 'short')).toBeDefined();
			jest.advanceTimersByTime(1);
			requests.equalTo('other');
			expect(requests.get(key, 'short')).toBeUndefined();
			expect(requests.get(key, 'long')).toBeDefined();
		} finally {
			jest.useRealTimers();
		}
	});

	test('payments of ten minutes and older are forgotten, those after them are not', () => {
		jest.useFakeTimers();
		try {
			const requests = new OpenRequests();
			requests.take(key, '1');
			jest.advanceTimersByTime(1_000);
			requests.take(key, '2');
			jest.advanceTimersByTime(10 * 60_000 - 1_000);
			requests.equalTo(key);
			expect([requests.isTaken(key, '1'), requests.isTaken(key, '2')]).toEqual([false, true]);
			expect(requests.isTaken('other', '2')).toBe(false);
		} finally {
			jest.useRealTimers();
		}
	});
});
