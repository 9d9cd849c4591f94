import axios, { type AxiosRequestConfig } from 'axios';

import type { Sandbox } from '../../sandbox';

/** The fields of a payment's answer that tests look at. */
export interface PartnerPayment {
	id: string;
	paymentUrl: string;
}

/** Calls the sandbox as a partner does without n8n, with a token of its own. */
async function call<T>(
	{ url, credentials }: Sandbox,
	merchant: string,
	request: AxiosRequestConfig,
): Promise<T> {
	const form = new URLSearchParams({
		grant_type: 'client_credentials',
		client_id: credentials.clientId,
		client_secret: credentials.clientSecret,
	});
	const token = await axios.post(`${url}/oauth/token`, form, { proxy: false });
	const { data } = await axios.request<T>({
		...request,
		baseURL: `${url}/v1/partner/payments`,
		proxy: false,
		headers: {
			Authorization: `Bearer ${token.data.access_token}`,
			'X-Merchant-Client-Id': merchant,
		},
	});
	return data;
}

/**
 * Makes a payment.
 *
 * @param body `amount`, `referenceNumber` and what else a create may hold
 */
export const makePayment = async (sandbox: Sandbox, merchant: string, body: object) =>
	await call<PartnerPayment>(sandbox, merchant, { method: 'POST', url: '', data: body });

/** The image of a payment's QR code. */
export const readQrCode = async (sandbox: Sandbox, merchant: string, id: string | number) =>
	Buffer.from(
		await call<ArrayBuffer>(sandbox, merchant, {
			method: 'GET',
			url: `/${id}/qr`,
			responseType: 'arraybuffer',
		}),
	);
