/** Payment: Create with the option 'If a Payment Exists': an order that has a payment gets that one, or none. */
import { randomBytes } from 'node:crypto';
import type { IDataObject, INode, INodeParameters } from 'n8n-workflow';
import { KEY_MERCHANTS, type Fault } from '../../sandbox';
import { loopOver } from '../kit/engine';
import { createPayments, engineWithKeys, SHOP } from '../kit/keys';
import {
	askedFor,
	continueOnError,
	countsByReference,
	requestsFor,
	retryOnFail,
	upTo,
	useSandbox,
} from '../kit/payments';
import type { Engine, Execution } from './harness';

// An unknown outcome is looked up for about 10 s.
jest.setTimeout(120_000);

const DAY = 24 * 60 * 60_000;

/** Another merchant. */
const OTHER_SHOP = KEY_MERCHANTS.slow.clientId;

const sandbox = useSandbox();

let engine: Engine;
let tests = 0;
/** Of its own for each test: this process remembers what the tests before have created. */
let prefix: string;
beforeEach(async () => {
	prefix = `EXISTS-${++tests}`;
	await useOtherKeys();
});

/** Shares no reading of the list with what was there before. */
async function useOtherKeys(): Promise<void> {
	sandbox.setKeys({ clientSecret: randomBytes(32).toString('hex') });
	engine = await engineWithKeys(sandbox);
}

const node = (
	existingPayment = 'return',
	settings: Partial<INode> = {},
	options: INodeParameters = {},
): Partial<INode> => createPayments({ options: { existingPayment, ...options } }, settings);

/** Orders of this test: `EXISTS-1-0`, `EXISTS-1-1` … */
const orders = (count: number): IDataObject[] =>
	upTo(count).map((index) => ({ reference: `${prefix}-${index}`, amount: 10 }));

const run = async (items: IDataObject[], ...args: Parameters<typeof node>): Promise<Execution> =>
	await engine.runNode({ node: node(...args), items });

/** Another program of the partner creates a payment. */
async function payElsewhere(changes: object = {}): Promise<void> {
	const { clientId, clientSecret } = sandbox.keys;
	const response = await fetch(`${sandbox.url}/v1/partner/payments`, {
		method: 'POST',
		headers: {
			'Content-Type': 'application/json',
			'X-Partner-Client-Id': clientId,
			'X-Partner-Client-Secret': clientSecret,
		},
		body: JSON.stringify({
			merchantClientId: SHOP.clientId,
			amount: 10,
			referenceNumber: `${prefix}-0`,
			...changes,
		}),
	});
	expect(response.status).toBe(201);
}

const trouble = (fault: Fault) => sandbox.faults.add({ match: { endpoint: 'create' }, ...fault });

const idsIn = (execution: Execution) => execution.json().map(({ paymentId }) => paymentId);

const idOf = (reference: unknown) =>
	sandbox.payments.find(({ referenceNumber }) => referenceNumber === reference)?.id;

const readings = () => requestsFor(sandbox, 'list').length;

/** Each of these orders has one payment, and the items got it. */
function expectOneEach(execution: Execution, items: IDataObject[]) {
	expect(execution.error).toBeUndefined();
	const references = items.map(({ reference }) => String(reference));
	const each = Object.fromEntries(references.map((reference) => [reference, 1]));
	const counts = countsByReference(sandbox);
	expect(Object.fromEntries(references.map((name) => [name, counts[name]]))).toEqual(each);
	expect(idsIn(execution)).toEqual(references.map(idOf));
}

describe('Return It', () => {
	it('creates what is not there, and returns what is, without a link', async () => {
		await payElsewhere();
		sandbox.pay(sandbox.payments[0].id);
		sandbox.clock.advance(1_000);
		const items = orders(2);
		const execution = await run(items);
		expectOneEach(execution, items);
		const [returned, created] = execution.json();
		expect(returned).toMatchObject({
			existing: true,
			referenceNumber: `${prefix}-0`,
			isPaid: true,
		});
		expect(returned).not.toHaveProperty('paymentUrl');
		expect(created).toHaveProperty('paymentUrl');
		expect(created).not.toHaveProperty('existing');
	});

	it('returns it in a new execution, with the link that this process knows, although it is not listed', async () => {
		sandbox.settings.listLagMs = DAY;
		const items = orders(3);
		const first = await run(items);
		const second = await run(items);
		expectOneEach(second, items);
		expect(second.json()).toEqual(
			first.json().map((json) => ({ ...json, isPaid: false, existing: true })),
		);
	});

	it.each(['failed', 'expired'] as const)('creates another when the one has %s', async (end) => {
		await payElsewhere();
		if (end === 'failed') sandbox.decline(sandbox.payments[0].id);
		else sandbox.expire(sandbox.payments[0].id);
		const execution = await run(orders(1));
		expect(idsIn(execution)).toEqual([sandbox.payments[1].id]);
	});

	it.each<[string, object[], RegExp]>([
		['another amount', [{ amount: 12 }], /has payment \d+, which has the amount 12 instead of 10/],
		['another currency', [{ currency: 'EUR' }], /which has the currency EUR instead of DKK/],
		['two payments', [{}, {}], /AcountPay has payment \d+, payment \d+ \[item 0\]$/],
	])('sends nothing for an order with %s', async (_what, others, words) => {
		for (const other of others) await payElsewhere(other);
		const { error } = await run(orders(1));
		expect(error?.message).toMatch(words);
		expect(error?.description).toMatch('Nothing was sent for this item.');
		expect(error?.context).toMatchObject({ outcome: 'refused' });
		expect(sandbox.payments).toHaveLength(others.length);
	});

	it('is not hindered by a similar reference', async () => {
		await payElsewhere({ referenceNumber: `${prefix.toLowerCase()} 0` });
		expectOneEach(await run(orders(1)), orders(1));
	});

	it('sends nothing while the list can not be read', async () => {
		sandbox.faults.add({ match: { endpoint: 'list' }, times: 'always', status: 403 });
		const execution = await run(orders(3), 'return', continueOnError);
		expect(execution.json()).toEqual(
			upTo(3).map(() => ({
				error: expect.stringContaining('does not allow the list of payments'),
				details: expect.objectContaining({
					description: expect.stringMatching(/Nothing was sent for this item\.$/),
				}),
			})),
		);
		expect(sandbox.payments).toEqual([]);
	});

	it('pays 250 orders once that come twice each, 200 in flight', async () => {
		const items = [...orders(250), ...orders(250)];
		const execution = await run(items);
		expectOneEach(execution, items);
		expect(sandbox.payments).toHaveLength(250);
		expect(readings()).toBe(1);
	});

	it("pays once over 'Retry On Fail', lost responses and a list that lags", async () => {
		trouble({ rate: 0.3, seed: 3, status: 500, made: true, times: 'always' });
		trouble({ rate: 0.2, seed: 4, status: 422, times: 6 });
		sandbox.settings.listLagMs = 1_500;
		const items = orders(60);
		let execution = await run(items, 'return', retryOnFail(5));
		// What was never accepted in five tries is accepted now.
		sandbox.faults.clear();
		if (execution.error) execution = await run(items);
		expectOneEach(execution, items);
		expect(new Set(askedFor(sandbox)).size).toBe(60);
	});

	it('pays once in a loop whose turns take one item each', async () => {
		const items = [...orders(4), ...orders(4)];
		const execution = await engine.runWorkflow(loopOver(1, node()), { items, node: 'AcountPay' });
		expect(execution.json('Done').map(({ paymentId }) => paymentId)).toEqual(
			items.map(({ reference }) => idOf(reference)),
		);
		expect(sandbox.payments).toHaveLength(4);
		expect(readings()).toBe(1);
	});

	it('pays once in ten executions at once, each of one item', async () => {
		sandbox.settings.listLagMs = DAY;
		const executions = await Promise.all(upTo(10).map(async () => await run(orders(1))));
		expect(sandbox.payments).toHaveLength(1);
		for (const execution of executions) expectOneEach(execution, orders(1));
	});

	it('pays once when a model calls the tool twice', async () => {
		const parameters = {
			...node().parameters,
			toolDescription: 'Asks for a payment',
			amount: "={{ $fromAI('amount', '', 'number') }}",
			referenceNumber: "={{ $fromAI('reference', '', 'string') }}",
		};
		const items = [...orders(1), ...orders(1)];
		const execution = await engine.runWorkflow(
			{
				nodes: [
					{ name: 'Start', type: 'harness.start' },
					{ name: 'AcountPay', type: 'acountPayTool', parameters },
					{ name: 'Agent', type: 'harness.agent' },
				],
				connections: [
					['Start', 'Agent'],
					['AcountPay', 'Agent'],
				],
			},
			{ items },
		);
		const said = execution.json().map((json) => JSON.stringify(json));
		expect(said.filter((text) => text.includes(String(idOf(`${prefix}-0`))))).toHaveLength(2);
		expect(said.filter((text) => text.includes('existing'))).toHaveLength(1);
		expect(sandbox.payments).toHaveLength(1);
	});

	it('sends nothing while the outcome of another execution is unknown, and returns its payment later', async () => {
		trouble({ status: 500, made: true, listLag: { looks: 6 } });
		expect((await run(orders(1), 'create')).error?.context).toMatchObject({ outcome: 'unknown' });
		expect((await run(orders(1))).error?.message).toMatch(/another request for it is open/);
		expect(sandbox.payments).toHaveLength(1);
		await useOtherKeys();
		const execution = await run(orders(1));
		expectOneEach(execution, orders(1));
		expect(execution.json()).toMatchObject([{ existing: true }]);
	});

	// The first execution of an engine has the ID 2: its workflow has 1.
	it.each<[string, INodeParameters, INodeParameters]>([
		['amount', { amount: '={{ $execution.id === "2" ? 10 : 12 }}' }, { amount: 12 }],
		[
			'merchant',
			{ merchantId: `={{ $execution.id === "2" ? "${SHOP.clientId}" : "${OTHER_SHOP}" }}` },
			{ merchantId: OTHER_SHOP },
		],
		[
			'reference',
			{ referenceNumber: '={{ $json.reference }}{{ $execution.id === "2" ? "" : "-again" }}' },
			{ referenceNumber: '={{ $json.reference }}-again' },
		],
	])(
		'knows what a retry with another %s has found, as it was asked for',
		async (_what, ...both) => {
			const [changing, changed] = both.map((parameters) => ({
				parameters: { ...node().parameters, ...parameters },
			}));
			trouble({ status: 500, made: true, listLag: { looks: 5 } });
			const failed = await engine.runNode({ node: changing, items: orders(1) });
			expect(failed.error?.context).toMatchObject({ outcome: 'unknown' });
			const retried = await engine.retry(failed);
			expect(JSON.stringify(retried.error ?? retried.json())).toMatch(String(idOf(`${prefix}-0`)));
			const execution = await run(orders(1));
			expectOneEach(execution, orders(1));
			expect(execution.json()).toMatchObject([{ existing: true }]);
			const others = await engine.runNode({ node: changed, items: orders(1) });
			expect(idsIn(others)).not.toContain(idOf(`${prefix}-0`));
		},
	);

	it('returns what a killed n8n has created once AcountPay lists it', async () => {
		await payElsewhere();
		const execution = await run(orders(1));
		expectOneEach(execution, orders(1));
		expect(askedFor(sandbox)).toHaveLength(1);
	});

	it('is known to a retry of the execution, also after a person has switched it off', async () => {
		await payElsewhere();
		trouble({ match: { endpoint: 'create', reference: `${prefix}-1` }, status: 422 });
		const items = orders(2);
		const failed = await run(items, 'return', {}, { maxConcurrency: 1 });
		expect(failed.error?.message).toMatch('AcountPay refused the payment');
		const saved = {
			nodes: [
				{ name: 'Start', type: 'harness.start' },
				{ name: 'AcountPay', type: 'acountPay', ...node('create') },
			],
			connections: [['Start', 'AcountPay']] as Array<[string, string]>,
		};
		expectOneEach(await engine.retry(failed, saved), items);
	});

	it('without a link the QR code is missing, and no other item is held up', async () => {
		await payElsewhere();
		const items = orders(5);
		const { error } = await run(items, 'return', {}, { qrCode: true });
		expect(error?.message).toMatch(/but its QR code is missing/);
		expect(error?.context).toMatchObject({ outcome: 'made' });
		const goneOn = await run(items, 'return', continueOnError, { qrCode: true });
		expect(goneOn.json()[0]).toMatchObject({
			details: { outcome: 'made', payment: { existing: true, referenceNumber: `${prefix}-0` } },
		});
		expect(goneOn.items().map(({ binary }) => binary !== undefined)).toEqual(
			upTo(5).map((index) => index > 0),
		);
		expect(Object.values(countsByReference(sandbox))).toEqual([1, 1, 1, 1, 1]);
	});
});

describe('Fail', () => {
	it('fails on what exists, and names it', async () => {
		await payElsewhere();
		const { error } = await run(orders(1), 'fail');
		expect(error?.message).toBe(
			`Payment '${prefix}-0' was not created: AcountPay has payment ${sandbox.payments[0].id} (pending) for it already [item 0]`,
		);
		expect(sandbox.payments).toHaveLength(1);
	});

	it('fails in a second execution, and not on what this one has created: an equal item, and a retry', async () => {
		trouble({ match: { endpoint: 'create', reference: `${prefix}-1` }, times: 4, status: 422 });
		const items = [...orders(1), ...orders(2)];
		const settings = retryOnFail(2);
		const failed = await run(items, 'fail', settings, { maxConcurrency: 1 });
		expect(failed.error?.message).toMatch('AcountPay refused the payment');
		expect((await engine.retry(failed)).error?.message).toMatch('AcountPay refused the payment');
		expectOneEach(await engine.retry(failed), items);
		expect((await run(orders(1), 'fail')).error?.message).toMatch('for it already');
		expect(sandbox.payments).toHaveLength(2);
	});

	it('does not fail on what another turn of this loop has created', async () => {
		const items = [...orders(2), ...orders(2)];
		const execution = await engine.runWorkflow(loopOver(1, node('fail')), {
			items,
			node: 'AcountPay',
		});
		expect(execution.json('Done').map(({ existing }) => existing)).toEqual([
			undefined,
			undefined,
			true,
			true,
		]);
		expect(sandbox.payments).toHaveLength(2);
	});
});

it('Create Another looks at nothing', async () => {
	await payElsewhere();
	await run(orders(1), 'create');
	await engine.runNode({ node: createPayments(), items: orders(1) });
	expect(countsByReference(sandbox)).toEqual({ [`${prefix}-0`]: 3 });
	expect(readings()).toBe(0);
});

it('another value is refused', async () => {
	const { error } = await run(orders(1), 'maybe');
	expect(error?.message).toMatch(/^If a Payment Exists must be one of create, fail, return/);
	expect(sandbox.payments).toEqual([]);
});
