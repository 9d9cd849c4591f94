import type { IDataObject, INode } from 'n8n-workflow';
import { startSandbox, type Payment, type Sandbox } from '../../../sandbox';
import { importExample, parametersOf } from '../../../tools/exampleFiles';
import {
	errorOf,
	itemsOf,
	type Execution,
	type N8nApi,
	type StoredCredential,
	type StoredWorkflow,
} from '../../../tools/n8n/api';
import { itemsNode, manualTrigger, workflow as workflowOf } from '../../../tools/n8n/workflow';
import { startOwnN8n } from '../../kit/n8n';
import { credentialFor, until } from '../../kit/payments';
import { DataTable, type PaymentRow } from '../example';
import { MERCHANT, SHOP, useExamples, WAYS } from './kit';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const examples = useExamples();
const { api } = examples;

describe('pay once', () => {
	const ORDER = { merchantId: MERCHANT, reference: 'ORDER-1', amount: 149.99, currency: 'DKK' };

	/** The example in an n8n, and how a person's workflow calls it. */
	class PayOnce {
		readonly payments: DataTable<PaymentRow>;
		private child!: StoredWorkflow;

		constructor(private readonly n8n: N8nApi) {
			this.payments = new DataTable<PaymentRow>(n8n, 'AcountPay payments');
		}

		/** @param patience how long a run waits for another one, in seconds; 10 in the example */
		async load(
			credentials: StoredCredential[],
			patience = 1,
			name = 'pay-once',
		): Promise<StoredWorkflow> {
			await this.payments.remove();
			this.child = await importExample(this.n8n, name, credentials, (example) => {
				const order = parametersOf(example, 'This Order') as unknown as {
					assignments: { assignments: Array<{ name: string; value: string }> };
				};
				const until = order.assignments.assignments.find(({ name }) => name === 'waitUntil')!;
				expect(until.value).toContain('seconds: 10');
				until.value = until.value.replace('10', String(patience));
			});
			await this.n8n.publish(this.child.id);
			return this.child;
		}

		/** Changes the example as a person does, and publishes it again. */
		async change(how: (workflow: StoredWorkflow) => void): Promise<void> {
			const workflow = await this.n8n.getWorkflow(this.child.id);
			how(workflow);
			await this.n8n.updateWorkflow(this.child.id, workflow);
			await this.n8n.publish(this.child.id);
		}

		/** Stores a workflow that calls the example with these items, as n8n's editor makes it. */
		async caller(orders: IDataObject[], more: Partial<INode> = {}): Promise<string> {
			const trigger = this.child.nodes.find(({ name }) => name === 'When Called')!;
			const { values } = trigger.parameters.workflowInputs as {
				values: Array<{ name: string; type?: string }>;
			};
			const inputs = values.map(({ name }) => name);
			const { id } = await this.n8n.createWorkflow(
				workflowOf([
					manualTrigger(),
					itemsNode(orders),
					{
						name: 'Pay Once',
						type: 'n8n-nodes-base.executeWorkflow',
						typeVersion: 1.2,
						parameters: {
							workflowId: { __rl: true, mode: 'id', value: this.child.id },
							workflowInputs: {
								mappingMode: 'defineBelow',
								value: Object.fromEntries(inputs.map((name) => [name, `={{ $json.${name} }}`])),
								schema: values.map(({ name: id, type = 'string' }) => ({
									...{ id, displayName: id, required: false, defaultMatch: false, display: true },
									...{ canBeUsedToMatch: true, ...(type !== 'any' && { type }) },
								})),
								attemptToConvertTypes: true,
								convertFieldsToString: true,
							},
							options: {},
						},
						...more,
					},
				]),
			);
			return id;
		}

		/** Calls the example with these orders from a new workflow, to the end. */
		async call(...orders: IDataObject[]): Promise<Execution> {
			return await this.n8n.runWorkflow(await this.caller(orders));
		}
	}

	const payOnce = new PayOnce(api);
	const environment = 'sandbox';

	beforeEach(async () => examples.track((await payOnce.load([examples.credential])).id));

	const handedOut = (execution: Execution) =>
		itemsOf(execution, 'Pay Once').map(({ json }) => json);

	const created = () =>
		examples.sandbox.requests.filter(({ endpoint }) => endpoint === 'create').length;

	it('hands out a payment for each order, and the same ones in a new run', async () => {
		const second = { ...ORDER, reference: 'ORDER-2', amount: 50, currency: undefined };
		const first = await payOnce.call(ORDER, second, ORDER);
		expect(errorOf(first)).toBeUndefined();
		const [one, two] = [examples.paymentFor('ORDER-1'), examples.paymentFor('ORDER-2')];
		const urlOf = ({ id }: Payment) => `${examples.sandbox.url}/pay/${id}`;
		const pending = { status: 'pending', isPaid: false };
		expect(handedOut(first)).toEqual([
			{ ...ORDER, environment, paymentId: one.id, paymentUrl: urlOf(one), isNew: true, ...pending },
			{
				...second,
				currency: 'DKK',
				environment,
				paymentId: two.id,
				paymentUrl: urlOf(two),
				isNew: true,
				...pending,
			},
			{
				...ORDER,
				environment,
				paymentId: one.id,
				paymentUrl: urlOf(one),
				isNew: false,
				...pending,
			},
		]);
		await examples.payAndSettle('ORDER-1');
		const again = await payOnce.call(second, ORDER);
		expect(handedOut(again)).toMatchObject([
			{ paymentId: two.id, isNew: false, ...pending },
			{ paymentId: one.id, isNew: false, status: 'completed', isPaid: true },
		]);
		expect(created()).toBe(2);
		expect(await payOnce.payments.rows()).toMatchObject([
			{ reference: 'ORDER-1', state: 'created', paymentId: one.id },
			{ reference: 'ORDER-2', state: 'created', paymentId: two.id },
		]);
	});

	it('takes API keys', async () => {
		examples.track((await payOnce.load([examples.keys], 1, 'pay-once-keys')).id);
		const order = { ...ORDER, merchantId: SHOP };
		const first = await payOnce.call(order);
		const payment = examples.paymentFor('ORDER-1');
		expect(payment.api).toBe('keys');
		const known = { paymentId: String(payment.id), paymentUrl: examples.pageOf(payment) };
		expect(handedOut(first)).toMatchObject([{ ...known, isNew: true }]);
		expect(handedOut(await payOnce.call(order))).toMatchObject([{ ...known, isNew: false }]);
		// All that is documented of this response. The payment is found by its reference.
		examples.sandbox.faults.add({ match: { endpoint: 'get' }, body: { status: 'paid' } });
		const paid = { ...known, isNew: false, isPaid: true };
		expect(handedOut(await payOnce.call(order))).toMatchObject([paid]);
		expect(created()).toBe(1);
	});

	describe('in the sandbox first, and then in production', () => {
		let production: Sandbox;

		beforeAll(async () => {
			production = await startSandbox();
		});

		afterAll(async () => await production.close());

		/** Chooses the credential of production, as a person does. */
		const choose = async (way: (typeof WAYS)[number], environment: string) => {
			const isKeys = way.api === 'keys';
			const type = isKeys ? 'acountPayKeyApi' : 'acountPayApi';
			const data = isKeys
				? { environment: 'custom', baseUrl: `${production.url}/v1`, ...production.keys }
				: credentialFor(production);
			const { id, name } = await api.createCredential('Production', type, data);
			await payOnce.change((workflow) => {
				for (const node of workflow.nodes.filter(({ type }) => type.includes('acountPay'))) {
					node.credentials = { [type]: { id, name } };
				}
				const fields = JSON.stringify(parametersOf(workflow, 'Settings'));
				Object.assign(
					parametersOf(workflow, 'Settings'),
					JSON.parse(fields.replace('"sandbox"', `"${environment}"`)),
				);
			});
		};

		// A reference of its own: with API keys, n8n's process remembers the payments of earlier tests.
		it.each(WAYS)('creates the payment of an order there too, with $way', async (way) => {
			const own = [examples.credential, examples.keys];
			examples.track((await payOnce.load(own, 1, `pay-once${way.suffix}`)).id);
			const order = { ...ORDER, reference: 'THERE-1', merchantId: way.merchant };
			expect(handedOut(await payOnce.call(order))).toMatchObject([{ isNew: true }]);
			production.reset();

			// Only the credential is chosen: the payment of the sandbox is not handed out. A payment of production with its ID may be another one's, which AcountPay need not say.
			await choose(way, 'sandbox');
			production.faults.add({ match: { endpoint: 'get' }, body: { status: 'paid' } });
			for (const why of ['does not show', 'could not be read']) {
				const { message } = errorOf(await payOnce.call(order))!;
				expect(message).toContain(`the table has payment ${examples.paymentFor('THERE-1').id}`);
				expect(message).toContain(why);
			}

			// Or it was production all along: the same order comes again, and a person says whose its payment is.
			await choose(way, 'production');
			const { message } = errorOf(await payOnce.call(order))!;
			expect(message).toMatch(
				/THERE-1 \(the table has it as 'created' in 'sandbox', and now .*'production'/,
			);
			expect(production.payments).toEqual([]);

			await payOnce.payments.change('THERE-1', { state: '' });
			const paid = await payOnce.call(order);
			const [{ id }] = production.payments;
			expect(handedOut(paid)).toMatchObject([{ paymentId: String(id), isNew: true }]);
			expect(created()).toBe(1);
		});
	});

	it.each(WAYS)(
		'names the payment when somebody frees a row that is being created, with $way',
		async ({ suffix, merchant }) => {
			const own = [examples.credential, examples.keys];
			examples.track((await payOnce.load(own, 1, `pay-once${suffix}`)).id);
			const id = await payOnce.caller([{ ...ORDER, reference: 'FREED-1', merchantId: merchant }]);
			// The first execution waits out a 429, and would create its payment in 4 seconds.
			const headers = { 'Retry-After': '4' };
			examples.sandbox.faults.add({ match: { endpoint: 'create' }, status: 429, headers });
			const first = await api.startWorkflow(id);
			await until(() => created() === 1);
			await payOnce.payments.change('FREED-1', { state: '' });
			const second = await api.runWorkflow(id);
			const ended = await examples.finished(first);

			const { paymentId } = await payOnce.payments.row('FREED-1');
			const payments = examples.sandbox.payments.map((payment) => String(payment.id));
			expect(payments).toContain(paymentId);
			expect(handedOut(second)).toMatchObject([{ paymentId }]);
			expect(ended.status).toBe('error');
			const other = payments.find((candidate) => candidate !== paymentId) ?? paymentId;
			expect(errorOf(ended)?.message).toMatch(
				new RegExp(`FREED-1 \\(wait until all executions for it have ended: payment ${other} `),
			);
		},
	);

	it('makes one payment when runs ask at the same moment', async () => {
		examples.track((await payOnce.load([examples.credential], 60)).id);
		await payOnce.call({ ...ORDER, reference: 'MAKES-THE-TABLE' });
		// The first is asked for until the others have looked.
		examples.sandbox.faults.add({ match: { endpoint: 'create' }, latencyMs: 500, times: 'always' });
		const id = await payOnce.caller([ORDER]);
		const started = await Promise.all([...Array(6)].map(async () => await api.startWorkflow(id)));
		const executions = await Promise.all(started.map(async (run) => await examples.finished(run)));
		expect(executions.map((execution) => errorOf(execution)?.message)).toEqual(
			executions.map(() => undefined),
		);
		const payment = examples.paymentFor('ORDER-1');
		const payments = executions.flatMap(handedOut);
		expect(payments.map(({ paymentId }) => paymentId)).toEqual(payments.map(() => payment.id));
		expect(payments.filter(({ isNew }) => isNew)).toHaveLength(1);
	});

	it('asks no more about an open outcome, in a retry, by hand or in a new run, until a person has looked', async () => {
		examples.sandbox.faults.add({ match: { endpoint: 'create' }, reset: 'after', times: 'always' });
		const id = await payOnce.caller([ORDER], {
			retryOnFail: true,
			maxTries: 2,
			waitBetweenTries: 0,
		});
		const first = await api.runWorkflow(id);
		expect(errorOf(first)?.message).toMatch(
			/^1 of 1 orders need you: ORDER-1 \(wait until execution \d+, which asked/,
		);
		const retried = await api.retryExecution(first.id);
		expect(retried.status).toBe('error');
		expect((await payOnce.call(ORDER)).status).toBe('error');
		const paymentId = String(examples.paymentFor('ORDER-1').id);
		expect(created()).toBe(1);
		const row = await payOnce.payments.row('ORDER-1');
		expect(row).toMatchObject({ state: 'creating', paymentId: null, amount: 149.99 });
		expect(row.note).toContain('ORDER-1');

		await payOnce.payments.change('ORDER-1', { state: 'created', paymentId });
		expect(handedOut(await payOnce.call(ORDER))).toMatchObject([{ paymentId, isNew: false }]);
		expect(created()).toBe(1);
	});

	it('names the orders that AcountPay refused, has the others paid, and asks for the refused again', async () => {
		examples.sandbox.faults.add({
			match: { endpoint: 'create', reference: 'ORDER-2' },
			status: 400,
		});
		const orders = ['ORDER-1', 'ORDER-2', 'ORDER-3'].map((reference) => ({ ...ORDER, reference }));
		const first = await payOnce.call(...orders);
		expect(errorOf(first)?.message).toMatch(/^1 of 3 orders need you: ORDER-2 \(.*refused/);
		expect(examples.sandbox.payments.map(({ referenceNumber }) => referenceNumber)).toEqual([
			'ORDER-1',
			'ORDER-3',
		]);
		const second = await payOnce.call(...orders);
		expect(handedOut(second)).toMatchObject([
			{ paymentId: examples.paymentFor('ORDER-1').id, isNew: false },
			{ paymentId: examples.paymentFor('ORDER-2').id, isNew: true },
			{ paymentId: examples.paymentFor('ORDER-3').id, isNew: false },
		]);
	});

	it.each([
		['another amount', { amount: 150 }],
		['another merchant', { merchantId: 'merchant_other' }],
		['another currency', { currency: 'EUR' }],
	])('asks a person when an order comes again with %s', async (_what, change) => {
		await payOnce.call(ORDER);
		const again = await payOnce.call({ ...ORDER, ...change });
		expect(errorOf(again)?.message).toContain(`with 149.99 DKK for ${MERCHANT}, and now`);
		expect(created()).toBe(1);
	});

	it.each([
		['reference', { reference: ' ' }],
		['merchantId', { merchantId: '' }],
		['amount', { amount: 0 }],
	])('asks for nothing when an order has no %s', async (what, change) => {
		const execution = await payOnce.call(ORDER, { ...ORDER, reference: 'ORDER-2', ...change });
		expect(errorOf(execution)?.message).toContain(`has no ${what}`);
		expect(examples.sandbox.counts).toEqual({});
	});

	it('takes no amount for another one, and no reference that looks the same for a new one', async () => {
		for (const amount of ['1.000', '1e2', '0x10', true, ['7']]) {
			const { message } = errorOf(await payOnce.call({ ...ORDER, amount } as IDataObject))!;
			expect(message).toContain(`has no amount such as 149.99, but ${JSON.stringify(amount)}`);
		}
		expect((await payOnce.call({ ...ORDER, reference: '\u200b' })).status).toBe('error');
		expect(examples.sandbox.counts).toEqual({});
		const alike = { ...ORDER, amount: '149.99', reference: 'OR\u00adDER-1\u200b' };
		const payments = handedOut(await payOnce.call(ORDER, alike));
		const { id: paymentId } = examples.paymentFor('ORDER-1');
		const output = { reference: 'ORDER-1', amount: 149.99, paymentId };
		expect(payments).toMatchObject([output, output]);
		expect(created()).toBe(1);
	});

	it('asks for nothing when another run has claimed another row of the order, and lets its own go', async () => {
		await payOnce.call({ ...ORDER, reference: 'MAKES-THE-TABLE' });
		examples.sandbox.reset();
		// Databases that work on several changes at once can make two rows for two runs.
		const claimed = { ...ORDER, state: 'creating', run: '999-0', environment };
		await payOnce.payments.add(claimed, { reference: 'ORDER-1', environment });
		const execution = await payOnce.call(ORDER);
		expect(errorOf(execution)?.message).toContain('ORDER-1 (wait until execution 999, which asked');
		expect(examples.sandbox.counts).toEqual({});
		const [, ...rows] = await payOnce.payments.rows();
		expect(rows).toMatchObject([{ state: 'creating', run: '999-0' }, { state: '' }]);
	});

	it('leaves what was asked and never answered to a person after a kill -9', async () => {
		const n8n = await startOwnN8n();
		try {
			const own = await n8n.api.createCredential(
				'AcountPay',
				'acountPayApi',
				credentialFor(examples.sandbox),
			);
			const killed = new PayOnce(n8n.api);
			await killed.load([own]);
			examples.sandbox.faults.add({ match: { endpoint: 'create' }, made: true, latencyMs: 60_000 });
			const id = await killed.caller([ORDER]);
			await n8n.api.startWorkflow(id);
			await until(() => created() === 1);
			await n8n.restart('kill');
			const again = await n8n.api.runWorkflow(id);
			expect(errorOf(again)?.message).toContain('ORDER-1 (wait until execution');
			expect(created()).toBe(1);
			expect(await killed.payments.rows()).toMatchObject([{ state: 'creating', paymentId: null }]);
			// A person finds that AcountPay has no such payment.
			await killed.payments.change('ORDER-1', { state: '' });
			expect(handedOut(await n8n.api.runWorkflow(id))).toMatchObject([{ isNew: true }]);
		} finally {
			await n8n.stop();
		}
		// It starts an n8n of its own twice.
	}, 480_000);

	it('can be tried by hand', async () => {
		const child = await payOnce.load([examples.credential]);
		examples.track(child.id);
		const execution = await examples.run(child, 'Try It');
		expect(itemsOf(execution, 'Payments')).toHaveLength(2);
		expect(created()).toBe(2);
	});
});
