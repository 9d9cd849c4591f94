/**
 * Create in a sub-workflow: the error names the one retry that makes nothing twice, and says what the others do.
 */
import type { INode } from 'n8n-workflow';

import { startSandbox, type Sandbox } from '../../sandbox';
import { errorOf, isFinished, type Execution } from '../../tools/n8n/api';
import {
	acountPay,
	itemsNode,
	manualTrigger,
	workflow,
	type WorkflowNode,
} from '../../tools/n8n/workflow';
import { answers, sharedN8n } from '../kit/n8n';
import {
	create,
	createOf,
	credentialFor,
	oneOfEach,
	orders,
	countsByReference,
	referenceOf,
	retryOnFail,
	until,
	upTo,
} from '../kit/payments';

jest.setTimeout(240_000);

const ORDERS = 4;
/** The order that AcountPay refuses. */
const REFUSED = 2;

const { api } = sharedN8n();
let sandbox: Sandbox;
let child: string;

beforeEach(async () => {
	sandbox = await startSandbox();
	const credential = await api.createCredential('Shop', 'acountPayApi', credentialFor(sandbox));
	const called: WorkflowNode = {
		name: 'Called',
		type: 'n8n-nodes-base.executeWorkflowTrigger',
		typeVersion: 1.1,
		parameters: { inputSource: 'passthrough' },
	};
	child = (await api.createWorkflow(workflow([called, acountPay(credential, create())]))).id;
	// n8n calls no sub-workflow that is not published.
	expect(await api.publish(child)).toMatchObject({ status: 'published' });
});

afterEach(async () => await sandbox.close());

/** Calls the sub-workflow once with four orders. @returns the execution that called it */
async function callWith(more: Partial<INode> = {}): Promise<Execution> {
	const caller: WorkflowNode = {
		name: 'Sub-workflow',
		type: 'n8n-nodes-base.executeWorkflow',
		typeVersion: 1.2,
		parameters: {
			workflowId: { __rl: true, mode: 'id', value: child },
			mode: 'once',
			options: { waitForSubWorkflow: true },
		},
		...more,
	};
	const { id } = await api.createWorkflow(
		workflow([manualTrigger(), itemsNode(orders(ORDERS)), caller]),
	);
	return await api.runWorkflow(id);
}

/** The executions of the sub-workflow, the first one first. */
async function childExecutions(): Promise<Execution[]> {
	const list = async () => await api.listExecutions(child);
	await until(async () => (await list()).every(isFinished));
	const ids = (await list()).map(({ id }) => id).reverse();
	return await Promise.all(ids.map(async (id) => await api.getExecution(id)));
}

it("the caller's error names the sub-workflow's own execution, whose retry makes nothing twice", async () => {
	sandbox.faults.add({ match: createOf(REFUSED), status: 422 });
	const failed = await callWith();
	const [execution, ...others] = await childExecutions();
	expect(others).toEqual([]);
	const paid = upTo(ORDERS).filter((index) => index !== REFUSED);
	expect(countsByReference(sandbox)).toEqual(oneOfEach(paid));
	for (const { message, description } of [errorOf(failed)!, errorOf(execution)!]) {
		expect(message).toContain(`'${referenceOf(REFUSED)}'`);
		expect(description).toContain(
			`retry this sub-workflow's own execution, Executions → ${execution.id} → Retry`,
		);
		expect(description).toContain(
			"A retry of the calling workflow, also by 'Retry On Fail', may create them again",
		);
		expect(description).not.toContain('this execution');
	}

	const retried = await api.retryExecution(execution.id);
	expect(retried.status).toBe('success');
	expect(countsByReference(sandbox)).toEqual(oneOfEach(upTo(ORDERS)));
	expect(answers(retried).map(({ referenceNumber }) => referenceNumber)).toEqual(
		upTo(ORDERS).map(referenceOf),
	);
});

it("what it says of the caller's retries is so: they make the payments again", async () => {
	sandbox.faults.add({ match: createOf(REFUSED), times: 2, status: 422 });
	const failed = await callWith(retryOnFail(2));
	const again = upTo(ORDERS).filter((index) => index !== REFUSED);
	const counts = (times: number) =>
		Object.fromEntries(again.map((index) => [referenceOf(index), times]));
	expect(await childExecutions()).toHaveLength(2);
	expect(countsByReference(sandbox)).toEqual(counts(2));

	expect((await api.retryExecution(failed.id)).status).toBe('success');
	expect(countsByReference(sandbox)).toEqual({ ...counts(3), [referenceOf(REFUSED)]: 1 });
});
