import type { IDataObject, INodeProperties } from 'n8n-workflow';
import {
	createPayment,
	DEFAULT_CURRENCY,
	MOCK_PAYMENTS,
	type MockPayment,
	type NewKeyPayment,
	type NewTokenPayment,
	paymentIdOf,
} from '../../../shared/api/payments';
import { ApiError, ValidationError } from '../../../shared/errors';
import { type Creation, createOnce } from '../../creation/createOnce';
import {
	additionalFieldsWith,
	customFieldsField,
	textField,
	textFrom,
	textsFrom,
	withCustomFields,
} from '../../operation/sharedFields';
import type { Operation } from '../../operation/operation';
import { type ItemParameters, jsonObject, oneOf, webUrl } from '../../operation/parameters';
import { drawQrCode } from './drawQrCode';
import { existingPayments, type IfExists } from './lookUp/existingPayments';
import { PaymentLookUp } from './lookUp/paymentLookUp';
import type { WantedPayment } from './lookUp/samePayment';
import type { PaymentTrace } from './lookUp/sentRequests';
import { readQrCode } from './readQrCode';
import { createsPayment, creationOf, labelOf, qrCodeOption, withQrCode } from './paymentCreation';
import {
	amountField,
	amountOf,
	currencyField,
	currencyOf,
	descriptionField,
	merchantClientIdFrom,
	merchantFieldsForKeys,
	merchantFieldsForTokens,
	referenceNumberField,
} from './sharedFields';

interface CreateInput<Payment> {
	merchantClientId: string;
	payment: Payment & IDataObject;
	/** Whether the image of the QR code is wanted. */
	qrCode: boolean;
}

interface TokenInput extends CreateInput<NewTokenPayment> {
	mockPayment?: MockPayment;
}

interface KeyInput extends CreateInput<NewKeyPayment> {
	/** What to do when the order has a payment already. */
	ifExists: IfExists | 'create';
}

/** The checked parts of a payment that both ways to authenticate have, and other texts that the user added. */
const paymentFrom = (item: ItemParameters, added: IDataObject, texts: INodeProperties[]) => ({
	amount: amountOf(item.get('amount')),
	referenceNumber: textFrom(item, referenceNumberField),
	...('currency' in added && { currency: currencyOf(added.currency) }),
	...textsFrom(added, texts),
});

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

const additionalForTokens: INodeProperties[] = [
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
const tokenBodyFields = [amountField, referenceNumberField, ...additionalForTokens];

/** Creates a payment that a customer can pay by link or QR code, with access tokens. */
export const create: Operation<TokenInput> = {
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
		additionalFieldsWith([...additionalForTokens, mockPaymentField]),
	],

	options: [qrCodeOption],
	creates: createsPayment,

	check(item, client) {
		const added = item.collection('additionalFields');
		const payment = {
			...paymentFrom(item, added, [descriptionField]),
			...('metadata' in added && { metadata: jsonObject('Metadata', added.metadata) }),
			...('webhookUrl' in added && { webhookUrl: webUrl('Webhook URL', added.webhookUrl) }),
		};
		return {
			merchantClientId: merchantClientIdFrom(item),
			payment: withCustomFields(payment, added, tokenBodyFields),
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
		const creation = creationOf(request, wanted);
		const created = await createOnce({ client, creation, options, record: known });
		if (!qrCode) return [{ json: created }];
		const readImage = async () => {
			const paymentId = paymentIdOf(created);
			if (paymentId !== undefined) {
				return await readQrCode(client, merchantClientId, paymentId, options);
			}
			throw new ApiError('unavailable', "AcountPay's response has no ID to ask for it with", '');
		};
		return [await withQrCode(created, work, readImage, READ_IMAGE)];
	},
};

function mockPaymentOf(value: unknown, isProduction: boolean): MockPayment {
	const mockPayment = oneOf(mockPaymentField.displayName, value, MOCK_PAYMENTS);
	if (!isProduction) return mockPayment;
	throw new ValidationError(
		mockPaymentField.displayName,
		'must not be used with a credential for production, where payments are real',
		"Remove it from Additional Fields, or choose a credential for AcountPay's sandbox.",
	);
}

/** A payment that was looked up has no link: AcountPay documents none in its list, and not whether the dashboard shows it. */
const WITHOUT_LINK = "Look for the payment's link in the AcountPay Partner Dashboard.";

const existingPaymentOption: INodeProperties = {
	displayName: 'If a Payment Exists',
	name: 'existingPayment',
	type: 'options',
	options: [
		{ name: 'Create Another', value: 'create', description: "Don't look whether there is one" },
		{
			name: 'Fail',
			value: 'fail',
			description: 'Fail with its ID, unless this execution created it',
		},
		{
			name: 'Return It',
			value: 'return',
			description: 'Output that payment, usually without its link, and create no other',
		},
	],
	default: 'create',
	description:
		"What to do when AcountPay's list of the last 30 days has a payment of this merchant and reference number that hasn't failed or expired",
};

const IF_EXISTS = ['create', 'fail', 'return'] as const;

const additionalForKeys: INodeProperties[] = [
	currencyField,
	customFieldsField,
	descriptionField,
	textField('registerId', 'Register ID', 'REG-001', 'The till within the store'),
	textField(
		'storeId',
		'Store ID',
		'loc_abc123',
		"The merchant's store that sells: storeId in the output of the resource Store",
	),
];

/** What fills in the body: the merchant is put there as it is sent. */
const keyBodyFields = [
	amountField,
	referenceNumberField,
	...additionalForKeys,
	{ name: 'merchantClientId' },
];

/** The same with keys. */
export const createWithKeys: Operation<KeyInput> = {
	option: create.option,
	fields: [
		...merchantFieldsForKeys,
		amountField,
		referenceNumberField,
		additionalFieldsWith(additionalForKeys),
	],
	options: [qrCodeOption, existingPaymentOption],
	creates: { ...createsPayment, looksUpUnknown: true },

	check(item) {
		const added = item.collection('additionalFields');
		const payment: KeyInput['payment'] = paymentFrom(item, added, additionalForKeys);
		const { qrCode, existingPayment = existingPaymentOption.default } = item.collection('options');
		return {
			merchantClientId: merchantClientIdFrom(item),
			payment: withCustomFields(payment, added, keyBodyFields),
			qrCode: qrCode === true,
			ifExists: oneOf(existingPaymentOption.displayName, existingPayment, IF_EXISTS),
		};
	},

	async run({ merchantClientId, payment, qrCode, ifExists }, work) {
		const { client, options, record, executionId } = work;
		const request = createPayment(merchantClientId, payment);
		const { referenceNumber, amount, currency = DEFAULT_CURRENCY } = payment;
		const { description, storeId, registerId } = payment;
		const wanted: WantedPayment = {
			merchantId: merchantClientId,
			referenceNumber,
			amount,
			currency,
			description,
			storeId,
			registerId,
		};
		const known = record(request, labelOf(wanted));
		const lookUp = new PaymentLookUp(client, wanted, options, known);
		const creation: Creation = {
			...creationOf(request, wanted),
			lookUp,
			onCreated(response, trace) {
				lookUp.created(response);
				const { payment: asked = wanted } = (trace ?? {}) as Partial<PaymentTrace>;
				existingPayments.add(client, asked, executionId, response);
			},
		};
		const createIt = async () => await createOnce({ client, creation, options, record: known });
		let created: IDataObject;
		if (ifExists === 'create') {
			created = await createIt();
		} else {
			const isOwn = (id: string) => known.othersWithId(id).some(({ answer }) => !answer.existing);
			const question = { client, wanted, ifExists, options, executionId, isOwn };
			creation.findExisting = async (previous) => await existingPayments.find(question, previous);
			created = await existingPayments.exclusively(client, wanted, options.endSignal, createIt);
		}
		if (!qrCode) return [{ json: created }];
		return [await withQrCode(created, work, () => drawQrCode(created.paymentUrl), WITHOUT_LINK)];
	},
};
