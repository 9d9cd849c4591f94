import axios from 'axios';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

import { version } from '../package.json';

const DOCUMENT = join(__dirname, '..', 'docs', 'benchmark.md');

/**
 * The machine and the versions that results hold for, with the load average of the last minute.
 *
 * @param n8n the version of n8n that is measured
 */
export const surroundings = (n8n: string) => ({
	date: new Date().toISOString(),
	cpu: cpus()[0].model.trim(),
	cores: cpus().length,
	memoryGb: Math.round(totalmem() / 2 ** 30),
	system: `${type()} ${release()}`,
	loadAtStart: loadavg()[0],
	n8n,
	node: process.versions.node,
	package: version,
	axios: axios.VERSION,
});
export type Surroundings = ReturnType<typeof surroundings>;

/** What a table was measured on, as the document says it. */
export const measuredOn = (on: Surroundings): string =>
	`Measured on ${on.date.slice(0, 10)}: ${on.cpu}, ${on.cores} cores, ${on.memoryGb} GB of memory, ${on.system}, ` +
	`Node ${on.node}, n8n ${on.n8n}, n8n-nodes-acountpay ${on.package}, axios ${on.axios}.`;

/**
 * A Markdown table. Its first column has the names of the rows.
 *
 * @param head of the other columns
 */
export const markdownTable = (head: string[], rows: string[][]): string =>
	[['', ...head], ['---', ...head.map(() => '---:')], ...rows]
		.map((cells) => `| ${cells.join(' | ')} |`)
		.join('\n');

/** Replaces a section of the document. @throws Error when there is no such section */
export async function writeSection(section: string, text: string): Promise<void> {
	const document = await readFile(DOCUMENT, 'utf8');
	const marks = new RegExp(`(<!-- ${section}: begin -->).*(<!-- ${section}: end -->)`, 's');
	if (!marks.test(document)) throw new Error(`The document has no section '${section}'`);
	const replace = (_: string, begin: string, end: string) => `${begin}\n\n${text}\n\n${end}`;
	await writeFile(DOCUMENT, document.replace(marks, replace));
}

/** Writes every single run to a file beside this one. */
export async function writeRuns(name: string, results: object): Promise<void> {
	const file = join(__dirname, name);
	const style = await resolveConfig(file);
	await writeFile(file, await format(JSON.stringify(results), { ...style, parser: 'json' }));
}
