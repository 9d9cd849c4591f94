import { readPayment } from '../../../../nodes/AcountPay/actions/payment/readPayment';
import { getPayment } from '../../../../nodes/shared/api/payments';
import { Cancelled } from '../../../../nodes/shared/errors';
import { read as readResponse } from '../../../../nodes/shared/transport/read';
import {
	callOptions as options,
	end,
	errorOf,
	giveUpAfter,
	late,
	response,
	type Script,
	scripted,
	unreachable,
	useFakeTime,
} from '../../support';

useFakeTime();

const payment = { merchantClientId: 'merchant_1', paymentId: 'pay_1' };

describe('reading', () => {
	const read = async (script: Script) => {
		const { client, sent } = scripted(script);
		return { ...(await end(readPayment(client, payment, options))), sent };
	};

	it('hands out the whole answer', async () => {
		const { value, sent } = await read([response(200, { id: 1, status: 'new', extra: { a: 1 } })]);
		expect(value).toEqual({ id: 1, status: 'new', extra: { a: 1 } });
		expect(sent).toEqual([getPayment(payment)]);
	});

	it.each<[string, Script[number]]>([
		['no answer', late],
		['no connection', unreachable],
		['500', response(500)],
		['408', response(408)],
		['a cut-off answer', response(200, '{"id": ')],
	])('asks again after %s', async (_name, trouble) => {
		const { value, sent } = await read([trouble, trouble, response(200, { id: 1, status: 'new' })]);
		expect(value).toEqual({ id: 1, status: 'new' });
		expect(sent).toHaveLength(3);
	});

	it.each<[string, Script[number], string, string]>([
		[
			'no answer',
			late,
			"AcountPay was asked about payment 'pay_1', but did not respond within 30 seconds",
			'unavailable',
		],
		[
			'no connection',
			unreachable,
			"AcountPay could not be reached for payment 'pay_1'",
			'unavailable',
		],
		[
			'502',
			response(502),
			"AcountPay was asked about payment 'pay_1', but returned a server error (status 502)",
			'unavailable',
		],
		[
			'HTML',
			response(200, '<p>'),
			"AcountPay was asked about payment 'pay_1', but sent a response that could not be read (status 200)",
			'unavailable',
		],
	])('gives up after five times of %s', async (_name, trouble, message, outcome) => {
		const { sent, took, ...ended } = await read([trouble]);
		expect(errorOf(ended)).toMatchObject({ message, outcome });
		expect(sent).toHaveLength(5);
		// Half a second, one, two and four, less the jitter.
		expect(took).toBeGreaterThanOrEqual(3_750);
		expect(took).toBeLessThanOrEqual(7_800);
	});

	it.each<[number, string]>([
		[400, "AcountPay refused payment 'pay_1': no"],
		[401, "AcountPay did not accept the access token for payment 'pay_1': no"],
		[403, "AcountPay does not allow payment 'pay_1' for merchant 'merchant_1': no"],
		[404, "AcountPay does not find payment 'pay_1' for merchant 'merchant_1': no"],
	])('takes %s for an answer', async (status, message) => {
		const { sent, ...ended } = await read([response(status, { error: 'no' })]);
		const error = errorOf(ended);
		expect(error).toMatchObject({ message, outcome: 'refused', status });
		expect(error.description).not.toMatch(/This payment was not created/);
		expect(sent).toHaveLength(1);
	});

	it.each<[number, string]>([
		[0, 'Nothing was sent for this item: AcountPay failed several requests in a row'],
		[1, "AcountPay was asked about payment 'pay_1', but returned a server error (status 502)"],
	])('that is given up after %i requests says so', async (requests, message) => {
		const { client, sent } = scripted([response(502)]);
		giveUpAfter(requests, client, sent);
		const ended = await end(readPayment(client, payment, options));
		expect(errorOf(ended)).toMatchObject({ message, outcome: 'unavailable' });
		expect(sent).toHaveLength(requests);
	});

	it('that is held back until after the deadline says what the last response was', async () => {
		const { client, sent } = scripted([response(502)]);
		const deadline = Date.now() + 10_000;
		jest.spyOn(client.limiter, 'pausedFor', 'get').mockImplementation(() => sent.length * 60_000);
		const ended = await end(readPayment(client, payment, { ...options, deadline }));
		expect(errorOf(ended).message).toContain('returned a server error (status 502)');
		expect(sent).toHaveLength(1);
	});

	it('does not follow a redirect', async () => {
		const { sent, ...ended } = await read([response(307)]);
		expect(errorOf(ended)).toMatchObject({
			message:
				"AcountPay was asked about payment 'pay_1', but sent a redirect (status 307), which is not followed",
			description: 'Reading changes nothing, so this item can be run again.',
		});
		expect(sent).toHaveLength(1);
	});

	it('says what is wrong with an answer that can not be used', async () => {
		const { client } = scripted([response(200, 'x')]);
		const request = getPayment(payment);
		const unusable = () => undefined;
		const ended = await end(
			readResponse(client, request, { name: 'the image' }, options, unusable, 'sent no image'),
		);
		expect(errorOf(ended).message).toBe('AcountPay was asked about the image, but sent no image');
	});

	it('ends at once when the execution is stopped', async () => {
		const { client, sent, stop } = scripted([late]);
		stop.abort();
		const ended = await end(readPayment(client, payment, options));
		expect(ended.error).toBeInstanceOf(Cancelled);
		expect(sent).toHaveLength(1);
	});
});
