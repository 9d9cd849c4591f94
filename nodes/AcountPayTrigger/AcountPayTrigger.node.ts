import {
	type IHookFunctions,
	type INodeType,
	type INodeTypeDescription,
	type IWebhookFunctions,
	type IWebhookResponseData,
	NodeConnectionTypes,
} from 'n8n-workflow';
import type { EventName } from '../shared/api/events';
import { AUTH_METHODS } from '../shared/auth';
import { contradictsItself } from '../shared/webhooks/doubts';
import {
	answer,
	logDoubt,
	receiveEvent,
	requireWebhookSecret,
	webhookSecretOf,
} from '../shared/webhooks/receive';
import { SCHEMES } from '../shared/webhooks/schemes';
import { isRepeat } from './deduplication';

/** The node 'AcountPay Trigger': starts a workflow when AcountPay tells of a payment. */
export class AcountPayTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'AcountPay Trigger',
		name: 'acountPayTrigger',
		icon: { light: 'file:../../icons/acountpay.svg', dark: 'file:../../icons/acountpay.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: '={{ $parameter["events"].join(", ") }}',
		description: 'Starts the workflow when AcountPay sends an event of a payment',
		defaults: { name: 'AcountPay Trigger' },
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: AUTH_METHODS.oAuth2.credentialType, required: true }],
		webhooks: [
			{ name: 'default', httpMethod: 'POST', responseMode: 'onReceived', path: 'webhook' },
		],
		eventTriggerDescription:
			'Waiting for an event: create a payment whose Webhook URL is the test URL of this trigger',
		activationMessage:
			"Set this trigger's production URL as the Webhook URL of the payments it should listen to.",
		triggerPanel: {
			header: 'Start on AcountPay events',
			executionsHelp: {
				inactive:
					'<b>While you build</b>, open <b>Webhook URLs</b> on the right and copy the <b>Test URL</b> into the field Webhook URL of an AcountPay node. Execute this step, then create a payment. <br /> <br /> <b>When it works</b>, publish the workflow and use the <b>Production URL</b> instead.',
				active:
					'<b>While you build</b>, open <b>Webhook URLs</b> on the right and copy the <b>Test URL</b> into the field Webhook URL of an AcountPay node. Execute this step, then create a payment. <br /> <br /> <b>This workflow is published</b>: events that arrive at the <b>Production URL</b> are listed under Executions.',
			},
			activationHint:
				"Once it works, publish the workflow and set the production URL as your payments' Webhook URL.",
		},
		properties: [
			{
				displayName:
					'AcountPay sends events to the Webhook URL that a payment was created with. Open <b>Webhook URLs</b> above and copy one into the field Webhook URL of the AcountPay node that creates the payments: the <b>Test URL</b> works while this step listens, the <b>Production URL</b> once the workflow is published.',
				name: 'webhookNotice',
				type: 'notice',
				default: '',
			},
			{
				displayName: 'Trigger On',
				name: 'events',
				type: 'multiOptions',
				required: true,
				options: [
					{
						name: 'Payment Completed',
						value: 'payment.completed',
						description: 'The money is on its way',
					},
					{ name: 'Payment Created', value: 'payment.created' },
					{
						name: 'Payment Expired',
						value: 'payment.expired',
						description: 'Nobody paid within 30 minutes',
					},
					{
						name: 'Payment Failed',
						value: 'payment.failed',
						description: 'Declined or broken off',
					},
					{
						name: 'Payment Processing',
						value: 'payment.processing',
						description: 'The customer is paying',
					},
				],
				default: ['payment.completed'],
			},
			{
				displayName: 'Options',
				name: 'options',
				type: 'collection',
				placeholder: 'Add option',
				default: {},
				options: [
					{
						displayName: 'Ignore Repeats',
						name: 'ignoreRepeats',
						type: 'boolean',
						default: true,
						description:
							'Whether the same event of the same payment starts the workflow only once. Events are remembered for 24 hours, the last 50,000 of them. While you listen for a test event, every event counts.',
					},
				],
			},
		],
	};

	/* AcountPay takes the URL with each payment, so there is nothing to set up there; only what must be in order here. */
	webhookMethods = {
		default: {
			async checkExists(this: IHookFunctions): Promise<boolean> {
				await requireWebhookSecret(this, webhookSecretOf);
				return false;
			},
			async create(this: IHookFunctions): Promise<boolean> {
				await requireWebhookSecret(this, webhookSecretOf);
				return true;
			},
			async delete(this: IHookFunctions): Promise<boolean> {
				return true;
			},
		},
	};

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		const event = await receiveEvent(this, SCHEMES.oAuth2, webhookSecretOf);
		if (!event) return { noWebhookResponse: true };

		// An expression may give a single one.
		const events = [this.getNodeParameter('events') as EventName | EventName[]].flat();
		if (!events.some((name) => name === event.event)) return answer(this, 200, 'ignored');
		if (contradictsItself(event)) {
			logDoubt(this, event, 'its status contradicts its name');
			return answer(this, 200, 'ignored');
		}

		const { ignoreRepeats = true } = this.getNodeParameter('options', {}) as {
			ignoreRepeats?: boolean;
		};
		const isTest = this.getMode() === 'manual';
		const triggerId = `${this.getWorkflow().id} ${this.getNode().id}`;
		const repeated =
			ignoreRepeats &&
			!isTest &&
			isRepeat(event, triggerId, this.getWorkflowStaticData('node'), Date.now());
		if (repeated) return answer(this, 200, 'ignored');

		return {
			...answer(this, 200, 'accepted'),
			// Not by n8n's `returnJsonArray`, which takes an event with a field `json` apart.
			workflowData: [[{ json: event }]],
		};
	}
}
