import { existsSync, readdirSync, statSync } from 'node:fs';
import { copyFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { npmScript, startNode } from './child';

const ROOT = join(__dirname, '..');
const SOURCES = ['credentials', 'nodes', 'icons', 'gulpfile.js', 'package.json', 'tsconfig.json'];
/** The build makes it last, and only when everything compiled. */
const BUILT = join(ROOT, 'dist', 'icons');

/** The times (ms) at which the files and folders below these paths changed. Removing a file changes its folder. */
const changes = (paths: string[]): number[] =>
	paths
		.map((path) => join(ROOT, path))
		.filter((path) => existsSync(path))
		.flatMap((path) => [
			path,
			...(statSync(path).isDirectory()
				? readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
				: []),
		])
		.map((path) => statSync(path).mtimeMs);

/** True when everything is compiled as it is now. */
const isBuilt = () => existsSync(BUILT) && statSync(BUILT).mtimeMs > Math.max(...changes(SOURCES));

async function npm(...args: string[]): Promise<string> {
	const child = startNode([npmScript(), ...args], { cwd: ROOT, env: process.env });
	if ((await child.ended) !== 0) {
		throw new Error(`npm ${args.join(' ')} failed:\n${child.output().trimEnd()}`);
	}
	return child.stdout();
}

/**
 * Compiles the package into `dist` when a source is newer than what is there.
 *
 * @throws Error with what the compiler said
 */
export async function buildPackage(): Promise<void> {
	if (!isBuilt()) await npm('run', 'build');
}

/**
 * Packs the package as it would be published, compiled when needed. The variable `TEST_TARBALL` names one that is
 * packed already and is to be tried: the one that is published when the tests pass.
 *
 * @returns the tarball's path, in a new folder of its own that the caller removes
 * @throws Error with what the compiler or npm said
 */
export async function packPackage(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'n8n-nodes-acountpay-'));
	const { TEST_TARBALL } = process.env;
	if (TEST_TARBALL) {
		const copy = join(folder, basename(TEST_TARBALL));
		await copyFile(TEST_TARBALL, copy);
		return copy;
	}
	await buildPackage();
	// The scripts of the package would build it once more.
	const packed = await npm('pack', '--ignore-scripts', '--json', '--pack-destination', folder);
	const [{ filename }] = JSON.parse(packed) as Array<{ filename: string }>;
	return join(folder, filename);
}
