import { parametersOf } from '../../../tools/exampleFiles';
import {
	errorOf,
	itemsOf,
	type StoredCredential,
	type StoredWorkflow,
} from '../../../tools/n8n/api';
import { createPayment, readQrCode, until } from '../../kit/payments';
import { textIn } from '../../kit/qrCode';
import { nodesRun, startFrom, type OrderRow } from '../example';
import { startMailbox, type Mailbox } from '../mailbox';
import { MERCHANT, SHOP, useExamples, WAYS } from './kit';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const examples = useExamples();
const { api } = examples;

describe('invoices by mail', () => {
	const REFUSED = 'nobody@example.com';
	let mailbox: Mailbox;
	let smtp: StoredCredential;
	let workflow: StoredWorkflow;

	beforeEach(async () => {
		mailbox = await startMailbox([REFUSED]);
		smtp = await api.createCredential('Mail', 'smtp', mailbox.credential);
		workflow = await examples.load('invoices-by-mail', [smtp]);
		await examples.run(workflow, 'Start');
	});

	afterEach(async () => await mailbox.close());

	const invoice = (reference: string, more: Partial<OrderRow> = {}): OrderRow => ({
		reference,
		merchantId: MERCHANT,
		amount: 1234.5,
		currency: 'DKK',
		customer: 'Anna',
		email: `${reference.toLowerCase()}@example.com`,
		...more,
	});

	it('makes the table first, and asks for nothing', async () => {
		expect(await examples.table.rows()).toEqual([]);
		expect(examples.sandbox.counts).toEqual({});
	});

	it('sends each invoice of its environment with the link and the image of its own payment', async () => {
		const environment = 'sandbox';
		await examples.table.add(
			invoice('INV-1'),
			invoice('INV-2', { amount: 99, customer: 'Bo', environment }),
			invoice('OF-PRODUCTION', { environment: 'production', state: '' }),
		);
		const execution = await examples.run(workflow, 'Start');
		expect(errorOf(execution)).toBeUndefined();
		expect(await examples.table.row('OF-PRODUCTION')).toMatchObject({
			environment: 'production',
			state: '',
		});
		expect(mailbox.mails).toHaveLength(2);
		const note = `Execution ${execution.id} is mailing the link`;
		const noted = itemsOf(execution, 'Note the Payment');
		expect(noted).toMatchObject([{ json: { note } }, { json: { note } }]);
		for (const [reference, name, amount] of [
			['INV-1', 'Anna', '1234.50 DKK'],
			['INV-2', 'Bo', '99.00 DKK'],
		]) {
			const { id } = examples.paymentFor(reference);
			const mail = mailbox.mails.find(({ subject }) => subject === `Invoice ${reference}`)!;
			expect(mail.to).toMatchObject({ text: `${reference.toLowerCase()}@example.com` });
			expect(mail.html).toContain(`Dear ${name}`);
			expect(mail.html).toContain(amount);
			expect(mail.html).toContain(`href="${examples.sandbox.url}/pay/${id}"`);
			expect(mail.attachments).toHaveLength(1);
			const [image] = mail.attachments;
			expect(image).toMatchObject({ cid: 'data', contentType: 'image/png' });
			expect(image.content).toEqual(await readQrCode(examples.sandbox, MERCHANT, id));
			expect(await examples.table.row(reference)).toMatchObject({
				state: 'created',
				paymentId: id,
				environment,
				note: '',
			});
		}
	});

	it('takes API keys', async () => {
		workflow = await examples.load('invoices-by-mail-keys', [smtp]);
		await examples.table.add(invoice('INV-1', { merchantId: SHOP }));
		await examples.run(workflow, 'Start');
		const payment = examples.paymentFor('INV-1');
		expect(payment).toMatchObject({ api: 'keys', merchant: SHOP, amount: 1234.5 });
		const [{ html, attachments }] = mailbox.mails;
		expect(html).toContain(`href="${examples.pageOf(payment)}"`);
		expect(await textIn(attachments[0].content)).toBe(examples.pageOf(payment));
		const paymentId = String(payment.id);
		expect(await examples.table.row('INV-1')).toMatchObject({ state: 'created', paymentId });
	});

	it('writes names with HTML into the mail as they are read', async () => {
		const customer = '<a href="https://evil.example">Anna & "Bo"</a>';
		await examples.table.add(invoice('INV-<b>1</b>', { customer, email: 'anna@example.com' }));
		expect(errorOf(await examples.run(workflow, 'Start'))).toBeUndefined();
		const [{ html, text, subject }] = mailbox.mails;
		expect(html).not.toContain('evil.example"');
		expect(html).not.toContain('<b>');
		expect(`${html}${text}`).toContain('&#60;a href');
		expect(subject).toBe('Invoice INV-<b>1</b>');
	});

	// A reference of its own: with API keys, n8n's process remembers the payments of earlier tests.
	it.each(WAYS)(
		'mails at most one payment and names the other when somebody frees a row that is being created, with $way',
		async ({ suffix, merchant, api: kind }) => {
			workflow = await examples.load(`invoices-by-mail${suffix}`, [smtp]);
			await examples.table.add(invoice('FREED-1', { merchantId: merchant, paymentId: 'pay_old' }));
			// The first execution waits out a 429, and would create its payment in 4 seconds.
			const headers = { 'Retry-After': '4' };
			examples.sandbox.faults.add({ match: { endpoint: 'create' }, status: 429, headers });
			const first = await startFrom(api, workflow.id, 'Start');
			await until(() => examples.sandbox.requests.some(({ endpoint }) => endpoint === 'create'));
			expect(await examples.table.row('FREED-1')).toMatchObject({
				paymentId: '',
				note: expect.stringContaining(`Execution ${first} `),
			});
			await examples.table.change('FREED-1', { state: '' });
			const second = await examples.run(
				await examples.load(`invoices-by-mail${suffix}`, [smtp]),
				'Start',
			);
			const ended = await examples.finished(first);

			const row = await examples.table.row('FREED-1');
			const executions = [ended, second];
			const failed = executions.filter(({ status }) => status === 'error');
			const [counted, other = counted] = examples.sandbox.payments
				.map(({ id }) => String(id))
				.sort((id) => (id === row.paymentId ? -1 : 1));
			const { message } = errorOf(failed[0])!;
			expect(message).toContain(`payment ${other} was created`);
			expect(message).toContain('Wait until all executions for it have ended');
			if (kind === 'keys') {
				// The node finds the payment that the first execution has created, and that it can't note.
				expect(failed).toEqual(executions);
				expect(examples.sandbox.payments).toHaveLength(1);
				const note = expect.stringContaining(`AcountPay has payment ${other} (pending) for it`);
				expect(row).toMatchObject({ state: 'notCreated', paymentId: '', note });
				expect(mailbox.mails).toEqual([]);
			} else {
				expect(failed).toHaveLength(1);
				expect(examples.sandbox.payments).toHaveLength(2);
				expect(row).toMatchObject({ state: 'created', paymentId: counted });
				expect(mailbox.mails).toHaveLength(1);
			}
		},
	);

	it('sends the image alone when AcountPay gives no link under this name', async () => {
		await examples.table.add(invoice('INV-1'));
		const { id } = await createPayment(examples.sandbox, {
			amount: 1234.5,
			referenceNumber: 'INV-1',
		});
		const body = { id, status: 'pending', qrCodeUrl: 'https://acountpay.example.com/qr' };
		examples.sandbox.faults.add({ match: { endpoint: 'create' }, status: 201, body });
		await examples.run(workflow, 'Start');
		const [{ html, attachments }] = mailbox.mails;
		expect(html).toContain('<p>Scan this code with your phone:</p>');
		expect(html).not.toContain('href');
		expect(attachments).toHaveLength(1);
	});

	it('asks for no invoice a second time', async () => {
		await examples.table.add(invoice('INV-1'));
		await examples.run(workflow, 'Start');
		const again = await examples.run(workflow, 'Start');
		expect(again.status).toBe('success');
		expect(nodesRun(again)).not.toContain('Create Payment');
		expect(mailbox.mails).toHaveLength(1);
		examples.paymentFor('INV-1');
	});

	it('sends the others when one fails, says what went wrong, and does not ask again', async () => {
		await examples.table.add(
			invoice('INV-1', { amount: 0 }),
			invoice('INV-2', { email: REFUSED }),
			invoice('INV-3'),
			invoice('INV-4'),
			invoice('INV-5'),
			invoice('DUP-1'),
			invoice('DUP-1', { customer: 'Bo' }),
		);
		// AcountPay makes the payment, and its answer is lost.
		examples.sandbox.faults.add({
			match: { endpoint: 'create', reference: 'INV-4' },
			reset: 'after',
		});
		examples.sandbox.faults.add({ match: { endpoint: 'qr', reference: 'INV-5' }, status: 400 });
		const execution = await examples.run(workflow, 'Start');
		expect(execution.status).toBe('error');
		const { message } = errorOf(execution)!;
		expect(message).toMatch(/^6 of 7 invoices need you: /);
		for (const reference of ['INV-1', 'INV-2', 'INV-4', 'INV-5']) {
			expect(message).toContain(reference);
		}
		expect(message).toMatch(/(; DUP-1 \(2 rows of the table have this reference.*){2}/);
		expect(mailbox.mails.map(({ subject }) => subject)).toEqual(['Invoice INV-3']);
		expect(await examples.table.rows()).toMatchObject([
			{ state: 'notCreated', note: expect.stringContaining('Amount') },
			{ state: 'created', note: expect.stringContaining('The mail was not sent') },
			{ state: 'created', note: '' },
			{ state: 'unknown', note: expect.stringContaining('may or may not exist') },
			{
				state: 'created',
				paymentId: examples.paymentFor('INV-5').id,
				note: expect.stringContaining('QR code is missing'),
			},
			{ reference: 'DUP-1', state: null, paymentId: null },
			{ reference: 'DUP-1', state: null, paymentId: null },
		]);

		const again = await examples.run(workflow, 'Start');
		expect(errorOf(again)?.message).toMatch(/^2 of 2 invoices need you: DUP-1/);
		expect(nodesRun(again)).not.toContain('Create Payment');
		expect(examples.sandbox.payments).toHaveLength(4);
	});

	it('says which mails were not sent when no mail account is chosen', async () => {
		delete workflow.nodes.find(({ name }) => name === 'Send the Mail')!.credentials;
		await api.updateWorkflow(workflow.id, workflow);
		await examples.table.add(invoice('INV-1'), invoice('INV-2'));
		const { message } = errorOf(await examples.run(workflow, 'Start'))!;
		expect(message).toMatch(/^2 of 2 invoices need you: .*INV-1.*INV-2/);
		const note = expect.stringContaining("the node 'Send the Mail' of this execution shows why");
		expect(await examples.table.rows()).toMatchObject([
			{ state: 'created', note },
			{ state: 'created', note },
		]);
	});

	it('leaves a row that another run has taken since it was read', async () => {
		await examples.table.add(invoice('INV-1', { state: 'creating' }));
		const newInvoices = parametersOf(workflow, 'New Invoices');
		newInvoices.jsCode = String(newInvoices.jsCode).replace('!row.state && ', '');
		await api.updateWorkflow(workflow.id, workflow);
		const execution = await examples.run(workflow, 'Start');
		expect(itemsOf(execution, 'New Invoices')).toMatchObject([{ json: { reference: 'INV-1' } }]);
		expect(nodesRun(execution)).not.toContain('Create Payment');
		expect(await examples.table.row('INV-1')).toMatchObject({ state: 'creating' });
	});
});
