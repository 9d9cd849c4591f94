import { KEY_MERCHANTS } from '../../../sandbox';
import { errorOf, itemsOf } from '../../../tools/n8n/api';
import { useExamples, WAYS } from './kit';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const examples = useExamples();
const { api } = examples;

const SUCCESS = {
	tokens: 'test_merchant_success',
	keys: KEY_MERCHANTS.success.clientId,
};

describe.each(WAYS)('with $way', ({ suffix, api: kind }) => {
	it('creates a payment with a QR code, and waits until it is paid', async () => {
		const workflow = await examples.load(`create-and-wait${suffix}`);
		const execution = await api.runWorkflow(workflow.id);
		expect(errorOf(execution)).toBeUndefined();
		const [payment] = examples.sandbox.payments;
		expect(payment).toMatchObject({ api: kind, merchant: SUCCESS[kind], amount: 149.99 });
		const [created] = itemsOf(execution, 'Create Payment');
		expect(created.json.paymentUrl).toBe(examples.pageOf(payment));
		expect(created.binary?.data).toMatchObject({ mimeType: 'image/png' });
		const [{ json: paid }] = itemsOf(execution, 'Wait for Completion');
		expect(paid).toMatchObject({ status: 'completed', isPaid: true, waitEndedBy: 'status' });
		expect(String(paid.paymentId)).toBe(String(payment.id));
	});

	it('creates three payments, and reads them back', async () => {
		const workflow = await examples.load(`create-and-get${suffix}`);
		const execution = await api.runWorkflow(workflow.id);
		expect(errorOf(execution)).toBeUndefined();
		expect(examples.sandbox.payments.map(({ amount }) => amount)).toEqual([149.99, 49.5, 899]);
		const read = itemsOf(execution, 'Get Payment').map(({ json }) => json);
		expect(read).toMatchObject([{ isPaid: true }, { isPaid: false }, { status: 'pending' }]);
	});
});
