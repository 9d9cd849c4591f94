import {
	type BenchOperation,
	type Contestant,
	CONTESTANTS,
	type NodeSettings,
} from './contestants';
import type { GateRecord, GateSettings } from './gate';
import type { BenchWorkflow, N8nBench } from './n8nBench';
import { median } from './results';
import type { SandboxProcess } from './sandboxProcess';

/** A situation, and how many items a run has in it. */
export interface Situation {
	operation: BenchOperation;
	name: string;
	gate: GateSettings;
	items: number;
	/** How the node is set up, where it is not as it comes. */
	settings?: NodeSettings;
	/** Whether it belongs to the main figures. */
	isMain: boolean;
	/** Whether the picture of calls in flight shows it. */
	isDrawn?: boolean;
}

const DISTANCES = [20, 100, 300, 500];

/** What a row of the table is about. */
const NOUNS: Record<BenchOperation, string> = {
	create: 'payments',
	get: 'Get',
	getQrCode: 'Get QR Code',
	waitForCompletion: 'waits by polling',
};

/** The situations that are measured, in the order of the table. */
export const SITUATIONS: Situation[] = [
	...DISTANCES.flatMap((latencyMs) =>
		[10, 100, 500, 1_000].map((items) => ({
			operation: 'create' as const,
			name: `latency of ${latencyMs} ms`,
			gate: { latencyMs },
			items,
			isMain: (latencyMs === 20 && items === 1_000) || (latencyMs === 300 && items !== 1_000),
		})),
	),
	{
		operation: 'create',
		name: 'latency of 300 ms',
		gate: { latencyMs: 300 },
		items: 1_800,
		isMain: true,
		isDrawn: true,
	},
	{
		operation: 'create',
		name: "latency of 300 ms, 'On Error: Continue'",
		gate: { latencyMs: 300 },
		items: 500,
		settings: { node: { onError: 'continueRegularOutput' } },
		isMain: false,
	},
	{
		operation: 'create',
		name: "latency of 500 ms, 'Max Concurrency' 100",
		gate: { latencyMs: 500 },
		items: 500,
		settings: { maxConcurrency: 100 },
		isMain: false,
	},
	...[20, 300].map((latencyMs) => ({
		operation: 'create' as const,
		name: `latency of ${latencyMs} ms, with keys`,
		gate: { latencyMs },
		items: latencyMs === 20 ? 1_000 : 500,
		settings: { withKeys: true },
		isMain: false,
	})),
	...(['get', 'getQrCode'] as const).map((operation) => ({
		operation,
		name: 'latency of 300 ms',
		gate: { latencyMs: 300 },
		items: 500,
		isMain: true,
	})),
	{
		operation: 'waitForCompletion',
		name: 'latency of 100 ms, paid after 10 s',
		gate: { latencyMs: 100, paidAfterMs: 10_000 },
		items: 1_000,
		isMain: true,
	},
	{
		operation: 'create',
		name: 'latency of 100 ms, 20 a second by the clock, else 429',
		gate: { latencyMs: 100, perSecond: 20 },
		items: 300,
		isMain: true,
		isDrawn: true,
	},
	{
		operation: 'create',
		name: 'latency of 100 ms, 20 in any second, else 429',
		gate: { latencyMs: 100, perSecond: 20, isSliding: true },
		items: 300,
		isMain: true,
	},
	{
		operation: 'create',
		name: 'latency of 300 ms, only 503 after 100',
		gate: { latencyMs: 300, failsFrom: 101 },
		items: 500,
		isMain: true,
	},
	{
		operation: 'create',
		name: 'latency of 100 ms, only 503 after 200',
		gate: { latencyMs: 100, failsFrom: 201 },
		items: 500,
		isMain: true,
	},
];

/** One run in a situation. */
export interface DistanceRun extends Omit<GateRecord, 'inFlight'> {
	contestant: Contestant;
	operation: BenchOperation;
	situation: string;
	items: number;
	round: number;
	/** How long the node took, in ms; absent when it failed. */
	ms?: number;
	/** The most calls in flight in each {@link POINT_MS}; only of situations that are drawn. */
	inFlight?: number[];
}

/** How long a point of the picture of calls in flight stands for, in ms. */
export const POINT_MS = 100;

function mostInEach(inFlight: GateRecord['inFlight']): number[] {
	const most: number[] = [];
	inFlight.forEach(([ms, count], index) => {
		const [until] = inFlight[index + 1] ?? [ms];
		for (let at = Math.floor(ms / POINT_MS); at <= Math.floor(until / POINT_MS); at++) {
			most[at] = Math.max(most[at] ?? 0, count);
		}
	});
	return most;
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
	const workflows = new Map<string, BenchWorkflow[]>();
	const workflowsFor = async ({ operation, settings }: Situation): Promise<BenchWorkflow[]> => {
		const key = JSON.stringify([operation, settings]);
		const known = workflows.get(key);
		if (known) return known;
		const stored = await Promise.all(
			benches.map(
				async (bench) =>
					await bench.newWorkflow(await bench.newCredential(settings?.withKeys), {
						operation,
						...settings,
					}),
			),
		);
		workflows.set(key, stored);
		await sandbox.setGate({ latencyMs: 20 });
		for (const workflow of stored) await workflow.run(Math.ceil(300 * scale));
		return stored;
	};
	const runs: DistanceRun[] = [];
	for (const situation of situations) {
		const { operation, name, gate, items: whole, isDrawn } = situation;
		const ways = await workflowsFor(situation);
		const items = Math.ceil(whole * scale);
		for (let round = 1; round <= rounds; round++) {
			for (let turn = 0; turn < benches.length; turn++) {
				const index = (round + turn) % benches.length;
				const { contestant } = benches[index];
				if (operation === 'waitForCompletion' && contestant === 'httpRequest') continue;
				await sandbox.reset();
				await sandbox.setGate(
					gate.failsFrom ? { ...gate, failsFrom: Math.ceil(gate.failsFrom * scale) } : gate,
				);
				const reading = await ways[index].run(items);
				const { inFlight, ...record } = await sandbox.gateRecord();
				const run: DistanceRun = {
					contestant,
					operation,
					situation: name,
					items,
					round,
					...record,
					...(reading && { ms: reading.ms }),
					...(isDrawn && contestant === 'acountPay' && { inFlight: mostInEach(inFlight) }),
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
	const keyOf = ({ operation, situation, items }: DistanceRun) =>
		`${items.toLocaleString('en-US')} ${NOUNS[operation]}, ${situation}`;
	const keys = new Set(runs.map(keyOf));
	for (const key of keys) {
		const [own, other] = CONTESTANTS.map((contestant) =>
			runs.filter((run) => run.contestant === contestant && keyOf(run) === key),
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
			[own, other].map((side) => (side.length ? Math.max(...side.map(of)) : '–')).join(' / ');
		rows.push(
			`| ${key} | ${seconds(own)} | ${seconds(other)} | ${median(ratios)?.toFixed(2) ?? '–'} | ${both((run) => run.refused)} | ${both((run) => run.failed)} | ${both((run) => run.mostInFlight)} |`,
		);
	}
	return rows.join('\n');
}

/** Of each situation that is drawn, the run that took the median time. */
export function drawnRuns(runs: DistanceRun[]): DistanceRun[] {
	const drawn = runs.filter(({ inFlight }) => inFlight !== undefined);
	return [...new Set(drawn.map(({ situation }) => situation))].map((situation) => {
		const own = drawn.filter((run) => run.situation === situation);
		return own.sort((a, b) => (a.ms ?? Infinity) - (b.ms ?? Infinity))[(own.length - 1) >> 1];
	});
}
