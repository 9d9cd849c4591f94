/* eslint-disable @n8n/community-nodes/no-restricted-globals -- runs outside n8n */
import type { INode, INodeParameters } from 'n8n-workflow';
import type { FaultMatch, RecordedRequest, Sandbox } from '../../sandbox';
import type { Execution, WorkflowDefinition } from './harness';
import { create, get } from './support';

/** The reference of the order with that index. */
export const referenceOf = (index: number) => `ORDER-${index}`;

/** Fits the request that makes the payment of the order with that index. */
export const createOf = (index: number): FaultMatch => ({
	endpoint: 'create',
	reference: referenceOf(index),
});

/** The node that makes a payment of each order. */
export const createNode = (
	options: INodeParameters = {},
	settings: Partial<INode> = {},
): Partial<INode> => ({
	parameters: create({ options }),
	...settings,
});

/** The node that reads the payment of each item, whose JSON has `merchant` and `id`. */
export const getNode = (
	options: INodeParameters = {},
	settings: Partial<INode> = {},
): Partial<INode> => ({
	parameters: get({ options }),
	...settings,
});

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

/** 'Retry On Fail', with the shortest pause that n8n takes. */
export const retryOnFail = (maxTries = 3): Partial<INode> => ({
	retryOnFail: true,
	maxTries,
	waitBetweenTries: 1,
});

/** 'Continue' for 'On Error'. */
export const goOn: Partial<INode> = { onError: 'continueRegularOutput' };

/** How many payments there are of each reference. */
export function paymentsOf(sandbox: Sandbox): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const { referenceNumber } of sandbox.payments) {
		counts[referenceNumber] = (counts[referenceNumber] ?? 0) + 1;
	}
	return counts;
}

/** One payment of each of these orders, as {@link paymentsOf} counts them. */
export const oneOfEach = (indexes: Iterable<number>): Record<string, number> =>
	Object.fromEntries([...indexes].map((index) => [referenceOf(index), 1]));

/** The numbers from 0 up to, and without, `end`. */
export const upTo = (end: number): number[] => [...Array(end).keys()];

/** The requests that came in for an endpoint, in order. */
export const requestsFor = (
	{ requests }: Sandbox,
	endpoint: RecordedRequest['endpoint'],
): RecordedRequest[] => requests.filter((request) => request.endpoint === endpoint);

/** The references for which requests to make a payment came in, in order. */
export const askedFor = (sandbox: Sandbox): string[] =>
	requestsFor(sandbox, 'create').map(
		({ body }) => (body as { referenceNumber: string }).referenceNumber,
	);

/** The pauses between the beginnings of requests, in ms. */
export const pausesBetween = (requests: readonly RecordedRequest[]): number[] =>
	requests.slice(1).map(({ startedAt }, index) => startedAt - requests[index].startedAt);

/** The references in the output of the node's last run, in order; undefined for an item with an error. */
export const handedOut = (execution: Execution) =>
	execution.json().map(({ referenceNumber }) => referenceNumber as string | undefined);

/** Waits until something holds. */
export async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
