import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { webhookHeaders } from '../sandbox';
import type { N8n } from '../tools/n8n/server';
import {
	EVENT_SECRET,
	type Receiver,
	RECEIVER_SET_UPS,
	RECEIVERS,
	TOKEN_HEADER,
} from './contestants';
import { PAYMENT } from './gate';
import { pairCells, pairHead, runInTurn, seconds, type Turn } from './pairs';
import { markdownTable } from './report';
import { http, type Measured, type Order, publish, setUp } from './setUp';

/** How many events a burst has, and how many of them are open at once. */
const EVENTS = 400;
const AT_ONCE = 20;
/** How many deliveries are refused for one figure, one after the other. */
const REFUSED = 200;
const POLL_MS = 200;
const BURST_TIMEOUT_MS = 300_000;
/** How many clock ticks of /proc are a second. */
const TICKS = 100;

/** The headers of a delivery with this body. */
type HeadersOf = (body: string) => Record<string, string>;

/** What each receiver accepts. */
const ACCEPTED: Record<Receiver, HeadersOf> = {
	trigger: (body) => webhookHeaders(body, EVENT_SECRET),
	webhook: () => ({ [TOKEN_HEADER]: EVENT_SECRET }),
};

/** Deliveries that the trigger turns away. The Webhook node turns away one without its token. */
const REFUSALS = {
	'no signature': () => ({}),
	'wrong signature': (body) => webhookHeaders(body, 'another secret'),
	'old signature': (body) => webhookHeaders(body, EVENT_SECRET, Date.now() / 1_000 - 3_600),
} satisfies Record<string, HeadersOf>;
type Refusal = keyof typeof REFUSALS;

/** What one burst took. */
export interface BurstRun extends Turn {
	/** From the first event to the last answer, in ms. */
	answeredMs: number;
	/** From the first event to the end of the last execution, in ms. */
	executedMs: number;
	/** CPU time of n8n's process until then, in ms. */
	cpuMs: number;
}

/** CPU time of n8n's process for a delivery that it refuses. */
export interface RefusalRun extends Turn {
	refusal: Refusal;
	/** ms for one delivery. */
	cpuMs: number;
}

/** An n8n with one published workflow, which events start. */
interface Target {
	n8n: N8n;
	workflowId: string;
	url: string;
}

async function publishReceiver(receiver: Receiver, n8n: N8n): Promise<Target> {
	const { path, ...receiverSetUp } = RECEIVER_SET_UPS[receiver];
	const after = { name: 'After', type: 'n8n-nodes-base.noOp', typeVersion: 1, parameters: {} };
	const workflowId = await publish(n8n, receiverSetUp, (measured) => [measured, after]);
	return { n8n, workflowId, url: n8n.api.webhookUrl(path) };
}

function eventBody(): string {
	const timestamp = new Date().toISOString();
	const payment = { paymentId: randomUUID(), status: 'completed', ...PAYMENT };
	const data = { ...payment, paidAt: timestamp, metadata: {} };
	return JSON.stringify({ event: 'payment.completed', timestamp, data });
}

/** Events, no two of one payment, and how they are sent. */
interface Delivery {
	url: string;
	count: number;
	atOnce: number;
	headersOf: HeadersOf;
	isExpected: (status: number) => boolean;
}

/** @throws Error when an event gets a status that is not expected */
async function deliver({ url, count, atOnce, headersOf, isExpected }: Delivery): Promise<void> {
	let left = count;
	const sender = async () => {
		while (left-- > 0) {
			const body = eventBody();
			const headers = { 'content-type': 'application/json', ...headersOf(body) };
			const { status } = await http.post(url, body, { headers });
			if (!isExpected(status)) throw new Error(`${url} answered ${status}`);
		}
	};
	await Promise.all(Array.from({ length: atOnce }, sender));
}

function cpuMsOf(n8n: N8n): number {
	const stat = readFileSync(`/proc/${n8n.pid()}/stat`, 'utf8');
	// The second field is the name in brackets, which may hold anything.
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	const [user, system] = fields.slice(11, 13);
	return ((Number(user) + Number(system)) * 1_000) / TICKS;
}

/** @throws Error when an event is refused, or an execution is missing at the end */
async function burst({ n8n, workflowId, url }: Target, headersOf: HeadersOf) {
	const executed = async () => await n8n.api.countExecutions(workflowId, 'success');
	const executedBefore = await executed();
	const cpuBefore = cpuMsOf(n8n);
	const startedAt = performance.now();
	const sinceStart = () => performance.now() - startedAt;
	const isExpected = (status: number) => status === 200;
	await deliver({ url, count: EVENTS, atOnce: AT_ONCE, headersOf, isExpected });
	const answeredMs = sinceStart();
	while ((await executed()) < executedBefore + EVENTS) {
		if (sinceStart() > BURST_TIMEOUT_MS) throw new Error('Not every event has an execution');
		await sleep(POLL_MS);
	}
	return { answeredMs, executedMs: sinceStart(), cpuMs: cpuMsOf(n8n) - cpuBefore };
}

async function refuse({ n8n, url }: Target, headersOf: HeadersOf): Promise<number> {
	const cpuBefore = cpuMsOf(n8n);
	const isExpected = (status: number) => status >= 400;
	await deliver({ url, count: REFUSED, atOnce: 1, headersOf, isExpected });
	return (cpuMsOf(n8n) - cpuBefore) / REFUSED;
}

/** All bursts and refusals, each receiver in turn; the first round warms up. */
export async function measureBursts(order: Order): Promise<Measured> {
	const { n8ns, on } = await setUp(RECEIVERS, order);
	const targets = {
		trigger: await publishReceiver('trigger', n8ns.trigger),
		webhook: await publishReceiver('webhook', n8ns.webhook),
	};
	const rounds = { first: 0, last: order.rounds } as const;
	const bursts = await runInTurn(
		RECEIVERS,
		rounds,
		async (receiver) => await burst(targets[receiver], ACCEPTED[receiver]),
	);
	const refusals: RefusalRun[] = [];
	for (const refusal of Object.keys(REFUSALS) as Refusal[]) {
		const headersOf = {
			trigger: REFUSALS[refusal],
			webhook: () => ({ [TOKEN_HEADER]: 'no' }),
		};
		const runs = await runInTurn(RECEIVERS, rounds, async (receiver) => ({
			refusal,
			cpuMs: await refuse(targets[receiver], headersOf[receiver]),
		}));
		refusals.push(...runs);
	}
	const note = ` Each figure is the median of ${order.rounds} runs, in pairs.`;
	return { on, table: burstTable(bursts, refusals), note, runs: { bursts, refusals } };
}

const eachMs = (ms: number) => `${ms.toFixed(1)} ms`;

/** The runs as a Markdown table. */
export function burstTable(bursts: BurstRun[], refusals: RefusalRun[]): string {
	const row = <Run extends Turn>(
		title: string,
		runs: Run[],
		figure: (run: Run) => number,
		unit: (figure: number) => string,
	) => {
		const ratio = (own: number, other: number) => own / other;
		return [title, ...pairCells({ pair: RECEIVERS, runs, figure, unit, ratio })];
	};
	return markdownTable(pairHead(RECEIVERS), [
		row(`${EVENTS} events, all answered`, bursts, ({ answeredMs }) => answeredMs, seconds),
		row(`${EVENTS} events, all executed`, bursts, ({ executedMs }) => executedMs, seconds),
		row('CPU an event', bursts, ({ cpuMs }) => cpuMs / EVENTS, eachMs),
		...Object.keys(REFUSALS).map((refusal) => {
			const runs = refusals.filter((run) => run.refusal === refusal);
			return row(`CPU a refused delivery: ${refusal}`, runs, ({ cpuMs }) => cpuMs, eachMs);
		}),
	]);
}
