import axios from 'axios';
import { Listr, PRESET_TIMER } from 'listr2';
import type { ExecutionStatus } from 'n8n-workflow';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { startSandbox, type Sandbox } from '../sandbox';
import { pagePath } from '../sandbox/payments';
import { importExample } from './exampleFiles';
import {
	errorOf,
	isFinished,
	itemsOf,
	OWNER,
	type Execution,
	type StoredCredential,
} from './n8n/api';
import { startN8n, type N8n } from './n8n/server';
import {
	DEFAULT_VERSION,
	ensureN8n,
	isN8nReady,
	SETUP_TAKES,
	type N8nInstallation,
} from './n8n/setup';
import { packPackage } from './package';
import { abortOnSignals } from './signals';

const SALE = { amount: 149.99, reference: 'SALE-1001' };
const LOOK_EVERY_MS = 1_000;
const USAGE = `npm run demo [-- --keys --once]

Sets up n8n, installs this package into it, puts both credentials of a sandbox AcountPay of its own
into it, creates payments, and opens a point of sale that waits for you to pay.

  --keys   create the payments with API keys, instead of access tokens
  --once   pay in your place and end, instead of leaving n8n and the sandbox open
  --help`;

/** The credentials as n8n shows them, by their type. */
const CREDENTIAL_NAMES: Record<string, string> = {
	acountPayApi: 'AcountPay sandbox, access tokens',
	acountPayKeyApi: 'AcountPay sandbox, API keys',
};

/** What the demo does with one of the two credentials. */
interface Plan {
	/** The example that creates the payments of `exampleSources/demoPayments.ts`, and its node that reads them. */
	example: string;
	reader: string;
	/** The example of a point of sale, which is its webhook's path too. */
	pointOfSale: string;
	/** The status of the point of sale while it waits for the customer. */
	waits: ExecutionStatus;
	/** The nodes with which the point of sale goes on. */
	outcomes: string[];
}

const OAUTH2: Plan = {
	example: 'create-and-get',
	reader: 'Get Payment',
	pointOfSale: 'point-of-sale',
	waits: 'waiting',
	outcomes: ['Paid', 'Declined', 'Expired'],
};

const KEYS: Plan = {
	example: 'create-and-wait-keys',
	reader: 'Wait for Completion',
	pointOfSale: 'point-of-sale-keys',
	waits: 'running',
	outcomes: ['Paid', 'Not Paid'],
};

/** What the steps hand on to later ones. */
interface Demo {
	plan: Plan;
	n8nInstallation: N8nInstallation;
	tarball: string;
	sandbox: Sandbox;
	n8n: N8n;
	/** Both, whichever the plan uses. */
	credentials: StoredCredential[];
	execution: Execution;
	/** The requests that the execution took, as the sandbox counts them. */
	requests: Record<string, number>;
	sale: Sale;
}

/** A sale at the point of sale, whose run waits for the customer. */
interface Sale {
	workflowId: string;
	executionId: string;
	paymentId: string | number;
	/** The customer's page. */
	paymentUrl: string;
}

/** Ends what a step began; run in reverse order, whatever happened. */
type CleanUp = () => Promise<void>;

/** What the user enters in each credential, by its type. */
const credentialData = ({ url, credentials, keys }: Sandbox) => ({
	acountPayApi: { environment: 'custom', baseUrl: url, ...credentials },
	acountPayKeyApi: { environment: 'custom', baseUrl: `${url}/v1`, ...keys },
});

async function createAndTestCredentials({ n8n, sandbox }: Demo): Promise<StoredCredential[]> {
	const stored: StoredCredential[] = [];
	for (const [type, data] of Object.entries(credentialData(sandbox))) {
		const credential = await n8n.api.createCredential(CREDENTIAL_NAMES[type], type, data);
		const { status, message } = await n8n.api.testCredential(credential, data);
		if (status !== 'OK') throw new Error(`n8n's test of '${credential.name}' failed: ${message}`);
		stored.push(credential);
	}
	return stored;
}

async function runExample({ n8n, sandbox, credentials, plan }: Demo): Promise<Execution> {
	// The requests of the credentials' tests are not the workflow's.
	sandbox.reset();
	const { id } = await importExample(n8n.api, plan.example, credentials);
	const execution = await n8n.api.runWorkflow(id);
	if (execution.status !== 'success') {
		throw new Error(
			`The workflow ended with '${execution.status}': ${errorOf(execution)?.message}`,
		);
	}
	return execution;
}

/** Does what a merchant does to open a point of sale, and then what the till does. */
async function makeSale({ n8n, sandbox, credentials, plan }: Demo): Promise<Sale> {
	const [name, value] = ['X-Till-Key', randomUUID()];
	const till = await n8n.api.createCredential('Till', 'httpHeaderAuth', { name, value });
	const { id } = await importExample(n8n.api, plan.pointOfSale, [...credentials, till]);
	const { status } = await n8n.api.publish(id);
	if (status !== 'published')
		throw new Error(`The point of sale could not be published: ${status}`);
	await axios.post(n8n.api.webhookUrl(plan.pointOfSale), SALE, {
		proxy: false,
		headers: { [name]: value },
	});
	const execution = await n8n.api.waitForExecution(
		({ workflowId, status }) => workflowId === id && status === plan.waits,
	);
	const payment = sandbox.payments.find(
		({ referenceNumber }) => referenceNumber === SALE.reference,
	);
	if (!payment) throw new Error(`The sandbox has no payment ${SALE.reference}`);
	return {
		workflowId: id,
		executionId: execution.id,
		paymentId: payment.id,
		paymentUrl: sandbox.url + pagePath(payment),
	};
}

/**
 * Waits until the sale's run has ended.
 *
 * @returns how it went on: the name of a node of the example
 * @throws Error when it failed, or when `signal` is aborted meanwhile
 */
async function saleOutcome({ n8n, sale, plan }: Demo, signal: AbortSignal): Promise<string> {
	for (;;) {
		const execution = await n8n.api.getExecution(sale.executionId);
		if (isFinished(execution)) {
			const outcome = plan.outcomes.find((name) => execution.data.resultData.runData[name]);
			if (outcome) return outcome;
			throw new Error(`The point of sale ended with '${execution.status}'`);
		}
		await sleep(LOOK_EVERY_MS, undefined, { signal });
	}
}

/** The steps, each numbered and timed. What they start is put on `cleanUps`. */
function steps(cleanUps: CleanUp[], signal: AbortSignal, isOnce: boolean): Listr<Demo> {
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
		step('Set up n8n, pack this package, start the AcountPay sandbox', async (demo, onProgress) => {
			const parts = await Promise.allSettled([
				ensureN8n({ onProgress, signal }).then((n8n) => {
					demo.n8nInstallation = n8n;
				}),
				packPackage().then((tarball) => {
					demo.tarball = tarball;
					cleanUps.push(() => rm(dirname(tarball), { recursive: true }));
				}),
				startSandbox().then((sandbox) => {
					demo.sandbox = sandbox;
					cleanUps.push(() => sandbox.close());
				}),
			]);
			const failed = parts.find((part) => part.status === 'rejected');
			if (failed) throw failed.reason as Error;
		}),
		step('Start n8n with the package installed', async (demo) => {
			const { n8nInstallation: n8n, tarball: packageTarball } = demo;
			demo.n8n = await startN8n({ n8n, packageTarball, signal });
			cleanUps.push(() => demo.n8n.stop());
		}),
		step('Create both credentials and test them', async (demo) => {
			demo.credentials = await createAndTestCredentials(demo);
		}),
		step('Import an example workflow and run it', async (demo) => {
			demo.execution = await runExample(demo);
			demo.requests = { ...demo.sandbox.counts };
		}),
		step('Open a point of sale and start a sale', async (demo) => {
			demo.sale = await makeSale(demo);
		}),
	];
	if (isOnce) {
		list.push(
			step('Pay as the customer and see the point of sale continue', async (demo) => {
				demo.sandbox.pay(demo.sale.paymentId);
				const outcome = await saleOutcome(demo, signal);
				if (outcome !== 'Paid') throw new Error(`The point of sale continued with '${outcome}'`);
			}),
		);
	}
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

/** Prints a heading and below it one value a line, which a terminal with 80 columns shows unbroken. */
function printValues(heading: string, values: Array<[name: string, value: string]>) {
	const width = Math.max(...values.map(([name]) => name.length));
	const lines = values.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
	console.log(`\n${heading}\n${lines.join('\n')}`);
}

/** The payments as the workflow's last node read them, and what that took. */
function printPayments({ requests: counts, execution, sandbox, plan }: Demo) {
	const created = itemsOf(execution, 'Create Payment');
	itemsOf(execution, plan.reader).forEach(({ json: payment }, index) => {
		const id = (payment.paymentId ?? payment.id) as string | number;
		const { merchant, merchantName } = sandbox.payment(id);
		const image = created[index].binary?.data;
		printValues(`Payment ${id}`, [
			['Reference', String(payment.referenceNumber)],
			['Merchant', merchantName ?? merchant],
			['Amount', `${Number(payment.amount).toFixed(2)} ${String(payment.currency)}`],
			['Status', String(payment.status)],
			...(image ? [['QR code', `${image.fileName}, ${image.fileSize}`] as [string, string]] : []),
		]);
	});
	printValues(
		'Requests to AcountPay for them',
		Object.entries(counts).map(([kind, count]) => [kind, String(count)]),
	);
}

function printWhereToLook({ n8n, sandbox, sale, plan }: Demo) {
	printValues("n8n's editor", [
		['URL', `${n8n.url}/home/workflows`],
		['E-mail', OWNER.email],
		['Password', OWNER.password],
	]);
	printValues('Sandbox, as an AcountPay of your own', [['URL', sandbox.url]]);
	for (const [type, data] of Object.entries(credentialData(sandbox))) {
		const { baseUrl, clientId, clientSecret } = data;
		printValues(`Credential '${CREDENTIAL_NAMES[type]}'`, [
			['Environment', 'Custom'],
			['Base URL', baseUrl],
			['Client ID', clientId],
			['Client Secret', clientSecret],
			...('webhookSecret' in data
				? [['Webhook Secret', data.webhookSecret] as [string, string]]
				: []),
		]);
	}
	console.log(`
A point of sale waits for its customer${plan.waits === 'running' ? '. n8n shows it once it has ended' : ''}:
  ${n8n.url}/workflow/${sale.workflowId}/executions/${sale.executionId}

Be the customer, click 'Pay', and it continues:
  ${sale.paymentUrl}

Ctrl-C ends all and removes their data.`);
}

/** Says when the customer has decided, and leaves everything open until the signal is aborted. */
async function watchSale(demo: Demo, signal: AbortSignal): Promise<void> {
	const ended = once(signal, 'abort');
	try {
		const outcome = await saleOutcome(demo, signal);
		console.log(
			`\n${SALE.reference} continued with '${outcome}'. Reload the point of sale in n8n to see which way it went.`,
		);
	} catch (error) {
		if (!signal.aborted) console.error(`\n${(error as Error).message}`);
	}
	if (!signal.aborted) await ended;
}

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			keys: { type: 'boolean', default: false },
			once: { type: 'boolean', default: false },
			help: { type: 'boolean', default: false },
		},
	});
	if (values.help) {
		console.log(USAGE);
		return;
	}
	console.log(
		isN8nReady()
			? `n8n ${DEFAULT_VERSION} is set up already: this takes about half a minute.`
			: `Setting up n8n ${DEFAULT_VERSION} ${SETUP_TAKES}; the rest takes half a minute.`,
	);
	const signal = abortOnSignals();
	const cleanUps: CleanUp[] = [];
	try {
		const demo = await steps(cleanUps, signal, values.once)
			.run({ plan: values.keys ? KEYS : OAUTH2 } as Demo)
			.catch(() => undefined);
		if (!demo) {
			// The list of steps has said which failed and why.
			process.exitCode = 1;
			return;
		}
		printPayments(demo);
		if (!values.once) {
			printWhereToLook(demo);
			await watchSale(demo, signal);
		}
	} finally {
		for (const cleanUp of cleanUps.reverse()) await cleanUp();
	}
}

main().catch((error: Error) => {
	console.error(error.message);
	process.exitCode = 1;
});
