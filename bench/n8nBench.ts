import axios from 'axios';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { startN8n, type N8n, type StartN8nOptions } from '../tools/n8n/server';
import { workflow, type CredentialReference } from '../tools/n8n/workflow';
import {
	credentialOf,
	MEASURED_NODE,
	nodeOf,
	type Contestant,
	type NodeSettings,
} from './contestants';
import type { Reading } from './nodes/BenchMeter';
import type { SandboxProcess } from './sandboxProcess';

/** What n8n may still have to do for an execution that has answered, in ms. */
const SETTLING_MS = 300;
const PUBLISH_TIMEOUT_MS = 60_000;

/** A workflow around the measured node, ready to be run. */
export interface BenchWorkflow {
	/**
	 * Runs it on this many items.
	 *
	 * @returns what the measured node took; undefined when it failed
	 */
	run(items: number): Promise<Reading | undefined>;
}

/** What an n8n is started with. */
export interface BenchOptions extends StartN8nOptions {
	sandbox: SandboxProcess;
	/** The folder that `compileCustomNodes` made. */
	customNodes: string;
}

/** An n8n that measures one contestant and runs nothing else. */
export class N8nBench {
	private constructor(
		readonly contestant: Contestant,
		private readonly n8n: N8n,
		private readonly sandbox: SandboxProcess,
	) {}

	/** Starts n8n, with the package and the nodes that only the benchmark needs. */
	static async start(
		contestant: Contestant,
		{ sandbox, customNodes, ...options }: BenchOptions,
	): Promise<N8nBench> {
		const env = { N8N_CUSTOM_EXTENSIONS: customNodes, ...options.env };
		return new N8nBench(contestant, await startN8n({ ...options, env }), sandbox);
	}

	/** Stores a credential that has no token yet. */
	async newCredential(withKeys = false): Promise<CredentialReference> {
		const { type, data } = credentialOf(this.contestant, this.sandbox, withKeys);
		const { id, name } = await this.n8n.api.createCredential(randomUUID(), type, data);
		return { id, name };
	}

	/**
	 * Stores and activates a workflow that is run by a webhook and answers when it has ended: n8n has nothing
	 * to do for us in between.
	 */
	async newWorkflow(
		credential: CredentialReference,
		settings: NodeSettings = {},
	): Promise<BenchWorkflow> {
		const { api } = this.n8n;
		const path = randomUUID();
		const { id } = await api.createWorkflow(
			workflow(
				[
					{
						name: 'Webhook',
						type: 'n8n-nodes-base.webhook',
						typeVersion: 2,
						parameters: { httpMethod: 'POST', path, responseMode: 'lastNode' },
						webhookId: path,
					},
					{
						name: 'Items',
						type: 'CUSTOM.benchItems',
						typeVersion: 1,
						parameters: { count: '={{ $json.body.count }}' },
					},
					nodeOf(this.contestant, this.sandbox, credential, settings),
					{
						name: 'Meter',
						type: 'CUSTOM.benchMeter',
						typeVersion: 1,
						parameters: { node: MEASURED_NODE },
					},
				],
				{ saveDataSuccessExecution: 'none' },
			),
		);
		await api.activate(id);
		const post = async (count: number) => {
			const response = await axios.post<Reading>(
				api.webhookUrl(path),
				{ count },
				{ proxy: false, validateStatus: () => true },
			);
			await sleep(SETTLING_MS);
			return response;
		};
		// n8n says that a workflow is active before its webhook is there.
		const until = Date.now() + PUBLISH_TIMEOUT_MS;
		while ((await post(0)).status === 404) {
			if (Date.now() > until) throw new Error(`n8n has no webhook for workflow ${id}`);
		}

		return {
			async run(items) {
				const { status, data } = await post(items);
				return status === 200 ? data : undefined;
			},
		};
	}

	async stop(): Promise<void> {
		await this.n8n.stop();
	}
}
