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
