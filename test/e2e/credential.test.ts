/**
 * Access token and keys go to AcountPay alone: n8n's HTTP Request node can't be given either credential, wherever it is sent
 * to.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { startSandbox, type Sandbox } from '../../sandbox';
import { errorOf, itemsOf, type StoredCredential } from '../../tools/n8n/api';
import { acountPay, itemsNode, manualTrigger, workflow } from '../../tools/n8n/workflow';
import { KEY_CREDENTIAL } from '../kit/keys';
import { sharedN8n } from '../kit/n8n';
import { create, credentialFor, THREE_ORDERS } from '../kit/payments';

jest.setTimeout(300_000);

const { api } = sharedN8n();
let sandbox: Sandbox;
let credential: StoredCredential;
let keys: StoredCredential;
let elsewhere: Server;
/** What another server, or a proxy, was sent. */
let strayed: string[];

const keysFor = ({ url, keys: pair }: Sandbox) => ({
	environment: 'custom',
	baseUrl: url,
	...pair,
});

beforeAll(async () => {
	sandbox = await startSandbox();
	credential = await api.createCredential('Shop', 'acountPayApi', credentialFor(sandbox));
	keys = await api.createCredential('Keys', KEY_CREDENTIAL, keysFor(sandbox));
	elsewhere = createServer(({ url, headers }, response) => {
		strayed.push(`${url} ${JSON.stringify(headers)}`);
		response.end('{}');
	});
	await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
	// With a token at hand, nothing but n8n's rule keeps a request from being sent.
	const node = acountPay(credential, create());
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

const viaElsewhere = () => ({ proxy: `http://127.0.0.1:${port()}` });

type Target = [string, () => { url: string; options?: object }];

const TARGETS: Target[] = [
	['its own host', () => ({ url: `${sandbox.url}/v1/partner/payments/pay_1` })],
	['another port', () => ({ url: `http://127.0.0.1:${port()}/` })],
	// By way of the proxy, since not every machine knows this name.
	['a trailing dot', () => ({ url: `http://localhost.:${port()}/`, options: viaElsewhere() })],
	['a proxy', () => ({ url: `${sandbox.url}/x`, options: viaElsewhere() })],
];

/** Runs an HTTP Request node with a credential. */
async function runHttpRequest(type: string, stored: StoredCredential, parameters: object) {
	const node = {
		name: 'HTTP Request',
		type: 'n8n-nodes-base.httpRequest',
		typeVersion: 4.2,
		parameters: {
			authentication: 'predefinedCredentialType',
			nodeCredentialType: type,
			...parameters,
		},
		credentials: { [type]: stored },
	};
	const { id } = await api.createWorkflow(workflow([manualTrigger(), node] as never));
	return await api.runWorkflow(id);
}

it.each(TARGETS)(
	'an HTTP Request node sends nothing to %s with access tokens',
	async (_what, parameters) => {
		const sent = sandbox.requests.length;
		const execution = await runHttpRequest('acountPayApi', credential, parameters());
		expect(execution.status).toBe('error');
		expect(JSON.stringify(errorOf(execution))).toMatch(/prevent use within an HTTP Request/);
		expect(strayed).toEqual([]);
		expect(sandbox.requests).toHaveLength(sent);
	},
);

it.each(TARGETS)('an HTTP Request node sends no key to %s', async (_what, parameters) => {
	const sent = sandbox.requests.length;
	await runHttpRequest(KEY_CREDENTIAL, keys, parameters());
	const { clientId, clientSecret } = sandbox.keys;
	const requests = sandbox.requests.slice(sent).map(({ headers }) => JSON.stringify(headers));
	for (const text of [...strayed, ...requests]) {
		expect(text).not.toContain(clientId);
		expect(text).not.toContain(clientSecret);
	}
});

it.each([
	['access tokens', () => [credential, credentialFor(sandbox)] as const],
	['keys', () => [keys, keysFor(sandbox)] as const],
])("the credential's dialog still tests it, with %s", async (_what, parts) => {
	const [stored, data] = parts();
	expect(await api.testCredential(stored, data as never)).toMatchObject({ status: 'OK' });
});
