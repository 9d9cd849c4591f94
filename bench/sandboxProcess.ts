import axios from 'axios';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Fault, Payment, Sandbox } from '../sandbox';
import { baseEnvironment, startNode, type Child } from '../tools/child';
import type { GateRecord, GateSettings } from './gate';

const START_TIMEOUT_MS = 30_000;

/** What came to the sandbox since the last {@link SandboxProcess.reset}. */
export interface Traffic {
	/** Requests for a token. */
	tokens: number;
	/** Payments made. */
	made: number;
	/** Requests for a payment that made none. */
	refused: number;
}

/** An AcountPay sandbox in a process of its own, so that its CPU time is nobody else's. */
export class SandboxProcess {
	private constructor(
		private readonly child: Child,
		/** Its address, without a slash at the end. */
		readonly url: string,
		readonly clientId: string,
		readonly clientSecret: string,
		/** Of the API with keys. */
		readonly keys: Pick<Sandbox['keys'], 'clientId' | 'clientSecret'>,
	) {}

	/**
	 * @param isGated whether {@link setGate} can be used; the sandbox then has no latency of its own
	 * @throws Error with what it printed when it does not start
	 */
	static async start(isGated = false): Promise<SandboxProcess> {
		const program = join(__dirname, 'sandbox.ts');
		const child = startNode(
			['--require', require.resolve('tsx/cjs'), program, ...(isGated ? ['--gate'] : [])],
			{ cwd: join(__dirname, '..'), env: baseEnvironment() },
		);
		const until = Date.now() + START_TIMEOUT_MS;
		while (!child.stdout().endsWith('\n')) {
			if (!child.running() || Date.now() > until) {
				await child.stop(0);
				throw new Error(`The sandbox did not start:\n${child.output()}`);
			}
			await sleep(50);
		}
		const { url, clientId, clientSecret, keys } = JSON.parse(child.stdout()) as SandboxProcess;
		return new SandboxProcess(child, url, clientId, clientSecret, keys);
	}

	/** Forgets payments, counts and faults, and takes back {@link endTokensAfter}. Tokens stay good. */
	async reset(): Promise<void> {
		await this.control('POST', 'reset');
	}

	/** Refuses the next request for the payment with this reference, once. */
	async refuseOnce(reference: string): Promise<void> {
		const fault: Fault = { match: { endpoint: 'create', reference }, status: 422 };
		await this.control('POST', 'faults', fault);
	}

	/** Gives tokens that live this many seconds, until {@link reset}. */
	async endTokensAfter(expiresIn: number): Promise<void> {
		await this.control('PATCH', 'settings', { expiresIn });
	}

	/** Sets distance, rate limit and breakdown, and begins a new record. */
	async setGate(settings: GateSettings): Promise<void> {
		await axios.put(`${this.url}/_gate`, settings, { proxy: false });
	}

	/** What the gate saw since {@link setGate}. */
	async gateRecord(): Promise<GateRecord> {
		return (await axios.get<GateRecord>(`${this.url}/_gate`, { proxy: false })).data;
	}

	async traffic(): Promise<Traffic> {
		const { counts } = await this.control<{ counts: Record<string, number> }>('GET', 'counts');
		const sum = (fits: (end: string) => boolean) =>
			Object.entries(counts)
				.filter(([end]) => fits(end))
				.reduce((total, [, count]) => total + count, 0);
		return {
			tokens: sum((end) => end.startsWith('token ')),
			made: sum((end) => end === 'create 201'),
			refused: sum((end) => end.startsWith('create ') && end !== 'create 201'),
		};
	}

	async payments(): Promise<Payment[]> {
		return await this.control('GET', 'payments');
	}

	async stop(): Promise<void> {
		await this.child.stop(0);
	}

	private async control<T>(method: string, path: string, data?: object): Promise<T> {
		const url = `${this.url}/_sandbox/${path}`;
		return (await axios.request<T>({ method, url, data, proxy: false })).data;
	}
}
