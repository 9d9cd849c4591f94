/* eslint-disable @n8n/community-nodes/no-restricted-imports -- runs outside n8n */
/**
 * What the engine tests of this package share: a sandbox for each file, engines with a credential for it, the
 * parameters of both operations, a server that must not be reached, and all that a run leaves behind as one text.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ICredentialDataDecryptedObject, IDataObject, INode } from 'n8n-workflow';
import { startSandbox, type RecordedRequest, type Sandbox } from '../../sandbox';
import { createEngine, type Engine, type EngineOptions, type Execution } from './harness';

/** Starts a sandbox for the tests of a file; before each test it forgets what it was asked and told. */
export function useSandbox(): Sandbox {
	let sandbox: Sandbox;
	beforeAll(async () => {
		sandbox = await startSandbox();
	});
	beforeEach(() => sandbox.reset());
	afterAll(async () => await sandbox.close());
	return new Proxy({} as Sandbox, { get: (_target, key: keyof Sandbox) => sandbox[key] });
}
