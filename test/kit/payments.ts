/**
 * What all tests with a sandbox share, in n8n's engine and in a real n8n: orders, the parameters that create payments for
 * them, and what the sandbox was asked for and has.
 */
import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	INode,
	INodeParameters,
} from 'n8n-workflow';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startSandbox, type FaultMatch, type RecordedRequest, type Sandbox } from '../../sandbox';
import { partnerOf } from '../sandbox/client';

/** The tarball of version 0.1.0. */
export const FIRST_PACKAGE = join(__dirname, '../fixtures/n8n-nodes-acountpay-0.1.0.tgz');

/** A sandbox for the tests of a file; before each test it forgets what it was asked and told. */
export function useSandbox(): Sandbox {
	const holder = {} as { sandbox: Sandbox };
	beforeAll(async () => {
		holder.sandbox = await startSandbox();
	});
	beforeEach(() => holder.sandbox.reset());
	afterAll(async () => await holder.sandbox.close());
	return presentOf(() => holder.sandbox);
}

/** Stands in for an object that is created, or replaced, only once tests run: each use goes to the present one. */
export const presentOf = <Thing extends object>(present: () => Thing): Thing =>
	new Proxy({} as Thing, {
		get(_target, key) {
			const value: unknown = Reflect.get(present(), key);
			return typeof value === 'function' ? (value.bind(present()) as unknown) : value;
		},
	});

/** What a person enters in the credential dialog to use the sandbox, with `changes`. */
export const credentialFor = (
	{ url, credentials }: Sandbox,
	changes: ICredentialDataDecryptedObject = {},
): ICredentialDataDecryptedObject => ({
	environment: 'custom',
	baseUrl: url,
	...credentials,
	...changes,
});

/** An item that {@link create} creates a payment for. Merchant and reference may be numbers too. */
export interface Order extends IDataObject {
	merchant: string | number;
	amount: number;
	reference: string | number;
}

/** The reference of the order with that index. */
export const referenceOf = (index: number) => `ORDER-${index}`;

/** Orders ORDER-0, ORDER-1 …, each of another merchant; the number is the item's index. */
export const orders = (count: number): Order[] =>
	upTo(count).map((index) => ({
		merchant: `merchant_${index}`,
		amount: 10.5 * (index + 1),
		reference: referenceOf(index),
	}));

/** Three orders of three merchants, as a person would have them. */
export const THREE_ORDERS = [
	{ merchant: 'merchant_copenhagen', reference: 'ORDER-1001', amount: 149.99 },
	{ merchant: 'merchant_aarhus', reference: 'ORDER-1002', amount: 49.5 },
	{ merchant: 'merchant_odense', reference: 'ORDER-1003', amount: 899 },
];

/** All optional fields that 0.1.0 had, one with an expression that has another value each time. */
export const FIELDS_OF_FIRST_PACKAGE: INodeParameters = {
	currency: 'DKK',
	customFields: '{ "a": 1 }',
	description: 'Two tickets',
	metadata: '={{ JSON.stringify({ askedAt: $now.toMillis() }) }}',
	mockPayment: 'delay',
	webhookUrl: 'https://shop.example/hook',
};

/** The parameters of the operation Create for {@link orders}. */
export const create = (parameters: INodeParameters = {}): INodeParameters => ({
	resource: 'payment',
	operation: 'create',
	merchantId: '={{ $json.merchant }}',
	amount: '={{ $json.amount }}',
	referenceNumber: '={{ $json.reference }}',
	...parameters,
});

const ofPayment = (operation: string, parameters: INodeParameters): INodeParameters => ({
	resource: 'payment',
	operation,
	merchantId: '={{ $json.merchant }}',
	paymentId: '={{ $json.id }}',
	...parameters,
});

/** The parameters of the operation Get, for items with `merchant` and `id`. */
export const get = (parameters: INodeParameters = {}): INodeParameters =>
	ofPayment('get', parameters);

/** The parameters of the operation Get QR Code, for items with `merchant` and `id`. */
export const getQrCode = (parameters: INodeParameters = {}): INodeParameters =>
	ofPayment('getQrCode', parameters);

/** The parameters of the operation Wait for Completion, for items with `merchant` and `id`. */
export const waitForCompletion = (parameters: INodeParameters = {}): INodeParameters =>
	ofPayment('waitForCompletion', { resumeOn: 'webhook', ...parameters });

/** 'Retry On Fail', with the shortest pause that n8n takes. */
export const retryOnFail = (maxTries = 3): Partial<INode> => ({
	retryOnFail: true,
	maxTries,
	waitBetweenTries: 1,
});

/** 'Continue' for 'On Error'. */
export const continueOnError: Partial<INode> = { onError: 'continueRegularOutput' };

/** Matches the request that creates the payment of the order with that index. */
export const createOf = (index: number): FaultMatch => ({
	endpoint: 'create',
	reference: referenceOf(index),
});

/** How many payments there are of each reference. */
export function countsByReference({ payments }: Sandbox): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const { referenceNumber } of payments) {
		counts[referenceNumber] = (counts[referenceNumber] ?? 0) + 1;
	}
	return counts;
}

/** The payments' ids by reference; if a reference has several payments, the last one's. */
export const idsByReference = ({ payments }: Sandbox) =>
	Object.fromEntries(payments.map(({ referenceNumber, id }) => [referenceNumber, id]));

/** One payment of each of these orders, as {@link countsByReference} counts them. */
export const oneOfEach = (indexes: Iterable<number>): Record<string, number> =>
	Object.fromEntries([...indexes].map((index) => [referenceOf(index), 1]));

/**
 * Creates a payment without n8n.
 *
 * @param body `amount`, `referenceNumber` and what else a create may hold
 * @returns the JSON of an item that is about it: its `merchant` and `id`
 */
export async function createPayment(
	sandbox: Sandbox,
	body: IDataObject = {},
	merchant = 'merchant_abc123',
): Promise<{ merchant: string; id: string }> {
	const { data } = await (await partnerOf(sandbox, merchant)).create(body);
	return { merchant, id: data.id as string };
}

/** The image of a payment's QR code, without n8n. */
export const readQrCode = async (
	sandbox: Sandbox,
	merchant: string,
	id: string | number,
): Promise<Buffer> => (await (await partnerOf(sandbox, merchant)).qr(id)).data;

/** The whole numbers from 0 to `end` - 1. */
export const upTo = (end: number): number[] => [...Array(end).keys()];

/** The requests that came in for an endpoint, in order. */
export const requestsFor = (
	{ requests }: Sandbox,
	endpoint: RecordedRequest['endpoint'],
): RecordedRequest[] => requests.filter((request) => request.endpoint === endpoint);

/** The recorded requests for payments, without those for tokens. */
export const paymentRequests = ({ requests }: Sandbox): RecordedRequest[] =>
	requests.filter(({ endpoint }) => endpoint !== 'token');

/** How many tokens were asked for, given or not. */
export const tokenRequests = (sandbox: Sandbox): number => requestsFor(sandbox, 'token').length;

/** The references for which requests to create a payment came in, in order. */
export const askedFor = (sandbox: Sandbox): string[] =>
	requestsFor(sandbox, 'create').map(
		({ body }) => (body as { referenceNumber: string }).referenceNumber,
	);

/** The time from the beginning of each request to that of the next, in ms. */
export const pausesBetween = (requests: readonly RecordedRequest[]): number[] =>
	requests.slice(1).map(({ startedAt }, index) => startedAt - requests[index].startedAt);

/** How often {@link until} checks a condition that returns at once, in ms. */
const LOOK_EVERY_MS = 2;
/** How often it checks one that returns a promise, such as a question to n8n, in ms. */
const ASK_EVERY_MS = 20;

/**
 * Waits until something holds.
 *
 * @param limitMs several times what it takes on a busy machine
 * @param description of what was seen instead, for the error
 * @throws Error when it does not hold after `limitMs`
 */
export async function until(
	condition: () => boolean | Promise<boolean>,
	limitMs = 60_000,
	description = () => String(condition),
): Promise<void> {
	const end = Date.now() + limitMs;
	for (;;) {
		const holds = condition();
		if (await holds) return;
		if (Date.now() > end) throw new Error(`Not so within ${limitMs} ms: ${description()}`);
		await sleep(typeof holds === 'boolean' ? LOOK_EVERY_MS : ASK_EVERY_MS);
	}
}
