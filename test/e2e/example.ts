/* eslint-disable @n8n/community-nodes/no-restricted-imports, @n8n/community-nodes/no-restricted-globals, @n8n/community-nodes/require-node-api-error -- runs outside n8n */
import axios from 'axios';
import type { IDataObject } from 'n8n-workflow';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Execution, N8nApi, StoredCredential, StoredWorkflow } from '../../tools/n8n/api';
import type { WorkflowJson } from '../../tools/n8n/workflow';

export const EXAMPLES_DIR = join(__dirname, '..', '..', 'examples');

/** The types of credential that the nodes of the examples ask the person for. */
const CREDENTIAL_TYPES: Record<string, string> = {
	'n8n-nodes-acountpay.acountPay': 'acountPayApi',
	'n8n-nodes-acountpay.acountPayTool': 'acountPayApi',
	'n8n-nodes-acountpay.acountPayTrigger': 'acountPayApi',
	'n8n-nodes-base.webhook': 'httpHeaderAuth',
	'n8n-nodes-base.emailSend': 'smtp',
	'@n8n/n8n-nodes-langchain.lmChatOpenAi': 'openAiApi',
};

/** An example as it is in its file, such as `point-of-sale`. */
export const readExample = (name: string): WorkflowJson =>
	JSON.parse(readFileSync(join(EXAMPLES_DIR, `${name}.json`), 'utf8')) as WorkflowJson;

/** The parameters of a node of this name, to be changed as a person would in the editor. */
export function parametersOf({ nodes }: WorkflowJson, name: string): IDataObject {
	const node = nodes.find((candidate) => candidate.name === name);
	if (!node) throw new Error(`The workflow has no node '${name}'`);
	return node.parameters as IDataObject;
}

/**
 * Imports an example and chooses a credential in each node that asks for one.
 *
 * @param credentials those that the person has; the node's type says which it takes
 * @param change what else the person changes before saving
 */
export async function importExample(
	api: N8nApi,
	name: string,
	credentials: StoredCredential[],
	change: (workflow: WorkflowJson) => void = () => {},
): Promise<StoredWorkflow> {
	const workflow = readExample(name);
	for (const node of workflow.nodes) {
		const type = CREDENTIAL_TYPES[node.type];
		if (!type) continue;
		const chosen = credentials.find((credential) => credential.type === type);
		if (!chosen) throw new Error(`There is no credential ${type} for '${node.name}'`);
		node.credentials = { [type]: { id: chosen.id, name: chosen.name } };
	}
	change(workflow);
	return await api.createWorkflow(workflow);
}

/** Makes a request to n8n's REST interface that {@link N8nApi} has no name for. */
async function rest<T>(api: N8nApi, method: string, url: string, data?: object): Promise<T> {
	const answer = await axios.request<{ data: T }>({
		method,
		url,
		data,
		baseURL: `${api.url}/rest`,
		proxy: false,
		headers: { cookie: api.cookie },
		httpAgent: new Agent({ keepAlive: false }),
	});
	return answer.data.data;
}

/**
 * Starts a stored workflow by one of its triggers, as 'Execute workflow' in the editor does.
 *
 * @param item what the trigger hands on, as the editor's chat sends it; by default the trigger makes it
 * @returns the id of the execution, which has only begun
 */
export async function startFrom(
	api: N8nApi,
	workflowId: string,
	trigger: string,
	item?: IDataObject,
): Promise<string> {
	const data = item && {
		startTime: Date.now(),
		executionTime: 0,
		executionIndex: 0,
		executionStatus: 'success',
		source: [null],
		data: { main: [[{ json: item }]] },
	};
	const { executionId } = await rest<{ executionId: string }>(
		api,
		'POST',
		`/workflows/${workflowId}/run`,
		{
			workflowData: await api.getWorkflow(workflowId),
			triggerToStartFrom: { name: trigger, ...(data && { data }) },
		},
	);
	return executionId;
}

/** Activates a workflow and waits until its webhook answers something other than 'not registered'. */
export async function publish(api: N8nApi, workflowId: string, webhookUrl: string): Promise<void> {
	await api.activate(workflowId);
	for (let tries = 0; ; tries++) {
		const { status } = await axios.post(webhookUrl, undefined, {
			proxy: false,
			validateStatus: () => true,
		});
		if (status !== 404) return;
		if (tries === 100) throw new Error(`${webhookUrl} is not there 10 s after the publication`);
		await sleep(100);
	}
}

/** The names of the nodes that ran. */
export const nodesRun = ({ data }: Execution): string[] => Object.keys(data.resultData.runData);

/** A row of the data table that the examples share, as far as the tests look at it. */
export interface OrderRow extends IDataObject {
	reference: string;
	merchantId: string;
	amount: number;
	currency: string;
	customer?: string;
	email?: string;
	state?: string | null;
	paymentId?: string | null;
	note?: string | null;
}

/** The data table 'AcountPay orders', as a person sees it under 'Data tables'. */
export class OrdersTable {
	constructor(private readonly api: N8nApi) {}

	private async path(): Promise<string | undefined> {
		const project = await rest<{ id: string }>(this.api, 'GET', '/projects/personal');
		const tables = `/projects/${project.id}/data-tables`;
		const { data } = await rest<{ data: Array<{ id: string; name: string }> }>(
			this.api,
			'GET',
			tables,
		);
		const table = data.find(({ name }) => name === 'AcountPay orders');
		return table && `${tables}/${table.id}`;
	}

	private async existing(): Promise<string> {
		const path = await this.path();
		if (!path) throw new Error("There is no data table 'AcountPay orders'");
		return path;
	}

	/** Whether the table is there. */
	async exists(): Promise<boolean> {
		return (await this.path()) !== undefined;
	}

	/** Removes the table, if it is there. */
	async remove(): Promise<void> {
		const path = await this.path();
		if (path) await rest(this.api, 'DELETE', path);
	}

	/** Adds rows as a person does. */
	async add(...rows: OrderRow[]): Promise<void> {
		const path = await this.existing();
		await rest(this.api, 'POST', `${path}/insert`, { data: rows, returnType: 'count' });
	}

	/** All rows in the order in which they were added. */
	async rows(): Promise<OrderRow[]> {
		const path = await this.existing();
		const { data } = await rest<{ data: OrderRow[] }>(
			this.api,
			'GET',
			`${path}/rows?take=100&sortBy=id:asc`,
		);
		return data;
	}

	/** The row with this reference. */
	async row(reference: string): Promise<OrderRow> {
		const row = (await this.rows()).find((candidate) => candidate.reference === reference);
		if (!row) throw new Error(`There is no row ${reference}`);
		return row;
	}
}
