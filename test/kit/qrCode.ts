/** Reads QR codes with a library that draws none. */
import { createCanvas, loadImage } from '@napi-rs/canvas';
import jsQR from 'jsqr';

/** The text in the QR code of a picture; undefined when there is none. */
export async function textIn(png: Buffer): Promise<string | undefined> {
	const image = await loadImage(png);
	const canvas = createCanvas(image.width, image.height);
	const context = canvas.getContext('2d');
	context.drawImage(image, 0, 0);
	const { data, width, height } = context.getImageData(0, 0, image.width, image.height);
	return jsQR(new Uint8ClampedArray(data), width, height)?.data;
}
