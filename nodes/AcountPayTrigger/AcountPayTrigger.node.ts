import {
	type IHookFunctions,
	type INodeType,
	type INodeTypeDescription,
	type IWebhookFunctions,
	type IWebhookResponseData,
	NodeConnectionTypes,
} from 'n8n-workflow';
import { authenticationField, authenticationOf, credentialsByAuthentication } from '../shared/auth';
import { DESCRIPTION } from '../shared/description';
import { nodeKeyOf } from '../shared/requestContext';
import { doubtAboutStatus } from '../shared/webhooks/doubts';
import { answer, logDoubt, logUnknownOnce } from '../shared/webhooks/receive';
import { SCHEMES } from '../shared/webhooks/schemes';
import { isRepeat } from './deduplication';
import { eventsField, eventsOf, foreignEventNotices, notices } from './fields';
import { subscriptionOf } from './subscriptions';

/** The node 'AcountPay Trigger': starts a workflow on AcountPay's events. */
export class AcountPayTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'AcountPay Trigger',
		name: 'acountPayTrigger',
		icon: { light: 'file:../../icons/acountpay.svg', dark: 'file:../../icons/acountpay.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: '={{ $parameter["events"].join(", ") }}',
		description: DESCRIPTION,
		defaults: { name: 'AcountPay Trigger' },
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: credentialsByAuthentication,
		webhooks: [
			{ name: 'default', httpMethod: 'POST', responseMode: 'onReceived', path: 'webhook' },
		],
		eventTriggerDescription:
			'Waiting for an event. With access tokens, create a payment whose Webhook URL is the test URL of this trigger. With API keys, the events you chose count for all your merchants.',
		activationMessage:
			"With access tokens, set this trigger's production URL as the Webhook URL of the payments it should listen to. With API keys there is nothing to set.",
		triggerPanel: {
			header: 'Start on AcountPay events',
			executionsHelp: {
				inactive:
					'<b>While you build with access tokens</b>, open <b>Webhook URLs</b> on the right and copy the <b>Test URL</b> into the field Webhook URL of an AcountPay node. With <b>API keys</b> there is nothing to copy. Execute this step, then cause one of the events. <br /> <br /> <b>When it works</b>, publish the workflow and, with access tokens, use the <b>Production URL</b> instead.',
				active:
					'<b>While you build with access tokens</b>, open <b>Webhook URLs</b> on the right and copy the <b>Test URL</b> into the field Webhook URL of an AcountPay node. With <b>API keys</b> there is nothing to copy. Execute this step, then cause one of the events. <br /> <br /> <b>This workflow is published</b>: events that arrive at the <b>Production URL</b> are listed under Executions.',
			},
			activationHint:
				"Once it works, publish the workflow. With access tokens, set the production URL as your payments' Webhook URL, too.",
		},
		properties: [
			authenticationField,
			...notices,
			eventsField,
			...foreignEventNotices,
			{
				displayName: 'Options',
				name: 'options',
				type: 'collection',
				placeholder: 'Add Option',
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

	webhookMethods = {
		default: {
			// What exists is found by `begin`, which n8n may call much later.
			async checkExists(this: IHookFunctions): Promise<boolean> {
				await subscriptionOf(this).check(this);
				return false;
			},
			async create(this: IHookFunctions): Promise<boolean> {
				await subscriptionOf(this).begin(this);
				return true;
			},
			async delete(this: IHookFunctions): Promise<boolean> {
				await subscriptionOf(this).end(this);
				return true;
			},
		},
	};

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		const received = await subscriptionOf(this).receive(this);
		if (!received) return { noWebhookResponse: true };
		const { event, credential } = received;

		if (!eventsOf(this).includes(event.event)) {
			logUnknownOnce(this, event.event, SCHEMES[authenticationOf(this)].events);
			return answer(this, 200, 'ignored');
		}
		const doubt = doubtAboutStatus(event);
		if (doubt !== undefined) {
			logDoubt(this, event, doubt);
			return answer(this, 200, 'ignored');
		}

		const source = { triggerId: nodeKeyOf(this), environment: credential.environment };
		// An expression that gives nothing does not turn it off.
		const ignoresRepeats = this.getNodeParameter('options.ignoreRepeats', true) !== false;
		const isRemembered = ignoresRepeats && this.getMode() !== 'manual';
		if (isRemembered && isRepeat(event, source, this.getWorkflowStaticData('node'), Date.now())) {
			return answer(this, 200, 'ignored');
		}
		return {
			...answer(this, 200, 'accepted'),
			// Not by n8n's `returnJsonArray`, which takes an event with a field `json` apart.
			workflowData: [[{ json: event }]],
		};
	}
}
