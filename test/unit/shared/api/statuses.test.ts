import fc from 'fast-check';
import { finalStatusOf, withIsPaid } from '../../../../nodes/shared/api/statuses';

describe('status', () => {
	it.each([
		['completed', true],
		['paid', true],
		['failed', false],
		['expired', false],
		['pending', false],
		['PAID', false],
		[['paid'], false],
		[undefined, false],
	])('%p: isPaid is %p, whatever AcountPay says under that name', (status, isPaid) => {
		expect(withIsPaid({ status, isPaid: !isPaid, a: 1 })).toEqual({ status, isPaid, a: 1 });
	});

	it.each([
		['completed', 'completed'],
		['paid', 'completed'],
		['failed', 'failed'],
		['expired', 'expired'],
	])('%p has ended as %p', (status, final) => {
		expect(finalStatusOf(status)).toBe(final);
	});

	it('no other text has ended', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.anything()), (status) => {
				fc.pre(!['completed', 'paid', 'failed', 'expired'].includes(status as string));
				expect(finalStatusOf(status)).toBeUndefined();
			}),
		);
		for (const status of ['pending', 'processing', 'COMPLETED', 'completed ', 'constructor']) {
			expect(finalStatusOf(status)).toBeUndefined();
		}
	});
});
