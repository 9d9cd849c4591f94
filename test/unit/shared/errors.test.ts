import { UnexpectedError } from '../../../nodes/shared/errors';

it('says nothing of what is not expected', () => {
	const unexpected = new Error('Bearer s3cret');
	expect(new UnexpectedError(unexpected).message).not.toMatch(/s3cret/);
	expect(new UnexpectedError(new Error('No such node'), true).message).toBe('No such node');
	expect(new UnexpectedError(new Error('No such node'), true).description).toBeUndefined();
	const described = Object.assign(new Error('No'), { description: 'Look there.' });
	expect(new UnexpectedError(described, true).description).toBe('Look there.');
	expect(new UnexpectedError(described).description).toBeUndefined();
	expect(new UnexpectedError('text', true).message).toMatch(/^This item ended unexpectedly/);
});

it('leaves open what was created where a create may have left', () => {
	expect(new UnexpectedError(new Error('a bug')).outcome).toBe('unavailable');
	expect(new UnexpectedError(new Error('a bug'), false, true)).toMatchObject({
		outcome: 'unknown',
		message: 'This item ended unexpectedly, before AcountPay was asked or after it had responded',
		description: 'Look in AcountPay for what this item asks for before you create it again.',
	});
});
