import type { IDataObject, INodeProperties } from 'n8n-workflow';
import {
	createStore,
	type NewStore,
	readCreatedStore,
	STORE_FIELDS,
	storeIdOf,
	withStoreId,
} from '../../../shared/api/stores';
import { ValidationError } from '../../../shared/errors';
import { createOnce, type Creation } from '../../creation/createOnce';
import {
	additionalFieldsWith,
	customFieldsField,
	customFieldsFrom,
	merchantNumberField,
	merchantNumberFrom,
	textsFrom,
} from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';
import { resendUnknownOptionFor } from '../../operation/options';
import { preview, requiredText } from '../../operation/parameters';
import { withinSize } from '../../operation/bodyLimits';

interface CreateInput {
	merchantNumber: string;
	store: NewStore & IDataObject;
}

const additional: INodeProperties[] = [
	{
		displayName: 'City',
		name: 'city',
		type: 'string',
		default: '',
		placeholder: 'e.g. Aarhus',
		description: 'The city of the store',
	},
	{
		displayName: 'Country Code',
		name: 'countryCode',
		type: 'string',
		default: 'DK',
		placeholder: 'e.g. DK',
		description: 'Two capital letters. AcountPay takes DK when you leave it out.',
	},
	customFieldsField,
	{
		displayName: 'Email',
		name: 'email',
		type: 'string',
		default: '',
		placeholder: 'e.g. store@example.com',
		description: 'The email address of the store',
	},
	{
		displayName: 'Is Default',
		name: 'isDefault',
		type: 'boolean',
		default: true,
		description: 'Whether payments that name no store count for this one',
	},
	{
		displayName: 'Location ID',
		name: 'locationId',
		type: 'string',
		default: '',
		placeholder: 'e.g. aarhus-1',
		description: 'Your own ID for the store',
	},
	{
		displayName: 'Phone',
		name: 'phone',
		type: 'string',
		default: '',
		placeholder: 'e.g. +45 12 34 56 78',
		description: 'The phone number of the store',
	},
	{
		displayName: 'Postal Code',
		name: 'postalCode',
		type: 'string',
		default: '',
		placeholder: 'e.g. 8000',
		description: 'The postal code of the store',
	},
	{
		displayName: 'Street Address',
		name: 'streetAddress',
		type: 'string',
		default: '',
		placeholder: 'e.g. Store Torv 1',
		description: 'The street and the number of the store',
	},
];

const isDefaultFrom = (value: unknown): boolean => {
	if (typeof value === 'boolean') return value;
	throw new ValidationError('Is Default', `must be true or false, but is ${preview(value)}`);
};

/** Creates a store of a merchant. */
export const create: Operation<CreateInput> = {
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create store',
		description: 'Create a store of a merchant',
	},
	fields: [
		merchantNumberField,
		{
			displayName: 'Name',
			name: 'name',
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. Aarhus',
			description: 'The name of the store',
		},
		additionalFieldsWith(additional),
	],
	noun: 'store',
	options: [resendUnknownOptionFor('store')],
	createdIdOf: storeIdOf,
	referenceOf: ({ store }) => store.name,

	check(item) {
		const added = item.collection('additionalFields');
		const own: NewStore = {
			name: requiredText('Name', item.get('name')).trim(),
			...textsFrom(added, additional),
			...('isDefault' in added && { isDefault: isDefaultFrom(added.isDefault) }),
		};
		return {
			merchantNumber: merchantNumberFrom(item),
			store: withinSize({ ...own, ...customFieldsFrom(added, STORE_FIELDS) }),
		};
	},

	async run({ merchantNumber, store }, { client, options, record }) {
		const request = createStore(merchantNumber, store);
		const { name } = store;
		const creation: Creation = {
			request,
			subject: {
				noun: 'store',
				name: `the store '${name}' of merchant '${merchantNumber}'`,
				missing: { name: 'the merchant', fields: 'Merchant Number' },
			},
			title: `Store '${name}' of merchant '${merchantNumber}'`,
			readCreated: readCreatedStore,
			notCreated: 'This store was not created.',
			unknownAdvice: "Look for it among the merchant's stores before you create it again.",
		};
		const known = record(request, {
			referenceNumber: name,
			key: JSON.stringify([merchantNumber, name]),
		});
		const created = await createOnce(client, creation, options, known);
		return [{ json: withStoreId(created) }];
	},
};
