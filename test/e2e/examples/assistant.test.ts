import { type StoredCredential, type StoredWorkflow } from '../../../tools/n8n/api';
import { createPayment } from '../../kit/payments';
import { Chat } from '../chat';
import { startModel, type Model, type Reply } from '../model';
import { MERCHANT, useExamples } from './kit';

// Usually 40 s for the longest; a busy machine takes several times that.
jest.setTimeout(240_000);

const examples = useExamples();
const { api } = examples;

describe('assistant', () => {
	let model: Model;
	let reply: (toolAnswers: string[]) => Reply;
	let workflow: StoredWorkflow;
	let chat: Chat | undefined;

	let openAi: StoredCredential;

	beforeEach(async () => {
		model = await startModel(({ messages }) =>
			reply(messages.filter(({ role }) => role === 'tool').map(({ content }) => content)),
		);
		openAi = await api.createCredential('Model', 'openAiApi', model.credential);
		workflow = await examples.load('assistant', [openAi]);
	});

	afterEach(async () => {
		chat?.close();
		await model.close();
	});

	const write = async (message: string) =>
		(chat = await Chat.open(api, workflow.id, 'When Chat Message Received', message));

	const askForMoney = {
		call: 'Create_Payment',
		with: { toolParameters: { amount: 149.99, reference: 'ORDER-1001' }, hitlParameters: {} },
	};

	it('offers the model two tools, and no merchant to choose', async () => {
		reply = () => ({ text: 'Hello' });
		await write('Hello');
		expect(await chat!.next()).toBe('Hello');
		const [{ tools }] = model.questions;
		expect(tools.map(({ name }) => name).sort()).toEqual(['Create_Payment', 'Get_Payment']);
		const { toolParameters } = tools.find(({ name }) => name === 'Create_Payment')!.parameters
			.properties as { toolParameters: { properties: object } };
		expect(Object.keys(toolParameters.properties)).toEqual(['amount', 'reference']);
		const read = tools.find(({ name }) => name === 'Get_Payment')!;
		expect(Object.keys(read.parameters.properties)).toEqual(['paymentId']);
	});

	it('creates the payment when the person approves, and gives the link', async () => {
		reply = ([answer]) => (answer ? { text: JSON.parse(answer)[0].paymentUrl } : askForMoney);
		await write('Ask for 149.99 for ORDER-1001');
		const approval = await chat!.approval();
		expect(approval.text).toBe('Shall I ask for 149.99 DKK for ORDER-1001?');
		expect(examples.sandbox.payments).toEqual([]);

		await chat!.click(approval, 'Approve');
		const link = await chat!.next();
		const payment = examples.paymentFor('ORDER-1001');
		expect(link).toBe(`${examples.sandbox.url}/pay/${payment.id}`);
		expect(payment).toMatchObject({ merchant: MERCHANT, amount: 149.99, currency: 'DKK' });
		expect((await examples.finished(chat!.executionId)).status).toBe('success');
	});

	it('creates nothing when the person declines', async () => {
		reply = ([answer]) => (answer ? { text: 'Then not.' } : askForMoney);
		await write('Ask for 149.99 for ORDER-1001');
		await chat!.click(await chat!.approval(), 'Decline');
		expect(await chat!.next()).toBe('Then not.');
		expect(examples.sandbox.payments).toEqual([]);
		expect(examples.sandbox.counts).toEqual({});
	});

	it('tells the model when it is not known whether a payment was made', async () => {
		examples.sandbox.faults.add({ match: { endpoint: 'create' }, reset: 'after' });
		reply = ([answer]) => (answer ? { text: answer } : askForMoney);
		await write('Ask for 149.99 for ORDER-1001');
		await chat!.click(await chat!.approval(), 'Approve');
		expect(await chat!.next()).toContain('may or may not exist');
	});

	it('tells the model, with API keys, which payment another chat has created for the order', async () => {
		const body = { amount: 149.99, referenceNumber: 'ORDER-1001' };
		const id = await examples.createKeyPayment(body);
		workflow = await examples.load('assistant-keys', [openAi]);
		reply = ([answer]) => (answer ? { text: answer } : askForMoney);
		await write('Ask for 149.99 for ORDER-1001');
		await chat!.click(await chat!.approval(), 'Approve');
		expect(await chat!.next()).toContain(`AcountPay has payment ${id} (pending) for it already`);
		examples.paymentFor('ORDER-1001');
	});

	it('reads a payment', async () => {
		const { id } = await createPayment(examples.sandbox, { amount: 5, referenceNumber: 'ORDER-5' });
		reply = ([answer]) =>
			answer
				? { text: `It is ${JSON.parse(answer)[0].status}` }
				: { call: 'Get_Payment', with: { paymentId: id } };
		await write('Is it paid?');
		expect(await chat!.next()).toBe('It is pending');
	});
});
