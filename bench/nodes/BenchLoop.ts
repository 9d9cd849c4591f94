/* eslint-disable @n8n/community-nodes/node-usable-as-tool, @n8n/community-nodes/node-connection-type-literal -- only ever in n8n for this benchmark, from a folder without n8n-workflow */
import type {
	IDataObject,
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';

/** As many calls as the AcountPay node has in flight when nobody says otherwise. */
const CONCURRENCY = 10;

/** Creates payments with nothing but n8n's authenticated request in a loop: the least a node can do. */
export class BenchLoop implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Bench Loop',
		name: 'benchLoop',
		group: ['output'],
		version: 1,
		description: 'Creates payments',
		defaults: { name: 'Bench Loop' },
		inputs: ['main'],
		outputs: ['main'],
		credentials: [{ name: 'benchApi', required: true }],
		properties: [
			{ displayName: 'URL', name: 'url', type: 'string', default: '' },
			{ displayName: 'Merchant ID', name: 'merchantId', type: 'string', default: '' },
			{ displayName: 'Amount', name: 'amount', type: 'number', default: 0 },
			{ displayName: 'Reference Number', name: 'referenceNumber', type: 'string', default: '' },
		],
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const url = this.getNodeParameter('url', 0) as string;
		const count = this.getInputData().length;
		const output: INodeExecutionData[] = [];
		let next = 0;
		const worker = async () => {
			while (next < count) {
				const item = next++;
				const json = (await this.helpers.httpRequestWithAuthentication.call(this, 'benchApi', {
					method: 'POST',
					url,
					headers: { 'X-Merchant-Client-Id': this.getNodeParameter('merchantId', item) as string },
					body: {
						amount: this.getNodeParameter('amount', item),
						referenceNumber: this.getNodeParameter('referenceNumber', item),
					},
					json: true,
				})) as IDataObject;
				output[item] = { json, pairedItem: { item } };
			}
		};
		await Promise.all(Array.from({ length: CONCURRENCY }, worker));
		return [output];
	}
}
