import type { IBinaryData } from 'n8n-workflow';
import { create } from '../../../nodes/AcountPay/actions/payment/create.operation';
import type { Image, ItemWork } from '../../../nodes/AcountPay/actions/operation';
import { readQrCode } from '../../../nodes/AcountPay/actions/payment/qrCode';
import type { ApiRequest } from '../../../nodes/shared/api/request';
import type { ApiError } from '../../../nodes/shared/errors';
import { Cancelled, UnexpectedError } from '../../../nodes/shared/errors';
import { response, recordFor, type Script, scripted } from './support';

const OPTIONS = { timeout: 1_000, resendUnknown: false };
const image = (beginning: string, mimeType?: string) => {
	const headers = mimeType === undefined ? {} : { 'content-type': mimeType };
	return { ...response(200, '', headers), body: Buffer.from(beginning, 'latin1') };
};
const PNG = '\x89PNG\r\n\x1a\n';

const read = async (script: Script) => {
	const { client, sent } = scripted(script);
	return { image: await readQrCode(client, 'merchant_1', 'pay_1', OPTIONS), sent };
};
const errorOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => undefined,
		(error: ApiError) => error,
	);

describe('the image of a QR code', () => {
	test.each<[string | undefined, string, string, string]>([
		['image/png', PNG, 'image/png', 'png'],
		[' IMAGE/PNG ; charset=binary', PNG, 'image/png', 'png'],
		[undefined, PNG, 'image/png', 'png'],
		['', PNG, 'image/png', 'png'],
		['application/octet-stream', 'GIF87a', 'image/gif', 'gif'],
		['image/gif', 'GIF89a', 'image/gif', 'gif'],
		['image/jpeg', '\xff\xd8\xff\xe0', 'image/jpeg', 'jpg'],
		['image/webp', 'RIFF\x01\x02\n\x04WEBPVP8 ', 'image/webp', 'webp'],
		['image/svg+xml', '<?xml version="1.0"?>\n<svg >', 'image/svg+xml', 'svg'],
		['image/svg+xml', '<svg xmlns="…">', 'image/svg+xml', 'svg'],
		['image/bmp', 'BM\x36', 'image/bmp', 'bmp'],
		['image/x-icon', '\x00\x00\x01', 'image/x-icon', 'icon'],
	])('of the type %p that begins with %j is %s', async (named, beginning, mimeType, extension) => {
		const answered = image(beginning, named);
		const { image: result, sent } = await read([answered]);
		expect(result).toEqual({ data: answered.body, mimeType, fileName: `pay_1.${extension}` });
		expect(sent).toMatchObject([{ method: 'GET', path: '/v1/partner/payments/pay_1/qr' }]);
	});

	test.each<[string | undefined, string]>([
		['image/png', ''],
		['image/png', 'PNG'],
		['image/png', `x${PNG}`],
		['image/png', '<html>'],
		['image/jpeg', 'x\xff\xd8\xff'],
		['image/gif', 'GIF90a'],
		['image/gif', 'xGIF89a'],
		['image/webp', 'RIFF\x01\x02\x03WEBP'],
		['image/webp', 'xRIFF\x01\x02\x03\x04WEBP'],
		['image/svg+xml', '<svgs>'],
		['image/svg+xml', `${' '.repeat(1024)}<svg>`],
		[undefined, 'a QR code'],
		['application/octet-stream', '<html>'],
		['text/html', PNG],
		['application/json', '{}'],
		['ximage/bmp', 'BM'],
		['image/b-m-p', 'BM'],
		['image/bmp', ''],
		['image/bmp', ' \n '],
		['image/bmp', ' <html>'],
		['image/bmp', '{"a": 1}'],
		['image/bmp', '["a"]'],
		['image/bmp', '"a"'],
	])('of the type %p that begins with %j is none', async (named, beginning) => {
		jest.useFakeTimers({ doNotFake: ['performance'] });
		const { client, sent } = scripted([image(beginning, named)]);
		const ended = errorOf(readQrCode(client, 'merchant_1', 'pay_1', OPTIONS));
		await jest.advanceTimersByTimeAsync(60_000);
		expect(await ended).toMatchObject({
			outcome: 'unavailable',
			message:
				"AcountPay was asked about the QR code of payment 'pay_1', but sent an answer that is no image",
		});
		expect(sent).toHaveLength(5);
		jest.useRealTimers();
	});
});

describe('Create with a QR code', () => {
	const stored = { data: '', mimeType: 'image/png' } as IBinaryData;
	const payment = { amount: 1, referenceNumber: 'ORDER-1' };

	/** Runs Create for one item with this script; `store` stands for n8n's place for files. */
	async function run(
		script: Script,
		store: (image: Image) => Promise<IBinaryData> = async () => stored,
		qrCodeField: string | undefined = 'data',
	) {
		const { client, sent, stop } = scripted(script);
		const work = {
			client,
			options: OPTIONS,
			record: (request: ApiRequest) => recordFor(request),
			storeImage: store,
		} as unknown as ItemWork;
		const ended = create.run({ merchantId: 'merchant_1', payment, qrCodeField }, work);
		return { ended, sent, stop };
	}
	const made = (body: object) => response(201, { ...body });

	test('makes the payment, then reads its image', async () => {
		const given: Image[] = [];
		const store = async (its: Image) => {
			given.push(its);
			return stored;
		};
		const { ended, sent } = await run([made({ id: 7 }), image(PNG, 'image/png')], store);
		expect(await ended).toEqual([{ json: { id: 7 }, binary: { data: stored } }]);
		expect(given).toMatchObject([{ fileName: '7.png', mimeType: 'image/png' }]);
		expect(sent).toMatchObject([
			{ method: 'POST', body: payment, merchantId: 'merchant_1' },
			{ method: 'GET', path: '/v1/partner/payments/7/qr' },
		]);
	});

	test('without one asks for none', async () => {
		const work = scripted([made({ id: 7 })]);
		const output = await create.run({ merchantId: 'merchant_1', payment }, {
			client: work.client,
			options: OPTIONS,
			record: (request: ApiRequest) => recordFor(request),
		} as unknown as ItemWork);
		expect(output).toEqual([{ json: { id: 7 } }]);
		expect(work.sent).toHaveLength(1);
	});

	test('names the payment when it is not known whether it was made', async () => {
		const { ended } = await run([response(500)]);
		expect((await errorOf(ended))!.message).toContain("Payment 'ORDER-1' may or may not exist");
		const refused = await run([response(403)]);
		expect((await errorOf(refused.ended))!.message).toContain("for merchant 'merchant_1'");
	});

	const missing = 'but its QR code is missing: ';
	test.each<[string, Script, string, number | undefined]>([
		[
			'is refused',
			[made({ id: 7 }), response(404, { message: 'none' })],
			`The payment was made (7), ${missing}AcountPay does not find the QR code of payment '7' for merchant 'merchant_1': none`,
			404,
		],
		[
			'can not be asked for',
			[made({ qrCodeUrl: 'https://…' })],
			`The payment was made (without an ID), ${missing}AcountPay's response has no ID to ask for it with`,
			undefined,
		],
	])('says that the payment was made when the image %s', async (_what, script, message, status) => {
		const { ended } = await run(script);
		const problem = (await errorOf(ended))!;
		expect(problem).toMatchObject({
			outcome: 'made',
			message,
			description: expect.stringMatching(/'Get QR Code'.* Do not create the payment again\.$/),
			payment: expect.any(Object),
		});
		expect(problem.status).toBe(status);
	});

	test('says so when n8n does not store the image, in the words of n8n where they are safe', async () => {
		const store = (error: Error) => async () => await Promise.reject(error);
		const script = () => [made({ id: 7 }), image(PNG, 'image/png')];
		const full = await run(script(), store(new UnexpectedError(new Error('disk full'), true)));
		expect((await errorOf(full.ended))!.message).toBe(
			`The payment was made (7), ${missing}disk full`,
		);
		const other = await run(script(), store(new Error('s3cret')));
		expect((await errorOf(other.ended))!.message).toMatch(/^The payment was made \(7\), .*ended/);
	});

	test('is stopped, and no more, when the execution is stopped while the image is read', async () => {
		const { ended } = await run([made({ id: 7 }), new Cancelled()]);
		await expect(ended).rejects.toBeInstanceOf(Cancelled);
	});
});
