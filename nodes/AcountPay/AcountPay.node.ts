import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	type IWebhookFunctions,
	type IWebhookResponseData,
	NodeConnectionTypes,
	NodeOperationError,
} from 'n8n-workflow';
import { authenticationOf, credentialsByAuthentication } from '../shared/auth';
import { missingOperation, operationFor, properties } from './actions';
import { searchMerchants } from './actions/merchant/search';
import { ItemRunner } from './execution/itemRunner';
import { resume } from './resume';
import { DESCRIPTION } from '../shared/description';

/** The node 'AcountPay': bank payments by link and QR code. */
export class AcountPay implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'AcountPay',
		name: 'acountPay',
		icon: { light: 'file:../../icons/acountpay.svg', dark: 'file:../../icons/acountpay.dark.svg' },
		group: ['output'],
		// Not 1: n8n adds 'Custom API Call' to the lists of a node whose version is its default one. That hands over to the HTTP
		// Request node, which can use neither credential.
		version: [1],
		defaultVersion: 1,
		// As the lists have it: 'wait for completion: payment'.
		subtitle:
			'={{ $parameter["operation"].replace("getAll", "getMany").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().replace("qr", "QR") + ": " + $parameter["resource"] }}',
		description: DESCRIPTION,
		defaults: { name: 'AcountPay' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: credentialsByAuthentication,
		webhooks: [
			{
				name: 'default',
				httpMethod: 'POST',
				responseMode: 'onReceived',
				path: '',
				// The URL of a waiting execution, not one of the workflow's.
				restartWebhook: true,
			},
		],
		properties,
	};

	methods = { listSearch: { searchMerchants } };

	/* The URL of a waiting execution needs no setting up, but n8n's lint wants these three wherever there are webhooks. */
	webhookMethods = {
		default: {
			checkExists: async () => true,
			create: async () => true,
			delete: async () => true,
		},
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const resource = this.getNodeParameter('resource', 0) as string;
		const name = this.getNodeParameter('operation', 0) as string;
		const operation = operationFor(authenticationOf(this), resource, name);
		if (!operation) {
			const { message, description } = missingOperation(resource, name);
			throw new NodeOperationError(this.getNode(), message, { description });
		}
		return [await new ItemRunner(this, operation).run()];
	}

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		return await resume(this);
	}
}
