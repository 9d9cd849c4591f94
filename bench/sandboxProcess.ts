import axios from 'axios';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Sandbox } from '../sandbox';
import { baseEnvironment, startNode, type Child } from '../tools/child';
import type { GateRecord, GateSettings } from './gate';

const START_TIMEOUT_MS = 30_000;

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

	/** @throws Error with what it printed when it does not start */
	static async start(): Promise<SandboxProcess> {
		const program = join(__dirname, 'sandbox.ts');
		const child = startNode(['--require', require.resolve('tsx/cjs'), program], {
			cwd: join(__dirname, '..'),
			env: baseEnvironment(),
		});
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

	/** Forgets payments, counts and faults. Tokens stay good. */
	async reset(): Promise<void> {
		await axios.post(`${this.url}/_sandbox/reset`, undefined, { proxy: false });
	}

	/** Sets latency, rate limit and breakdown, and begins a new record. */
	async setGate(settings: GateSettings): Promise<void> {
		await axios.put(`${this.url}/_gate`, settings, { proxy: false });
	}

	/** What the gate saw since {@link setGate}. */
	async gateRecord(): Promise<GateRecord> {
		return (await axios.get<GateRecord>(`${this.url}/_gate`, { proxy: false })).data;
	}

	async stop(): Promise<void> {
		await this.child.stop(0);
	}
}
