import type { ICredentialDataDecryptedObject, INode } from 'n8n-workflow';

import type { CredentialReference, WorkflowNode } from '../tools/n8n/workflow';
import type { SandboxProcess } from './sandboxProcess';

/** The name that the measured node has in its workflow. */
export const MEASURED_NODE = 'Create';

/** Those that are measured inside n8n, in the order of the tables. */
export const N8N_CONTESTANTS = ['acountPay', 'httpRequest', 'declarative', 'loop'] as const;
export type N8nContestant = (typeof N8N_CONTESTANTS)[number];

/** All that are measured. */
export const CONTESTANTS = [...N8N_CONTESTANTS, 'axios'] as const;
export type Contestant = (typeof CONTESTANTS)[number];

/** What the tables and the chart call them. */
export const TITLES: Record<Contestant, string> = {
	acountPay: 'AcountPay node',
	httpRequest: 'HTTP Request node',
	declarative: 'Declarative node',
	loop: "Loop over n8n's request",
	axios: 'axios, without n8n',
};

/** The credential that a contestant signs in with. */
export function credentialOf(
	contestant: N8nContestant,
	{ url, clientId, clientSecret }: SandboxProcess,
): { type: string; data: ICredentialDataDecryptedObject } {
	if (contestant === 'acountPay') {
		return {
			type: 'acountPayApi',
			data: { environment: 'custom', baseUrl: url, clientId, clientSecret },
		};
	}
	return {
		type: contestant === 'httpRequest' ? 'oAuth2Api' : 'benchApi',
		data: {
			grantType: 'clientCredentials',
			authentication: 'body',
			accessTokenUrl: `${url}/oauth/token`,
			baseUrl: url,
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
	contestant: N8nContestant,
	url: string,
	maxConcurrency: number | undefined,
	operation: BenchOperation,
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
		case 'declarative':
			return {
				type: 'CUSTOM.benchDeclarative',
				typeVersion: 1,
				parameters: { operation: 'create', ...OPERATION },
			};
		case 'loop':
			return {
				type: 'CUSTOM.benchLoop',
				typeVersion: 1,
				parameters: { url: paymentsUrl, ...OPERATION },
			};
	}
}

/**
 * The measured node as it stands in its workflow.
 *
 * @param maxConcurrency how many calls the AcountPay node has in flight; undefined: as the node comes
 */
export function nodeOf(
	contestant: N8nContestant,
	{ url }: SandboxProcess,
	credential: CredentialReference,
	maxConcurrency: number | undefined,
	more: Partial<INode> = {},
	operation: BenchOperation = 'create',
): WorkflowNode {
	return {
		name: MEASURED_NODE,
		...typeAndParameters(contestant, url, maxConcurrency, operation),
		credentials: { [credentialOf(contestant, { url } as SandboxProcess).type]: credential },
		...more,
	};
}
