import { getQrCode } from '../shared/acountPayApi';
import type { Answer, Connection } from '../shared/connection';
import { type CallOptions, readAnswer } from './calls';

/** An image as AcountPay sent it. */
export interface Image {
	data: Buffer;
	/** What the answer says that it is, such as `image/png`. */
	mimeType: string;
	fileName: string;
}

/** How the types that have one begin: what says that it is a PNG and is not can't be shown to a customer. */
const BEGINNINGS: ReadonlyArray<{ mimeType: string; extension: string; beginning: RegExp }> = [
	{ mimeType: 'image/png', extension: 'png', beginning: /^\x89PNG/ },
	{ mimeType: 'image/jpeg', extension: 'jpg', beginning: /^\xff\xd8\xff/ },
	{ mimeType: 'image/gif', extension: 'gif', beginning: /^GIF8[79]a/ },
	{ mimeType: 'image/webp', extension: 'webp', beginning: /^RIFF[\s\S]{4}WEBP/ },
	{ mimeType: 'image/svg+xml', extension: 'svg', beginning: /<svg[\s>]/ },
];

/** Nothing, HTML, XML or JSON: no image of a type that has no entry among {@link BEGINNINGS}. */
const NO_IMAGE = /^\s*(?:$|[<{["])/;

/** Reads the type that the answer names, or that its first bytes show where it names none. */
function typeOf({ headers, body }: Answer): { mimeType: string; extension: string } | undefined {
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
 * Reads the QR code of a payment.
 * @throws ApiProblem when AcountPay refuses, or its answer is no image; Stopped
 */
export async function readQrCode(
	connection: Connection,
	merchantId: string,
	paymentId: string,
	options: CallOptions,
): Promise<Image> {
	return await readAnswer(
		connection,
		getQrCode(merchantId, paymentId),
		{ merchantId, name: `the QR code of payment '${paymentId}'` },
		options,
		(answer) => {
			const type = typeOf(answer);
			return (
				type && {
					data: answer.body,
					mimeType: type.mimeType,
					fileName: `${paymentId}.${type.extension}`,
				}
			);
		},
		'sent an answer that is no image',
	);
}
