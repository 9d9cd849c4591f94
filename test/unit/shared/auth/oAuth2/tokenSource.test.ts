/** How often a refused id and secret are asked for. All else about tokens is tested on n8n's engine. */
import type { AcountPayCredential } from '../../../../../nodes/shared/auth/oAuth2/accessToken';
import { TokenSource } from '../../../../../nodes/shared/auth/oAuth2/tokenSource';
import type { RequestContext } from '../../../../../nodes/shared/requestContext';
import { errorFrom } from '../../../support';

/** n8n with one node, whose token requests are refused. */
class Node {
	memory = {};
	asked = 0;
	isRefused = true;
	credential = {
		environment: 'sandbox',
		clientId: 'id',
		clientSecret: 'a',
	} as AcountPayCredential;

	/** A run of the node that needs a token. */
	async run(executionId: string | undefined): Promise<unknown> {
		const context = {
			getContext: () => this.memory,
			getExecutionId: () => executionId,
			getNode: () => ({ credentials: {} }),
			getCredentials: async () => this.credential,
			helpers: {
				refreshOAuth2Token: async () => {
					this.asked++;
					if (this.isRefused)
						throw Object.assign(new Error(), { response: { status: 400, data: {} } });
					const oauthTokenData = { access_token: 'token', expires_in: 3_600 };
					this.credential = { ...this.credential, oauthTokenData };
				},
			},
		} as unknown as RequestContext;
		return await new TokenSource(
			context,
			this.credential,
			'https://acount-apis-staging-a8cdb2402163.herokuapp.com',
		).get();
	}

	/** How many of so many runs have asked, each of which must be refused with the status that AcountPay gave. */
	async askedIn(runs: number, executionId: string | undefined): Promise<number> {
		const before = this.asked;
		for (let run = 0; run < runs; run++) {
			expect(await errorFrom(this.run(executionId))).toMatchObject({
				outcome: 'refused',
				status: 400,
			});
		}
		return this.asked - before;
	}
}

describe('a refused id and secret', () => {
	it('is asked for four times in an execution, and anew in another or when it is edited', async () => {
		const node = new Node();
		expect(await node.askedIn(6, '1')).toBe(4);
		expect(await node.askedIn(6, '2')).toBe(4);
		node.credential = { ...node.credential, clientSecret: 'b' };
		expect(await node.askedIn(1, '2')).toBe(1);
		node.credential = { ...node.credential, clientSecret: 'a' };
		expect(await node.askedIn(6, '2')).toBe(4);
	});

	it('is counted where there is no execution ID, as in a call by an MCP client', async () => {
		expect(await new Node().askedIn(6, undefined)).toBe(4);
	});

	it('is counted by each of the calls of a tool that run at the same time', async () => {
		const node = new Node();
		const calls = Array.from({ length: 4 }, async () => await errorFrom(node.run('1')));
		expect(await Promise.all(calls)).toHaveLength(4);
		expect(node.asked).toBe(4);
		expect(await node.askedIn(1, '1')).toBe(0);
	});

	it('leaves nothing once there is a token', async () => {
		const node = new Node();
		await node.askedIn(1, '1');
		expect(node.memory).not.toEqual({});
		node.isRefused = false;
		expect(await node.run('1')).toMatchObject({ access_token: 'token' });
		expect(node.memory).toEqual({});
	});
});
