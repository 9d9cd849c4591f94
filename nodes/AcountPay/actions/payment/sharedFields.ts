import type { INodeProperties } from 'n8n-workflow';
import { ValidationError } from '../../../shared/errors';
import { idFrom } from '../../operation/sharedFields';
import {
	type ItemParameters,
	preview,
	pickedValue,
	requiredText,
} from '../../operation/parameters';

/** The method of the node that lists merchants for {@link merchantPickerField}. */
export const SEARCH_MERCHANTS = 'searchMerchants';

const PICKER_DEFAULT = { __rl: true, mode: 'list', value: '' } as const;

/** The merchant that a payment is for, with keys: picked by name, or by ID. */
export const merchantPickerField: INodeProperties = {
	displayName: 'Merchant ID',
	name: 'merchantId',
	type: 'resourceLocator',
	required: true,
	default: PICKER_DEFAULT,
	description: "The merchant that gets the money, by AcountPay's client ID for it",
	modes: [
		{
			displayName: 'From List',
			name: 'list',
			type: 'list',
			typeOptions: { searchListMethod: SEARCH_MERCHANTS, searchable: true },
		},
		{
			displayName: 'By ID',
			name: 'id',
			type: 'string',
			placeholder: 'e.g. 9f0c2d6e-6a1b-4c3d-8e5f-0a1b2c3d4e5f',
		},
	],
};

/**
 * Not an empty text: n8n gives a new node the defaults of OAuth2, and then the only credential there is. With keys, an empty
 * text would leave the picker without a mode, and nobody would see the list of merchants.
 */
const NO_DEFAULT = undefined as never;

/** The merchant that a payment is for, with access tokens. Every operation has it: one partner serves many merchants. */
export const merchantIdField: INodeProperties = {
	displayName: 'Merchant ID',
	name: 'merchantId',
	type: 'string',
	required: true,
	default: NO_DEFAULT,
	placeholder: 'e.g. merchant_abc123',
	description: 'The merchant that gets the money, as AcountPay calls it',
};

/*
 * Switching the credential keeps what was entered: a text with access tokens, an object with keys. n8n draws a text in a picker
 * as one without a mode, and an object in a text field as '[object Object]'. So each authentication has a field for either.
 */
const IS_PICKED = { '/merchantId.__rl': [true] };
const IS_TEXT = { '/merchantId.length': [{ _cnd: { gte: 0 } }] };

/** The merchant with access tokens, whichever authentication it was entered for. */
export const merchantIdFields: INodeProperties[] = [
	{ ...merchantIdField, displayOptions: { hide: IS_PICKED } },
	{
		...merchantPickerField,
		description: merchantIdField.description,
		hint: 'AcountPay has no list of merchants for access tokens: choose By ID',
		displayOptions: { show: IS_PICKED },
	},
];

/** The merchant with keys, whichever authentication it was entered for. */
export const merchantPickerFields: INodeProperties[] = [
	{ ...merchantPickerField, displayOptions: { hide: IS_TEXT } },
	{
		...merchantIdField,
		// What 'Reset Value' gives, which brings the picker back.
		default: PICKER_DEFAULT,
		placeholder: 'e.g. 9f0c2d6e-6a1b-4c3d-8e5f-0a1b2c3d4e5f',
		description: merchantPickerField.description,
		hint: "To choose from the list of merchants, select Reset Value in this field's menu",
		displayOptions: { show: IS_TEXT },
	},
];

/** The payment that an operation is about, with access tokens. */
export const paymentIdField: INodeProperties = {
	displayName: 'Payment ID',
	name: 'paymentId',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'e.g. pay_abc123def456',
	description: 'The ID that AcountPay gave the payment when it was created',
};

/** Printable ASCII: every HTTP server reads it alike in a header. */
const HEADER_VALUE = /^[\x20-\x7e]+$/;

/**
 * The checked merchant, without the spaces around it that HTTP would drop.
 * @throws ValidationError
 */
export const merchantIdFrom = (item: ItemParameters): string =>
	checkedMerchantId(item.get('merchantId'));

/**
 * The checked merchant in any field, as a picker's value or as plain text.
 * @throws ValidationError
 */
export function checkedMerchantId(value: unknown): string {
	const { displayName } = merchantIdField;
	const merchantId = requiredText(displayName, pickedValue(value));
	if (!HEADER_VALUE.test(merchantId)) {
		throw new ValidationError(
			displayName,
			`may only contain printable ASCII characters, but is ${preview(merchantId)}`,
		);
	}
	return merchantId.trim();
}

/**
 * The checked payment id.
 * @throws ValidationError
 */
export const paymentIdFrom = (item: ItemParameters): string =>
	idFrom(paymentIdField.displayName, item.get('paymentId'), 'pay_abc123def456');
