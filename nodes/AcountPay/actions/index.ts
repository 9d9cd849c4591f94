import type { INodeProperties } from 'n8n-workflow';
import {
	type Authentication,
	AUTHENTICATIONS,
	authenticationField,
	nameOfAuthentication,
	optionShownWith,
	shownWith,
} from '../../shared/auth';
import { merchant } from './merchant';
import type { Operation, Resource } from '../operation/operation';
import { COMMON_OPTIONS, resendUnknownOptionFor } from '../operation/options';
import { byName } from '../operation/sharedFields';
import { payment } from './payment';
import { store } from './store';

/** All resources by their value in saved workflows, in the order of the list. */
const RESOURCES: Readonly<Record<string, Resource>> = { merchant, payment, store };

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
	const having = AUTHENTICATIONS.filter((other) => operationFor(other, resource, operation));
	if (having.length > 0) {
		const { name } = operationFor(having[0], resource, operation)!.option;
		return {
			message: `The operation '${name}' needs a credential for ${nameOfAuthentication(...having)}`,
			description: 'Choose such a credential in the node, or another operation. Nothing was sent.',
		};
	}
	return {
		message: `This version of the node has no operation '${operation}' for '${resource}'`,
		description: 'Choose another operation, or update the package n8n-nodes-acountpay.',
	};
}

/** The field, shown with this authentication where these parameters have these values too. */
function shownFor(
	field: INodeProperties,
	authentication: Authentication,
	parameters: Record<string, string[]>,
): INodeProperties {
	const way = shownWith(authentication);
	const show = { ...field.displayOptions?.show, ...way.show, ...parameters };
	const hide = { ...field.displayOptions?.hide, ...way.hide };
	const isHidden = Object.keys(hide).length > 0;
	return { ...field, displayOptions: { show, ...(isHidden && { hide }) } };
}

/** The fields of an operation: its own, and 'Options' with the ones that every operation has, and its own. */
function fieldsFor(
	authentication: Authentication,
	resource: string,
	{ option, fields, options = [], creates }: Operation<unknown>,
): INodeProperties[] {
	const resend = creates ? [resendUnknownOptionFor(creates.noun)] : [];
	const optionsField: INodeProperties = {
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add Option',
		default: {},
		options: [...COMMON_OPTIONS, ...options, ...resend].sort(byName),
	};
	return [...fields, optionsField].map((field) =>
		shownFor(field, authentication, { resource: [resource], operation: [option.value] }),
	);
}

/** One field for all authentications: n8n's list of actions would show the ones of a second field twice. */
const resourceField: INodeProperties = {
	displayName: 'Resource',
	name: 'resource',
	type: 'options',
	noDataExpression: true,
	options: Object.entries(RESOURCES).map(([value, { name }]) =>
		optionShownWith({ name, value }, authenticationsOf(value)),
	),
	default: 'payment',
};

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
	const isOfAll = own.length === AUTHENTICATIONS.length;
	return {
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		options,
		// Every resource has it; one without it would need a default of its own.
		default: 'create',
		displayOptions: { show: { resource: [resource], ...(!isOfAll && { authentication }) } },
	};
}

/**
 * Shown instead of the fields if the user chose an operation that the authentication does not have: n8n's list of actions
 * offers everything, and switching the credential leaves resource and operation as they are.
 */
function notices(authentication: Authentication, resource: string): INodeProperties[] {
	const missing = RESOURCES[resource].operations.filter((entry) => !entry[authentication]);
	return missing.map((entry) => {
		const having = AUTHENTICATIONS.filter((other) => entry[other]);
		const { name, value } = entry[having[0]]!.option;
		const notice: INodeProperties = {
			displayName: `<b>${name}</b> needs a credential for <b>${nameOfAuthentication(...having)}</b>. Choose one above, or create it.`,
			name: 'authenticationNotice',
			type: 'notice',
			default: '',
		};
		return shownFor(notice, authentication, { resource: [resource], operation: [value] });
	});
}

const EACH = AUTHENTICATIONS.flatMap((authentication) =>
	Object.keys(RESOURCES).map((resource) => ({ authentication, resource })),
);

/** All fields of the node: the choices, then each operation's own. */
export const properties: INodeProperties[] = [
	authenticationField,
	resourceField,
	...Object.keys(RESOURCES).map(operationField),
	...EACH.flatMap(({ authentication, resource }) =>
		operationsOf(authentication, resource).flatMap((operation) =>
			fieldsFor(authentication, resource, operation),
		),
	),
	...EACH.flatMap(({ authentication, resource }) => notices(authentication, resource)),
];
