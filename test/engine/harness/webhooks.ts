import { onEnd, parseIncomingMessage } from './environment';
import express, { type Request, type Response } from 'express';
import { HookContext, WAITING_TOKEN_QUERY_PARAM, WebhookContext } from 'n8n-core';
import {
	createRunExecutionData,
	jsonParse,
	NodeHelpers,
	type INode,
	type IRunExecutionData,
	type IWebhookData,
	type IWebhookResponseData,
	type IWorkflowBase,
	type Workflow,
	type WorkflowActivateMode,
	type WorkflowExecuteMode,
} from 'n8n-workflow';
import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Engine } from './engine';
import { Execution } from './execution';

/** What n8n answers by itself, before or instead of a node. */
class Refusal extends Error {
	constructor(
		readonly status: number,
		message: string,
	) {
		super(message);
	}
}

/** What a webhook call belongs to. */
interface Call {
	workflow: Workflow;
	workflowData: IWorkflowBase;
	webhook: IWebhookData;
	node: INode;
	mode: WorkflowExecuteMode;
	/** A parked execution that the call is for. */
	parked?: { id: string; data: IRunExecutionData };
	request: Request;
	response: Response;
}

/**
 * n8n's webhook server on loopback: `/webhook/…` starts published workflows, `/webhook-waiting/<execution>` wakes
 * parked ones. Follows n8n 2.41.1's `live-webhooks.js`, `waiting-webhooks.js`, `webhook-helpers.js`,
 * `webhook.service.js` and `body-parser.js`, for nodes that answer at once (`responseMode: 'onReceived'`).
 */
export class WebhookServer {
	/** Where it listens, without a slash at the end. */
	url = '';

	private readonly published = new Map<string, { workflowData: IWorkflowBase; node: string }>();

	/** The webhooks that a person listens to in the editor, with the static data that their nodes wrote. */
	private readonly tests = new Map<string, { workflowData: IWorkflowBase; staticData: object }>();

	constructor(private readonly engine: Engine) {}

	/** Begins to listen on a free port, until the end of the test file. */
	async listen() {
		const app = express();
		app.all(
			'/webhook/*path',
			this.handler(async (...call) => await this.live(...call)),
		);
		app.all(
			'/webhook-test/*path',
			this.handler(async (...call) => await this.test(...call)),
		);
		app.all(
			'/webhook-waiting/:id',
			this.handler(async (...call) => await this.waiting(...call)),
		);
		const server = createServer(app);
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
		onEnd(() => {
			server.closeAllConnections();
			server.close();
		});
	}

	/**
	 * Publishes a workflow: asks its nodes' `checkExists` and, when that says no, `create`, and listens. When one of them
	 * throws, `delete` is called (`webhook-trigger-registrar.js`).
	 *
	 * @returns where the webhooks of its nodes are, in the nodes' order
	 * @throws what `checkExists` or `create` throws
	 */
	async publish(workflowData: IWorkflowBase): Promise<string[]> {
		const webhooks = await this.callHooks(workflowData, async (call) => {
			try {
				if (!(await call('checkExists'))) await call('create');
			} catch (error) {
				await call('delete');
				throw error;
			}
		});
		return this.listenTo(workflowData, webhooks);
	}

	/** What n8n does when it starts, for a workflow that was published before: it listens, and calls no node. */
	async takeUp(workflowData: IWorkflowBase): Promise<string[]> {
		return this.listenTo(workflowData, await this.callHooks(workflowData, async () => {}));
	}

	private listenTo(workflowData: IWorkflowBase, webhooks: IWebhookData[]): string[] {
		for (const { httpMethod, path, node } of webhooks) {
			this.published.set(`${httpMethod} ${path}`, { workflowData, node });
		}
		return webhooks.map(({ path }) => `${this.url}/webhook/${path}`);
	}

	/** Takes a workflow back: `delete` of its nodes is called, and its webhooks answer 404. */
	async unpublish(workflowData: IWorkflowBase) {
		const webhooks = await this.callHooks(
			workflowData,
			async (call) => void (await call('delete')),
		);
		for (const { httpMethod, path } of webhooks) this.published.delete(`${httpMethod} ${path}`);
	}

	/**
	 * Listens for one call, as 'Execute step' in the editor does (`test-webhooks.js`). The nodes get empty static data, and
	 * what they write is theirs until the end of the test.
	 *
	 * @returns where the webhooks of its nodes are, in the nodes' order
	 */
	async listenForTest(workflowData: IWorkflowBase): Promise<string[]> {
		const workflow = this.engine.instance(workflowData);
		workflow.staticData = {};
		const webhooks = await this.callHooks(
			workflowData,
			async (call) => {
				if (!(await call('checkExists'))) await call('create');
			},
			workflow,
		);
		const staticData = JSON.parse(JSON.stringify(workflow.staticData)) as object;
		for (const { httpMethod, path } of webhooks) {
			this.tests.set(`${httpMethod} ${path}`, { workflowData, staticData });
		}
		return webhooks.map(({ path }) => `${this.url}/webhook-test/${path}`);
	}

	/** Stops to listen: `delete` of the nodes is called with the static data of the test. */
	async endTest(workflowData: IWorkflowBase) {
		for (const [key, test] of this.tests) {
			if (test.workflowData.id !== workflowData.id) continue;
			this.tests.delete(key);
			const workflow = this.engine.instance(workflowData);
			workflow.staticData = test.staticData as never;
			await this.callHooks(workflowData, async (call) => void (await call('delete')), workflow);
		}
	}

	/** @param testing the workflow when it is for a test: its static data are not stored */
	private async callHooks(
		workflowData: IWorkflowBase,
		use: (call: (method: 'checkExists' | 'create' | 'delete') => Promise<unknown>) => Promise<void>,
		testing?: Workflow,
	) {
		const workflow = testing ?? this.engine.instance(workflowData);
		await workflow.expression.acquireIsolate();
		try {
			const nodes = Object.values(workflow.nodes);
			const webhooks = nodes
				.flatMap((node) => this.webhooksOf(workflow, node, false))
				.map((webhook) => ({ ...webhook, isTest: testing !== undefined }));
			for (const webhook of webhooks) {
				const node = workflow.nodes[webhook.node];
				const { webhookMethods } = this.engine.types.getByNameAndVersion(
					node.type,
					node.typeVersion,
				);
				await use(async (method) => {
					const additionalData = this.engine.additionalData();
					const { name } = webhook.webhookDescription;
					const context = new HookContext(
						workflow,
						node,
						additionalData,
						modeOf(method, testing),
						activationOf(method, testing),
						webhook,
					);
					return await webhookMethods?.[name]?.[method]?.call(context);
				});
			}
			return webhooks;
		} finally {
			if (!testing) this.engine.saveStaticData(workflow);
			await workflow.expression.releaseIsolate();
		}
	}

	private async live(request: Request, response: Response) {
		const path = (request.params.path as unknown as string[]).join('/');
		const found = this.published.get(`${request.method} ${path}`);
		if (!found) {
			const message = `The requested webhook "${request.method} ${path}" is not registered.`;
			throw new Refusal(404, message);
		}
		const { workflowData } = found;
		const workflow = this.engine.instance(workflowData);
		const node = workflow.nodes[found.node];
		await workflow.expression.acquireIsolate();
		try {
			const webhook = this.webhooksOf(workflow, node, false).find((each) => each.path === path)!;
			const mode = 'webhook';
			await this.call({ workflow, workflowData, webhook, node, mode, request, response });
		} finally {
			await workflow.expression.releaseIsolate();
		}
	}

	private async test(request: Request, response: Response) {
		const path = (request.params.path as unknown as string[]).join('/');
		const found = this.tests.get(`${request.method} ${path}`);
		if (!found) throw new Refusal(404, `The requested webhook "${path}" is not registered.`);
		const { workflowData, staticData } = found;
		const workflow = this.engine.instance(workflowData);
		workflow.setTestStaticData(staticData as never);
		await workflow.expression.acquireIsolate();
		try {
			const nodes = Object.values(workflow.nodes);
			const webhook = nodes
				.flatMap((node) => this.webhooksOf(workflow, node, false))
				.find((each) => each.path === path)!;
			const node = workflow.nodes[webhook.node];
			const mode = 'manual';
			await this.call({ workflow, workflowData, webhook, node, mode, request, response });
		} finally {
			await workflow.expression.releaseIsolate();
		}
	}

	private async waiting(request: Request, response: Response) {
		const id = request.params.id as string;
		const stored = this.engine.executions.get(id);
		if (!stored) throw new Refusal(404, `The execution "${id}" does not exist.`);
		const { data } = new Execution(stored, '');
		if (!sameToken(request.query[WAITING_TOKEN_QUERY_PARAM], data.resumeToken)) {
			response.status(401).json({ error: 'Invalid token' });
			return;
		}
		if (stored.status === 'running') {
			throw new Refusal(409, `The execution "${id}" is running already.`);
		}
		if (data.resultData.error) {
			throw new Refusal(409, `The execution "${id}" has finished with error.`);
		}
		if (stored.finished) throw new Refusal(409, `The execution "${id} has finished already.`);

		data.executionData!.nodeExecutionStack[0].node.disabled = true;
		data.waitTill = undefined;
		const last = data.resultData.lastNodeExecuted!;
		data.resultData.runData[last].pop();
		const workflow = this.engine.instance(stored.workflow);
		const node = workflow.nodes[last];
		await workflow.expression.acquireIsolate();
		try {
			const webhook = this.webhooksOf(workflow, node, true).find(
				({ httpMethod, path }) => httpMethod === request.method && path === '',
			);
			if (!webhook) {
				throw new Refusal(
					404,
					`The workflow for execution "${id}" does not contain a waiting webhook with a matching path/method.`,
				);
			}
			const { mode, workflow: workflowData } = stored;
			const parked = { id, data };
			await this.call({ workflow, workflowData, webhook, node, mode, parked, request, response });
		} finally {
			await workflow.expression.releaseIsolate();
		}
	}

	/** Has the node look at the request, starts or wakes the execution, and answers. */
	private async call(call: Call) {
		const { workflow, webhook, node, parked, request, response } = call;
		await parseBody(request, node);
		let result: IWebhookResponseData;
		let failure: Partial<IRunExecutionData> = {};
		try {
			result = await this.runWebhook(call);
		} catch (thrown) {
			const error = thrown as Error;
			answer(response, 500, {
				code: 0,
				message: 'Workflow Webhook Error: Workflow could not be started!',
			});
			const { message, stack } = error;
			const resultError = { ...error, message, stack } as never;
			failure = { resultData: { runData: {}, lastNodeExecuted: node.name, error: resultError } };
			result = { noWebhookResponse: true, workflowData: [[{ json: {} }]] };
		}
		const describe = <T>(property: 'responseMode' | 'responseCode' | 'responseData', fallback: T) =>
			workflow.expression.getSimpleParameterValue(
				node,
				webhook.webhookDescription[property] as string,
				call.mode,
				{},
				undefined,
				fallback as string,
			) as T;
		const code = describe('responseCode', 200);
		const mode = describe('responseMode', 'onReceived');
		if (mode !== 'onReceived') throw new Error(`responseMode '${mode}' is not in the harness`);

		// Measured in n8n: what the node wrote is kept unless the execution starts before the answer is sent.
		if (result.noWebhookResponse || !result.workflowData) {
			if (!parked && call.mode !== 'manual') this.engine.saveStaticData(workflow);
		}
		if (!result.workflowData) {
			if (!result.noWebhookResponse) {
				answer(response, code, result.webhookResponse ?? { message: 'Webhook call received' });
			}
			return;
		}
		this.engine.execute({
			id: parked?.id,
			mode: call.mode,
			workflow: call.workflowData,
			data: { ...executionData(node, result, parked?.data), ...failure },
		});
		if (!result.noWebhookResponse) {
			const data = describe<unknown>('responseData', 'firstEntryJson');
			const body = data || (result.webhookResponse ?? { message: 'Workflow was started' });
			answer(response, code, data === 'noData' ? undefined : body);
		}
	}

	private async runWebhook(call: Call): Promise<IWebhookResponseData> {
		const { workflow, webhook, node, mode, parked, request, response } = call;
		const closeFunctions: Array<() => Promise<void>> = [];
		const additionalData = this.engine.additionalData({
			executionId: parked?.id,
			httpRequest: request,
			httpResponse: response,
		});
		const context = new WebhookContext(
			workflow,
			node,
			additionalData,
			mode,
			webhook,
			closeFunctions,
			parked?.data ?? null,
		);
		const type = this.engine.types.getByNameAndVersion(node.type, node.typeVersion);
		try {
			return await type.webhook!.call(context);
		} finally {
			await Promise.allSettled(closeFunctions.map(async (close) => await close()));
		}
	}

	private webhooksOf(workflow: Workflow, node: INode, restart: boolean): IWebhookData[] {
		const { description } = this.engine.types.getByNameAndVersion(node.type, node.typeVersion);
		const text = (value: unknown, fallback = '') =>
			String(
				workflow.expression.getSimpleParameterValue(
					node,
					value as string,
					'internal',
					{},
					undefined,
					fallback,
				),
			);
		return (description.webhooks ?? [])
			.filter(({ restartWebhook = false }) => restartWebhook === restart)
			.map((webhookDescription) => {
				const { httpMethod, path, isFullPath } = webhookDescription;
				const plain = text(path).replace(/^\/|\/$/g, '');
				return {
					httpMethod: text(httpMethod, 'GET') as IWebhookData['httpMethod'],
					node: node.name,
					path: NodeHelpers.getNodeWebhookPath(
						workflow.id,
						node,
						plain,
						isFullPath === true,
						restart,
					).replace(/\/$/, ''),
					webhookDescription,
					workflowId: workflow.id,
					workflowExecuteAdditionalData: this.engine.additionalData(),
				};
			});
	}

	private handler(handle: (request: Request, response: Response) => Promise<void>) {
		return async (request: Request, response: Response) => {
			try {
				await handle(request, response);
			} catch (error) {
				if (!(error instanceof Refusal)) throw error;
				answer(response, error.status, { code: error.status, message: error.message });
			}
		};
	}
}

/** With which modes n8n calls a node's `webhookMethods`: `delete` can't see that it is about a test. */
const modeOf = (method: string, testing: unknown): WorkflowExecuteMode =>
	method === 'delete' ? 'internal' : testing ? 'manual' : 'trigger';
const activationOf = (method: string, testing: unknown): WorkflowActivateMode =>
	method === 'delete' ? 'update' : testing ? 'manual' : 'activate';

/** The run data with which an execution starts, or a parked one goes on, with what the node made of the request. */
function executionData(
	node: INode,
	{ workflowData: main = [] }: IWebhookResponseData,
	parked?: IRunExecutionData,
): IRunExecutionData {
	if (!parked) {
		const entry = { node, data: { main }, source: null };
		return createRunExecutionData({ executionData: { nodeExecutionStack: [entry] } });
	}
	const [entry] = parked.executionData!.nodeExecutionStack;
	entry.data.main = main;
	entry.metadata = { ...entry.metadata, forwardAllOutputs: true };
	return parked;
}

function sameToken(given: unknown, expected = '') {
	if (typeof given !== 'string' || given.length !== expected.length) return false;
	return timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

function answer(response: Response, status: number, body: unknown) {
	response.status(status);
	if (typeof body === 'string') response.send(body);
	else response.json(body);
}

/** Gives the request `rawBody` and, for the types that n8n parses, `body`. */
async function parseBody(request: Request, { typeVersion }: INode) {
	parseIncomingMessage(request);
	const { contentType = '', encoding } = request;
	request.readRawBody = async () => {
		if (request.rawBody) return;
		if (request.destroyed || !request.readable) {
			throw new Error('Request body stream was aborted or is not readable');
		}
		request.rawBody = await buffer(request);
	};
	if (contentType === 'multipart/form-data') {
		// n8n takes the parts of a form out of the stream, of which nothing is left then.
		await buffer(request);
		request.body = { data: {}, files: {} };
		return;
	}
	if (contentType.startsWith('multipart/')) return;
	const parsed = ['application/json', 'text/plain', 'application/x-www-form-urlencoded'];
	if (typeVersion > 1 && !parsed.includes(contentType)) return;
	await request.readRawBody();
	if (request.rawBody.length === 0) return;
	const text = request.rawBody.toString(encoding);
	try {
		if (contentType === 'application/json') request.body = jsonParse(text.replace(/^\ufeff/, ''));
		if (contentType === 'text/plain') request.body = text;
		if (contentType === 'application/x-www-form-urlencoded') {
			request.body = Object.fromEntries(new URLSearchParams(text));
		}
	} catch {
		throw new Refusal(422, 'Failed to parse request body');
	}
}
