import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

import { baseEnvironment, startProgram, whenReady, type Child, type User } from './child';
import { freePorts } from './ports';

/** Usually a second or two. */
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;

/** Where Debian keeps PostgreSQL's servers, a folder for each version. None of them is on the path. */
const POSTGRESQL_DIR = '/usr/lib/postgresql';

/** A server that this process has started, on loopback, with its data in the temporary folder. */
export interface Service {
	port: number;
	/** Ends it and removes its data. */
	stop(): Promise<void>;
}

/** The folders in which programs are looked for: the ones of the path, and Debian's, the newest version first. */
function programFolders(): string[] {
	const versions = existsSync(POSTGRESQL_DIR) ? readdirSync(POSTGRESQL_DIR) : [];
	return [
		...(process.env.PATH ?? '').split(delimiter),
		'/usr/local/bin',
		'/usr/bin',
		...versions
			.sort((one, other) => Number(other) - Number(one))
			.map((version) => join(POSTGRESQL_DIR, version, 'bin')),
	];
}

function find(program: string): string {
	const found = programFolders()
		.map((folder) => join(folder, program))
		.find((file) => existsSync(file));
	if (found) return found;
	throw new Error(
		`${program} was not found. On Debian and Ubuntu: apt-get install redis-server postgresql`,
	);
}

/** PostgreSQL's programs, of one version. */
function findPostgres() {
	// A link to it may be in a folder of its own.
	const initdb = realpathSync(find('initdb'));
	return { initdb, postgres: join(dirname(initdb), 'postgres') };
}

/**
 * Looks for the servers that are not npm packages.
 *
 * @throws Error with what to install
 */
export function requireServices(): void {
	find('redis-server');
	findPostgres();
}

/** Who runs PostgreSQL, which refuses to be run by root: whom its package makes for that. Undefined: who runs us. */
function postgresUser(): User | undefined {
	if (process.getuid?.() !== 0) return undefined;
	const idOf = (option: string) =>
		Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
	return { uid: idOf('-u'), gid: idOf('-g') };
}

/** Makes a folder for a server and starts it there; what doesn't start leaves nothing. */
async function startService(
	name: string,
	readyLine: string,
	start: (folder: string, port: number) => Child | Promise<Child>,
): Promise<Service> {
	const folder = mkdtempSync(join(tmpdir(), `${name}-`));
	const remove = () => rmSync(folder, { recursive: true, force: true });
	let child: Child | undefined;
	try {
		const [port] = await freePorts(1);
		const started = (child = await start(folder, port));
		await whenReady(name, started, () => started.output().includes(readyLine), START_TIMEOUT_MS);
		return {
			port,
			async stop() {
				await started.stop(STOP_TIMEOUT_MS);
				remove();
			},
		};
	} catch (error) {
		await child?.stop(0);
		remove();
		throw error;
	}
}

/**
 * Starts a Redis that keeps its data in memory.
 *
 * @throws Error with the end of its log when it doesn't start
 */
export const startRedis = async (): Promise<Service> =>
	await startService('redis', 'Ready to accept connections', (folder, port) =>
		startProgram(
			find('redis-server'),
			['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', folder],
			{ cwd: folder, env: baseEnvironment(), removeWithParent: folder },
		),
	);

/** The user and the database of {@link startPostgres}; it asks for no password. */
export const POSTGRES_NAME = 'postgres';

/**
 * Starts a PostgreSQL with an empty database.
 *
 * @throws Error with the end of its log when it doesn't start
 */
export const startPostgres = async (): Promise<Service> =>
	await startService('postgres', 'ready to accept connections', async (folder, port) => {
		const { initdb, postgres } = findPostgres();
		const user = postgresUser();
		if (user) chownSync(folder, user.uid, user.gid);
		const options = {
			cwd: folder,
			env: { ...baseEnvironment(), LC_ALL: 'C' },
			removeWithParent: folder,
		};
		const begun = startProgram(
			initdb,
			['--pgdata', folder, '--username', POSTGRES_NAME, '--auth', 'trust', '--encoding', 'UTF8'],
			options,
			user,
		);
		if ((await begun.ended) !== 0) throw new Error(`initdb failed:\n${begun.output()}`);
		// -F: what a crash of the machine would lose is nobody's.
		const settings = ['-D', folder, '-h', '127.0.0.1', '-p', String(port), '-k', folder, '-F'];
		return startProgram(postgres, settings, options, user);
	});
