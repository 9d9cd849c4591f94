import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { DEFAULT_CURRENCY, paymentIdOf, readCreatedPayment } from '../../../shared/api/payments';
import type { ApiRequest } from '../../../shared/api/request';
import { ApiError, Cancelled, isItemError, unexpectedError } from '../../../shared/errors';
import type { Creation } from '../../creation/createOnce';
import type { Label } from '../../creation/identityHashes';
import type { Created, Image, ItemOutput, ItemWork } from '../../operation/operation';
import { contradictionIn, keyOf, type WantedPayment } from './lookUp/samePayment';

/** Whether the image of the QR code is wanted. */
export const qrCodeOption: INodeProperties = {
	displayName: 'QR Code',
	name: 'qrCode',
	type: 'boolean',
	// Whoever adds the option wants the code. n8n fills no default into a collection, so without the option there is none.
	default: true,
	description: 'Whether to add the image that the customer scans, as the output field data',
	// A language model has no use for an image.
	displayOptions: { hide: { '@tool': [true] } },
};

/** What both ways to create a payment create. */
export const createsPayment: Created<{ payment: { referenceNumber: string } }> = {
	noun: 'payment',
	nameOf: ({ payment }) => payment.referenceNumber,
	idOf: paymentIdOf,
};

/** What both ways to create a payment tell about it. */
export const creationOf = (request: ApiRequest, wanted: WantedPayment): Creation => {
	const { merchantId, referenceNumber, storeId } = wanted;
	return {
		request,
		subject: {
			merchantClientId: merchantId,
			name: `the payment with reference '${referenceNumber}'`,
			missing:
				storeId === undefined
					? { name: `the merchant '${merchantId}'`, fields: 'Merchant ID' }
					: {
							name: `the merchant '${merchantId}' or its store '${storeId}'`,
							fields: 'Merchant ID and Store ID',
						},
		},
		title: `Payment '${referenceNumber}'`,
		readCreated: readCreatedPayment,
		contradicts: (response) => contradictionIn(wanted, response),
		unknownAdvice:
			'Look for this reference in AcountPay before you create it again, or the customer may be charged twice.',
	};
};

/** What the user knows a payment by: its merchant, its order, and its amount. */
export const labelOf = (wanted: WantedPayment): Label => ({
	referenceNumber: wanted.referenceNumber,
	key: keyOf(wanted),
	terms: `${wanted.amount} ${wanted.currency ?? DEFAULT_CURRENCY}`,
	merchantId: wanted.merchantId.trim().toLowerCase(),
});

const LINK_ADVICE =
	"Read the image with the operation 'Get QR Code', or send the customer the payment's link.";

/**
 * The output for a payment that was created, with the image of its QR code.
 * @param withoutLink what to do when there is no image, and no link in the payment
 * @throws ApiError with the outcome `created` whatever went wrong with the image, also in n8n: the payment must not be lost
 *   with it; Cancelled
 */
export async function withQrCode(
	created: IDataObject,
	{ storeImage }: ItemWork,
	imageOf: () => Image | Promise<Image>,
	withoutLink: string,
): Promise<ItemOutput> {
	try {
		return { json: created, binary: { data: await storeImage(await imageOf()) } };
	} catch (error) {
		throw error instanceof Cancelled ? error : createdWithoutQrCode(created, withoutLink, error);
	}
}

function createdWithoutQrCode(created: IDataObject, withoutLink: string, error: unknown): ApiError {
	const { message } = isItemError(error) ? error : unexpectedError(false);
	return new ApiError(
		'created',
		`The payment ${created.existing === true ? 'exists' : 'was created'} (${paymentIdOf(created) ?? 'without an ID'}), but its QR code is missing: ${message}`,
		`${created.paymentUrl ? LINK_ADVICE : withoutLink} Do not create the payment again.`,
		{ status: error instanceof ApiError ? error.status : undefined, payment: created },
	);
}
