import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { IDataObject } from 'n8n-workflow';

import { itemsOf, N8nApi, type Execution } from '../../tools/n8n/api';
import { runN8nCommand, startN8n, type N8n, type StartN8nOptions } from '../../tools/n8n/server';
import type { N8nInstallation } from '../../tools/n8n/setup';
import { presentOf } from './payments';

/** An n8n that `setup.ts` started. */
export interface SharedN8n {
	logFile: string;
	url: string;
	cookie: string;
	userFolder: string;
}

/** Has n8n go on with what has waited long enough within two seconds, and not within a minute. */
export const LOOK_OFTEN = {
	NODE_OPTIONS: `--require ${JSON.stringify(join(__dirname, 'lookOften.cjs'))}`,
};

/** What the tests' processes are told. */
interface Shared {
	n8n: N8nInstallation;
	packageTarball: string;
	/** One for each process of jest's, so that no two test files use the same at the same time. */
	servers: SharedN8n[];
}

const VARIABLE = 'SHARED_N8N';

/** Tells the tests of the shared servers, in whatever process they run. */
export const publish = (shared: Shared) => {
	process.env[VARIABLE] = JSON.stringify(shared);
};

const shared = (): Shared => {
	const text = process.env[VARIABLE];
	if (!text) throw new Error('No n8n was started: test/e2e/setup.ts has to be the globalSetup');
	return JSON.parse(text) as Shared;
};

/**
 * The n8n that the end-to-end tests of this process share. Only for tests that leave it running.
 *
 * @throws Error when jest runs more test files at once than `setup.ts` has started servers for
 */
export function sharedN8n() {
	const { n8n, servers } = shared();
	const server = servers[Number(process.env.JEST_WORKER_ID) - 1];
	if (!server) throw new Error(`Run end-to-end tests with --maxWorkers=${servers.length} at most`);
	const { url, cookie, logFile, userFolder } = server;
	return {
		api: new N8nApi(url, cookie),
		/** All that n8n printed so far. */
		log: () => readFileSync(logFile, 'utf8'),
		/** All that n8n has stored in its database, as text. */
		database: () =>
			readdirSync(join(userFolder, '.n8n'))
				.filter((name) => name.startsWith('database.sqlite'))
				.map((name) => readFileSync(join(userFolder, '.n8n', name), 'latin1'))
				.join(),
		/** An `n8n` command on the same data; see {@link runN8nCommand}. */
		cli: async (...args: string[]) => await runN8nCommand(n8n, userFolder, ...args),
	};
}

/** The package as it is packed today, which {@link sharedN8n} has installed. */
export const packedPackage = (): string => shared().packageTarball;

/**
 * Another n8n with {@link packedPackage}, or with the package that the options name, for tests that restart it or need other
 * settings. It has no editor unless it is asked for. The caller stops it.
 */
export async function startOwnN8n(
	options: Partial<Omit<StartN8nOptions, 'n8n'>> = {},
): Promise<N8n> {
	const { n8n, packageTarball } = shared();
	return await startN8n({ n8n, packageTarball, hasEditor: false, env: LOOK_OFTEN, ...options });
}

/** {@link startOwnN8n} for the tests of a file. */
export function useOwnN8n(): N8n {
	const holder: { n8n?: N8n } = {};
	beforeAll(async () => {
		holder.n8n = await startOwnN8n();
	});
	afterAll(async () => await holder.n8n?.stop());
	return presentOf(() => holder.n8n!);
}

/** The JSON of the items that the node handed on. */
export const answers = (execution: Execution): IDataObject[] =>
	itemsOf(execution, 'AcountPay').map(({ json }) => json);
