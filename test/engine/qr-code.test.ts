/**
 * The QR code: as an operation of its own, and in the same step as the payment that it is for.
 */
import { BinaryDataService } from 'n8n-core';
import { type IDataObject, NodeHelpers } from 'n8n-workflow';
import type { Fault } from '../../sandbox';
import { partnerOf } from '../sandbox/client';
import { useEngine, qrCodeNode } from '../kit/engine';
import {
	create,
	continueOnError,
	createPayment,
	orders,
	requestsFor,
	retryOnFail,
	until,
} from '../kit/payments';
import type { Execution } from './harness';
import { Container } from './harness/environment';

jest.setTimeout(60_000);

const { sandbox, engine } = useEngine();

/** The image of a payment's QR code as the sandbox sends it to anybody who asks, in base64. */
const imageOf = async ({ merchant, id }: { merchant: string; id: string }) =>
	(await (await partnerOf(sandbox, merchant)).qr(id)).data.toString('base64');

/** The file that n8n stored for an output field of an item, in base64. */
const storedFile = async (execution: Execution, item = 0, field = 'data') =>
	(
		await Container.get(BinaryDataService).getAsBuffer(execution.items()[item].binary![field])
	).toString('base64');

/** The smallest files of their kinds. */
const FILES = {
	png: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
	gif: 'R0lGODlhAgACAPAAAP8AAAAAACH5BAAAAAAALAAAAAACAAIAAAIChFEAOw==',
	webp: 'UklGRjwAAABXRUJQVlA4IDAAAADQAQCdASoCAAIAAgA0JaACdLoB+AADsAD+8MQL/yC5YXXI1/8gP+QH/ID/+PIAAAA=',
	jpeg: '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAb/xAAWEAEBAQAAAAAAAAAAAAAAAAAAFGH/xAAVAQEBAAAAAAAAAAAAAAAAAAAEBv/EABgRAAMBAQAAAAAAAAAAAAAAAAAEFVFS/9oADAMBAAIRAxEAPwCZq0BSy1uRVFjT/9k=',
};
const file = (kind: keyof typeof FILES) => Buffer.from(FILES[kind], 'base64');
const SVG = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>';
const HTML = '<!doctype html><html><body><h1>Please log in</h1></body></html>';

/** Has the sandbox answer requests for the QR code of a reference like this. */
const answerQr = (reference: string, body: Fault['body'], type?: string, more: Fault = {}) =>
	sandbox.faults.add({
		match: { endpoint: 'qr', reference },
		...(type !== undefined && { headers: { 'content-type': type } }),
		body,
		...more,
	});

describe('Get QR Code', () => {
	it("adds the image as AcountPay sent it, and keeps the item's JSON", async () => {
		const one = { ...(await createPayment(sandbox)), table: 4, note: { by: 'Åse' } };
		const two = { ...(await createPayment(sandbox)), table: 5 };
		const execution = await engine.runNode({ node: qrCodeNode(), items: [one, two] });

		expect(execution.status).toBe('success');
		expect(execution.json()).toEqual([
			{ ...one, paymentId: one.id },
			{ ...two, paymentId: two.id },
		]);
		expect(execution.items().map(({ pairedItem }) => pairedItem)).toEqual([
			{ item: 0 },
			{ item: 1 },
		]);
		expect(await storedFile(execution)).toBe(await imageOf(one));
		expect(await storedFile(execution, 1)).toBe(await imageOf(two));
		expect(execution.items()[0].binary).toEqual({
			data: expect.objectContaining({
				fileName: `${one.id}.png`,
				fileExtension: 'png',
				mimeType: 'image/png',
				// What the editor goes by when it offers to view it.
				fileType: 'image',
			}),
		});
	});

	it('asks as documented', async () => {
		const { merchant, id } = await createPayment(sandbox);
		await engine.runNode({ node: qrCodeNode(), items: [{ merchant, id }] });
		const [request] = requestsFor(sandbox, 'qr');
		expect(request).toMatchObject({
			method: 'GET',
			path: `/v1/partner/payments/${id}/qr`,
			rawBody: '',
			headers: {
				authorization: expect.stringMatching(/^Bearer \S+$/),
				'x-merchant-client-id': merchant,
				accept: 'image/*',
			},
		});
	});

	it('puts the image where the person says, beside what is there', async () => {
		const payment = await createPayment(sandbox);
		const execution = await engine.runWorkflow(
			{
				nodes: [
					{ name: 'Start', type: 'harness.start' },
					{ name: 'First', type: 'acountPay', ...qrCodeNode() },
					{
						name: 'Second',
						type: 'acountPay',
						...qrCodeNode({ binaryPropertyName: '={{ "qr_" + $json.field }}' }),
					},
				],
				connections: [
					['Start', 'First'],
					['First', 'Second'],
				],
			},
			{ items: [{ ...payment, field: 'large' }] },
		);
		expect(Object.keys(execution.items()[0].binary!)).toEqual(['data', 'qr_large']);
		expect(await storedFile(execution, 0, 'qr_large')).toBe(await imageOf(payment));
	});

	it('takes an id that is a number', async () => {
		sandbox.settings.numericIds = true;
		const payment = await createPayment(sandbox);
		const execution = await engine.runNode({ node: qrCodeNode(), items: [payment] });
		expect(execution.json()).toEqual([{ ...payment, paymentId: String(payment.id) }]);
		expect(execution.items()[0].binary!.data.fileName).toBe(`${payment.id}.png`);
	});

	it.each<[string, Fault['body'], string, string, string]>([
		['image/jpeg', file('jpeg'), 'image/jpeg', 'jpg', 'image/jpeg'],
		['image/gif', file('gif'), 'image/gif', 'gif', 'image/gif'],
		['image/webp', file('webp'), 'image/webp', 'webp', 'image/webp'],
		['image/svg+xml', SVG, 'image/svg+xml; charset=utf-8', 'svg', 'image/svg+xml'],
		['a type in capitals', file('png'), 'IMAGE/PNG', 'png', 'image/png'],
		['a type with parameters', file('png'), 'image/png;charset=binary', 'png', 'image/png'],
		['a type that nobody knows', file('png'), 'image/x-new', 'new', 'image/x-new'],
		['no type', file('png'), '', 'png', 'image/png'],
		['bytes of any kind', file('jpeg'), 'application/octet-stream', 'jpg', 'image/jpeg'],
		['svg of any kind', SVG, 'application/octet-stream', 'svg', 'image/svg+xml'],
	])('takes the type from the answer: %s', async (_what, body, type, extension, mimeType) => {
		const payment = await createPayment(sandbox);
		answerQr('ORDER-123', body, type);
		const execution = await engine.runNode({ node: qrCodeNode(), items: [payment] });
		expect(execution.items()[0].binary!.data).toMatchObject({
			fileName: `${payment.id}.${extension}`,
			mimeType,
			fileType: 'image',
		});
		expect(await storedFile(execution)).toBe(Buffer.from(body as string).toString('base64'));
	});

	it('says so when the answer is no image, after asking five times', async () => {
		const wrong: Array<[reference: string, body: Fault['body'], type?: string]> = [
			['JSON', { qrCodeUrl: 'https://example.com/qr' }],
			['HTML', HTML],
			['TEXT', 'not now', 'text/plain'],
			['EMPTY', ''],
			['EMPTY-PNG', Buffer.alloc(0), 'image/png'],
			['EMPTY-NEW', Buffer.alloc(0), 'image/x-new'],
			['HTML-AS-PNG', HTML, 'image/png'],
			['HTML-AS-SVG', HTML, 'image/svg+xml'],
			['HTML-AS-JPG', HTML, 'image/jpg'],
			['JSON-AS-NEW', { message: 'not now' }, 'image/x-new'],
			['HTML-AS-ANYTHING', HTML, 'application/octet-stream'],
			['JPEG-AS-PNG', file('jpeg'), 'image/png'],
			['PNG-AS-JPEG', file('png'), 'image/jpeg'],
			['PNG-AS-TEXT', file('png'), 'text/plain'],
			['CUT-PNG', file('png').subarray(0, 3), 'image/png'],
		];
		const items = await Promise.all(
			wrong.map(async ([reference, body, type]) => {
				answerQr(reference, body, type, { times: 'always' });
				return await createPayment(sandbox, { referenceNumber: reference });
			}),
		);
		const right = await createPayment(sandbox);
		const execution = await engine.runNode({
			node: qrCodeNode({ options: { maxConcurrency: 20 } }, continueOnError),
			items: [...items, right],
		});

		expect(execution.json()).toEqual([
			...items.map(({ id }, item) => ({
				error: `AcountPay was asked about the QR code of payment '${id}', but sent a response that is no image [item ${item}]`,
				details: {
					outcome: 'unavailable',
					status: 200,
					description: 'Reading changes nothing, so this item can be run again.',
				},
			})),
			{ ...right, paymentId: right.id },
		]);
		for (const { id } of items) {
			expect(requestsFor(sandbox, 'qr').filter(({ path }) => path.includes(id))).toHaveLength(5);
		}
	});

	it('ends the node with that error when the node does not go on', async () => {
		const { id, merchant } = await createPayment(sandbox);
		answerQr('ORDER-123', HTML, 'image/png', { times: 'always' });
		const execution = await engine.runNode({ node: qrCodeNode(), items: [{ merchant, id }] });
		expect(execution.status).toBe('error');
		expect(execution.error).toMatchObject({
			name: 'NodeApiError',
			message: expect.stringContaining('sent a response that is no image'),
			context: { itemIndex: 0, outcome: 'unavailable' },
		});
	});

	it('asks again when an answer is no image or is cut off', async () => {
		const payment = await createPayment(sandbox);
		answerQr('ORDER-123', HTML);
		sandbox.faults.add({ match: { endpoint: 'qr' }, cutOff: true });
		sandbox.faults.add({ match: { endpoint: 'qr' }, status: 503 });
		const execution = await engine.runNode({ node: qrCodeNode(), items: [payment] });
		expect(await storedFile(execution)).toBe(await imageOf(payment));
	});

	it("does not ask again for another merchant's payment", async () => {
		const { id } = await createPayment(sandbox);
		const node = qrCodeNode({ merchantId: 'merchant_of_somebody_else' });
		const { error } = await engine.runNode({ node, items: [{ id }] });
		expect(error!.message).toContain(
			`AcountPay does not find the QR code of payment '${id}' for merchant 'merchant_of_somebody_else'`,
		);
		expect(sandbox.counts).toMatchObject({ 'qr 404': 1 });
	});

	it.each([
		['no payment', { id: '' }, 'Payment ID must not be empty'],
		['a path', { id: '../payments' }, 'Payment ID must be an ID such as pay_abc123def456'],
		['no merchant', { merchant: '' }, 'Merchant ID must not be empty'],
		['no field', { field: ' ' }, 'Output Data Field Name must not be empty'],
	])('sends nothing for %s', async (_what, wrong: IDataObject, message) => {
		const item = { merchant: 'merchant_abc123', id: 'pay_1', field: 'data', ...wrong };
		const node = qrCodeNode({ binaryPropertyName: '={{ $json.field }}' });
		const { error } = await engine.runNode({ node, items: [item] });
		expect(error!.message).toContain(message);
		expect(sandbox.requests).toEqual([]);
	});

	it('stops at once when the person stops the execution', async () => {
		const payment = await createPayment(sandbox);
		sandbox.faults.add({ match: { endpoint: 'qr' }, hang: true });
		const running = engine.startNode({ node: qrCodeNode(), items: [payment] });
		await until(() => requestsFor(sandbox, 'qr').length === 1);
		const stoppedAt = Date.now();
		running.cancel();
		expect((await running.finished).status).toBe('canceled');
		expect(Date.now() - stoppedAt).toBeLessThan(1_000);
	});
});

describe('Create with the option QR Code', () => {
	const withQrCode = (options: IDataObject = {}) =>
		create({ options: { qrCode: true, ...options } as never });

	it('adds the image to the created payment in the same step', async () => {
		const items = orders(2);
		const execution = await engine.runNode({ node: { parameters: withQrCode() }, items });

		expect(execution.json()).toMatchObject(
			items.map(({ reference, amount }) => ({ referenceNumber: reference, amount })),
		);
		for (const [item, { merchant, id }] of sandbox.payments.entries()) {
			expect(execution.json()[item].id).toBe(id);
			expect(await storedFile(execution, item)).toBe(await imageOf({ merchant, id: String(id) }));
			expect(execution.items()[item].binary!.data.fileName).toBe(`${id}.png`);
		}
	});

	it("gives AcountPay's answer whole, and no image without the option", async () => {
		const [item] = orders(1);
		const execution = await engine.runNode({ node: { parameters: create() }, items: [item] });
		expect(execution.items()[0].binary).toBeUndefined();
		expect(requestsFor(sandbox, 'qr')).toEqual([]);

		const withImage = await engine.runNode({ node: { parameters: withQrCode() }, items: [item] });
		expect(Object.keys(withImage.json()[0])).toEqual(Object.keys(execution.json()[0]));
	});

	it('names the payment when its image can not be had', async () => {
		sandbox.faults.add({ match: { endpoint: 'qr' }, status: 404, times: 'always' });
		const execution = await engine.runNode({
			node: { parameters: withQrCode() },
			items: orders(1),
		});
		const [{ id }] = sandbox.payments;
		expect(execution.status).toBe('error');
		expect(execution.error).toMatchObject({
			message: expect.stringContaining(
				`The payment was created (${id}), but its QR code is missing: AcountPay does not find`,
			),
			description: expect.stringContaining('Do not create the payment again.'),
			context: {
				outcome: 'made',
				paymentsMade: [{ itemIndex: 0, referenceNumber: 'ORDER-0', paymentId: id }],
				outcomesUnknown: [],
			},
		});
	});

	it('hands the payment on with the error when the node goes on', async () => {
		answerQr('ORDER-1', HTML, 'image/png', { times: 'always' });
		const execution = await engine.runNode({
			node: { parameters: withQrCode(), ...continueOnError },
			items: orders(3),
		});
		expect(execution.json()).toMatchObject([
			{ referenceNumber: 'ORDER-0' },
			{
				error: expect.stringContaining('sent a response that is no image'),
				details: {
					outcome: 'made',
					payment: {
						referenceNumber: 'ORDER-1',
						id: sandbox.payments.find(({ referenceNumber }) => referenceNumber === 'ORDER-1')!.id,
						paymentUrl: expect.stringContaining('/pay/'),
					},
				},
			},
			{ referenceNumber: 'ORDER-2' },
		]);
		expect(sandbox.payments).toHaveLength(3);
	});

	it.each([
		['under data', { data: { id: 'pay_1' } }, 'pay_1'],
		['as a number under payment', { payment: { id: 7 } }, '7'],
	])('asks for the image with an id that is %s', async (_what, body, id) => {
		sandbox.faults.add({ match: { endpoint: 'create' }, status: 201, body });
		const headers = { 'content-type': 'image/png' };
		sandbox.faults.add({ match: { endpoint: 'qr' }, status: 200, headers, body: file('png') });
		const node = { parameters: withQrCode(), ...continueOnError };
		const execution = await engine.runNode({ node, items: orders(1) });
		expect(execution.json()).toEqual([body]);
		expect(requestsFor(sandbox, 'qr').map(({ path }) => path)).toEqual([
			`/v1/partner/payments/${id}/qr`,
		]);
	});

	it('asks for no image without an id', async () => {
		const body = { qrCodeUrl: 'https://qr.test/1' };
		sandbox.faults.add({ match: { endpoint: 'create' }, status: 201, body });
		const node = { parameters: withQrCode(), ...continueOnError };
		const execution = await engine.runNode({ node, items: orders(1) });
		expect(execution.json()).toEqual([
			{
				error:
					"The payment was created (without an ID), but its QR code is missing: AcountPay's response has no ID to ask for it with [item 0]",
				details: { outcome: 'made', description: expect.any(String), payment: body },
			},
		]);
		expect(requestsFor(sandbox, 'qr')).toEqual([]);
	});

	it("is made once with 'Retry On Fail', however often its image fails", async () => {
		answerQr('ORDER-1', { message: 'gone' }, undefined, { status: 404, times: 2 });
		const execution = await engine.runNode({
			node: { parameters: withQrCode(), ...retryOnFail() },
			items: orders(3),
		});
		expect(execution.status).toBe('success');
		expect(sandbox.payments.map(({ referenceNumber }) => referenceNumber).sort()).toEqual([
			'ORDER-0',
			'ORDER-1',
			'ORDER-2',
		]);
		expect(requestsFor(sandbox, 'create')).toHaveLength(3);
		expect(execution.items().map(({ binary }) => binary!.data.mimeType)).toEqual(
			Array(3).fill('image/png'),
		);
		expect(execution.json()).toMatchObject(
			[0, 1, 2].map((order) => ({ referenceNumber: `ORDER-${order}` })),
		);
	});

	it('is made once when a person retries the execution by hand', async () => {
		sandbox.faults.add({ match: { endpoint: 'qr' }, status: 404 });
		const failed = await engine.runNode({ node: { parameters: withQrCode() }, items: orders(1) });
		expect(failed.status).toBe('error');
		const retried = await engine.retry(failed);
		expect(retried.status).toBe('success');
		expect(retried.items()[0].binary!.data.mimeType).toBe('image/png');
		expect(retried.json()[0].id).toBe(sandbox.payments[0].id);
		expect(sandbox.payments).toHaveLength(1);
	});

	it.each([
		['stop', {}],
		['go on', continueOnError],
	])('is not lost when n8n can not store its image, and the node is to %s', async (_what, on) => {
		const full = 'ENOSPC: no space left on device, write';
		const store = jest.spyOn(Container.get(BinaryDataService), 'store');
		store.mockRejectedValueOnce(new Error(full));
		const node = { parameters: withQrCode(), ...on };
		const execution = await engine.runNode({ node, items: orders(1) });

		const [{ id }] = sandbox.payments;
		const message = `The payment was created (${id}), but its QR code is missing: ${full} [item 0]`;
		if (execution.error) {
			expect(execution.error).toMatchObject({
				message,
				context: { outcome: 'made', paymentsMade: [{ paymentId: id }] },
			});
		} else {
			expect(execution.json()).toMatchObject([
				{ error: message, details: { outcome: 'made', payment: { id } } },
			]);
		}
	});

	it('is named in the log when the execution is stopped while the image is read', async () => {
		sandbox.faults.add({ match: { endpoint: 'qr' }, hang: true });
		const running = engine.startNode({ node: { parameters: withQrCode() }, items: orders(1) });
		await until(() => requestsFor(sandbox, 'qr').length === 1);
		running.cancel();
		expect((await running.finished).status).toBe('canceled');
		await until(() => engine.log.messages('warn').length > 0);
		expect(engine.log.messages('warn').join('\n')).toContain(`ORDER-0 = ${sandbox.payments[0].id}`);
	});

	it('asks for no image of a payment that AcountPay has not named', async () => {
		const body = { status: 'pending' };
		sandbox.faults.add({ match: { endpoint: 'create' }, status: 201, body, made: true });
		const execution = await engine.runNode({
			node: { parameters: withQrCode(), ...continueOnError },
			items: orders(1),
		});
		expect(execution.json()).toMatchObject([{ details: { outcome: 'unknown' } }]);
		expect(requestsFor(sandbox, 'qr')).toEqual([]);
	});
});

describe('the node as a tool of an AI agent', () => {
	it('offers neither the image nor the wait', () => {
		const { description } = engine.types.getByNameAndVersion(engine.types.fullName('acountPay'));
		const asTool = { ...description, name: `${description.name}Tool` };
		const parameters = { resource: 'payment', operation: 'create' };
		const offered = (type: typeof description) => {
			const isShown = (property: object) =>
				NodeHelpers.displayParameter(parameters, property as never, { typeVersion: 1 }, type);
			const shown = type.properties.filter(isShown);
			return ['operation', 'options'].flatMap((field) =>
				shown
					.find(({ name }) => name === field)!
					.options!.filter(isShown)
					.map((option) => ('value' in option ? String(option.value) : option.name)),
			);
		};
		const all = offered(description);
		expect(all).toEqual(expect.arrayContaining(['getQrCode', 'waitForCompletion', 'qrCode']));
		expect(offered(asTool)).toEqual(
			all.filter((name) => !['getQrCode', 'waitForCompletion', 'qrCode'].includes(name)),
		);
	});
});
