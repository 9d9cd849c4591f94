/* eslint-disable @n8n/community-nodes/no-restricted-imports, @n8n/community-nodes/no-restricted-globals, no-console -- runs outside n8n */
import Table from 'cli-table3';
import { Listr, PRESET_TIMER } from 'listr2';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { startSandbox, type Sandbox } from '../sandbox';
import { errorOf, itemsOf, OWNER, type Execution, type StoredCredential } from './n8n/api';
import { startN8n, type N8n } from './n8n/server';
import { DEFAULT_VERSION, ensureN8n, type N8nInstallation } from './n8n/setup';
import type { WorkflowJson } from './n8n/workflow';
import { packPackage } from './package';
import { abortOnSignals } from './signals';

const EXAMPLE = join(__dirname, '..', 'examples', 'create-and-get.json');
const USAGE = `npm run demo [-- --once]

Sets up n8n, installs this package into it, and creates payments in a sandbox AcountPay of its own.

  --once   end after the run instead of leaving n8n and the sandbox open
  --help`;

/** What the steps hand on to those after them. */
interface Demo {
	n8nInstallation: N8nInstallation;
	tarball: string;
	sandbox: Sandbox;
	n8n: N8n;
	credential: StoredCredential;
	execution: Execution;
}

/** Ends what a step began; run in reverse order, whatever happened. */
type CleanUp = () => Promise<void>;

/** The example workflow with this credential chosen in each of its AcountPay nodes. */
async function exampleWorkflow(credential: StoredCredential): Promise<WorkflowJson> {
	const workflow = JSON.parse(await readFile(EXAMPLE, 'utf8')) as WorkflowJson;
	for (const node of workflow.nodes) {
		if (node.type === 'n8n-nodes-acountpay.acountPay') {
			node.credentials = { acountPayApi: { id: credential.id, name: credential.name } };
		}
	}
	return workflow;
}

async function createAndTestCredential({ n8n, sandbox }: Demo): Promise<StoredCredential> {
	const data = { environment: 'custom', baseUrl: sandbox.url, ...sandbox.credentials };
	const credential = await n8n.api.createCredential('AcountPay sandbox', 'acountPayApi', data);
	const { status, message } = await n8n.api.testCredential(credential, data);
	if (status !== 'OK') throw new Error(`n8n's test of the credential failed: ${message}`);
	return credential;
}

async function runExample({ n8n, sandbox, credential }: Demo): Promise<Execution> {
	// The requests of the credential's test are not the workflow's.
	sandbox.reset();
	const { id } = await n8n.api.createWorkflow(await exampleWorkflow(credential));
	const execution = await n8n.api.runWorkflow(id);
	if (execution.status !== 'success') {
		throw new Error(
			`The workflow ended with '${execution.status}': ${errorOf(execution)?.message}`,
		);
	}
	return execution;
}

/** The steps, each numbered and timed. What they start is put on `cleanUps`. */
function steps(cleanUps: CleanUp[], signal: AbortSignal): Listr<Demo> {
	const step = (
		title: string,
		task: (demo: Demo, progress: (line: string) => void) => Promise<void>,
	) => ({
		title,
		task: async (demo: Demo, self: { output: string }) => {
			signal.throwIfAborted();
			await task(demo, (line) => (self.output = line));
		},
	});
	const list = [
		step(`Set up n8n ${DEFAULT_VERSION}`, async (demo, onProgress) => {
			demo.n8nInstallation = await ensureN8n({ onProgress, signal });
		}),
		step('Pack this package', async (demo) => {
			demo.tarball = await packPackage();
			cleanUps.push(() => rm(dirname(demo.tarball), { recursive: true }));
		}),
		step('Start the AcountPay sandbox', async (demo) => {
			demo.sandbox = await startSandbox();
			cleanUps.push(() => demo.sandbox.close());
		}),
		step('Start n8n with the package installed', async (demo) => {
			const { n8nInstallation: n8n, tarball: packageTarball } = demo;
			demo.n8n = await startN8n({ n8n, packageTarball, signal });
			cleanUps.push(() => demo.n8n.stop());
		}),
		step('Create the credential and test it', async (demo) => {
			demo.credential = await createAndTestCredential(demo);
		}),
		step('Import the example workflow and run it', async (demo) => {
			demo.execution = await runExample(demo);
		}),
	];
	return new Listr(
		list.map(({ title, task }, index) => ({ title: `${index + 1}. ${title}`, task })),
		{
			registerSignalListeners: false,
			// A terminal of unknown width, as in some containers, can't be drawn on.
			fallbackRendererCondition: () => !process.stdout.columns,
			rendererOptions: { timer: PRESET_TIMER, collapseErrors: false },
			fallbackRendererOptions: { timer: PRESET_TIMER },
		},
	);
}

/** The payments as the workflow's last node read them, and what that took. */
function printPayments({ sandbox, execution }: Demo) {
	const table = new Table({
		head: ['Reference', 'Merchant', 'Amount', 'Payment', 'Status when read back'],
		style: { head: [], border: [], compact: true },
	});
	itemsOf(execution, 'Orders').forEach(({ json: order }, index) => {
		const payment = itemsOf(execution, 'Get Payment')[index].json;
		const amount = `${Number(payment.amount).toFixed(2)} ${payment.currency}`;
		table.push([
			String(payment.referenceNumber),
			String(order.merchant),
			{ content: amount, hAlign: 'right' },
			String(payment.id),
			String(payment.status),
		]);
	});
	const requests = Object.entries(sandbox.counts).map(([kind, count]) => `${count} × ${kind}`);
	console.log(`\n${table.toString()}\nRequests of this run: ${requests.join(', ')}`);
}

function printWhereToLook({ n8n, sandbox, execution }: Demo) {
	const waiting = itemsOf(execution, 'Get Payment').find(({ json }) => json.status === 'pending');
	const { clientId, clientSecret } = sandbox.credentials;
	console.log(`
n8n's editor      ${n8n.url}   e-mail ${OWNER.email}, password ${OWNER.password}
AcountPay sandbox ${sandbox.url}   client id ${clientId}, client secret ${clientSecret}${
		waiting ? `\nA payment to pay  ${waiting.json.paymentUrl}` : ''
	}

Ctrl-C ends both and removes their data.`);
}

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			once: { type: 'boolean', default: false },
			help: { type: 'boolean', default: false },
		},
	});
	if (values.help) {
		console.log(USAGE);
		return;
	}
	const signal = abortOnSignals();
	const cleanUps: CleanUp[] = [];
	try {
		const demo = await steps(cleanUps, signal)
			.run({} as Demo)
			.catch(() => undefined);
		if (!demo) {
			// The list of steps has said which failed and why.
			process.exitCode = 1;
			return;
		}
		printPayments(demo);
		if (!values.once) {
			printWhereToLook(demo);
			await once(signal, 'abort');
		}
	} finally {
		for (const cleanUp of cleanUps.reverse()) await cleanUp();
	}
}

void main();
