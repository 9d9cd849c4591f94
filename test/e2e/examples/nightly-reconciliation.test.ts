import { setTimeout as sleep } from 'node:timers/promises';
import { LIFETIME_MS } from '../../../sandbox';
import { errorOf, itemsOf, type StoredWorkflow } from '../../../tools/n8n/api';
import { createPayment } from '../../kit/payments';
import { startFrom, type OrderRow } from '../example';
import { MERCHANT, useExamples, withoutPatience } from './kit';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const examples = useExamples();
const { api } = examples;

describe('nightly reconciliation', () => {
	let workflow: StoredWorkflow;

	beforeEach(async () => {
		workflow = await examples.load('nightly-reconciliation', [], withoutPatience);
		await examples.run(workflow, 'Every Night');
	});

	/** A row as the other examples leave it, and its payment. */
	const open = async (reference: string, more: Partial<OrderRow> = {}) => {
		const { id } = await createPayment(examples.sandbox, {
			amount: 80,
			referenceNumber: reference,
		});
		await examples.table.add({
			reference,
			merchantId: MERCHANT,
			amount: 80,
			currency: 'DKK',
			environment: 'sandbox',
			state: 'created',
			paymentId: id,
			...more,
		});
		return id;
	};

	it('can be published', async () => {
		await examples.publish(workflow);
	});

	it('brings the table up to date and says what changed', async () => {
		await open('DECLINED');
		await open('PAID', { environment: undefined });
		await open('EXPIRED');
		examples.sandbox.decline(examples.paymentFor('DECLINED').id);
		await examples.payAndSettle('PAID');
		examples.sandbox.clock.advance(LIFETIME_MS);
		await open('PENDING', { environment: undefined });
		const execution = await examples.run(workflow, 'Every Night');
		expect(execution.status).toBe('success');
		expect(await examples.table.rows()).toMatchObject([
			{ reference: 'DECLINED', state: 'declined' },
			{ reference: 'PAID', state: 'paid', environment: 'sandbox' },
			{ reference: 'EXPIRED', state: 'expired' },
			{ reference: 'PENDING', state: 'created', environment: 'sandbox' },
		]);
		expect(itemsOf(execution, 'Report')).toMatchObject([
			{
				json: {
					changed: [
						{ reference: 'DECLINED', before: 'created', after: 'declined' },
						{ reference: 'PAID', before: 'created', after: 'paid' },
						{ reference: 'EXPIRED', before: 'created', after: 'expired' },
					],
					stillOpen: [{ reference: 'PENDING', after: 'created' }],
					problems: [],
				},
			},
		]);
	});

	it('keeps what it does not understand open, does the others, and says so', async () => {
		// Invoices by mail was stopped while it created a second payment for an order whose first one has expired.
		const note = 'Execution 7 is creating the payment';
		const old = await open('RENEWED', { state: 'creating', note });
		examples.sandbox.clock.advance(LIFETIME_MS);
		const renewed = await createPayment(examples.sandbox, {
			amount: 80,
			referenceNumber: 'RENEWED',
		});
		examples.sandbox.pay(renewed.id);
		await open('UNKNOWN');
		examples.sandbox.faults.add({
			match: { endpoint: 'get', reference: 'UNKNOWN' },
			body: { id: examples.paymentFor('UNKNOWN').id, status: 'paid_out' },
			times: 'always',
		});
		await open('MISSING', { paymentId: 'pay_gone' });
		await open('LEFT', { state: 'creating', paymentId: undefined });
		await open('CHEAPER', { amount: 800 });
		await open('PAID');
		await examples.payAndSettle('CHEAPER');
		await examples.payAndSettle('PAID');
		const execution = await examples.run(workflow, 'Every Night');
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toMatch(
			/^5 orders need you: RENEWED \(it is not known .*; UNKNOWN .*; MISSING /,
		);
		expect(await examples.table.rows()).toMatchObject([
			{ reference: 'RENEWED', state: 'creating', paymentId: old, note },
			{ reference: 'UNKNOWN', state: 'created', note: expect.stringContaining('paid_out') },
			{ reference: 'MISSING', state: 'created', note: expect.stringContaining('pay_gone') },
			{
				reference: 'LEFT',
				state: 'creating',
				note: expect.stringContaining('not known whether its payment exists'),
			},
			{ reference: 'CHEAPER', state: 'created', note: 'Nightly: paid, but 80 DKK' },
			{ reference: 'PAID', state: 'paid', note: '' },
		]);
	});

	it("takes no other order's payment for the noted one, and leaves the other environment alone", async () => {
		const other = await open('OTHER', { state: 'paid' });
		await open('WRONG', { paymentId: other });
		await open('PRODUCTION', { environment: 'production', paymentId: other });
		// AcountPay tells the reference of neither.
		for (const [reference, more] of [
			['NAMELESS', {}],
			['AMOUNT', { amount: 80 }],
		] as const) {
			const id = await open(reference);
			const body = { id, status: 'completed', ...more };
			examples.sandbox.faults.add({ match: { endpoint: 'get', reference }, body, times: 'always' });
		}
		await examples.payAndSettle('OTHER');
		const execution = await examples.run(workflow, 'Every Night');
		expect(errorOf(execution)?.message).toBe(
			`2 orders need you: WRONG (payment ${other} is for OTHER); NAMELESS (AcountPay shows neither the reference of payment ${examples.paymentFor('NAMELESS').id} nor the amount 80)`,
		);
		expect(await examples.table.row('WRONG')).toMatchObject({ state: 'created' });
		expect(await examples.table.row('NAMELESS')).toMatchObject({ state: 'created' });
		expect(await examples.table.row('AMOUNT')).toMatchObject({ state: 'paid' });
		expect(await examples.table.row('PRODUCTION')).toMatchObject({ state: 'created', note: null });
	});

	it('leaves an order that may be on its way alone for an hour', async () => {
		await open('ON-ITS-WAY', { state: 'creating', paymentId: undefined });
		const patient = await examples.load('nightly-reconciliation');
		expect(errorOf(await examples.run(patient, 'Every Night'))).toBeUndefined();
		expect(await examples.table.row('ON-ITS-WAY')).toMatchObject({ state: 'creating', note: null });
	});

	it('leaves a row that another workflow changes meanwhile', async () => {
		await open('EXCHANGED');
		examples.sandbox.clock.advance(LIFETIME_MS);
		const exchanged = { state: 'created', paymentId: 'pay_new' };
		await open('PAID');
		examples.sandbox.faults.add({ match: { endpoint: 'get' }, latencyMs: 3_000 });
		const executionId = await startFrom(api, workflow.id, 'Every Night');
		while (!examples.sandbox.requests.some(({ endpoint }) => endpoint === 'get')) await sleep(100);
		await examples.table.change('PAID', { state: 'paid' });
		await examples.table.change('EXCHANGED', exchanged);
		await examples.finished(executionId);
		expect(await examples.table.row('PAID')).toMatchObject({ state: 'paid', note: null });
		expect(await examples.table.row('EXCHANGED')).toMatchObject(exchanged);
	});

	it('asks no more about a payment that has ended, and says so when Settings leave an order out', async () => {
		await open('PAID');
		await examples.payAndSettle('PAID');
		await examples.run(workflow, 'Every Night');
		const asked = examples.sandbox.counts['get 200'];
		expect((await examples.run(workflow, 'Every Night')).status).toBe('success');
		expect(examples.sandbox.counts['get 200']).toBe(asked);
		await open('PENDING');
		await open('PRODUCTION', { environment: 'production' });
		const { message } = errorOf(await examples.run(workflow, 'Every Night'))!;
		expect(message).toContain("PRODUCTION ('created' in 'production')");
		expect(examples.sandbox.counts['get 200']).toBe(asked + 1);
	});
});
