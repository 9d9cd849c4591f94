import type { N8nContestant } from './contestants';
import type { GateRecord, GateSettings } from './gate';
import type { N8nBench } from './n8nBench';
import { median } from './results';
import type { SandboxProcess } from './sandboxProcess';

/** Those that are compared at every distance. */
export const DISTANCE_CONTESTANTS = ['acountPay', 'httpRequest'] as const satisfies N8nContestant[];

/** A situation, and how many payments a run asks for in it. */
export interface Situation {
	name: string;
	gate: GateSettings;
	items: number;
	/** Whether it belongs to the main figures. */
	isMain: boolean;
}

const DISTANCES = [20, 100, 300, 500];

/** What is measured, in the order of the table. */
export const SITUATIONS: Situation[] = [
	...DISTANCES.flatMap((latencyMs) =>
		[10, 100, 500, 1_000].map((items) => ({
			name: `${latencyMs} ms away`,
			gate: { latencyMs },
			items,
			isMain: (latencyMs === 20 && items === 1_000) || (latencyMs === 300 && items !== 1_000),
		})),
	),
	{
		name: '100 ms away, 20 a second, else 429',
		gate: { latencyMs: 100, perSecond: 20 },
		items: 300,
		isMain: true,
	},
	{
		name: '100 ms away, only 503 after 200',
		gate: { latencyMs: 100, failsFrom: 201 },
		items: 500,
		isMain: true,
	},
];

/** One run in a situation. */
export interface DistanceRun extends Omit<GateRecord, 'inFlight'> {
	contestant: N8nContestant;
	situation: string;
	items: number;
	round: number;
	/** How long the node took, in ms; absent when it failed. */
	ms?: number;
	/** Only of the first round. */
	inFlight?: GateRecord['inFlight'];
}

/**
 * Runs both contestants in each situation, in turn; the first round begins with one, the second with the other.
 * @param scale each run has this share of its items, for a trial
 */
export async function measureDistances(
	benches: N8nBench[],
	sandbox: SandboxProcess,
	situations: Situation[],
	{ rounds, scale = 1 }: { rounds: number; scale?: number },
	onRun: (run: DistanceRun) => void,
): Promise<DistanceRun[]> {
	const workflows = await Promise.all(
		benches.map(async (bench) => await bench.newWorkflow(await bench.newCredential())),
	);
	await sandbox.setGate({ latencyMs: 20 });
	for (const workflow of workflows) await workflow.run(Math.ceil(300 * scale));
	const runs: DistanceRun[] = [];
	for (const { name, gate, items: whole } of situations) {
		const items = Math.ceil(whole * scale);
		for (let round = 1; round <= rounds; round++) {
			for (let turn = 0; turn < benches.length; turn++) {
				const index = (round + turn) % benches.length;
				await sandbox.reset();
				await sandbox.setGate(
					gate.failsFrom ? { ...gate, failsFrom: Math.ceil(gate.failsFrom * scale) } : gate,
				);
				const reading = await workflows[index].run(items);
				const { inFlight, ...record } = await sandbox.gateRecord();
				const run: DistanceRun = {
					contestant: benches[index].contestant,
					situation: name,
					items,
					round,
					...record,
					...(reading && { ms: reading.ms }),
					...(round === 1 && { inFlight }),
				};
				runs.push(run);
				onRun(run);
			}
		}
	}
	return runs;
}

/** The runs as a Markdown table: medians, the ratio as the median of the rounds' own ratios. */
export function distanceTable(runs: DistanceRun[]): string {
	const rows = [
		'| | AcountPay node | HTTP Request node | ratio | refused | unknown | in flight |',
		'| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
	];
	const keys = new Set(runs.map(({ situation, items }) => `${items} payments, ${situation}`));
	for (const key of keys) {
		const [own, other] = DISTANCE_CONTESTANTS.map((contestant) =>
			runs.filter(
				(run) => run.contestant === contestant && `${run.items} payments, ${run.situation}` === key,
			),
		);
		const seconds = (of: DistanceRun[]) => {
			const ms = median(of.flatMap((run) => run.ms ?? []));
			return ms === undefined ? '–' : `${(ms / 1_000).toFixed(1)} s`;
		};
		const ratios = own.flatMap(({ round, ms }) => {
			const pair = other.find((run) => run.round === round)?.ms;
			return ms && pair ? pair / ms : [];
		});
		const both = (of: (run: DistanceRun) => number) =>
			[own, other].map((side) => Math.max(0, ...side.map(of))).join(' / ');
		rows.push(
			`| ${key} | ${seconds(own)} | ${seconds(other)} | ${median(ratios)?.toFixed(2) ?? '–'} | ${both((run) => run.refused)} | ${both((run) => run.failed)} | ${both((run) => run.mostInFlight)} |`,
		);
	}
	return rows.join('\n');
}
