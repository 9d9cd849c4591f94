/** The operations that read: what they ask for, and what comes out. */
import type { IBinaryData, IDataObject } from 'n8n-workflow';
import { operationFor } from '../../../../nodes/AcountPay/actions';
import type { Image, ItemWork } from '../../../../nodes/AcountPay/operation/operation';
import type { Authentication } from '../../../../nodes/shared/auth';
import {
	callOptions,
	end,
	errorOf,
	imageResponse,
	parameters,
	PNG,
	refusal,
	response,
	scripted,
	useFakeTime,
} from '../../support';

useFakeTime();

const resourceLocator = (value: string) => ({ __rl: true, mode: 'list', value });

/** Runs one operation for one item on a script of responses. */
async function run(
	path: `${Authentication} ${string} ${string}`,
	values: IDataObject,
	script: Parameters<typeof scripted>[0],
	inputItem: ItemWork['inputItem'] = { json: { order: 1 } },
) {
	const [authentication, resource, name] = path.split(' ');
	const operation = operationFor(authentication as Authentication, resource, name)!;
	const { client, sent } = scripted(script);
	const stored: Image[] = [];
	const work = {
		client,
		options: { ...callOptions, endSignal: new AbortController().signal },
		inputItem,
		storeImage: async (image: Image) => {
			stored.push(image);
			return { data: `stored ${stored.length}`, mimeType: image.mimeType } as IBinaryData;
		},
	} as unknown as ItemWork;
	const ended = await end(operation.run(operation.check(parameters(values), client), work));
	return { ...ended, sent, stored, output: ended.value?.map(({ json }) => json) };
}

const check = (path: string, values: IDataObject) => {
	const [authentication, resource, name] = path.split(' ');
	const operation = operationFor(authentication as Authentication, resource, name)!;
	return refusal(() => operation.check(parameters(values), scripted([]).client));
};

describe('one thing', () => {
	it.each([
		[
			'oAuth2 payment get',
			{ merchantId: ' shop ', paymentId: 'a~b' },
			{ path: '/v1/partner/payments/a~b', merchantClientId: 'shop' },
		],
		['apiKey payment get', { paymentId: 456 }, { path: '/v1/partner/payments/456/status' }],
		['apiKey merchant get', { merchantNumber: 42 }, { path: '/v1/partner/merchants/42' }],
	] as const)('%s', async (path, values, request) => {
		const { sent } = await run(path, values, [response(200, { status: 'pending' })]);
		expect(sent).toEqual([{ method: 'GET', repeatable: true, ...request }]);
	});

	it.each<[`${Authentication} ${string} ${string}`, IDataObject, IDataObject, object]>([
		[
			'oAuth2 payment get',
			{ merchantId: 'shop', paymentId: 'a' },
			{ id: 'a', status: 'pending', more: [1] },
			{ id: 'a', status: 'pending', more: [1], isPaid: false },
		],
		// AcountPay's number for a payment is a number, where it is one.
		[
			'apiKey payment get',
			{ paymentId: '456' },
			{ status: 'paid' },
			{ paymentId: 456, status: 'paid', isPaid: true },
		],
		[
			'apiKey payment get',
			{ paymentId: '0456' },
			{ status: 'new', x: 1 },
			{ paymentId: '0456', status: 'new', x: 1, isPaid: false },
		],
		[
			'apiKey payment get',
			{ paymentId: 'pay_1' },
			{ status: 'new', x: 1 },
			{ paymentId: 'pay_1', status: 'new', x: 1, isPaid: false },
		],
		[
			'apiKey payment get',
			{ paymentId: '1234567890123456' },
			{ status: 'new', x: 1 },
			{ paymentId: '1234567890123456', status: 'new', x: 1, isPaid: false },
		],
		[
			'apiKey payment get',
			{ paymentId: '456' },
			{ paymentId: '456', isPaid: 'as sent', status: 'settled' },
			{ paymentId: '456', isPaid: false, status: 'settled' },
		],
		[
			'apiKey merchant get',
			{ merchantNumber: '42' },
			{ id: 42, x: 1 },
			{ merchantId: 42, id: 42, x: 1 },
		],
		['apiKey merchant get', { merchantNumber: '42' }, { merchantId: 42 }, { merchantId: 42 }],
		['apiKey merchant get', { merchantNumber: '42' }, { x: 1 }, { x: 1 }],
	])('%s %j: %j comes out as %j', async (path, values, body, output) => {
		const result = await run(path, values, [response(200, body)]);
		expect(result.output).toEqual([output]);
	});

	it.each<[`${Authentication} ${string} ${string}`, IDataObject, string]>([
		['oAuth2 payment get', { merchantId: 'shop', paymentId: 'a' }, "payment 'a'"],
		['apiKey payment get', { paymentId: 'a' }, "payment 'a'"],
		['apiKey merchant get', { merchantNumber: '42' }, "merchant '42'"],
	])('%s names what was not found', async (path, values, name) => {
		const error = errorOf(await run(path, values, [response(404, {})]));
		expect(error.message).toContain(name);
	});

	it.each<[`${Authentication} ${string} ${string}`, string, object, string]>([
		['oAuth2 payment get', 'pay_1', { id: 'pay_2', status: 'completed' }, 'pay_2'],
		['oAuth2 payment get', 'pay_1', { data: { paymentId: 'x' }, status: 'completed' }, 'x'],
		['apiKey payment get', '456', { paymentId: 457, status: 'paid' }, '457'],
		['apiKey payment get', '456', { id: 456, paymentId: 457, status: 'paid' }, '457'],
	])('%s %s: %j is about another payment, asked again and said', async (path, id, body, other) => {
		const values = { merchantId: 'shop', paymentId: id };
		const error = errorOf(await run(path, values, [response(200, body)]));
		expect(error.message).toBe(
			`AcountPay was asked about payment '${id}', but responded about payment '${other}'`,
		);
		expect(error.description).toBe(
			'Look at this payment in AcountPay. Reading changes nothing, so this item can be run again.',
		);
		const own = response(200, { paymentId: id, status: 'pending' });
		const { output, sent } = await run(path, values, [response(200, body), own]);
		expect(sent).toHaveLength(2);
		expect(output).toEqual([{ paymentId: id, status: 'pending', isPaid: false }]);
	});

	it.each(['get', 'waitForCompletion'])(
		"%s does not take another merchant's payment for that of its merchant",
		async (name) => {
			const path = `oAuth2 payment ${name}` as const;
			const values = { merchantId: 'shop', paymentId: 'pay_1', timeoutMinutes: 1 };
			const own = response(200, { id: 'pay_1', status: 'paid', merchantClientId: ' SHOP' });
			for (const body of [
				{ id: 'pay_1', status: 'paid', merchantClientId: 'kiosk' },
				{ status: 'paid', data: { id: 'pay_1', merchantClientId: 'kiosk' } },
			]) {
				expect(errorOf(await run(path, values, [response(200, body)])).message).toBe(
					"AcountPay was asked about payment 'pay_1', but responded about a payment that has the merchant kiosk instead of shop (payment pay_1)",
				);
				const { output } = await run(path, values, [response(200, body), own]);
				expect(output).toMatchObject([{ merchantClientId: ' SHOP', isPaid: true }]);
			}
		},
	);

	it.each<[`${Authentication} ${string} ${string}`, object]>(
		['oAuth2 payment get', 'apiKey payment get'].flatMap((path) =>
			[
				{ error: 'boom' },
				{ message: 'x', statusCode: 200 },
				{ data: { status: 'paid' } },
				{ paymentId: '456' },
				{ status: null },
				{ status: ' ' },
				{ status: ['paid'] },
			].map((body): [`${Authentication} ${string} ${string}`, object] => [path as never, body]),
		),
	)('%s: %j does not say whether it is paid: asked again and said', async (path, body) => {
		const values = { merchantId: 'shop', paymentId: '456' };
		const error = errorOf(await run(path, values, [response(200, body)]));
		expect(error).toMatchObject({
			outcome: 'unavailable',
			status: 200,
			message: "AcountPay was asked about payment '456', but sent a response without its status",
			description: 'Reading changes nothing, so this item can be run again.',
		});
		const { output, sent } = await run(path, values, [
			response(200, body),
			response(200, { paymentId: 456, status: 'paid' }),
		]);
		expect(sent).toHaveLength(2);
		expect(output).toMatchObject([{ paymentId: 456, isPaid: true }]);
	});

	it.each<[`${Authentication} ${string} ${string}`, IDataObject]>(
		['oAuth2 payment get', 'apiKey payment get', 'apiKey payment waitForCompletion'].flatMap(
			(path) =>
				[
					{ status: 'success', data: { status: 'paid' } },
					{ status: 'completed', payment: { id: '456', status: 'pending' } },
				].map((body): [`${Authentication} ${string} ${string}`, IDataObject] => [
					path as never,
					body,
				]),
		),
	)('%s: %j has two statuses: asked again and said', async (path, body) => {
		const values = { merchantId: 'shop', paymentId: '456', timeoutMinutes: 1 };
		expect(errorOf(await run(path, values, [response(200, body)])).message).toBe(
			"AcountPay was asked about payment '456', but sent a response with more than one status",
		);
		const clear = response(200, { status: 'completed', data: { status: 'paid' } });
		const { output, sent } = await run(path, values, [response(200, body), clear]);
		expect(sent).toHaveLength(2);
		expect(output).toMatchObject([{ isPaid: true }]);
	});

	it.each<[`${Authentication} ${string} ${string}`, IDataObject, object]>(
		[
			{ success: false, status: 'paid' },
			{ statusCode: 404, status: 'failed', message: 'Payment not found' },
		].flatMap(
			(body): Array<[`${Authentication} ${string} ${string}`, IDataObject, object]> => [
				['oAuth2 payment get', { merchantId: 'shop', paymentId: '456' }, body],
				['apiKey payment get', { paymentId: '456' }, body],
				['apiKey merchant get', { merchantNumber: '42' }, body],
			],
		),
	)(
		'%s %j: %j is an error, whatever its status: asked again and said',
		async (path, values, body) => {
			const error = errorOf(await run(path, values, [response(200, body)]));
			expect(error).toMatchObject({ outcome: 'unavailable', status: 200 });
			const { sent } = await run(path, values, [
				response(200, body),
				response(200, { status: 'paid' }),
			]);
			expect(sent).toHaveLength(2);
		},
	);

	it.each<[`${Authentication} ${string} ${string}`]>([
		['oAuth2 payment waitForCompletion'],
		['apiKey payment waitForCompletion'],
	])('%s asks on, and says of no status not whether it is paid', async (path) => {
		const values = { merchantId: 'shop', paymentId: '456', timeoutMinutes: 1 };
		const body = { error: 'boom', isPaid: true };
		const { output, sent } = await run(path, values, [response(200, body)]);
		expect(sent.length).toBeGreaterThan(5);
		expect(output).toMatchObject([{ error: 'boom', waitEndedBy: 'timeout' }]);
		expect(output![0]).not.toHaveProperty('isPaid');
		const paid = response(200, { status: 'paid' });
		const later = await run(path, values, [response(200, body), paid]);
		expect(later.output).toMatchObject([{ status: 'completed', isPaid: true }]);
	});

	it.each(['get', 'waitForCompletion'])(
		'%s with keys begins with the ID, which is the first column in the editor',
		async (name) => {
			const values = { paymentId: '456', timeoutMinutes: 1 };
			const script = [response(200, { status: 'paid', amount: 3 })];
			const { output } = await run(`apiKey payment ${name}`, values, script);
			expect(Object.entries(output![0])[0]).toEqual(['paymentId', 456]);
		},
	);

	it('a wait ends by its timeout, also when the clock is set back meanwhile', async () => {
		jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
			const timeout = new AbortController();
			setTimeout(() => timeout.abort(), ms);
			return timeout.signal;
		});
		const hour = 60 * 60_000;
		setTimeout(() => jest.setSystemTime(Date.now() - hour), 10_000);
		// Ten seconds after this timeout, a delay of 15 has just begun.
		const values = { paymentId: '456', timeoutMinutes: 1.04 };
		const script = [response(200, { status: 'pending' })];
		const { output, took } = await run('apiKey payment waitForCompletion', values, script);
		expect(output).toMatchObject([{ status: 'pending', waitEndedBy: 'timeout' }]);
		expect(took + hour).toBeLessThanOrEqual(62_400 + 15_000);
	});

	it('an id must be one', () => {
		expect(check('apiKey merchant get', { merchantNumber: 'a/b' })).toBe(
			'Merchant Number must be an ID such as 42, without spaces or any of / \\ ? # %, but is "a/b"',
		);
		expect(check('apiKey payment get', { paymentId: '' })).toBe('Payment ID must not be empty');
	});
});

describe('lists', () => {
	it('a list without pages is whole, however long', async () => {
		const merchants = Array.from({ length: 120 }, (_, index) => ({ merchantId: index + 1 }));
		const { output, sent } = await run('apiKey merchant getAll', { returnAll: true }, [
			response(200, merchants),
		]);
		expect(sent).toHaveLength(1);
		expect(output).toEqual(merchants);
	});

	const payments = (count: number) =>
		Array.from({ length: count }, (_, index) => ({ id: index + 1, status: 'paid' }));

	it('payments come out with their id under the name of a create', async () => {
		const { output, sent } = await run('apiKey payment getAll', { returnAll: true }, [
			response(200, { payments: payments(2), total: 2, page: 1, limit: 50 }),
		]);
		expect(output).toEqual([
			{ paymentId: 1, id: 1, status: 'paid', isPaid: true },
			{ paymentId: 2, id: 2, status: 'paid', isPaid: true },
		]);
		expect(sent).toEqual([
			{
				method: 'GET',
				path: '/v1/partner/payments',
				query: { page: 1, limit: 100 },
				repeatable: true,
			},
		]);
	});

	it('filters go to AcountPay, picked or written', async () => {
		for (const merchantId of ['shop', resourceLocator('shop')]) {
			const { sent } = await run(
				'apiKey payment getAll',
				{ filters: { merchantId, status: 'paid' } },
				[response(200, { payments: [], total: 0 })],
			);
			expect(sent).toMatchObject([
				{ merchantClientId: 'shop', query: { status: 'paid', page: 1, limit: 50 } },
			]);
		}
		const none = { filters: { merchantId: resourceLocator(''), status: '' } };
		const { sent } = await run('apiKey payment getAll', none, [response(200, { payments: [] })]);
		expect(sent[0].merchantClientId).toBeUndefined();
		expect(sent[0].query).toEqual({ page: 1, limit: 50 });
	});

	it.each([
		['apiKey payment getAll', {}, { payments: payments(50), total: 205, limit: 50 }, 50],
		['apiKey payment getAll', { limit: 3 }, { payments: payments(50), total: 205, limit: 50 }, 3],
		['apiKey merchant getAll', { limit: 3 }, payments(60), 3],
		['apiKey merchant getAll', {}, { merchants: payments(60) }, 50],
		['apiKey store getAll', { merchantNumber: '42', limit: 3 }, { stores: payments(60) }, 3],
	] as const)('%s %j ends when there is enough', async (path, values, body, count) => {
		const { output, sent } = await run(path, values as IDataObject, [response(200, body)]);
		expect(output).toHaveLength(count);
		expect(sent).toHaveLength(1);
	});

	it.each(['apiKey payment getAll', 'apiKey merchant getAll', 'apiKey store getAll'])(
		'%s: the limit is a whole number from 1',
		(path) => {
			for (const limit of [0, -1, 1.5, '1.5', 'all']) {
				expect(check(path, { merchantNumber: '42', limit })).toMatch(
					/^Limit must be a whole number from 1 to /,
				);
			}
		},
	);

	it('a page that AcountPay does not take is asked for smaller, until it is refused for another reason', async () => {
		const script = [response(400, { message: 'limit is too large' })];
		const result = await run('apiKey payment getAll', { returnAll: true }, script);
		expect(errorOf(result)).toMatchObject({ outcome: 'refused', status: 400 });
		expect(result.sent.map(({ query }) => query!.limit)).toEqual([100, 50, 20, 10, 5, 2, 1]);

		const one = await run('apiKey payment getAll', { limit: 1 }, script);
		expect(errorOf(one)).toMatchObject({ outcome: 'refused', status: 400 });
		expect(one.sent).toHaveLength(1);
	});

	it.each([1, 2, 4, 7])('pages of %i entries at most are read', async (max) => {
		const { output } = await run('apiKey payment getAll', { returnAll: true }, ({ query }) => {
			const { page, limit } = query as { page: number; limit: number };
			if (limit > max) return response(400, { message: 'limit is too large' });
			const shown = payments(9).slice((page - 1) * limit, page * limit);
			return response(200, { payments: shown, total: 9, limit });
		});
		expect(output).toHaveLength(9);
	});

	it('any other refusal is one', async () => {
		const result = await run('apiKey payment getAll', {}, [response(403, {})]);
		expect(errorOf(result)).toMatchObject({ outcome: 'refused', status: 403 });
		expect(result.sent).toHaveLength(1);
	});

	it('pages that keep changing are given up, which harms nothing', async () => {
		const page = { payments: payments(2), total: 1_000, limit: 2 };
		const error = errorOf(
			await run('apiKey payment getAll', { returnAll: true }, [response(200, page)]),
		);
		expect(error).toMatchObject({
			outcome: 'unavailable',
			message: 'AcountPay was asked about the list of payments, but its pages kept changing',
			description: 'Reading changes nothing, so this item can be run again.',
		});
	});

	it.each<[`${Authentication} ${string} ${string}`, IDataObject, string]>([
		['apiKey payment getAll', {}, 'the list of payments'],
		['apiKey merchant getAll', {}, 'the list of merchants'],
		['apiKey store getAll', { merchantNumber: '42' }, "the list of stores of merchant '42'"],
	])('%s: what is no list is said to be none', async (path, values, name) => {
		const error = errorOf(await run(path, values, [response(200, { other: [] })]));
		expect(error.outcome).toBe('unavailable');
		expect(error.message).toContain(name);
		expect(error.message).toContain('sent a response that is no list');
	});

	it('the merchant whose stores AcountPay does not know is named, and where its number is', async () => {
		const result = await run('apiKey store getAll', { merchantNumber: '42' }, [response(404)]);
		expect(errorOf(result)).toMatchObject({
			outcome: 'refused',
			message:
				"AcountPay does not know the merchant for the list of stores of merchant '42' (status 404)",
			description: 'Check Merchant Number. Sandbox and production have separate merchants.',
		});
	});

	it.each([
		['apiKey merchant getAll', 'merchants', '/v1/partner/merchants', 'merchantId'],
		['apiKey store getAll', 'stores', '/v1/partner/merchants/42/stores', 'storeId'],
	] as const)('%s is one request, unless AcountPay has more', async (path, name, url, idName) => {
		const values = { merchantNumber: '42', returnAll: true };
		for (const body of [payments(2), { [name]: payments(2) }, { [name]: payments(2), total: 2 }]) {
			const { output, sent } = await run(path, values, [response(200, body)]);
			expect(output).toEqual(payments(2).map((entry) => ({ [idName]: entry.id, ...entry })));
			expect(sent).toEqual([{ method: 'GET', path: url, repeatable: true }]);
		}
		const page = (from: number, to: number) =>
			response(200, { [name]: payments(130).slice(from, to), total: 130, limit: 100 });
		const paged = await run(path, values, [page(0, 100), page(0, 100), page(98, 130)]);
		expect(paged.output!.map((entry) => entry[idName])).toEqual(payments(130).map(({ id }) => id));
		expect(paged.sent[0].query).toBeUndefined();
		expect(paged.sent[1].query).toEqual({ page: 1, limit: 100 });
		// With enough on the first page nothing more is asked.
		const few = await run(path, { ...values, returnAll: false, limit: 100 }, [page(0, 100)]);
		expect(few.sent).toHaveLength(1);
	});
});

describe('QR codes', () => {
	const image = { data: 'stored 1', mimeType: 'image/png' };

	it('with access tokens the image is read, and joins what the item has', async () => {
		const inputItem = { json: { order: 1 }, binary: { other: image } };
		const { value, sent, stored } = await run(
			'oAuth2 payment getQrCode',
			{ merchantId: 'shop', paymentId: 'a', binaryPropertyName: 'code' },
			[imageResponse(PNG, 'image/png')],
			inputItem,
		);
		expect(value).toEqual([
			{ json: { order: 1, paymentId: 'a' }, binary: { other: image, code: image } },
		]);
		expect(sent).toMatchObject([
			{ path: '/v1/partner/payments/a/qr', merchantClientId: 'shop', accept: 'image/*' },
		]);
		expect(stored).toHaveLength(1);
	});

	it('with keys it is drawn, and nothing asked', async () => {
		const inputItem = { json: { order: 1 }, binary: { other: image } };
		const paymentUrl = 'https://pay.acountpay.com/p/1';
		const { value, sent, stored } = await run(
			'apiKey payment getQrCode',
			{ paymentUrl: ` ${paymentUrl} `, binaryPropertyName: 'code' },
			[],
			inputItem,
		);
		expect(value).toEqual([
			{ json: { order: 1, paymentUrl: ` ${paymentUrl} ` }, binary: { other: image, code: image } },
		]);
		expect(sent).toEqual([]);
		expect(stored).toMatchObject([{ mimeType: 'image/png', fileName: 'qr-code.png' }]);
		expect(stored[0].data.subarray(1, 4).toString()).toBe('PNG');
	});

	it('what is no link, or too long for a QR code, is refused', async () => {
		const drawn = async (paymentUrl: string) => {
			const { error } = await run(
				'apiKey payment getQrCode',
				{ paymentUrl, binaryPropertyName: 'data' },
				[],
			);
			return (error as Error).message;
		};
		expect(await drawn('pay.acountpay.com/p/1')).toMatch(/^Payment URL must be a whole URL/);
		expect(await drawn(`https://pay.acountpay.com/${'x'.repeat(3_000)}`)).toMatch(
			/^Payment URL can't be drawn as a QR code: /,
		);
	});

	it.each([
		['oAuth2 payment getQrCode', { merchantId: 'shop', paymentId: 'a' }],
		['apiKey payment getQrCode', { paymentUrl: 'https://pay.acountpay.com/p/1' }],
	])('%s: the output field needs a name', (path, values) => {
		expect(check(path, { ...values, binaryPropertyName: '' })).toBe(
			'Output Data Field Name must not be empty',
		);
		expect(check('apiKey payment getQrCode', { binaryPropertyName: 'data' })).toBe(
			'Payment URL must not be empty',
		);
	});
});

describe('the merchant', () => {
	const values = (merchantId: unknown) => ({ merchantId, paymentId: 'a' }) as IDataObject;

	it.each(['m\nX-Other: b', 'mærchant', 'a\u007f'])('%j can not be in a header', (merchantId) => {
		expect(check('oAuth2 payment get', values(merchantId))).toBe(
			`Merchant ID may only contain plain letters, digits and signs (printable ASCII), but is ${JSON.stringify(merchantId)}`,
		);
	});

	it.each<[unknown]>([[''], [' '], [resourceLocator('')], [null]])(
		'%j is missing',
		(merchantId) => {
			expect(check('oAuth2 payment get', values(merchantId))).toBe('Merchant ID must not be empty');
		},
	);
});

describe('waiting', () => {
	it('asks until the payment has ended, and says how', async () => {
		const { output, sent } = await run(
			'apiKey payment waitForCompletion',
			{ paymentId: '456', timeoutMinutes: 30 },
			[
				response(200, { status: 'pending' }),
				response(200, { status: 'pending' }),
				response(200, { status: 'paid' }),
			],
		);
		expect(sent).toHaveLength(3);
		expect(output).toMatchObject([{ paymentId: 456, status: 'completed' }]);
	});

	it('takes a timeout that is no whole number of milliseconds', async () => {
		const values = { paymentId: '456', timeoutMinutes: 1 / 7 };
		const { output } = await run('apiKey payment waitForCompletion', values, [
			response(200, { status: 'pending' }),
		]);
		expect(output).toMatchObject([{ status: 'pending', waitEndedBy: 'timeout' }]);
	});
});
