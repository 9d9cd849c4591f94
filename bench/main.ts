import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';

import { ensureN8n } from '../tools/n8n/setup';
import { packPackage } from '../tools/package';
import { BurstBench, burstTables, measureBursts, RECEIVER_TITLES, RECEIVERS } from './bursts';
import { drawChart, drawInFlight } from './chart';
import { N8N_CONTESTANTS, TITLES } from './contestants';
import { compileCustomNodes } from './customNodes';
import { DISTANCE_CONTESTANTS, distanceTable, measureDistances, SITUATIONS } from './distances';
import { compareRules } from './limiterRules';
import { measureSize, measureTrouble, warmUp } from './measure';
import { N8nBench } from './n8nBench';
import { insertReport, measuredOn, report, type Section } from './report';
import type { Results, Run, Surroundings } from './results';
import { type ProfileRun, profileTable, readProfile, timeByOwner } from './profile';
import { SandboxProcess } from './sandboxProcess';
import { CONCURRENCY, LATENCY_MS, TROUBLE_ITEMS } from './settings';
import { surroundings } from './surroundings';

const ROOT = join(__dirname, '..');
const RESULTS = join(__dirname, 'results.json');
const DOCUMENT = join(ROOT, 'docs', 'benchmark.md');
const CHART = join(ROOT, 'docs', 'benchmark.webp');

const SIZES = [1, 100, 1_000, 10_000];
const ROUNDS = 5;
const BURST_RESULTS = join(__dirname, 'bursts.json');
const DISTANCE_RESULTS = join(__dirname, 'distances.json');
const IN_FLIGHT_CHART = join(ROOT, 'docs', 'in-flight.webp');
const DISTANCE_ROUNDS = 3;
const BURST_ROUNDS = 3;
const QUICK_ROUNDS = 2;
const PROFILED_ITEMS = 1_000;

const USAGE = `npm run bench [-- options]

Measures creating payments with this package against n8n's other ways, in a real n8n. Needs Linux.
Without options it takes about 30 minutes and writes bench/results.json, docs/benchmark.md and
docs/benchmark.webp. With other sizes, fewer runs or another concurrency it only prints.

  --sizes <n,n,…>   how many payments a run makes (default ${SIZES.join(',')})
  --runs <n>        measured runs of each contestant at each size (default ${ROUNDS})
  --distances       this node and the HTTP Request node at 20, 100, 300 and 500 ms, on a limited server and on one
                    that falls over, ${DISTANCE_ROUNDS} runs each; writes bench/distances.json, docs/benchmark.md and
                    docs/in-flight.webp
  --bursts          the AcountPay Trigger and n8n's Webhook node with bursts of events and deliveries that they refuse,
                    ${BURST_ROUNDS} rounds; writes bench/bursts.json and docs/benchmark.md
  --profile         where n8n's process spends its time with this node and the HTTP Request node; writes docs/benchmark.md
  --quick           the main figures of --distances and --bursts, ${QUICK_ROUNDS} runs each: about 5 minutes; only prints
  --rows <text>     with --distances: only the rows with this text, such as '300 ms'; only prints
  --scale <0 to 1>  with --distances or --quick: this share of the payments, for a trial; only prints
  --rules           compares rules for the number of calls in flight on simulated servers; only prints
  --concurrency <n> calls that the AcountPay node has in flight (default ${CONCURRENCY}; with --distances and --quick as the node comes)
  --redraw          measures nothing: writes table and chart anew from bench/results.json
  --help
`;

/** Ends what a step began; run in reverse order, whatever happened. */
type CleanUp = () => Promise<void>;

/** @throws Error when a text is no whole number of at least 1 */
function wholeNumbers(option: string, text: string): number[] {
	return text.split(',').map((part) => {
		if (!/^[1-9]\d*$/.test(part)) throw new Error(`--${option} takes whole numbers, not '${part}'`);
		return Number(part);
	});
}

function printRun({ contestant, items, round, complete, ms, cpuMs, tokens, refused }: Run): void {
	const name = `${TITLES[contestant]}, ${items} items, ${round === 0 ? 'cold' : `run ${round}`}`;
	const time = `${Math.round(ms ?? NaN)} ms, ${Math.round(cpuMs ?? NaN)} ms of CPU`;
	const traffic = `${tokens} token requests, ${refused} refused`;
	console.log(`${name}: ${time}, ${traffic}${complete ? '' : ', NOT COMPLETE'}`);
}

/** The n8n to measure in, and the package. What is begun is put on `cleanUps`. */
async function setUp(signal: AbortSignal, cleanUps: CleanUp[]) {
	const n8n = await ensureN8n({ signal });
	const packageTarball = await packPackage();
	cleanUps.push(() => rm(dirname(packageTarball), { recursive: true }));
	return { n8n, packageTarball };
}

/** Sets everything up and measures. What is begun is put on `cleanUps`. */
async function measure(
	sizes: number[],
	rounds: number,
	maxConcurrency: number,
	signal: AbortSignal,
	cleanUps: CleanUp[],
): Promise<Results> {
	const { n8n, packageTarball } = await setUp(signal, cleanUps);
	const customNodes = await compileCustomNodes();
	cleanUps.push(() => rm(customNodes, { recursive: true }));
	const sandbox = await SandboxProcess.start();
	cleanUps.push(() => sandbox.stop());

	const results: Results = {
		surroundings: surroundings(n8n.version),
		latencyMs: LATENCY_MS,
		concurrency: CONCURRENCY,
		sizes,
		rounds,
		runs: [],
		troubleItems: TROUBLE_ITEMS,
		troubles: [],
	};
	const benches: N8nBench[] = [];
	for (const contestant of N8N_CONTESTANTS) {
		console.log(`Starting n8n ${n8n.version} for: ${TITLES[contestant]}`);
		const options = { n8n, packageTarball, signal };
		const bench = await N8nBench.start(contestant, sandbox, customNodes, maxConcurrency, options);
		cleanUps.push(() => bench.stop());
		benches.push(bench);
	}
	await warmUp(benches, sandbox);
	for (const items of sizes) {
		results.runs.push(...(await measureSize(benches, sandbox, items, rounds, printRun)));
	}
	for (const bench of benches) {
		results.troubles.push(await measureTrouble(bench, sandbox));
	}
	return results;
}

/** Measures distances; `rows`: only those with this in their name. What is begun is put on `cleanUps`. */
async function distances(
	isQuick: boolean,
	rows: string,
	rounds: number,
	scale: number,
	maxConcurrency: number | undefined,
	signal: AbortSignal,
	cleanUps: CleanUp[],
): Promise<void> {
	const { n8n, packageTarball } = await setUp(signal, cleanUps);
	const customNodes = await compileCustomNodes();
	cleanUps.push(() => rm(customNodes, { recursive: true }));
	const sandbox = await SandboxProcess.start(true);
	cleanUps.push(() => sandbox.stop());
	const benches: N8nBench[] = [];
	for (const contestant of DISTANCE_CONTESTANTS) {
		console.log(`Starting n8n ${n8n.version} for: ${TITLES[contestant]}`);
		const options = { n8n, packageTarball, signal };
		const bench = await N8nBench.start(contestant, sandbox, customNodes, maxConcurrency, options);
		cleanUps.push(() => bench.stop());
		benches.push(bench);
	}
	const situations = SITUATIONS.filter(
		({ isMain, name }) => (isMain || !isQuick) && name.includes(rows),
	);
	const runs = await measureDistances(benches, sandbox, situations, { rounds, scale }, (run) =>
		console.log(
			`${TITLES[run.contestant]}, ${run.items} ${run.operation}, ${run.situation}: ${Math.round(run.ms ?? NaN)} ms, ` +
				`${run.done} done, ${run.refused} refused, ${run.failed} failed, ${run.mostInFlight} in flight`,
		),
	);
	const table = distanceTable(runs);
	console.log(`\n${table}`);
	if (isQuick || rows !== '' || scale !== 1) return;
	const on = surroundings(n8n.version);
	await writeResults(DISTANCE_RESULTS, { surroundings: on, rounds, runs });
	await writeSection('distances', `${table}\n\n${medianNote(on, rounds)}`);
	await writeFile(IN_FLIGHT_CHART, await drawInFlight(runs));
}

/** Profiles n8n's process with each way. What is begun is put on `cleanUps`. */
async function profile(signal: AbortSignal, cleanUps: CleanUp[]): Promise<void> {
	const { n8n, packageTarball } = await setUp(signal, cleanUps);
	const customNodes = await compileCustomNodes();
	cleanUps.push(() => rm(customNodes, { recursive: true }));
	const sandbox = await SandboxProcess.start();
	cleanUps.push(() => sandbox.stop());
	const runs: ProfileRun[] = [];
	for (const contestant of DISTANCE_CONTESTANTS) {
		const file = join(customNodes, `${contestant}.json`);
		const env = { BENCH_PROFILE: file };
		const options = { n8n, packageTarball, signal, env };
		const bench = await N8nBench.start(contestant, sandbox, customNodes, undefined, options);
		cleanUps.push(() => bench.stop());
		const workflow = await bench.newWorkflow(await bench.newCredential());
		// The first run compiles what the second one runs.
		for (let run = 0; run < 2; run++) await workflow.run(PROFILED_ITEMS);
		const busy = timeByOwner(await readProfile(file));
		runs.push({ contestant, items: PROFILED_ITEMS, busy });
	}
	const table = profileTable(runs, TITLES);
	console.log(`\n${table}`);
	await writeSection('profile', `${table}\n\n${measuredOn(surroundings(n8n.version))}`);
}

/** Measures bursts of events. What is begun is put on `cleanUps`. */
async function bursts(
	isQuick: boolean,
	rounds: number,
	signal: AbortSignal,
	cleanUps: CleanUp[],
): Promise<void> {
	const { n8n, packageTarball } = await setUp(signal, cleanUps);
	const benches: BurstBench[] = [];
	for (const receiver of RECEIVERS) {
		console.log(`Starting n8n ${n8n.version} for: ${RECEIVER_TITLES[receiver]}`);
		const bench = await BurstBench.start(receiver, { n8n, packageTarball, signal });
		cleanUps.push(() => bench.stop());
		benches.push(bench);
	}
	const runs = await measureBursts(benches, rounds, (line) => console.log(line));
	const table = burstTables(runs.bursts, runs.refusals);
	console.log(`\n${table}`);
	if (isQuick) return;
	const on = surroundings(n8n.version);
	await writeResults(BURST_RESULTS, { surroundings: on, rounds, ...runs });
	await writeSection('bursts', `${table}\n\n${medianNote(on, rounds)}`);
}

const medianNote = (on: Surroundings, rounds: number) =>
	`${measuredOn(on)} Each figure is the median of ${rounds} runs, in pairs.`;

async function writeResults(file: string, results: object): Promise<void> {
	const style = await resolveConfig(file);
	await writeFile(file, await format(JSON.stringify(results), { ...style, parser: 'json' }));
}

async function writeSection(section: Section, text: string): Promise<void> {
	await writeFile(DOCUMENT, insertReport(await readFile(DOCUMENT, 'utf8'), section, text));
}

async function write(results: Results): Promise<void> {
	await writeResults(RESULTS, results);
	await writeSection('results', report(results));
	await writeFile(CHART, await drawChart(results));
}

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			sizes: { type: 'string' },
			runs: { type: 'string' },
			concurrency: { type: 'string' },
			distances: { type: 'boolean', default: false },
			bursts: { type: 'boolean', default: false },
			rows: { type: 'string', default: '' },
			scale: { type: 'string', default: '1' },
			profile: { type: 'boolean', default: false },
			rules: { type: 'boolean', default: false },
			quick: { type: 'boolean', default: false },
			redraw: { type: 'boolean', default: false },
			help: { type: 'boolean', default: false },
		},
	});
	if (values.help) {
		console.log(USAGE);
		return;
	}
	if (values.rules) {
		console.log(await compareRules());
		return;
	}
	if (values.redraw) {
		await write(JSON.parse(await readFile(RESULTS, 'utf8')) as Results);
		return;
	}
	if (process.platform !== 'linux') throw new Error('The benchmark reads /proc, so it needs Linux');
	const { quick } = values;
	const isAboutDistances = values.distances || quick;
	const isAboutBursts = values.bursts || quick;
	const sizes = values.sizes ? wholeNumbers('sizes', values.sizes) : SIZES;
	const standardRounds = quick
		? QUICK_ROUNDS
		: isAboutDistances
			? DISTANCE_ROUNDS
			: isAboutBursts
				? BURST_ROUNDS
				: ROUNDS;
	const [ordered] = values.concurrency ? wholeNumbers('concurrency', values.concurrency) : [];
	const concurrency = ordered ?? CONCURRENCY;
	const scale = Number(values.scale);
	if (!(scale > 0 && scale <= 1)) throw new Error('--scale takes a number above 0, up to 1');
	const [rounds] = values.runs ? wholeNumbers('runs', values.runs) : [standardRounds];

	const abort = new AbortController();
	const aborted = new Promise<never>((_, reject) => {
		abort.signal.addEventListener('abort', () => reject(abort.signal.reason as Error));
	});
	for (const name of ['SIGINT', 'SIGTERM'] as const) {
		process.once(name, () => abort.abort(new Error('Stopped.')));
	}
	const cleanUps: CleanUp[] = [];
	try {
		if (isAboutDistances) {
			const measuring = distances(
				quick,
				values.rows,
				rounds,
				scale,
				ordered,
				abort.signal,
				cleanUps,
			);
			await Promise.race([measuring, aborted]);
			for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
		}
		if (isAboutBursts) {
			await Promise.race([bursts(quick, rounds, abort.signal, cleanUps), aborted]);
		}
		if (values.profile) await Promise.race([profile(abort.signal, cleanUps), aborted]);
		if (isAboutDistances || isAboutBursts || values.profile) return;
		const measuring = measure(sizes, rounds, concurrency, abort.signal, cleanUps);
		const results = await Promise.race([measuring, aborted]);
		console.log(`\n${report(results)}`);
		const isWhole = SIZES.every((size) => sizes.includes(size)) && rounds >= ROUNDS;
		if (isWhole && concurrency === CONCURRENCY) await write(results);
	} finally {
		for (const cleanUp of cleanUps.reverse()) await cleanUp();
	}
}

main().catch((error: Error) => {
	console.error(`\n${error.message}`);
	process.exitCode = 1;
});
