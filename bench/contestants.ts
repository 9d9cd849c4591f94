import type { ICredentialDataDecryptedObject, INode } from 'n8n-workflow';

import { KEY_MERCHANTS } from '../sandbox';
import type { CredentialReference, WorkflowNode } from '../tools/n8n/workflow';
import type { SandboxProcess } from './sandboxProcess';

/** The name that the measured node has in its workflow. */
export const MEASURED_NODE = 'Create';

/** The nodes that are compared, in the order of the tables. */
export const CONTESTANTS = ['acountPay', 'httpRequest'] as const;
export type Contestant = (typeof CONTESTANTS)[number];

/** What the tables call them. */
export const TITLES: Record<Contestant, string> = {
	acountPay: 'AcountPay node',
	httpRequest: 'HTTP Request node',
};

/**
 * The credential that a contestant signs in with.
 * @param withKeys whether the AcountPay node has keys
 */
export function credentialOf(
	contestant: Contestant,
	{ url, clientId, clientSecret, keys }: SandboxProcess,
	withKeys = false,
): { type: string; data: ICredentialDataDecryptedObject } {
	if (contestant === 'acountPay' && withKeys) {
		return { type: 'acountPayKeyApi', data: { environment: 'custom', baseUrl: url, ...keys } };
	}
	if (contestant === 'acountPay') {
		return {
			type: 'acountPayApi',
			data: { environment: 'custom', baseUrl: url, clientId, clientSecret },
		};
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
const OPERATION = { merchantId: MERCHANT, amount: AMOUNT, referenceNumber: REFERENCE };

/** What the measured node does. A read takes the item's reference for the payment's ID. */
export type BenchOperation = 'create' | 'get' | 'getQrCode' | 'waitForCompletion';

const READ = { merchantId: MERCHANT, paymentId: REFERENCE };

/** With keys the merchant has to exist. The expression costs what the other one does. */
const KEYS = {
	authentication: 'apiKey',
	merchantId: `={{ $json.merchant && "${KEY_MERCHANTS.shop.clientId}" }}`,
};

/** How the measured node is set up. */
export interface NodeSettings {
	/** `create` when it is not given. */
	operation?: BenchOperation;
	/** How many calls the AcountPay node has in flight; undefined: as the node comes. */
	maxConcurrency?: number;
	/** Whether the AcountPay node has keys. */
	withKeys?: boolean;
	/** Anything else of the node, such as `retryOnFail`. */
	node?: Partial<INode>;
}

/** A request as the HTTP Request node is set up for it; it can't wait. A create has more. */
const httpRequestTo = (paymentsUrl: string, operation: BenchOperation): INode['parameters'] => ({
	url: `=${paymentsUrl}/{{ $json.reference }}${operation === 'getQrCode' ? '/qr' : ''}`,
	authentication: 'genericCredentialType',
	genericAuthType: 'oAuth2Api',
	sendHeaders: true,
	headerParameters: { parameters: [{ name: 'X-Merchant-Client-Id', value: MERCHANT }] },
	...(operation === 'getQrCode' && {
		options: { response: { response: { responseFormat: 'file' } } },
	}),
});

/** Each takes merchant, amount and reference from its item, by one expression each. */
function typeAndParameters(
	contestant: Contestant,
	url: string,
	{ operation = 'create', maxConcurrency, withKeys }: NodeSettings,
): { type: string; typeVersion: number; parameters: INode['parameters'] } {
	const paymentsUrl = `${url}/v1/partner/payments`;
	switch (contestant) {
		case 'acountPay':
			return {
				type: 'n8n-nodes-acountpay.acountPay',
				typeVersion: 1,
				parameters: {
					resource: 'payment',
					operation,
					...(operation === 'create' ? OPERATION : READ),
					...(withKeys && KEYS),
					options: maxConcurrency === undefined ? {} : { maxConcurrency },
				},
			};
		case 'httpRequest':
			return {
				type: 'n8n-nodes-base.httpRequest',
				typeVersion: 4.5,
				parameters: {
					...httpRequestTo(paymentsUrl, operation),
					...(operation === 'create' && {
						method: 'POST',
						url: paymentsUrl,
						sendBody: true,
						bodyParameters: {
							parameters: [
								{ name: 'amount', value: AMOUNT },
								{ name: 'referenceNumber', value: REFERENCE },
							],
						},
					}),
				},
			};
	}
}

/** The measured node as it stands in its workflow. */
export function nodeOf(
	contestant: Contestant,
	sandbox: SandboxProcess,
	credential: CredentialReference,
	settings: NodeSettings = {},
): WorkflowNode {
	const { type } = credentialOf(contestant, sandbox, settings.withKeys);
	return {
		name: MEASURED_NODE,
		...typeAndParameters(contestant, sandbox.url, settings),
		credentials: { [type]: credential },
		...settings.node,
	};
}
