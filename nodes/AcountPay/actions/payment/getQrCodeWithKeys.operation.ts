import type { Operation } from '../../operation/operation';
import { requiredText } from '../../operation/parameters';
import { drawQrCode, paymentUrlField } from './drawQrCode';
import { getQrCode } from './getQrCode.operation';
import { imageField, imageFieldNameFrom } from './sharedFields';

interface GetQrCodeInput {
	paymentUrl: string;
	binaryPropertyName: string;
}

/** Draws the image that a customer scans to pay, with keys. Asks AcountPay nothing. */
export const getQrCodeWithKeys: Operation<GetQrCodeInput> = {
	option: getQrCode.option,
	fields: [paymentUrlField, imageField],

	check: (item) => ({
		paymentUrl: requiredText(paymentUrlField.displayName, item.get('paymentUrl')),
		binaryPropertyName: imageFieldNameFrom(item),
	}),

	run: async ({ paymentUrl, binaryPropertyName }, { inputItem, storeImage }) => [
		{
			json: { ...inputItem.json, paymentUrl },
			binary: {
				...inputItem.binary,
				[binaryPropertyName]: await storeImage(await drawQrCode(paymentUrl)),
			},
		},
	],
};
