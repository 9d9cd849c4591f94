import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { abortOnSignals } from '../tools/signals';
import { measureBursts } from './bursts';
import { measureDistances } from './distances';
import { compareRules } from './limiterRules';
import { measureProfile } from './profile';
import { measuredOn, writeRuns, writeSection } from './report';
import type { Order } from './setUp';

const IN_FLIGHT_CHART = join(__dirname, '..', 'docs', 'in-flight.webp');
const WRITTEN_ROUNDS = 3;
const PRINTED_ROUNDS = 2;

const USAGE = `npm run bench [-- options]

Measures this package in a real n8n, in pairs with n8n's own nodes. Needs Linux. Without options it measures the main figures
of --distances and --bursts, takes about 5 minutes and only prints.

  --distances       this node and the HTTP Request node at latencies of 20, 100, 300 and 500 ms, on limited servers and on
                    some that fall over; writes bench/distances.json, docs/benchmark.md and docs/in-flight.webp
  --bursts          the AcountPay Trigger and n8n's Webhook node with bursts of events and deliveries that they refuse;
                    writes bench/bursts.json and docs/benchmark.md
  --profile         where n8n's process spends its time with this node and the HTTP Request node; writes docs/benchmark.md
  --rows <text>     only the rows of --distances with this text, such as Get or '10 payments, latency of 20 ms'; only prints
  --rules           compares rules for the number of calls in flight on simulated servers; only prints
  --help
`;

/** The measurements, by the names of their options. */
const MEASUREMENTS = {
	distances: measureDistances,
	bursts: measureBursts,
	profile: measureProfile,
};
type Name = keyof typeof MEASUREMENTS;
const NAMES = Object.keys(MEASUREMENTS) as Name[];

/** Which measurements are run, and what for. */
interface Plan extends Pick<Order, 'isWanted'> {
	names: Name[];
	isWritten: boolean;
}

/** What the options ask for: some rows of the first table, whole tables, or the main figures. */
function planFor(chosen: Name[], rows?: string): Plan {
	if (rows !== undefined) {
		return { names: ['distances'], isWritten: false, isWanted: (title) => title.includes(rows) };
	}
	if (chosen.length > 0) return { names: chosen, isWritten: true, isWanted: () => true };
	const isWanted = (_title: string, isMain: boolean) => isMain;
	return { names: ['distances', 'bursts'], isWritten: false, isWanted };
}

/** Measures, prints the table and, if this is wanted, writes what came out where the documentation has it. */
async function measure(name: Name, order: Order, isWritten: boolean): Promise<void> {
	const { on, table, note = '', runs, draw } = await MEASUREMENTS[name](order);
	console.log(`\n${table}`);
	if (!isWritten) return;
	await writeSection(name, `${table}\n\n${measuredOn(on)}${note}`);
	if (runs) await writeRuns(`${name}.json`, { surroundings: on, rounds: order.rounds, ...runs });
	if (draw) await writeFile(IN_FLIGHT_CHART, await draw());
}

async function main(): Promise<void> {
	const flag = { type: 'boolean', default: false } as const;
	const text = { type: 'string' } as const;
	const options = {
		distances: flag,
		bursts: flag,
		profile: flag,
		rows: text,
		rules: flag,
		help: flag,
	};
	const { values } = parseArgs({ options });
	if (values.help) {
		console.log(USAGE);
		return;
	}
	if (values.rules) {
		console.log(await compareRules());
		return;
	}
	if (process.platform !== 'linux') throw new Error('The benchmark reads /proc, so it needs Linux');

	const { names, isWritten, isWanted } = planFor(
		NAMES.filter((name) => values[name]),
		values.rows,
	);
	const signal = abortOnSignals();
	const aborted = once(signal, 'abort').then(() => signal.throwIfAborted());
	for (const name of names) {
		await using cleanUp = new AsyncDisposableStack();
		const rounds = isWritten ? WRITTEN_ROUNDS : PRINTED_ROUNDS;
		await Promise.race([measure(name, { rounds, isWanted, signal, cleanUp }, isWritten), aborted]);
	}
}

main().catch((error: Error) => {
	console.error(`\n${error.message}`);
	process.exitCode = 1;
});
