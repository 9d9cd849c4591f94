import axios from 'axios';
import { join } from 'node:path';

import type { Keys } from '../sandbox';
import { baseEnvironment, startNode, whenReady, type Child } from '../tools/child';
import { GATE_PATH, type GateRecord, type GateSettings } from './gate';

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
		readonly keys: Keys,
	) {}

	/** @throws Error with what it printed when it does not start */
	static async start(): Promise<SandboxProcess> {
		const program = join(__dirname, 'sandbox.ts');
		const child = startNode(['--require', require.resolve('tsx/cjs'), program], {
			cwd: join(__dirname, '..'),
			env: baseEnvironment(),
		});
		const isReady = () => child.stdout().endsWith('\n');
		try {
			await whenReady('The sandbox', child, isReady, START_TIMEOUT_MS);
		} catch (error) {
			await child.stop(0);
			throw error;
		}
		const { url, clientId, clientSecret, keys } = JSON.parse(child.stdout()) as SandboxProcess;
		return new SandboxProcess(child, url, clientId, clientSecret, keys);
	}

	/** Forgets payments and counts, sets latency, rate limit and breakdown, and begins a new record. Tokens stay good. */
	async prepare(settings: GateSettings): Promise<void> {
		await axios.post(`${this.url}/_sandbox/reset`, undefined, { proxy: false });
		await axios.put(this.url + GATE_PATH, settings, { proxy: false });
	}

	/** What the gate saw since {@link prepare}. */
	async gateRecord(): Promise<GateRecord> {
		return (await axios.get<GateRecord>(this.url + GATE_PATH, { proxy: false })).data;
	}

	async stop(): Promise<void> {
		await this.child.stop(0);
	}
}
