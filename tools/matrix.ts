import Table from 'cli-table3';
import { runCLI } from 'jest';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

import { VARYING_PROMISES } from '../test/e2e/promises';
import { knownVersions } from './n8n/setup';

const USAGE = `npm run test:matrix [-- <version>…]

Runs the end-to-end tests on payments in several versions of n8n, one after the other, and prints what
was seen to work in which. A version that is not there yet is set up first. Takes about 7 minutes a version.

  <version>   one of ${knownVersions().join(', ')}; all of them when there is none
  --help`;

const ROOT = join(__dirname, '..');
const SUITES = [
	'payment',
	'qr-code',
	'webhooks',
	'wait',
	'money',
	'keys',
	'registration',
	'sub-workflow',
	'tools',
	'credential',
];
const WIDTHS = { capability: 38, version: 19 };

/** The results of the tests of a capability in a version. */
interface Outcome {
	passed: number;
	failed: number;
	/** Of a promise that is not kept in every version: whether it is, and what is so instead. */
	word?: string;
}

/** The outcomes in a version, by what the tests are about; undefined when n8n did not start. */
type Column = Map<string, Outcome> | undefined;

/** Runs the tests in a version of n8n. */
async function test(version: string): Promise<Column> {
	console.log(`\nn8n ${version}`);
	process.env.TEST_N8N_VERSION = version;
	const paths = SUITES.map((suite) => join('test', 'e2e', `${suite}.test.ts`));
	const options = { $0: '', selectProjects: ['e2e'], runInBand: true, verbose: true };
	const run = await runCLI({ ...options, _: paths }, [ROOT]).catch((error: Error) => {
		console.error(error.message);
	});
	if (!run) return undefined;

	const column = new Map<string, Outcome>();
	const add = (capability: string, passed: boolean, word?: string) => {
		const outcome = column.get(capability) ?? { passed: 0, failed: 0, word };
		outcome[passed ? 'passed' : 'failed']++;
		column.set(capability, outcome);
	};
	for (const { testFilePath, testExecError, testResults } of run.results.testResults) {
		const suite = basename(testFilePath, '.test.ts');
		if (testExecError) add(`${suite}: can be run`, false);
		for (const { ancestorTitles, title, status } of testResults) {
			const promise = VARYING_PROMISES.find((start) => title.startsWith(start));
			const word = promise && (title.slice(`${promise}: `.length) || 'kept');
			// A test that was skipped has shown nothing.
			add(promise ?? `${suite}: ${ancestorTitles[0] ?? title}`, status === 'passed', word);
		}
	}
	return column;
}

function cell(outcome: Outcome | undefined): string {
	if (!outcome) return 'NOT SEEN';
	const { passed, failed, word } = outcome;
	if (failed) return `${failed} of ${passed + failed} FAILED`;
	return word ?? `${passed} passed`;
}

/**
 * Prints the table.
 *
 * @returns whether everything that was seen in one version was seen in all of them, and nothing failed
 */
function print(versions: string[], columns: Column[]): boolean {
	const seen = new Set(columns.flatMap((column) => [...(column?.keys() ?? [])]));
	for (const promise of VARYING_PROMISES) seen.delete(promise);
	const capabilities = [...seen, ...VARYING_PROMISES];
	const table = new Table({
		head: ['', ...versions.map((version) => `n8n ${version}`)],
		colWidths: [WIDTHS.capability, ...versions.map(() => WIDTHS.version)],
		wordWrap: true,
		style: { head: [], border: [] },
	});
	for (const capability of capabilities) {
		table.push([capability, ...columns.map((column) => cell(column?.get(capability)))]);
	}
	console.log(`\n${table.toString()}`);
	const outcomes = columns.flatMap((column) =>
		capabilities.map((capability) => column?.get(capability)),
	);
	return outcomes.every((outcome) => outcome?.failed === 0);
}

async function main(): Promise<void> {
	const { values, positionals } = parseArgs({
		options: { help: { type: 'boolean', default: false } },
		allowPositionals: true,
	});
	if (values.help) {
		console.log(USAGE);
		return;
	}
	const versions = positionals.length > 0 ? positionals : knownVersions();
	const columns: Column[] = [];
	for (const version of versions) columns.push(await test(version));
	if (!print(versions, columns)) process.exitCode = 1;
}

void main();
