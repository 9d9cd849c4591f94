import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { createStore, readCreatedStore, storeIdOf, withStoreId } from '../../../shared/api/stores';
import { ValidationError } from '../../../shared/errors';
import { createOnce, type Creation } from '../../creation/createOnce';
import {
	additionalFieldsWith,
	customFieldsField,
	merchantNumberField,
	merchantNumberFrom,
	requiredTextField,
	textField,
	textFrom,
	textsFrom,
	withCustomFields,
} from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';
import { preview } from '../../operation/parameters';

interface CreateInput {
	merchantNumber: string;
	store: IDataObject & { name: string };
}

const nameField = requiredTextField('name', 'Name', 'Aarhus', 'The name of the store');

const additional: INodeProperties[] = [
	textField('city', 'City', 'Aarhus', 'The city of the store'),
	{
		...textField(
			'countryCode',
			'Country Code',
			'DK',
			'Two capital letters. AcountPay takes DK when you leave it out.',
		),
		default: 'DK',
	},
	customFieldsField,
	textField('email', 'Email', 'store@example.com', 'The email address of the store'),
	{
		displayName: 'Is Default',
		name: 'isDefault',
		type: 'boolean',
		default: true,
		description: 'Whether payments that name no store count for this one',
	},
	textField('locationId', 'Location ID', 'aarhus-1', 'Your own ID for the store'),
	textField('phone', 'Phone', '+45 12 34 56 78', 'The phone number of the store'),
	textField('postalCode', 'Postal Code', '8000', 'The postal code of the store'),
	textField(
		'streetAddress',
		'Street Address',
		'Store Torv 1',
		'The street and the number of the store',
	),
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
	fields: [merchantNumberField, nameField, additionalFieldsWith(additional)],
	creates: { noun: 'store', nameOf: ({ store }) => store.name, idOf: storeIdOf },

	check(item) {
		const added = item.collection('additionalFields');
		const own = {
			name: textFrom(item, nameField).trim(),
			...textsFrom(added, additional),
			...('isDefault' in added && { isDefault: isDefaultFrom(added.isDefault) }),
		};
		return {
			merchantNumber: merchantNumberFrom(item),
			store: withCustomFields(own, added, [nameField, ...additional]),
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
			unknownAdvice: "Look for it among the merchant's stores before you create it again.",
		};
		const known = record(request, {
			referenceNumber: name,
			key: JSON.stringify([merchantNumber, name]),
		});
		const created = await createOnce({ client, creation, options, record: known });
		return [{ json: withStoreId(created) }];
	},
};
