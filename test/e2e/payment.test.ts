import type { IDataObject } from 'n8n-workflow';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox, type RecordedRequest, type Sandbox } from '../../sandbox';
import {
	errorOf,
	itemsOf,
	type Execution,
	type N8nApi,
	type StoredCredential,
} from '../../tools/n8n/api';
import { acountPay, itemsNode, manualTrigger, workflow } from '../../tools/n8n/workflow';
import { sharedN8n, startOwnN8n } from '../kit/n8n';
import { create, credentialFor, requestsFor, THREE_ORDERS } from '../kit/payments';
import { partnerOf } from '../sandbox/client';
import { itIsPromised } from './promises';

// Usually 20 s for the longest; a busy machine takes several times that.
jest.setTimeout(180_000);

const TRANSPORT_HEADERS = [
	'accept',
	'accept-encoding',
	'connection',
	'content-length',
	'host',
	'user-agent',
];

let sandbox: Sandbox;

const payingWorkflow = (credential: { id: string; name: string }) =>
	workflow([
		manualTrigger(),
		itemsNode(THREE_ORDERS),
		acountPay(credential, create(), { name: 'Create' }),
		acountPay(
			credential,
			{
				operation: 'get',
				merchantId: "={{ $('Items').item.json.merchant }}",
				paymentId: '={{ $json.id }}',
			},
			{ name: 'Get' },
		),
	]);

/** The headers that n8n's HTTP client does not add to every request. */
const apiHeaders = ({ headers }: RecordedRequest) =>
	Object.fromEntries(Object.entries(headers).filter(([name]) => !TRANSPORT_HEADERS.includes(name)));

/** What AcountPay says of a payment when it is asked without n8n. */
const payment = async (id: string | number, merchant: string): Promise<IDataObject> =>
	(await (await partnerOf(sandbox, merchant)).get(id)).data as IDataObject;

beforeEach(async () => {
	sandbox = await startSandbox();
});

afterEach(async () => {
	await sandbox.close();
});

describe('three orders of three merchants', () => {
	const { api } = sharedN8n();
	let credential: StoredCredential;
	let execution: Execution;

	beforeEach(async () => {
		credential = await api.createCredential(
			'Three merchants',
			'acountPayApi',
			credentialFor(sandbox),
		);
		const { id } = await api.createWorkflow(payingWorkflow(credential));
		execution = await api.runWorkflow(id);
	});

	it('become three payments, read back whole, each paired with its order', async () => {
		expect(execution.status).toBe('success');
		expect(sandbox.payments).toHaveLength(3);
		expect(itemsOf(execution, 'Get')).toEqual(
			await Promise.all(
				THREE_ORDERS.map(async ({ merchant, reference, amount }, item) => {
					const made = sandbox.payments.find(
						({ referenceNumber }) => referenceNumber === reference,
					);
					expect(made).toMatchObject({ merchant, amount, currency: 'DKK' });
					const json = { ...(await payment(made!.id, merchant)), isPaid: false };
					return { json, pairedItem: { item } };
				}),
			),
		);
	});

	const askedWith = async (scope: string) => {
		const { clientId, clientSecret } = sandbox.credentials;
		const [asked] = requestsFor(sandbox, 'token');
		expect(asked).toMatchObject({
			method: 'POST',
			path: '/oauth/token',
			rawBody: `grant_type=client_credentials${scope}&client_id=${clientId}&client_secret=${clientSecret}`,
		});
		expect(apiHeaders(asked)).toEqual({ 'content-type': 'application/x-www-form-urlencoded' });
	};
	itIsPromised(
		'token requests hold what is documented and nothing else',
		async () => await askedWith(''),
		async () => await askedWith('&scope='),
	);

	it('take one token', () => {
		expect(requestsFor(sandbox, 'token')).toHaveLength(1);
		const tokens = new Set(
			[...requestsFor(sandbox, 'create'), ...requestsFor(sandbox, 'get')].map(
				({ headers }) => headers.authorization,
			),
		);
		expect([...tokens]).toEqual([expect.stringMatching(/^Bearer \S+$/)]);
	});

	it('are sent with exactly the documented headers and bodies', () => {
		const sent = requestsFor(sandbox, 'create').map((request) => ({
			method: request.method,
			path: request.path,
			headers: apiHeaders(request),
			body: request.rawBody,
		}));
		expect(sent).toHaveLength(3);
		for (const { merchant, reference, amount } of THREE_ORDERS) {
			expect(sent).toContainEqual({
				method: 'POST',
				path: '/v1/partner/payments',
				headers: {
					authorization: expect.stringMatching(/^Bearer \S+$/),
					'content-type': 'application/json',
					'x-merchant-client-id': merchant,
				},
				body: JSON.stringify({ amount, referenceNumber: reference }),
			});
		}
	});

	it('are read with exactly the documented headers, and no body', () => {
		const sent = requestsFor(sandbox, 'get').map((request) => ({
			method: request.method,
			path: request.path,
			headers: apiHeaders(request),
			body: request.rawBody,
		}));
		expect(sent).toHaveLength(3);
		for (const { id, merchant } of sandbox.payments) {
			expect(sent).toContainEqual({
				method: 'GET',
				path: `/v1/partner/payments/${id}`,
				headers: {
					authorization: expect.stringMatching(/^Bearer \S+$/),
					'x-merchant-client-id': merchant,
				},
				body: '',
			});
		}
	});

	it('can be run again with the token that n8n stored', async () => {
		const { id } = await api.createWorkflow(payingWorkflow(credential));
		expect((await api.runWorkflow(id)).status).toBe('success');
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 6, 'get 200': 6 });
	});
});

describe('expressions', () => {
	const run = async (api: N8nApi) => {
		const credential = await api.createCredential(
			'Expressions',
			'acountPayApi',
			credentialFor(sandbox),
		);
		return await api.runWorkflow((await api.createWorkflow(payingWorkflow(credential))).id);
	};

	itIsPromised(
		"expressions find other nodes with n8n's own settings",
		async () => expect((await run(sharedN8n().api)).status).toBe('success'),
		async () => {
			const n8n = await startOwnN8n({ env: { N8N_EXPRESSION_ENGINE: 'vm' } });
			try {
				expect(errorOf(await run(n8n.api))!.message).toContain('Merchant ID must not be empty');
				expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 3 });
			} finally {
				await n8n.stop();
			}
		},
	);
});

describe('the credential dialog', () => {
	const { api } = sharedN8n();

	it('says that id and secret are right', async () => {
		const data = credentialFor(sandbox);
		const credential = await api.createCredential('Right', 'acountPayApi', data);
		expect(await api.testCredential(credential, data)).toMatchObject({ status: 'OK' });
	});

	it('says that the secret is wrong', async () => {
		const data = { ...credentialFor(sandbox), clientSecret: 'mistyped' };
		const credential = await api.createCredential('Wrong', 'acountPayApi', data);
		const { status, message } = await api.testCredential(credential, data);
		expect(status).toBe('Error');
		expect(message).toContain('Client authentication failed');
	});
});

describe('the command line of n8n', () => {
	const { api, cli } = sharedN8n();
	let folder: string;

	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'n8n-import-'));
	});

	afterEach(() => rmSync(folder, { recursive: true }));

	const write = (name: string, content: unknown) => {
		const file = join(folder, name);
		writeFileSync(file, JSON.stringify(content));
		return file;
	};

	const importCredential = async () => {
		const credential = { id: 'headless-credential', name: 'Headless', type: 'acountPayApi' };
		await cli(
			'import:credentials',
			`--input=${write('credential.json', [{ ...credential, data: credentialFor(sandbox) }])}`,
		);
		return credential;
	};

	const importWorkflow = async (workflow: object) =>
		await cli('import:workflow', `--input=${write('workflow.json', [workflow])}`);

	async function expectRun(id: string) {
		const printed = await cli('execute', `--id=${id}`, '--rawOutput');
		const { data } = JSON.parse(printed.slice(printed.indexOf('{\n'))) as Execution;
		const references = data.resultData.runData.Get[0].data!.main[0]!.map(
			({ json }) => json.referenceNumber,
		);
		expect(references).toEqual(THREE_ORDERS.map(({ reference }) => reference));
		expect(sandbox.counts).toEqual({ 'token 200': 1, 'create 201': 3, 'get 200': 3 });
	}

	it('imports the credential and runs a workflow headless', async () => {
		const { id } = await api.createWorkflow(payingWorkflow(await importCredential()));
		await expectRun(id);
	});

	const withId = async () => ({
		id: 'headless-workflow',
		active: false,
		...payingWorkflow(await importCredential()),
	});
	itIsPromised(
		"n8n's command line imports a workflow that has an ID",
		async () => {
			const workflow = await withId();
			await importWorkflow(workflow);
			await expectRun(workflow.id);
		},
		async () => {
			await expect(importWorkflow(await withId())).rejects.toThrow('Could not find workflow');
		},
	);
});
