import {
	acountPayTool,
	merchantId,
	merchantIdToRead,
	n8n,
	node,
	note,
	type ExampleSource,
} from './kit';

const SYSTEM_MESSAGE = `You help the staff of a shop to ask customers for bank payments with AcountPay.

- Ask for a payment only when you have been told the amount and a reference, such as an order number. Never make up or change either of them.
- Ask for each payment once. When a call fails and the payment may or may not exist, say so and stop: never ask for it again by yourself.
- Give the link to the customer's page (paymentUrl) as it is.
- A payment is known by the ID that Create Payment gave. The reference is never that ID: without the ID, say that you don't know.
- A payment is paid only when its isPaid is true and, where Get Payment shows them, its amount and currency are those that were asked for. Say of any other payment that it is not paid.`;

/** The merchant that is fixed in both tools. With API keys, this package's sandbox shop. */
const MERCHANT = {
	accessTokens: 'merchant_abc123',
	apiKeys: '11111111-1111-4111-8111-111111111111',
};

/** A chat in which a language model asks for payments, once a person has approved each. */
export const assistant: ExampleSource = {
	file: 'assistant',
	title: 'assistant',

	draw: (way) => ({
		nodes: [
			note(
				'chat',
				[-48, -240, 560, 576],
				7,
				'## Ask for payments in a chat\n*"Ask for 149.99 for order 1001"*, *"Is it paid?"*\nOpen the chat below the canvas to try it. Choose your credentials first: one for your language model, one for AcountPay.',
			),
			note(
				'tools',
				[536, -240, 592, 736],
				4,
				`## What the assistant may do\nIt can create a payment and read one, nothing else. ${way === 'apiKeys' ? 'Put your merchant ID into **Create Payment**.' : 'Put your merchant ID into both tools.'}\n\n**Ask Me First** shows amount and reference in the chat: the payment is created only when you approve.`,
			),
			node(
				'When Chat Message Received',
				[0, 0],
				n8n('@n8n/n8n-nodes-langchain.chatTrigger', 1.4, {
					options: { responseMode: 'responseNodes' },
				}),
			),
			node(
				'Assistant',
				[208, 0],
				n8n('@n8n/n8n-nodes-langchain.agent', 3, { options: { systemMessage: SYSTEM_MESSAGE } }),
			),
			node(
				'Answer',
				[1184, 0],
				n8n('@n8n/n8n-nodes-langchain.chat', 1.3, {
					operation: 'send',
					message: '={{ $json.output }}',
					options: {},
				}),
			),
			node(
				'Language Model',
				[128, 208],
				n8n('@n8n/n8n-nodes-langchain.lmChatOpenAi', 1.2, {
					model: { __rl: true, mode: 'list', value: 'gpt-5-mini' },
					options: {},
				}),
			),
			node('Memory', [304, 208], n8n('@n8n/n8n-nodes-langchain.memoryBufferWindow', 1.3)),
			node(
				'Ask Me First',
				[624, 144],
				n8n('@n8n/n8n-nodes-langchain.chatHitlTool', 1.3, {
					message:
						'=Shall I ask for {{ $tool.parameters.amount }} DKK for {{ $tool.parameters.reference }}?',
					approvalOptions: { values: { approvalType: 'double' } },
					options: {},
				}),
			),
			node(
				'Create Payment',
				[624, 336],
				acountPayTool(way, 'payment.create', {
					descriptionType: 'manual',
					toolDescription:
						'Asks a customer for a bank payment in Danish kroner. Gives the link at which the customer pays, and the ID of the payment.',
					merchantId: merchantId(way, MERCHANT[way]),
					amount:
						"={{ $fromAI('amount', 'What the customer is to pay in kroner: 149.99 is 149 kroner and 99 øre', 'number') }}",
					referenceNumber:
						"={{ $fromAI('reference', 'The order or invoice number that the payment is for', 'string') }}",
					additionalFields: { currency: 'DKK' },
					// Another chat may have asked for the same order; with access tokens, there is no such option.
					options: way === 'apiKeys' ? { existingPayment: 'fail' } : {},
				}),
			),
			node(
				'Get Payment',
				[960, 144],
				acountPayTool(way, 'payment.get', {
					descriptionType: 'manual',
					toolDescription: 'Reads a payment and its status by its ID.',
					...merchantIdToRead(way, MERCHANT[way]),
					paymentId:
						"={{ $fromAI('paymentId', 'The ID that Create Payment gave, never the reference', 'string') }}",
					options: {},
				}),
			),
		],
		connections: [
			'When Chat Message Received > Assistant > Answer',
			'Language Model{ai_languageModel} > Assistant',
			'Memory{ai_memory} > Assistant',
			'Create Payment{ai_tool} > Ask Me First{ai_tool} > Assistant',
			'Get Payment{ai_tool} > Assistant',
		],
	}),
};
