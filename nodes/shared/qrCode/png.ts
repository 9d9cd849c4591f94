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

/** The largest prime below 2^16: what both sums of an Adler-32 are reduced by. */
const ADLER_MODULUS = 65_521;

function chunk(type: string, data: Uint8Array): Buffer {
	const bytes = Buffer.alloc(12 + data.length);
	bytes.writeUInt32BE(data.length, 0);
	bytes.write(type, 4, 'latin1');
	bytes.set(data, 8);
	bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
	return bytes;
}

/** The longest match that DEFLATE has a code for, in bytes; the shortest is 3. */
const LONGEST_MATCH = 258;

/**
 * Compresses rows, each of which stands several times in a row, to one zlib stream (RFC 1950 and 1951).
 * One block with the fixed codes: the bytes of a row once, then references to the row above. A picture
 * of 400 pixels takes about 2 KB instead of 20. The lint rules of n8n refuse `node:zlib`.
 * @param repeats how often each row stands in the picture
 */
function zlibOfRepeatedRows(rows: readonly Uint8Array[], repeats: number): Buffer {
	const bytes = [0x78, 0x01];
	let pending = 0;
	let pendingBits = 0;
	const put = (value: number, bits: number) => {
		pending |= value << pendingBits;
		for (pendingBits += bits; pendingBits >= 8; pendingBits -= 8) {
			bytes.push(pending & 0xff);
			pending >>>= 8;
		}
	};
	/** Huffman codes begin with their highest bit, all other fields with their lowest. */
	const putCode = (code: number, bits: number) => {
		for (let bit = bits - 1; bit >= 0; bit--) put((code >>> bit) & 1, 1);
	};
	const putSymbol = (symbol: number) => {
		if (symbol < 144) putCode(0x30 + symbol, 8);
		else if (symbol < 256) putCode(0x190 + symbol - 144, 9);
		else if (symbol < 280) putCode(symbol - 256, 7);
		else putCode(0xc0 + symbol - 280, 8);
	};
	const putLength = (length: number) => {
		if (length === LONGEST_MATCH) return putSymbol(285);
		const value = length - 3;
		const extraBits = Math.max(0, 29 - Math.clz32(value));
		putSymbol(257 + extraBits * 4 + (value >>> extraBits));
		put(value & ((1 << extraBits) - 1), extraBits);
	};
	const putDistance = (distance: number) => {
		const value = distance - 1;
		const extraBits = Math.max(0, 30 - Math.clz32(value));
		putCode(extraBits * 2 + (value >>> extraBits), 5);
		put(value & ((1 << extraBits) - 1), extraBits);
	};

	put(1, 1); // the last block
	put(1, 2); // with the fixed codes
	let sum = 1;
	let sumOfSums = 0;
	for (const row of rows) {
		row.forEach(putSymbol);
		for (let left = row.length * (repeats - 1); left > 0; ) {
			// A rest of one or two bytes would have no code.
			const length = left <= LONGEST_MATCH ? left : Math.min(left - 3, LONGEST_MATCH);
			putLength(length);
			putDistance(row.length);
			left -= length;
		}
		for (let repeat = 0; repeat < repeats; repeat++) {
			for (const byte of row) {
				sum += byte;
				sumOfSums += sum;
			}
			sum %= ADLER_MODULUS;
			sumOfSums %= ADLER_MODULUS;
		}
	}
	putSymbol(256); // the end of the block
	put(0, 7); // the rest of the last byte
	const checksum = Buffer.alloc(4);
	checksum.writeUInt32BE(sumOfSums * 0x10000 + sum);
	return Buffer.concat([Buffer.from(bytes), checksum]);
}

/**
 * Draws a square of black and white modules as a PNG with one bit a pixel.
 * @param modules the rows from the top, true for black; as many rows as columns
 * @param border white modules around them
 * @param scale pixels for the side of a module, 3 at least
 */
export function drawPng(
	modules: ReadonlyArray<readonly boolean[]>,
	border: number,
	scale: number,
): Buffer {
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

	const header = Buffer.alloc(13); // The rest is 0: grayscale, no interlace.
	header.writeUInt32BE(side, 0);
	header.writeUInt32BE(side, 4);
	header[8] = 1; // bits a pixel
	return Buffer.concat([
		Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
		chunk('IHDR', header),
		chunk('IDAT', zlibOfRepeatedRows([...white, ...modules.map(rowOf), ...white], scale)),
		chunk('IEND', Buffer.alloc(0)),
	]);
}
