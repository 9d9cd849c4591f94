import type { Operation } from '../../operation/operation';
import { requiredText } from '../../operation/parameters';
import { drawQrCode, paymentUrlField } from './drawQrCode';
import { getQrCode } from './getQrCode.operation';
import { imageField, imageFieldNameFrom } from './sharedFields';

/** Draws the image that a customer scans to pay, with keys. Asks AcountPay nothing. */
export const getQrCodeWithKeys: Operation<{ paymentUrl: string; outputField: string }> = {
	option: getQrCode.option,
	fields: [paymentUrlField, imageField],

	check: (item) => ({
		paymentUrl: requiredText(paymentUrlField.displayName, item.get('paymentUrl')),
		outputField: imageFieldNameFrom(item),
	}),

	async run({ paymentUrl, outputField }, { inputItem, storeImage }) {
		const image = await storeImage(await drawQrCode(paymentUrl));
		const binary = { ...inputItem.binary, [outputField]: image };
		return [{ json: { ...inputItem.json, paymentUrl }, binary }];
	},
};
