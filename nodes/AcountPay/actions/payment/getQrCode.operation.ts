import type { Operation } from '../../operation/operation';
import { textFrom } from '../../operation/sharedFields';
import {
	imageField,
	type MerchantPayment,
	merchantPaymentFrom,
	paymentFieldsForTokens,
} from './sharedFields';
import { readQrCode } from './readQrCode';

/** Reads the image that a customer scans to pay, with access tokens. */
export const getQrCode: Operation<MerchantPayment & { outputField: string }> = {
	option: {
		name: 'Get QR Code',
		value: 'getQrCode',
		action: 'Get QR code of payment',
		description: 'Get the image that the customer scans to pay',
		// A language model has no use for an image.
		displayOptions: { hide: { '@tool': [true] } },
	},
	fields: [...paymentFieldsForTokens, imageField],

	check: (item) => ({ ...merchantPaymentFrom(item), outputField: textFrom(item, imageField) }),

	async run({ merchantClientId, paymentId, outputField }, work) {
		const { client, options, inputItem, storeImage } = work;
		const image = await readQrCode(client, merchantClientId, paymentId, options);
		const binary = { ...inputItem.binary, [outputField]: await storeImage(image) };
		return [{ json: { ...inputItem.json, paymentId }, binary }];
	},
};
