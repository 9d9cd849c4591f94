/**
 * What the tests on n8n's engine share: engines with a credential for a sandbox, nodes and workflows, and a server at an
 * address of the test's own.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ICredentialDataDecryptedObject, INode, INodeParameters } from 'n8n-workflow';

import type { Sandbox } from '../../sandbox';
import {
	createEngine,
	onEnd,
	type Engine,
	type EngineOptions,
	type Execution,
	type WorkflowDefinition,
} from '../engine/harness';
import {
	create,
	credentialFor,
	get,
	getQrCode,
	presentOf,
	useSandbox,
	waitForCompletion,
} from './payments';

// Milliseconds; far more than any test takes on a machine that has nothing else to do.
jest.setTimeout(30_000);

/**
 * An engine with a credential that the sandbox takes, and no token yet.
 * @param changes to the credential's fields
 */
export async function engineFor(
	sandbox: Sandbox,
	changes: ICredentialDataDecryptedObject = {},
	options: Partial<EngineOptions> = {},
): Promise<Engine> {
	return await createEngine({ credential: credentialFor(sandbox, changes), ...options });
}

/**
 * A sandbox for the tests of a file, and for each test an engine with a credential for it.
 * @param options of the engine
 * @param make makes the engines: with access tokens unless given
 * @returns and `useOther`, which makes an engine that is the test's from then on
 */
export function useEngine(
	options: Partial<EngineOptions> = {},
	make = engineFor,
): {
	sandbox: Sandbox;
	engine: Engine;
	useOther: (
		changes?: ICredentialDataDecryptedObject,
		options?: Partial<EngineOptions>,
	) => Promise<Engine>;
} {
	const sandbox = useSandbox();
	const holder = {} as { engine: Engine };
	beforeEach(async () => {
		holder.engine = await make(sandbox, {}, options);
	});
	return {
		sandbox,
		engine: presentOf(() => holder.engine),
		useOther: async (...args) => (holder.engine = await make(sandbox, ...args)),
	};
}

/** The node that makes a payment of each order. */
export const createNode = (
	options: INodeParameters = {},
	settings: Partial<INode> = {},
): Partial<INode> => ({ parameters: create({ options }), ...settings });

/** The node that reads the payment of each item, whose JSON has `merchant` and `id`. */
export const getNode = (
	options: INodeParameters = {},
	settings: Partial<INode> = {},
): Partial<INode> => ({ parameters: get({ options }), ...settings });

/** The node that gets the QR code of each item's payment, whose JSON has `merchant` and `id`. */
export const qrCodeNode = (
	parameters: INodeParameters = {},
	settings: Partial<INode> = {},
): Partial<INode> => ({ parameters: getQrCode(parameters), ...settings });

/** The node that waits for each item's payment, whose JSON has `merchant` and `id`. */
export const waitNode = (
	parameters: INodeParameters = {},
	settings: Partial<INode> = {},
): Partial<INode> => ({ parameters: waitForCompletion(parameters), ...settings });

/** The workflow of `runNode` as a person has saved it by now: with this node in it. */
export const savedWith = (node: Partial<INode>): WorkflowDefinition => ({
	nodes: [
		{ name: 'Start', type: 'harness.start' },
		{ name: 'AcountPay', type: 'acountPay', ...node },
	],
	connections: [['Start', 'AcountPay']],
});

/** A loop whose turns take so many items each, with the node in it. */
export const loopOver = (batchSize: number, node: Partial<INode>): WorkflowDefinition => ({
	nodes: [
		{ name: 'Start', type: 'harness.start' },
		{ name: 'Loop', type: 'harness.loop', parameters: { batchSize } },
		{ name: 'AcountPay', type: 'acountPay', ...node },
		{ name: 'Done', type: 'harness.pass' },
	],
	connections: [
		['Start', 'Loop'],
		['Loop', 0, 'Done'],
		['Loop', 1, 'AcountPay'],
		['AcountPay', 'Loop'],
	],
});

/** The references in the output of the node's last run, in order; undefined for an item with an error. */
export const handedOut = (execution: Execution) =>
	execution.json().map(({ referenceNumber }) => referenceNumber as string | undefined);

/** A server on loopback until the end of the test file. @returns its URL, without a slash at the end */
export async function serve(listener: RequestListener): Promise<string> {
	const server = createServer(listener);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onEnd(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
