import type { Operation } from '../../operation/operation';
import { textFrom } from '../../operation/sharedFields';
import { drawQrCode, paymentUrlField } from './drawQrCode';
import { getQrCode } from './getQrCode.operation';
import { imageField } from './sharedFields';

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
