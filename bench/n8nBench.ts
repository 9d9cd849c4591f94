import axios from 'axios';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';

import type { N8n } from '../tools/n8n/server';
import { workflow, type WorkflowJson } from '../tools/n8n/workflow';
import {
	type Contestant,
	credentialOf,
	MEASURED_NODE,
	nodeOf,
	type NodeSettings,
} from './contestants';
import type { SandboxProcess } from './sandboxProcess';

/** What n8n may still have to do for an execution that has answered, in ms. */
const SETTLING_MS = 300;

/**
 * Compiles the node that only the benchmark needs.
 *
 * @returns a new folder, for `N8N_CUSTOM_EXTENSIONS`, that the caller removes
 */
export async function compileBenchNode(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'n8n-bench-nodes-'));
	const source = await readFile(join(__dirname, 'nodes', 'Bench.ts'), 'utf8');
	const { outputText } = transpileModule(source, {
		compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 },
	});
	await writeFile(join(folder, 'Bench.node.js'), outputText);
	return folder;
}

/**
 * Stores and publishes a workflow.
 *
 * @returns its id, once its webhook is there
 * @throws Error with n8n's words when it can't be published
 */
export async function publish({ api }: N8n, content: WorkflowJson): Promise<string> {
	const { id } = await api.createWorkflow(content);
	const { status, problems } = await api.publish(id);
	if (status !== 'published') throw new Error(problems.join('\n'));
	return id;
}

/**
 * Runs the measured node on this many items.
 *
 * @returns how long it took by n8n's own record, in ms; undefined when it failed
 */
export type Run = (items: number) => Promise<number | undefined>;

/**
 * Publishes a workflow around the measured node, with a credential that has no token yet. It is run by a webhook and answers when
 * it has ended: n8n has nothing to do for us in between.
 *
 * @param n8n with the node that {@link compileBenchNode} compiled
 */
export async function publishMeasured(
	contestant: Contestant,
	n8n: N8n,
	sandbox: SandboxProcess,
	settings: NodeSettings = {},
): Promise<Run> {
	const { type, data } = credentialOf(contestant, sandbox, settings);
	const { id, name } = await n8n.api.createCredential(randomUUID(), type, data);
	const path = randomUUID();
	const bench = { type: 'CUSTOM.bench', typeVersion: 1 };
	const nodes = [
		{
			name: 'Webhook',
			type: 'n8n-nodes-base.webhook',
			typeVersion: 2,
			parameters: { httpMethod: 'POST', path, responseMode: 'lastNode' },
			webhookId: path,
		},
		{ name: 'Items', ...bench, parameters: { count: '={{ $json.body.count }}' } },
		nodeOf(contestant, sandbox.url, { [type]: { id, name } }, settings),
		{ name: 'Meter', ...bench, parameters: { measured: MEASURED_NODE } },
	];
	await publish(n8n, workflow(nodes, { saveDataSuccessExecution: 'none' }));
	return async (count) => {
		const response = await axios.post<{ ms: number }>(
			n8n.api.webhookUrl(path),
			{ count },
			{ proxy: false, validateStatus: () => true },
		);
		await sleep(SETTLING_MS);
		return response.status === 200 ? response.data.ms : undefined;
	};
}
