/* eslint-disable @n8n/community-nodes/no-restricted-imports, @n8n/community-nodes/no-restricted-globals -- runs outside n8n */
import { readFileSync } from 'node:fs';

import type { IDataObject } from 'n8n-workflow';

import { itemsOf, N8nApi, type Execution } from '../../tools/n8n/api';
import { runN8nCommand, startN8n, type N8n, type StartN8nOptions } from '../../tools/n8n/server';
import type { N8nInstallation } from '../../tools/n8n/setup';

/** What the tests' processes are told of the n8n that `setup.ts` started. */
interface Shared {
	n8n: N8nInstallation;
	packageTarball: string;
	logFile: string;
	url: string;
	cookie: string;
	userFolder: string;
}

const VARIABLE = 'SHARED_N8N';

/** Tells the tests of the shared n8n, in whatever process they run. */
export const publish = (shared: Shared) => {
	process.env[VARIABLE] = JSON.stringify(shared);
};

const shared = (): Shared => {
	const text = process.env[VARIABLE];
	if (!text) throw new Error('No n8n was started: test/e2e/setup.ts has to be the globalSetup');
	return JSON.parse(text) as Shared;
};

/** The n8n that all end-to-end tests share. Only for tests that leave it running. */
export function sharedN8n() {
	const { n8n, url, cookie, logFile, userFolder } = shared();
	return {
		api: new N8nApi(url, cookie),
		/** All that n8n printed so far. */
		log: () => readFileSync(logFile, 'utf8'),
		/** An `n8n` command on the same data; see {@link runN8nCommand}. */
		cli: async (...args: string[]) => await runN8nCommand(n8n, userFolder, ...args),
	};
}

/** Another n8n with the same package, for tests that restart it or need other settings. The caller stops it. */
export async function startOwnN8n(
	options: Omit<StartN8nOptions, 'n8n' | 'packageTarball'> = {},
): Promise<N8n> {
	const { n8n, packageTarball } = shared();
	return await startN8n({ n8n, packageTarball, ...options });
}

/** The JSON of the items that the node handed on. */
export const answers = (execution: Execution): IDataObject[] =>
	itemsOf(execution, 'AcountPay').map(({ json }) => json);
