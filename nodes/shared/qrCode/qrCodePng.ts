import { encodeQR } from './encoder';
import { drawPng } from './png';

/** White modules on each side of the code, as ISO/IEC 18004 requires. */
const QUIET_ZONE = 4;

/** What the picture should measure, in pixels: sharp on a screen, and about 4 cm in print at 300 dpi. */
const SIDE = 480;

/** Pixels for the side of a module at least: below, cameras and scaled pictures lose modules. */
const SMALLEST_MODULE = 3;

/** What a code of the largest version holds at level M, in bytes (ISO/IEC 18004, table 7). */
const MAX_BYTES = 2331;

/**
 * Draws a QR code: level M, which the European Payments Council asks of codes for payments (EPC069-12), with a quiet
 * zone of 4 modules, as a black and white PNG of 320 to 555 pixels a side. The same text gives the same picture.
 * @param text what a scanner reads, encoded as UTF-8: 1 to 2,331 bytes, as any link of up to 2,331 ASCII characters
 * @returns the bytes of the PNG, 1 to 20 KB
 * @throws RangeError when the text is too long
 */
export async function qrCodePng(text: string): Promise<Buffer> {
	const bytes = Buffer.byteLength(text);
	if (bytes > MAX_BYTES) {
		throw new RangeError(
			`A QR code holds at most ${MAX_BYTES} bytes of text, but the text has ${bytes}`,
		);
	}
	// The library wants a border of one module at least.
	const modules = encodeQR(text, 'raw', { ecc: 'medium', encoding: 'byte', border: 1 })
		.slice(1, -1)
		.map((row) => row.slice(1, -1));
	const scale = Math.max(SMALLEST_MODULE, Math.floor(SIDE / (modules.length + 2 * QUIET_ZONE)));
	return await drawPng(modules, QUIET_ZONE, scale);
}
