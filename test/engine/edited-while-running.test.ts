import { startSandbox, type Sandbox } from '../../sandbox';
import { createNode, engineFor } from '../kit/engine';
import {
	createOf,
	oneOfEach,
	orders,
	countsByReference,
	requestsFor,
	until,
	useSandbox,
} from '../kit/payments';

const sandbox = useSandbox();
let another: Sandbox;
beforeAll(async () => {
	another = await startSandbox({ clientId: 'another_partner' });
});
afterAll(async () => await another.close());

it.each([
	['another place', () => ({ baseUrl: another.url })],
	['another partner', () => ({ clientId: 'another_partner' })],
])(
	'a credential that is edited to %s while the node runs ends it: no payment is made there, nor by them',
	async (_name, edit) => {
		const engine = await engineFor(sandbox);
		sandbox.faults.add({ match: createOf(1), status: 401, latencyMs: 500 });
		const node = createNode({ maxConcurrency: 1 });
		const running = engine.startNode({ node, items: orders(3) });
		await until(() => requestsFor(sandbox, 'create').length === 2);
		await engine.credential.edit(edit());

		const { error } = await running.finished;
		expect(error?.message).toBe(
			"The credential 'AcountPay account' was edited while this node ran [item 1]",
		);
		expect(countsByReference(sandbox)).toEqual(oneOfEach([0]));
		expect(requestsFor(sandbox, 'token')).toHaveLength(1);
		expect(another.requests).toEqual([]);
	},
);

it('a secret that is renewed while the node runs is used', async () => {
	const engine = await engineFor(sandbox);
	sandbox.faults.add({ match: createOf(1), status: 401, latencyMs: 500 });
	const running = engine.startNode({ node: createNode({ maxConcurrency: 1 }), items: orders(3) });
	await until(() => requestsFor(sandbox, 'create').length === 2);
	const { clientSecret } = sandbox.credentials;
	try {
		sandbox.setCredentials({ clientSecret: 'renewed' });
		await engine.credential.edit({ clientSecret: 'renewed' });
		expect((await running.finished).status).toBe('success');
	} finally {
		sandbox.setCredentials({ clientSecret });
	}
	expect(countsByReference(sandbox)).toEqual(oneOfEach([0, 1, 2]));
	expect(requestsFor(sandbox, 'token')).toHaveLength(2);
});
