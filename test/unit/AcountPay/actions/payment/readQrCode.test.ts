import { readQrCode } from '../../../../../nodes/AcountPay/actions/payment/readQrCode';
import { errorFrom, imageResponse, PNG, type Script, scripted } from '../../../support';

const OPTIONS = { timeout: 1_000, resendUnknown: false };

const read = async (script: Script) => {
	const { client, sent } = scripted(script);
	return { image: await readQrCode(client, 'merchant_1', 'pay_1', OPTIONS), sent };
};

describe('the image of a QR code', () => {
	it.each<[string | undefined, string, string, string]>([
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
		const answered = imageResponse(beginning, named);
		const { image: result, sent } = await read([answered]);
		expect(result).toEqual({ data: answered.body, mimeType, fileName: `pay_1.${extension}` });
		expect(sent).toMatchObject([{ method: 'GET', path: '/v1/partner/payments/pay_1/qr' }]);
	});

	it.each<[string | undefined, string]>([
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
		const { client, sent } = scripted([imageResponse(beginning, named)]);
		const ended = errorFrom(readQrCode(client, 'merchant_1', 'pay_1', OPTIONS));
		await jest.advanceTimersByTimeAsync(60_000);
		expect(await ended).toMatchObject({
			outcome: 'unavailable',
			message:
				"AcountPay was asked about the QR code of payment 'pay_1', but sent a response that is no image",
		});
		expect(sent).toHaveLength(5);
		jest.useRealTimers();
	});
});
