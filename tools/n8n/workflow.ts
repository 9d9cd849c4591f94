import type { IConnections, IDataObject, INode, IWorkflowSettings } from 'n8n-workflow';

/** A node as it stands in a workflow file. Position and id are given by {@link workflow}. */
export type WorkflowNode = Pick<INode, 'name' | 'type' | 'typeVersion' | 'parameters'> &
	Partial<INode>;

/** A workflow as n8n imports and exports it. */
export interface WorkflowJson {
	name: string;
	nodes: INode[];
	connections: IConnections;
	settings: IWorkflowSettings;
}

/** A credential as a node refers to it. */
export interface CredentialReference {
	id: string;
	name: string;
}

/**
 * A workflow of nodes that run one after the other.
 *
 * @param nodes the first is the trigger; each of the others gets the items of the one before it
 */
export function workflow(nodes: WorkflowNode[], settings: IWorkflowSettings = {}): WorkflowJson {
	const connections: IConnections = {};
	nodes.slice(1).forEach((node, index) => {
		connections[nodes[index].name] = { main: [[{ node: node.name, type: 'main', index: 0 }]] };
	});
	return {
		name: nodes.map(({ name }) => name).join(', '),
		nodes: nodes.map((node, index) => ({
			id: `node-${index}`,
			position: [220 * index, 0],
			...node,
		})),
		connections,
		settings: { executionOrder: 'v1', ...settings },
	};
}

/** Starts the workflow when the user clicks on 'Execute workflow'. */
export const manualTrigger = (): WorkflowNode => ({
	name: 'Start',
	type: 'n8n-nodes-base.manualTrigger',
	typeVersion: 1,
	parameters: {},
});

/** Hands on these items, one for each object, whatever comes in. */
export const itemsNode = (items: IDataObject[]): WorkflowNode => ({
	name: 'Items',
	type: 'n8n-nodes-base.code',
	typeVersion: 2,
	parameters: { jsCode: `return ${JSON.stringify(items.map((json) => ({ json })))};` },
});

/**
 * The AcountPay node.
 *
 * @param parameters as in a saved workflow, for example `{ operation: 'create', amount: '={{ $json.amount }}' }`
 * @param more anything else of the node: `name`, `onError`, `retryOnFail`, …
 */
export const acountPay = (
	credential: CredentialReference,
	parameters: INode['parameters'],
	more: Partial<INode> = {},
): WorkflowNode => ({
	name: 'AcountPay',
	type: 'n8n-nodes-acountpay.acountPay',
	typeVersion: 1,
	parameters: { resource: 'payment', ...parameters },
	credentials: { acountPayApi: credential },
	...more,
});
