import type { IExecuteFunctions, INode, IWebhookFunctions } from 'n8n-workflow';
import {
	cancelSignalOf,
	credentialNameOf,
	helperContext,
	log,
	nodeKeyOf,
} from '../../../nodes/shared/requestContext';

function contextOf(node: Partial<INode> = {}, workflowId = 'w') {
	const logged: string[] = [];
	const context = {
		getWorkflow: () => ({ id: workflowId }),
		getNode: () => ({ id: 'n', name: 'Pay', ...node }),
		getCredentials: async () => ({ from: 'n8n' }),
		getExecutionCancelSignal: () => undefined,
		helpers: { of: 'n8n' },
		logger: {
			info: (text: string) => logged.push(`info: ${text}`),
			warn: (text: string) => logged.push(`warn: ${text}`),
		},
	} as unknown as IExecuteFunctions;
	return { context, logged };
}

it('only an execution has a signal that cancels it', () => {
	const { signal } = new AbortController();
	const execution = { getExecutionCancelSignal: () => signal } as unknown as IExecuteFunctions;
	expect(cancelSignalOf(execution)).toBe(signal);
	expect(cancelSignalOf({} as IWebhookFunctions)).toBeUndefined();
});

it('a node is told from every other, and from itself where more differs', () => {
	const { context } = contextOf();
	const keys = [
		nodeKeyOf(context),
		nodeKeyOf(context, 'more'),
		nodeKeyOf(context, 'mo', 're'),
		nodeKeyOf(contextOf({ id: 'other' }).context),
		nodeKeyOf(contextOf({}, 'other').context),
	];
	expect(new Set(keys).size).toBe(keys.length);
	expect(nodeKeyOf(contextOf({ name: 'Renamed' }).context)).toBe(keys[0]);
});

it('the log names the node, and warns unless it is told otherwise', () => {
	const { context, logged } = contextOf();
	log(context, 'has no webhook');
	log(context, 'has a webhook', 'info');
	expect(logged).toEqual([
		"warn: AcountPay node 'Pay' has no webhook",
		"info: AcountPay node 'Pay' has a webhook",
	]);
});

it('a credential goes by its name, or else by its type', () => {
	const credentials = { acountPayApi: { id: '1', name: 'Live' } };
	const { context } = contextOf({ credentials });
	expect(credentialNameOf(context, 'acountPayApi')).toBe("'Live'");
	expect(credentialNameOf(context, 'acountPayKeyApi')).toBe("'acountPayKeyApi'");
	expect(credentialNameOf(contextOf().context, 'acountPayApi')).toBe("'acountPayApi'");
});

it("n8n's helpers are called with this credential and signal, and with n8n's context for the rest", async () => {
	const { context } = contextOf();
	const { signal } = new AbortController();
	const caller = helperContext(context, { secret: 's' }, signal);
	expect(await caller.getCredentials('acountPayApi')).toEqual({ secret: 's' });
	expect(caller.getExecutionCancelSignal()).toBe(signal);
	expect(caller.helpers).toBe(context.helpers);
	expect(caller.getNode().name).toBe('Pay');
	const helpers = {} as IExecuteFunctions['helpers'];
	expect(helperContext(context, {}, undefined, helpers).helpers).toBe(helpers);
	expect(await context.getCredentials('acountPayApi')).toEqual({ from: 'n8n' });
});
