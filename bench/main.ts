import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { startN8n, type N8n, type StartN8nOptions } from '../tools/n8n/server';
import { ensureN8n } from '../tools/n8n/setup';
import { packPackage } from '../tools/package';
import { abortOnSignals } from '../tools/signals';
import { burstTable, measureBursts, RECEIVER_TITLES } from './bursts';
import { drawInFlight } from './chart';
import { CONTESTANTS, TITLES } from './contestants';
import { distanceTable, measureDistances, nameOf, SITUATIONS } from './distances';
import { compareRules } from './limiterRules';
import { compileBenchNode, publishMeasured } from './n8nBench';
import { type ProfileRun, profileTable, timeByOwner } from './profile';
import { surroundings, writeRuns, writeSection } from './report';
import { SandboxProcess } from './sandboxProcess';

const IN_FLIGHT_CHART = join(__dirname, '..', 'docs', 'in-flight.webp');
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
	/** Ends what a step began, whatever happened. */
	cleanUp: AsyncDisposableStack;
}

/** What n8n is started with: its installation and the package. */
async function setUp({ signal, cleanUp }: Order): Promise<StartN8nOptions> {
	const n8n = await ensureN8n({ signal });
	const packageTarball = await packPackage();
	cleanUp.defer(async () => await rm(dirname(packageTarball), { recursive: true }));
	return { n8n, packageTarball, signal };
}

/** The same for nodes that send requests, and the sandbox that they send them to. */
async function setUpRequests(order: Order) {
	const options = await setUp(order);
	const N8N_CUSTOM_EXTENSIONS = await compileBenchNode();
	order.cleanUp.defer(async () => await rm(N8N_CUSTOM_EXTENSIONS, { recursive: true }));
	const sandbox = await SandboxProcess.start();
	order.cleanUp.defer(async () => await sandbox.stop());
	return { sandbox, options: { ...options, env: { N8N_CUSTOM_EXTENSIONS } } };
}

async function start({ cleanUp }: Order, title: string, options: StartN8nOptions): Promise<N8n> {
	console.log(`Starting n8n ${options.n8n.version} for: ${title}`);
	const n8n = await startN8n(options);
	cleanUp.defer(async () => await n8n.stop());
	return n8n;
}

async function distances(order: Order): Promise<void> {
	const { isQuick, rounds, rows, scale } = order;
	const { sandbox, options } = await setUpRequests(order);
	const n8ns = {
		acountPay: await start(order, TITLES.acountPay, options),
		httpRequest: await start(order, TITLES.httpRequest, options),
	};
	const on = surroundings(options.n8n.version);
	const situations = SITUATIONS.filter(
		(situation) => (situation.isMain || !isQuick) && nameOf(situation).includes(rows),
	);
	const runs = await measureDistances({ n8ns, sandbox, situations, rounds, scale });
	const table = distanceTable(runs);
	console.log(`\n${table}`);
	if (isQuick || rows !== '' || scale !== 1) return;
	await writeRuns('distances.json', { surroundings: on, rounds, runs });
	const note = ` Times are the medians of ${rounds} runs, in pairs; counts are the highest.`;
	await writeSection('distances', table, on, note);
	await writeFile(IN_FLIGHT_CHART, await drawInFlight(runs));
}

async function profile(order: Order): Promise<void> {
	const { sandbox, options } = await setUpRequests(order);
	const on = surroundings(options.n8n.version);
	const runs: ProfileRun[] = [];
	for (const contestant of CONTESTANTS) {
		const BENCH_PROFILE = join(options.env.N8N_CUSTOM_EXTENSIONS, `${contestant}.json`);
		const env = { ...options.env, BENCH_PROFILE };
		const n8n = await start(order, TITLES[contestant], { ...options, env });
		await sandbox.prepare({ latencyMs: 20 });
		const run = await publishMeasured(contestant, n8n, sandbox);
		// The first run compiles what the second one runs.
		for (let turn = 0; turn < 2; turn++) await run(PROFILED_ITEMS);
		runs.push({ contestant, items: PROFILED_ITEMS, busy: await timeByOwner(BENCH_PROFILE) });
	}
	const table = profileTable(runs);
	console.log(`\n${table}`);
	await writeSection('profile', table, on);
}

async function bursts(order: Order): Promise<void> {
	const { isQuick, rounds } = order;
	const options = await setUp(order);
	const n8ns = {
		trigger: await start(order, RECEIVER_TITLES.trigger, options),
		webhook: await start(order, RECEIVER_TITLES.webhook, options),
	};
	const on = surroundings(options.n8n.version);
	const runs = await measureBursts(n8ns, rounds);
	const table = burstTable(runs.bursts, runs.refusals);
	console.log(`\n${table}`);
	if (isQuick) return;
	await writeRuns('bursts.json', { surroundings: on, rounds, ...runs });
	const note = ` Each figure is the median of ${rounds} runs, in pairs.`;
	await writeSection('bursts', table, on, note);
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
	const measurements = [
		...(isQuick || values.distances ? [distances] : []),
		...(isQuick || values.bursts ? [bursts] : []),
		...(values.profile ? [profile] : []),
	];
	for (const measure of measurements) {
		await using cleanUp = new AsyncDisposableStack();
		const order: Order = {
			isQuick,
			rounds: values.runs ? wholeNumber(values.runs) : isQuick ? QUICK_ROUNDS : ROUNDS,
			rows: values.rows,
			scale,
			signal,
			cleanUp,
		};
		await Promise.race([measure(order), aborted]);
	}
}

main().catch((error: Error) => {
	console.error(`\n${error.message}`);
	process.exitCode = 1;
});
