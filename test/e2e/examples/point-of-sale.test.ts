import { LIFETIME_MS } from '../../../sandbox';
import { parametersOf } from '../../../tools/exampleFiles';
import {
	errorOf,
	isFinished,
	itemsOf,
	type Execution,
	type StoredWorkflow,
} from '../../../tools/n8n/api';
import { type WorkflowJson } from '../../../tools/n8n/workflow';
import { readQrCode } from '../../kit/payments';
import { textIn } from '../../kit/qrCode';
import { nodesRun } from '../example';
import { MERCHANT, SHOP, useExamples } from './kit';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const examples = useExamples();
const { api } = examples;

describe('point of sale', () => {
	const OUTCOMES = ['Paid', 'Declined', 'Expired', 'Look Into It'];
	let workflow: StoredWorkflow;

	const open = async (change?: (workflow: WorkflowJson) => void) => {
		workflow = await examples.load('point-of-sale', [await examples.tillCredential()], change);
		await examples.publish(workflow);
	};

	const sell = async (
		reference: string,
		headers?: Record<string, string>,
		amount: unknown = 149.99,
	) => await examples.callTill('point-of-sale', { amount, reference }, headers);

	/** The execution of the only sale when it waits for the customer. */
	const parked = async () =>
		await api.waitForExecution(
			(execution) => execution.workflowId === workflow.id && execution.status === 'waiting',
		);

	const outcomeOf = (execution: Execution) =>
		nodesRun(execution).filter((name) => OUTCOMES.includes(name));

	it('asks for nothing when somebody else than the till calls', async () => {
		await open();
		expect((await sell('SALE-1', {})).status).toBe(403);
		expect((await sell('SALE-1', { 'X-Till-Key': 'guessed' })).status).toBe(403);
		expect(examples.sandbox.payments).toEqual([]);
		expect(await examples.executionsOf(workflow)).toEqual([]);
	});

	it.each([
		['Paid', async () => await examples.payAndSettle('SALE-2')],
		['Declined', async () => examples.sandbox.decline(examples.paymentFor('SALE-2').id)],
		['Expired', async () => examples.sandbox.clock.advance(LIFETIME_MS)],
	])('shows the till the QR code, and goes on with %s', async (outcome, customer) => {
		await open();
		const answer = await sell('SALE-2', undefined, '149.99');
		const payment = examples.paymentFor('SALE-2');
		expect(payment).toMatchObject({ merchant: MERCHANT, amount: 149.99, currency: 'DKK' });
		expect(answer.headers['content-type']).toBe('image/png');
		expect(answer.data).toEqual(await readQrCode(examples.sandbox, MERCHANT, payment.id));

		const { id } = await parked();
		await customer();
		const execution = await examples.finished(id);
		expect(execution.status).toBe('success');
		expect(outcomeOf(execution)).toEqual([outcome]);
		expect(itemsOf(execution, outcome)).toHaveLength(1);
		expect(nodesRun(execution)).not.toContain('Read Once More');
	});

	it('fails when no payment could be made, and tells the till', async () => {
		await open();
		examples.sandbox.faults.add({ match: { endpoint: 'create' }, status: 400, times: 'always' });
		expect((await sell('SALE-3')).status).toBe(500);
		const [{ id }] = await examples.executionsOf(workflow);
		const execution = await examples.finished(id);
		expect(execution.status).toBe('error');
		expect(errorOf(execution)?.message).toContain(
			"AcountPay refused the payment with reference 'SALE-3'",
		);
		expect(examples.sandbox.payments).toEqual([]);
	});

	it.each(['point-of-sale', 'point-of-sale-keys'])(
		'%s takes no amount for another one',
		async (name) => {
			workflow = await examples.load(name, [await examples.tillCredential()]);
			await examples.publish(workflow);
			for (const amount of ['1.000', '1e2', '0x10', ' 10 ', '1,5', true, ['7'], null]) {
				expect((await examples.callTill(name, { amount, reference: 'SALE-9' })).status).toBe(500);
			}
			expect(examples.sandbox.payments).toEqual([]);
			for (const { id } of await examples.executionsOf(workflow)) {
				expect(errorOf(await examples.finished(id))?.message).toMatch(/^Amount must be a number/);
			}
		},
	);

	describe('when AcountPay stays silent', () => {
		beforeEach(async () => {
			examples.sandbox.faults.add({ match: { endpoint: 'webhook' }, status: 500, times: 'always' });
			await open((example) => {
				parametersOf(example, 'Wait for Customer').timeoutMinutes = 0.2;
			});
		});

		it('asks once more, and takes only a status that it knows and the money that it asked for', async () => {
			await sell('SALE-4');
			await sell('SALE-5');
			await sell('SALE-6');
			await sell('SALE-7');
			await sell('SALE-8');
			await examples.payAndSettle('SALE-4');
			examples.sandbox.faults.add({
				match: { endpoint: 'get', reference: 'SALE-5' },
				body: { id: examples.paymentFor('SALE-5').id, status: 'settling' },
				times: 'always',
			});
			const otherMoney = [
				['SALE-7', { amount: 1, currency: 'DKK' }],
				['SALE-8', { amount: 149.99, currency: 'EUR' }],
			] as const;
			for (const [reference, paid] of otherMoney) {
				examples.sandbox.faults.add({
					match: { endpoint: 'get', reference },
					body: { id: examples.paymentFor(reference).id, status: 'completed', ...paid },
					times: 'always',
				});
			}
			const executions = await examples.executionsOf(workflow);
			const [paid, unknown, pending, ...others] = await Promise.all(
				executions.map(async ({ id }) => await examples.finished(id, 90_000)),
			);
			expect(itemsOf(paid, 'Wait for Customer')[0].json.waitEndedBy).toBe('timeout');
			expect(paid.status).toBe('success');
			expect(outcomeOf(paid)).toEqual(['Paid']);
			for (const [execution, status] of [
				[unknown, 'settling'],
				[pending, 'pending'],
			] as const) {
				expect(execution.status).toBe('error');
				expect(outcomeOf(execution)).toEqual(['Look Into It']);
				expect(errorOf(execution)?.message).toContain(`'${status}'`);
			}
			otherMoney.forEach(([reference, { amount, currency }], index) => {
				expect(outcomeOf(others[index])).toEqual(['Look Into It']);
				const { message } = errorOf(others[index])!;
				expect(message).toContain(`${reference} over 149.99 DKK is paid`);
				expect(message).toContain(`'completed', ${amount} ${currency}`);
			});
			expect(examples.sandbox.counts['create 201']).toBe(5);
		});
	});
});

describe('point of sale with keys', () => {
	const SALE = { amount: 149.99, reference: 'SALE-1', register: 'REG-001' };
	const OUTCOMES = ['Paid', 'Not Paid', 'Look Into It'];
	let workflow: StoredWorkflow;

	/** Opens the point of sale, and sells as a till does. @returns the payment and the image that the till shows */
	const sell = async (timeoutMinutes = 35) => {
		workflow = await examples.load(
			'point-of-sale-keys',
			[await examples.tillCredential()],
			(example) => {
				parametersOf(example, 'Wait for Customer').timeoutMinutes = timeoutMinutes;
			},
		);
		await examples.publish(workflow);
		const { data: image, status } = await examples.callTill('point-of-sale-keys', SALE);
		expect(status).toBe(200);
		return { payment: examples.paymentFor('SALE-1'), image };
	};

	/** The only sale when it has ended: its way, and what it failed with. */
	const ended = async () => {
		const execution = await api.waitForExecution(
			(candidate) => candidate.workflowId === workflow.id && isFinished(candidate),
		);
		return {
			outcome: nodesRun(execution).filter((name) => OUTCOMES.includes(name)),
			message: errorOf(execution)?.message,
		};
	};

	it.each([
		['Paid', async () => await examples.payAndSettle('SALE-1')],
		['Not Paid', async () => examples.sandbox.decline(examples.paymentFor('SALE-1').id)],
		['Not Paid', async () => examples.sandbox.clock.advance(LIFETIME_MS)],
	])('shows the till the QR code, and goes on with %s', async (outcome, customer) => {
		const { payment, image } = await sell();
		expect(payment).toMatchObject({
			api: 'keys',
			merchant: SHOP,
			amount: 149.99,
			currency: 'DKK',
			registerId: 'REG-001',
		});
		expect(await textIn(image)).toBe(examples.pageOf(payment));
		await customer();
		expect(await ended()).toEqual({ outcome: [outcome], message: undefined });
		expect(examples.sandbox.counts).not.toHaveProperty(['token 200']);
	});

	it.each([
		['another amount', { status: 'paid', amount: 1, currency: 'DKK' }],
		['another currency', { status: 'paid', amount: 149.99, currency: 'EUR' }],
		['an unknown status', { status: 'settling' }],
	])('takes %s for no payment', async (_what, body) => {
		examples.sandbox.faults.add({ match: { endpoint: 'get' }, body, times: 'always' });
		const { payment } = await sell(0.05);
		const { outcome, message } = await ended();
		expect(outcome).toEqual(['Look Into It']);
		expect(message).toContain('SALE-1 over 149.99 DKK is paid');
		expect(message).toContain(
			`payment ${payment.id} '${body.status.replace('paid', 'completed')}'`,
		);
	});

	it('asks for nothing when somebody else than the till calls, and takes a sale without a register', async () => {
		workflow = await examples.load('point-of-sale-keys', [await examples.tillCredential()]);
		await examples.publish(workflow);
		expect((await examples.callTill('point-of-sale-keys', SALE, {})).status).toBe(403);
		expect(examples.sandbox.payments).toEqual([]);
		await examples.callTill('point-of-sale-keys', { ...SALE, register: undefined });
		expect(examples.paymentFor('SALE-1').registerId).toBeUndefined();
		examples.sandbox.decline(examples.paymentFor('SALE-1').id);
		expect((await ended()).outcome).toEqual(['Not Paid']);
	});
});
