/**
 * Runs n8n's own package scanner over what it looks at when a package is published: the sources, and the tarball.
 * Ends with 1 when it finds anything.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
	analyzePackage,
	SOURCE_FILE_PATTERNS,
} from '@n8n/scan-community-package/scanner/scanner.mjs';
import { extract } from 'tar';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'n8n-nodes-acountpay-scan-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

const packed = execFileSync(
	'npm',
	['pack', '--ignore-scripts', '--json', '--pack-destination', folder],
	{
		cwd: root,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'ignore'],
	},
);
await extract({ file: join(folder, JSON.parse(packed)[0].filename), cwd: folder });

const scans = {
	sources: await analyzePackage(root, SOURCE_FILE_PATTERNS),
	tarball: await analyzePackage(join(folder, 'package'), ['**/*.js', 'package.json']),
};
for (const [name, { passed, message, details }] of Object.entries(scans)) {
	console.log(passed ? `${name}: clean` : `${name}: ${message}\n${details}`);
}
process.exitCode = Object.values(scans).every(({ passed }) => passed) ? 0 : 1;
