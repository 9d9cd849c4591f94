import type { INodeProperties } from 'n8n-workflow';
import { ValidationError } from '../../../shared/errors';
import { qrCodePng } from '../../../shared/qrCode/qrCodePng';
import type { Image } from '../../operation/operation';
import { requiredText, webUrl } from '../../operation/parameters';
import { requiredTextField } from '../../operation/sharedFields';

/** The link that a QR code is drawn of, with keys. */
export const paymentUrlField: INodeProperties = requiredTextField(
	'paymentUrl',
	'Payment URL',
	'https://pay.acountpay.com/p/…',
	'The link that AcountPay gave the payment when it was created',
);

/**
 * Draws the QR code of a payment's link, as AcountPay wants its partners to with keys (documented).
 * @throws ValidationError when it is no link, or too long for a QR code
 */
export async function drawQrCode(paymentUrl: unknown): Promise<Image> {
	const { displayName } = paymentUrlField;
	const link = webUrl(displayName, requiredText(displayName, paymentUrl).trim());
	try {
		return { data: await qrCodePng(link), mimeType: 'image/png', fileName: 'qr-code.png' };
	} catch (error) {
		throw error instanceof RangeError
			? new ValidationError(displayName, `can't be drawn as a QR code: ${error.message}`)
			: error;
	}
}
