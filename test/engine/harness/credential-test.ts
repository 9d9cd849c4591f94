import './environment';
import { ExecuteContext, RoutingNode } from 'n8n-core';
import {
	createEmptyRunExecutionData,
	Workflow,
	type ICredentialTestRequestData,
	type INode,
	type INodeCredentialTestResult,
	type INodeType,
	type INodeTypes,
	type IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';
import type { StoredCredential } from './credential';
import type { TestCredentialsHelper } from './credentials-helper';

/** An axios error as it is found below the errors of n8n. */
interface FailedRequest {
	message: string;
	cause?: { code?: string; response?: { status: number; statusText: string } };
}

/**
 * What n8n does when a person saves a credential: sends its type's `test` request with what was typed, a token
 * included that is already stored (`credentials-tester.service.js`).
 *
 * @param additionalData what n8n gives to an execution; its credentials helper must know the credential
 * @returns what the dialog shows
 */
export async function testCredential(
	helper: TestCredentialsHelper,
	additionalData: IWorkflowExecuteAdditionalData,
	credential: StoredCredential,
	test: ICredentialTestRequestData,
): Promise<INodeCredentialTestResult> {
	const { type, reference } = credential;
	let data;
	try {
		data = await helper.applyDefaults(additionalData, await credential.data(), type, 'internal');
	} catch (error) {
		return { status: 'Error', message: (error as Error).message };
	}

	const node: INode = {
		id: 'temp',
		name: 'Temp-Node',
		type: 'n8n-nodes-base.noOp',
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
		credentials: { [type]: reference },
	};
	const property = { displayName: 'Temp', name: 'temp', type: 'string' as const, default: '' };
	const nodeType: INodeType = {
		description: {
			displayName: 'No Operation, do nothing',
			name: 'noOp',
			group: ['organization'],
			version: 1,
			description: 'No Operation',
			defaults: { name: 'No Operation, do nothing' },
			inputs: ['main'],
			outputs: ['main'],
			credentials: [{ name: type, required: true }],
			properties: [{ ...property, routing: { request: test.testRequest.request } }],
		},
	};
	const nodeTypes = { getByNameAndVersion: () => nodeType } as unknown as INodeTypes;
	const workflow = new Workflow({ nodes: [node], connections: {}, active: false, nodeTypes });

	// The request sees what was typed; a refresh of the token looks at what is stored.
	const typed = Object.create(helper) as TestCredentialsHelper;
	typed.getDecrypted = async (...args) => (args[5] ? await helper.getDecrypted(...args) : data);
	const context = new ExecuteContext(
		workflow,
		node,
		{ ...additionalData, credentialsHelper: typed },
		'internal',
		createEmptyRunExecutionData(),
		0,
		[],
		{ main: [[{ json: {} }]] },
		{ node, data: {}, source: null },
		[],
	);
	await workflow.expression.acquireIsolate();
	try {
		const routing = new RoutingNode(context, nodeType, {
			...reference,
			id: credential.id,
			type,
			data,
		});
		const output = await routing.runNode();
		for (const rule of test.testRequest.rules ?? []) {
			if (rule.type !== 'responseSuccessBody') continue;
			const { key, value, message } = rule.properties;
			if (output?.[0]?.[0]?.json[key] === value) return { status: 'Error', message };
		}
		return { status: 'OK', message: 'Connection successful!' };
	} catch (error) {
		const { cause, message } = error as FailedRequest;
		if (cause?.response) {
			const { status, statusText } = cause.response;
			for (const rule of test.testRequest.rules ?? []) {
				if (rule.type === 'responseCode' && rule.properties.value === status) {
					return { status: 'Error', message: rule.properties.message };
				}
			}
			return { status: 'Error', message: statusText || `Received HTTP status code: ${status}` };
		}
		return { status: 'Error', message: cause?.code ?? message };
	} finally {
		await workflow.expression.releaseIsolate();
	}
}
