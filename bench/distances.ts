import type { N8n } from '../tools/n8n/server';
import {
	type BenchOperation,
	type Contestant,
	CONTESTANTS,
	type NodeSettings,
	TITLES,
} from './contestants';
import type { GateRecord, GateSettings } from './gate';
import { publishMeasured, type Run } from './n8nBench';
import { inTurn, median, medianRatio } from './pairs';
import { markdownTable } from './report';
import type { SandboxProcess } from './sandboxProcess';

/** A situation, and how many items a run has in it. */
export interface Situation {
	items: number;
	latencyMs: number;
	/** What its row says besides the latency. */
	words?: string;
	/** Of the gate, besides the latency. */
	gate?: Omit<GateSettings, 'latencyMs'>;
	settings?: NodeSettings;
	/** Whether it belongs to the main figures. */
	isMain?: boolean;
	/** Whether the picture of calls in flight shows it. */
	isDrawn?: boolean;
}

/** What a row of the table is about. */
const NOUNS: Record<BenchOperation, string> = {
	create: 'payments',
	get: 'Get',
	getQrCode: 'Get QR Code',
	waitForCompletion: 'waits by polling',
};

/** The situations that are measured, in the order of the table. */
export const SITUATIONS: Situation[] = [
	...[20, 100, 300, 500].flatMap((latencyMs) =>
		[10, 100, 500, 1_000].map((items) => ({
			items,
			latencyMs,
			isMain: (latencyMs === 20 && items === 1_000) || (latencyMs === 300 && items !== 1_000),
		})),
	),
	{ items: 1_800, latencyMs: 300, isMain: true, isDrawn: true },
	{
		items: 500,
		latencyMs: 300,
		words: "'On Error: Continue'",
		settings: { node: { onError: 'continueRegularOutput' } },
	},
	{
		items: 500,
		latencyMs: 500,
		words: "'Max Concurrency' 100",
		settings: { maxConcurrency: 100 },
	},
	{ items: 1_000, latencyMs: 20, words: 'with keys', settings: { withKeys: true } },
	{ items: 500, latencyMs: 300, words: 'with keys', settings: { withKeys: true } },
	{ items: 500, latencyMs: 300, settings: { operation: 'get' }, isMain: true },
	{ items: 500, latencyMs: 300, settings: { operation: 'getQrCode' }, isMain: true },
	{
		items: 1_000,
		latencyMs: 100,
		words: 'paid after 10 s',
		gate: { paidAfterMs: 10_000 },
		settings: { operation: 'waitForCompletion' },
		isMain: true,
	},
	{
		items: 300,
		latencyMs: 100,
		words: '20 a second by the clock, else 429',
		gate: { perSecond: 20 },
		isMain: true,
		isDrawn: true,
	},
	{
		items: 300,
		latencyMs: 100,
		words: '20 in any second, else 429',
		gate: { perSecond: 20, isSliding: true },
		isMain: true,
	},
	...[
		{ latencyMs: 300, good: 100 },
		{ latencyMs: 100, good: 200 },
	].map(({ latencyMs, good }) => ({
		items: 500,
		latencyMs,
		words: `only 503 after ${good}`,
		gate: { failsFrom: good + 1 },
		isMain: true,
	})),
];

/** What the table says of the server and of how the node is set up. */
export const nameOf = ({ latencyMs, words }: Situation): string =>
	[`latency of ${latencyMs} ms`, words].filter(Boolean).join(', ');

/** One run in a situation. */
export interface DistanceRun extends Omit<GateRecord, 'inFlight'> {
	contestant: Contestant;
	operation: BenchOperation;
	situation: string;
	items: number;
	round: number;
	/** How long the node took, in ms; absent when it failed. */
	ms?: number;
	/** As the gate recorded it; only of situations that are drawn. */
	inFlight?: number[];
}

/** What is measured, and where. */
interface Distances {
	n8ns: Record<Contestant, N8n>;
	sandbox: SandboxProcess;
	situations: Situation[];
	rounds: number;
	/** Each run has this share of its items, for a trial. */
	scale: number;
}

/** Runs both contestants in each situation, in turn. */
export async function measureDistances({
	n8ns,
	sandbox,
	situations,
	rounds,
	scale,
}: Distances): Promise<DistanceRun[]> {
	const known = new Map<string, Run>();
	const runOf = async (contestant: Contestant, settings?: NodeSettings): Promise<Run> => {
		const key = JSON.stringify([contestant, settings]);
		let run = known.get(key);
		if (!run) {
			run = await publishMeasured(contestant, n8ns[contestant], sandbox, settings);
			known.set(key, run);
			// A first run warms up.
			await sandbox.prepare({ latencyMs: 20 });
			await run(Math.ceil(300 * scale));
		}
		return run;
	};
	const runs: DistanceRun[] = [];
	for (const situation of situations) {
		const { settings, gate, latencyMs, isDrawn } = situation;
		const operation = settings?.operation ?? 'create';
		const items = Math.ceil(situation.items * scale);
		const failsFrom = gate?.failsFrom && Math.ceil(gate.failsFrom * scale);
		const contestants = operation === 'waitForCompletion' ? (['acountPay'] as const) : CONTESTANTS;
		for (const { round, side: contestant } of inTurn(contestants, 1, rounds)) {
			const run = await runOf(contestant, settings);
			await sandbox.prepare({ latencyMs, ...gate, failsFrom });
			const ms = await run(items);
			const { inFlight, ...record } = await sandbox.gateRecord();
			const { done, refused, failed, mostInFlight } = record;
			console.log(
				`${TITLES[contestant]}, ${items} ${operation}, ${nameOf(situation)}: ${Math.round(ms ?? NaN)} ms, ` +
					`${done} done, ${refused} refused, ${failed} failed, ${mostInFlight} in flight`,
			);
			runs.push({
				contestant,
				operation,
				situation: nameOf(situation),
				items,
				round,
				...record,
				ms,
				...(isDrawn && contestant === 'acountPay' && { inFlight }),
			});
		}
	}
	return runs;
}

/** The runs as a Markdown table: median times, the highest counts, the ratio as the median of the rounds' own ratios. */
export function distanceTable(runs: DistanceRun[]): string {
	const titleOf = ({ operation, situation, items }: DistanceRun) =>
		`${items.toLocaleString('en-US')} ${NOUNS[operation]}, ${situation}`;
	const titles = [...new Set(runs.map(titleOf))];
	const rows = titles.map((title) => {
		const [own, other] = CONTESTANTS.map((contestant) =>
			runs.filter((run) => run.contestant === contestant && titleOf(run) === title),
		);
		const seconds = (side: DistanceRun[]) => {
			const ms = median(side.flatMap((run) => run.ms ?? []));
			return ms === undefined ? '–' : `${(ms / 1_000).toFixed(1)} s`;
		};
		const most = (of: (run: DistanceRun) => number) =>
			[own, other].map((side) => (side.length ? Math.max(...side.map(of)) : '–')).join(' / ');
		return [
			title,
			seconds(own),
			seconds(other),
			medianRatio(other, own, ({ ms }) => ms)?.toFixed(2) ?? '–',
			most(({ refused }) => refused),
			most(({ failed }) => failed),
			most(({ mostInFlight }) => mostInFlight),
		];
	});
	const sides = CONTESTANTS.map((contestant) => TITLES[contestant]);
	return markdownTable([...sides, 'ratio', 'refused', 'unknown', 'in flight'], rows);
}
