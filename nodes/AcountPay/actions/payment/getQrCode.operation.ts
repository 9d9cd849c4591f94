import type { Operation } from '../../operation/operation';
import {
	imageField,
	imageFieldNameFrom,
	merchantClientIdFrom,
	merchantFieldsForTokens,
	paymentIdField,
	paymentIdFrom,
} from './sharedFields';
import { readQrCode } from './readQrCode';

interface GetQrCodeInput {
	merchantClientId: string;
	paymentId: string;
	binaryPropertyName: string;
}

/** Reads the image that a customer scans to pay, with access tokens. */
export const getQrCode: Operation<GetQrCodeInput> = {
	option: {
		name: 'Get QR Code',
		value: 'getQrCode',
		action: 'Get QR code of payment',
		description: 'Get the image that the customer scans to pay',
		// A language model has no use for an image.
		displayOptions: { hide: { '@tool': [true] } },
	},
	fields: [...merchantFieldsForTokens, paymentIdField, imageField],

	check: (item) => ({
		merchantClientId: merchantClientIdFrom(item),
		paymentId: paymentIdFrom(item),
		binaryPropertyName: imageFieldNameFrom(item),
	}),

	async run(
		{ merchantClientId, paymentId, binaryPropertyName },
		{ client, options, inputItem, storeImage },
	) {
		const image = await readQrCode(client, merchantClientId, paymentId, options);
		return [
			{
				json: { ...inputItem.json, paymentId },
				binary: { ...inputItem.binary, [binaryPropertyName]: await storeImage(image) },
			},
		];
	},
};
