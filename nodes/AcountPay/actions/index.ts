import type { INodeProperties } from 'n8n-workflow';
import type { Operation } from './operation';
import { maxConcurrencyOption, timeoutOption } from './options';
import { operations as payment } from './payment';

const resources = { payment } satisfies Record<string, ReadonlyArray<Operation<unknown>>>;

/**
 * Finds the operation that a person chose.
 * @returns undefined when there is none of that name
 */
export function operationFor(resource: string, operation: string): Operation<unknown> | undefined {
	return Object.hasOwn(resources, resource)
		? resources[resource as keyof typeof resources].find(({ option }) => option.value === operation)
		: undefined;
}

const byName = (a: INodeProperties, b: INodeProperties) =>
	a.displayName.localeCompare(b.displayName);

/** 'Options' of an operation: those that every operation has, and its own. */
const optionsField = (own: INodeProperties[]): INodeProperties => ({
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add option',
	default: {},
	options: [maxConcurrencyOption, timeoutOption, ...own].sort(byName),
});

const fieldsFor = (resource: string, { option, fields, options = [] }: Operation<unknown>) =>
	[...fields, optionsField(options)].map(
		(field): INodeProperties => ({
			...field,
			displayOptions: {
				show: {
					...field.displayOptions?.show,
					resource: [resource],
					operation: [option.value],
				},
			},
		}),
	);

/** All fields of the node: the choice of resource and operation, then each operation's own. */
export const properties: INodeProperties[] = [
	{
		displayName: 'Resource',
		name: 'resource',
		type: 'options',
		noDataExpression: true,
		options: [{ name: 'Payment', value: 'payment' }],
		default: 'payment',
	},
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: ['payment'] } },
		options: payment.map(({ option }) => option),
		default: 'create',
	},
	...payment.flatMap((operation) => fieldsFor('payment', operation)),
];
