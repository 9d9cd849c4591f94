import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { createPayment, DEFAULT_CURRENCY, type NewKeyPayment } from '../../../shared/api/payments';
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
import { oneOf } from '../../operation/parameters';
import { create } from './create.operation';
import { drawQrCode } from './drawQrCode';
import {
	amountField,
	amountOf,
	currencyField,
	currencyOf,
	descriptionField,
	merchantClientIdFrom,
	merchantFieldsForKeys,
	referenceNumberField,
} from './sharedFields';
import { existingPayments, type IfExists } from './lookUp/existingPayments';
import { PaymentLookUp } from './lookUp/paymentLookUp';
import type { WantedPayment } from './lookUp/samePayment';
import { createsPayment, creationOf, labelOf, qrCodeOption, withQrCode } from './sharedCreate';

/** A payment that was looked up has no link: AcountPay documents none in its list, and not whether the dashboard shows it. */
const WITHOUT_LINK = "Look for the payment's link in the AcountPay Partner Dashboard.";

interface CreateInput {
	merchantClientId: string;
	payment: NewKeyPayment & IDataObject;
	/** Whether the image of the QR code is wanted. */
	qrCode: boolean;
	/** What to do when the order has a payment already. */
	ifExists: IfExists | 'create';
}

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

const additional: INodeProperties[] = [
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
const bodyFields = [amountField, referenceNumberField, ...additional, { name: 'merchantClientId' }];

/** Creates a payment that a customer can pay by link or QR code, with keys. */
export const createWithKeys: Operation<CreateInput> = {
	option: create.option,
	fields: [
		...merchantFieldsForKeys,
		amountField,
		referenceNumberField,
		additionalFieldsWith(additional),
	],
	options: [qrCodeOption, existingPaymentOption],
	creates: { ...createsPayment, looksUpUnknown: true },

	check(item) {
		const { currency, ...others } = item.collection('additionalFields');
		const own: CreateInput['payment'] = {
			amount: amountOf(item.get('amount')),
			referenceNumber: textFrom(item, referenceNumberField),
			...(currency !== undefined && { currency: currencyOf(currency) }),
			...textsFrom(others, additional),
		};
		const { qrCode, existingPayment = existingPaymentOption.default } = item.collection('options');
		return {
			merchantClientId: merchantClientIdFrom(item),
			payment: withCustomFields(own, others, bodyFields),
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
			...creationOf(request, known, wanted),
			lookUp,
			onCreated(response) {
				lookUp.created(response);
				existingPayments.add(client, wanted, executionId, response);
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
			created = await existingPayments.exclusively(client, wanted, work.endSignal, createIt);
		}
		if (!qrCode) return [{ json: created }];
		return [await withQrCode(created, work, () => drawQrCode(created.paymentUrl), WITHOUT_LINK)];
	},
};
