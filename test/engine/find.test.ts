/** Payment: Find by Reference, on n8n's engine. */
import type { IDataObject, INode, INodeParameters } from 'n8n-workflow';
import { KEY_MERCHANTS } from '../../sandbox';
import { useEngine } from '../kit/engine';
import { createPayments, engineWithKeys, nodeFor, SHOP } from '../kit/keys';
import { continueOnError, orders, requestsFor, upTo } from '../kit/payments';

jest.setTimeout(60_000);

const DAY = 24 * 60 * 60_000;

const { sandbox, engine } = useEngine({}, engineWithKeys);

const findNode = (
	parameters: INodeParameters = {},
	settings: Partial<INode> = {},
): Partial<INode> =>
	nodeFor(
		'payment',
		'find',
		{ merchantId: SHOP.clientId, referenceNumber: '={{ $json.reference }}', ...parameters },
		settings,
	);

const WITH_AMOUNT = { additionalFields: { amount: '={{ $json.amount }}', currency: 'DKK' } };

const createAll = async (items: IDataObject[], parameters: INodeParameters = {}) => {
	const execution = await engine.runNode({ node: createPayments(parameters), items });
	expect(execution.error).toBeUndefined();
	return execution.json();
};

const findAll = async (items: IDataObject[], parameters: INodeParameters = WITH_AMOUNT) => {
	const execution = await engine.runNode({ node: findNode(parameters), items });
	expect(execution.error).toBeUndefined();
	return execution.json() as Array<{ found: string; payment?: IDataObject; candidates: object[] }>;
};

const listRequests = () => requestsFor(sandbox, 'list').length;

it('finds the payment of each item among 500, with one reading of the list', async () => {
	const items = orders(500);
	const created = await createAll(items);
	const missing = { ...items[0], reference: 'ORDER-500' };
	const found = await findAll([...items, missing]);
	expect(found.map(({ payment }) => payment?.paymentId)).toEqual([
		...created.map(({ paymentId }) => paymentId),
		undefined,
	]);
	expect(found.at(-1)).toEqual({ found: 'none', candidates: [] });
	expect(found[7].payment).toMatchObject({
		paymentId: created[7].paymentId,
		referenceNumber: 'ORDER-7',
		status: 'pending',
		merchantClientId: SHOP.clientId,
	});
	expect(listRequests()).toBe(500 / sandbox.settings.listMax);
});

it("reads each merchant's list once, and takes nothing from another merchant", async () => {
	const merchants = [KEY_MERCHANTS.shop, KEY_MERCHANTS.slow];
	const items = upTo(40).map((index) => ({
		merchant: merchants[index % 2].clientId,
		reference: `ORDER-${index >> 1}`,
		amount: 10,
	}));
	const merchantId = '={{ $json.merchant }}';
	const created = await createAll(items, { merchantId });
	const found = await findAll(items, { ...WITH_AMOUNT, merchantId });
	expect(found.map(({ payment }) => payment?.paymentId)).toEqual(
		created.map(({ paymentId }) => paymentId),
	);
	expect(listRequests()).toBe(2);
});

it('says what differs, what is similar, and that there are several', async () => {
	const [paid] = await createAll([{ reference: 'ORDER-1', amount: 12 }]);
	await createAll([
		{ reference: 'ÅRHUS-7', amount: 10 },
		{ reference: 'TWICE', amount: 10 },
		{ reference: 'TWICE', amount: 10 },
	]);
	sandbox.decline(sandbox.payments.at(-1)!.id);
	const found = await findAll(
		['ORDER-1', 'aarhus 7', 'TWICE', 'ORDER-10'].map((reference) => ({ reference, amount: 10 })),
	);
	expect(found).toEqual([
		{
			found: 'doubt',
			candidates: [
				{
					relation: 'differs',
					differences: ['has the amount 12 instead of 10'],
					payment: expect.objectContaining({ paymentId: paid.paymentId }),
				},
			],
		},
		{
			found: 'doubt',
			candidates: [
				{
					relation: 'similar',
					differences: ["has the reference 'ÅRHUS-7' instead of 'aarhus 7'"],
					payment: expect.objectContaining({ referenceNumber: 'ÅRHUS-7' }),
				},
			],
		},
		{
			found: 'several',
			candidates: ['failed', 'pending'].map((status) => ({
				relation: 'same',
				differences: [],
				payment: expect.objectContaining({ status }),
			})),
		},
		{ found: 'none', candidates: [] },
	]);
});

it('looks back as far as each item says, and no further', async () => {
	await createAll(upTo(3).map((index) => ({ reference: `ORDER-${index}`, amount: 10 })));
	for (const [index, payment] of sandbox.payments.entries()) {
		payment.createdAt = new Date(Date.now() - [50, 20, 1][index] * DAY).toISOString();
	}
	const items = [10, 30, 60].flatMap((days) =>
		upTo(3).map((index) => ({ reference: `ORDER-${index}`, days })),
	);
	const options = { lookBackDays: '={{ $json.days }}' };
	const found = await findAll(items, { options });
	expect(found.map((item) => item.found)).toEqual([
		...['none', 'none', 'one'],
		...['none', 'one', 'one'],
		...['one', 'one', 'one'],
	]);
	expect(listRequests()).toBe(1);
	expect(await findAll(items.slice(0, 3), {})).toMatchObject([
		{ found: 'none' },
		{ found: 'one' },
		{ found: 'one' },
	]);
});

it.each(['newest', 'oldest', 'shuffled'] as const)(
	'reads a list that is %s first',
	async (order) => {
		sandbox.settings.listOrder = order;
		sandbox.settings.listMax = 10;
		const items = orders(60);
		await createAll(items);
		for (const [index, payment] of sandbox.payments.entries()) {
			payment.createdAt = new Date(Date.now() - (59.5 - index) * DAY).toISOString();
		}
		const found = await findAll(items);
		expect(found.map((item) => item.found)).toEqual(
			upTo(60).map((index) => (59.5 - index < 30 ? 'one' : 'none')),
		);
		// Those of the look back and of a day behind it; all, where the newest come last.
		expect(listRequests()).toBe(order === 'oldest' ? 6 : 4);
	},
);

it('is an error while the list can not be read, and never none', async () => {
	await createAll(orders(60));
	sandbox.faults.add({ match: { endpoint: 'list', nth: 2 }, times: 'always', status: 403 });
	const execution = await engine.runNode({ node: findNode({}, continueOnError), items: orders(3) });
	expect(execution.json()).toEqual(
		upTo(3).map(() => ({
			error: expect.stringContaining('does not allow the list of payments'),
			details: expect.objectContaining({ outcome: 'refused' }),
		})),
	);
});
