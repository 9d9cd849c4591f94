import type { Operation } from '../../operation/operation';
import { requiredText } from '../../operation/parameters';
import { merchantIdFields, merchantIdFrom, paymentIdField, paymentIdFrom } from './sharedFields';
import { readQrCode } from './readQrCode';

interface GetQrCodeInput {
	merchantId: string;
	paymentId: string;
	binaryPropertyName: string;
}

/** Gets the image that a customer scans to pay. */
export const getQrCode: Operation<GetQrCodeInput> = {
	option: {
		name: 'Get QR Code',
		value: 'getQrCode',
		action: 'Get QR code of payment',
		description: 'Get the image that the customer scans to pay',
		// A language model has no use for an image.
		displayOptions: { hide: { '@tool': [true] } },
	},
	fields: [
		...merchantIdFields,
		paymentIdField,
		{
			displayName: 'Output Data Field Name',
			name: 'binaryPropertyName',
			type: 'string',
			required: true,
			default: 'data',
			hint: 'The name of the output field to put the image in',
		},
	],

	check: (item) => ({
		merchantId: merchantIdFrom(item),
		paymentId: paymentIdFrom(item),
		binaryPropertyName: requiredText('Output Data Field Name', item.get('binaryPropertyName')),
	}),

	async run(
		{ merchantId, paymentId, binaryPropertyName },
		{ client, options, inputItem, storeImage },
	) {
		const image = await readQrCode(client, merchantId, paymentId, options);
		return [
			{
				json: { ...inputItem.json, paymentId },
				binary: { ...inputItem.binary, [binaryPropertyName]: await storeImage(image) },
			},
		];
	},
};
