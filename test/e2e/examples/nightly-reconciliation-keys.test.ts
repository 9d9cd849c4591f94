import { KEY_MERCHANTS } from '../../../sandbox';
import { importExample } from '../../../tools/exampleFiles';
import {
	errorOf,
	isFinished,
	itemsOf,
	type N8nApi,
	type StoredCredential,
	type StoredWorkflow,
} from '../../../tools/n8n/api';
import { startOwnN8n } from '../../kit/n8n';
import { until } from '../../kit/payments';
import { DataTable, nodesRun, startFrom, type OrderRow } from '../example';
import { startMailbox } from '../mailbox';
import { SHOP, useExamples, withoutPatience } from './kit';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const examples = useExamples();
const { api } = examples;

describe('nightly reconciliation with keys', () => {
	const REFERENCES = ['INV-1', 'INV-2', 'INV-3'];
	let workflow: StoredWorkflow;

	/** Imports the example, which then waits for no order that may be on its way. */
	const loadInto = async (n8n: N8nApi, credential: StoredCredential) =>
		await importExample(n8n, 'nightly-reconciliation-keys', [credential], withoutPatience);

	beforeEach(async () => {
		workflow = await loadInto(api, examples.keys);
		examples.track(workflow.id);
		await examples.run(workflow, 'Every Night');
	});

	const order = (reference: string, more: Partial<OrderRow> = {}): OrderRow => ({
		reference,
		merchantId: SHOP,
		amount: 80,
		currency: 'DKK',
		environment: 'sandbox',
		state: 'creating',
		...more,
	});

	const pay = async (referenceNumber: string, more: object = {}) =>
		await examples.createKeyPayment({ amount: 80, referenceNumber, ...more });

	/** A row whose payment is noted. */
	const asked = async (reference: string) => {
		const paymentId = await pay(reference);
		await examples.table.add(order(reference, { state: 'created', paymentId: String(paymentId) }));
		return paymentId;
	};

	it('can be published, and asks for nothing while nothing is open', async () => {
		await examples.publish(workflow);
		expect(examples.sandbox.counts).not.toHaveProperty(['list 200']);
	});

	it('brings the table up to date and says what changed', async () => {
		// Three pages.
		examples.sandbox.settings.listMax = 2;
		examples.sandbox.decline(await asked('DECLINED'));
		await asked('PAID');
		await examples.payAndSettle('PAID');
		await asked('PENDING');
		await examples.table.add(
			order('OTHER', { merchantId: KEY_MERCHANTS.slow.clientId, state: 'creating' }),
		);
		const other = await pay('OTHER', { merchantClientId: KEY_MERCHANTS.slow.clientId });
		const execution = await examples.run(workflow, 'Every Night');
		expect(errorOf(execution)).toBeUndefined();
		expect(await examples.table.rows()).toMatchObject([
			{ reference: 'DECLINED', state: 'declined' },
			{ reference: 'PAID', state: 'paid' },
			{ reference: 'PENDING', state: 'created' },
			{ reference: 'OTHER', state: 'created', paymentId: String(other) },
		]);
		expect(itemsOf(execution, 'Report')).toMatchObject([
			{
				json: {
					found: [{ reference: 'OTHER' }],
					changed: [{ reference: 'DECLINED' }, { reference: 'PAID' }, { reference: 'OTHER' }],
					stillOpen: [{ reference: 'PENDING' }],
					problems: [],
				},
			},
		]);
	});

	it('finds payments that no order has noted', async () => {
		const first = await pay('AGAIN');
		examples.sandbox.decline(first);
		await examples.table.add(
			order('CLAIMED'),
			order('NEW', { state: undefined, environment: undefined }),
			order('UNKNOWN', { state: 'unknown', note: 'It may or may not exist' }),
			order('AGAIN', { paymentId: String(first) }),
			order('REFUSED', { state: 'notCreated', note: 'AcountPay refused it' }),
			order('LOST', { state: undefined }),
			order('DECLINED'),
		);
		const claimed = await pay('CLAIMED');
		const paid = await pay('NEW');
		await examples.payAndSettle('NEW');
		const unknown = await pay('UNKNOWN');
		const again = await pay('AGAIN');
		// It was declined, so the order is still to be asked for.
		examples.sandbox.decline(await pay('LOST'));
		const declined = await pay('DECLINED');
		examples.sandbox.decline(declined);
		const execution = await examples.run(workflow, 'Every Night');
		expect(errorOf(execution)).toBeUndefined();
		const note = expect.stringContaining('Found in AcountPay');
		expect(await examples.table.rows()).toMatchObject([
			{ reference: 'CLAIMED', state: 'created', paymentId: String(claimed), note },
			{ reference: 'NEW', state: 'paid', paymentId: String(paid), note, environment: 'sandbox' },
			{ reference: 'UNKNOWN', state: 'created', paymentId: String(unknown), note },
			{ reference: 'AGAIN', state: 'created', paymentId: String(again), note },
			{ reference: 'REFUSED', state: 'notCreated', paymentId: null, note: 'AcountPay refused it' },
			{ reference: 'LOST', state: null, paymentId: null },
			{ reference: 'DECLINED', state: 'declined', paymentId: String(declined), note },
		]);
	});

	it('leaves to a person what is in doubt, and mixes up no payments', async () => {
		const doubts: Array<[OrderRow, string]> = [
			[
				order('NONE', { environment: undefined }),
				'lists no payment for it: wait until the execution',
			],
			[order('TWICE'), 'look which one counts'],
			[order('SHARED'), '2 rows of the table have this reference'],
			[order('SHARED'), '2 rows of the table have this reference'],
			[order('AMOUNT', { amount: 800 }), 'has the amount 80 instead of 800'],
			[order('CURRENCY', { currency: 'EUR' }), 'has the currency DKK instead of EUR'],
			[order('MERCHANT', { merchantId: KEY_MERCHANTS.fail.clientId }), 'lists no payment for it'],
			[order('GONE', { state: 'created', paymentId: '42' }), 'does not list payment 42'],
		];
		await examples.table.add(...doubts.map(([row]) => row));
		for (const reference of ['TWICE', 'TWICE', 'SHARED', 'AMOUNT', 'CURRENCY', 'MERCHANT']) {
			await pay(reference);
		}
		const cheaper = await asked('CHEAPER');
		await examples.payAndSettle('CHEAPER');
		await examples.table.change('CHEAPER', { amount: 800 });
		const states = async () =>
			(await examples.table.rows()).map(({ state, paymentId }) => [state || '', paymentId || '']);
		const before = await states();
		const execution = await examples.run(workflow, 'Every Night');
		expect(execution.status).toBe('error');
		const { message } = errorOf(execution)!;
		expect(message).toMatch(/^9 orders need you: /);
		for (const [{ reference }, problem] of doubts) {
			expect(message).toMatch(new RegExp(`${reference} \\(.*${problem}`));
		}
		expect(message).toContain(`payment ${cheaper} (paid), which has the amount 80 instead of 800`);
		expect(await states()).toEqual(before);
		expect(await examples.table.row('CHEAPER')).toMatchObject({ paymentId: String(cheaper) });
		// It may be an order of production.
		expect(await examples.table.row('NONE')).toMatchObject({ environment: '' });
	});

	it('says so when the noted payment has ended and another one is paid, or is of another order', async () => {
		const expired = await asked('TWICE');
		examples.sandbox.decline(expired);
		const paid = await pay('TWICE');
		const other = await asked('OTHER');
		await examples.table.add(order('WRONG', { state: 'created', paymentId: String(other) }));
		for (const id of [paid, other]) examples.sandbox.pay(id);
		examples.sandbox.clock.advance(1_000);
		const execution = await examples.run(workflow, 'Every Night');
		const { message } = errorOf(execution)!;
		expect(message).toMatch(/^2 orders need you: /);
		expect(message).toContain(`payment ${paid} (paid)`);
		expect(message).toContain(`does not list payment ${other} for it`);
		expect(await examples.table.rows()).toMatchObject([
			{ reference: 'TWICE', state: 'created', paymentId: String(expired) },
			{ reference: 'OTHER', state: 'paid' },
			{ reference: 'WRONG', state: 'created', paymentId: String(other) },
		]);
	});

	/** AcountPay lists this one payment of the shop. */
	const listed = (payment: object) => {
		const entry = {
			...{ id: 7, referenceNumber: 'ORDER-1', amount: 80, currency: 'DKK', status: 'paid' },
			...{ merchantClientId: SHOP, createdAt: new Date().toISOString(), ...payment },
		};
		const body = { payments: [entry], total: 1, page: 1, limit: 20 };
		examples.sandbox.faults.add({ match: { endpoint: 'list' }, body, times: 'always' });
	};

	it('takes no payment that is older than the last change of the row', async () => {
		await examples.table.add(order('ORDER-1', { state: undefined }));
		const lastWeek = new Date(Date.now() - 7 * 24 * 60 * 60_000).toISOString();
		listed({ createdAt: lastWeek });
		const execution = await examples.run(workflow, 'Every Night');
		expect(errorOf(execution)?.message).toBe(
			'1 orders need you: ORDER-1 (payment 7 (paid) has its reference, but is older than the last change of the row)',
		);
		expect(await examples.table.row('ORDER-1')).toMatchObject({ state: '', paymentId: '' });
	});

	it('finds a payment whatever carries no meaning: spaces, an amount as text, the case of a currency', async () => {
		await examples.table.add(order('ORDER-1', { merchantId: `${SHOP} ` }));
		listed({ amount: '80.00', currency: 'dkk' });
		expect(errorOf(await examples.run(workflow, 'Every Night'))).toBeUndefined();
		expect(await examples.table.row('ORDER-1')).toMatchObject({ state: 'paid', paymentId: '7' });
	});

	it("takes a list that it can't read for no answer, and leaves the other environment alone", async () => {
		const { clientId } = KEY_MERCHANTS.slow;
		await examples.table.add(
			order('UNREAD', { merchantId: clientId }),
			order('PRODUCTION', { environment: 'production' }),
		);
		await asked('PAID');
		await examples.payAndSettle('PAID');
		const match = { endpoint: 'list', merchant: clientId } as const;
		examples.sandbox.faults.add({ match, status: 400, times: 'always' });
		const execution = await examples.run(workflow, 'Every Night');
		const { message } = errorOf(execution)!;
		expect(message).toMatch(/^1 orders need you: UNREAD /);
		expect(message).not.toContain('lists no payment');
		expect(await examples.table.rows()).toMatchObject([
			{ reference: 'UNREAD', state: 'creating' },
			{ reference: 'PRODUCTION', state: 'creating', note: null },
			{ reference: 'PAID', state: 'paid' },
		]);
	});

	it('leaves alone an order that may be on its way, and one that another workflow changes meanwhile', async () => {
		const patient = await examples.load('nightly-reconciliation-keys');
		await examples.table.add(order('ON-ITS-WAY'));
		await asked('CHANGED');
		await examples.payAndSettle('CHANGED');
		examples.sandbox.decline(await asked('EXCHANGED'));
		const exchanged = { state: 'created', paymentId: '42' };
		examples.sandbox.faults.add({ match: { endpoint: 'list' }, latencyMs: 3_000 });
		const executionId = await startFrom(api, patient.id, 'Every Night');
		await until(() => examples.sandbox.requests.some(({ endpoint }) => endpoint === 'list'));
		await examples.table.change('CHANGED', { state: 'expired' });
		await examples.table.change('EXCHANGED', exchanged);
		expect(errorOf(await examples.finished(executionId))).toBeUndefined();
		expect(await examples.table.row('ON-ITS-WAY')).toMatchObject({ state: 'creating', note: null });
		expect(await examples.table.row('CHANGED')).toMatchObject({ state: 'expired' });
		expect(await examples.table.row('EXCHANGED')).toMatchObject(exchanged);
	});

	it('finds what a killed n8n has made', async () => {
		const n8n = await startOwnN8n();
		const mailbox = await startMailbox();
		try {
			const own = await n8n.api.createCredential(
				'AcountPay',
				'acountPayKeyApi',
				examples.keyData(),
			);
			const smtp = await n8n.api.createCredential('Mail', 'smtp', mailbox.credential);
			const invoices = await importExample(n8n.api, 'invoices-by-mail-keys', [own, smtp]);
			const night = await loadInto(n8n.api, own);
			const orders = new DataTable<OrderRow>(n8n.api, 'AcountPay orders');
			const runThere = async (id: string, trigger: string) => {
				const executionId = await startFrom(n8n.api, id, trigger);
				return await n8n.api.waitForExecution((one) => one.id === executionId && isFinished(one));
			};
			await runThere(invoices.id, 'Start');
			await orders.add(...REFERENCES.map((reference) => order(reference, { state: undefined })));
			// AcountPay makes the payment, and n8n ends before the answer has come.
			examples.sandbox.faults.add({
				match: { endpoint: 'create', reference: 'INV-2' },
				latencyMs: 60_000,
			});
			await startFrom(n8n.api, invoices.id, 'Start');
			await until(() => examples.sandbox.payments.length === 3);
			await n8n.restart('kill');
			expect(await orders.rows()).toMatchObject(REFERENCES.map(() => ({ state: 'creating' })));
			await examples.payAndSettle('INV-3');

			const execution = await runThere(night.id, 'Every Night');
			expect(errorOf(execution)).toBeUndefined();
			const found = REFERENCES.map((reference, index) => ({
				reference,
				state: index === 2 ? 'paid' : 'created',
				paymentId: String(examples.paymentFor(reference).id),
			}));
			expect(await orders.rows()).toMatchObject(found);
			expect(itemsOf(execution, 'Report')[0].json.found).toHaveLength(3);
			const again = await runThere(invoices.id, 'Start');
			expect(nodesRun(again)).not.toContain('Create Payment');
			expect(examples.sandbox.payments).toHaveLength(3);
			expect(mailbox.mails).toEqual([]);
		} finally {
			await mailbox.close();
			await n8n.stop();
		}
		// It starts an n8n of its own twice.
	}, 480_000);
});
