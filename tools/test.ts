import { join } from 'node:path';

import { npmScript, startNode } from './child';
import { isN8nReady, SETUP_TAKES } from './n8n/setup';
import { abortOnSignals } from './signals';

/** A script of package.json, with what it takes on an idle machine with two cores. */
interface Step {
	script: string;
	takes: string;
}

/** One core each: they run two at a time, in this order. What takes longest is first; `scan` packs what `test:package` compiles anew. */
const SIDE_BY_SIDE: Step[] = [
	{ script: 'test:unit', takes: 'a minute' },
	{ script: 'scan', takes: 'seconds' },
	{ script: 'test:package', takes: 'seconds' },
	{ script: 'lint', takes: 'half a minute' },
	{ script: 'types', takes: 'seconds' },
	{ script: 'test:sandbox', takes: 'seconds' },
];
/** Both cores. */
const ENGINE: Step = { script: 'test:engine', takes: '2 to 3 minutes' };
/** On a real n8n, which is set up first where there is none. */
const ON_N8N: Step = { script: 'test:e2e', takes: '10 minutes' };
const ROOT = join(__dirname, '..');

const seconds = (since: number) => `${Math.round((Date.now() - since) / 1000)} s`;

/**
 * Runs a script.
 *
 * @param isLive whether its output is shown as it comes, or whole when it has ended
 * @throws Error with the script's name when it fails
 */
async function run({ script, takes }: Step, isLive: boolean, signal: AbortSignal): Promise<void> {
	signal.throwIfAborted();
	const startedAt = Date.now();
	console.log(`> npm run ${script} (${takes})`);
	const onOutput = isLive ? (text: string) => process.stdout.write(text) : undefined;
	const child = startNode([npmScript(), 'run', '--silent', script], {
		cwd: ROOT,
		env: process.env,
		onOutput,
	});
	const stop = () => void child.stop(0);
	signal.addEventListener('abort', stop);
	const code = await child.ended;
	signal.removeEventListener('abort', stop);
	signal.throwIfAborted();
	if (!isLive) process.stdout.write(child.output());
	if (code !== 0) throw new Error(`npm run ${script} failed after ${seconds(startedAt)}`);
	console.log(`< npm run ${script}: passed in ${seconds(startedAt)}`);
}

const USAGE = `npm test          everything that needs no n8n server: build, lint, types, scan, unit, sandbox, package and engine tests
npm run test:all  the same, and the end-to-end tests on a real n8n`;

/** How long it takes on two idle cores. */
function duration(isAll: boolean): string {
	if (!isAll) return '4 minutes';
	return isN8nReady() ? '15 minutes' : `15 minutes, and setting up n8n ${SETUP_TAKES}`;
}

/**
 * Runs everything that has to pass. Says beforehand how long it takes, and ends at the first failure.
 * @param isAll whether the tests on a real n8n belong to it
 */
async function main(isAll: boolean, signal: AbortSignal): Promise<void> {
	const startedAt = Date.now();
	console.log(`On two idle cores this takes up to ${duration(isAll)}.`);
	await run({ script: 'build', takes: 'seconds' }, true, signal);
	const waiting = [...SIDE_BY_SIDE];
	const lane = async () => {
		for (let step = waiting.shift(); step; step = waiting.shift()) await run(step, false, signal);
	};
	await Promise.all([lane(), lane()]);
	await run(ENGINE, true, signal);
	if (isAll) await run(ON_N8N, true, signal);
	console.log(`All passed in ${seconds(startedAt)}.`);
}

const args = process.argv.slice(2);
if (args.some((arg) => arg !== '--all')) {
	console.log(USAGE);
	process.exit(2);
}
main(args.includes('--all'), abortOnSignals()).catch((error: Error) => {
	console.error(error.message);
	process.exit(1);
});
