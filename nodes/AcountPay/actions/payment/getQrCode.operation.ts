import type { Operation } from '../../operation/operation';
import { textFrom } from '../../operation/sharedFields';
import { drawQrCode, paymentUrlField } from './drawQrCode';
import { readQrCode } from './readQrCode';
import {
	imageField,
	type MerchantPayment,
	merchantPaymentFrom,
	paymentFieldsForTokens,
} from './sharedFields';

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

/** Draws the image that a customer scans to pay, with keys. Asks AcountPay nothing. */
export const getQrCodeWithKeys: Operation<{ paymentUrl: string; outputField: string }> = {
	option: getQrCode.option,
	fields: [paymentUrlField, imageField],

	check: (item) => ({
		paymentUrl: textFrom(item, paymentUrlField),
		outputField: textFrom(item, imageField),
	}),

	async run({ paymentUrl, outputField }, { inputItem, storeImage }) {
		const image = await storeImage(await drawQrCode(paymentUrl));
		const binary = { ...inputItem.binary, [outputField]: image };
		return [{ json: { ...inputItem.json, paymentUrl }, binary }];
	},
};
