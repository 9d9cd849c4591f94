import axios from 'axios';
import { join } from 'node:path';

import type { Sandbox } from '../sandbox';
import { baseEnvironment, startNode, whenReady } from '../tools/child';
import { GATE_PATH, type GateRecord, type GateSettings } from './gate';

const PROGRAM = join(__dirname, 'sandbox.ts');
const START_TIMEOUT_MS = 30_000;

/**
 * Starts an AcountPay sandbox in a process of its own, so that its CPU time is nobody else's.
 *
 * @param cleanUp ends it
 * @throws Error with what it printed when it does not start
 */
export async function startSandboxProcess(cleanUp: AsyncDisposableStack) {
	const child = startNode(['--require', require.resolve('tsx/cjs'), PROGRAM], {
		cwd: __dirname,
		env: baseEnvironment(),
	});
	cleanUp.defer(async () => await child.stop(0));
	await whenReady('The sandbox', child, () => child.stdout().endsWith('\n'), START_TIMEOUT_MS);
	const access = JSON.parse(child.stdout()) as Pick<Sandbox, 'url' | 'credentials' | 'keys'>;
	const http = axios.create({ baseURL: access.url, proxy: false });
	return {
		...access,
		/** Forgets payments and counts, sets latency, rate limit and breakdown, and begins a new record. Tokens stay good. */
		async prepare(settings: GateSettings): Promise<void> {
			await http.post('/_sandbox/reset');
			await http.put(GATE_PATH, settings);
		},
		/** What the gate saw since it was prepared. */
		gateRecord: async () => (await http.get<GateRecord>(GATE_PATH)).data,
	};
}
export type SandboxProcess = Awaited<ReturnType<typeof startSandboxProcess>>;
