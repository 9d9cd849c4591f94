import { drawInFlight } from './chart';
import { type NodeSettings, type Sender, SENDERS } from './contestants';
import type { GateRecord, GateSettings } from './gate';
import { pairCells, pairHead, runInTurn, seconds, type Turn } from './pairs';
import { markdownTable } from './report';
import { type Measured, type Order, publishSender, type Run, setUp } from './setUp';

const WARM_UP = 300;

/** A situation, and how many items a run has in it. */
interface Situation extends GateSettings, NodeSettings {
	items: number;
	/** What its row says besides the latency. */
	words?: string;
	/** Whether it belongs to the main figures. */
	isMain?: boolean;
	/** Whether the picture of calls in flight shows it. */
	isDrawn?: boolean;
}

/** What a row of the table is about. */
const NOUNS = {
	create: 'payments',
	get: 'Get',
	getQrCode: 'Get QR Code',
	waitForCompletion: 'waits by polling',
};

const LIMITED: Situation = { items: 300, latencyMs: 100, perSecond: 20, isMain: true };
/** The situations that are measured, in the order of the table. */
const SITUATIONS: Situation[] = [
	...[20, 100, 300, 500].flatMap((latencyMs) =>
		[10, 100, 500, 1_000].map((items) => ({
			items,
			latencyMs,
			isMain: (latencyMs === 20 && items === 1_000) || (latencyMs === 300 && items !== 1_000),
		})),
	),
	{ items: 1_800, latencyMs: 300, isMain: true, isDrawn: true },
	{ items: 500, latencyMs: 300, words: "'On Error: Continue'", onError: 'continueRegularOutput' },
	{ items: 500, latencyMs: 500, words: "'Max Concurrency' 100", maxConcurrency: 100 },
	{ items: 1_000, latencyMs: 20, words: 'with keys', withKeys: true },
	{ items: 500, latencyMs: 300, words: 'with keys', withKeys: true },
	{ items: 500, latencyMs: 300, operation: 'get', isMain: true },
	{ items: 500, latencyMs: 300, operation: 'getQrCode', isMain: true },
	{
		items: 1_000,
		latencyMs: 100,
		operation: 'waitForCompletion',
		words: 'paid after 10 s',
		paidAfterMs: 10_000,
		isMain: true,
	},
	{ ...LIMITED, words: '20 a second by the clock, else 429', isDrawn: true },
	{ ...LIMITED, words: '20 in any second, else 429', isSliding: true },
	{ items: 500, latencyMs: 300, words: 'only 503 after 100', failsFrom: 101, isMain: true },
	{ items: 500, latencyMs: 100, words: 'only 503 after 200', failsFrom: 201, isMain: true },
];

/** What is measured in a situation, as it is stored with each run. */
const subjectOf = ({ operation = 'create', items, latencyMs, words }: Situation) => ({
	operation,
	situation: [`latency of ${latencyMs} ms`, words].filter(Boolean).join(', '),
	items,
});
type Subject = ReturnType<typeof subjectOf>;

const titleOf = ({ operation, situation, items }: Subject) =>
	`${items.toLocaleString('en-US')} ${NOUNS[operation]}, ${situation}`;

/** One run in a situation. */
export interface DistanceRun extends Turn, Subject, Omit<GateRecord, 'inFlight'> {
	mostInFlight: number;
	/** How long the node took, in ms; absent when it failed. */
	ms?: number;
	/** As the gate recorded it; only of this node in situations that are drawn. */
	inFlight?: number[];
}

/** Runs both senders in each situation, in turn. */
export async function measureDistances(order: Order): Promise<Measured> {
	const { n8ns, sandbox, on } = await setUp(SENDERS, order);
	const known: Record<string, Run> = {};
	const runs: DistanceRun[] = [];
	for (const situation of SITUATIONS) {
		const { operation, maxConcurrency, withKeys, onError, isMain = false, isDrawn } = situation;
		const settings = { operation, maxConcurrency, withKeys, onError };
		const subject = subjectOf(situation);
		if (!order.isWanted(titleOf(subject), isMain)) continue;
		const measure = async (contestant: Sender) => {
			const options = { contestant, n8n: n8ns[contestant], sandbox, settings, warmUp: WARM_UP };
			const run = (known[JSON.stringify([contestant, settings])] ??= await publishSender(options));
			await sandbox.prepare(situation);
			const ms = (await run(subject.items))?.ms;
			const { inFlight, ...record } = await sandbox.gateRecord();
			const mostInFlight = Math.max(0, ...inFlight);
			const drawn = isDrawn && contestant === 'acountPay' && { inFlight };
			return { ...subject, ...record, mostInFlight, ms, ...drawn };
		};
		const contestants = subject.operation === 'waitForCompletion' ? SENDERS.slice(0, 1) : SENDERS;
		runs.push(...(await runInTurn(contestants, { first: 1, last: order.rounds }, measure)));
	}
	const note = ` Times are the medians of ${order.rounds} runs, in pairs; counts are the highest.`;
	const draw = async () => await drawInFlight(runs);
	return { on, table: distanceTable(runs), note, runs: { runs }, draw };
}

/** The runs as a Markdown table: median times, how many times as long the other node takes, and the highest counts. */
export function distanceTable(runs: DistanceRun[]): string {
	const titles = [...new Set(runs.map(titleOf))];
	const rows = titles.map((title) => {
		const own = runs.filter((run) => titleOf(run) === title);
		const most = (count: 'refused' | 'failed' | 'mostInFlight') =>
			SENDERS.map((sender) => {
				const counts = own.flatMap((run) => (run.contestant === sender ? run[count] : []));
				return counts.length > 0 ? Math.max(...counts) : '–';
			}).join(' / ');
		const times = pairCells({
			pair: SENDERS,
			runs: own,
			figure: ({ ms }) => ms,
			unit: seconds,
			ratio: (ms, otherMs) => otherMs / ms,
		});
		return [title, ...times, most('refused'), most('failed'), most('mostInFlight')];
	});
	return markdownTable([...pairHead(SENDERS), 'refused', 'unknown', 'in flight'], rows);
}
