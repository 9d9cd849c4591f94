import type { ICredentialDataDecryptedObject, INode } from 'n8n-workflow';

import { KEY_MERCHANTS } from '../sandbox';
import type { CredentialReference, WorkflowNode } from '../tools/n8n/workflow';
import type { SandboxProcess } from './sandboxProcess';

/** The name that the measured node has in its workflow. */
export const MEASURED_NODE = 'Measured';

/** The nodes that are compared, in the order of the tables. */
export const CONTESTANTS = ['acountPay', 'httpRequest'] as const;
export type Contestant = (typeof CONTESTANTS)[number];

/** What the tables call them. */
export const TITLES: Record<Contestant, string> = {
	acountPay: 'AcountPay node',
	httpRequest: 'HTTP Request node',
};

/** What the measured node does. A read takes the item's reference for the payment's ID. */
export type BenchOperation = 'create' | 'get' | 'getQrCode' | 'waitForCompletion';

/** How the measured node is set up, where it is not as it comes. */
export interface NodeSettings {
	/** `create` when it is not given. */
	operation?: BenchOperation;
	/** How many calls the AcountPay node has in flight; undefined: as the node comes. */
	maxConcurrency?: number;
	/** Whether the AcountPay node has keys. */
	withKeys?: boolean;
	/** Anything else of the node, such as `onError`. */
	node?: Partial<INode>;
}

/** The credential that a contestant signs in with. */
export function credentialOf(
	contestant: Contestant,
	{ url, clientId, clientSecret, keys }: SandboxProcess,
	{ withKeys }: NodeSettings,
): { type: string; data: ICredentialDataDecryptedObject } {
	if (contestant === 'acountPay') {
		const data = { environment: 'custom', baseUrl: url };
		return withKeys
			? { type: 'acountPayKeyApi', data: { ...data, ...keys } }
			: { type: 'acountPayApi', data: { ...data, clientId, clientSecret } };
	}
	return {
		type: 'oAuth2Api',
		data: {
			grantType: 'clientCredentials',
			authentication: 'body',
			accessTokenUrl: `${url}/oauth/token`,
			scope: '',
			clientId,
			clientSecret,
		},
	};
}

const MERCHANT = '={{ $json.merchant }}';
const AMOUNT = '={{ $json.amount }}';
const REFERENCE = '={{ $json.reference }}';

/** With keys the merchant has to exist. The expression costs what the other one does. */
const KEYS = {
	authentication: 'apiKey',
	merchantId: `={{ $json.merchant && "${KEY_MERCHANTS.shop.clientId}" }}`,
};

const acountPay = ({ operation = 'create', maxConcurrency, withKeys }: NodeSettings) => ({
	type: 'n8n-nodes-acountpay.acountPay',
	typeVersion: 1,
	parameters: {
		resource: 'payment',
		operation,
		merchantId: MERCHANT,
		...(operation === 'create'
			? { amount: AMOUNT, referenceNumber: REFERENCE }
			: { paymentId: REFERENCE }),
		...(withKeys && KEYS),
		options: maxConcurrency === undefined ? {} : { maxConcurrency },
	},
});

/** It can't wait. */
function httpRequest(sandboxUrl: string, { operation = 'create' }: NodeSettings) {
	const url = `${sandboxUrl}/v1/partner/payments`;
	const amountAndReference = [
		{ name: 'amount', value: AMOUNT },
		{ name: 'referenceNumber', value: REFERENCE },
	];
	const request = {
		create: {
			method: 'POST',
			url,
			sendBody: true,
			bodyParameters: { parameters: amountAndReference },
		},
		get: { url: `=${url}/{{ $json.reference }}` },
		getQrCode: {
			url: `=${url}/{{ $json.reference }}/qr`,
			options: { response: { response: { responseFormat: 'file' } } },
		},
		waitForCompletion: {},
	}[operation];
	return {
		type: 'n8n-nodes-base.httpRequest',
		typeVersion: 4.5,
		parameters: {
			...request,
			authentication: 'genericCredentialType',
			genericAuthType: 'oAuth2Api',
			sendHeaders: true,
			headerParameters: { parameters: [{ name: 'X-Merchant-Client-Id', value: MERCHANT }] },
		},
	};
}

/** The measured node as it stands in its workflow. It takes merchant, amount and reference from its item, by one expression each. */
export function nodeOf(
	contestant: Contestant,
	sandboxUrl: string,
	credentials: Record<string, CredentialReference>,
	settings: NodeSettings,
): WorkflowNode {
	return {
		name: MEASURED_NODE,
		...(contestant === 'acountPay' ? acountPay(settings) : httpRequest(sandboxUrl, settings)),
		credentials,
		...settings.node,
	};
}
