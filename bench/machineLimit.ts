import axios from 'axios';
import { performance } from 'node:perf_hooks';

import type { SandboxProcess } from './sandboxProcess';
import { CONCURRENCY } from './settings';

/** A token from the sandbox. */
export async function fetchToken({ url, clientId, clientSecret }: SandboxProcess): Promise<string> {
	const form = new URLSearchParams({
		grant_type: 'client_credentials',
		client_id: clientId,
		client_secret: clientSecret,
	});
	const { data } = await axios.post<{ access_token: string }>(`${url}/oauth/token`, form, {
		proxy: false,
	});
	return data.access_token;
}

/**
 * Creates payments with axios alone, in this process: what the machine can do.
 *
 * @returns how long that took, and this process's CPU time, in ms
 */
export async function createWithAxios(
	{ url }: SandboxProcess,
	token: string,
	count: number,
): Promise<{ ms: number; cpuMs: number }> {
	const client = axios.create({
		baseURL: url,
		proxy: false,
		headers: { Authorization: `Bearer ${token}` },
	});
	const payments: unknown[] = [];
	let next = 0;
	const worker = async () => {
		while (next < count) {
			const item = next++;
			const { data } = await client.post<unknown>(
				'/v1/partner/payments',
				{ amount: (10_000 + item) / 100, referenceNumber: `ORDER-${item}` },
				{ headers: { 'X-Merchant-Client-Id': `merchant_${item % 7}` } },
			);
			payments[item] = data;
		}
	};
	const startedAt = performance.now();
	const cpuAtStart = process.cpuUsage();
	await Promise.all(Array.from({ length: CONCURRENCY }, worker));
	const { user, system } = process.cpuUsage(cpuAtStart);
	return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}
