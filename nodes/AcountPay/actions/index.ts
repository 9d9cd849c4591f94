import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import {
	AUTH_METHODS,
	type Authentication,
	authenticationField,
	SHOWN_WITH,
} from '../../shared/auth';
import { merchant } from './merchant';
import type { Operation, Resource } from './operation';
import { maxConcurrencyOption, timeoutOption } from './options';
import { payment } from './payment';
import { store } from './store';

/** All resources by their value in saved workflows, in the order of the list. */
const RESOURCES: Readonly<Record<string, Resource>> = { merchant, payment, store };

const DEFAULT_RESOURCE = 'payment';
const DEFAULT_OPERATION = 'create';

/** By the order in which they were added: the fields of a saved workflow keep their order, by which it is known again. */
const AUTHENTICATIONS = Object.keys(AUTH_METHODS) as Authentication[];

const operationsOf = (authentication: Authentication, resource: string) =>
	Object.hasOwn(RESOURCES, resource) ? (RESOURCES[resource].operations[authentication] ?? []) : [];

const resourcesWith = (authentication: Authentication): string[] =>
	Object.keys(RESOURCES).filter((resource) => operationsOf(authentication, resource).length > 0);

/** The authentications that a resource has operations with. */
const authenticationsOf = (resource: string): Authentication[] =>
	AUTHENTICATIONS.filter((authentication) => resourcesWith(authentication).includes(resource));

/**
 * Finds the operation that a person chose.
 * @returns undefined when there is none of that name with this authentication
 */
export const operationFor = (
	authentication: Authentication,
	resource: string,
	operation: string,
): Operation<unknown> | undefined =>
	operationsOf(authentication, resource).find(({ option }) => option.value === operation);

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

/** The field, shown with this authentication where these parameters have these values too. */
function shownFor(
	field: INodeProperties,
	authentication: Authentication,
	parameters: Record<string, string[]> = {},
): INodeProperties {
	const { show, hide } = SHOWN_WITH[authentication];
	const shown = { ...field.displayOptions?.show, ...show, ...parameters };
	return {
		...field,
		displayOptions: {
			...(Object.keys(shown).length > 0 && { show: shown }),
			...(hide && { hide }),
		},
	};
}

const fieldsFor = (
	authentication: Authentication,
	resource: string,
	{ option, fields, options = [] }: Operation<unknown>,
) =>
	[...fields, optionsField(options)].map((field) =>
		shownFor(field, authentication, { resource: [resource], operation: [option.value] }),
	);

const choice = (
	displayName: string,
	name: string,
	options: INodePropertyOptions[],
	defaultValue: string,
): INodeProperties => ({
	displayName,
	name,
	type: 'options',
	noDataExpression: true,
	options,
	default: defaultValue,
});

/** A resource as the list offers it: only with an authentication that it has operations with. */
function resourceOption(value: string): INodePropertyOptions {
	const authentications = authenticationsOf(value);
	return {
		name: RESOURCES[value].name,
		value,
		...(authentications.length < AUTHENTICATIONS.length && {
			displayOptions: { show: { authentication: authentications } },
		}),
	};
}

/** One field for all authentications: n8n's list of actions would show those of a second field twice. */
const resourceField = choice(
	'Resource',
	'resource',
	Object.keys(RESOURCES).map(resourceOption),
	DEFAULT_RESOURCE,
);

/** The operations and fields that a person has with one way to authenticate. */
function propertiesWith(authentication: Authentication): INodeProperties[] {
	const resources = resourcesWith(authentication);
	return [
		...resources.map((resource) =>
			shownFor(
				choice(
					'Operation',
					'operation',
					operationsOf(authentication, resource).map(({ option }) => option),
					DEFAULT_OPERATION,
				),
				authentication,
				{ resource: [resource] },
			),
		),
		...resources.flatMap((resource) =>
			operationsOf(authentication, resource).flatMap((operation) =>
				fieldsFor(authentication, resource, operation),
			),
		),
	];
}

/** All fields of the node: the choices, then each operation's own. */
export const properties: INodeProperties[] = [
	authenticationField,
	resourceField,
	...AUTHENTICATIONS.flatMap(propertiesWith),
];
