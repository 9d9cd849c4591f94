/**
 * Shows that the harness runs the real engine, with a package made for it: one node that asks a local server.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEngine, writePackage, type Engine } from './harness';

const credentialSource = `
exports.ProbeApi = class ProbeApi {
	constructor() {
		this.name = 'probeApi';
		this.displayName = 'Probe API';
		this.extends = ['oAuth2Api'];
		this.properties = [
			{ displayName: 'Base URL', name: 'baseUrl', type: 'string', default: '' },
			{ displayName: 'Grant Type', name: 'grantType', type: 'hidden', default: 'clientCredentials' },
			{ displayName: 'Authentication', name: 'authentication', type: 'hidden', default: 'body' },
			{
				displayName: 'Access Token URL',
				name: 'accessTokenUrl',
				type: 'hidden',
				default: '={{ $self["baseUrl"] + "/oauth/token" }}',
			},
		];
		this.test = {
			request: { baseURL: '={{ $credentials.baseUrl }}', url: '={{ "/as/" + $credentials.clientId }}' },
			rules: [{ type: 'responseSuccessBody', properties: { key: 'asked', value: '/as/stranger', message: 'Who?' } }],
		};
	}
};`;

const nodeSource = `
exports.Probe = class Probe {
	constructor() {
		this.description = {
			displayName: 'Probe', name: 'probe', group: ['transform'], version: 1, description: 'Asks',
			defaults: { name: 'Probe' }, inputs: ['main'], outputs: ['main'],
			credentials: [{ name: 'probeApi', required: true }],
			webhooks: [{ name: 'default', httpMethod: 'POST', responseMode: 'onReceived', path: '', restartWebhook: true }],
			properties: [
				{ displayName: 'Path', name: 'path', type: 'string', default: '/ok', required: true },
				{ displayName: 'Image', name: 'image', type: 'string', default: '' },
				{ displayName: 'Park', name: 'park', type: 'boolean', default: false },
			],
		};
	}
	async execute() {
		const context = this.getContext('node');
		context.tries = (context.tries ?? 0) + 1;
		if (this.getNodeParameter('park', 0)) {
			await this.putExecutionToWait(new Date(Date.now() + 3600000));
			context.resumeUrl = this.evaluateExpression('{{ $execution.resumeUrl }}', 0);
			return [this.getInputData()];
		}
		const image = this.getNodeParameter('image', 0);
		if (image) {
			const bytes = Buffer.from(image, 'hex');
			const data = await this.helpers.prepareBinaryData(bytes, 'image.png', 'image/png');
			return [[{ json: {}, binary: { data }, pairedItem: { item: 0 } }]];
		}
		const { baseUrl } = await this.getCredentials('probeApi');
		const output = [];
		for (const item of this.getInputData().keys()) {
			const path = this.getNodeParameter('path', item);
			const answer = await this.helpers.httpRequestWithAuthentication.call(this, 'probeApi', {
				url: baseUrl + path,
				json: true,
			});
			const json = { ...answer, tries: context.tries, runIndex: this.evaluateExpression('{{ $runIndex }}', item) };
			output.push({ json, pairedItem: { item } });
		}
		this.logger.info('Probed', { paths: output.length });
		return [output];
	}
	async webhook() {
		const body = this.getBodyData();
		if (body.final) return { workflowData: [[{ json: body }]], webhookResponse: 'thanks' };
		return { webhookResponse: 'not yet' };
	}
};`;

const triggerSource = `
exports.ProbeTrigger = class ProbeTrigger {
	constructor() {
		this.description = {
			displayName: 'Probe Trigger', name: 'probeTrigger', group: ['trigger'], version: 1, description: 'Hears',
			defaults: { name: 'Probe Trigger' }, inputs: [], outputs: ['main'],
			webhooks: [{ name: 'default', httpMethod: 'POST', responseMode: 'onReceived', path: 'probe' }],
			properties: [{ displayName: 'Refuse', name: 'refuse', type: 'boolean', default: false }],
		};
		this.webhookMethods = {
			default: {
				async checkExists() {
					if (this.getNodeParameter('refuse')) throw new Error('No secret');
					return false;
				},
				async create() {
					this.getWorkflowStaticData('node').url = this.getNodeWebhookUrl('default');
					return true;
				},
				async delete() {
					delete this.getWorkflowStaticData('node').url;
					return true;
				},
			},
		};
	}
	async webhook() {
		const { rawBody, headers } = this.getRequestObject();
		const response = this.getResponseObject();
		if (headers['x-bytes'] !== String(rawBody?.length)) {
			response.status(401).end();
			return { noWebhookResponse: true };
		}
		const data = this.getWorkflowStaticData('node');
		data.calls = (data.calls ?? 0) + 1;
		const json = { body: this.getBodyData(), calls: data.calls };
		if (json.body.fail) throw new Error('Broken node');
		if (json.body.ignore) return { webhookResponse: 'ignored' };
		if (json.body.late) return { workflowData: [[{ json }]] };
		response.status(200).send('heard');
		return { noWebhookResponse: true, workflowData: [[{ json }]] };
	}
};`;

const probePackage = () =>
	writePackage({
		'package.json': JSON.stringify({
			name: 'n8n-nodes-probe',
			version: '1.0.0',
			n8n: {
				nodes: ['dist/Probe.node.js', 'dist/ProbeTrigger.node.js'],
				credentials: ['dist/ProbeApi.credentials.js'],
			},
		}),
		'dist/Probe.node.js': nodeSource,
		'dist/ProbeTrigger.node.js': triggerSource,
		'dist/ProbeApi.credentials.js': credentialSource,
	});

/** A server with a token endpoint, a call that works, one that works the third time, one that hangs. */
function startServer() {
	const requests: Array<{ url: string; headers: IncomingMessage['headers']; body: string }> = [];
	let flakyCalls = 0;
	const server = createServer((request, response) => {
		let body = '';
		request.on('data', (chunk) => (body += chunk));
		request.on('end', () => {
			const url = request.url!;
			requests.push({ url, headers: request.headers, body });
			const answer = (status: number, json: object) =>
				response
					.writeHead(status, { 'content-type': 'application/json' })
					.end(JSON.stringify(json));
			if (url === '/oauth/token') {
				const { length } = requests.filter((other) => other.url === url);
				const token = { access_token: `token-${length}`, token_type: 'Bearer', expires_in: 3600 };
				return answer(200, token);
			}
			if (url === '/hang') return undefined;
			if (url === '/flaky' && ++flakyCalls < 3) return answer(503, { message: 'later' });
			return answer(200, { asked: url });
		});
	});
	return { server, requests, count: (url: string) => requests.filter((r) => r.url === url).length };
}

describe('the engine harness', () => {
	const folder = probePackage();
	let engine: Engine;
	let { server, requests, count } = startServer();

	beforeEach(async () => {
		({ server, requests, count } = startServer());
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const { port } = server.address() as AddressInfo;
		engine = await createEngine({
			folder,
			credentialType: 'probeApi',
			credential: {
				baseUrl: `http://127.0.0.1:${port}`,
				clientId: 'the-id',
				clientSecret: 'the-secret',
			},
		});
	});

	afterEach(() => {
		server.closeAllConnections();
		server.close();
	});

	const probe = (parameters = {}, settings = {}) => ({
		name: 'Probe',
		type: 'probe',
		parameters,
		...settings,
	});

	it('fetches one token over HTTP, in the body, stores it encrypted and uses it again', async () => {
		const first = await engine.runNode({ node: probe(), items: [{}, {}] });
		await engine.runNode({ node: probe() });

		expect(first.status).toBe('success');
		expect(first.json()).toMatchObject([{ asked: '/ok' }, { asked: '/ok' }]);
		expect(first.items().map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 1 }]);
		expect(count('/oauth/token')).toBe(1);
		expect(requests[0].headers.authorization).toBeUndefined();
		expect(Object.fromEntries(new URLSearchParams(requests[0].body))).toEqual({
			grant_type: 'client_credentials',
			client_id: 'the-id',
			client_secret: 'the-secret',
		});
		expect(requests[1].headers.authorization).toBe('Bearer token-1');
		const token = await engine.credential.oauthTokenData();
		expect(token).toMatchObject({ access_token: 'token-1', token_type: 'Bearer' });
		expect(Number(token!.n8n_expires_at)).toBeGreaterThan(Date.now() + 3_500_000);
		expect(engine.credential.tokenWrites).toBe(1);
		expect(engine.credential.row.getDataToSave().data).not.toContain('token-1');
	});

	it('keeps the token when the credential is edited', async () => {
		await engine.runNode({ node: probe() });
		await engine.credential.edit({ clientSecret: 'another' });
		await engine.runNode({ node: probe() });

		expect(await engine.credential.data()).toMatchObject({ clientSecret: 'another' });
		expect(count('/oauth/token')).toBe(1);
	});

	it('tests the credential as the dialog does, and stores the token that this takes', async () => {
		expect(await engine.testCredential()).toEqual({
			status: 'OK',
			message: 'Connection successful!',
		});
		await engine.credential.edit({ clientId: 'stranger' });
		expect(await engine.testCredential()).toEqual({ status: 'Error', message: 'Who?' });
		expect(requests.map(({ url }) => url)).toEqual(['/oauth/token', '/as/the-id', '/as/stranger']);

		await engine.credential.setOauthTokenData(undefined);
		await engine.credential.edit({ baseUrl: 'http://127.0.0.1:1' });
		const { status, message } = await engine.testCredential();
		expect(status).toBe('Error');
		expect(message).toContain('The service refused the connection');
	});

	it("lets a hidden field of the credential type win over what is stored, as n8n's pinned fields do", async () => {
		await engine.credential.edit({
			authentication: 'header',
			accessTokenUrl: 'http://127.0.0.1:1/',
		});
		expect((await engine.runNode({ node: probe() })).status).toBe('success');
		expect(requests[0].headers.authorization).toBeUndefined();
	});

	it("runs a node again for 'Retry On Fail', and its context lives through the tries", async () => {
		const retrying = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };
		const { status, ...execution } = await engine
			.runNode({ node: probe({ path: '/flaky' }, retrying) })
			.then((run) => ({ status: run.status, json: run.json() }));

		expect(status).toBe('success');
		expect(execution.json).toMatchObject([{ asked: '/flaky', tries: 3 }]);
		expect(count('/flaky')).toBe(3);
	});

	it('stores the error of a failed execution and retries it by hand with the same context', async () => {
		const failed = await engine.runNode({ node: probe({ path: '/flaky' }) });
		expect(failed.status).toBe('error');
		expect(failed.error).toMatchObject({ name: 'NodeApiError', httpCode: '503' });
		expect(failed.runs()).toHaveLength(1);
		expect(failed.context()).toEqual({ tries: 1 });

		const again = await engine.retry(failed);
		expect(again.status).toBe('error');
		const last = await engine.retry(again);
		expect(last.status).toBe('success');
		expect(last.json()).toMatchObject([{ asked: '/flaky', tries: 3 }]);
		expect(last.stored).toMatchObject({ mode: 'retry', retryOf: again.id });
		await expect(engine.retry(last)).rejects.toThrow('The execution succeeded');
	});

	it('retries by hand with the workflow as it is saved by now', async () => {
		const failed = await engine.runNode({ node: probe({ path: '/flaky' }) });
		const retried = await engine.retry(failed, {
			nodes: [{ name: 'Start', type: 'harness.start' }, probe({ path: '/mended' })],
			connections: [['Start', 'Probe']],
		});
		expect(retried.json()).toMatchObject([{ asked: '/mended', tries: 2 }]);
	});

	it('stops a node in the middle of a request, and stores no output of it', async () => {
		const running = engine.startNode({ node: probe({ path: '/hang' }) });
		while (count('/hang') === 0) await new Promise((resolve) => setTimeout(resolve, 5));
		running.cancel();
		const stopped = await running.finished;

		expect(stopped.status).toBe('canceled');
		expect(stopped.items()).toEqual([]);
		expect(stopped.items('Start')).toHaveLength(1);
	});

	it("ends at the workflow's time limit", async () => {
		const started = Date.now();
		const stopped = await engine.runNode({ node: probe({ path: '/hang' }), timeLimit: 200 });
		expect(stopped.status).toBe('canceled');
		expect(Date.now() - started).toBeGreaterThanOrEqual(195);
	});

	it('turns in a loop: $runIndex 0, 1, 2, and one context for all turns', async () => {
		const execution = await engine.runWorkflow(
			{
				nodes: [
					{ name: 'Start', type: 'harness.start' },
					{ name: 'Loop', type: 'harness.loop', parameters: { batchSize: 2 } },
					probe({ path: '={{ "/turn/" + $json.number }}' }),
					{ name: 'Done', type: 'harness.pass' },
				],
				connections: [
					['Start', 'Loop'],
					['Loop', 0, 'Done'],
					['Loop', 1, 'Probe'],
					['Probe', 'Loop'],
				],
			},
			{ items: [1, 2, 3, 4, 5].map((number) => ({ number })), node: 'Probe' },
		);

		expect(execution.runs()).toHaveLength(3);
		expect([0, 1, 2].map((run) => execution.json('Probe', { run }))).toMatchObject([
			[{ runIndex: 0, tries: 1 }, { asked: '/turn/2' }],
			[{ runIndex: 1, tries: 2 }, { asked: '/turn/4' }],
			[{ runIndex: 2, tries: 3, asked: '/turn/5' }],
		]);
		expect(execution.items('Done')).toHaveLength(5);
	});

	it('parks an execution, and goes on with the input when the time has come', async () => {
		const parked = await engine.runNode({ node: probe({ park: true }), items: [{ number: 7 }] });
		expect(parked.status).toBe('waiting');
		expect(parked.waitTill!.getTime()).toBeGreaterThan(Date.now() + 3_500_000);

		const resumed = await engine.resumeAfterTimeout(parked);
		expect(resumed).toMatchObject({ id: parked.id, status: 'success', waitTill: undefined });
		expect(resumed.json()).toEqual([{ number: 7 }]);
		expect(resumed.context()).toMatchObject({ tries: 1 });
	});

	const post = async (url: string, body: string, headers: Record<string, string> = {}) => {
		const response = await fetch(url, { method: 'POST', body, headers });
		return { status: response.status, body: await response.text() };
	};
	const json = { 'content-type': 'application/json' };

	it('wakes a parked execution over HTTP, as often as it takes and only with its token', async () => {
		const parked = await engine.runNode({ node: probe({ park: true }), items: [{ number: 7 }] });
		const url = parked.context()!.resumeUrl as string;
		const final = '{"final":true}';

		expect((await post(url.replace(/=.*/, `=${'0'.repeat(64)}`), final, json)).status).toBe(401);
		expect((await post(url.replace(/\?.*/, ''), final, json)).status).toBe(401);
		expect(await post(url, '{"final":', json)).toMatchObject({ status: 422 });
		expect(await post(url, '{}', json)).toEqual({ status: 200, body: 'not yet' });
		expect((await engine.execution(parked.id)).status).toBe('waiting');

		expect((await post(url, final, json)).status).toBe(200);
		const resumed = await engine.execution(parked.id);
		expect(resumed.status).toBe('success');
		expect(resumed.json('Probe')).toEqual([{ final: true }]);
		expect((await post(url, final, json)).status).toBe(409);
	});

	it('answers 409 while an execution runs', async () => {
		const running = engine.startNode({ node: probe({ path: '/hang' }) });
		const token = JSON.parse(engine.executions.get(running.id)!.data) as string[];
		const secret = token.find((part) => /^[0-9a-f]{64}$/.test(part));
		const url = `${engine.url}/webhook-waiting/${running.id}?signature=${secret}`;
		expect((await post(url, '{}', json)).status).toBe(409);
		running.cancel();
		await running.finished;
	});

	describe('with a published trigger', () => {
		const workflow = (parameters = {}) => ({
			nodes: [
				{ name: 'Trigger', type: 'probeTrigger', parameters },
				{ name: 'Pass', type: 'harness.pass' },
			],
			connections: [['Trigger', 'Pass'] as ['Trigger', 'Pass']],
		});

		it('hands on the raw bytes, starts the workflow, and keeps static data that it should', async () => {
			const { id, urls, executions } = await engine.publish(workflow());
			const body = '{ "amount": 1.50, "name": "\\u00e6ø" }';
			const headers = { ...json, 'x-bytes': String(Buffer.byteLength(body)) };

			expect(engine.staticData.get(id)).toEqual({ 'node:Trigger': { url: urls[0] } });
			expect(await post(urls[0], body, headers)).toEqual({ status: 200, body: 'heard' });
			expect(await post(urls[0], body, { ...json, 'x-bytes': '1' })).toEqual({
				status: 401,
				body: '',
			});
			expect(await post(urls[0], body, headers)).toEqual({ status: 200, body: 'heard' });
			const runs = await executions();
			expect(runs.map((run) => run.json())).toEqual([
				[{ body: { amount: 1.5, name: 'æø' }, calls: 1 }],
				[{ body: { amount: 1.5, name: 'æø' }, calls: 2 }],
			]);
			expect(runs[0].stored.mode).toBe('webhook');
		});

		it("answers by itself when the node does not, and forgets that node's static data", async () => {
			const { id, urls, executions } = await engine.publish(workflow());
			const send = async (body: string) =>
				await post(urls[0], body, { ...json, 'x-bytes': String(body.length) });

			expect(await send('{"late":true}')).toEqual({ status: 200, body: 'firstEntryJson' });
			expect(engine.staticData.get(id)).toEqual({ 'node:Trigger': { url: urls[0] } });
			expect(await send('{"ignore":true}')).toEqual({ status: 200, body: 'ignored' });
			expect(engine.staticData.get(id)).toMatchObject({ 'node:Trigger': { calls: 1 } });
			expect(await executions()).toHaveLength(1);
		});

		it('stores a failed execution when the node throws', async () => {
			const { urls, executions } = await engine.publish(workflow());
			const body = '{"fail":true}';
			const { status } = await post(urls[0], body, { ...json, 'x-bytes': String(body.length) });
			expect(status).toBe(500);
			const [failed] = await executions();
			expect(failed).toMatchObject({ status: 'error', error: { message: 'Broken node' } });
		});

		it('is published only when the node agrees, and gone when it is taken back', async () => {
			await expect(engine.publish(workflow({ refuse: true }))).rejects.toThrow('No secret');

			const { id, urls, unpublish } = await engine.publish(workflow());
			await unpublish();
			expect(engine.staticData.get(id)).toEqual({ 'node:Trigger': {} });
			expect((await post(urls[0], '{}', json)).status).toBe(404);
		});
	});

	it("keeps binary data in n8n's store, and gives it back byte by byte", async () => {
		const [item] = (await engine.runNode({ node: probe({ image: '89504e470dff00' }) })).items();
		expect(item.binary!.data).toMatchObject({
			id: expect.stringMatching(/^filesystem-v2:/),
			mimeType: 'image/png',
			fileName: 'image.png',
		});
		expect((await engine.binary(item)).toString('hex')).toBe('89504e470dff00');
		await expect(engine.binary(item, 'other')).rejects.toThrow("no binary data 'other'");
	});

	it('evaluates expressions in an isolate, or as older versions of n8n do', async () => {
		const node = probe({ path: '={{ "/" + 6 * 7 }}' });
		const isolates = () =>
			engine.log.messages().filter((line) => line.includes('IsolatedVmBridge'));
		expect((await engine.runNode({ node })).json()).toMatchObject([{ asked: '/42' }]);
		expect(isolates()).not.toEqual([]);

		const credential = await engine.credential.data();
		const older = await createEngine({
			folder,
			credentialType: 'probeApi',
			credential,
			expressions: 'legacy',
		});
		expect((await older.runNode({ node })).json()).toMatchObject([{ asked: '/42' }]);
		expect(isolates()).toEqual([]);
	});

	it('says what a workflow lacks before anything runs', async () => {
		const failed = await engine.runNode({ node: probe({ path: '' }) });
		expect(failed.status).toBe('error');
		expect(failed.error!.message).toContain('Parameter "Path" is required');
		expect(requests).toEqual([]);
	});

	it('records the log with its meta, and finds a secret in the depth of it', async () => {
		await engine.runNode({ node: probe() });
		const { entries } = engine.log;
		expect(entries).toContainEqual({ level: 'info', message: 'Probed', meta: expect.anything() });
		expect(engine.log.messages('debug')).toContain('Workflow execution finished successfully');
		expect(engine.log.text()).not.toContain('the-secret');

		const cause = Object.assign(new Error('cause'), { config: { data: ['x', 'the-secret'] } });
		engine.log.warn('Refused', { error: new Error('outer', { cause }) });
		expect(engine.log.text()).toContain('the-secret');
	});

	it('reaches nothing but loopback', async () => {
		await engine.credential.edit({ baseUrl: 'http://example.com' });
		const failed = await engine.runNode({ node: probe() });
		expect(JSON.stringify(failed.error)).toContain('ENOTFOUND example.com (tests reach');
	});
});

describe('a package that is not built', () => {
	it('is named', async () => {
		const folder = writePackage({
			'package.json': JSON.stringify({ name: 'n8n-nodes-x', n8n: { nodes: ['dist/X.node.js'] } }),
		});
		const engine = createEngine({ folder, credential: {} });
		await expect(engine).rejects.toThrow("dist/X.node.js is not there: run 'npm run build' first");
	});
});
