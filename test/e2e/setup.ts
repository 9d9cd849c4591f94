import type { Config } from 'jest';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { SCREENSHOTS_DIR } from '../../tools/n8n/editor';
import { startN8n } from '../../tools/n8n/server';
import { ensureN8n, type N8nInstallation } from '../../tools/n8n/setup';
import { packPackage } from '../../tools/package';
import { LOOK_OFTEN, publish, type SharedN8n } from '../kit/n8n';
import { testedVersion } from './promises';

/** Each takes half a GB of memory, and most of a core while it starts. */
const MOST_SERVERS = 2;

/** Starts an n8n whose log the tests can read. What it started is ended by the functions added to `ends`. */
async function startShared(
	n8n: N8nInstallation,
	packageTarball: string,
	ends: Array<() => Promise<void> | void>,
): Promise<SharedN8n> {
	const folder = mkdtempSync(join(tmpdir(), 'n8n-log-'));
	ends.push(() => rmSync(folder, { recursive: true }));
	const logFile = join(folder, 'n8n.log');
	writeFileSync(logFile, '');
	const log = (text: string) => appendFileSync(logFile, text);
	const { stop, url, api, userFolder } = await startN8n({
		n8n,
		packageTarball,
		log,
		env: LOOK_OFTEN,
	});
	ends.push(stop);
	return { logFile, url, cookie: api.cookie, userFolder };
}

/**
 * Starts an n8n for each of jest's processes, with the packed package installed in it. jest runs this once, when end-to-end
 * tests are to be run.
 *
 * @returns nothing; what ends it is left for `teardown.ts`
 */
export default async function setup({ maxWorkers }: Config): Promise<void> {
	const n8n = await ensureN8n({ version: testedVersion() });
	const packageTarball = await packPackage();
	rmSync(SCREENSHOTS_DIR, { recursive: true, force: true });
	const ends: Array<() => Promise<void> | void> = [
		() => rmSync(dirname(packageTarball), { recursive: true }),
	];
	globalThis.endSharedN8n = async () => {
		for (const end of ends.reverse()) await end();
	};
	const count = Math.min(Number(maxWorkers), MOST_SERVERS);
	const starts = Array.from({ length: count }, () => startShared(n8n, packageTarball, ends));
	const started = await Promise.allSettled(starts);
	const failed = started.find((one) => one.status === 'rejected');
	if (failed) {
		await globalThis.endSharedN8n();
		throw failed.reason as Error;
	}
	publish({ n8n, packageTarball, servers: await Promise.all(starts) });
}
