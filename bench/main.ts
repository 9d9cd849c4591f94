import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';

import { ensureN8n } from '../tools/n8n/setup';
import { packPackage } from '../tools/package';
import { abortOnSignals } from '../tools/signals';
import { BurstBench, burstTables, measureBursts, RECEIVER_TITLES, RECEIVERS } from './bursts';
import { drawInFlight } from './chart';
import { CONTESTANTS, TITLES } from './contestants';
import { compileCustomNodes } from './customNodes';
import { distanceTable, measureDistances, SITUATIONS } from './distances';
import { compareRules } from './limiterRules';
import { N8nBench } from './n8nBench';
import { type ProfileRun, profileTable, readProfile, timeByOwner } from './profile';
import { insertReport, measuredOn, type Section } from './report';
import type { Surroundings } from './results';
import { SandboxProcess } from './sandboxProcess';
import { surroundings } from './surroundings';

const DOCS = join(__dirname, '..', 'docs');
const DOCUMENT = join(DOCS, 'benchmark.md');
const IN_FLIGHT_CHART = join(DOCS, 'in-flight.webp');
const ROUNDS = 3;
const QUICK_ROUNDS = 2;
const PROFILED_ITEMS = 1_000;

const USAGE = `npm run bench [-- options]

Measures this package in a real n8n, in pairs with n8n's own nodes. Needs Linux. Without options it is --quick.

  --distances       this node and the HTTP Request node at latencies of 20, 100, 300 and 500 ms, on limited servers and on
                    some that fall over; writes bench/distances.json, docs/benchmark.md and docs/in-flight.webp
  --bursts          the AcountPay Trigger and n8n's Webhook node with bursts of events and deliveries that they refuse;
                    writes bench/bursts.json and docs/benchmark.md
  --profile         where n8n's process spends its time with this node and the HTTP Request node; writes docs/benchmark.md
  --quick           the main figures of --distances and --bursts: about 5 minutes; only prints
  --rules           compares rules for the number of calls in flight on simulated servers; only prints
  --runs <n>        measured runs of each (default ${ROUNDS}, with --quick ${QUICK_ROUNDS})
  --rows <text>     with --distances: only the rows with this text, such as '300 ms'; only prints
  --scale <0 to 1>  with --distances or --quick: this share of the payments, for a trial; only prints
  --help
`;

/** What a measurement is told. */
interface Order {
	isQuick: boolean;
	rounds: number;
	/** Only the situations with this in their name. */
	rows: string;
	/** This share of the payments. */
	scale: number;
	signal: AbortSignal;
	/** Ends what a step began; run in reverse order, whatever happened. */
	cleanUps: Array<() => Promise<void>>;
}

/** The n8n to measure in, and the package. */
async function setUp({ signal, cleanUps }: Order) {
	const n8n = await ensureN8n({ signal });
	const packageTarball = await packPackage();
	cleanUps.push(() => rm(dirname(packageTarball), { recursive: true }));
	return { n8n, packageTarball, signal };
}

/** What the nodes that send requests are measured with, besides. */
async function setUpRequests(order: Order) {
	const options = await setUp(order);
	const customNodes = await compileCustomNodes();
	order.cleanUps.push(() => rm(customNodes, { recursive: true }));
	const sandbox = await SandboxProcess.start();
	order.cleanUps.push(() => sandbox.stop());
	return { ...options, customNodes, sandbox };
}

async function distances(order: Order): Promise<void> {
	const { isQuick, rounds, rows, scale, cleanUps } = order;
	const options = await setUpRequests(order);
	const { n8n, sandbox } = options;
	const benches: N8nBench[] = [];
	for (const contestant of CONTESTANTS) {
		console.log(`Starting n8n ${n8n.version} for: ${TITLES[contestant]}`);
		const bench = await N8nBench.start(contestant, options);
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
	await writeResults('distances.json', { surroundings: on, rounds, runs });
	await writeSection('distances', `${table}\n\n${medianNote(on, rounds)}`);
	await writeFile(IN_FLIGHT_CHART, await drawInFlight(runs));
}

async function profile(order: Order): Promise<void> {
	const options = await setUpRequests(order);
	const runs: ProfileRun[] = [];
	for (const contestant of CONTESTANTS) {
		const file = join(options.customNodes, `${contestant}.json`);
		const bench = await N8nBench.start(contestant, { ...options, env: { BENCH_PROFILE: file } });
		order.cleanUps.push(() => bench.stop());
		await options.sandbox.setGate({ latencyMs: 20 });
		const workflow = await bench.newWorkflow(await bench.newCredential());
		// The first run compiles what the second one runs.
		for (let run = 0; run < 2; run++) await workflow.run(PROFILED_ITEMS);
		const busy = timeByOwner(await readProfile(file));
		runs.push({ contestant, items: PROFILED_ITEMS, busy });
	}
	const table = profileTable(runs, TITLES);
	console.log(`\n${table}`);
	await writeSection('profile', `${table}\n\n${measuredOn(surroundings(options.n8n.version))}`);
}

async function bursts(order: Order): Promise<void> {
	const { isQuick, rounds, cleanUps } = order;
	const options = await setUp(order);
	const benches: BurstBench[] = [];
	for (const receiver of RECEIVERS) {
		console.log(`Starting n8n ${options.n8n.version} for: ${RECEIVER_TITLES[receiver]}`);
		const bench = await BurstBench.start(receiver, options);
		cleanUps.push(() => bench.stop());
		benches.push(bench);
	}
	const runs = await measureBursts(benches, rounds, (line) => console.log(line));
	const table = burstTables(runs.bursts, runs.refusals);
	console.log(`\n${table}`);
	if (isQuick) return;
	const on = surroundings(options.n8n.version);
	await writeResults('bursts.json', { surroundings: on, rounds, ...runs });
	await writeSection('bursts', `${table}\n\n${medianNote(on, rounds)}`);
}

const medianNote = (on: Surroundings, rounds: number) =>
	`${measuredOn(on)} Each figure is the median of ${rounds} runs, in pairs.`;

async function writeResults(name: string, results: object): Promise<void> {
	const file = join(__dirname, name);
	const style = await resolveConfig(file);
	await writeFile(file, await format(JSON.stringify(results), { ...style, parser: 'json' }));
}

async function writeSection(section: Section, text: string): Promise<void> {
	await writeFile(DOCUMENT, insertReport(await readFile(DOCUMENT, 'utf8'), section, text));
}

/** @throws Error when a text is no whole number of at least 1 */
function wholeNumber(text: string): number {
	if (!/^[1-9]\d*$/.test(text)) throw new Error(`--runs takes a whole number, not '${text}'`);
	return Number(text);
}

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			runs: { type: 'string' },
			distances: { type: 'boolean', default: false },
			bursts: { type: 'boolean', default: false },
			rows: { type: 'string', default: '' },
			scale: { type: 'string', default: '1' },
			profile: { type: 'boolean', default: false },
			rules: { type: 'boolean', default: false },
			quick: { type: 'boolean', default: false },
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
	if (process.platform !== 'linux') throw new Error('The benchmark reads /proc, so it needs Linux');
	const isQuick = values.quick || !(values.distances || values.bursts || values.profile);
	const scale = Number(values.scale);
	if (!(scale > 0 && scale <= 1)) throw new Error('--scale takes a number above 0, up to 1');

	const signal = abortOnSignals();
	const aborted = new Promise<never>((_, reject) => {
		signal.addEventListener('abort', () => reject(signal.reason as Error));
	});
	const order: Order = {
		isQuick,
		rounds: values.runs ? wholeNumber(values.runs) : isQuick ? QUICK_ROUNDS : ROUNDS,
		rows: values.rows,
		scale,
		signal,
		cleanUps: [],
	};
	const measurements = [
		...(isQuick || values.distances ? [distances] : []),
		...(isQuick || values.bursts ? [bursts] : []),
		...(values.profile ? [profile] : []),
	];
	for (const measure of measurements) {
		try {
			await Promise.race([measure(order), aborted]);
		} finally {
			for (const cleanUp of order.cleanUps.splice(0).reverse()) await cleanUp();
		}
	}
}

main().catch((error: Error) => {
	console.error(`\n${error.message}`);
	process.exitCode = 1;
});
