/** What the engine tests with keys share: a credential that the sandbox takes, and the parameters of the operations. */
import type { ICredentialDataDecryptedObject, INode, INodeParameters } from 'n8n-workflow';
import { KEY_MERCHANTS, type Sandbox } from '../../sandbox';
import { createEngine, type Engine, type EngineOptions } from '../engine/harness';

export const KEY_CREDENTIAL = 'acountPayKeyApi';

/** A merchant whose payments wait for the customer. */
export const SHOP = KEY_MERCHANTS.shop;

/** An engine with keys that the sandbox takes. */
export const engineWithKeys = async (
	{ url, keys }: Sandbox,
	changes: ICredentialDataDecryptedObject = {},
	options: Partial<EngineOptions> = {},
): Promise<Engine> =>
	await createEngine({
		credential: { environment: 'custom', baseUrl: url, ...keys, ...changes },
		credentialType: KEY_CREDENTIAL,
		...options,
	});

/** A node with keys. */
export const nodeFor = (
	resource: string,
	operation: string,
	parameters: INodeParameters = {},
	settings: Partial<INode> = {},
): Partial<INode> => ({
	parameters: { authentication: 'apiKey', resource, operation, ...parameters },
	...settings,
});

/** Makes a payment of each order, whatever merchant it names, for the shop. */
export const createPayments = (
	parameters: INodeParameters = {},
	settings: Partial<INode> = {},
): Partial<INode> =>
	nodeFor(
		'payment',
		'create',
		{
			merchantId: SHOP.clientId,
			amount: '={{ $json.amount }}',
			referenceNumber: '={{ $json.reference }}',
			...parameters,
		},
		settings,
	);
