/* eslint-disable @n8n/community-nodes/no-restricted-imports, @n8n/community-nodes/no-restricted-globals, @n8n/community-nodes/require-node-api-error -- runs outside n8n */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { startN8n } from '../../tools/n8n/server';
import { ensureN8n } from '../../tools/n8n/setup';
import { packPackage } from '../../tools/package';
import { publish } from '../kit/n8n';
import { testedVersion } from './promises';

/**
 * Starts the n8n that all end-to-end tests share, with the packed package installed in it. jest runs
 * this once, when end-to-end tests are to be run.
 *
 * @returns nothing; what ends it is left for `teardown.ts`
 */
export default async function setup(): Promise<void> {
	const n8n = await ensureN8n({ version: testedVersion() });
	const packageTarball = await packPackage();
	const folder = mkdtempSync(join(tmpdir(), 'n8n-log-'));
	const logFile = join(folder, 'n8n.log');
	writeFileSync(logFile, '');
	const removeFolders = () => {
		for (const path of [folder, dirname(packageTarball)]) rmSync(path, { recursive: true });
	};
	try {
		const running = await startN8n({
			n8n,
			packageTarball,
			log: (text) => appendFileSync(logFile, text),
		});
		publish({
			n8n,
			packageTarball,
			logFile,
			url: running.url,
			cookie: running.api.cookie,
			userFolder: running.userFolder,
		});
		globalThis.endSharedN8n = async () => {
			await running.stop();
			removeFolders();
		};
	} catch (error) {
		removeFolders();
		throw error;
	}
}
