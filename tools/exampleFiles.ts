import type { IDataObject, INode } from 'n8n-workflow';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { N8nApi, StoredCredential, StoredWorkflow } from './n8n/api';
import type { WorkflowJson } from './n8n/workflow';

/** The workflows that people import, their README and its pictures. */
export const EXAMPLES_DIR = join(__dirname, '..', 'examples');

/** The types of credential that the nodes of the examples ask the user for. */
const CREDENTIAL_TYPES: Record<string, string> = {
	'n8n-nodes-base.webhook': 'httpHeaderAuth',
	'n8n-nodes-base.emailSend': 'smtp',
	'@n8n/n8n-nodes-langchain.lmChatOpenAi': 'openAiApi',
};

const isAcountPay = ({ type }: Pick<INode, 'type'>) => type.startsWith('n8n-nodes-acountpay.');

/** The type of credential that a node asks for; undefined when it asks for none. */
function credentialTypeOf({ type, parameters }: INode): string | undefined {
	if (!isAcountPay({ type })) return CREDENTIAL_TYPES[type];
	return parameters.authentication === 'apiKey' ? 'acountPayKeyApi' : 'acountPayApi';
}

/** The examples by the names of their files, without `.json`. */
export const exampleNames = (): string[] =>
	readdirSync(EXAMPLES_DIR)
		.filter((file) => file.endsWith('.json'))
		.map((file) => file.replace('.json', ''));

/** An example as it is in its file, such as `point-of-sale`. */
export const readExample = (name: string): WorkflowJson =>
	JSON.parse(readFileSync(join(EXAMPLES_DIR, `${name}.json`), 'utf8')) as WorkflowJson;

/**
 * The parameters of the node of this name, to be changed as the user would in the editor.
 *
 * @throws Error when there is none
 */
export function parametersOf({ nodes }: WorkflowJson, name: string): IDataObject {
	const node = nodes.find((candidate) => candidate.name === name);
	if (!node) throw new Error(`The workflow has no node '${name}'`);
	return node.parameters as IDataObject;
}

/** The example whose picture shows this one too: the same nodes, with the other way to authenticate. Itself where there is none. */
export function picturedBy(name: string): string {
	const base = name.replace(/-keys$/, '');
	const namesOf = (example: string) => readExample(example).nodes.map((node) => node.name);
	const isAlike = exampleNames().includes(base) && `${namesOf(base)}` === `${namesOf(name)}`;
	return isAlike ? base : name;
}

/**
 * Imports an example and chooses a credential in each node that asks for one.
 *
 * @param credentials the ones that the user has; the node says which type it takes
 * @param change what else the user changes before saving
 * @throws Error when a node asks for a credential that the user does not have
 */
export async function importExample(
	api: N8nApi,
	name: string,
	credentials: StoredCredential[],
	change: (workflow: WorkflowJson) => void = () => {},
): Promise<StoredWorkflow> {
	const workflow = readExample(name);
	change(workflow);
	for (const node of workflow.nodes) {
		const type = credentialTypeOf(node);
		if (!type) continue;
		const chosen = credentials.find((credential) => credential.type === type);
		if (!chosen) throw new Error(`There is no credential ${type} for '${node.name}'`);
		node.credentials = { [type]: { id: chosen.id, name: chosen.name } };
	}
	return await api.createWorkflow(workflow);
}
