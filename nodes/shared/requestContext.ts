import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	IHookFunctions,
	ILoadOptionsFunctions,
	IWebhookFunctions,
} from 'n8n-workflow';

/**
 * n8n's contexts in which a node sends requests: an execution, a webhook that ends a wait, a list to pick from, the
 * publication of a trigger.
 */
export type RequestContext =
	| IExecuteFunctions
	| IWebhookFunctions
	| ILoadOptionsFunctions
	| IHookFunctions;

/** The signal that is aborted when the user or a time limit cancels the execution. */
export const cancelSignalOf = (context: RequestContext): AbortSignal | undefined =>
	'getExecutionCancelSignal' in context ? context.getExecutionCancelSignal() : undefined;

/**
 * Tells a node from the others in this process.
 * @param more what else is to differ
 */
export const nodeKeyOf = (context: RequestContext, ...more: unknown[]): string =>
	JSON.stringify([context.getWorkflow().id, context.getNode().id, ...more]);

/** Writes into n8n's log what a node has done, or what the user has to do. */
export const log = (context: RequestContext, what: string, level: 'info' | 'warn' = 'warn') =>
	context.logger[level](`AcountPay node '${context.getNode().name}' ${what}`);

/** The name of the node's credential, in quotes; that of its type when there is none. */
export const credentialNameOf = (context: RequestContext, credentialType: string): string =>
	`'${context.getNode().credentials?.[credentialType]?.name ?? credentialType}'`;

/**
 * The `this` that n8n's helpers are called with. It has the credential at hand, which n8n would otherwise read, decrypt
 * and evaluate for each call, and the signal that may cut the call off.
 * @param helpers that n8n's helper uses in turn
 */
export const helperContext = (
	context: RequestContext,
	credential: ICredentialDataDecryptedObject,
	signal: AbortSignal | undefined,
	helpers: RequestContext['helpers'] = context.helpers,
): IExecuteFunctions =>
	Object.create(context, {
		getCredentials: { value: async () => credential },
		getExecutionCancelSignal: { value: () => signal },
		helpers: { value: helpers },
	}) as IExecuteFunctions;
