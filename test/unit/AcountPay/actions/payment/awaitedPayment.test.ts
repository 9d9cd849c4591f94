/** What ends a wait, what is asked again, and which response is believed. */
import fc from 'fast-check';
import {
	AwaitedPayment,
	inTime,
	mayBeTemporary,
	waitOutput,
} from '../../../../../nodes/AcountPay/actions/payment/awaitedPayment';
import { readPayment } from '../../../../../nodes/AcountPay/actions/payment/readPayment';
import { ApiError, Cancelled } from '../../../../../nodes/shared/errors';
import { after, callOptions, errorFrom, scripted, useFakeTime } from '../../../support';

jest.mock('../../../../../nodes/AcountPay/actions/payment/readPayment', () => ({
	...jest.requireActual('../../../../../nodes/AcountPay/actions/payment/readPayment'),
	readPayment: jest.fn(),
}));

useFakeTime();

const refusedWith = (status: number) => new ApiError('refused', 'No', 'Advice', { status });

/** A payment for which AcountPay gives these responses, the last one again and again. */
function awaiting(...script: Array<object | Error>) {
	let asked = 0;
	jest.mocked(readPayment).mockImplementation(async () => {
		const next = script[Math.min(asked++, script.length - 1)];
		if (next instanceof Error) throw next;
		return next as never;
	});
	const payment = new AwaitedPayment(scripted([]).client, { paymentId: 'pay_1' });
	return async () => await payment.ask(callOptions);
}

describe('an error', () => {
	it.each([
		new ApiError('unavailable', 'Down', 'Advice', { status: 503 }),
		new ApiError('unavailable', 'Late', 'Advice'),
		refusedWith(429),
	])('%s is asked again for as long as the wait lasts', async (error) => {
		const ask = awaiting(error);
		for (let minutes = 0; minutes < 10; minutes++) {
			expect(await ask()).toBe(error);
			await after(60_000);
		}
	});

	it.each([401, 403, 404])('%i is asked again for a minute', async (status) => {
		const error = refusedWith(status);
		const ask = awaiting(error);
		expect(await ask()).toBe(error);
		await after(59_999);
		expect(await ask()).toBe(error);
		expect(mayBeTemporary(error)).toBe(true);
		await after(1);
		expect(await errorFrom(ask())).toBe(error);
	});

	it('a minute of refusals begins anew after a response', async () => {
		const error = refusedWith(404);
		const ask = awaiting(error, { status: 'pending' }, error);
		expect(await ask()).toBe(error);
		await after(50_000);
		expect(await ask()).toMatchObject({ payment: { status: 'pending' } });
		await after(50_000);
		expect(await ask()).toBe(error);
		await after(60_000);
		expect(await errorFrom(ask())).toBe(error);
	});

	it.each([refusedWith(400), refusedWith(422), new Cancelled(), new TypeError('a bug')])(
		'%s ends the wait at once',
		async (error) => {
			expect(await errorFrom(awaiting(error)())).toBe(error);
		},
	);
});

describe('when the time of a wait is over', () => {
	const late = {
		outcome: 'unavailable',
		message: "AcountPay has not reported payment 'pay_1' by the timeout",
		description: 'Reading changes nothing, so this item can be run again.',
	};

	it('it ends, whatever holds the response up', async () => {
		const over = new AbortController();
		const ended = inTime(over.signal, new Promise(() => undefined), 'pay_1');
		over.abort();
		expect(await ended).toMatchObject(late);
	});

	it('a request that therefore left the queue is no cancelled execution', async () => {
		const left = async () => await Promise.reject(new Cancelled());
		expect(await inTime(AbortSignal.abort(), left(), 'pay_1')).toMatchObject(late);
		const { signal } = new AbortController();
		await expect(inTime(signal, left(), 'pay_1')).rejects.toBeInstanceOf(Cancelled);
	});

	it('a bug is still one', async () => {
		const bug = Promise.reject(new TypeError('a bug'));
		await expect(inTime(AbortSignal.abort(), bug, 'pay_1')).rejects.toThrow('a bug');
	});
});

describe('what does not change about a payment', () => {
	it('properties: only the first reference is believed', async () => {
		const reference = fc.option(fc.constantFrom('A', 'B', '1', 1, 2), { nil: undefined });
		await fc.assert(
			fc.asyncProperty(fc.array(reference, { minLength: 1 }), async (references) => {
				const ask = awaiting(...references.map((referenceNumber) => ({ referenceNumber })));
				const first = references.find((one) => one !== undefined);
				for (const one of references) {
					const response = await ask();
					const isBelieved = one === undefined || String(one) === String(first);
					expect(response instanceof ApiError).toBe(!isBelieved);
				}
			}),
		);
	});

	it.each<[string, object, object]>([
		['reference 1002 instead of 1001', { referenceNumber: 1001 }, { referenceNumber: 1002 }],
		['reference 1002 instead of 1001', { referenceNumber: '1001' }, { referenceNumber: 1002 }],
		[
			'reference B instead of A',
			{ payment: { referenceNumber: 'A' } },
			{ data: { referenceNumber: 'B' } },
		],
		['amount 1 instead of 1000', { amount: 1000, currency: 'DKK' }, { amount: 1, currency: 'DKK' }],
		['currency EUR instead of DKK', { currency: 'DKK' }, { currency: 'EUR' }],
		['merchant b instead of a', { merchantClientId: 'a' }, { merchantClientId: 'b' }],
		['merchant 78 instead of 77', { merchantId: 77 }, { merchantId: 78 }],
	])('%s is a doubt', async (what, first, second) => {
		const ask = awaiting({ status: 'pending', ...first }, { status: 'paid', ...second });
		await ask();
		const message = `AcountPay was asked about payment 'pay_1', but responded about a payment that has the ${what}`;
		expect(await ask()).toMatchObject({ message });
	});

	it('may be written in another way, left out, or come later', async () => {
		const ask = awaiting(
			{ status: 'pending', amount: 149.9, currency: 'DKK' },
			{ status: 'pending', payment: { amount: '149.90', currency: 'dkk', referenceNumber: 7 } },
			{ status: 'paid', referenceNumber: '7', amount: null },
		);
		for (const status of ['pending', 'pending', 'paid']) {
			expect(await ask()).toMatchObject({ payment: { status } });
		}
	});

	it('of another payment is said', async () => {
		const ask = awaiting({ referenceNumber: 'A' }, { referenceNumber: 'B', status: 'paid' });
		await ask();
		expect(await ask()).toMatchObject({
			outcome: 'unavailable',
			message:
				"AcountPay was asked about payment 'pay_1', but responded about a payment that has the reference B instead of A",
		});
	});
});

it.each([
	['paid', 'completed', true],
	['completed', 'completed', true],
	['failed', 'failed', false],
	['expired', 'expired', false],
	['pending', 'pending', false],
	['settled', 'settled', false],
])('the output for %s has status %s and isPaid %s', (told, status, isPaid) => {
	const payment = { id: 'pay_1', status: told, isPaid: !isPaid, waitEndedBy: 'nobody' };
	expect(waitOutput('pay_1', { payment, statusAt: 'now' }, 'status')).toEqual({
		id: 'pay_1',
		paymentId: 'pay_1',
		status,
		isPaid,
		waitEndedBy: 'status',
		statusAt: 'now',
	});
});

it('the output has no status where none is known', () => {
	const output = waitOutput('pay_1', { payment: {}, statusAt: null }, 'timeout');
	expect(Object.keys(output)).toEqual(['paymentId', 'isPaid', 'waitEndedBy', 'statusAt']);
	expect(output.isPaid).toBe(false);
});

it('a response that shows two amounts of one payment is not believed, at no look', async () => {
	const ask = awaiting({ amount: 11, payment: { amount: 10, status: 'pending' } });
	for (let look = 0; look < 2; look++) {
		expect((await ask()) as ApiError).toMatchObject({
			message: expect.stringContaining('has the amount 10 instead of 11') as string,
		});
	}
});
