import fc from 'fast-check';
import { finalStatusOf } from '../../../nodes/shared/api/statuses';

describe('status', () => {
	test.each([
		['completed', 'completed'],
		['paid', 'completed'],
		['failed', 'failed'],
		['expired', 'expired'],
	])('%p has ended as %p', (status, final) => {
		expect(finalStatusOf(status)).toBe(final);
	});

	test('no other text has ended', () => {
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
