import './environment';
import { PackageDirectoryLoader } from 'n8n-core';
import {
	NodeHelpers,
	type ICredentialType,
	type INodeType,
	type INodeTypes,
	type IVersionedNodeType,
} from 'n8n-workflow';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { helperNodes } from './helper-nodes';
import { oAuth2Api } from './oauth2-api';

/** The folder of this package. */
export const projectFolder = resolve(__dirname, '../../..');

/** A package's node and credential types, with n8n's generic OAuth2 type and the harness' helper nodes. */
export class LoadedTypes implements INodeTypes {
	private constructor(private readonly loader: PackageDirectoryLoader) {}

	/**
	 * Loads a built package the way n8n does.
	 *
	 * @param folder holds package.json; its `n8n` block names the files
	 * @throws when a file that is named there does not exist (not built yet)
	 */
	static async from(folder = projectFolder): Promise<LoadedTypes> {
		const loader = new PackageDirectoryLoader(folder);
		const { nodes = [], credentials = [] } = loader.packageJson.n8n ?? {};
		const missing = [...nodes, ...credentials].find((file) => !existsSync(join(folder, file)));
		if (missing) throw new Error(`${missing} is not there: run 'npm run build' first`);
		await loader.loadAll();
		return new LoadedTypes(loader);
	}

	/** `acountPay` → `n8n-nodes-acountpay.acountPay`; a name with a package stays as it is. */
	fullName(type: string) {
		return type.includes('.') ? type : `${this.loader.packageName}.${type}`;
	}

	getByName(type: string): INodeType | IVersionedNodeType {
		const [packageName, name] = type.split('.');
		const node =
			packageName === this.loader.packageName
				? (this.loader.nodeTypes[name]?.type ?? this.asTool(name))
				: helperNodes[type];
		if (!node) throw new Error(`Unrecognized node type: ${type}`);
		return node;
	}

	/** What n8n makes of a node that is usable as a tool: the same, with another output (`load-nodes-and-credentials.js`). */
	private asTool(name: string): INodeType | undefined {
		const { type } = this.loader.nodeTypes[name.replace(/Tool$/, '')] ?? {};
		if (!type || !('description' in type) || !type.description.usableAsTool) return undefined;
		const description = { ...type.description, name, inputs: [], outputs: ['ai_tool'] };
		return Object.assign(Object.create(type as object) as INodeType, { description });
	}

	getByNameAndVersion(type: string, version?: number): INodeType {
		return NodeHelpers.getVersionedNodeType(this.getByName(type), version);
	}

	getKnownTypes() {
		return this.loader.known.nodes;
	}

	/** The credential type with that name; throws when there is none. */
	credentialType(name: string): ICredentialType {
		return name === oAuth2Api.name ? oAuth2Api : this.loader.getCredential(name).type;
	}

	/** The types that a credential type extends, near and far. */
	parentTypes(name: string): string[] {
		const parents = this.loader.known.credentials[name]?.extends ?? [];
		return [...parents, ...parents.flatMap((parent) => this.parentTypes(parent))];
	}

	/** The nodes of the package that name this credential type. */
	supportedNodes(name: string): string[] {
		return this.loader.known.credentials[name]?.supportedNodes ?? [];
	}
}
