import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { lock } from 'proper-lockfile';

import { npmScript, startNode } from '../child';
import { abortOnSignals } from '../signals';

/** The n8n that the demo and, unless they are told otherwise, the end-to-end tests run. */
export const DEFAULT_VERSION = '2.41.1';

const VERSIONS_DIR = join(__dirname, 'versions');
const MINIMUM_NODE_MAJOR = 24;
const PROGRESS_EVERY_MS = 5_000;
/** What setting up a version of n8n takes, for whoever waits for it. */
export const SETUP_TAKES = 'takes 3 to 8 minutes and 3 GB of disk, once';

/** An n8n that is ready to be started. */
export interface N8nInstallation {
	/** For example `2.41.1`. */
	version: string;
	/** The script of the `n8n` command. */
	bin: string;
	/** The Node that runs it. */
	node: string;
	/** The folder it is installed in. */
	dir: string;
}

export interface EnsureN8nOptions {
	/** One of {@link knownVersions}; {@link DEFAULT_VERSION} when not given. */
	version?: string;
	/**
	 * Gets a line about every five seconds while something is being done, or one for each stage where there is no terminal; none
	 * when n8n is there.
	 */
	onProgress?: (line: string) => void;
	/** Ends the work when it is aborted, and removes what was begun. */
	signal?: AbortSignal;
}

/** The versions of n8n with a pinned set of dependencies, from the oldest on. */
export const knownVersions = (): string[] =>
	readdirSync(VERSIONS_DIR).sort(new Intl.Collator('en', { numeric: true }).compare);

/** Where all that is set up is kept: outside of the checkout, so that every checkout shares it. */
export function cacheDir(): string {
	const { N8N_NODES_ACOUNTPAY_CACHE, XDG_CACHE_HOME } = process.env;
	if (N8N_NODES_ACOUNTPAY_CACHE) return N8N_NODES_ACOUNTPAY_CACHE;
	return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'n8n-nodes-acountpay');
}

const nodeMajor = Number(process.versions.node.split('.')[0]);

/** Where a version is or will be, and what it is made of. */
function placeOf(version: string) {
	const pins = ['package.json', 'package-lock.json'].map((name) =>
		join(VERSIONS_DIR, version, name),
	);
	const dir = join(cacheDir(), `n8n-${version}-node${nodeMajor}`);
	const marker = join(dir, 'complete');
	const pinned = pins
		.reduce((hash, file) => hash.update(readFileSync(file)), createHash('sha256'))
		.digest('hex');
	const isComplete = () => existsSync(marker) && readFileSync(marker, 'utf8') === pinned;
	return { dir, pins, marker, pinned, isComplete };
}

/** Whether {@link ensureN8n} has nothing to do. */
export const isN8nReady = (version = DEFAULT_VERSION): boolean => placeOf(version).isComplete();

/**
 * Makes sure that a version of n8n is installed, in {@link cacheDir}.
 *
 * A folder there is complete: it is built beside and moved into place, and built again when the
 * pinned dependencies change. Two processes that ask for the same version build it once.
 *
 * @throws Error which step failed and why, with the end of npm's output
 */
export async function ensureN8n(options: EnsureN8nOptions = {}): Promise<N8nInstallation> {
	const { version = DEFAULT_VERSION, onProgress = (line) => console.error(line), signal } = options;
	if (nodeMajor < MINIMUM_NODE_MAJOR) {
		throw new Error(
			`n8n needs Node ${MINIMUM_NODE_MAJOR}, this is ${process.versions.node}. On Linux, start it by its npm script ` +
				`(npm run …), which brings its own Node; elsewhere, install Node ${MINIMUM_NODE_MAJOR}.`,
		);
	}
	if (!knownVersions().includes(version)) {
		throw new Error(`n8n ${version} is not pinned here. There is: ${knownVersions().join(', ')}`);
	}

	const { dir, pins, marker, pinned, isComplete } = placeOf(version);
	const installation: N8nInstallation = {
		version,
		bin: join(dir, 'node_modules', 'n8n', 'bin', 'n8n'),
		node: process.execPath,
		dir,
	};
	if (isComplete()) return installation;

	await mkdir(cacheDir(), { recursive: true });
	const startedAt = Date.now();
	let said = '';
	const progress = (what: string) => {
		// Without a terminal, lines stay: in the log of a CI they would be hundreds.
		if (what === said && !process.stdout.isTTY) return;
		said = what;
		onProgress(`n8n ${version}: ${what}, ${seconds(startedAt)} so far (${SETUP_TAKES})`);
	};
	const release = await acquireLock(
		dir,
		() => progress('another process is setting it up'),
		signal,
	);
	try {
		if (isComplete()) return installation;
		await removeLeftovers(dir);
		const building = `${dir}.building-${process.pid}`;
		try {
			await build(building, pins, progress, signal);
			await writeFile(join(building, basename(marker)), pinned);
			await rename(building, dir);
		} catch (error) {
			await rm(building, { recursive: true, force: true });
			throw error;
		}
		onProgress(`n8n ${version}: ready after ${seconds(startedAt)}, in ${dir}`);
		return installation;
	} finally {
		await release();
	}
}

const seconds = (since: number) => `${Math.round((Date.now() - since) / 1000)} s`;

/** Waits for whoever builds the same folder. The lock of a process that died ends after 10 s. */
async function acquireLock(dir: string, onWait: () => void, signal?: AbortSignal) {
	for (let tries = 0; ; tries++) {
		signal?.throwIfAborted();
		try {
			return await lock(dir, { realpath: false, stale: 10_000 });
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
		}
		if (tries % (PROGRESS_EVERY_MS / 1000) === 0) onWait();
		await new Promise((resolve) => setTimeout(resolve, 1000));
	}
}

/** Removes a folder that is incomplete or of other pins, and what killed processes began. */
async function removeLeftovers(dir: string) {
	const leftovers = (await readdir(dirname(dir))).filter(
		(name) => name === basename(dir) || name.startsWith(`${basename(dir)}.building-`),
	);
	for (const name of leftovers) {
		await rm(join(dirname(dir), name), { recursive: true, force: true });
	}
}

async function build(
	dir: string,
	pins: string[],
	progress: (what: string) => void,
	signal?: AbortSignal,
) {
	await mkdir(dir);
	for (const file of pins) await copyFile(file, join(dir, basename(file)));
	const step = (what: string, args: string[]) =>
		runStep(what, args, dir, () => progress(what), signal);
	const npm = (...args: string[]) => [
		npmScript(),
		...args,
		'--prefix',
		dir,
		'--no-audit',
		'--no-fund',
		'--prefer-offline',
	];

	// Of all the install scripts only that of sqlite3 is needed: it fetches or compiles what reads the database.
	await step('installing', npm('install', '--ignore-scripts', '--omit=dev'));
	await step(
		'building sqlite3',
		npm('rebuild', 'sqlite3', '--ignore-scripts=false', '--foreground-scripts'),
	);
	// n8n 2.0 has no isolated-vm.
	const natives = ['sqlite3', 'isolated-vm'].filter((name) =>
		existsSync(join(dir, 'node_modules', name)),
	);
	await step('loading the native modules', [
		'-e',
		'process.argv.slice(1).forEach((name) => require(name))',
		...natives,
	]);
}

async function runStep(
	what: string,
	args: string[],
	cwd: string,
	onProgress: () => void,
	signal?: AbortSignal,
) {
	signal?.throwIfAborted();
	onProgress();
	const ticking = setInterval(onProgress, PROGRESS_EVERY_MS);
	const child = startNode(args, { cwd, env: environment() });
	const stop = () => void child.stop(0);
	signal?.addEventListener('abort', stop);
	const result = await child.ended;
	signal?.removeEventListener('abort', stop);
	clearInterval(ticking);
	signal?.throwIfAborted();
	if (result !== 0) {
		const tail = child.output().trimEnd().split('\n').slice(-30).join('\n');
		throw new Error(
			`Setting up n8n failed while ${what} (exit code or signal ${result}):\n${tail}`,
		);
	}
}

/** The caller's, since npm's settings (proxy, registry, certificates) may be in it, with this Node and its headers. */
function environment(): NodeJS.ProcessEnv {
	const node = dirname(process.execPath);
	const home = dirname(node);
	const hasHeaders = existsSync(join(home, 'include', 'node', 'node_api.h'));
	return {
		...process.env,
		PATH: `${node}:${process.env.PATH}`,
		...(hasHeaders && { npm_config_nodedir: home }),
	};
}

if (require.main === module) {
	const signal = abortOnSignals();
	ensureN8n({ version: process.argv[2], signal })
		.then(({ bin }) => console.log(bin))
		.catch((error: Error) => {
			console.error(signal.aborted ? 'Stopped; nothing of it is left.' : error.message);
			process.exitCode = 1;
		});
}
