/**
 * The QR codes that the package draws: as files, byte by byte, and as pictures, read by a library that did not draw them.
 */
import { inflateSync } from 'node:zlib';
import { type Canvas, createCanvas, loadImage } from '@napi-rs/canvas';
import fc from 'fast-check';
import jsQR from 'jsqr';
import { qrCodePng } from '../../../../nodes/shared/qrCode/qrCodePng';
import { drawPng } from '../../../../nodes/shared/qrCode/png';

jest.setTimeout(120_000);

/** What versions 1 to 40 hold at level M, in bytes (ISO/IEC 18004, table 7). */
const CAPACITY = [
	14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666,
	711, 779, 857, 911, 997, 1059, 1125, 1190, 1264, 1370, 1452, 1538, 1628, 1722, 1809, 1911, 1989,
	2099, 2213, 2331,
];

/** A link of so many characters. */
const linkOf = (length: number) =>
	`https://pay.example.com/p/${'aB3xY7-_Zk9~.%2F?q='.repeat(200)}`.slice(0, length);

/** CRC-32 by its definition, bit by bit: not the code that is tested. */
function crcOf(bytes: Buffer): number {
	let crc = 0xffffffff;
	for (const byte of bytes) {
		for (let bit = 0; bit < 8; bit++) {
			const divide = (crc ^ (byte >>> bit)) & 1;
			crc = (crc >>> 1) ^ (divide ? 0xedb88320 : 0);
		}
	}
	return ~crc >>> 0;
}

/** Takes a PNG apart and checks every byte that is no pixel; `pixels` has the rows, true for black. */
function parsed(png: Buffer) {
	expect(png.subarray(0, 8)).toEqual(Buffer.from('89504e470d0a1a0a', 'hex'));
	const chunks: Array<{ type: string; data: Buffer }> = [];
	for (let at = 8; at < png.length; ) {
		const end = at + 8 + png.readUInt32BE(at);
		expect(png.readUInt32BE(end)).toBe(crcOf(png.subarray(at + 4, end)));
		chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, end) });
		at = end + 4;
	}
	expect(chunks.map(({ type }) => type)).toEqual(['IHDR', 'IDAT', 'IEND']);
	const [header, image, end] = chunks.map(({ data }) => data);
	expect(end).toHaveLength(0);
	const side = header.readUInt32BE(0);
	expect(header.readUInt32BE(4)).toBe(side);
	// One bit a pixel, grayscale, the only compression and filter method, not interlaced.
	expect([...header.subarray(8)]).toEqual([1, 0, 0, 0, 0]);
	const bytes = inflateSync(image); // It also checks the Adler-32.
	const width = 1 + Math.ceil(side / 8);
	expect(bytes).toHaveLength(width * side);
	const pixels = Array.from({ length: side }, (_row, y) => {
		const row = bytes.subarray(y * width, (y + 1) * width);
		if (row[0] !== 0) throw new Error(`Row ${y} has filter ${row[0]}`);
		return Array.from({ length: side }, (_pixel, x) => !((row[1 + (x >> 3)] >> (7 - (x & 7))) & 1));
	});
	return { side, pixels };
}

/** The modules that a picture shows, the quiet zone included: each has to be of one colour. */
function modulesOf(png: Buffer): boolean[][] {
	const { side, pixels } = parsed(png);
	const middle = pixels.find((row) => row.includes(true))!;
	// The first black of a code is the upper side of a finder pattern, 7 modules wide.
	const first = middle.indexOf(true);
	const scale = (middle.indexOf(false, first) - first) / 7;
	expect(Number.isInteger(scale)).toBe(true);
	expect(side % scale).toBe(0);
	const modules = pixels
		.filter((_row, y) => y % scale === 0)
		.map((row) => row.filter((_pixel, x) => x % scale === 0));
	const drawn = modules.flatMap((row) => {
		const wide = row.flatMap((black) => Array<boolean>(scale).fill(black));
		return Array<boolean[]>(scale).fill(wide);
	});
	expect(JSON.stringify(pixels) === JSON.stringify(drawn)).toBe(true);
	return modules;
}

/** Draws a picture onto a canvas, with changes such as a turn or another size. */
async function shown(
	png: Buffer,
	{ side, degrees = 0, spots = 0 }: { side?: number; degrees?: number; spots?: number } = {},
): Promise<Canvas> {
	const image = await loadImage(png);
	const length = side ?? image.width;
	const space = Math.ceil(length * (degrees ? 1.5 : 1));
	const canvas = createCanvas(space, space);
	const context = canvas.getContext('2d');
	context.fillStyle = 'white';
	context.fillRect(0, 0, space, space);
	context.translate(space / 2, space / 2);
	context.rotate((degrees * Math.PI) / 180);
	context.drawImage(image, -length / 2, -length / 2, length, length);
	// Gray dots over the whole picture, at places that are the same in every run.
	context.fillStyle = '#777';
	for (let spot = 0; spot < spots; spot++) {
		context.fillRect(
			((spot * 7919) % length) - length / 2,
			((spot * 104_729) % length) - length / 2,
			2,
			2,
		);
	}
	return canvas;
}

/** What the other library reads from a picture; undefined when it finds no code. */
async function scan(png: Buffer, changes?: Parameters<typeof shown>[1]) {
	const { width, height, ...canvas } = await shown(png, changes).then((drawn) => ({
		width: drawn.width,
		height: drawn.height,
		data: drawn.getContext('2d').getImageData(0, 0, drawn.width, drawn.height).data,
	}));
	const code = jsQR(new Uint8ClampedArray(canvas.data), width, height, {
		inversionAttempts: 'dontInvert',
	});
	return code && { text: Buffer.from(code.binaryData).toString('utf8'), version: code.version };
}

describe('a scanner reads', () => {
	it.each([1, 30, 60, 250, 500, 1200, 2331])('a link of %d characters', async (length) => {
		expect(await scan(await qrCodePng(linkOf(length)))).toMatchObject({ text: linkOf(length) });
	});

	it('any text', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.string({ unit: 'binary', minLength: 1, maxLength: 500 }),
				async (text) => {
					expect((await scan(await qrCodePng(text)))?.text).toBe(text);
				},
			),
			{ numRuns: 30 },
		);
	});

	it.each(['https://pay.example.com/Åse?x=æøå', '支払い', '🙂🇩🇰 200 kr.', '0123456789', 'ABC $%*'])(
		'%s',
		async (text) => {
			expect((await scan(await qrCodePng(text)))?.text).toBe(text);
		},
	);

	it('the fullest and the next emptiest code of each version', async () => {
		for (const [index, capacity] of CAPACITY.entries()) {
			const version = index + 1;
			const full = linkOf(capacity);
			expect(await scan(await qrCodePng(full))).toEqual({ text: full, version });
			if (version === 40) continue;
			const more = linkOf(capacity + 1);
			expect(await scan(await qrCodePng(more))).toEqual({ text: more, version: version + 1 });
		}
	});

	it.each([60, 250, 500])(
		'a link of %d characters that is turned, made smaller or larger, or has spots',
		async (length) => {
			const text = linkOf(length);
			const png = await qrCodePng(text);
			for (const changes of [
				{ degrees: 17 },
				{ degrees: 90 },
				{ degrees: 180 },
				{ side: 300 },
				{ side: 700 },
				{ spots: 300 },
			]) {
				expect([changes, (await scan(png, changes))?.text]).toEqual([changes, text]);
			}
		},
	);
});

describe('the picture', () => {
	it.each([1, 14, 15, 60, 500, 1200, 2331])('is a valid PNG for %d characters', async (length) => {
		const png = await qrCodePng(linkOf(length));
		const { side } = parsed(png);
		expect(side).toBeGreaterThanOrEqual(320);
		expect(side).toBeLessThanOrEqual(555);
		expect(png.length).toBeLessThan(20_000);
	});

	it.each([1, 60, 500, 2331])('has four white modules around %d characters', async (length) => {
		const modules = modulesOf(await qrCodePng(linkOf(length)));
		const last = modules.length - 5;
		for (const [y, row] of modules.entries()) {
			for (const [x, black] of row.entries()) {
				if (Math.min(x, y) < 4 || Math.max(x, y) > last)
					expect([x, y, black]).toEqual([x, y, false]);
			}
		}
		// No more than four: three corners of finder patterns.
		expect([modules[4][4], modules[4][last], modules[last][4]]).toEqual([true, true, true]);
	});

	it.each([1, 60, 500, 1200, 2331])(
		'has error correction level M for %d characters',
		async (length) => {
			const modules = modulesOf(await qrCodePng(linkOf(length)));
			// The first two of the format bits, below the upper left finder pattern, masked by 10: M is 00.
			expect([modules[4 + 8][4], modules[4 + 8][4 + 1]]).toEqual([true, false]);
		},
	);

	it('is the same for the same text', async () => {
		expect(await qrCodePng(linkOf(60))).toEqual(await qrCodePng(linkOf(60)));
	});

	it('holds what was drawn, whatever the size', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 24 }).chain((length) =>
					fc.array(fc.array(fc.boolean(), { minLength: length, maxLength: length }), {
						minLength: length,
						maxLength: length,
					}),
				),
				fc.integer({ min: 0, max: 5 }),
				fc.integer({ min: 1, max: 12 }),
				async (modules, border, scale) => {
					const { side, pixels } = parsed(await drawPng(modules, border, scale));
					expect(side).toBe((modules.length + 2 * border) * scale);
					const black = (x: number, y: number) =>
						modules[Math.floor(y / scale) - border]?.[Math.floor(x / scale) - border] ?? false;
					const wanted = pixels.map((row, y) => row.map((_pixel, x) => black(x, y)));
					expect(JSON.stringify(pixels) === JSON.stringify(wanted)).toBe(true);
				},
			),
			{ numRuns: 40 },
		);
	});
});

describe('a text that no code can hold', () => {
	it.each([
		['x'.repeat(2332), 'A QR code holds at most 2331 bytes of text, but the text has 2332'],
		['å'.repeat(1166), 'A QR code holds at most 2331 bytes of text, but the text has 2332'],
	])('is refused: %#', async (text, message) => {
		await expect(qrCodePng(text)).rejects.toThrow(new RangeError(message));
	});
});
