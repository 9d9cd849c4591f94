import type { INodeProperties } from 'n8n-workflow';
import { ValidationError } from '../../../shared/errors';
import { idFrom, requiredTextField, textField } from '../../operation/sharedFields';
import {
	type ItemParameters,
	preview,
	pickedValue,
	requiredText,
} from '../../operation/parameters';
import { CURRENCIES } from './currencies';

/** The method of the node that lists merchants for {@link merchantPickerField}. */
const SEARCH_MERCHANTS = 'searchMerchants';

const PICKER_DEFAULT = { __rl: true, mode: 'list', value: '' } as const;

/** The merchant that a payment is for, as a picker: by name or by ID. With keys. */
export const merchantPickerField: INodeProperties = {
	displayName: 'Merchant ID',
	name: 'merchantId',
	type: 'resourceLocator',
	required: true,
	default: PICKER_DEFAULT,
	description: 'The merchant that gets the money. By ID, enter its client ID at AcountPay.',
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
 * n8n fills a new node with the OAuth2 defaults first, and then selects the only credential there is, perhaps one with keys.
 * An empty text left from that would give the picker no mode, and nobody would see the list of merchants.
 */
const NO_DEFAULT = undefined as never;

/** The merchant that a payment is for, as a text. With access tokens, for which AcountPay has no list of merchants. */
const merchantTextField: INodeProperties = {
	displayName: 'Merchant ID',
	name: 'merchantId',
	type: 'string',
	required: true,
	default: NO_DEFAULT,
	placeholder: 'e.g. merchant_abc123',
	description: "AcountPay's ID of the merchant that gets the money",
};

/*
 * Switching the credential keeps what was entered: a text with access tokens, an object with keys. n8n draws a text in a picker
 * as one without a mode, and an object in a text field as '[object Object]'. So each authentication has a field for either.
 */
const IS_PICKED = { '/merchantId.__rl': [true] };
/** Only a text has a length, be it 0. */
const IS_TEXT = { '/merchantId.length': [{ _cnd: { gte: 0 } }] };

/** The fields for the merchant with access tokens, whichever authentication it was entered for. One is shown. */
export const merchantFieldsForTokens: INodeProperties[] = [
	{ ...merchantTextField, displayOptions: { hide: IS_PICKED } },
	{
		...merchantPickerField,
		description: merchantTextField.description,
		modes: merchantPickerField.modes!.map((mode) =>
			mode.type === 'list'
				? { ...mode, hint: 'AcountPay has no list of merchants for access tokens: choose By ID' }
				: { ...mode, placeholder: merchantTextField.placeholder },
		),
		displayOptions: { show: IS_PICKED },
	},
];

/** The fields for the merchant with keys, whichever authentication it was entered for. One is shown. */
export const merchantFieldsForKeys: INodeProperties[] = [
	{ ...merchantPickerField, displayOptions: { hide: IS_TEXT } },
	{
		...merchantTextField,
		// 'Reset Value' puts this in, and the picker is shown again.
		default: PICKER_DEFAULT,
		placeholder: 'e.g. 9f0c2d6e-6a1b-4c3d-8e5f-0a1b2c3d4e5f',
		description: merchantPickerField.description,
		hint: "To choose from the list of merchants, select Reset Value in this field's menu",
		displayOptions: { show: IS_TEXT },
	},
];

/** The payment that an operation is about, with access tokens. */
const paymentIdField: INodeProperties = requiredTextField(
	'paymentId',
	'Payment ID',
	'pay_abc123def456',
	'The ID that AcountPay gave the payment when it was created',
);

/** The same with keys. */
export const paymentNumberField: INodeProperties = { ...paymentIdField, placeholder: 'e.g. 456' };

/** What the customer is to pay. */
export const amountField: INodeProperties = {
	displayName: 'Amount',
	name: 'amount',
	// Text, since n8n's fields for numbers drop a comma without a word: 149,99 becomes 14999.
	type: 'string',
	required: true,
	default: '',
	placeholder: 'e.g. 149.99',
	description:
		'In major units: 149.99 means 149 kroner and 99 øre. At least 0.01, at most two decimals.',
};

/** The merchant's order or invoice. */
export const referenceNumberField: INodeProperties = requiredTextField(
	'referenceNumber',
	'Reference Number',
	'ORDER-123',
	'Your order or invoice number, to find the payment by. Up to 18 letters, digits, spaces or # - _ / . fit on the statement of every bank.',
);

/** The currency of a new payment. */
export const currencyField: INodeProperties = {
	...textField(
		'currency',
		'Currency',
		'DKK',
		'Three capital letters, as ISO 4217 has them. AcountPay takes DKK when you leave it out.',
	),
	default: 'DKK',
};

/** What the customer reads. */
export const descriptionField: INodeProperties = textField(
	'description',
	'Description',
	'Two tickets, 5 May',
	'Text that the customer sees',
);

/** The output field for the image of a QR code. */
export const imageField: INodeProperties = {
	displayName: 'Output Data Field Name',
	name: 'binaryPropertyName',
	type: 'string',
	required: true,
	default: 'data',
	hint: 'The name of the output field to put the image in',
};

/** A payment with access tokens, which AcountPay only finds with its merchant. */
export interface MerchantPayment {
	merchantClientId: string;
	paymentId: string;
}

/** The fields that say which payment it is, with access tokens. */
export const paymentFieldsForTokens: INodeProperties[] = [
	...merchantFieldsForTokens,
	paymentIdField,
];

/** The checked payment of these fields. @throws ValidationError */
export const merchantPaymentFrom = (item: ItemParameters): MerchantPayment => ({
	merchantClientId: merchantClientIdFrom(item),
	paymentId: paymentIdFrom(item),
});

/** Printable ASCII: every HTTP server reads it alike in a header. */
const HEADER_VALUE = /^[\x20-\x7e]+$/;

/**
 * The checked merchant, without the spaces around it that HTTP would drop.
 * @throws ValidationError
 */
export const merchantClientIdFrom = (item: ItemParameters): string =>
	checkedMerchantClientId(item.get('merchantId'));

/**
 * The checked merchant in any field, as a picker's value or as plain text.
 * @throws ValidationError
 */
export function checkedMerchantClientId(value: unknown): string {
	const { displayName } = merchantTextField;
	const merchantClientId = requiredText(displayName, pickedValue(value));
	if (!HEADER_VALUE.test(merchantClientId)) {
		throw new ValidationError(
			displayName,
			`may only contain plain letters, digits and signs (printable ASCII), but is ${preview(merchantClientId)}`,
		);
	}
	return merchantClientId.trim();
}

/**
 * The checked payment id.
 * @throws ValidationError
 */
export const paymentIdFrom = (item: ItemParameters): string =>
	idFrom(item, paymentIdField, 'pay_abc123def456');

/** As a spreadsheet gives an amount: 149, 149.9 or 149.99. */
const AMOUNT_TEXT = /^(0|[1-9]\d*)(\.\d{1,2})?$/;
/** The error of binary numbers, as in 3 * 49.95, stays below this. */
const NUMBER_NOISE = 1e-6;

/**
 * @returns the amount with at most two decimals
 * @throws ValidationError when it has more, is below 0.01, or is no number
 */
export function amountOf(value: unknown): number {
	const isAmountText = typeof value === 'string' && AMOUNT_TEXT.test(value);
	const amount = typeof value === 'number' || isAmountText ? Number(value) : NaN;
	const hundredths = Math.round(amount * 100);
	const isExact =
		Number.isSafeInteger(hundredths) && Math.abs(amount - hundredths / 100) < NUMBER_NOISE;
	if (isExact && hundredths >= 1) return hundredths / 100;
	throw new ValidationError(
		amountField.displayName,
		`must be a number of at least 0.01 with at most two decimals, such as 149.99, but is ${preview(value)}`,
		'Amounts are in major units, with a point before the decimals and nothing between thousands.',
	);
}

/** @throws ValidationError when it is no code of ISO 4217 */
export function currencyOf(value: unknown): string {
	if (typeof value === 'string' && CURRENCIES.has(value)) return value;
	throw new ValidationError(
		currencyField.displayName,
		`must be a currency code of ISO 4217 in capital letters, such as DKK, but is ${preview(value)}`,
	);
}
