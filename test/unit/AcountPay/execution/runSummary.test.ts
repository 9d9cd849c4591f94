import { summarise } from '../../../../nodes/AcountPay/execution/runSummary';
import { ApiError, ValidationError } from '../../../../nodes/shared/errors';

it('every item is named once: created, there before, unknown, refused or not started', () => {
	const errors = [
		undefined,
		new ApiError('unknown', 'a', 'b'),
		new ApiError('refused', 'a', 'b'),
		new ValidationError('Amount', 'must'),
		new ApiError('unavailable', 'a', 'b'),
		new ApiError('created', 'a', 'b'),
	];
	const known = {
		created: [
			{ itemIndex: 0, name: 'R0' },
			{ itemIndex: 5, name: 'R5' },
		],
		existing: [{ itemIndex: 7, name: 'R7', id: '7' }],
		unknown: [{ itemIndex: 1, name: 'R1' }],
	};
	const names = ['R0', 'R1', 'R2', undefined, 'R4', 'R5'];
	expect(summarise(known, 8, names, (item) => errors[item])).toStrictEqual({
		...known,
		refused: [{ itemIndex: 2, name: 'R2' }, { itemIndex: 3 }],
		notStarted: [{ itemIndex: 4, name: 'R4' }, { itemIndex: 6 }],
	});
	const nothingElse = { ...known, refused: [], notStarted: [] };
	expect(summarise(known, 0, [], () => undefined)).toStrictEqual(nothingElse);
	expect(
		summarise(known, 0, [], () => undefined, { noun: 'store', looksUpUnknown: true }),
	).toStrictEqual({
		...nothingElse,
		noun: 'store',
		looksUpUnknown: true,
	});
});

it('an item that is refused now is named so, beside what an earlier attempt has created for it', () => {
	const created = [{ itemIndex: 0, name: 'OLD', id: '1' }];
	const known = { created, existing: [], unknown: [] };
	const refused = new ApiError('refused', 'a', 'b');
	expect(summarise(known, 1, ['NEW'], () => refused)).toStrictEqual({
		...known,
		refused: [{ itemIndex: 0, name: 'NEW' }],
		notStarted: [],
	});
});
