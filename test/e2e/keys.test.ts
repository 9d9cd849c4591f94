/** What keys do in the real n8n, whatever its version: every operation, refusals, retries and lost responses. */
import type { INode, INodeParameters } from 'n8n-workflow';

import { itemsOf, type Execution, type StoredCredential } from '../../tools/n8n/api';
import {
	acountPay,
	itemsNode,
	manualTrigger,
	workflow,
	type WorkflowNode,
} from '../../tools/n8n/workflow';
import { KEY_CREDENTIAL, SHOP } from '../kit/keys';
import { answers, sharedN8n } from '../kit/n8n';
import { create, orders, referenceOf, requestsFor, upTo, useSandbox } from '../kit/payments';

jest.setTimeout(180_000);

const sandbox = useSandbox();
const { api } = sharedN8n();

let keys: StoredCredential;

beforeEach(async () => {
	const data = { environment: 'custom', baseUrl: sandbox.url, ...sandbox.keys };
	keys = await api.createCredential('Keys', KEY_CREDENTIAL, data as never);
});

const withKeys = (parameters: INodeParameters, more: Partial<INode> = {}): WorkflowNode =>
	acountPay(
		keys,
		{ authentication: 'apiKey', ...parameters },
		{ credentials: { [KEY_CREDENTIAL]: keys }, ...more },
	);

const createWithKeys = (options: INodeParameters = {}, more: Partial<INode> = {}) =>
	withKeys(create({ merchantId: SHOP.clientId, options }), more);

async function run(...nodes: WorkflowNode[]): Promise<Execution> {
	const { id } = await api.createWorkflow(
		workflow([manualTrigger(), itemsNode(orders(5) as never), ...nodes]),
	);
	return await api.runWorkflow(id);
}

it('payments are made, read, waited for and listed, without a token', async () => {
	const made = await run(
		createWithKeys({ qrCode: true }),
		withKeys({ operation: 'get', paymentId: '={{ $json.paymentId }}' }, { name: 'Get' }),
		withKeys({ operation: 'getAll' }, { name: 'List', executeOnce: true }),
	);
	expect(made.status).toBe('success');
	expect(answers(made).map(({ referenceNumber }) => referenceNumber)).toEqual(
		upTo(5).map(referenceOf),
	);
	for (const { binary } of itemsOf(made, 'AcountPay')) expect(Object.keys(binary!)).toHaveLength(1);
	const ids = answers(made).map(({ paymentId }) => paymentId);
	expect(itemsOf(made, 'Get').map(({ json }) => json.paymentId)).toEqual(ids);
	expect(new Set(itemsOf(made, 'List').map(({ json }) => json.paymentId))).toEqual(new Set(ids));

	for (const { id } of sandbox.payments) sandbox.pay(id);
	const waited = await run(
		withKeys({ operation: 'waitForCompletion', paymentId: String(ids[0]) }, { executeOnce: true }),
	);
	expect(answers(waited)).toMatchObject([{ paymentId: ids[0], status: 'completed' }]);
	expect(requestsFor(sandbox, 'token')).toEqual([]);
});

it('the QR code of a payment is drawn from its link', async () => {
	const drawn = await run(
		createWithKeys({}, { executeOnce: true }),
		withKeys({ operation: 'getQrCode', paymentUrl: '={{ $json.paymentUrl }}' }, { name: 'QR' }),
	);
	const [{ json, binary }] = itemsOf(drawn, 'QR');
	expect(json).toEqual(answers(drawn)[0]);
	expect(binary!.data).toMatchObject({ mimeType: 'image/png', fileName: 'qr-code.png' });
});

it('merchants and stores are created, read and listed', async () => {
	const company = { companyName: '={{ $json.reference }}', contactEmail: 'a@example.com' };
	const once = (name: string): Partial<INode> => ({ name, executeOnce: true });
	const merchantNumber = "={{ $('Merchant').first().json.merchantId }}";
	const made = await run(
		withKeys({ resource: 'merchant', operation: 'create', ...company }, once('Merchant')),
		withKeys(
			{
				resource: 'merchant',
				operation: 'createFastTrack',
				companyName: 'Fast ApS',
				contactEmail: 'fast@example.com',
				registrationNumber: '12345678',
				website: 'https://shop.example.com',
				iban: 'DK5000400440116243',
			},
			once('Fast Track'),
		),
		withKeys(
			{ resource: 'merchant', operation: 'createTest', companyName: 'Test ApS' },
			once('Test'),
		),
		withKeys({ resource: 'merchant', operation: 'get', merchantNumber }, once('Get')),
		withKeys(
			{ resource: 'store', operation: 'create', merchantNumber, name: 'Aarhus' },
			once('Store'),
		),
		withKeys({ resource: 'store', operation: 'getAll', merchantNumber }, once('Stores')),
		withKeys({ resource: 'merchant', operation: 'getAll', returnAll: true }, once('Merchants')),
	);
	expect(made.status).toBe('success');
	const of = (name: string) => itemsOf(made, name).map(({ json }) => json);
	const [{ merchantId }] = of('Merchant');
	expect(of('Merchant')).toMatchObject([
		{ companyName: referenceOf(0), status: 'pending_onboarding' },
	]);
	expect(of('Fast Track')).toMatchObject([{ companyName: 'Fast ApS' }]);
	expect(of('Test')).toMatchObject([{ companyName: 'Test ApS', status: 'activated' }]);
	expect(of('Get')).toMatchObject([{ merchantId, companyName: referenceOf(0) }]);
	expect(of('Store')).toMatchObject([{ name: 'Aarhus' }]);
	expect(of('Stores')).toMatchObject([{ name: 'Aarhus', storeId: of('Store')[0].storeId }]);
	expect(of('Merchants').map((merchant) => merchant.merchantId)).toEqual(
		sandbox.merchants.map(({ id }) => id),
	);
	expect(requestsFor(sandbox, 'token')).toEqual([]);
});

it('a refusal stops the run, and a retry by hand makes only the rest', async () => {
	sandbox.faults.add({ match: { endpoint: 'create', reference: referenceOf(3) }, status: 422 });
	const failed = await run(createWithKeys({ maxConcurrency: 1 }));
	expect(failed.status).toBe('error');
	const retried = await api.retryExecution(failed.id);
	expect(answers(retried).map(({ paymentId }) => paymentId)).toEqual(
		sandbox.payments.map(({ id }) => id),
	);
	expect(sandbox.payments).toHaveLength(5);
});

it("with 'Retry On Fail' and a lost response: one payment each, the lost one looked up", async () => {
	sandbox.faults.add({
		match: { endpoint: 'create', reference: referenceOf(1) },
		reset: 'after',
	});
	sandbox.faults.add({ match: { endpoint: 'create', reference: referenceOf(4) }, status: 422 });
	const node = createWithKeys({}, { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 });
	const execution = await run(node);
	expect(execution.status).toBe('success');
	expect(answers(execution)[1]).toMatchObject({ lookedUp: true });
	expect(sandbox.payments.map(({ referenceNumber }) => referenceNumber).sort()).toEqual(
		upTo(5).map(referenceOf),
	);
});
