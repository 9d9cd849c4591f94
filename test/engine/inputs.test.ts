/**
 * What is not sent: every input that can't be right is refused before anything leaves n8n, in words that name the field
 * and the item. And what must be sent although it looks odd.
 */
import { inspect } from 'node:util';
import type { INodeParameters } from 'n8n-workflow';
import type { Engine, Execution } from './harness';
import { engineFor } from '../kit/engine';
import { create, get, orders, paymentRequests, useSandbox } from '../kit/payments';

const sandbox = useSandbox();

const engineOf = async (changes = {}): Promise<Engine> =>
	await engineFor(sandbox, changes, { expressions: 'legacy' });

/** Where a value is put: the field's name in the editor, a value that is good, and the node's parameters. */
interface Field {
	name: string;
	good: unknown;
	parameters: (value: string) => INodeParameters;
}

const additional = (name: string, key: string, good: unknown): Field => ({
	name,
	good,
	parameters: (value) => create({ additionalFields: { [key]: value } }),
});

const field = {
	amount: { name: 'Amount', good: 5, parameters: (amount) => create({ amount }) },
	merchant: { name: 'Merchant ID', good: 'm', parameters: (merchantId) => create({ merchantId }) },
	reference: {
		name: 'Reference Number',
		good: 'ORDER',
		parameters: (referenceNumber) => create({ referenceNumber }),
	},
	currency: additional('Currency', 'currency', 'DKK'),
	customFields: additional('Custom Fields', 'customFields', '{}'),
	description: additional('Description', 'description', 'Coffee'),
	metadata: additional('Metadata', 'metadata', '{}'),
	mockPayment: additional('Mock Payment', 'mockPayment', 'true'),
	webhookUrl: additional('Webhook URL', 'webhookUrl', 'https://shop.example'),
	paymentId: { name: 'Payment ID', good: 'pay_1', parameters: (paymentId) => get({ paymentId }) },
	merchantOfGet: {
		name: 'Merchant ID',
		good: 'm',
		parameters: (merchantId) => get({ merchantId, paymentId: 'pay_1' }),
	},
	timeout: {
		name: 'Request Timeout',
		good: 1000,
		parameters: (timeout) => create({ options: { timeout } }),
	},
} satisfies Record<string, Field>;

/** Runs three items; the field's value is good in the first and the third, and `value` in the second. */
async function runWith({ good, parameters }: Field, value: unknown): Promise<Execution> {
	const items = orders(3).map((order, item) => ({ ...order, value: item === 1 ? value : good }));
	const engine = await engineOf();
	return await engine.runNode({
		node: { parameters: parameters('={{ $json.value }}') },
		items: items as never,
	});
}

const nothing = [undefined, null, '', '   ', '\n\t', '\u00a0'];
const noText = [true, false, {}, [], ['x'], { id: 'x' }, NaN, Infinity, 1e21, new Date(0)];

const bad: Record<keyof typeof field, unknown[]> = {
	amount: [
		...[0, -0, -5, -0.01, 0.001, 0.009, 0.004999, 12.345, 149.991, 1e-7, 1e15, 1e21, 2 ** 53],
		...[NaN, Infinity, -Infinity, true, false, null, undefined, {}, [], [149], new Date(1e6)],
		...['', ' ', '149,99', '1.499,99', '1,499.99', '1 499', "1'499", '149,-', '149.999', '0.00'],
		...['1e999', '1e2', '0x95', '0b1', '.5', '149.', '+149', '-149', '0149', ' 149', '149 '],
		...[
			'149\n',
			'١٤٩',
			'１４９',
			'NaN',
			'Infinity',
			'DKK 149',
			'149 kr',
			'149..9',
			'1.4.9',
			'null',
		],
	],
	merchant: [
		...[...nothing, ...noText, 'mérchant', 'merchant_💶', 'a\nb', 'a\r\nX-Mock-Payment: true'],
		...['a\u0000b', 'a\tb', 'a\u007fb', 'a\u2028b', '\u200b', 'm\u00a0x', '\ud800'],
	],
	reference: [...nothing, ...noText],
	currency: [
		...['dkk', 'Dkk', 'DK', 'DKKK', 'EURO', 'kr', '€', ' DKK', 'DKK '],
		...['DKK\n', 'XXX', 'ZZZ', '208', 208, true, {}, ['DKK'], 'ДKK', 'ＤＫＫ', 'toString'],
	],
	customFields: [
		...['{', '[]', '[{}]', '"x"', '5', 'null', 'true', 5, true, [], [{}]],
		...['{"amount":1}', '{"x":1,"referenceNumber":"A"}', { currency: 'EUR' }, { metadata: {} }],
		...[{ webhookUrl: null }, { description: '' }, '{"am\\u006funt":1}', "{'a':1}", '{"a":1}{}'],
	],
	description: noText,
	metadata: [
		...['{', '{"a":1', '[]', '[{}]', '"x"', '5', 'null', 'true', 5, true],
		...[[], [{}], NaN, "{'a':1}", '{a:1}', '{"a":1}{}', '{"a":NaN}', '[object Object]'],
	],
	mockPayment: [true, false, 1, 'True', 'TRUE', ' true', 'no', 'delay ', {}],
	webhookUrl: [
		...[5, true, {}, [], 'shop.example', '/hook', '//shop.example/hook'],
		...['ftp://shop.example', 'javascript:alert(1)', 'file:///etc/passwd', 'https:', 'https://'],
		...['http:shop.example', 'https:/shop.example', 'https:///hook', 'https://?a', 'http://a b'],
		...[' https://shop.example', 'https://shop.example ', 'https://shop.example\n', 'http://['],
		...[
			'https://a:99999',
			'https://a:b',
			'http://256.256.256.256',
			'https://a\u0000b',
			'httpsx://a',
		],
	],
	paymentId: [
		...[
			...nothing,
			...noText,
			'.',
			'..',
			' .. ',
			'/',
			'a/b',
			'../payments',
			'a\\b',
			'..\\a',
			'a?b=c',
		],
		...['a#b', 'a b', 'a\tb', 'a\nb', 'a\r\nb', 'a\u0000b', '%2e%2e', 'a%2Fb', '%', 'a\u2028b'],
		...['\ud800', 'pay_\udc00'],
	],
	merchantOfGet: [undefined, '', ' ', 'a\nb', {}],
	timeout: [0, -1, 1.5, 600_001, 1e9, NaN, Infinity, '1 000', '1e3', '600001', true, {}],
};

const fieldsAndValues = Object.entries(bad).flatMap(([key, values]) =>
	values.map((value) => ({ key: key as keyof typeof field, value, shown: inspect(value) })),
);

describe('a bad input', () => {
	it.each(fieldsAndValues)('$key $shown: nothing is sent', async ({ key, value }) => {
		const execution = await runWith(field[key], value);

		expect(execution.error).toMatchObject({
			name: 'NodeOperationError',
			message: expect.stringMatching(
				new RegExp(`^${field[key].name} (must|may) .* \\[item 1\\]$`, 's'),
			),
			context: { itemIndex: 1, outcome: 'invalid' },
		});
		expect(sandbox.requests).toEqual([]);
	});

	it.each([
		['0, which is no amount', 'amount', 0, 'but is 0 [item 1]'],
		['149,99 in Danish', 'amount', '149,99', 'but is "149,99" [item 1]'],
		['NaN', 'amount', NaN, 'but is NaN [item 1]'],
		['an object', 'metadata', [1], 'but is [1] [item 1]'],
		['a boolean', 'mockPayment', true, 'but is true [item 1]'],
		['a long text, cut short', 'currency', 'x'.repeat(999), `but is "${'x'.repeat(58)}… [item 1]`],
		['a line break, as JSON', 'merchant', 'a\nb', 'but is "a\\nb" [item 1]'],
		[
			'the names of ours in custom fields',
			'customFields',
			'{"amount":1,"metadata":{}}',
			'contain amount, metadata:',
		],
	] as const)('is shown: %s', async (_what, key, value, words) => {
		const execution = await runWith(field[key], value);
		expect(execution.error!.message).toContain(words);
	});

	it.each(['merchant', 'reference', 'paymentId'] as const)(
		'that is NaN is not called too large: %s',
		async (key) => {
			const execution = await runWith(field[key], NaN);
			expect(execution.error!.message).toContain('must be text');
			expect(execution.error!.message).not.toContain('too large');
		},
	);

	it.each([
		['empty', { merchantId: '', referenceNumber: '' }],
		['missing', { merchantId: undefined, referenceNumber: undefined }],
	])('in a required field that is %s is refused by n8n itself', async (_what, fields) => {
		const engine = await engineOf();
		const parameters = create(fields as INodeParameters);
		const execution = await engine.runNode({ node: { parameters } });

		expect(execution.error!.message).toContain('Parameter "Merchant ID" is required');
		expect(execution.error!.message).toContain('Parameter "Reference Number" is required');
		expect(sandbox.requests).toEqual([]);
	});

	it('in the last of many items keeps all of them back', async () => {
		const engine = await engineOf();
		const items = [...orders(40), { ...orders(1)[0], amount: 0.001 }];
		const execution = await engine.runNode({ node: { parameters: create() }, items });

		expect(execution.error!.message).toContain('[item 40]');
		expect(sandbox.requests).toEqual([]);
	});

	it.each([0, 1.5, 1001, '10.5', '1e2', '1001'])(
		'as Max Concurrency is refused: %p',
		async (value) => {
			const engine = await engineOf();
			const parameters = create({ options: { maxConcurrency: `={{ ${JSON.stringify(value)} }}` } });
			const execution = await engine.runNode({ node: { parameters }, items: orders(1) });

			expect(execution.error).toMatchObject({
				name: 'NodeOperationError',
				message: expect.stringMatching(/^Max Concurrency must .* \[item 0\]$/),
			});
			expect(sandbox.requests).toEqual([]);
		},
	);
});

describe('an odd input that is good', () => {
	it.each<[keyof typeof field, unknown, object]>([
		['amount', 3 * 49.95, { amount: 149.85 }],
		['amount', 0.1 + 0.2, { amount: 0.3 }],
		['amount', 1.1 * 3, { amount: 3.3 }],
		['amount', 4.35 * 100, { amount: 435 }],
		['amount', 0.01, { amount: 0.01 }],
		['amount', 0.01 - 1e-9, { amount: 0.01 }],
		['amount', 1e6, { amount: 1_000_000 }],
		['amount', 1e9 + 0.01, { amount: 1_000_000_000.01 }],
		['amount', '149', { amount: 149 }],
		['amount', '149.9', { amount: 149.9 }],
		['amount', '149.99', { amount: 149.99 }],
		['amount', '0.01', { amount: 0.01 }],
		['amount', '0.10', { amount: 0.1 }],
		['reference', 0, { referenceNumber: '0' }],
		['reference', -1.5, { referenceNumber: '-1.5' }],
		['reference', 'a\nb', { referenceNumber: 'a\nb' }],
		['reference', 'x'.repeat(5000), { referenceNumber: 'x'.repeat(5000) }],
		['currency', 'XCG', { currency: 'XCG' }],
		['metadata', '  { } ', { metadata: {} }],
		['metadata', { toString: 1, '': [] }, { metadata: { toString: 1, '': [] } }],
		['customFields', { toString: 1, amounts: [] }, { toString: 1, amounts: [] }],
		['webhookUrl', 'HTTP://LOCALHOST:3000', { webhookUrl: 'HTTP://LOCALHOST:3000' }],
		[
			'webhookUrl',
			'https://user:pw@[::1]:1/æ?ø#å',
			{ webhookUrl: 'https://user:pw@[::1]:1/æ?ø#å' },
		],
		['timeout', 600_000, {}],
		...(
			['currency', 'customFields', 'metadata', 'mockPayment', 'webhookUrl', 'timeout'] as const
		).flatMap((key) => nothing.map((value): [typeof key, unknown, object] => [key, value, {}])),
		...nothing.map((value): ['description', unknown, object] => ['description', value, {}]),
		['customFields', {}, {}],
	])('%s %j is sent', async (key, value, expected) => {
		const execution = await runWith(field[key], value);

		expect(execution.error).toBeUndefined();
		const bodies = paymentRequests(sandbox).map(({ headers, body }) => ({
			merchant: headers['x-merchant-client-id'],
			body,
		}));
		const { amount, reference: referenceNumber } = orders(2)[1];
		expect(bodies.find(({ merchant }) => merchant === 'merchant_1')!.body).toStrictEqual({
			amount,
			referenceNumber,
			...expected,
		});
	});

	it.each([
		[' merchant_7 ', 'merchant_7'],
		[7, '7'],
		['a b;c,d=~', 'a b;c,d=~'],
	])('merchant %j is sent', async (merchant, header) => {
		await runWith(field.merchant, merchant);
		const merchants = paymentRequests(sandbox).map(
			({ headers }) => headers['x-merchant-client-id'],
		);
		expect(merchants.sort()).toEqual([header, 'm', 'm'].sort());
	});
});

describe('an expression that was typed into a fixed field', () => {
	it.each<[string, INodeParameters]>([
		['Merchant ID', create({ merchantId: '{{ $json.merchant }}' })],
		['Amount', create({ amount: '{{ $json.amount }}' })],
		['Reference Number', create({ referenceNumber: 'No. {{ $json.reference }}' })],
		['Webhook URL', create({ additionalFields: { webhookUrl: '{{ $execution.resumeUrl }}' } })],
		['Description', create({ additionalFields: { description: 'For {{ $json.name }}' } })],
		['Payment ID', get({ paymentId: '{{ $json.id }}' })],
	])('%s: the error says to switch the field to Expression', async (name, parameters) => {
		const engine = await engineOf();
		const { error } = await engine.runNode({ node: { parameters }, items: orders(2) });
		expect(error).toMatchObject({
			name: 'NodeOperationError',
			message: expect.stringMatching(
				new RegExp(`^${name} must not be the text ".*{{.*\\[item 0\\]$`),
			),
			description: expect.stringContaining("'Expression'"),
		});
		expect(sandbox.requests).toEqual([]);
	});

	it('in JSON that can not be read: the advice says so too', async () => {
		const engine = await engineOf();
		const parameters = create({ additionalFields: { metadata: '{ "a": {{ $json.a }} }' } });
		const { error } = await engine.runNode({ node: { parameters }, items: orders(1) });
		expect(error!.description).toContain("'Expression'");
	});

	it('what an expression takes from an item may hold braces', async () => {
		const engine = await engineOf();
		const items = [{ ...orders(1)[0], reference: '{{ A }}' }];
		const { status } = await engine.runNode({ node: { parameters: create() }, items });
		expect(status).toBe('success');
		expect(sandbox.payments).toMatchObject([{ referenceNumber: '{{ A }}' }]);
	});
});

describe('mock payment in production', () => {
	it.each([
		['', { environment: 'production' }],
		[
			', named as a custom base URL',
			{ environment: 'custom', baseUrl: 'https://API.acountpay.com:443/' },
		],
	])('is refused, whatever its value%s', async (_what, changes) => {
		const engine = await engineOf(changes);
		const parameters = create({ additionalFields: { mockPayment: 'fail' } });
		const execution = await engine.runNode({ node: { parameters }, items: orders(2) });

		expect(execution.error).toMatchObject({
			name: 'NodeOperationError',
			message: expect.stringMatching(/^Mock Payment must not .* production.* \[item 0\]$/),
			description: expect.stringContaining('Additional Fields'),
		});
	});
});

/*
 * Most of these reach the sandbox when they are not refused: 0.0.0.0 and the other spellings are this machine too.
 */
describe('a custom base URL', () => {
	const urls: Array<[what: string, edit: (port: string) => unknown]> = [
		['nothing', () => ''],
		['spaces', () => '  '],
		['null', () => null],
		['a number', (port) => Number(port)],
		['no protocol', (port) => `127.0.0.1:${port}`],
		['no protocol but slashes', (port) => `//127.0.0.1:${port}`],
		['another protocol', () => 'ftp://localhost'],
		['a file', () => 'file:///etc/passwd'],
		['https and nothing else', () => 'https://'],
		['http to another host', () => 'http://acountpay.example'],
		['http to all interfaces', (port) => `http://0.0.0.0:${port}`],
		['http to a short form of loopback', (port) => `http://127.1:${port}`],
		['http to loopback as one number', (port) => `http://2130706433:${port}`],
		['http to loopback in hex', (port) => `http://0x7f.0.0.1:${port}`],
		['http to loopback mapped to IPv6', (port) => `http://[::ffff:127.0.0.1]:${port}`],
		['http to a name that begins like loopback', (port) => `http://127.0.0.1.evil.example:${port}`],
		['http to a name that begins with localhost', () => 'http://localhost.evil.example'],
		['http to a host behind a user', (port) => `http://localhost@0.0.0.0:${port}`],
		['http to a host behind user and password', (port) => `http://localhost:80@0.0.0.0:${port}`],
		['https to a host behind a user', () => 'https://api.acountpay.com@evil.example'],
		['a user', (port) => `http://user:pw@127.0.0.1:${port}`],
		['a query', (port) => `http://127.0.0.1:${port}?x=`],
		['a query behind a path', (port) => `http://127.0.0.1:${port}/a?x=`],
		['a fragment', (port) => `http://127.0.0.1:${port}#`],
		['a backslash', (port) => `http://127.0.0.1:${port}\\@evil.example`],
		['a line break', (port) => `http://127.0.0.1:${port}/a\n/b`],
		['a line break before a host', (port) => `https://\nhttp://0.0.0.0:${port}`],
		['a space', (port) => `http://127.0.0.1:${port}/a b`],
		['a good URL in front of another', (port) => `https://a.example http://0.0.0.0:${port}`],
		['an environment of no such name', (port) => `http://0.0.0.0:${port}`],
	];

	it.each(urls)('with %s is refused, in a run and in the dialog', async (what, edit) => {
		const baseUrl = edit(new URL(sandbox.url).port) as string;
		const environment = what.startsWith('an environment') ? 'staging' : 'custom';
		const engine = await engineFor(sandbox, { baseUrl, environment });
		const execution = await engine.runNode({ node: { parameters: create() }, items: orders(2) });
		expect(execution.error).toMatchObject({
			name: 'NodeOperationError',
			message: expect.stringMatching(
				/^Base URL .*'AcountPay account'.* must .*https.* \[item 0\]$/,
			),
		});

		expect(await engine.testCredential()).toEqual({
			status: 'Error',
			message: expect.stringContaining('base-url-must-start-with-https-or-be-http-on-localhost'),
		});
		expect(sandbox.requests).toEqual([]);
	});
});
