import type { IDataObject, INodeProperties } from 'n8n-workflow';
import {
	createPayment,
	MOCK_PAYMENTS,
	type MockPayment,
	type NewTokenPayment,
	paymentIdOf,
} from '../../../shared/api/payments';
import { ApiError, ValidationError } from '../../../shared/errors';
import { createOnce } from '../../creation/createOnce';
import {
	additionalFieldsWith,
	customFieldsField,
	textFrom,
	textsFrom,
	withCustomFields,
} from '../../operation/sharedFields';
import type { Image, ItemWork, Operation } from '../../operation/operation';
import { jsonObject, oneOf, webUrl } from '../../operation/parameters';
import {
	amountField,
	amountOf,
	currencyField,
	currencyOf,
	descriptionField,
	merchantClientIdFrom,
	merchantFieldsForTokens,
	referenceNumberField,
} from './sharedFields';
import { createsPayment, creationOf, labelOf, qrCodeOption, withQrCode } from './sharedCreate';
import { readQrCode } from './readQrCode';

interface CreateInput {
	merchantClientId: string;
	payment: NewTokenPayment & IDataObject;
	mockPayment?: MockPayment;
	/** Whether the image of the QR code is wanted. */
	qrCode: boolean;
}

/** What to do when a payment lacks its image, and its link. */
const READ_IMAGE = "Read the image with the operation 'Get QR Code'.";

/** Sent as a header, and not in the body. */
const mockPaymentField: INodeProperties = {
	displayName: 'Mock Payment',
	name: 'mockPayment',
	type: 'options',
	options: [
		{ name: 'Complete After 10 Seconds', value: 'delay' },
		{ name: 'Complete at Once', value: 'true' },
		{ name: 'Fail at Once', value: 'fail' },
	],
	default: 'true',
	description: "Simulates the outcome without a customer. AcountPay's sandbox only.",
};

const additional: INodeProperties[] = [
	currencyField,
	customFieldsField,
	descriptionField,
	{
		displayName: 'Metadata',
		name: 'metadata',
		type: 'json',
		default: '{}',
		description: 'Your own data as a JSON object. AcountPay sends it back in its webhooks.',
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
];

/** What fills in the body. */
const bodyFields = [amountField, referenceNumberField, ...additional];

/** Creates a payment that a customer can pay by link or QR code, with access tokens. */
export const create: Operation<CreateInput> = {
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create payment',
		description: 'Ask a customer for a bank payment by link or QR code',
	},
	fields: [
		...merchantFieldsForTokens,
		amountField,
		referenceNumberField,
		additionalFieldsWith([...additional, mockPaymentField]),
	],

	options: [qrCodeOption],
	creates: createsPayment,

	check(item, client) {
		const added = item.collection('additionalFields');
		const payment = {
			amount: amountOf(item.get('amount')),
			referenceNumber: textFrom(item, referenceNumberField),
			...('currency' in added && { currency: currencyOf(added.currency) }),
			...textsFrom(added, [descriptionField]),
			...('metadata' in added && { metadata: jsonObject('Metadata', added.metadata) }),
			...('webhookUrl' in added && { webhookUrl: webUrl('Webhook URL', added.webhookUrl) }),
		};
		return {
			merchantClientId: merchantClientIdFrom(item),
			payment: withCustomFields(payment, added, bodyFields),
			...('mockPayment' in added && {
				mockPayment: mockPaymentOf(added.mockPayment, client.isProduction),
			}),
			qrCode: item.collection('options').qrCode === true,
		};
	},

	async run({ merchantClientId, payment, mockPayment, qrCode }, work) {
		const { client, options, record } = work;
		const { referenceNumber, amount, currency } = payment;
		const request = createPayment(merchantClientId, payment, mockPayment);
		const wanted = { merchantId: merchantClientId, referenceNumber, amount, currency };
		const known = record(request, labelOf(wanted));
		const creation = creationOf(request, known, wanted);
		const created = await createOnce({ client, creation, options, record: known });
		if (!qrCode) return [{ json: created }];
		const imageOf = async () => await qrCodeOf(created, merchantClientId, work);
		return [await withQrCode(created, work, imageOf, READ_IMAGE)];
	},
};

/** Reads the image of a payment that was created. */
async function qrCodeOf(
	created: IDataObject,
	merchantClientId: string,
	{ client, options }: ItemWork,
): Promise<Image> {
	const paymentId = paymentIdOf(created);
	if (paymentId === undefined) {
		throw new ApiError('unavailable', "AcountPay's response has no ID to ask for it with", '');
	}
	return await readQrCode(client, merchantClientId, paymentId, options);
}

function mockPaymentOf(value: unknown, isProduction: boolean): MockPayment {
	const mockPayment = oneOf(mockPaymentField.displayName, value, MOCK_PAYMENTS);
	if (!isProduction) return mockPayment;
	throw new ValidationError(
		mockPaymentField.displayName,
		'must not be used with a credential for production, where payments are real',
		"Remove it from Additional Fields, or choose a credential for AcountPay's sandbox.",
	);
}
