/**
 * What a merchant reads in n8n when something is wrong: every bad input, every refusal, a wrong credential. What was read is
 * kept as a table in `reports/messages.md`.
 */
import type { IDataObject } from 'n8n-workflow';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startSandbox, type Fault, type Sandbox } from '../../sandbox';
import { itemsOf, type StoredCredential } from '../../tools/n8n/api';
import { acountPay, itemsNode, manualTrigger, workflow } from '../../tools/n8n/workflow';
import { sharedN8n } from '../kit/n8n';
import { credentialFor } from '../kit/payments';

jest.setTimeout(240_000);

/** What an item gets that has failed in a node that continues. */
interface FailedItem extends IDataObject {
	error: string;
	details: { outcome: string; status?: number; description?: string };
}

/** What is wrong, the item with it, and what is then said first. */
type Case<Wrong> = [what: string, wrong: Wrong, says: string];

const { api } = sharedN8n();
const read: string[] = [];
let sandbox: Sandbox;
let credential: StoredCredential;

beforeEach(async () => {
	sandbox = await startSandbox();
	credential = await api.createCredential('Shop', 'acountPayApi', credentialFor(sandbox));
});

afterEach(async () => await sandbox.close());

afterAll(() => {
	const folder = join(__dirname, '..', '..', 'reports');
	mkdirSync(folder, { recursive: true });
	const rows = read.map((row) => `${row.replaceAll('\n', ' ')}\n`);
	const head = '| | what is said | what to do | outcome |\n| --- | --- | --- | --- |\n';
	writeFileSync(join(folder, 'messages.md'), head + rows.join(''));
});

/** Text in a Markdown table. */
const cell = (text: unknown) => String(text ?? '').replaceAll('|', '\\|');

/** Runs a node that continues on items which each have something wrong, and checks what is said of each. */
async function expectSaid(
	about: string,
	cases: Array<Case<unknown>>,
	items: IDataObject[],
	parameters: Parameters<typeof acountPay>[1],
	outcomes: string[],
	its = credential,
): Promise<void> {
	const node = acountPay(its, parameters, { onError: 'continueRegularOutput' });
	const { id } = await api.createWorkflow(workflow([manualTrigger(), itemsNode(items), node]));
	const execution = await api.runWorkflow(id, 180_000);
	expect(execution.status).toBe('success');
	const failed = itemsOf(execution, 'AcountPay').map(({ json }) => json as FailedItem);

	expect(failed).toHaveLength(cases.length);
	cases.forEach(([what, , says], item) => {
		const { error, details } = failed[item];
		const { outcome, description } = details;
		read.push(`| ${[`${about}: ${what}`, error, description, outcome].map(cell).join(' | ')} |`);
		expect([what, error]).toEqual([what, expect.stringContaining(says)]);
		expect(error).toMatch(new RegExp(`\\[item ${item}\\]$`));
		expect(description).toMatch(/\w\.$/);
		expect(outcomes).toContain(outcome);
	});
}

const ORDER = {
	merchantId: 'merchant_aarhus',
	amount: 149.99,
	referenceNumber: 'ORDER-1',
	currency: 'DKK',
	customFields: {},
	metadata: {},
	mockPayment: 'true',
	webhookUrl: 'https://shop.example/hook',
};
const fromItem = (...names: string[]) =>
	Object.fromEntries(names.map((name) => [name, `={{ $json.${name} }}`]));

const CREATE = {
	operation: 'create',
	...fromItem('merchantId', 'amount', 'referenceNumber'),
};

const amountCases = [0, -5, '149,99', '1e999', true, null, {}, 12.345, '1.499,99', ''].map(
	(amount): Case<IDataObject> => [
		`amount ${JSON.stringify(amount)}`,
		{ amount },
		'Amount must be a number of at least 0.01 with at most two decimals, such as 149.99, but is ',
	],
);

const inputCases: Array<Case<IDataObject>> = [
	...amountCases,
	['no reference', { referenceNumber: '' }, 'Reference Number must not be empty'],
	['a blank reference', { referenceNumber: '  ' }, 'Reference Number must not be empty'],
	['no merchant', { merchantId: '' }, 'Merchant ID must not be empty'],
	['a blank merchant', { merchantId: ' ' }, 'Merchant ID must not be empty'],
	['a merchant with a line break', { merchantId: 'a\nX-Other: b' }, 'Merchant ID may only contain'],
	['a merchant with æ', { merchantId: 'mærchant' }, 'Merchant ID may only contain'],
	['a currency in small letters', { currency: 'dkk' }, 'Currency must be a currency code'],
	['no currency of ISO 4217', { currency: 'XYZ' }, 'Currency must be a currency code'],
	['metadata that is a list', { metadata: [1] }, 'Metadata must be a JSON object'],
	['metadata that is broken', { metadata: '{ "a": ' }, 'Metadata must be a JSON object'],
	[
		'a custom field for the amount',
		{ customFields: '{ "amount": 1 }' },
		'Custom Fields must not contain amount',
	],
	['another mock payment', { mockPayment: 'never' }, 'Mock Payment must be one of'],
	['a webhook URL of FTP', { webhookUrl: 'ftp://shop.example' }, 'Webhook URL must be a whole URL'],
	['half a webhook URL', { webhookUrl: 'shop.example/hook' }, 'Webhook URL must be a whole URL'],
];

const paymentIdCases = ['', '..', 'pay_1/qr', 'pay_1?x=1', 'pay_1#x', '%2e%2e', 'pay 1'].map(
	(paymentId): Case<IDataObject> => [
		`payment ID ${JSON.stringify(paymentId)}`,
		{ paymentId },
		paymentId === '' ? 'Payment ID must not be empty' : 'Payment ID must be an ID',
	],
);

const nestJs = (statusCode: number, message: string | string[], error: string) => ({
	status: statusCode,
	body: { statusCode, message, error },
});
const PAGE = '<html><head><title>Proxy</title></head><body><h1>Not today</h1></body></html>';

const refusals: Array<Case<Fault>> = [
	['400 with one message', nestJs(400, 'amount is odd', 'Bad Request'), ': amount is odd'],
	[
		'400 with several',
		nestJs(400, ['amount is odd', 'no currency'], 'Bad Request'),
		'odd; no curr',
	],
	['400 with an empty body', { status: 400, body: '' }, '(status 400)'],
	['400 with a page', { status: 400, body: PAGE }, ': Not today'],
	['401', { ...nestJs(401, 'Unauthorized', ''), times: 2 }, 'did not accept the access token'],
	['403', nestJs(403, 'Forbidden resource', 'Forbidden'), "for merchant 'merchant_aarhus': Forb"],
	['404', nestJs(404, 'No such merchant', 'Not Found'), 'AcountPay does not know the merchant'],
	['409', nestJs(409, 'Reference exists', 'Conflict'), 'conflicts with an existing payment'],
	['422', nestJs(422, 'Unprocessable', 'Unprocessable'), 'AcountPay refused'],
];

const unknowns: Array<Case<Fault>> = [
	['500', nestJs(500, 'Internal', 'Internal'), 'returned a server error (status 500)'],
	['502 with a page', { status: 502, body: PAGE }, 'returned a server error (status 502)'],
	['503 with an empty body', { status: 503, body: '' }, 'returned a server error (status 503)'],
	[
		'201 with a page',
		{ status: 201, body: PAGE },
		'sent a response that could not be read (status 201)',
	],
	[
		'201 with an empty body',
		{ status: 201, body: '' },
		'sent a response that could not be read (status 201)',
	],
	['an answer that is cut off', { cutOff: true }, 'closed the connection'],
	['a reset', { reset: 'after' }, 'closed the connection'],
	['no answer', { hang: true }, 'did not respond within 5 seconds'],
	['a redirect (307)', { redirectTo: '/elsewhere' }, 'sent a redirect (status 307)'],
	['a redirect (302)', { status: 302, redirectTo: '/elsewhere' }, 'sent a redirect (status 302)'],
];

const unreadable: Array<Case<Fault>> = [
	['403', nestJs(403, 'Forbidden resource', 'Forbidden'), 'AcountPay does not allow'],
	['404', nestJs(404, 'No such payment', 'Not Found'), 'AcountPay does not find'],
	['500', { status: 500, times: 'always' }, 'returned a server error (status 500)'],
	['a page', { status: 200, body: PAGE, times: 'always' }, 'could not be read (status 200)'],
	['a reset', { reset: 'before', times: 'always' }, 'closed the connection'],
	['a redirect', { redirectTo: '/elsewhere' }, 'a redirect (status 307)'],
];

describe('bad input', () => {
	it('of Create is named with field and item, and nothing is sent', async () => {
		const additionalFields = fromItem(
			...['currency', 'customFields', 'metadata', 'mockPayment', 'webhookUrl'],
		);
		const items = inputCases.map(([, wrong]) => ({ ...ORDER, ...wrong }));
		const parameters = { ...CREATE, additionalFields };
		await expectSaid('Create', inputCases, items, parameters, ['invalid']);
		expect(sandbox.requests).toEqual([]);
	});

	it('of Get is named with field and item, and nothing is sent', async () => {
		const items = paymentIdCases.map(([, wrong]) => ({ ...ORDER, ...wrong }));
		const parameters = { operation: 'get', ...fromItem('merchantId', 'paymentId') };
		await expectSaid('Get', paymentIdCases, items, parameters, ['invalid']);
		expect(sandbox.requests).toEqual([]);
	});

	it('is Mock Payment with a credential for production', async () => {
		const production = await api.createCredential('Live', 'acountPayApi', {
			...credentialFor(sandbox),
			environment: 'production',
		});
		const says = 'Mock Payment must not be used with a credential for production';
		const cases: Array<Case<undefined>> = [['mock payment in production', undefined, says]];
		const parameters = { ...CREATE, additionalFields: { mockPayment: 'true' } };
		await expectSaid('Create', cases, [ORDER], parameters, ['invalid'], production);
	});
});

describe('an answer that is no success', () => {
	/** Each case as an order of its own, whose request meets the case's fault. */
	const faulty = (cases: Array<Case<Fault>>, endpoint: 'create' | 'get') =>
		cases.map(([, fault], index) => {
			const referenceNumber = `ORDER-${index}`;
			sandbox.faults.add({ match: { endpoint, reference: referenceNumber }, ...fault });
			return { ...ORDER, referenceNumber };
		});

	it('to Create is a refusal, with what AcountPay says', async () => {
		await expectSaid('Create', refusals, faulty(refusals, 'create'), CREATE, ['refused']);
		expect(sandbox.payments).toEqual([]);
	});

	it('to Create leaves open whether there is a payment, and the node says so', async () => {
		const parameters = { ...CREATE, options: { timeout: 5_000 } };
		const cases = unknowns.map(([what, fault, says], index): Case<Fault> => {
			const unknown = `Payment 'ORDER-${index}' may or may not exist: AcountPay `;
			return [what, fault, unknown + says];
		});
		await expectSaid('Create', cases, faulty(unknowns, 'create'), parameters, ['unknown']);
	});

	it('to Get is said as it is', async () => {
		const orders = faulty(unreadable, 'get');
		const create = acountPay(credential, CREATE, { name: 'Create' });
		const { id } = await api.createWorkflow(workflow([manualTrigger(), itemsNode(orders), create]));
		const made = itemsOf(await api.runWorkflow(id), 'Create').map(({ json }) => json);
		const items = made.map(({ id: paymentId }) => ({ ...ORDER, paymentId: String(paymentId) }));
		const parameters = { operation: 'get', ...fromItem('merchantId', 'paymentId') };
		const outcomes = ['refused', 'unavailable'];
		await expectSaid('Get', unreadable, items, parameters, outcomes);
	});
});

describe('a credential', () => {
	const says = async (
		what: string,
		data: Record<string, string>,
		words: string,
		outcomes: string[],
	) => {
		const wrong = credentialFor(sandbox, data);
		const its = await api.createCredential('Wrong', 'acountPayApi', wrong);
		await expectSaid('Credential', [[what, data, words]], [ORDER], CREATE, outcomes, its);
	};

	it('with a wrong secret is named, after at most four token requests', async () => {
		const words = "AcountPay refused the Client ID and Client Secret of the credential 'Wrong'";
		await says('a wrong secret', { clientSecret: 'mistyped' }, words, ['refused']);
		expect(sandbox.counts).toEqual({ 'token 401': expect.any(Number) });
		expect(sandbox.counts['token 401']).toBeLessThanOrEqual(4);
	});

	it.each(['http://shop.example', 'ftp://127.0.0.1', 'shop.example', ' '])(
		'with the base URL %j sends nothing',
		async (baseUrl) => {
			await says(`base URL '${baseUrl}'`, { baseUrl }, 'Base URL of the credential', ['invalid']);
			expect(sandbox.requests).toEqual([]);
		},
	);

	it('for a server that is off says so', async () => {
		const other = await startSandbox();
		await other.close();
		const words =
			"AcountPay gave no access token for the credential 'Wrong': it could not be reached";
		await says('a server that is off', { baseUrl: other.url }, words, ['unavailable']);
	});
});
