import {
	ApiError,
	errorOfN8n,
	isItemError,
	type Outcome,
	ReadError,
	unexpectedError,
	ValidationError,
} from '../../../nodes/shared/errors';

const WORDS = 'This item ended unexpectedly, before AcountPay was asked or after it had responded';

it('an error of n8n keeps its words', () => {
	const error = new Error('No such node');
	expect(errorOfN8n(error)).toMatchObject({ outcome: 'unavailable', message: 'No such node' });
	expect(errorOfN8n(error).description).toBeUndefined();
	const described = Object.assign(new Error('No'), { description: 'Look there.' });
	expect(errorOfN8n(described).description).toBe('Look there.');
	expect(errorOfN8n('text').message).toBe(WORDS);
});

it('any other one leaves open what was created where a create may have left', () => {
	expect(unexpectedError(false)).toMatchObject({ outcome: 'unavailable', message: WORDS });
	expect(unexpectedError(false).description).toBeUndefined();
	expect(unexpectedError(true)).toMatchObject({
		outcome: 'unknown',
		message: WORDS,
		description: 'Look in AcountPay for what this item asks for before you create it again.',
	});
});

it.each<[Exclude<Outcome, 'invalid'>, boolean, boolean]>([
	['created', false, true],
	['created', true, true],
	['refused', false, false],
	['refused', true, true],
	['unavailable', false, false],
	['unknown', false, false],
	['unknown', true, true],
])(
	'an item that ends %s, with nothing sent for it now: %s, lets other items continue: %s',
	(outcome, isOld, continues) => {
		expect(new ApiError(outcome, 'Words', 'Advice', { isOld }).letsOthersContinue).toBe(continues);
	},
);

it('an item with a wrong field lets no others continue, and says what to do unless there is more to say', () => {
	const error = new ValidationError('Amount', 'must be a number');
	expect(error.letsOthersContinue).toBe(false);
	expect(error).toMatchObject({
		outcome: 'invalid',
		message: 'Amount must be a number',
		description:
			'Correct the field, or what its expression takes from this item. Nothing was sent for it.',
	});
	expect(new ValidationError('Amount', 'must', 'Ask.').description).toBe('Ask.');
});

it('a read that shows nothing usable can be run again, unless there is more to say', () => {
	expect(new ReadError("payment '7'", 'sent no status')).toMatchObject({
		outcome: 'unavailable',
		message: "AcountPay was asked about payment '7', but sent no status",
		description: 'Reading changes nothing, so this item can be run again.',
	});
	const more = new ReadError('it', 'failed', 'Look.', { status: 500 });
	expect(more).toMatchObject({ description: 'Look.', status: 500 });
});

it('an error of an item is told from any other', () => {
	expect(isItemError(unexpectedError(true))).toBe(true);
	expect(isItemError(new Error('A bug'))).toBe(false);
	expect(isItemError({ outcome: 'refused', message: 'Words' })).toBe(false);
});
