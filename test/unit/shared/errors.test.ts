import { errorOfN8n, unexpectedError } from '../../../nodes/shared/errors';

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
