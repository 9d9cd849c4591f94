import './environment';
import { getAdditionalKeys } from 'n8n-core';
import {
	getCredentialOwnRequestAllowedDomains,
	ICredentialsHelper,
	isExpression,
	NodeHelpers,
	Workflow,
	type ICredentialDataDecryptedObject,
	type ICredentials,
	type ICredentialsExpressionResolveValues,
	type IExecuteData,
	type IHttpRequestHelper,
	type IHttpRequestOptions,
	type INode,
	type INodeCredentialsDetails,
	type INodeParameters,
	type INodeProperties,
	type INodeTypes,
	type IRequestOptionsSimplified,
	type IWorkflowExecuteAdditionalData,
	type WorkflowExecuteMode,
} from 'n8n-workflow';
import type { StoredCredential } from './credential';
import type { LoadedTypes } from './types';

/** When a credential type sets one of these in a hidden field, what is stored under that name does not count. */
const pinnedFields = [
	'useDynamicClientRegistration',
	'authUrl',
	'accessTokenUrl',
	'grantType',
	'authentication',
	'usePkce',
	'requestTokenUrl',
	'signatureMethod',
];

const credentialNode: INode = {
	id: '',
	name: '',
	typeVersion: 1,
	type: 'mock',
	position: [0, 0],
	parameters: {},
};

/** A workflow in which a credential's expressions are resolved needs a node type, and nothing of it. */
const credentialNodeTypes = {
	getByNameAndVersion: () => ({ description: { properties: [] } }),
} as unknown as INodeTypes;

type RequestPart = 'body' | 'headers' | 'qs' | 'auth';

/**
 * Does what n8n 2.41.1's own helper does (`dist/credentials-helper.js` of the package n8n), with the credentials
 * of a test in place of n8n's database. Left out is what n8n does only where it is switched on or licensed:
 * overwrites, external secrets, credentials that depend on the user, dynamic client registration.
 */
export class TestCredentialsHelper extends ICredentialsHelper {
	constructor(
		private readonly types: LoadedTypes,
		private readonly credentials: Map<string, StoredCredential>,
	) {
		super();
	}

	getParentTypes(name: string) {
		return this.types.parentTypes(name);
	}

	isCredentialUsableByNode(credentialType: string, nodeType: string) {
		const { restrictToSupportedNodes } = this.types.credentialType(credentialType);
		return (
			!restrictToSupportedNodes || this.types.supportedNodes(credentialType).includes(nodeType)
		);
	}

	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		typeName: string,
		requestOptions: IHttpRequestOptions | IRequestOptionsSimplified,
		workflow?: Workflow,
		node?: INode,
	): Promise<IHttpRequestOptions> {
		const options = requestOptions as IHttpRequestOptions;
		const { authenticate } = this.types.credentialType(typeName);
		if (typeof authenticate === 'function') return await authenticate(credentials, options);
		if (authenticate?.type !== 'generic') return options;
		if (!workflow || !node) throw new Error('Workflow and node are required');

		options.headers ??= {};
		const resolve = (value: string) => {
			if (!isExpression(value)) return value;
			const keys = { $credentials: credentials };
			const { expression } = workflow;
			const resolved = expression.getSimpleParameterValue(
				node,
				value,
				'internal',
				keys,
				undefined,
				'',
			);
			return resolved ? String(resolved) : '';
		};
		for (const [part, fields] of Object.entries(authenticate.properties)) {
			const target = ((options[part as RequestPart] as Record<string, unknown> | undefined) ??= {});
			for (const [key, value] of Object.entries(fields as Record<string, string>)) {
				target[resolve(key)] = resolve(value);
			}
		}
		return options;
	}

	async preAuthentication(
		helpers: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
		typeName: string,
		node: INode,
		credentialsExpired: boolean,
	): Promise<ICredentialDataDecryptedObject | undefined> {
		const { name: type, preAuthentication, properties } = this.types.credentialType(typeName);
		const expirable = properties.find(
			(property) => property.type === 'hidden' && property.typeOptions?.expirable === true,
		)?.name;
		if (!preAuthentication || expirable === undefined) return undefined;
		if (credentials[expirable] !== '' && !credentialsExpired) return undefined;

		const output = await preAuthentication.call(withinDomains(helpers, credentials), credentials);
		if (output[expirable] === undefined || !node.credentials) return undefined;
		const stored = this.find(node.credentials[type], type);
		const data = await stored.data();
		for (const [key, value] of Object.entries(output)) {
			if (key === expirable || !isExpression(data[key])) {
				data[key] = value as ICredentialDataDecryptedObject[string];
			}
		}
		await stored.write(data);
		return Object.assign(credentials, output) as ICredentialDataDecryptedObject;
	}

	async runPreAuthentication(
		helpers: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
		typeName: string,
	): Promise<ICredentialDataDecryptedObject | undefined> {
		const { preAuthentication } = this.types.credentialType(typeName);
		const output = await preAuthentication?.call(withinDomains(helpers, credentials), credentials);
		return output as ICredentialDataDecryptedObject | undefined;
	}

	async getCredentials(reference: INodeCredentialsDetails, type: string): Promise<ICredentials> {
		return this.find(reference, type).row;
	}

	async getDecrypted(
		additionalData: IWorkflowExecuteAdditionalData,
		reference: INodeCredentialsDetails,
		type: string,
		mode: WorkflowExecuteMode,
		executeData?: IExecuteData,
		raw?: boolean,
		expressionResolveValues?: ICredentialsExpressionResolveValues,
	): Promise<ICredentialDataDecryptedObject> {
		const credential = this.find(reference, type);
		credential.reads++;
		const stored = await credential.data();
		if (raw) return stored;
		return await this.applyDefaults(
			additionalData,
			stored,
			type,
			mode,
			executeData,
			expressionResolveValues,
		);
	}

	/** The stored fields with pinned ones and defaults in place and all expressions resolved, as a node sees them. */
	async applyDefaults(
		additionalData: IWorkflowExecuteAdditionalData,
		stored: ICredentialDataDecryptedObject,
		type: string,
		mode: WorkflowExecuteMode,
		executeData?: IExecuteData,
		values?: ICredentialsExpressionResolveValues,
	): Promise<ICredentialDataDecryptedObject> {
		const properties = this.getCredentialsProperties(type);
		const fields = { ...stored };
		for (const name of pinnedFields) {
			if (properties.some((property) => property.name === name && property.type === 'hidden')) {
				delete fields[name];
			}
		}
		const data = NodeHelpers.getNodeParameters(
			properties,
			fields as INodeParameters,
			true,
			false,
			null,
			null,
		) as ICredentialDataDecryptedObject;
		// These are in no list of properties when a credential type leaves them to its parent.
		for (const name of ['oauthTokenData', 'allowedHttpRequestDomains', 'allowedDomains']) {
			if (stored[name] === undefined) continue;
			if (name === 'oauthTokenData' || data[name] === undefined) data[name] = stored[name];
		}

		const keys = getAdditionalKeys(additionalData, mode, null, { isCredential: true });
		const parameters = data as INodeParameters;
		if (values) {
			const resolved = values.workflow.expression.getParameterValue(
				parameters,
				values.runExecutionData,
				values.runIndex,
				values.itemIndex,
				values.node.name,
				values.connectionInputData,
				mode,
				keys,
				executeData,
				false,
				parameters,
			);
			return resolved as ICredentialDataDecryptedObject;
		}
		const workflow = new Workflow({
			nodes: [credentialNode],
			connections: {},
			active: false,
			nodeTypes: credentialNodeTypes,
		});
		await workflow.expression.acquireIsolate();
		try {
			const resolved = workflow.expression.getComplexParameterValue(
				credentialNode,
				parameters,
				mode,
				keys,
				undefined,
				undefined,
				parameters,
			);
			return resolved as ICredentialDataDecryptedObject;
		} finally {
			await workflow.expression.releaseIsolate();
		}
	}

	async updateCredentials(
		reference: INodeCredentialsDetails,
		type: string,
		data: ICredentialDataDecryptedObject,
	) {
		await this.find(reference, type).write(data);
	}

	/** As in n8n, only the token is stored of all that the OAuth2 code holds. */
	async updateCredentialsOauthTokenData(
		reference: INodeCredentialsDetails,
		type: string,
		data: ICredentialDataDecryptedObject,
	) {
		const credential = this.find(reference, type);
		credential.tokenWrites++;
		await credential.write({ ...(await credential.data()), oauthTokenData: data.oauthTokenData });
	}

	getCredentialsProperties(type: string): INodeProperties[] {
		const { extends: parents, properties } = this.types.credentialType(type);
		if (parents === undefined) {
			if (type !== 'oAuth2Api') return properties;
			const token = {
				displayName: 'oauthTokenData',
				name: 'oauthTokenData',
				type: 'json' as const,
			};
			return [...properties, { ...token, required: false, default: {} as never }];
		}
		const combined: INodeProperties[] = [];
		for (const parent of parents) {
			NodeHelpers.mergeNodeProperties(combined, this.getCredentialsProperties(parent));
		}
		NodeHelpers.mergeNodeProperties(combined, properties);
		return combined;
	}

	private find(reference: INodeCredentialsDetails, type: string): StoredCredential {
		const credential = this.credentials.get(reference.id ?? '');
		if (credential?.type !== type) {
			throw new Error(`Credential with ID "${reference.id}" does not exist for type "${type}".`);
		}
		return credential;
	}
}

/** What a credential's own requests may reach, when the person restricted its domains. */
function withinDomains(
	{ helpers }: IHttpRequestHelper,
	credentials: ICredentialDataDecryptedObject,
): IHttpRequestHelper {
	const allowedDomains = getCredentialOwnRequestAllowedDomains(credentials);
	if (allowedDomains === undefined) return { helpers: { httpRequest: helpers.httpRequest } };
	const httpRequest = async (options: IHttpRequestOptions) =>
		await helpers.httpRequest({ ...options, allowedDomains });
	return { helpers: { httpRequest } };
}
