import { setTimeout as sleep } from 'node:timers/promises';

import type { Contestant, NodeSettings } from './contestants';
import { createWithAxios, fetchToken } from './machineLimit';
import type { BenchWorkflow, N8nBench } from './n8nBench';
import type { Run, Trouble } from './results';
import type { SandboxProcess } from './sandboxProcess';
import { TROUBLE_ITEMS } from './settings';

const WARM_UP_ITEMS = 300;
/** The life of a token that is to end before the next run, in seconds. */
const SHORT_LIFE = 2;
/** The item that is refused. */
const REFUSED_REFERENCE = `ORDER-${TROUBLE_ITEMS / 2}`;

/** What one run took; the rest of a {@link Run} is what the sandbox saw. */
type Taken = Pick<Run, 'complete' | 'ms' | 'cpuMs' | 'peakMb' | 'grownMb'>;

/** Runs a contestant at one size, always with the credential it began with. */
type Runner = (items: number) => Promise<Taken>;

async function n8nRunner(bench: N8nBench): Promise<Runner> {
	const workflow = await bench.newWorkflow(await bench.newCredential());
	return async (items) => {
		const reading = await workflow.run(items);
		if (!reading) return { complete: false };
		const { items: handedOn, ...taken } = reading;
		return { complete: handedOn === items, ...taken };
	};
}

function axiosRunner(sandbox: SandboxProcess): Runner {
	let token: string | undefined;
	return async (items) => {
		token ??= await fetchToken(sandbox);
		return { complete: true, ...(await createWithAxios(sandbox, token, items)) };
	};
}

/** Every contestant's way of making payments, each with a new credential. */
async function runnersFor(
	benches: N8nBench[],
	sandbox: SandboxProcess,
): Promise<Array<[Contestant, Runner]>> {
	const runners: Array<[Contestant, Runner]> = [];
	for (const bench of benches) runners.push([bench.contestant, await n8nRunner(bench)]);
	return [...runners, ['axios', axiosRunner(sandbox)]];
}

/** Lets every contestant's code be compiled, as it is in an n8n that has run for a while. */
export async function warmUp(benches: N8nBench[], sandbox: SandboxProcess): Promise<void> {
	for (const [, runner] of await runnersFor(benches, sandbox)) await runner(WARM_UP_ITEMS);
}

/**
 * Runs all contestants at one size in turn: once with a new credential, then `rounds` times. Each round begins with
 * another of them, so that none always comes first.
 *
 * @param onRun gets each run as it ends
 */
export async function measureSize(
	benches: N8nBench[],
	sandbox: SandboxProcess,
	items: number,
	rounds: number,
	onRun: (run: Run) => void,
): Promise<Run[]> {
	const runners = await runnersFor(benches, sandbox);
	const runs: Run[] = [];
	for (let round = 0; round <= rounds; round++) {
		for (let turn = 0; turn < runners.length; turn++) {
			const [contestant, runner] = runners[(round + turn) % runners.length];
			await sandbox.reset();
			const taken = await runner(items);
			const traffic = await sandbox.traffic();
			const complete = taken.complete && traffic.made === items;
			const run: Run = { contestant, items, round, ...taken, ...traffic, complete };
			runs.push(run);
			onRun(run);
		}
	}
	return runs;
}

/** A new workflow whose credential has a token. */
async function signedIn(bench: N8nBench, settings?: NodeSettings): Promise<BenchWorkflow> {
	const credential = await bench.newCredential();
	await (await bench.newWorkflow(credential)).run(1);
	return await bench.newWorkflow(credential, settings);
}

async function endedToken(bench: N8nBench, sandbox: SandboxProcess) {
	await sandbox.endTokensAfter(SHORT_LIFE);
	const workflow = await signedIn(bench);
	await sleep(SHORT_LIFE * 1000);
	await sandbox.reset();
	await workflow.run(TROUBLE_ITEMS);
	const { tokens, refused } = await sandbox.traffic();
	return { tokens, refused };
}

async function oneRefused(bench: N8nBench, sandbox: SandboxProcess) {
	const workflow = await signedIn(bench);
	await sandbox.reset();
	await sandbox.refuseOnce(REFUSED_REFERENCE);
	await workflow.run(TROUBLE_ITEMS);
	const payments = await sandbox.payments();
	const stored = JSON.stringify((await workflow.storedExecution()).data);
	return {
		made: payments.length,
		named: payments.filter(({ id }) => stored.includes(String(id))).length,
	};
}

async function retried(bench: N8nBench, sandbox: SandboxProcess) {
	const workflow = await signedIn(bench, { node: { retryOnFail: true, maxTries: 3 } });
	await sandbox.reset();
	await sandbox.refuseOnce(REFUSED_REFERENCE);
	await workflow.run(TROUBLE_ITEMS);
	return { made: (await sandbox.traffic()).made };
}

/** What comes of {@link TROUBLE_ITEMS} items when something goes wrong. */
export async function measureTrouble(bench: N8nBench, sandbox: SandboxProcess): Promise<Trouble> {
	return {
		contestant: bench.contestant,
		tokenEnded: await endedToken(bench, sandbox),
		oneRefused: await oneRefused(bench, sandbox),
		retried: await retried(bench, sandbox),
	};
}
