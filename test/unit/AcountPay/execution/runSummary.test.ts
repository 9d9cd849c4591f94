import { withOthers } from '../../../../nodes/AcountPay/execution/runSummary';
import type { EndedItem } from '../../../../nodes/AcountPay/creation/idempotencyStore';
import { ApiError, ValidationError } from '../../../../nodes/shared/errors';

it('every item is named once: created, there before, unknown, refused or not started', () => {
	const errors = [
		undefined,
		new ApiError('unknown', 'a', 'b'),
		new ApiError('refused', 'a', 'b'),
		new ValidationError('Amount', 'must'),
		new ApiError('unavailable', 'a', 'b'),
		new ApiError('created', 'a', 'b'),
		undefined,
		undefined,
		new ApiError('unknown', 'a', 'b'),
	];
	const known: EndedItem[] = [
		{ itemIndex: 0, name: 'R0', end: 'created' },
		{ itemIndex: 1, name: 'R1', end: 'unknown' },
		{ itemIndex: 5, name: 'R5', end: 'created' },
		{ itemIndex: 7, name: 'R7', id: '7', end: 'existing' },
	];
	const names = ['R0', 'R1', 'R2', undefined, 'R4', 'R5'];
	expect(withOthers(known, 9, names, (item) => errors[item])).toEqual([
		...known,
		{ itemIndex: 2, name: 'R2', end: 'refused' },
		{ itemIndex: 3, end: 'refused' },
		{ itemIndex: 4, name: 'R4', end: 'notStarted' },
		{ itemIndex: 6, end: 'notStarted' },
		{ itemIndex: 8, end: 'unknown' },
	]);
	expect(withOthers(known, 0, [], () => undefined)).toEqual(known);
});

it('an item that is refused now is named so, beside what an earlier attempt has created for it', () => {
	const known: EndedItem[] = [{ itemIndex: 0, name: 'OLD', id: '1', end: 'created' }];
	const refused = new ApiError('refused', 'a', 'b');
	expect(withOthers(known, 1, ['NEW'], () => refused)).toEqual([
		...known,
		{ itemIndex: 0, name: 'NEW', end: 'refused' },
	]);
});
