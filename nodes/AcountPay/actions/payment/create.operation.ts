import type { IDataObject } from 'n8n-workflow';
import {
	createPayment,
	MOCK_PAYMENTS,
	type MockPayment,
	NEW_PAYMENT_FIELDS,
	type NewPayment,
	paymentIdOf,
} from '../../../shared/api/payments';
import { ApiError, ValidationError } from '../../../shared/errors';
import { createOnce } from '../../creation/createOnce';
import {
	additionalFieldsWith,
	customFieldsField,
	customFieldsFrom,
} from '../../operation/sharedFields';
import type { Image, ItemWork, Operation } from '../../operation/operation';
import { resendUnknownOptionFor } from '../../operation/options';
import { jsonObject, preview, requiredText, webUrl } from '../../operation/parameters';
import { withinSize } from '../../operation/bodyLimits';
import { CURRENCIES } from './currencies';
import { merchantIdFields, merchantIdFrom } from './sharedFields';
import { creationOf, labelOf, withQrCode } from './sharedCreate';
import { readQrCode } from './readQrCode';

interface CreateInput {
	merchantId: string;
	payment: NewPayment & IDataObject;
	mockPayment?: MockPayment;
	/** Whether the image of the QR code is wanted. */
	qrCode: boolean;
}

/** Creates a payment that a customer can pay by link or QR code. */
export const create: Operation<CreateInput> = {
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create payment',
		description: 'Ask a customer for a bank payment by link or QR code',
	},
	fields: [
		...merchantIdFields,
		{
			displayName: 'Amount',
			name: 'amount',
			// Text, since n8n's fields for numbers drop a comma without a word: 149,99 becomes 14999.
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. 149.99',
			description:
				'In major units: 149.99 means 149 kroner and 99 øre. At least 0.01, at most two decimals.',
		},
		{
			displayName: 'Reference Number',
			name: 'referenceNumber',
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. ORDER-123',
			description:
				'Your order or invoice number, to find the payment by. Up to 18 letters, digits, spaces or # - _ / . fit the statements of every bank.',
		},
		additionalFieldsWith([
			{
				displayName: 'Currency',
				name: 'currency',
				type: 'string',
				default: 'DKK',
				placeholder: 'e.g. DKK',
				description:
					'Three capital letters, as ISO 4217 has them. AcountPay takes DKK when you leave it out.',
			},
			customFieldsField,
			{
				displayName: 'Description',
				name: 'description',
				type: 'string',
				default: '',
				placeholder: 'e.g. Two tickets, 5 May',
				description: 'Text that the customer sees',
			},
			{
				displayName: 'Metadata',
				name: 'metadata',
				type: 'json',
				default: '{}',
				description: 'Your own data as a JSON object. AcountPay gives it back in its webhooks.',
			},
			{
				displayName: 'Mock Payment',
				name: 'mockPayment',
				type: 'options',
				options: [
					{
						name: 'Complete After 10 Seconds',
						value: 'delay',
					},
					{
						name: 'Complete at Once',
						value: 'true',
					},
					{
						name: 'Fail at Once',
						value: 'fail',
					},
				],
				default: 'true',
				description: "Simulates the outcome without a customer. AcountPay's sandbox only.",
			},
			{
				displayName: 'Webhook URL',
				name: 'webhookUrl',
				type: 'string',
				default: '',
				placeholder: 'e.g. https://n8n.example.com/webhook/…',
				description:
					"Where AcountPay sends this payment's events: the URL of an AcountPay Trigger, or this execution's own",
				hint: 'To wait for this payment in this workflow, switch to Expression and enter {{ $execution.resumeUrl }}',
			},
		]),
	],

	options: [
		{
			displayName: 'QR Code',
			name: 'qrCode',
			type: 'boolean',
			// Who adds the option wants the code. n8n fills no default into a collection, so without the option there is none.
			default: true,
			description: 'Whether to add the image that the customer scans, as the output field data',
			// A language model has no use for an image.
			displayOptions: { hide: { '@tool': [true] } },
		},
		resendUnknownOptionFor('payment'),
	],

	createdIdOf: paymentIdOf,
	referenceOf: ({ payment }) => payment.referenceNumber,

	check(item, client) {
		const additional = item.collection('additionalFields');
		const payment: NewPayment & IDataObject = {
			amount: amountOf(item.get('amount')),
			referenceNumber: requiredText('Reference Number', item.get('referenceNumber')),
		};
		if ('currency' in additional) payment.currency = currencyOf(additional.currency);
		if ('description' in additional) {
			payment.description = requiredText('Description', additional.description);
		}
		if ('metadata' in additional) payment.metadata = jsonObject('Metadata', additional.metadata);
		if ('webhookUrl' in additional)
			payment.webhookUrl = webUrl('Webhook URL', additional.webhookUrl);
		return {
			merchantId: merchantIdFrom(item),
			payment: withinSize({
				...payment,
				...customFieldsFrom(additional, NEW_PAYMENT_FIELDS),
			}),
			...('mockPayment' in additional && {
				mockPayment: mockPaymentOf(additional.mockPayment, client.isProduction),
			}),
			qrCode: item.collection('options').qrCode === true,
		};
	},

	async run({ merchantId, payment, mockPayment, qrCode }, work) {
		const { client, options, record } = work;
		const { referenceNumber, amount, currency } = payment;
		const request = createPayment(merchantId, payment, mockPayment);
		const creation = creationOf(request, merchantId, referenceNumber);
		const known = record(request, labelOf(merchantId, referenceNumber, amount, currency));
		const created = await createOnce(client, creation, options, known);
		if (!qrCode) return [{ json: created }];
		const imageOf = async () => await qrCodeOf(created, merchantId, work);
		return [
			await withQrCode(created, work, imageOf, "Read the image with the operation 'Get QR Code'."),
		];
	},
};

/** Reads the image of a payment that was created. */
async function qrCodeOf(
	created: IDataObject,
	merchantId: string,
	{ client, options }: ItemWork,
): Promise<Image> {
	const paymentId = paymentIdOf(created);
	if (paymentId === undefined) {
		throw new ApiError('unavailable', "AcountPay's response has no ID to ask for it with", '');
	}
	return await readQrCode(client, merchantId, paymentId, options);
}

/** As a spreadsheet gives an amount: 149, 149.9 or 149.99. */
const AMOUNT_TEXT = /^(0|[1-9]\d*)(\.\d{1,2})?$/;
/** What is lost to binary numbers, as in 3 * 49.95, stays below this. */
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
		'Amount',
		`must be a number of at least 0.01 with at most two decimals, such as 149.99, but is ${preview(value)}`,
		'Amounts are in major units, with a point before the decimals and nothing between thousands.',
	);
}

/** @throws ValidationError when it is no code of ISO 4217 */
export function currencyOf(value: unknown): string {
	if (typeof value === 'string' && CURRENCIES.has(value)) return value;
	throw new ValidationError(
		'Currency',
		`must be a currency code of ISO 4217 in capital letters, such as DKK, but is ${preview(value)}`,
	);
}

function mockPaymentOf(value: unknown, isProduction: boolean): MockPayment {
	const mockPayment = MOCK_PAYMENTS.find((known) => known === value);
	if (!mockPayment) {
		throw new ValidationError(
			'Mock Payment',
			`must be one of ${MOCK_PAYMENTS.join(', ')}, but is ${preview(value)}`,
		);
	}
	if (isProduction) {
		throw new ValidationError(
			'Mock Payment',
			'must not be used with a credential for production, where payments are real',
			"Remove it from Additional Fields, or choose a credential for AcountPay's sandbox.",
		);
	}
	return mockPayment;
}
