import axios from 'axios';

import { KEY_MERCHANTS, startSandbox, type Payment, type Sandbox } from '../../../sandbox';
import { pagePath } from '../../../sandbox/payments';
import { importExample, parametersOf } from '../../../tools/exampleFiles';
import {
	isFinished,
	type Execution,
	type N8nApi,
	type StoredCredential,
	type StoredWorkflow,
} from '../../../tools/n8n/api';
import type { WorkflowJson } from '../../../tools/n8n/workflow';
import { sharedN8n } from '../../kit/n8n';
import { credentialFor } from '../../kit/payments';
import { keyPartnerOf } from '../../sandbox/client';
import { DataTable, startFrom, type OrderRow } from '../example';

/** The merchant of the examples with access tokens. Its payments wait for the customer. */
export const MERCHANT = 'merchant_abc123';
/** A merchant with API keys whose payments wait for the customer. */
export const SHOP = KEY_MERCHANTS.shop.clientId;
/** How the till of the points of sale names itself. */
export const TILL_KEY = { 'X-Till-Key': 'of-the-till' };

/** The two ways to authenticate: the file of an example, its merchant, and which payments it creates. */
export const WAYS = [
	{ way: 'access tokens', suffix: '', merchant: MERCHANT, api: 'tokens' },
	{ way: 'API keys', suffix: '-keys', merchant: SHOP, api: 'keys' },
] as const;

/** Has the nightly reconciliation look at orders that are being created at once, and not after an hour. */
export function withoutPatience(example: WorkflowJson): void {
	const open = parametersOf(example, 'Open Orders');
	const text = JSON.stringify(open);
	expect(text).toContain('60 * 60000');
	Object.assign(open, JSON.parse(text.replace('60 * 60000', '0')));
}

/** What the test of an example works with: the shared n8n, a sandbox of its own, and what a person does with both. */
export class Examples {
	readonly api: N8nApi = sharedN8n().api;
	/** The table that several examples share. */
	readonly table = new DataTable<OrderRow>(this.api, 'AcountPay orders');
	sandbox!: Sandbox;
	/** With access tokens. */
	credential!: StoredCredential;
	/** With API keys. */
	keys!: StoredCredential;
	private readonly imported: string[] = [];

	/** Starts the sandbox, and stores the credentials. */
	async start(): Promise<void> {
		this.sandbox = await startSandbox();
		const [tokens, keys] = [credentialFor(this.sandbox), this.keyData()];
		this.credential = await this.api.createCredential('AcountPay', 'acountPayApi', tokens);
		this.keys = await this.api.createCredential('AcountPay keys', 'acountPayKeyApi', keys);
	}

	/** Forgets what an earlier test did. */
	async reset(): Promise<void> {
		this.sandbox.reset();
		await this.table.remove();
	}

	/** Switches off what the test has imported. */
	async tidyUp(): Promise<void> {
		for (const id of this.imported.splice(0)) await this.api.deactivate(id);
	}

	/** What the sandbox takes as API keys, as a person enters it. */
	keyData = () => ({
		environment: 'custom',
		baseUrl: `${this.sandbox.url}/v1`,
		...this.sandbox.keys,
	});

	/** Imports an example, to be switched off after the test. */
	async load(
		name: string,
		credentials: StoredCredential[] = [],
		change?: (workflow: WorkflowJson) => void,
	): Promise<StoredWorkflow> {
		const known = [this.credential, this.keys];
		const workflow = await importExample(this.api, name, [...known, ...credentials], change);
		this.imported.push(workflow.id);
		return workflow;
	}

	/** Has a workflow switched off after the test. */
	track = (id: string) => this.imported.push(id);

	/** The execution when it is finished. */
	finished = async (executionId: string, timeoutMs?: number): Promise<Execution> =>
		await this.api.waitForExecution(
			(execution) => execution.id === executionId && isFinished(execution),
			timeoutMs,
		);

	/** Runs a workflow from one of its triggers to its end. */
	run = async ({ id }: StoredWorkflow, trigger: string): Promise<Execution> =>
		await this.finished(await startFrom(this.api, id, trigger));

	/** Publishes a workflow as the editor does, and sees that n8n could set up its triggers. */
	publish = async ({ id }: StoredWorkflow) =>
		expect(await this.api.publish(id)).toMatchObject({ status: 'published' });

	/** The executions of a workflow, the first first. */
	executionsOf = async ({ id }: StoredWorkflow) =>
		(await this.api.listExecutions()).filter(({ workflowId }) => workflowId === id).reverse();

	/** The only payment with this reference. */
	paymentFor = (reference: string): Payment => {
		const payments = this.sandbox.payments.filter(
			({ referenceNumber }) => referenceNumber === reference,
		);
		expect(payments).toHaveLength(1);
		return payments[0];
	};

	/** The page where the customer pays. */
	pageOf = (payment: Payment) => this.sandbox.url + pagePath(payment);

	/** Creates a payment with API keys for the shop, without n8n. */
	createKeyPayment = async (body: object): Promise<number> =>
		(await keyPartnerOf(this.sandbox).create(body)).data.paymentId as number;

	/** The credential with which the till calls. */
	tillCredential = async () => {
		const [[name, value]] = Object.entries(TILL_KEY);
		return await this.api.createCredential('Till', 'httpHeaderAuth', { name, value });
	};

	/** What the till does; the answer is the image to show. */
	callTill = async (path: string, sale: object, headers: Record<string, string> = TILL_KEY) =>
		await axios.post<Buffer>(this.api.webhookUrl(path), sale, {
			headers,
			proxy: false,
			responseType: 'arraybuffer',
			validateStatus: () => true,
		});

	/** The customer pays, and the bank has done its part. */
	payAndSettle = async (reference: string) => {
		this.sandbox.pay(this.paymentFor(reference).id);
		this.sandbox.clock.advance(1_000);
		await this.sandbox.webhooksIdle();
	};
}

/** Examples in the shared n8n, for all tests of a file. */
export function useExamples(): Examples {
	const examples = new Examples();
	beforeAll(async () => await examples.start());
	beforeEach(async () => await examples.reset());
	afterEach(async () => await examples.tidyUp());
	afterAll(async () => await examples.sandbox.close());
	return examples;
}
