/**
 * Wait for Completion, resumed on webhook: a signed event that contradicts what is known of the payment, or itself.
 */
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { ACCEPTED, eventBody, IGNORED, postSigned } from '../kit/deliveries';
import { useEngine, waitNode } from '../kit/engine';
import { create, requestsFor, until } from '../kit/payments';

jest.setTimeout(60_000);

const { sandbox, engine } = useEngine();

const asked = () => requestsFor(sandbox, 'get');
const order = { merchant: 'merchant_abc123', amount: 149.99, reference: 'ORDER-1' };

/** An execution that waits for a payment of {@link order}, and what posts a signed event of it. */
async function wait(
	merchantId: INodeParameters[string] = "={{ $('Start').item.json.merchant }}",
	item: IDataObject = order,
) {
	const webhookUrl = '={{ $execution.resumeUrl }}';
	const execution = await engine.runWorkflow(
		{
			nodes: [
				{ name: 'Start', type: 'harness.start' },
				{
					name: 'Create',
					type: 'acountPay',
					parameters: create({ additionalFields: { webhookUrl } }),
				},
				{
					name: 'Wait',
					type: 'acountPay',
					...waitNode({ merchantId, paymentId: '={{ $json.id }}', resumeOn: 'webhook' }),
				},
				{ name: 'After', type: 'harness.pass' },
			],
			connections: [
				['Start', 'Create'],
				['Create', 'Wait'],
				['Wait', 'After'],
			],
		},
		{ items: [item], node: 'Wait' },
	);
	expect(execution.status).toBe('waiting');
	await sandbox.webhooksIdle();
	const { id, webhookUrl: url } = sandbox.payments.at(-1)!;
	const changed = (data: IDataObject, event = 'payment.completed') => {
		const body = JSON.parse(eventBody(sandbox, event as never, id)) as { data: object };
		const status = event.replace('payment.', '');
		return JSON.stringify({ ...body, data: { ...body.data, status, ...data } });
	};
	const send = async (data: IDataObject, event?: string) =>
		await postSigned(sandbox, url!, changed(data, event));
	return { execution, id, send };
}

const warnings = () => engine.log.messages('warn');
const statusOf = async (id: string) => (await engine.execution(id)).status;

it.each<[string, IDataObject, string]>([
	['amount', { amount: 1 }, 'payment.completed'],
	['amount', { amount: '1.00', currency: 'EUR' }, 'payment.completed'],
	['currency', { currency: 'EUR' }, 'payment.completed'],
	['reference', { referenceNumber: 'ORDER-2' }, 'payment.completed'],
	['merchant', { merchantId: 'merchant_of_another' }, 'payment.completed'],
	['merchant', { merchantClientId: 'merchant_of_another' }, 'payment.completed'],
	['status', { status: 'failed' }, 'payment.completed'],
	['status', { status: 'payment_failed' }, 'payment.completed'],
	['status', { status: 'partially_paid' }, 'payment.completed'],
	['status', { status: 'settled' }, 'payment.failed'],
	['status', { status: 'completed' }, 'payment.failed'],
])(
	'another %s (%j) wakes nothing: the payment is asked for, and is open',
	async (words, data, event) => {
		const { execution, send } = await wait();
		const before = engine.executions.get(execution.id)!.data;
		const asks = asked().length;
		expect(await send(data, event)).toMatchObject(IGNORED);
		await until(() => asked().length === asks + 1);
		expect(await statusOf(execution.id)).toBe('waiting');
		expect(engine.executions.get(execution.id)!.data).toBe(before);
		expect(warnings()).toEqual([
			expect.stringMatching(
				new RegExp(
					`^AcountPay node 'Wait' does not act on "payment\\.\\w+": its (.* )?${words}\\b`,
				),
			),
		]);

		// The true event after it counts.
		expect(await send({})).toMatchObject(ACCEPTED);
		expect((await engine.execution(execution.id)).json('After')).toMatchObject([
			{ status: 'completed', amount: 149.99, currency: 'DKK', referenceNumber: 'ORDER-1' },
		]);
	},
);

const picked = (value: string) => ({ __rl: true, mode: 'id', value });
it.each<[string, INodeParameters[string], string]>([
	['picked', picked('merchant_abc123'), 'merchant_abc123'],
	['picked by an expression', picked("={{ $('Start').item.json.merchant }}"), 'merchant_abc123'],
	['a number', '={{ 12345 }}', '12345'],
])(
	'a merchant that is %s is compared, and AcountPay is asked about its payment',
	async (_how, merchantId, merchant) => {
		const { execution, id, send } = await wait(merchantId, { ...order, merchant });
		sandbox.faults.add({ match: { endpoint: 'webhook' }, status: 503, times: 'always' });
		sandbox.decline(id);
		expect(await send({ merchantClientId: 'merchant_of_another' })).toMatchObject(IGNORED);
		await until(() => engine.executions.get(execution.id)!.status !== 'waiting');
		expect((await engine.execution(execution.id)).json('After')).toMatchObject([
			{ status: 'failed', isPaid: false, waitEndedBy: 'status' },
		]);
	},
);

it('a merchant that AcountPay leaves empty is still compared', async () => {
	const empty = { status: 'pending', merchantId: null, merchantClientId: '' };
	sandbox.faults.add({ match: { endpoint: 'get' }, body: empty, times: 'always' });
	const { execution, send } = await wait();
	const asks = asked().length;
	expect(await send({ merchantClientId: 'merchant_of_another' })).toMatchObject(IGNORED);
	await until(() => asked().length === asks + 1);
	expect(await statusOf(execution.id)).toBe('waiting');
	expect(await send({})).toMatchObject(ACCEPTED);
});

describe("a merchant's number, where AcountPay also shows that", () => {
	const shown = { status: 'pending', merchantId: 77, merchantClientId: 'merchant_abc123' };
	const field = {
		'its own field': undefined,
		'a field that finds the number while it waits': "={{ $json.merchantId ?? 'merchant_abc123' }}",
		'a field that finds nothing while it waits':
			"={{ $json.waitEndedBy ? null : 'merchant_abc123' }}",
	};

	it.each(Object.entries(field))('is no other merchant, with %s', async (_how, merchantId) => {
		sandbox.faults.add({ match: { endpoint: 'get' }, body: shown, times: 'always' });
		const { execution, send } = await wait(merchantId);
		const asks = asked().length;
		const event = { merchantId: 77, merchantClientId: 'merchant_abc123' };
		expect(await send(event)).toMatchObject(ACCEPTED);
		expect(await statusOf(execution.id)).toBe('success');
		expect(asked()).toHaveLength(asks);
	});

	it('of another merchant wakes nothing, and neither does a response with it', async () => {
		sandbox.faults.add({ match: { endpoint: 'get' }, body: shown });
		const { execution, send } = await wait();
		const body = { ...shown, status: 'completed', merchantId: 78 };
		sandbox.faults.add({ match: { endpoint: 'get' }, body, times: 'always' });
		expect(await send({ merchantId: 78 })).toMatchObject(IGNORED);
		await until(() => warnings().length === 2);
		expect(warnings()[1]).toContain('AcountPay responded about another one than before the wait');
		expect(await statusOf(execution.id)).toBe('waiting');
	});
});

it.each([
	['payment.refunded', 1],
	['payment.completed ', 1],
	['payment.processing', 0],
])('%j wakes nothing, and is named in the log if its name is not known', async (event, lines) => {
	const { execution, send } = await wait();
	for (let time = 0; time < 2; time++) expect(await send({}, event)).toMatchObject(IGNORED);
	expect(await statusOf(execution.id)).toBe('waiting');
	const line = expect.stringContaining(`'Wait' ignores ${JSON.stringify(event)}: `) as string;
	expect(warnings()).toEqual(Array.from({ length: lines }, () => line));
});

it('ends the wait by the truth when AcountPay says that the payment has ended', async () => {
	const { execution, id, send } = await wait();
	sandbox.faults.add({ match: { endpoint: 'webhook' }, status: 503, times: 'always' });
	sandbox.decline(id);
	expect(await send({ amount: 1, currency: 'EUR' })).toMatchObject(IGNORED);
	await until(() => engine.executions.get(execution.id)!.status !== 'waiting');
	expect((await engine.execution(execution.id)).json('After')).toMatchObject([
		{ status: 'failed', amount: 149.99, currency: 'DKK', waitEndedBy: 'status' },
	]);
});

it('asks again for some seconds: the status may lag behind the event', async () => {
	const { execution, id, send } = await wait();
	const asks = asked().length;
	expect(await send({ amount: 1 })).toMatchObject(IGNORED);
	await until(() => asked().length === asks + 2);
	sandbox.faults.add({ match: { endpoint: 'webhook' }, status: 503, times: 'always' });
	sandbox.pay(id);
	sandbox.clock.advance(1_000);
	await until(() => engine.executions.get(execution.id)!.status !== 'waiting');
	expect((await engine.execution(execution.id)).json('After')).toMatchObject([
		{ status: 'completed', amount: 149.99, waitEndedBy: 'status' },
	]);
});

it('believes no response about another payment than before the wait', async () => {
	const { execution, id, send } = await wait();
	const body = { id, status: 'completed', amount: 1 };
	sandbox.faults.add({ match: { endpoint: 'get' }, body, times: 'always' });
	expect(await send({ amount: 1 })).toMatchObject(IGNORED);
	await until(() => warnings().length === 2);
	expect(warnings()[1]).toContain(
		'could not read the payment: AcountPay responded about another one than before the wait',
	);
	expect(await statusOf(execution.id)).toBe('waiting');
});

it.each<[string, IDataObject]>([
	['the same', {}],
	['text', { amount: '149.990', currency: 'dkk', referenceNumber: ' ORDER-1 ' }],
	['missing', { amount: null, currency: undefined, referenceNumber: '' }],
	['unreadable', { amount: { valueOf: 1, toString: 1 } }],
])('values that are %s are no contradiction', async (_what, data) => {
	const { execution, send } = await wait();
	const asks = asked().length;
	expect(await send(data)).toMatchObject(ACCEPTED);
	expect(await statusOf(execution.id)).toBe('success');
	expect(asked()).toHaveLength(asks);
});

it('asks once however many doubtful events come, and goes on when AcountPay is out of order', async () => {
	const { execution, send } = await wait();
	const asks = asked().length;
	sandbox.faults.add({ match: { endpoint: 'get' }, status: 404, times: 'always' });
	await Promise.all([1, 2, 3].map(async (amount) => await send({ amount })));
	await until(() => warnings().some((line) => line.includes('could not read the payment')));
	expect(asked()).toHaveLength(asks + 1);
	expect(await statusOf(execution.id)).toBe('waiting');
});

it('goes on waiting, and says why, where the merchant can not be told any more', async () => {
	// While the node waits, its item is the payment with `waitEndedBy`.
	const { execution, send } = await wait('={{ $json.waitEndedBy ? null : "merchant_abc123" }}');
	const asks = asked().length;
	expect(await send({ amount: 1 })).toMatchObject(IGNORED);
	await until(() => warnings().length === 2);
	expect(warnings()[1]).toContain("its Merchant ID can't be evaluated while it waits");
	expect(asked()).toHaveLength(asks);
	expect(await statusOf(execution.id)).toBe('waiting');
});
