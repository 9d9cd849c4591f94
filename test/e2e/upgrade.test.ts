/**
 * n8n with 0.1.0, updated to the package of today on the same database: an execution that failed before and is retried by
 * hand afterwards makes no payment twice.
 */
import { startSandbox, type Fault, type Sandbox } from '../../sandbox';
import { errorOf, type Execution } from '../../tools/n8n/api';
import type { N8n } from '../../tools/n8n/server';
import { acountPay, itemsNode, manualTrigger, workflow } from '../../tools/n8n/workflow';
import { answers, packedPackage, startOwnN8n } from '../kit/n8n';
import {
	askedFor,
	create,
	createOf,
	credentialFor,
	FIELDS_OF_FIRST_PACKAGE,
	FIRST_PACKAGE,
	idsByReference,
	oneOfEach,
	orders,
	countsByReference,
	referenceOf,
	upTo,
} from '../kit/payments';

// n8n starts twice, which takes a minute each on a busy machine.
jest.setTimeout(600_000);

const ITEMS = 6;
/** The item that goes wrong under 0.1.0. */
const FAILS = 3;

/** An execution that failed under 0.1.0. */
interface Failed {
	sandbox: Sandbox;
	execution: Execution;
}

let n8n: N8n;
const failed = {} as Record<'refused' | 'refusedToo' | 'unknown', Failed>;

async function failWith(fault: Fault): Promise<Failed> {
	const sandbox = await startSandbox();
	sandbox.faults.add({ match: createOf(FAILS), ...fault });
	const credential = await n8n.api.createCredential('Shop', 'acountPayApi', credentialFor(sandbox));
	const node = acountPay(
		credential,
		create({ additionalFields: FIELDS_OF_FIRST_PACKAGE, options: { maxConcurrency: 1 } }),
	);
	const definition = workflow([manualTrigger(), itemsNode(orders(ITEMS)), node]);
	const { id } = await n8n.api.createWorkflow(definition);
	return { sandbox, execution: await n8n.api.runWorkflow(id) };
}

beforeAll(async () => {
	n8n = await startOwnN8n({ packageTarball: FIRST_PACKAGE });
	failed.refused = await failWith({ status: 422 });
	failed.refusedToo = await failWith({ status: 422 });
	failed.unknown = await failWith({ reset: 'after' });
	await n8n.update(packedPackage());
});

afterAll(async () => {
	await n8n?.stop();
	for (const { sandbox } of Object.values(failed)) await sandbox.close();
});

it.each([
	['the original workflow', 'refused', false],
	['the workflow as it is saved', 'refusedToo', true],
] as const)(
	'retried with %s: one payment each, and all are handed out',
	async (_w, which, loadWorkflow) => {
		const { sandbox, execution } = failed[which];
		expect(execution.status).toBe('error');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(FAILS)));
		const retried = await n8n.api.retryExecution(execution.id, { loadWorkflow });

		expect(retried.status).toBe('success');
		expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(ITEMS)));
		const ids = idsByReference(sandbox);
		expect(answers(retried)).toMatchObject(
			upTo(ITEMS).map((index) => ({
				referenceNumber: referenceOf(index),
				id: ids[referenceOf(index)],
			})),
		);
		// The expression in the metadata has another value in each request, so the requests were not equal.
		const askedAt = sandbox.payments.map(({ metadata }) => JSON.stringify(metadata));
		expect(new Set(askedAt).size).toBeGreaterThan(1);
	},
);

it('a payment whose outcome 0.1.0 did not know is not sent again', async () => {
	const { sandbox, execution } = failed.unknown;
	// Each version says it in words of its own.
	expect(errorOf(execution)!.message).toContain('It is not known whether AcountPay made');
	const retried = await n8n.api.retryExecution(execution.id);

	expect(errorOf(retried)!.message).toContain(
		`Payment '${referenceOf(FAILS)}' may or may not exist`,
	);
	expect(askedFor(sandbox)).toEqual(upTo(ITEMS).map(referenceOf));
	expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(ITEMS)));
});
