import axios from 'axios';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { webhookHeaders } from '../sandbox';
import type { N8n } from '../tools/n8n/server';
import { workflow } from '../tools/n8n/workflow';
import { publish } from './n8nBench';
import { inTurn, median, medianRatio } from './pairs';
import { markdownTable } from './report';

/** The nodes that receive the bursts. */
export const RECEIVERS = ['trigger', 'webhook'] as const;
export type Receiver = (typeof RECEIVERS)[number];

/** What the tables call them. */
export const RECEIVER_TITLES: Record<Receiver, string> = {
	trigger: 'AcountPay Trigger',
	webhook: "n8n's Webhook node with header authentication",
};

/** How many events a burst has, and how many of them are open at once. */
const EVENTS = 400;
const AT_ONCE = 20;
/** How many deliveries are refused for one figure, one after the other. */
const REFUSED = 200;
const POLL_MS = 200;
const BURST_TIMEOUT_MS = 300_000;
const SECRET = 'bench-webhook-secret';
const HEADER = 'x-bench-token';
const WEBHOOK_ID = randomUUID();
/** How many clock ticks of /proc are a second. */
const TICKS = 100;

/** The headers of a delivery with this body. */
type HeadersOf = (body: string) => Record<string, string>;

/** Deliveries that a receiver turns away. The Webhook node knows only the second. */
const REFUSALS = {
	'no signature': () => ({}),
	'wrong signature': (body) => webhookHeaders(body, 'another secret'),
	'old signature': (body) => webhookHeaders(body, SECRET, Date.now() / 1_000 - 3_600),
} satisfies Record<string, HeadersOf>;
type Refusal = keyof typeof REFUSALS;
const REFUSAL_NAMES = Object.keys(REFUSALS) as Refusal[];

/** What one burst took. */
export interface BurstRun {
	receiver: Receiver;
	round: number;
	/** From the first event to the last answer, in ms. */
	answeredMs: number;
	/** From the first event to the end of the last execution, in ms. */
	executedMs: number;
	/** CPU time of n8n's process until then, in ms. */
	cpuMs: number;
}

/** CPU time of n8n's process for a delivery that it refuses. */
export interface RefusalRun {
	receiver: Receiver;
	refusal: Refusal;
	round: number;
	/** ms for one delivery. */
	cpuMs: number;
}

const eventBody = (): string =>
	JSON.stringify({
		event: 'payment.completed',
		timestamp: new Date().toISOString(),
		data: {
			paymentId: randomUUID(),
			status: 'completed',
			amount: 149.99,
			currency: 'DKK',
			referenceNumber: 'ORDER-1',
			paidAt: new Date().toISOString(),
			metadata: {},
		},
	});

/** How each receiver is set up, and the headers that it accepts. */
const SET_UPS = {
	trigger: {
		credentialType: 'acountPayApi',
		credential: {
			environment: 'sandbox',
			clientId: 'bench',
			clientSecret: 'bench',
			webhookSecret: SECRET,
		},
		node: {
			type: 'n8n-nodes-acountpay.acountPayTrigger',
			typeVersion: 1,
			parameters: { events: ['payment.completed'] },
		},
		path: `${WEBHOOK_ID}/webhook`,
		headers: (body: string) => webhookHeaders(body, SECRET),
	},
	webhook: {
		credentialType: 'httpHeaderAuth',
		credential: { name: HEADER, value: SECRET },
		node: {
			type: 'n8n-nodes-base.webhook',
			typeVersion: 2,
			parameters: { httpMethod: 'POST', path: WEBHOOK_ID, authentication: 'headerAuth' },
		},
		path: WEBHOOK_ID,
		headers: () => ({ [HEADER]: SECRET }),
	},
};

/** An n8n with one published workflow, which events start. */
class BurstBench {
	private executed = 0;

	private constructor(
		readonly receiver: Receiver,
		private readonly n8n: N8n,
		private readonly workflowId: string,
		private readonly url: string,
	) {}

	/** Publishes the workflow. */
	static async on(n8n: N8n, receiver: Receiver): Promise<BurstBench> {
		const { credentialType, credential, node, path } = SET_UPS[receiver];
		const { id, name } = await n8n.api.createCredential('Bench', credentialType, credential);
		const credentials = { [credentialType]: { id, name } };
		const nodes = [
			{ name: 'Trigger', ...node, webhookId: WEBHOOK_ID, credentials },
			{ name: 'After', type: 'n8n-nodes-base.noOp', typeVersion: 1, parameters: {} },
		];
		const workflowId = await publish(n8n, workflow(nodes));
		return new BurstBench(receiver, n8n, workflowId, n8n.api.webhookUrl(path));
	}

	/**
	 * Sends {@link EVENTS} events, no two of one payment.
	 * @throws Error when one is refused, or an execution is missing at the end
	 */
	async burst(round: number): Promise<BurstRun> {
		const { receiver, n8n, workflowId } = this;
		const cpuBefore = this.cpuMs();
		const startedAt = performance.now();
		const sinceStart = () => performance.now() - startedAt;
		await this.deliver(EVENTS, AT_ONCE, SET_UPS[receiver].headers, (status) => status === 200);
		const answeredMs = sinceStart();
		this.executed += EVENTS;
		while ((await n8n.api.countExecutions(workflowId, 'success')) < this.executed) {
			if (sinceStart() > BURST_TIMEOUT_MS) {
				throw new Error(`${receiver}: not every event has an execution`);
			}
			await sleep(POLL_MS);
		}
		const executedMs = sinceStart();
		return { receiver, round, answeredMs, executedMs, cpuMs: this.cpuMs() - cpuBefore };
	}

	/** Sends {@link REFUSED} deliveries one after the other that it does not accept. */
	async refuse(refusal: Refusal, round: number): Promise<RefusalRun> {
		const { receiver } = this;
		const cpuBefore = this.cpuMs();
		const headers = receiver === 'trigger' ? REFUSALS[refusal] : () => ({ [HEADER]: 'no' });
		await this.deliver(REFUSED, 1, headers, (status) => status >= 400);
		return { receiver, refusal, round, cpuMs: (this.cpuMs() - cpuBefore) / REFUSED };
	}

	/**
	 * Sends `count` events, `atOnce` of them at the same time.
	 * @throws Error when one gets a status that is not expected
	 */
	private async deliver(
		count: number,
		atOnce: number,
		headersOf: HeadersOf,
		isExpected: (status: number) => boolean,
	): Promise<void> {
		let left = count;
		const sender = async () => {
			while (left-- > 0) {
				const body = eventBody();
				const { status } = await axios.post(this.url, body, {
					proxy: false,
					headers: { 'content-type': 'application/json', ...headersOf(body) },
					validateStatus: () => true,
				});
				if (!isExpected(status)) throw new Error(`${this.receiver} answered ${status}`);
			}
		};
		await Promise.all(Array.from({ length: atOnce }, sender));
	}

	private cpuMs(): number {
		const stat = readFileSync(`/proc/${this.n8n.pid()}/stat`, 'utf8');
		// The second field is the name in brackets, which may hold anything.
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		const [user, system] = fields.slice(11, 13);
		return ((Number(user) + Number(system)) * 1_000) / TICKS;
	}
}

/** All bursts and refusals, each receiver in turn; the first round warms up and is not among them. */
export async function measureBursts(n8ns: Record<Receiver, N8n>, rounds: number) {
	const benches: BurstBench[] = [];
	for (const receiver of RECEIVERS) benches.push(await BurstBench.on(n8ns[receiver], receiver));
	const bursts: BurstRun[] = [];
	const refusals: RefusalRun[] = [];
	for (const { round, side } of inTurn(benches, 0, rounds)) {
		const burst = await side.burst(round);
		const { answeredMs, executedMs, cpuMs } = burst;
		console.log(
			`${RECEIVER_TITLES[side.receiver]}, ${round === 0 ? 'warm-up' : `round ${round}`}: ` +
				`answered in ${Math.round(answeredMs)} ms, executed in ${Math.round(executedMs)} ms, ${cpuMs} ms of CPU`,
		);
		if (round > 0) bursts.push(burst);
	}
	for (const refusal of REFUSAL_NAMES) {
		for (const { round, side } of inTurn(benches, 0, rounds)) {
			const run = await side.refuse(refusal, round);
			console.log(
				`${RECEIVER_TITLES[side.receiver]}, ${refusal}: ${run.cpuMs.toFixed(1)} ms of CPU`,
			);
			if (round > 0) refusals.push(run);
		}
	}
	return { bursts, refusals };
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
const eachMs = (ms: number) => `${ms.toFixed(1)} ms`;

/** The runs as a Markdown table: medians, and the ratio as the median of the rounds' own ratios. */
export function burstTable(bursts: BurstRun[], refusals: RefusalRun[]): string {
	const row = <Run extends { receiver: Receiver; round: number }>(
		title: string,
		runs: Run[],
		figure: (run: Run) => number,
		unit: (value: number) => string,
	) => {
		const [own, other] = RECEIVERS.map((receiver) =>
			runs.filter((run) => run.receiver === receiver),
		);
		const cells = [own, other].map((side) => unit(median(side.map(figure))!));
		return [title, ...cells, medianRatio(own, other, figure)!.toFixed(2)];
	};
	return markdownTable(
		[...RECEIVERS.map((receiver) => RECEIVER_TITLES[receiver]), 'ratio'],
		[
			row(`${EVENTS} events, all answered`, bursts, ({ answeredMs }) => answeredMs, seconds),
			row(`${EVENTS} events, all executed`, bursts, ({ executedMs }) => executedMs, seconds),
			row('CPU an event', bursts, ({ cpuMs }) => cpuMs / EVENTS, eachMs),
			...REFUSAL_NAMES.map((refusal) => {
				const runs = refusals.filter((run) => run.refusal === refusal);
				return row(`CPU a refused delivery: ${refusal}`, runs, ({ cpuMs }) => cpuMs, eachMs);
			}),
		],
	);
}
