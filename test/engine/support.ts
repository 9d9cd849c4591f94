/* eslint-disable @n8n/community-nodes/no-restricted-imports -- runs outside n8n */
/**
 * What the engine tests of this package share: a sandbox for each file, engines with a credential for it, the
 * parameters of both operations, and a server at an address of the test's own.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ICredentialDataDecryptedObject, IDataObject, INodeParameters } from 'n8n-workflow';
import { startSandbox, type RecordedRequest, type Sandbox } from '../../sandbox';
import { createEngine, onEnd, type Engine, type EngineOptions } from './harness';

// Milliseconds; far more than any test takes on a machine that has nothing else to do.
jest.setTimeout(30_000);

/** A sandbox for the tests of a file; before each test it forgets what it was asked and told. */
export function useSandbox(): Sandbox {
	const holder = {} as { sandbox: Sandbox };
	beforeAll(async () => {
		holder.sandbox = await startSandbox();
	});
	beforeEach(() => holder.sandbox.reset());
	afterAll(async () => await holder.sandbox.close());
	return new Proxy({} as Sandbox, {
		get: (_target, key) => Reflect.get(holder.sandbox, key),
	});
}

/** The fields of a credential that the sandbox takes, with `changes`. */
export const credentialFor = (
	{ url, credentials }: Sandbox,
	changes: ICredentialDataDecryptedObject = {},
): ICredentialDataDecryptedObject => ({
	environment: 'custom',
	baseUrl: url,
	...credentials,
	...changes,
});

/**
 * An engine with such a credential, and no token yet.
 * @param changes to the credential's fields
 */
export async function engineFor(
	sandbox: Sandbox,
	changes: ICredentialDataDecryptedObject = {},
	options: Partial<EngineOptions> = {},
): Promise<Engine> {
	return await createEngine({ credential: credentialFor(sandbox, changes), ...options });
}

/** What an item holds that {@link create} makes a payment of; numbers are for those who have them. */
export interface Order extends IDataObject {
	merchant: string | number;
	amount: number;
	reference: string | number;
}

/** Orders of as many merchants: ORDER-0, ORDER-1 …, so that the number is the item's. */
export const orders = (count: number): Order[] =>
	Array.from({ length: count }, (_, item) => ({
		merchant: `merchant_${item}`,
		amount: 10.5 * (item + 1),
		reference: `ORDER-${item}`,
	}));

/** The parameters of the operation Create for {@link orders}. */
export const create = (parameters: INodeParameters = {}): INodeParameters => ({
	resource: 'payment',
	operation: 'create',
	merchantId: '={{ $json.merchant }}',
	amount: '={{ $json.amount }}',
	referenceNumber: '={{ $json.reference }}',
	...parameters,
});

/** The parameters of the operation Get, for items with `merchant` and `id`. */
export const get = (parameters: INodeParameters = {}): INodeParameters => ({
	resource: 'payment',
	operation: 'get',
	merchantId: '={{ $json.merchant }}',
	paymentId: '={{ $json.id }}',
	...parameters,
});

/** The recorded requests for payments, without those for tokens. */
export const paymentRequests = ({ requests }: Sandbox): RecordedRequest[] =>
	requests.filter(({ endpoint }) => endpoint !== 'token');

/** How many tokens were asked for, given or not. */
export const tokenRequests = ({ requests }: Sandbox): number =>
	requests.filter(({ endpoint }) => endpoint === 'token').length;

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
