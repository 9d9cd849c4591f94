import { summarise } from '../../../../nodes/AcountPay/execution/runSummary';
import { ApiError, ValidationError } from '../../../../nodes/shared/errors';

it('every item is named once: made, unknown, refused or not started', () => {
	const errors = [
		undefined,
		new ApiError('unknown', 'a', 'b'),
		new ApiError('refused', 'a', 'b'),
		new ValidationError('Amount', 'must'),
		new ApiError('unavailable', 'a', 'b'),
		new ApiError('made', 'a', 'b'),
	];
	const known = {
		made: [
			{ itemIndex: 0, referenceNumber: 'R0' },
			{ itemIndex: 5, referenceNumber: 'R5' },
		],
		unknown: [{ itemIndex: 1, referenceNumber: 'R1' }],
	};
	const references = ['R0', 'R1', 'R2', undefined, 'R4', 'R5'];
	expect(summarise(known, 7, references, (item) => errors[item])).toStrictEqual({
		...known,
		refused: [{ itemIndex: 2, referenceNumber: 'R2' }, { itemIndex: 3 }],
		notStarted: [{ itemIndex: 4, referenceNumber: 'R4' }, { itemIndex: 6 }],
	});
	const nothingElse = { ...known, refused: [], notStarted: [] };
	expect(summarise(known, 0, [], () => undefined)).toStrictEqual(nothingElse);
	expect(summarise(known, 0, [], () => undefined, 'store')).toStrictEqual({
		...nothingElse,
		noun: 'store',
	});
});
