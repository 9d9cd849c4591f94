import { getQrCodeImage } from '../../../shared/api/payments';
import type { Client } from '../../../shared/transport/client';
import { read } from '../../../shared/transport/read';
import type { ApiResponse } from '../../../shared/http/response';
import type { CallOptions } from '../../../shared/transport/sendWithRetries';
import type { Image } from '../../operation/operation';

/** How files of known types begin. A file that calls itself a PNG and is none can't be shown to a customer. */
const BEGINNINGS: ReadonlyArray<{ mimeType: string; extension: string; beginning: RegExp }> = [
	{ mimeType: 'image/png', extension: 'png', beginning: /^\x89PNG/ },
	{ mimeType: 'image/jpeg', extension: 'jpg', beginning: /^\xff\xd8\xff/ },
	{ mimeType: 'image/gif', extension: 'gif', beginning: /^GIF8[79]a/ },
	{ mimeType: 'image/webp', extension: 'webp', beginning: /^RIFF[\s\S]{4}WEBP/ },
	{ mimeType: 'image/svg+xml', extension: 'svg', beginning: /<svg[\s>]/ },
];

/** Nothing, HTML, XML or JSON: no image of a type that has no entry among {@link BEGINNINGS}. */
const NO_IMAGE = /^\s*(?:$|[<{["])/;

/** The type that the response names, or that its first bytes show where it names none. */
function typeOf({
	headers,
	body,
}: ApiResponse): { mimeType: string; extension: string } | undefined {
	const start = body.subarray(0, 1024).toString('latin1');
	const named = String(headers['content-type'] ?? '')
		.split(';')[0]
		.trim()
		.toLowerCase();
	const known = BEGINNINGS.find(({ mimeType }) => mimeType === named);
	if (known) return known.beginning.test(start) ? known : undefined;
	if (named === '' || named === 'application/octet-stream') {
		return BEGINNINGS.find(({ beginning }) => beginning.test(start));
	}
	const [, subtype] = /^image\/(?:x-)?([a-z0-9]+)$/.exec(named) ?? [];
	return subtype && !NO_IMAGE.test(start) ? { mimeType: named, extension: subtype } : undefined;
}

/**
 * Reads the QR code of a payment, with access tokens.
 * @throws ApiError when AcountPay refuses it, or its response is no image; Cancelled
 */
export async function readQrCode(
	client: Client,
	merchantClientId: string,
	paymentId: string,
	options: CallOptions,
): Promise<Image> {
	return await read(
		client,
		getQrCodeImage(merchantClientId, paymentId),
		{ merchantClientId, name: `the QR code of payment '${paymentId}'` },
		options,
		(response) => {
			const { mimeType, extension } = typeOf(response) ?? {};
			if (mimeType === undefined) return undefined;
			return { data: response.body, mimeType, fileName: `${paymentId}.${extension}` };
		},
		'sent a response that is no image',
	);
}
