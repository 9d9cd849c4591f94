/**
 * What did not leave n8n, or got no further than a proxy, is 'unavailable' and may be sent again; only what may have
 * reached AcountPay is 'unknown'. With real sockets.
 */
import { spawn } from 'node:child_process';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { INodeParameters } from 'n8n-workflow';
import { onEnd, type Execution } from './harness';
import { engineFor, serve } from '../kit/engine';
import { create, orders, useSandbox } from '../kit/payments';
import { withToken } from './tokens';

const sandbox = useSandbox();

/** A TCP server on loopback until the end of the file. @returns its port */
async function listen(listener: (socket: Socket) => void): Promise<number> {
	const sockets = new Set<Socket>();
	const server = createServer((socket) => {
		sockets.add(socket.on('error', () => {}));
		listener(socket);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onEnd(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	return (server.address() as AddressInfo).port;
}

/** A port that takes no more connections: its process never accepts one, and the queue is full. Packets are dropped. */
async function fullPort(): Promise<number> {
	const program = `const server = require('node:net').createServer();
		server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
			require('node:fs').writeSync(1, String(server.address().port));
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
		});`;
	const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
	onEnd(() => child.kill('SIGKILL'));
	const port = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
	for (let isFull = false; !isFull; ) {
		const socket = connect(port, '127.0.0.1').on('error', () => {});
		onEnd(() => socket.destroy());
		isFull = await new Promise<boolean>((resolve) => {
			socket.once('connect', () => resolve(false));
			setTimeout(() => resolve(true), 500);
		});
	}
	return port;
}

async function createAt(
	baseUrl: string,
	more: INodeParameters = {},
	options: INodeParameters = { timeout: 400 },
): Promise<Execution> {
	const engine = await withToken(sandbox, baseUrl);
	return await engine.runNode({
		node: { parameters: create({ options, ...more }) },
		items: orders(1),
	});
}

const large = { additionalFields: { description: 'x'.repeat(20_000) } };

describe('nothing was sent', () => {
	it.each<[string, () => Promise<string>]>([
		['a full queue of connections', async () => `http://127.0.0.1:${await fullPort()}`],
		['a full queue, and TLS', async () => `https://127.0.0.1:${await fullPort()}`],
		['a closed port', async () => 'http://127.0.0.1:1'],
		[
			'a TLS handshake without a response',
			async () => `https://127.0.0.1:${await listen(() => {})}`,
		],
		[
			'garbage in the TLS handshake',
			async () =>
				`https://127.0.0.1:${await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))}`,
		],
		[
			'a reset in the TLS handshake',
			async () =>
				`https://127.0.0.1:${await listen((socket) => socket.once('data', () => socket.resetAndDestroy()))}`,
		],
	])('%s', async (_what, baseUrl) => {
		const { error } = await createAt(await baseUrl());
		expect(error).toMatchObject({
			message: expect.stringContaining('AcountPay could not be reached'),
			description: expect.stringContaining('Nothing was sent'),
			context: { outcome: 'unavailable', outcomesUnknown: [], notStarted: [{ itemIndex: 0 }] },
		});
	});
});

describe('it may have been sent', () => {
	it.each<[string, INodeParameters, () => Promise<string>]>([
		['a large body and no connection', large, async () => `http://127.0.0.1:${await fullPort()}`],
		['silence after the request', {}, async () => `http://127.0.0.1:${await listen(() => {})}`],
		[
			'a reset after the request',
			{},
			async () =>
				`http://127.0.0.1:${await listen((socket) => socket.once('data', () => socket.resetAndDestroy()))}`,
		],
	])('%s', async (_what, more, baseUrl) => {
		const { error } = await createAt(await baseUrl(), more);
		expect(error!.context).toMatchObject({
			outcome: 'unknown',
			outcomesUnknown: [{ itemIndex: 0 }],
		});
	});
});

describe('a proxy', () => {
	const page = '<html><h1>Access denied</h1></html>';
	const { HTTPS_PROXY } = process.env;
	afterEach(() => {
		if (HTTPS_PROXY === undefined) delete process.env.HTTPS_PROXY;
		else process.env.HTTPS_PROXY = HTTPS_PROXY;
	});

	/** Has n8n use a proxy that refuses every CONNECT. */
	async function refuseConnect(status: number) {
		const head = `HTTP/1.1 ${status} No\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\n\r\n`;
		const port = await listen((socket) => socket.once('data', () => socket.end(head + page)));
		process.env.HTTPS_PROXY = `http://127.0.0.1:${port}`;
	}

	it.each([400, 401, 403, 407, 429, 502, 503])('that answers CONNECT with %i', async (status) => {
		await refuseConnect(status);
		const { error } = await createAt('https://acountpay.example', {}, {});
		expect(error).toMatchObject({
			message: `A proxy between n8n and AcountPay refused the request for the payment with reference 'ORDER-0' (status ${status}) [item 0]`,
			description: expect.stringContaining('Check the proxy settings of n8n'),
			context: { outcome: 'unavailable', outcomesUnknown: [] },
		});
	});

	it.each([401, 403, 407])(
		'that answers CONNECT with %i when there is no token',
		async (status) => {
			await refuseConnect(status);
			const engine = await engineFor(sandbox, { baseUrl: 'https://acountpay.example' });
			const { error } = await engine.runNode({ node: { parameters: create() }, items: orders(1) });
			expect(error).toMatchObject({
				message: expect.stringContaining(
					`such as a proxy, refused the request (status ${status}) [item 0]`,
				),
				description: expect.stringContaining('Check the proxy settings of n8n'),
				context: { outcome: 'unavailable' },
			});
		},
	);

	it.each<[number, string, string]>([
		[407, 'A proxy between n8n and AcountPay refused', 'unavailable'],
		[403, 'A server between n8n and AcountPay, such as a proxy, refused', 'refused'],
		[503, 'may or may not exist', 'unknown'],
	])('without CONNECT that answers with %i', async (status, says, outcome) => {
		const url = await serve((_request, response) => {
			response.writeHead(status, { 'content-type': 'text/html' }).end(page);
		});
		const { error } = await createAt(url);
		expect(error).toMatchObject({
			message: expect.stringContaining(says),
			context: { outcome },
		});
	});
});
