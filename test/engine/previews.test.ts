/**
 * The output previews that n8n shows before a node has run. There is one for each operation, whichever credential the node
 * has, so it shows what comes with either of them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IDataObject, INode } from 'n8n-workflow';

import { keyMerchantBody, keyPaymentBody } from '../../sandbox/keys/webhooks';
import { webhookBody } from '../../sandbox/tokens/webhook';
import { createNode, engineFor, getNode, qrCodeNode, waitNode } from '../kit/engine';
import { createPayments, engineWithKeys, nodeFor } from '../kit/keys';
import { orders, useSandbox } from '../kit/payments';
import type { Engine } from './harness';

jest.setTimeout(120_000);

const NODES = join(__dirname, '../../nodes');
const PREVIEWS = join(NODES, 'AcountPay/__schema__/v1.0.0');

interface Preview {
	properties: Record<string, { type: string; properties?: Preview['properties'] }>;
}

const readPreview = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Preview;

const operations = readdirSync(PREVIEWS).flatMap((resource) =>
	readdirSync(join(PREVIEWS, resource)).map((file) => `${resource} ${file.replace('.json', '')}`),
);

const sandbox = useSandbox();

/** What comes with either credential: a payment's ID is text with one and a number with the other. */
const TYPES: Readonly<Record<string, string[]>> = { paymentId: ['string', 'number'] };

/** What comes out of each operation, by its resource and name. */
async function outputs(): Promise<Map<string, IDataObject[]>> {
	const found = new Map<string, IDataObject[]>();
	const run = async (engine: Engine, name: string, node: Partial<INode>, item: object = {}) => {
		const execution = await engine.runNode({ node, items: [item as IDataObject] });
		expect(execution.error).toBeUndefined();
		const items = execution.json();
		found.set(name, [...(found.get(name) ?? []), ...items]);
		return items[0];
	};

	const tokens = await engineFor(sandbox);
	const [order] = orders(1);
	const { id } = await run(tokens, 'payment create', createNode(), order);
	const item = { ...order, id };
	await run(tokens, 'payment get', getNode(), item);
	await run(tokens, 'payment getQrCode', qrCodeNode(), item);
	sandbox.decline(id as string);
	await run(tokens, 'payment waitForCompletion', waitNode({ resumeOn: 'polling' }), item);

	const keys = await engineWithKeys(sandbox);
	const withKeys = async (name: string, parameters = {}) => {
		const [resource, operation] = name.split(' ');
		return await run(keys, name, nodeFor(resource, operation, parameters));
	};
	const description = 'Two tickets';
	const payments = createPayments({ additionalFields: { description } });
	const { paymentId, paymentUrl } = await run(keys, 'payment create', payments, order);
	await withKeys('payment get', { paymentId });
	const { merchantId: shop } = payments.parameters!;
	await withKeys('payment find', { merchantId: shop, referenceNumber: order.reference });
	await withKeys('payment getQrCode', { paymentUrl });
	await withKeys('payment getAll');
	sandbox.decline(paymentId as number);
	await withKeys('payment waitForCompletion', { paymentId });

	const company = { companyName: 'Nordic Coffee ApS', contactEmail: 'owner@example.com' };
	const more = { contactPhone: '+45 12345678', partnerRefId: 'p-1' };
	const { merchantId } = await withKeys('merchant create', { ...company, additionalFields: more });
	await withKeys('merchant createFastTrack', {
		...company,
		registrationNumber: '12345678',
		website: 'https://shop.example.com',
		iban: 'DK5000400440116243',
	});
	await withKeys('merchant createTest', company);
	const merchantNumber = String(merchantId);
	await withKeys('merchant get', { merchantNumber });
	await withKeys('merchant getAll');
	const additionalFields = {
		locationId: 'aarhus-1',
		streetAddress: 'Store Torv 1',
		city: 'Aarhus',
		postalCode: '8000',
		countryCode: 'DK',
		phone: '+45 12 34 56 78',
		email: 'aarhus@example.com',
		isDefault: true,
	};
	await withKeys('store create', { merchantNumber, name: 'Aarhus', additionalFields });
	await withKeys('store getAll', { merchantNumber });
	return found;
}

/**
 * What is wrong with a preview of these outputs.
 * @param isStrict whether each of them must have all that is shown
 */
function faultsOf({ properties }: Preview, items: IDataObject[], isStrict = false): string[] {
	const shown = Object.entries(properties).flatMap(([name, { type }]) => {
		const values = items
			.filter((item) => item[name] !== undefined)
			.map((item) => (Array.isArray(item[name]) ? 'array' : typeof item[name]));
		const allowed = TYPES[name] ?? [type];
		// With access tokens AcountPay may call the ID of a payment either.
		const least = isStrict && name !== 'id' ? items.length : 1;
		return values.length >= least && values.every((value) => allowed.includes(value))
			? []
			: [`${name} is no ${type}, but ${values.join(', ') || 'missing'}`];
	});
	const always = Object.keys(items[0]).filter((name) => items.every((item) => name in item));
	const hidden = always.filter((name) => !(name in properties));
	return [...shown, ...hidden.map((name) => `${name} is not shown`)];
}

it('show what comes out, for each operation', async () => {
	const found = await outputs();
	expect([...found.keys()].sort()).toEqual(operations.sort());
	for (const operation of operations) {
		const preview = readPreview(join(PREVIEWS, `${operation.replace(' ', '/')}.json`));
		// A payment's preview offers nothing that comes with one credential only.
		const isStrict = operation === 'payment create';
		expect([operation, faultsOf(preview, found.get(operation)!, isStrict)]).toEqual([
			operation,
			[],
		]);
	}
});

it('show what an event holds', async () => {
	const engine = await engineFor(sandbox);
	const metadata = '{ "orderId": 42 }';
	const node = createNode();
	Object.assign(node.parameters!, { additionalFields: { metadata } });
	await engine.runNode({ node, items: orders(1) });
	const keys = await engineWithKeys(sandbox);
	await keys.runNode({ node: createPayments(), items: orders(1) });
	const [withTokens, withKeys] = sandbox.payments;
	const paid = { ...withTokens, paidAt: withTokens.createdAt };
	const bodies = [
		webhookBody('payment.completed', paid, new Date()),
		keyPaymentBody('payment.completed', withKeys, 'paid'),
		keyMerchantBody('merchant.activated', sandbox.merchants[0]),
	];
	const preview = readPreview(join(NODES, 'AcountPayTrigger/__schema__/v1.0.0/output.json'));
	expect(faultsOf(preview, bodies as unknown as IDataObject[])).toEqual([]);
	const data = { properties: preview.properties.data.properties! };
	expect(faultsOf(data, bodies.map((body) => body.data) as IDataObject[])).toEqual([]);
});
