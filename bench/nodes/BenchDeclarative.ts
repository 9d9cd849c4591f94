/* eslint-disable @n8n/community-nodes/node-usable-as-tool, @n8n/community-nodes/node-connection-type-literal -- only ever in n8n for this benchmark, from a folder without n8n-workflow */
import type { INodeType, INodeTypeDescription } from 'n8n-workflow';

/** Creates payments the declarative way: n8n makes the requests from this description. */
export class BenchDeclarative implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Bench Declarative',
		name: 'benchDeclarative',
		group: ['output'],
		version: 1,
		description: 'Creates payments',
		defaults: { name: 'Bench Declarative' },
		inputs: ['main'],
		outputs: ['main'],
		credentials: [{ name: 'benchApi', required: true }],
		requestDefaults: {
			baseURL: '={{ $credentials.baseUrl }}',
			headers: { Accept: 'application/json' },
		},
		properties: [
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				options: [
					{
						name: 'Create',
						value: 'create',
						routing: { request: { method: 'POST', url: '/v1/partner/payments' } },
					},
				],
				default: 'create',
			},
			{
				displayName: 'Merchant ID',
				name: 'merchantId',
				type: 'string',
				default: '',
				routing: { request: { headers: { 'X-Merchant-Client-Id': '={{ $value }}' } } },
			},
			{
				displayName: 'Amount',
				name: 'amount',
				type: 'number',
				default: 0,
				routing: { send: { type: 'body', property: 'amount' } },
			},
			{
				displayName: 'Reference Number',
				name: 'referenceNumber',
				type: 'string',
				default: '',
				routing: { send: { type: 'body', property: 'referenceNumber' } },
			},
		],
	};
}
