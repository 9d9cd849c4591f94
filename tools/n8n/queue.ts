import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startNode, whenReady, type Child } from '../child';
import { freePorts } from '../ports';
import { POSTGRES_NAME, startPostgres, startRedis, type Service } from '../services';
import {
	installPackage,
	n8nEnvironment,
	START_TIMEOUT_MS,
	startN8n,
	STOP_TIMEOUT_MS,
	type N8n,
	type StartN8nOptions,
} from './server';

/** A process that runs the executions of a {@link Queue}. */
export interface Worker {
	/** All that it printed. */
	log(): string;
	/** The ids of the executions that it has begun, in order. A parked one that went on is there again. */
	begun(): string[];
	/** The ids of the executions that ended at it, failed ones too. Parked and stopped ones are not among them. */
	finished(): string[];
	/** Tells it to end, and waits until it has: it finishes what it runs. */
	stop(): Promise<void>;
	/** Ends it without a chance to finish or tidy up, as a crash of its machine does. */
	kill(): Promise<void>;
}

/** n8n in queue mode: a main process that takes requests, and workers that run the executions. */
export interface Queue {
	/** Its `stop` ends only this process. */
	main: N8n;
	/** Starts one more worker. It begins to take executions before this is fulfilled. */
	startWorker(): Promise<Worker>;
	/** Ends everything and removes all files made for it. */
	stop(): Promise<void>;
}

const idsIn = (log: string, line: RegExp) => [...log.matchAll(line)].map(([, id]) => id);

/**
 * Starts Redis, PostgreSQL and n8n's main process on free ports of the loopback interface, with n8n's own settings for
 * everything else. All of it ends with this process, however that ends. There is no worker yet.
 *
 * @throws Error with the end of a log when something doesn't start
 */
export async function startQueue(
	options: Pick<StartN8nOptions, 'n8n' | 'packageTarball'>,
): Promise<Queue> {
	const { n8n, packageTarball } = options;
	// What ends each started process, in the order of the starts.
	const ends: Array<() => Promise<void>> = [];
	const stop = async () => {
		for (const end of ends.reverse()) await end();
	};
	try {
		const redis = await startRedis();
		ends.push(redis.stop);
		const postgres = await startPostgres();
		ends.push(postgres.stop);
		const env = queueEnvironment(redis, postgres);
		const main = await startN8n({ n8n, packageTarball, env });
		ends.push(main.stop);

		return {
			main,
			async startWorker() {
				// A worker makes the URLs at which executions are woken, and the main process answers them.
				const worker = await startWorker(options, { ...env, WEBHOOK_URL: main.url });
				ends.push(worker.kill);
				return worker;
			},
			stop,
		};
	} catch (error) {
		await stop();
		throw error;
	}
}

const queueEnvironment = (redis: Service, postgres: Service): Record<string, string> => ({
	EXECUTIONS_MODE: 'queue',
	QUEUE_BULL_REDIS_HOST: '127.0.0.1',
	QUEUE_BULL_REDIS_PORT: String(redis.port),
	DB_TYPE: 'postgresdb',
	DB_POSTGRESDB_HOST: '127.0.0.1',
	DB_POSTGRESDB_PORT: String(postgres.port),
	DB_POSTGRESDB_USER: POSTGRES_NAME,
	DB_POSTGRESDB_DATABASE: POSTGRES_NAME,
	N8N_ENCRYPTION_KEY: randomUUID(),
});

async function startWorker(
	{ n8n, packageTarball }: Pick<StartN8nOptions, 'n8n' | 'packageTarball'>,
	env: Record<string, string>,
): Promise<Worker> {
	const userFolder = mkdtempSync(join(tmpdir(), 'n8n-worker-'));
	const remove = () => rmSync(userFolder, { recursive: true, force: true });
	let child: Child | undefined;
	try {
		await installPackage(userFolder, packageTarball);
		const [brokerPort] = await freePorts(1);
		const started = (child = startNode([n8n.bin, 'worker'], {
			cwd: userFolder,
			env: { ...n8nEnvironment(n8n, userFolder, brokerPort), ...env },
			removeWithParent: userFolder,
		}));
		const isReady = () => started.output().includes('n8n worker is now ready');
		await whenReady('An n8n worker', started, isReady, START_TIMEOUT_MS);
		const end = async (graceMs: number) => {
			await started.stop(graceMs);
			remove();
		};
		return {
			log: started.output,
			begun: () => idsIn(started.output(), /Worker started execution (\d+)/g),
			finished: () => idsIn(started.output(), /Worker finished execution (\d+)/g),
			stop: async () => await end(STOP_TIMEOUT_MS),
			kill: async () => await end(0),
		};
	} catch (error) {
		await child?.stop(0);
		remove();
		throw error;
	}
}
