import { RefusedCredentials } from '../../../../../nodes/shared/auth/oAuth2/refusedCredentials';

describe('a refused id and secret', () => {
	it('is asked for four times in an execution, and anew in another or when it is edited', () => {
		const context = {};
		const refusals = new RefusedCredentials(context, '1');
		for (let count = 0; count < 4; count++) {
			expect(refusals.enough('a')).toBeUndefined();
			refusals.add('a', 400);
		}
		expect(refusals.enough('a')).toMatchObject({ status: 400 });
		expect(new RefusedCredentials(context, '1').enough('a')).toMatchObject({ status: 400 });
		expect(refusals.enough('b')).toBeUndefined();
		expect(new RefusedCredentials(context, '2').enough('a')).toBeUndefined();

		refusals.add('b');
		expect(refusals.enough('b')).toBeUndefined();
		expect(refusals.enough('a')).toBeUndefined();
	});

	it('is counted where there is no execution ID, as in a call by an MCP client', () => {
		const refusals = new RefusedCredentials({}, undefined as unknown as string);
		expect(refusals.enough('a')).toBeUndefined();
		for (let count = 0; count < 4; count++) refusals.add('a', 400);
		expect(refusals.enough('a')).toMatchObject({ status: 400 });
	});

	it('leaves nothing once there is a token', () => {
		const context = {};
		const refusals = new RefusedCredentials(context, '1');
		refusals.add('a');
		refusals.clear();
		expect(context).toEqual({});
	});
});
