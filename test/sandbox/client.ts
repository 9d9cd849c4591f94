import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import axios, { type AxiosInstance, type AxiosResponse } from 'axios';

import { KEY_MERCHANTS, type Sandbox } from '../../sandbox';

/** Answers come as they are: no status throws, no redirect is followed, no proxy is asked. */
export const http: AxiosInstance = axios.create({
	maxRedirects: 0,
	proxy: false,
	validateStatus: () => true,
});

/** The documented token request, with `changes` to its form. */
export async function askToken(
	{ url, credentials }: Sandbox,
	changes: Record<string, string> = {},
): Promise<AxiosResponse> {
	const form = new URLSearchParams({
		grant_type: 'client_credentials',
		client_id: credentials.clientId,
		client_secret: credentials.clientSecret,
		...changes,
	});
	return await http.post(`${url}/oauth/token`, form);
}

/** A partner that has its token and works for one merchant. */
export async function partnerOf(sandbox: Sandbox, merchant = 'merchant_abc123') {
	const token = (await askToken(sandbox)).data.access_token as string;
	const headers = { Authorization: `Bearer ${token}`, 'X-Merchant-Client-Id': merchant };
	const base = `${sandbox.url}/v1/partner/payments`;
	return {
		token,
		create: async (body: object = {}, more: Record<string, string> = {}, timeout = 0) =>
			await http.post(
				base,
				{ amount: 149.99, referenceNumber: 'ORDER-123', ...body },
				{ headers: { ...headers, ...more }, timeout },
			),
		get: async (id: string | number, more: Record<string, string> = {}) =>
			await http.get(`${base}/${id}`, { headers: { ...headers, ...more } }),
		qr: async (id: string | number) =>
			await http.get<Buffer>(`${base}/${id}/qr`, { headers, responseType: 'arraybuffer' }),
	};
}

/** A partner that has keys. Paths are below `/v1/partner`. */
export function keyPartnerOf({ url, keys }: Sandbox, more: Record<string, string> = {}) {
	const headers = {
		'X-Partner-Client-Id': keys.clientId,
		'X-Partner-Client-Secret': keys.clientSecret,
		...more,
	};
	const call = async (method: string, path: string, data?: unknown, timeout = 0) =>
		await http.request({ method, url: `${url}/v1/partner${path}`, data, headers, timeout });
	return {
		call,
		create: async (body: object = {}, timeout = 0) =>
			await call(
				'post',
				'/payments',
				{
					merchantClientId: KEY_MERCHANTS.shop.clientId,
					amount: 149.99,
					referenceNumber: 'ORDER-123',
					...body,
				},
				timeout,
			),
		list: async (query: Record<string, string | number> = {}) =>
			await call('get', `/payments?${new URLSearchParams(query as Record<string, string>)}`),
		status: async (id: string | number) => await call('get', `/payments/${id}/status`),
	};
}

/** What a receiver of webhooks got. */
export interface Received {
	headers: IncomingHttpHeaders;
	rawBody: string;
	event: string;
}

/** A receiver of webhooks that answers with the statuses given, then 200; `null` never answers. */
export async function startReceiver(statuses: Array<number | null> = []) {
	const received: Received[] = [];
	const server: Server = createServer(async (request, response) => {
		const rawBody = await text(request);
		received.push({ headers: request.headers, rawBody, event: JSON.parse(rawBody).event });
		const status = statuses.length > 0 ? statuses.shift()! : 200;
		if (status !== null) response.writeHead(status, { location: '/elsewhere' }).end();
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
		received,
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
