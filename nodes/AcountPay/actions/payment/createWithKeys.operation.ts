import type { IDataObject, INodeProperties } from 'n8n-workflow';
import {
	createKeyPayment,
	DEFAULT_CURRENCY,
	NEW_KEY_PAYMENT_FIELDS,
	type NewKeyPayment,
	paymentIdOf,
} from '../../../shared/api/payments';
import { createOnce } from '../../execution/createOnce';
import {
	additionalFieldsWith,
	customFieldsField,
	customFieldsFrom,
	fieldNamed,
	textsFrom,
} from '../sharedFields';
import type { Operation } from '../operation';
import { requiredText } from '../parameters';
import { withinSize } from '../bodyLimits';
import { amountOf, create, currencyOf } from './create.operation';
import { drawQrCode } from './drawQrCode';
import { merchantIdFrom, merchantPickerFields } from './sharedFields';
import { PaymentLookUp } from './lookUp/paymentLookUp';
import type { WantedPayment } from './lookUp/samePayment';
import { creationOf, labelOf, withQrCode } from './sharedCreate';

/** A payment that was looked up has no link: AcountPay documents none in its list, and not whether the dashboard shows it. */
const WITHOUT_LINK = "Look for the payment's link in the AcountPay Partner Dashboard.";

interface CreateInput {
	merchantId: string;
	payment: NewKeyPayment & IDataObject;
	/** Whether the image of the QR code is wanted. */
	qrCode: boolean;
}

/** What Create has with both ways to authenticate. */
const shared = (name: string): INodeProperties => fieldNamed(create.fields, name);
const sharedAdditional = (name: string): INodeProperties =>
	fieldNamed(shared('additionalFields').options as INodeProperties[], name);

const additional: INodeProperties[] = [
	sharedAdditional('currency'),
	customFieldsField,
	sharedAdditional('description'),
	{
		displayName: 'Register ID',
		name: 'registerId',
		type: 'string',
		default: '',
		placeholder: 'e.g. REG-001',
		description: 'The till within the store',
	},
	{
		displayName: 'Store ID',
		name: 'storeId',
		type: 'string',
		default: '',
		placeholder: 'e.g. loc_abc123',
		description: "The merchant's store that sells: storeId in the output of the resource Store",
	},
];

/** Makes a payment with keys. */
export const createWithKeys: Operation<CreateInput> = {
	option: create.option,
	fields: [
		...merchantPickerFields,
		shared('amount'),
		shared('referenceNumber'),
		additionalFieldsWith(additional),
	],
	options: create.options,

	createdIdOf: paymentIdOf,
	referenceOf: ({ payment }) => payment.referenceNumber,

	check(item) {
		const { currency, ...others } = item.collection('additionalFields');
		const own: NewKeyPayment = {
			amount: amountOf(item.get('amount')),
			referenceNumber: requiredText('Reference Number', item.get('referenceNumber')),
			...(currency !== undefined && { currency: currencyOf(currency) }),
			...textsFrom(others, additional),
		};
		return {
			merchantId: merchantIdFrom(item),
			payment: withinSize({ ...own, ...customFieldsFrom(others, NEW_KEY_PAYMENT_FIELDS) }),
			qrCode: item.collection('options').qrCode === true,
		};
	},

	async run({ merchantId, payment, qrCode }, work) {
		const { client, options, record } = work;
		const request = createKeyPayment(merchantId, payment);
		const { referenceNumber, amount, currency = DEFAULT_CURRENCY } = payment;
		const known = record(request, labelOf(merchantId, referenceNumber, amount, currency));
		const { description, storeId, registerId } = payment;
		const wanted: WantedPayment = {
			merchantId,
			referenceNumber,
			amount,
			currency,
			...(description !== undefined && { description }),
			...(storeId !== undefined && { storeId }),
			...(registerId !== undefined && { registerId }),
		};
		const creation = {
			...creationOf(request, merchantId, referenceNumber, storeId),
			lookUp: new PaymentLookUp(client, wanted, options, known),
		};
		const made = await createOnce(client, creation, options, known);
		if (!qrCode) return [{ json: made }];
		return [await withQrCode(made, work, () => drawQrCode(made.paymentUrl), WITHOUT_LINK)];
	},
};
