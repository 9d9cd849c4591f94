/**
 * Create as a tool that an MCP client or an AI agent calls: one payment for one call, however often n8n tries it.
 */
import axios from 'axios';
import { randomUUID } from 'node:crypto';

import { startSandbox, type Sandbox } from '../../sandbox';
import { itemsOf, type Execution } from '../../tools/n8n/api';
import {
	acountPay,
	itemsNode,
	manualTrigger,
	workflow,
	type WorkflowNode,
} from '../../tools/n8n/workflow';
import { sharedN8n } from '../kit/n8n';
import { credentialFor, requestsFor, retryOnFail } from '../kit/payments';
import { startModel, type Model, type Reply } from './model';

jest.setTimeout(300_000);

const { api } = sharedN8n();
let sandbox: Sandbox;
let tool: WorkflowNode;

/** As much of an MCP client as calls a tool takes: JSON-RPC over 'streamable HTTP'. */
class McpClient {
	private session: Record<string, string> = {};
	private lastId = 0;

	constructor(private readonly url: string) {}

	private async post(message: object): Promise<unknown> {
		const headers = { accept: 'application/json, text/event-stream', ...this.session };
		const options = { headers, proxy: false as const, responseType: 'text' as const };
		const response = await axios.post<string>(this.url, { jsonrpc: '2.0', ...message }, options);
		const id = response.headers['mcp-session-id'] as string | undefined;
		if (id) this.session = { 'mcp-session-id': id };
		const [, event] = /^data: (.*)$/m.exec(response.data) ?? [];
		return event && (JSON.parse(event) as { result: unknown }).result;
	}

	async open(): Promise<void> {
		const clientInfo = { name: 'test', version: '1' };
		const params = { protocolVersion: '2025-03-26', capabilities: {}, clientInfo };
		await this.post({ id: ++this.lastId, method: 'initialize', params });
		await this.post({ method: 'notifications/initialized' });
	}

	/** @returns what the model is told */
	async call(name: string, args: object): Promise<string> {
		const params = { name, arguments: args };
		return JSON.stringify(await this.post({ id: ++this.lastId, method: 'tools/call', params }));
	}
}

beforeEach(async () => {
	sandbox = await startSandbox();
	const credential = await api.createCredential('Shop', 'acountPayApi', credentialFor(sandbox));
	tool = acountPay(
		credential,
		{
			operation: 'create',
			descriptionType: 'manual',
			toolDescription: 'Asks for a payment',
			merchantId: 'merchant_1',
			amount: "={{ $fromAI('amount', 'kroner', 'number') }}",
			referenceNumber: "={{ $fromAI('reference', 'order', 'string') }}",
			additionalFields: {
				currency: "={{ $fromAI('currency', 'ISO 4217', 'string') }}",
				webhookUrl: "={{ $fromAI('url', 'if any', 'string') }}",
			},
		},
		{ name: 'Create_Payment', type: 'n8n-nodes-acountpay.acountPayTool', ...retryOnFail(3) },
	);
});

afterEach(async () => await sandbox.close());

const order = { amount: 100, reference: 'ORDER-1', currency: '', url: '' };

/** From now on AcountPay makes each payment and answers with a server error. */
const makeAndAnswerWith500 = () =>
	sandbox.faults.add({ match: { endpoint: 'create' }, times: 'always', status: 500, made: true });

describe('called by an MCP client', () => {
	let client: McpClient;

	beforeEach(async () => {
		const path = randomUUID();
		const trigger: WorkflowNode = {
			name: 'MCP',
			type: '@n8n/n8n-nodes-langchain.mcpTrigger',
			typeVersion: 2,
			webhookId: path,
			parameters: { path, authentication: 'none' },
		};
		const { id } = await api.createWorkflow({
			...workflow([trigger, tool]),
			connections: { Create_Payment: { ai_tool: [[{ node: 'MCP', type: 'ai_tool', index: 0 }]] } },
		});
		expect(await api.publish(id)).toMatchObject({ status: 'published' });
		client = new McpClient(`${api.url}/mcp/${path}`);
		await client.open();
	});

	it('a call makes one payment, and fields that the model leaves empty are left out', async () => {
		expect(await client.call('Create_Payment', order)).toContain('pay_');
		expect(sandbox.payments).toMatchObject([{ referenceNumber: 'ORDER-1', currency: 'DKK' }]);
	});

	it('a payment that is made and answered with 500 is sent once', async () => {
		makeAndAnswerWith500();
		const said = await client.call('Create_Payment', order);
		expect(sandbox.payments).toHaveLength(1);
		expect(said).toContain("Payment 'ORDER-1' may or may not exist");
	});

	it('two equal calls at once are two payments', async () => {
		await Promise.all(
			[order, order].map(async (args) => await client.call('Create_Payment', args)),
		);
		expect(sandbox.payments).toHaveLength(2);
	});
});

// The tools of version 3 run in the engine as nodes do. With version 2, n8n gives each try of a call a run index of its own.
describe.each([2.2, 3])('called by version %s of AI Agent', (typeVersion) => {
	const call = { call: 'Create_Payment', with: order };
	let model: Model;

	afterEach(async () => await model.close());

	/**
	 * Lets the agent work.
	 * @param reply of the model, by what the tool has answered it so far, and what it was asked for
	 * @param references the agent's items
	 */
	async function ask(
		reply: (toolAnswers: string[], reference: string) => Reply,
		references = ['ORDER-1'],
	): Promise<Execution> {
		model = await startModel(({ messages }) => {
			const contentsOf = (wanted: string) =>
				messages.filter(({ role }) => role === wanted).map(({ content }) => content);
			return reply(contentsOf('tool'), contentsOf('user')[0]);
		});
		const openAi = await api.createCredential('Model', 'openAiApi', model.credential);
		const agent: WorkflowNode = {
			name: 'Agent',
			type: '@n8n/n8n-nodes-langchain.agent',
			typeVersion,
			parameters: {
				promptType: 'define',
				text: '={{ $json.reference }}',
				options: { batching: { batchSize: 40 } },
			},
		};
		const chatModel: WorkflowNode = {
			name: 'Model',
			type: '@n8n/n8n-nodes-langchain.lmChatOpenAi',
			typeVersion: 1.2,
			parameters: { model: { __rl: true, mode: 'list', value: 'loopback' }, options: {} },
			credentials: { openAiApi: openAi },
		};
		const items = itemsNode(references.map((reference) => ({ reference })));
		const definition = workflow([manualTrigger(), items, agent, chatModel, tool]);
		definition.connections = {
			Start: { main: [[{ node: 'Items', type: 'main', index: 0 }]] },
			Items: { main: [[{ node: 'Agent', type: 'main', index: 0 }]] },
			Model: { ai_languageModel: [[{ node: 'Agent', type: 'ai_languageModel', index: 0 }]] },
			Create_Payment: { ai_tool: [[{ node: 'Agent', type: 'ai_tool', index: 0 }]] },
		};
		const execution = await api.runWorkflow((await api.createWorkflow(definition)).id);
		const done = references.map(() => ({ json: { output: 'Done' } }));
		expect(itemsOf(execution, 'Agent')).toMatchObject(done);
		return execution;
	}

	it('a call makes one payment, and fields that the model leaves empty are left out', async () => {
		await ask(([answer]) => (answer ? { text: 'Done' } : call));
		expect(model.questions[1].messages.at(-1)!.content).toContain('pay_');
		expect(sandbox.payments).toMatchObject([{ referenceNumber: 'ORDER-1', currency: 'DKK' }]);
	});

	it('a payment that is made and answered with 500 is sent once, and the model reads not to create it again', async () => {
		makeAndAnswerWith500();
		await ask((toolAnswers) => (toolAnswers.length > 0 ? { text: 'Done' } : call));
		expect(requestsFor(sandbox, 'create')).toHaveLength(1);
		expect(sandbox.payments).toHaveLength(1);
		const { content } = model.questions[1].messages.at(-1)!;
		expect(content).toContain("Payment 'ORDER-1' may or may not exist");
		expect(content).toContain('Do not create it again');
	});

	it('two equal calls in one turn are two payments', async () => {
		await ask((toolAnswers) => (toolAnswers.length > 0 ? { text: 'Done' } : [call, call]));
		expect(sandbox.payments).toHaveLength(2);
	});

	// n8n gives calls of several items the same run index, and looks for their arguments there.
	it('40 items at once are one payment each, or none where n8n mixes up their arguments', async () => {
		const references = Array.from({ length: 40 }, (_, index) => `ORDER-${100 + index}`);
		const answers: Record<string, string> = {};
		tool.retryOnFail = false;
		await ask((toolAnswers, reference) => {
			const [answer] = toolAnswers;
			if (answer === undefined) return { call: 'Create_Payment', with: { ...order, reference } };
			answers[reference] = answer;
			return { text: 'Done' };
		}, references);

		const ids = new Map(sandbox.payments.map(({ referenceNumber, id }) => [referenceNumber, id]));
		expect(sandbox.payments).toHaveLength(ids.size);
		for (const reference of references) {
			expect(answers[reference]).toContain(ids.get(reference) ?? 'Nothing was sent: n8n mixed up');
		}
	});

	it('an equal call in the next turn is a second payment', async () => {
		await ask((toolAnswers) => (toolAnswers.length > 1 ? { text: 'Done' } : call));
		expect(sandbox.payments).toHaveLength(2);
	});
});
