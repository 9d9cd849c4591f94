/** The CRC-32 of every byte, as the PNG standard reckons it (ISO/IEC 15948, annex D). */
const CRC_TABLE = Array.from({ length: 256 }, (_, byte) => {
	let crc = byte;
	for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
	return crc;
});

function crc32(bytes: Uint8Array): number {
	let crc = 0xffffffff;
	for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
	return ~crc >>> 0;
}

function chunk(type: string, data: Uint8Array): Buffer {
	const bytes = Buffer.alloc(12 + data.length);
	bytes.writeUInt32BE(data.length, 0);
	bytes.write(type, 4, 'latin1');
	bytes.set(data, 8);
	bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
	return bytes;
}

/** One zlib stream (RFC 1950) of some bytes. The lint rules of n8n refuse `node:zlib`; this is a global, as in browsers. */
async function compressed(bytes: Uint8Array): Promise<Buffer> {
	const parts: Uint8Array[] = [];
	const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
	for await (const part of stream) parts.push(part as Uint8Array);
	return Buffer.concat(parts);
}

/**
 * Draws a square of black and white modules as a PNG with one bit a pixel.
 * @param modules the rows from the top, true for black; as many rows as columns
 * @param border white modules around them
 * @param scale pixels for the side of a module
 */
export async function drawPng(
	modules: ReadonlyArray<readonly boolean[]>,
	border: number,
	scale: number,
): Promise<Buffer> {
	const side = (modules.length + 2 * border) * scale;
	const rowOf = (row: readonly boolean[]) => {
		// The first byte of a row says which filter it has: 0 for none. In the other ones a 1 is white.
		const bytes = new Uint8Array(1 + Math.ceil(side / 8)).fill(0xff, 1);
		row.forEach((black, column) => {
			if (!black) return;
			const left = (border + column) * scale;
			for (let x = left; x < left + scale; x++) bytes[1 + (x >>> 3)] &= ~(0x80 >>> (x & 7));
		});
		return bytes;
	};
	const white = Array.from({ length: border }, () => rowOf([]));
	const rows = [...white, ...modules.map(rowOf), ...white];
	const pixels = Buffer.concat(rows.flatMap((row) => Array<Uint8Array>(scale).fill(row)));

	const header = Buffer.alloc(13); // The rest is 0: grayscale, no interlace.
	header.writeUInt32BE(side, 0);
	header.writeUInt32BE(side, 4);
	header[8] = 1; // bits a pixel
	return Buffer.concat([
		Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
		chunk('IHDR', header),
		chunk('IDAT', await compressed(pixels)),
		chunk('IEND', Buffer.alloc(0)),
	]);
}
