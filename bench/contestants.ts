import type { ICredentialDataDecryptedObject, INode } from 'n8n-workflow';
import { randomUUID } from 'node:crypto';

import { KEY_MERCHANTS } from '../sandbox';
import type { WorkflowNode } from '../tools/n8n/workflow';
import { PAYMENTS_PATH } from './gate';
import type { SandboxProcess } from './sandboxProcess';

/** The nodes that are measured, by what the tables call them. */
export const TITLES = {
	acountPay: 'AcountPay node',
	httpRequest: 'HTTP Request node',
	trigger: 'AcountPay Trigger',
	webhook: "n8n's Webhook node with header authentication",
};
export type Contestant = keyof typeof TITLES;

/** The nodes that are compared with each other, in the order of the tables. */
export const SENDERS = ['acountPay', 'httpRequest'] as const;
export const RECEIVERS = ['trigger', 'webhook'] as const;
export type Sender = (typeof SENDERS)[number];
export type Receiver = (typeof RECEIVERS)[number];

/** How a measured node is set up. */
export interface SetUp {
	credentialType: string;
	credential: ICredentialDataDecryptedObject;
	node: Omit<WorkflowNode, 'name'>;
}

/** What a sender does. A read takes the item's reference for the payment's ID. */
export type BenchOperation = 'create' | 'get' | 'getQrCode' | 'waitForCompletion';

/** How a sender is set up, where it is not as it comes. */
export interface NodeSettings {
	/** `create` when it is not given. */
	operation?: BenchOperation;
	/** How many calls the AcountPay node has in flight; undefined: as the node comes. */
	maxConcurrency?: number;
	/** Whether the AcountPay node has keys. */
	withKeys?: boolean;
	onError?: INode['onError'];
}

const MERCHANT = '={{ $json.merchant }}';
const AMOUNT = '={{ $json.amount }}';
const REFERENCE = '={{ $json.reference }}';

/** With keys the merchant has to exist. The expression costs what the other one does. */
const KEYS = {
	authentication: 'apiKey',
	merchantId: `={{ $json.merchant && "${KEY_MERCHANTS.shop.clientId}" }}`,
};

function acountPay({ url, credentials, keys }: SandboxProcess, settings: NodeSettings): SetUp {
	const { operation = 'create', maxConcurrency, withKeys } = settings;
	const forCreate = { amount: AMOUNT, referenceNumber: REFERENCE };
	return {
		credentialType: withKeys ? 'acountPayKeyApi' : 'acountPayApi',
		credential: { environment: 'custom', baseUrl: url, ...(withKeys ? keys : credentials) },
		node: {
			type: 'n8n-nodes-acountpay.acountPay',
			typeVersion: 1,
			parameters: {
				resource: 'payment',
				operation,
				merchantId: MERCHANT,
				...(operation === 'create' ? forCreate : { paymentId: REFERENCE }),
				...(withKeys && KEYS),
				options: maxConcurrency === undefined ? {} : { maxConcurrency },
			},
		},
	};
}

/** It can't wait. */
function httpRequest(sandbox: SandboxProcess, { operation = 'create' }: NodeSettings): SetUp {
	const url = sandbox.url + PAYMENTS_PATH;
	const { clientId, clientSecret } = sandbox.credentials;
	const amount = { name: 'amount', value: AMOUNT };
	const reference = { name: 'referenceNumber', value: REFERENCE };
	const bodyParameters = { parameters: [amount, reference] };
	const request = {
		create: { method: 'POST', url, sendBody: true, bodyParameters },
		get: { url: `=${url}/{{ $json.reference }}` },
		getQrCode: {
			url: `=${url}/{{ $json.reference }}/qr`,
			options: { response: { response: { responseFormat: 'file' } } },
		},
		waitForCompletion: {},
	}[operation];
	return {
		credentialType: 'oAuth2Api',
		credential: {
			grantType: 'clientCredentials',
			authentication: 'body',
			accessTokenUrl: `${sandbox.url}/oauth/token`,
			scope: '',
			clientId,
			clientSecret,
		},
		node: {
			type: 'n8n-nodes-base.httpRequest',
			typeVersion: 4.5,
			parameters: {
				...request,
				authentication: 'genericCredentialType',
				genericAuthType: 'oAuth2Api',
				sendHeaders: true,
				headerParameters: { parameters: [{ name: 'X-Merchant-Client-Id', value: MERCHANT }] },
			},
		},
	};
}

/** The senders. They take merchant, amount and reference from their item, by one expression each. */
export const SENDER_SET_UPS = { acountPay, httpRequest };

/** n8n's Webhook node. */
export const webhookNode = (path: string, parameters: INode['parameters']) => ({
	type: 'n8n-nodes-base.webhook',
	typeVersion: 2,
	parameters: { httpMethod: 'POST', path, ...parameters },
	webhookId: path,
});

/** What events are signed with, or have in {@link TOKEN_HEADER} for the Webhook node. */
export const EVENT_SECRET = 'bench-webhook-secret';
export const TOKEN_HEADER = 'x-bench-token';
const WEBHOOK_ID = randomUUID();

/** The receivers, and the path of their webhooks. */
export const RECEIVER_SET_UPS: Record<Receiver, SetUp & { path: string }> = {
	trigger: {
		credentialType: 'acountPayApi',
		credential: {
			environment: 'sandbox',
			clientId: 'bench',
			clientSecret: 'bench',
			webhookSecret: EVENT_SECRET,
		},
		node: {
			type: 'n8n-nodes-acountpay.acountPayTrigger',
			typeVersion: 1,
			parameters: { events: ['payment.completed'] },
			webhookId: WEBHOOK_ID,
		},
		path: `${WEBHOOK_ID}/webhook`,
	},
	webhook: {
		credentialType: 'httpHeaderAuth',
		credential: { name: TOKEN_HEADER, value: EVENT_SECRET },
		node: webhookNode(WEBHOOK_ID, { authentication: 'headerAuth' }),
		path: WEBHOOK_ID,
	},
};
