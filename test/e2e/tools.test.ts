/* eslint-disable @n8n/community-nodes/no-restricted-imports, @n8n/community-nodes/no-restricted-globals -- runs outside n8n */
/**
 * Create as a tool that an MCP client calls: one payment for one call, however often n8n tries it.
 */
import axios from 'axios';
import type { INode } from 'n8n-workflow';
import { randomUUID } from 'node:crypto';

import { startSandbox, type Sandbox } from '../../sandbox';
import { acountPay, workflow } from '../../tools/n8n/workflow';
import { credentialFor, sharedN8n } from './n8n';

jest.setTimeout(300_000);

const { api } = sharedN8n();
let sandbox: Sandbox;
let client: McpClient;

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
	const path = randomUUID();
	const trigger = {
		name: 'MCP',
		type: '@n8n/n8n-nodes-langchain.mcpTrigger',
		typeVersion: 2,
		webhookId: path,
		parameters: { path, authentication: 'none' },
	};
	const tool = acountPay(
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
		{
			name: 'Create_Payment',
			type: 'n8n-nodes-acountpay.acountPayTool',
			retryOnFail: true,
			maxTries: 3,
			waitBetweenTries: 50,
		} as Partial<INode>,
	);
	const { id } = await api.createWorkflow({
		...workflow([trigger, tool] as never),
		connections: { Create_Payment: { ai_tool: [[{ node: 'MCP', type: 'ai_tool', index: 0 }]] } },
	});
	expect(await api.publish(id)).toMatchObject({ status: 'published' });
	client = new McpClient(`${api.url}/mcp/${path}`);
	await client.open();
});

afterEach(async () => await sandbox.close());

const order = { amount: 100, reference: 'ORDER-1', currency: '', url: '' };

it('a call makes one payment, and fields that the model leaves empty are left out', async () => {
	expect(await client.call('Create_Payment', order)).toContain('pay_');
	expect(sandbox.payments).toMatchObject([{ referenceNumber: 'ORDER-1', currency: 'DKK' }]);
});

it('a payment that is made and answered with 500 is sent once', async () => {
	sandbox.faults.add({ match: { endpoint: 'create' }, times: 'always', status: 500, made: true });
	const said = await client.call('Create_Payment', order);
	expect(sandbox.payments).toHaveLength(1);
	expect(said).toContain("Payment 'ORDER-1' may or may not exist");
});

it('two equal calls at once are two payments', async () => {
	await Promise.all([order, order].map(async (args) => await client.call('Create_Payment', args)));
	expect(sandbox.payments).toHaveLength(2);
});
