import { Container, SsrfProtectionConfig, SsrfProtectionService } from './environment';
import { stringify } from 'flatted';
import { randomUUID } from 'node:crypto';
import {
	BinaryDataService,
	ExecutionLifecycleHooks,
	ExternalSecretsProxy,
	LoadOptionsContext,
	WorkflowExecute,
	WorkflowHasIssuesError,
} from 'n8n-core';
import {
	createRunExecutionData,
	NodeConnectionTypes,
	Workflow,
	type ExecutionStatus,
	type IConnections,
	type ICredentialDataDecryptedObject,
	type IDataObject,
	type INode,
	type INodeCredentialTestResult,
	type INodeExecutionData,
	type IRun,
	type IRunExecutionData,
	type IWorkflowBase,
	type IWorkflowExecuteAdditionalData,
	type IWorkflowSettings,
	type WorkflowExecuteMode,
} from 'n8n-workflow';
import { StoredCredential } from './credential';
import { testCredential } from './credential-test';
import { TestCredentialsHelper } from './credentials-helper';
import { Execution, type StoredExecution } from './execution';
import { useExpressionEngine, type ExpressionEngine } from './expressions';
import { log } from './log';
import { LoadedTypes } from './types';
import { WebhookServer } from './webhooks';

/** A node of a workflow; a type without a package is one of the package under test. */
export type NodeDefinition = Partial<INode> & { name: string; type: string };

/** A connection: from a node, by an output (0 unless named), to a node. */
export type ConnectionDefinition =
	| [from: string, to: string]
	| [from: string, output: number, to: string];

/** A workflow to run; its first node is the one that starts. */
export interface WorkflowDefinition {
	nodes: NodeDefinition[];
	connections: ConnectionDefinition[];
	settings?: IWorkflowSettings;
	/** Workflows with the same id share their static data. Unless given, each run has its own. */
	id?: string;
}

/** How to start a workflow. */
export interface StartOptions {
	/** The JSON of the items that the first node hands out; one empty item unless given. */
	items?: IDataObject[];
	/** Why it runs; `trigger` unless given. A person's click on the canvas is `manual`. */
	mode?: WorkflowExecuteMode;
	/** The workflow's time limit in ms, after which n8n stops the execution. */
	timeLimit?: number;
	/** The node that the execution's methods mean unless told otherwise; the last one unless given. */
	node?: string;
}

/** The node under test: its parameters and settings (`retryOnFail`, `maxTries`, `onError` …). */
export interface NodeOptions extends Omit<StartOptions, 'node'> {
	node: Partial<INode>;
	settings?: IWorkflowSettings;
	/** The workflow's id, to share static data with another run. */
	workflowId?: string;
}

/** An execution that was started. */
export interface Running {
	id: string;
	/** Resolves when the node has really stopped, also after `cancel`, with what n8n had stored of it. */
	finished: Promise<Execution>;
	/** What n8n's Stop button does: the abort signal goes off and the execution is stored at once. */
	cancel(): void;
}

/** A workflow that waits for webhooks. */
export interface Published {
	id: string;
	/** Where the webhooks of its nodes are, in the nodes' order. */
	urls: string[];
	/** Its executions so far, oldest first; waits for those that run. */
	executions(): Promise<Execution[]>;
	/** Takes the webhooks away, and calls the nodes' `delete`. */
	unpublish(): Promise<void>;
}

/** What an engine is made of. */
export interface EngineOptions {
	/** The folder of the package to load; this package unless given. It has to be built. */
	folder?: string;
	/** The fields of the credential that the nodes get. */
	credential: ICredentialDataDecryptedObject;
	/** Its type; `acountPayApi` unless given. */
	credentialType?: string;
	/** `vm` unless given; `legacy` for tests of many executions, and to see what older versions of n8n do. */
	expressions?: ExpressionEngine;
}

const notHere = async () => {
	throw new Error('This part of n8n is not in the harness');
};

/** n8n's execution engine with a package loaded, a credential, and what it stores kept in memory. */
export class Engine {
	/** Everything that was logged in this test file since the last `createEngine` or `log.clear()`. */
	readonly log = log;

	/** The executions, by id, as stored last. */
	readonly executions = new Map<string, StoredExecution>();

	/** The workflows' static data, by workflow id, as stored last. */
	readonly staticData = new Map<string, IDataObject>();

	private readonly webhooks = new WebhookServer(this);

	private readonly running = new Map<string, Running>();

	private readonly credentials = new Map<string, StoredCredential>();

	private readonly credentialsHelper: TestCredentialsHelper;

	private lastId = 0;

	constructor(
		readonly types: LoadedTypes,
		/** The credential that nodes get unless theirs is named. */
		readonly credential: StoredCredential,
	) {
		this.credentialsHelper = new TestCredentialsHelper(types, this.credentials);
		this.add(credential);
	}

	/** Makes another credential known; `credential.reference` goes into a node's `credentials`. */
	add(credential: StoredCredential) {
		this.credentials.set(credential.id, credential);
	}

	/** Saves the credential dialog of the engine's credential, as it is stored now, and gives what it shows. */
	async testCredential(): Promise<INodeCredentialTestResult> {
		const { credential, credentialsHelper } = this;
		const { test } = this.types.credentialType(credential.type);
		if (!test) {
			return { status: 'Error', message: 'No testing function found for this credential.' };
		}
		return await testCredential(credentialsHelper, this.additionalData(), credential, {
			testRequest: test,
		});
	}

	/** Runs one node behind a start node and waits for the end. */
	async runNode(options: NodeOptions): Promise<Execution> {
		return await this.startNode(options).finished;
	}

	/** The same without waiting, to stop it. */
	startNode({ node, settings, workflowId, ...options }: NodeOptions): Running {
		const tested = { name: 'AcountPay', type: 'acountPay', ...node };
		const definition = {
			id: workflowId,
			settings,
			nodes: [{ name: 'Start', type: 'harness.start' }, tested],
			connections: [['Start', tested.name]] as ConnectionDefinition[],
		};
		return this.startWorkflow(definition, { ...options, node: tested.name });
	}

	/** Runs a workflow and waits for the end. */
	async runWorkflow(definition: WorkflowDefinition, options?: StartOptions): Promise<Execution> {
		return await this.startWorkflow(definition, options).finished;
	}

	/** The same without waiting, to stop it. */
	startWorkflow(definition: WorkflowDefinition, options: StartOptions = {}): Running {
		const { items = [{}], mode = 'trigger', timeLimit, node } = options;
		const workflow = this.workflow(definition);
		const main = [items.map((json) => ({ json }))];
		const data = createRunExecutionData({
			executionData: {
				nodeExecutionStack: [{ node: workflow.nodes[0], data: { main }, source: null }],
			},
		});
		return this.execute({ mode, workflow, data }, { timeLimit, node });
	}

	/** Retries a stored execution by hand and waits for the end; see `startRetry`. */
	async retry(execution: Execution, saved?: WorkflowDefinition): Promise<Execution> {
		return await this.startRetry(execution, saved).finished;
	}

	/**
	 * What n8n does when a person retries a stored execution (`execution.service.js`).
	 *
	 * @param saved the workflow as it is saved by now ('Retry with currently saved workflow'); unless given, the
	 *   workflow as it was ('Retry with original workflow')
	 * @throws when the execution succeeded
	 */
	startRetry({ stored, node }: Execution, saved?: WorkflowDefinition): Running {
		const { id, finished } = stored;
		if (finished) throw new Error('The execution succeeded, so it cannot be retried.');
		const { data } = new Execution(stored, node);
		const { lastNodeExecuted, runData } = data.resultData;
		if (lastNodeExecuted) {
			delete data.resultData.error;
			if (runData[lastNodeExecuted]?.at(-1)?.error !== undefined) runData[lastNodeExecuted].pop();
		}
		const workflow = saved
			? this.workflow({ id: stored.workflow.id, ...saved })
			: copy(stored.workflow);
		if (saved) {
			const { nodes } = this.instance(workflow);
			for (const entry of data.executionData!.nodeExecutionStack)
				entry.node = nodes[entry.node.name];
		}
		return this.execute({ mode: 'retry', workflow, data, retryOf: id }, { node });
	}

	/** What n8n does when the date of a parked execution has come (`wait-tracker.js`). */
	async resumeAfterTimeout({ stored, node }: Execution): Promise<Execution> {
		const { id, mode, workflow } = stored;
		const { data } = new Execution(stored, node);
		return await this.execute({ id, mode, workflow: copy(workflow), data }, { node }).finished;
	}

	/** The execution as stored last; while it runs, as it is at the end of that. */
	async execution(id: string): Promise<Execution> {
		const running = this.running.get(id);
		if (running) return await running.finished;
		const stored = this.executions.get(id);
		if (!stored) throw new Error(`The execution "${id}" does not exist.`);
		return new Execution(stored, stored.workflow.nodes.at(-1)!.name);
	}

	/**
	 * Publishes a workflow, so that its triggers' webhooks can be called over HTTP and start it.
	 *
	 * @throws what the trigger's `checkExists` or `create` throws
	 */
	async publish(definition: WorkflowDefinition): Promise<Published> {
		const workflow = this.workflow(definition);
		const urls = await this.webhooks.publish(workflow);
		return this.published(workflow, urls, async () => await this.webhooks.unpublish(workflow));
	}

	/** Listens for a workflow that was published before this n8n has started; no method of a node is called. */
	async takeUp(definition: WorkflowDefinition): Promise<Published> {
		const workflow = this.workflow(definition);
		const urls = await this.webhooks.takeUp(workflow);
		return this.published(workflow, urls, async () => await this.webhooks.unpublish(workflow));
	}

	private published(
		workflow: IWorkflowBase,
		urls: string[],
		unpublish: () => Promise<void>,
	): Published {
		return {
			id: workflow.id,
			urls,
			executions: async () => {
				await Promise.all([...this.running.values()].map(async ({ finished }) => await finished));
				const { name } = workflow.nodes.at(-1)!;
				return [...this.executions.values()]
					.filter((stored) => stored.workflow.id === workflow.id)
					.map((stored) => new Execution(stored, name));
			},
			unpublish,
		};
	}

	/** Listens for a test event, as a person in the editor does; `unpublish` stops that. Listening ends by itself only there. */
	async listenForTest(definition: WorkflowDefinition): Promise<Published> {
		const workflow = this.workflow(definition);
		const urls = await this.webhooks.listenForTest(workflow);
		return this.published(workflow, urls, async () => await this.webhooks.endTest(workflow));
	}

	/** Stores what a node wrote into the workflow's static data. */
	saveStaticData(workflow: Workflow) {
		const { staticData } = workflow as { staticData: IDataObject & { __dataChanged?: boolean } };
		if (staticData.__dataChanged) this.staticData.set(workflow.id, copy(staticData));
	}

	/** Where it listens for webhooks: `http://127.0.0.1:<port>`. */
	get url() {
		return this.webhooks.url;
	}

	/**
	 * The bytes of an item's binary data, out of n8n's store.
	 *
	 * @throws when the item has none under that name
	 */
	async binary({ binary }: INodeExecutionData, property = 'data'): Promise<Buffer> {
		const data = binary?.[property];
		if (!data) throw new Error(`The item has no binary data '${property}'`);
		return await Container.get(BinaryDataService).getAsBuffer(data);
	}

	/** What n8n calls the methods of a node with that fill a list in the editor. */
	loadOptionsContext(definition: NodeDefinition): LoadOptionsContext {
		const workflow = this.workflow({ nodes: [definition], connections: [] });
		const [node] = workflow.nodes;
		return new LoadOptionsContext(this.instance(workflow), node, this.additionalData(), '');
	}

	/** Begins to listen for webhooks. */
	async listen() {
		await this.webhooks.listen();
	}

	/** n8n's workflow object, as built for each execution from what is stored. */
	instance(workflow: IWorkflowBase) {
		const staticData = copy(this.staticData.get(workflow.id) ?? {});
		return new Workflow({ ...workflow, active: false, nodeTypes: this.types, staticData });
	}

	private workflow(definition: WorkflowDefinition): IWorkflowBase {
		const connections: IConnections = {};
		for (const connection of definition.connections) {
			const [from, output, to] =
				connection.length === 2 ? [connection[0], 0, connection[1]] : connection;
			const isTool = definition.nodes.some(
				({ name, type }) => name === from && type.endsWith('Tool'),
			);
			const type = isTool ? NodeConnectionTypes.AiTool : NodeConnectionTypes.Main;
			const outputs = ((connections[from] ??= {})[type] ??= []);
			for (let index = outputs.length; index <= output; index++) outputs.push([]);
			outputs[output]!.push({ node: to, type, index: 0 });
		}
		const now = new Date();
		return {
			id: definition.id ?? `workflow-${++this.lastId}`,
			name: 'Test',
			active: false,
			activeVersionId: null,
			isArchived: false,
			createdAt: now,
			updatedAt: now,
			settings: { executionOrder: 'v1', ...definition.settings },
			nodes: definition.nodes.map((node, index) => this.node(node, index)),
			connections,
		};
	}

	private node(definition: NodeDefinition, index: number): INode {
		const type = this.types.fullName(definition.type);
		const { version, credentials, webhooks } = this.types.getByNameAndVersion(type).description;
		const takesCredential = credentials?.some(({ name }) => name === this.credential.type);
		return copy({
			id: `node-${index}`,
			...(webhooks?.length && { webhookId: randomUUID() }),
			typeVersion: Array.isArray(version) ? version.at(-1)! : version,
			position: [200 * index, 0] as [number, number],
			parameters: {},
			...(takesCredential && {
				credentials: { [this.credential.type]: this.credential.reference },
			}),
			...definition,
			type,
		});
	}

	/**
	 * Runs or goes on with an execution, and stores it as n8n's lifecycle hooks do.
	 *
	 * @param start what is executed: a workflow and its run data
	 */
	execute(
		start: Pick<StoredExecution, 'mode' | 'workflow' | 'retryOf'> & {
			/** Of a parked execution that goes on. */
			id?: string;
			data: IRunExecutionData;
		},
		{ timeLimit, node = start.workflow.nodes.at(-1)!.name }: StartOptions = {},
	): Running {
		const { mode, workflow, retryOf, data } = start;
		const id = start.id ?? String(++this.lastId);
		const store = (status: ExecutionStatus, run: Partial<IRun> & { data: IRunExecutionData }) => {
			const stored = { id, mode, status, finished: run.finished ?? false, workflow, retryOf };
			const waitTill = run.waitTill ?? undefined;
			this.executions.set(id, { ...stored, waitTill, data: stringify(run.data) });
		};
		store('running', { data });

		const hooks = new ExecutionLifecycleHooks(mode, id, workflow, retryOf);
		hooks.addHandler('workflowExecuteAfter', (run, newStaticData) => {
			if (newStaticData && mode !== 'manual') this.staticData.set(workflow.id, copy(newStaticData));
			store(finalStatus(run), run);
		});
		const additionalData = this.additionalData({
			executionId: id,
			restartExecutionId: start.id,
			workflowId: workflow.id,
			workflowSettings: workflow.settings,
			executionTimeoutTimestamp: timeLimit && Date.now() + timeLimit,
			hooks,
		});

		let cancel = () => {};
		const run = async () => {
			try {
				const engine = new WorkflowExecute(additionalData, mode, data);
				const execution = engine.processRunExecutionData(this.instance(workflow));
				cancel = () => execution.cancel();
				const timer = timeLimit ? setTimeout(cancel, timeLimit) : undefined;
				await execution;
				clearTimeout(timer);
			} catch (error) {
				if (!(error instanceof WorkflowHasIssuesError)) throw error;
				const { name, message, description } = error;
				data.resultData.error = { name, message, description } as never;
				store('error', { data });
			}
		};
		const finished = run().then(() => {
			this.running.delete(id);
			return new Execution(this.executions.get(id)!, node);
		});
		const running = { id, finished, cancel: () => cancel() };
		this.running.set(id, running);
		return running;
	}

	/** What n8n gives to everything that it runs for a workflow. */
	additionalData(
		extra: Partial<IWorkflowExecuteAdditionalData> = {},
	): IWorkflowExecuteAdditionalData {
		const { url } = this;
		return {
			currentNodeExecutionIndex: 0,
			credentialsHelper: this.credentialsHelper,
			executeWorkflow: notHere,
			getRuntimeCredential: notHere,
			startRunnerTask: notHere,
			getRunExecutionData: async (id) => (await this.execution(id)).data,
			logAiEvent: () => {},
			setExecutionStatus: () => {},
			sendDataToUI: () => {},
			externalSecretsProxy: Container.get(ExternalSecretsProxy),
			variables: {},
			restApiUrl: `${url}/rest`,
			instanceBaseUrl: `${url}/`,
			formBaseUrl: `${url}/form`,
			formTestBaseUrl: `${url}/form-test`,
			formWaitingBaseUrl: `${url}/form-waiting`,
			webhookBaseUrl: `${url}/webhook`,
			webhookTestBaseUrl: `${url}/webhook-test`,
			webhookWaitingBaseUrl: `${url}/webhook-waiting`,
			mcpBaseUrl: `${url}/mcp`,
			mcpTestBaseUrl: `${url}/mcp-test`,
			...(Container.get(SsrfProtectionConfig).enabled && {
				ssrfBridge: Container.get(SsrfProtectionService),
			}),
			...extra,
		};
	}
}

/** Loads the package and stores the credential; the log starts empty. */
export async function createEngine({
	folder,
	credential,
	credentialType = 'acountPayApi',
	expressions = 'vm',
}: EngineOptions): Promise<Engine> {
	await useExpressionEngine(expressions);
	await Container.get(BinaryDataService).init();
	const types = await LoadedTypes.from(folder);
	const stored = await StoredCredential.create(credentialType, 'AcountPay account', credential);
	log.clear();
	const engine = new Engine(types, stored);
	await engine.listen();
	return engine;
}

/** A copy without any shared object, as what comes out of a database. */
function copy<T>(value: T): T {
	return JSON.parse(JSON.stringify(value)) as T;
}

/** How n8n decides on the status that it stores (`shared-hook-functions.js`). */
function finalStatus(run: IRun): ExecutionStatus {
	if (run.waitTill) return 'waiting';
	if (run.status === 'canceled' || run.status === 'crashed') return run.status;
	return run.status === 'error' || run.data.resultData.error ? 'error' : 'success';
}
