import axios from 'axios';
import { KEY_MERCHANTS, webhookBody, webhookHeaders, type Payment } from '../../../sandbox';
import { parametersOf } from '../../../tools/exampleFiles';
import {
	errorOf,
	isFinished,
	itemsOf,
	type Execution,
	type StoredWorkflow,
} from '../../../tools/n8n/api';
import { ORDERS } from '../../../tools/exampleSources/tables';
import { createPayment, until } from '../../kit/payments';
import { nodesRun, type OrderRow } from '../example';
import { MERCHANT, SHOP, useExamples, WAYS } from './kit';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const examples = useExamples();
const { api } = examples;

describe('paid orders', () => {
	let workflow: StoredWorkflow;
	let url: string;

	/** @param timeoutMinutes how long the status is waited for; 10 in the example */
	const publishTrigger = async (options: object = {}, suffix = '', timeoutMinutes = 0.05) => {
		workflow = await examples.load(`paid-orders${suffix}`, [], (example) => {
			parametersOf(example, 'AcountPay Trigger').options = options;
			parametersOf(example, 'Wait for the Status').timeoutMinutes = timeoutMinutes;
		});
		await examples.table.create(ORDERS);
		const trigger = workflow.nodes.find(({ name }) => name === 'AcountPay Trigger')!;
		url = api.webhookUrl(`${trigger.webhookId}/webhook`);
		await examples.publish(workflow);
	};

	const order = (reference: string, more: Partial<OrderRow> = {}): OrderRow => ({
		reference,
		merchantId: MERCHANT,
		amount: 250,
		currency: 'DKK',
		environment: 'sandbox',
		state: 'created',
		...more,
	});

	/** A payment whose events go to the trigger. */
	const ask = async (referenceNumber: string, more: object = {}) =>
		await createPayment(examples.sandbox, {
			amount: 250,
			referenceNumber,
			webhookUrl: url,
			...more,
		});

	/** The executions that something starts, when they are finished. */
	const startedBy = async (
		happening: () => Promise<unknown>,
		count: number,
	): Promise<Execution[]> => {
		const seen = new Set((await examples.executionsOf(workflow)).map(({ id }) => id));
		await happening();
		const started: Execution[] = [];
		while (started.length < count) {
			const execution = await api.waitForExecution(
				(run) => run.workflowId === workflow.id && !seen.has(run.id) && isFinished(run),
			);
			seen.add(execution.id);
			started.push(execution);
		}
		return started;
	};

	/** The customers of these payments pay in the same moment; the executions that this starts. */
	const pay = async (...payments: Array<{ id: string | number }>): Promise<Execution[]> =>
		await startedBy(async () => {
			for (const { id } of payments) examples.sandbox.pay(id);
			examples.sandbox.clock.advance(1_000);
			await examples.sandbox.webhooksIdle();
		}, payments.length);

	/** A signed event about a payment, as AcountPay sends it. */
	const deliver = async (payment: Payment) => {
		const body = JSON.stringify(webhookBody('payment.completed', payment, new Date()));
		const headers = webhookHeaders(body, examples.sandbox.credentials.webhookSecret);
		await axios.post(url, Buffer.from(body), { headers, proxy: false });
	};

	it('marks the order paid', async () => {
		await publishTrigger();
		await examples.table.add(order('ORDER-1'), order('ORDER-2'));
		const { id } = await ask('ORDER-1');
		const [execution] = await pay({ id });
		expect(execution.status).toBe('success');
		expect(itemsOf(execution, 'Paid Just Now')).toMatchObject([
			{ json: { reference: 'ORDER-1', state: 'paid', paymentId: id } },
		]);
		expect(await examples.table.row('ORDER-1')).toMatchObject({ state: 'paid', paymentId: id });
		expect(await examples.table.row('ORDER-2')).toMatchObject({
			state: 'created',
			paymentId: null,
		});
	});

	it('marks it with API keys', async () => {
		await publishTrigger({}, '-keys');
		await examples.table.add(order('ORDER-1', { merchantId: SHOP }));
		const id = await examples.createKeyPayment({ amount: 250, referenceNumber: 'ORDER-1' });
		const [execution] = await pay({ id });
		expect(errorOf(execution)).toBeUndefined();
		const paymentId = String(id);
		expect(itemsOf(execution, 'Paid Just Now')).toMatchObject([
			{ json: { reference: 'ORDER-1', state: 'paid', paymentId } },
		]);
		expect(await examples.table.row('ORDER-1')).toMatchObject({ state: 'paid', paymentId });
	});

	it("takes no payment of another merchant with the order's reference", async () => {
		await publishTrigger({}, '-keys');
		await examples.table.add(order('ORDER-1', { merchantId: SHOP }));
		await examples.createKeyPayment({
			amount: 250,
			referenceNumber: 'ORDER-1',
			merchantClientId: KEY_MERCHANTS.success.clientId,
		});
		const [execution] = await startedBy(async () => {
			examples.sandbox.clock.advance(1_000);
			await examples.sandbox.webhooksIdle();
		}, 1);
		expect(errorOf(execution)?.message).toContain(`for the order 'ORDER-1' of merchant ${SHOP}`);
		expect(await examples.table.row('ORDER-1')).toMatchObject({ state: 'created' });
	});

	/** A payment of the way's merchant whose event reaches the trigger. */
	const askBy = async (way: (typeof WAYS)[number], referenceNumber: string) =>
		way.api === 'keys'
			? { id: await examples.createKeyPayment({ amount: 250, referenceNumber }) }
			: await ask(referenceNumber);

	it.each(WAYS)('asks again while the status lags behind the event, with $way', async (way) => {
		await publishTrigger({}, way.suffix, 1);
		await examples.table.add(order('ORDER-1', { merchantId: way.merchant }));
		const { id } = await askBy(way, 'ORDER-1');
		const body = { id, paymentId: id, status: 'pending' };
		examples.sandbox.faults.add({ match: { endpoint: 'get' }, body, times: 2 });
		const [execution] = await pay({ id });
		expect(errorOf(execution)).toBeUndefined();
		expect(await examples.table.row('ORDER-1')).toMatchObject({ state: 'paid' });
	});

	it.each(WAYS)('takes no other payment than the noted one, with $way', async (way) => {
		await publishTrigger({}, way.suffix);
		const noted = await askBy(way, 'ORDER-1');
		await examples.table.add(
			order('ORDER-1', { merchantId: way.merchant, paymentId: String(noted.id) }),
		);
		const [execution] = await pay(await askBy(way, 'ORDER-1'));
		expect(errorOf(execution)?.message).toContain(
			`one with the state 'created' and payment ${noted.id}.`,
		);
		expect(await examples.table.row('ORDER-1')).toMatchObject({ state: 'created' });
	});

	it('leaves an order of the other environment alone', async () => {
		await publishTrigger();
		await examples.table.add(order('ORDER-1', { environment: 'production' }));
		const [execution] = await pay(await ask('ORDER-1'));
		expect(errorOf(execution)?.message).toContain("no order 'ORDER-1'");
		expect(await examples.table.row('ORDER-1')).toMatchObject({ state: 'created' });
	});

	it('has nothing left to do when AcountPay tells twice', async () => {
		await publishTrigger({ ignoreRepeats: false });
		await examples.table.add(order('ORDER-1'));
		const { id } = await ask('ORDER-1');
		const [first] = await pay({ id });
		expect(nodesRun(first)).toContain('Paid Just Now');
		const [second] = await startedBy(async () => await deliver(examples.sandbox.payment(id)), 1);
		expect(second.status).toBe('success');
		expect(nodesRun(second)).toContain('Nothing Left to Do');
		expect(nodesRun(second)).not.toContain('Wait for the Status');
	});

	it('has nothing left to do in a retry when the order was marked meanwhile', async () => {
		await publishTrigger();
		await examples.table.add(order('ORDER-1'));
		const { id } = await ask('ORDER-1');
		examples.sandbox.faults.add({ match: { endpoint: 'get' }, status: 400 });
		const [failed] = await pay({ id });
		expect(nodesRun(failed).at(-1)).toBe('Wait for the Status');
		await examples.table.change('ORDER-1', { state: 'paid', paymentId: id });
		const retried = await api.retryExecution(failed.id);
		expect(errorOf(retried)).toBeUndefined();
		expect(nodesRun(retried)).toContain('Nothing Left to Do');
		expect(nodesRun(retried)).not.toContain('Paid Just Now');
	});

	it("leaves an order with a state of the shop's own to a person", async () => {
		await publishTrigger();
		await examples.table.add(order('ORDER-1', { state: 'cancelled' }));
		const [execution] = await pay(await ask('ORDER-1'));
		expect(errorOf(execution)?.message).toContain("one with the state 'cancelled' and no payment.");
		expect(await examples.table.row('ORDER-1')).toMatchObject({ state: 'cancelled' });
	});

	it.each([
		['leaves an order alone that a person cancels', 'cancelled', 'cancelled'],
		['marks an order whose state changes', 'expired', 'paid'],
	])('%s while the status lags behind', async (_what, state, after) => {
		await publishTrigger({}, '', 1);
		await examples.table.add(order('ORDER-1'));
		const { id } = await ask('ORDER-1');
		const body = { id, paymentId: id, status: 'pending' };
		examples.sandbox.faults.add({ match: { endpoint: 'get' }, body });
		await startedBy(async () => {
			examples.sandbox.pay(id);
			examples.sandbox.clock.advance(1_000);
			await until(() => examples.sandbox.requests.some(({ endpoint }) => endpoint === 'get'));
			await examples.table.change('ORDER-1', { state });
		}, 1);
		expect(await examples.table.row('ORDER-1')).toMatchObject({ state: after });
	});

	it.each([
		['another amount', { amount: 25 }, '25 DKK'],
		['another currency', { currency: 'EUR' }, '250 EUR'],
	])('does not take %s', async (_what, asked, money) => {
		await publishTrigger();
		await examples.table.add(order('ORDER-1'));
		const { id } = await ask('ORDER-1', asked);
		const [execution] = await pay({ id });
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toMatch(
			new RegExp(`payment ${id} 'completed', ${money} .*is 250 DKK`),
		);
		expect(await examples.table.row('ORDER-1')).toMatchObject({
			state: 'created',
			paymentId: null,
		});
	});

	it('takes no word for it when AcountPay, asked, says otherwise', async () => {
		await publishTrigger();
		await examples.table.add(order('ORDER-1'));
		const { id } = await ask('ORDER-1');
		const lying: Payment = { ...examples.sandbox.payment(id), status: 'completed' };
		const [execution] = await startedBy(async () => await deliver(lying), 1);
		expect(execution.status).toBe('error');
		expect(nodesRun(execution)).not.toContain('Mark as Paid');
		expect(await examples.table.row('ORDER-1')).toMatchObject({ state: 'created' });
	});

	it('says so when there is no such order', async () => {
		await publishTrigger();
		await examples.table.add(order('ORDER-1'));
		const [execution] = await pay(await ask('ORDER-9'));
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toContain("'ORDER-9'");
	});

	it('says so when two orders have the same reference, and marks neither', async () => {
		await publishTrigger();
		await examples.table.add(order('ORDER-1'), order('ORDER-1'));
		const [execution] = await pay(await ask('ORDER-1'));
		expect(execution.status).toBe('error');
		expect(await examples.table.rows()).toMatchObject([{ state: 'created' }, { state: 'created' }]);
	});

	it('says so when two payments of an order come at the same moment, and marks it once', async () => {
		await publishTrigger();
		await examples.table.add(order('ORDER-1'));
		const payments = [await ask('ORDER-1'), await ask('ORDER-1')];
		// Both runs have found the order open before one of them marks it.
		examples.sandbox.faults.add({ match: { endpoint: 'get' }, latencyMs: 3_000, times: 'always' });
		const both = await pay(...payments);
		expect(both.map(({ status }) => status).sort()).toEqual(['error', 'success']);
		const failed = both.find(({ status }) => status === 'error')!;
		const [winner, loser] = [...payments].sort(({ id }) =>
			errorOf(failed)?.message.startsWith(`Payment ${id} `) ? 1 : -1,
		);
		expect(errorOf(failed)?.message).toMatch(
			new RegExp(`^Payment ${loser.id} .* one with the state 'paid' and payment ${winner.id}\\.$`),
		);
		expect(await examples.table.row('ORDER-1')).toMatchObject({
			state: 'paid',
			paymentId: winner.id,
		});
	});

	it('says so when an order is paid a second time', async () => {
		await publishTrigger();
		await examples.table.add(order('ORDER-1'));
		const [first, second] = [await ask('ORDER-1'), await ask('ORDER-1')];
		expect((await pay(first))[0].status).toBe('success');
		const [execution] = await pay(second);
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toContain(second.id);
		expect(nodesRun(execution)).not.toContain('Paid Just Now');
		expect(await examples.table.row('ORDER-1')).toMatchObject({
			state: 'paid',
			paymentId: first.id,
		});
	});
});
