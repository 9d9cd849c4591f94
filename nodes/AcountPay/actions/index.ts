import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import {
	type Authentication,
	AUTHENTICATIONS,
	authenticationField,
	nameOfAuthentication,
	optionShownWith,
	SHOWN_WITH,
} from '../../shared/auth';
import { merchant } from './merchant';
import type { Operation, Resource } from '../operation/operation';
import { COMMON_OPTIONS, resendUnknownOptionFor } from '../operation/options';
import { byName } from '../operation/sharedFields';
import { payment } from './payment';
import { store } from './store';

/** All resources by their value in saved workflows, in the order of the list. */
const RESOURCES: Readonly<Record<string, Resource>> = { merchant, payment, store };

const DEFAULT_RESOURCE = 'payment';
const DEFAULT_OPERATION = 'create';

/** The operations that a resource has with one way to authenticate. */
const operationsOf = (authentication: Authentication, resource: string): Operation<unknown>[] =>
	Object.hasOwn(RESOURCES, resource)
		? RESOURCES[resource].operations.flatMap((entry) => entry[authentication] ?? [])
		: [];

/** The authentications that a resource has operations with. */
const authenticationsOf = (resource: string): Authentication[] =>
	AUTHENTICATIONS.filter((authentication) => operationsOf(authentication, resource).length > 0);

/**
 * Finds the operation that the user chose.
 * @returns undefined when there is none of that name with this authentication
 */
export const operationFor = (
	authentication: Authentication,
	resource: string,
	operation: string,
): Operation<unknown> | undefined =>
	operationsOf(authentication, resource).find(({ option }) => option.value === operation);

/**
 * Why the operation that the user chose is not available: the node's authentication, or the node's version.
 * @returns message and description of an error
 */
export function missingOperation(
	resource: string,
	operation: string,
): { message: string; description: string } {
	for (const authentication of AUTHENTICATIONS) {
		const found = operationFor(authentication, resource, operation);
		if (!found) continue;
		return {
			message: `The operation '${found.option.name}' needs a credential for ${nameOfAuthentication(authentication)}`,
			description: 'Choose such a credential in the node, or another operation. Nothing was sent.',
		};
	}
	return {
		message: `This version of the node has no operation '${operation}' for '${resource}'`,
		description: 'Choose another operation, or update the package n8n-nodes-acountpay.',
	};
}

/** 'Options' of an operation: the ones that every operation has, and its own. */
const optionsField = (own: INodeProperties[]): INodeProperties => ({
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add Option',
	default: {},
	options: [...COMMON_OPTIONS, ...own].sort(byName),
});

/** The field, shown with this authentication where these parameters have these values too. */
function shownFor(
	field: INodeProperties,
	authentication: Authentication,
	parameters: Record<string, string[]>,
): INodeProperties {
	const way = SHOWN_WITH[authentication];
	const show = { ...field.displayOptions?.show, ...way.show, ...parameters };
	const hide = { ...field.displayOptions?.hide, ...way.hide };
	const isHidden = Object.keys(hide).length > 0;
	return { ...field, displayOptions: { show, ...(isHidden && { hide }) } };
}

const fieldsFor = (
	authentication: Authentication,
	resource: string,
	{ option, fields, options = [], creates }: Operation<unknown>,
) => {
	const resend = creates ? [resendUnknownOptionFor(creates.noun)] : [];
	return [...fields, optionsField([...options, ...resend])].map((field) =>
		shownFor(field, authentication, { resource: [resource], operation: [option.value] }),
	);
};

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

/** One field for all authentications: n8n's list of actions would show the ones of a second field twice. */
const resourceField = choice(
	'Resource',
	'resource',
	Object.entries(RESOURCES).map(([value, { name }]) =>
		optionShownWith({ name, value }, authenticationsOf(value)),
	),
	DEFAULT_RESOURCE,
);

/**
 * One field for all authentications: n8n's list of actions has the operations of a resource's first field alone. It stays
 * when the authentication is switched, or n8n would forget the operation, and make 'Create' of 'Get Many'.
 */
function operationField(resource: string): INodeProperties {
	const own = authenticationsOf(resource);
	const options = RESOURCES[resource].operations.map((entry) => {
		const having = own.filter((authentication) => entry[authentication]);
		return optionShownWith(entry[having[0]]!.option, having, own);
	});
	// Whoever chooses an action in n8n's list gets the first of these values.
	const authentication = [...own, ...AUTHENTICATIONS.filter((other) => !own.includes(other))];
	const show = {
		resource: [resource],
		...(own.length < AUTHENTICATIONS.length && { authentication }),
	};
	return {
		...choice('Operation', 'operation', options, DEFAULT_OPERATION),
		displayOptions: { show },
	};
}

/**
 * Shown instead of the fields if the user chose an operation that the authentication does not have: n8n's list of actions
 * offers everything, and switching the credential leaves resource and operation as they are.
 */
function notices(authentication: Authentication, resource: string): INodeProperties[] {
	const missing = RESOURCES[resource].operations.filter((entry) => !entry[authentication]);
	return missing.map((entry) => {
		const [needed] = AUTHENTICATIONS.filter((other) => entry[other]);
		const { name, value } = entry[needed]!.option;
		const notice: INodeProperties = {
			displayName: `<b>${name}</b> needs a credential for <b>${nameOfAuthentication(needed)}</b>. Choose one above, or create it.`,
			name: 'authenticationNotice',
			type: 'notice',
			default: '',
		};
		return shownFor(notice, authentication, { resource: [resource], operation: [value] });
	});
}

/** All fields of the node: the choices, then each operation's own. */
export const properties: INodeProperties[] = [
	authenticationField,
	resourceField,
	...Object.keys(RESOURCES).map(operationField),
	...AUTHENTICATIONS.flatMap((authentication) =>
		Object.keys(RESOURCES).flatMap((resource) =>
			operationsOf(authentication, resource).flatMap((operation) =>
				fieldsFor(authentication, resource, operation),
			),
		),
	),
	...AUTHENTICATIONS.flatMap((authentication) =>
		Object.keys(RESOURCES).flatMap((resource) => notices(authentication, resource)),
	),
];
