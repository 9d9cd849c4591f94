import { parametersOf } from '../../../tools/exampleFiles';
import { ORDERS } from '../../../tools/exampleSources/tables';
import { isFinished } from '../../../tools/n8n/api';
import { nodesRun } from '../example';
import { startMailbox } from '../mailbox';
import { MERCHANT, useExamples } from './kit';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const examples = useExamples();
const { api } = examples;

describe('invoices, paid orders and the night together', () => {
	it.each([
		['texts', false],
		['numbers', true],
	])(
		'take a payment from the mail to the paid order, and leave nothing for the night: ids are %s',
		async (_what, numericIds) => {
			examples.sandbox.settings.numericIds = numericIds;
			const orders = await examples.load('paid-orders');
			await examples.table.create(ORDERS);
			const trigger = orders.nodes.find(({ name }) => name === 'AcountPay Trigger')!;
			const url = api.webhookUrl(`${trigger.webhookId}/webhook`);
			await examples.publish(orders);
			const mailbox = await startMailbox();
			try {
				const smtp = await api.createCredential('Mail', 'smtp', mailbox.credential);
				const invoices = await examples.load('invoices-by-mail', [smtp], (example) => {
					const { additionalFields } = parametersOf(example, 'Create Payment');
					Object.assign(additionalFields!, { webhookUrl: url });
				});
				await examples.table.add({
					reference: 'INV-1',
					merchantId: MERCHANT,
					amount: 75.25,
					currency: 'DKK',
					customer: 'Anna',
					email: 'anna@example.com',
				});
				await examples.run(invoices, 'Start');
				expect(mailbox.mails).toHaveLength(1);

				await examples.payAndSettle('INV-1');
				await api.waitForExecution(
					(execution) =>
						execution.workflowId === orders.id &&
						execution.mode === 'webhook' &&
						isFinished(execution),
				);
				const { id } = examples.paymentFor('INV-1');
				expect(await examples.table.rows()).toMatchObject([
					{ state: 'paid', paymentId: String(id) },
				]);

				const night = await examples.run(
					await examples.load('nightly-reconciliation'),
					'Every Night',
				);
				expect(nodesRun(night)).not.toContain('Get Payment');
			} finally {
				await mailbox.close();
			}
		},
	);
});
