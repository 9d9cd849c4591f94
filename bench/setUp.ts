import axios from 'axios';
import type { IWorkflowSettings } from 'n8n-workflow';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Profiler } from 'node:inspector';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startN8n, type N8n } from '../tools/n8n/server';
import { ensureN8n } from '../tools/n8n/setup';
import { workflow, type WorkflowNode } from '../tools/n8n/workflow';
import { packPackage } from '../tools/package';
import {
	type Contestant,
	type NodeSettings,
	type Sender,
	SENDER_SET_UPS,
	type SetUp,
	TITLES,
	webhookNode,
} from './contestants';
import { type Surroundings, surroundings } from './report';
import { type SandboxProcess, startSandboxProcess } from './sandboxProcess';

/** The name that the measured node has in its workflow. */
const MEASURED_NODE = 'Measured';
/** What n8n may still have to do for an execution that has answered, in ms. */
const SETTLING_MS = 300;
/** n8n loads the node from there that only the benchmark needs. */
const N8N_CUSTOM_EXTENSIONS = join(__dirname, 'nodes');

/** Calls n8n's webhooks; whatever they answer is a response. */
export const http = axios.create({ proxy: false, validateStatus: () => true });

/** What a measurement is told. */
export interface Order {
	rounds: number;
	/** Whether a row of the first table is wanted. */
	isWanted: (title: string, isMain: boolean) => boolean;
	signal: AbortSignal;
	/** Ends what the measurement began, whatever happened. */
	cleanUp: AsyncDisposableStack;
}

/** What a measurement hands back. */
export interface Measured {
	on: Surroundings;
	/** In Markdown. */
	table: string;
	/** What its figures are, after a space, when they are of several runs. */
	note?: string;
	/** Every single run that the table's figures are of. */
	runs?: object;
	/** Draws a WebP image of them. */
	draw?: () => Promise<Buffer>;
}

/**
 * Starts the sandbox, and an n8n with the package for each contestant.
 *
 * @returns both, and what the results hold for
 */
export async function setUp<Side extends Contestant>(
	pair: readonly Side[],
	{ signal, cleanUp }: Order,
) {
	const n8n = await ensureN8n({ signal });
	const packageTarball = await packPackage();
	cleanUp.defer(async () => await rm(dirname(packageTarball), { recursive: true }));
	const sandbox = await startSandboxProcess(cleanUp);
	const n8ns = {} as Record<Side, N8n>;
	for (const contestant of pair) {
		console.log(`Starting n8n ${n8n.version} for: ${TITLES[contestant]}`);
		const env = { N8N_CUSTOM_EXTENSIONS };
		const started = await startN8n({ n8n, packageTarball, signal, env });
		cleanUp.defer(async () => await started.stop());
		n8ns[contestant] = started;
	}
	return { sandbox, n8ns, on: surroundings(n8n.version) };
}

/**
 * Stores and publishes a workflow with the measured node in it.
 *
 * @param nodesAround all nodes of the workflow
 * @returns its id, once its webhook is there
 * @throws Error with n8n's words when it can't be published
 */
export async function publish(
	{ api }: N8n,
	{ credentialType, credential, node }: SetUp,
	nodesAround: (measured: WorkflowNode) => WorkflowNode[],
	settings?: IWorkflowSettings,
): Promise<string> {
	const { id, name } = await api.createCredential(randomUUID(), credentialType, credential);
	const credentials = { [credentialType]: { id, name } };
	const measured = { name: MEASURED_NODE, ...node, credentials };
	const stored = await api.createWorkflow(workflow(nodesAround(measured), settings));
	const { status, problems } = await api.publish(stored.id);
	if (status !== 'published') throw new Error(problems.join('\n'));
	return stored.id;
}

/**
 * Runs a sender on this many items.
 *
 * @returns how long it took by n8n's own record, in ms, and the profile when one is wanted; undefined when it failed
 */
export type Run = (
	count: number,
	isProfiled?: boolean,
) => Promise<{ ms: number; profile?: Profiler.Profile } | undefined>;

/** A sender, and how many items warm it up at a latency of 20 ms. */
export interface SenderOptions {
	contestant: Sender;
	n8n: N8n;
	sandbox: SandboxProcess;
	settings?: NodeSettings;
	warmUp: number;
}

/**
 * Publishes a workflow around a sender, with a credential that has no token yet, and warms it up. It is run by a webhook and
 * answers when it has ended: n8n has nothing to do for us in between.
 */
export async function publishSender(options: SenderOptions): Promise<Run> {
	const { contestant, n8n, sandbox, settings = {}, warmUp } = options;
	const path = randomUUID();
	const bench = { type: 'CUSTOM.bench', typeVersion: 1 };
	await publish(
		n8n,
		SENDER_SET_UPS[contestant](sandbox, settings),
		(measured) => [
			{ name: 'Webhook', ...webhookNode(path, { responseMode: 'lastNode' }) },
			{ name: 'Items', ...bench, parameters: {} },
			{ ...measured, ...(settings.onError && { onError: settings.onError }) },
			{ name: 'Meter', ...bench, parameters: { measured: MEASURED_NODE } },
		],
		{ saveDataSuccessExecution: 'none' },
	);
	const run: Run = async (count, isProfiled) => {
		const { status, data } = await http.post(n8n.api.webhookUrl(path), { count, isProfiled });
		await sleep(SETTLING_MS);
		return status === 200 ? data : undefined;
	};
	await sandbox.prepare({ latencyMs: 20 });
	await run(warmUp);
	return run;
}
