/* eslint-disable @n8n/community-nodes/no-restricted-imports, @n8n/community-nodes/no-restricted-globals -- runs outside n8n */
/**
 * The access token goes to AcountPay alone: n8n's HTTP Request node can't be given the credential, wherever it is sent to.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { startSandbox, type Sandbox } from '../../sandbox';
import { errorOf, itemsOf, type StoredCredential } from '../../tools/n8n/api';
import { acountPay, itemsNode, manualTrigger, workflow } from '../../tools/n8n/workflow';
import { credentialFor, sharedN8n } from './n8n';
import { CREATE, THREE_ORDERS } from './support';

jest.setTimeout(300_000);

const { api } = sharedN8n();
let sandbox: Sandbox;
let credential: StoredCredential;
let elsewhere: Server;
/** What another server, or a proxy, was sent. */
let strayed: string[];

beforeAll(async () => {
	sandbox = await startSandbox();
	credential = await api.createCredential('Shop', 'acountPayApi', credentialFor(sandbox));
	elsewhere = createServer(({ url, headers }, response) => {
		strayed.push(`${url} ${headers.authorization}`);
		response.end('{}');
	});
	await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
	// With a token at hand, nothing but n8n's rule keeps a request from being sent.
	const node = acountPay(credential, CREATE);
	const { id } = await api.createWorkflow(
		workflow([manualTrigger(), itemsNode(THREE_ORDERS), node]),
	);
	expect(itemsOf(await api.runWorkflow(id), 'AcountPay')).toHaveLength(3);
});
beforeEach(() => {
	strayed = [];
});
afterAll(async () => {
	elsewhere.close();
	await sandbox.close();
});

const port = () => (elsewhere.address() as AddressInfo).port;

it.each<[string, () => { url: string; options?: object }]>([
	['its own host', () => ({ url: `${sandbox.url}/v1/partner/payments/pay_1` })],
	['another port', () => ({ url: `http://127.0.0.1:${port()}/` })],
	['a trailing dot', () => ({ url: `http://localhost.:${port()}/` })],
	[
		'a proxy',
		() => ({ url: `${sandbox.url}/x`, options: { proxy: `http://127.0.0.1:${port()}` } }),
	],
])('an HTTP Request node sends nothing to %s', async (_what, parameters) => {
	const sent = sandbox.requests.length;
	const node = {
		name: 'HTTP Request',
		type: 'n8n-nodes-base.httpRequest',
		typeVersion: 4.2,
		parameters: {
			authentication: 'predefinedCredentialType',
			nodeCredentialType: 'acountPayApi',
			...parameters(),
		},
		credentials: { acountPayApi: credential },
	};
	const { id } = await api.createWorkflow(workflow([manualTrigger(), node] as never));
	const execution = await api.runWorkflow(id);

	expect(execution.status).toBe('error');
	expect(JSON.stringify(errorOf(execution))).toMatch(/prevent use within an HTTP Request/);
	expect(strayed).toEqual([]);
	expect(sandbox.requests).toHaveLength(sent);
});

it("the credential's dialog still tests it", async () => {
	const data = credentialFor(sandbox);
	expect(await api.testCredential(credential, data)).toMatchObject({ status: 'OK' });
});
