import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob, relative } from 'node:path';
import { preProcessFile, resolveModuleName, sys } from 'typescript';

import stryker from '../stryker.config.json';
import { startNode } from './child';
import { abortOnSignals } from './signals';

const ROOT = join(__dirname, '..');
const TESTS = join(ROOT, 'test', 'unit');
const REPORT = join(ROOT, stryker.jsonReporter.fileName);

const USAGE = `npm run test:mutation [-- <part of a module's path>…]

Changes the code of each module and runs the unit tests that import it or stand beside it: how many of the changes do they notice?
All modules take an hour or more; those whose path has one of the parts take minutes. Fails below ${stryker.thresholds.break} %.`;

/** Modules, and the unit tests that are nearest to them. */
interface Group {
	modules: string[];
	tests: string[];
}

interface Report {
	files: Record<string, { mutants: Array<{ status: string; static?: boolean }> }>;
}

/** What every operation goes through, and the tests of every operation. */
const OF_OPERATIONS = /^nodes\/(AcountPay\/actions|shared\/api)\//;
const OPERATION_TESTS = ['operations', 'reads'].map(
	(name) => `test/unit/AcountPay/actions/${name}.test.ts`,
);

const filesIn = (folder: string) =>
	readdirSync(folder, { recursive: true, encoding: 'utf8' })
		.filter((path) => path.endsWith('.ts'))
		.map((path) => join(folder, path));

/** The tests in the folder that mirrors a module's: they may be the ones that it was written for. */
const testsBeside = (path: string) =>
	filesIn(TESTS).filter(
		(file) =>
			file.endsWith('.test.ts') &&
			relative(TESTS, dirname(file)) === relative('nodes', dirname(path)),
	);

/** Who imports a file. */
function importersByFile(): Map<string, string[]> {
	const importers = new Map<string, string[]>();
	for (const file of [...filesIn(join(ROOT, 'nodes')), ...filesIn(TESTS)]) {
		for (const { fileName } of preProcessFile(readFileSync(file, 'utf8')).importedFiles) {
			if (!fileName.startsWith('.')) continue;
			const found = resolveModuleName(fileName, file, {}, sys).resolvedModule?.resolvedFileName;
			if (found) importers.set(found, [...(importers.get(found) ?? []), file]);
		}
	}
	return importers;
}

/** The tests that import a module, or else the tests that import one of its importers, and so on. */
function nearestTests(module: string, importers: Map<string, string[]>): string[] {
	const seen = new Set([module]);
	for (let level = [module]; level.length > 0; ) {
		level = [...new Set(level.flatMap((file) => importers.get(file) ?? []))].filter(
			(file) => !seen.has(file),
		);
		const tests = level.filter((file) => file.endsWith('.test.ts'));
		if (tests.length > 0) return tests.sort();
		for (const file of level) seen.add(file);
	}
	return [];
}

const isMutated = (path: string): boolean =>
	stryker.mutate.some((glob) => matchesGlob(path, glob)) &&
	!stryker.mutate.some((glob) => glob.startsWith('!') && matchesGlob(path, glob.slice(1)));

/**
 * Stryker loads all tests for each change that can reach the module, which takes seven seconds a change. So modules with
 * the same nearest tests are tried together, and nothing else is loaded.
 */
function groupsOf(parts: string[]): Group[] {
	const importers = importersByFile();
	const wanted = filesIn(join(ROOT, 'nodes'))
		.map((file) => relative(ROOT, file))
		.filter((path) => isMutated(path))
		.filter((path) => parts.length === 0 || parts.some((part) => path.includes(part)));
	const groups = new Map<string, Group>();
	for (const path of wanted) {
		const nearest = [...nearestTests(join(ROOT, path), importers), ...testsBeside(path)];
		const own = nearest.map((test) => relative(ROOT, test));
		const tests = [...new Set([...own, ...(OF_OPERATIONS.test(path) ? OPERATION_TESTS : [])])];
		const key = tests.sort().join();
		const group = groups.get(key) ?? { modules: [], tests };
		group.modules.push(path);
		groups.set(key, group);
	}
	return [...groups.values()];
}

const NOTICED = ['Killed', 'Timeout'];
const MISSED = ['Survived', 'NoCoverage'];

/** @throws Error when Stryker could not try the group */
async function tryGroup({ modules, tests }: Group, signal: AbortSignal): Promise<Report> {
	const child = startNode(
		[
			join(ROOT, 'node_modules/@stryker-mutator/core/bin/stryker.js'),
			'run',
			'--mutate',
			modules.join(),
		],
		{ cwd: ROOT, env: { ...process.env, MUTATION_TESTS: tests.join() } },
	);
	const stop = () => void child.stop(0);
	signal.addEventListener('abort', stop);
	await child.ended;
	signal.removeEventListener('abort', stop);
	signal.throwIfAborted();
	// Stryker finds no test of a module that holds types alone.
	if (child.output().includes(' with 0 mutant(s)')) return { files: {} };
	if (!child.output().includes('Done in')) throw new Error(child.output());
	return JSON.parse(readFileSync(REPORT, 'utf8')) as Report;
}

async function main(signal: AbortSignal): Promise<void> {
	const parts = process.argv.slice(2);
	if (parts.includes('--help')) {
		console.log(USAGE);
		return;
	}
	const groups = groupsOf(parts);
	console.log(
		`${groups.flatMap(({ modules }) => modules).length} modules, ${groups.length} groups`,
	);
	const sum = { noticed: 0, missed: 0 };
	for (const group of groups) {
		if (group.tests.length === 0) {
			console.log(`${group.modules.join(', ')}: no unit test`);
			continue;
		}
		const { files } = await tryGroup(group, signal);
		for (const [path, { mutants }] of Object.entries(files)) {
			// What runs while a module is loaded is ignored, or tried only with tests that load the module themselves.
			const counted = mutants.filter((mutant) => !mutant.static);
			const count = (statuses: string[]) =>
				counted.filter(({ status }) => statuses.includes(status)).length;
			const [noticed, missed] = [count(NOTICED), count(MISSED)];
			sum.noticed += noticed;
			sum.missed += missed;
			console.log(`${path}: ${noticed} of ${noticed + missed}`);
		}
	}
	const score = (100 * sum.noticed) / (sum.noticed + sum.missed);
	console.log(
		`${sum.noticed} of ${sum.noticed + sum.missed} changes were noticed: ${score.toFixed(1)} %`,
	);
	if (score < stryker.thresholds.break) process.exitCode = 1;
}

main(abortOnSignals()).catch((error: Error) => {
	console.error(error.message);
	process.exit(1);
});
