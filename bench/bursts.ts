import axios from 'axios';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { webhookHeaders } from '../sandbox';
import { startN8n, type N8n, type StartN8nOptions } from '../tools/n8n/server';
import { workflow, type WorkflowNode } from '../tools/n8n/workflow';
import { median } from './results';

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
/** How many clock ticks of /proc are a second. */
const TICKS = 100;

/** Deliveries that a receiver turns away. The Webhook node knows only the second. */
const REFUSALS = {
	'no signature': () => ({}),
	'wrong signature': (body: string) => ({ ...webhookHeaders(body, 'another secret') }),
	'old signature': (body: string) => webhookHeaders(body, SECRET, Date.now() / 1_000 - 3_600),
} as const;
type Refusal = keyof typeof REFUSALS;

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

/** An n8n with one published workflow, which events start. */
export class BurstBench {
	private executed = 0;

	private constructor(
		readonly receiver: Receiver,
		private readonly n8n: N8n,
		private readonly workflowId: string,
		private readonly url: string,
	) {}

	/** Starts n8n and publishes the workflow. */
	static async start(receiver: Receiver, options: StartN8nOptions): Promise<BurstBench> {
		const n8n = await startN8n(options);
		const { api } = n8n;
		const webhookId = randomUUID();
		const isTrigger = receiver === 'trigger';
		const credential = isTrigger
			? await api.createCredential('Bench', 'acountPayApi', {
					environment: 'sandbox',
					clientId: 'bench',
					clientSecret: 'bench',
					webhookSecret: SECRET,
				})
			: await api.createCredential('Bench', 'httpHeaderAuth', { name: HEADER, value: SECRET });
		const node: WorkflowNode = isTrigger
			? {
					name: 'Trigger',
					type: 'n8n-nodes-acountpay.acountPayTrigger',
					typeVersion: 1,
					webhookId,
					parameters: { events: ['payment.completed'] },
					credentials: { acountPayApi: credential },
				}
			: {
					name: 'Trigger',
					type: 'n8n-nodes-base.webhook',
					typeVersion: 2,
					webhookId,
					parameters: { httpMethod: 'POST', path: webhookId, authentication: 'headerAuth' },
					credentials: { httpHeaderAuth: credential },
				};
		const after = { name: 'After', type: 'n8n-nodes-base.noOp', typeVersion: 1, parameters: {} };
		const { id } = await api.createWorkflow(workflow([node, after]));
		const { status, problems } = await api.publish(id);
		if (status !== 'published') throw new Error(problems.join('\n'));
		const url = api.webhookUrl(isTrigger ? `${webhookId}/webhook` : webhookId);
		return new BurstBench(receiver, n8n, id, url);
	}

	/**
	 * Sends {@link EVENTS} events, no two of one payment.
	 * @throws Error when one is refused, or an execution is missing at the end
	 */
	async burst(round: number): Promise<BurstRun> {
		const cpuBefore = this.cpuMs();
		const startedAt = performance.now();
		let left = EVENTS;
		const sender = async () => {
			while (left-- > 0) {
				const body = eventBody();
				const status = await this.send(body, this.acceptedHeaders(body));
				if (status !== 200) throw new Error(`${this.receiver} answered ${status} to an event`);
			}
		};
		await Promise.all(Array.from({ length: AT_ONCE }, sender));
		const answeredMs = performance.now() - startedAt;
		this.executed += EVENTS;
		while ((await this.n8n.api.countExecutions(this.workflowId, 'success')) < this.executed) {
			if (performance.now() - startedAt > BURST_TIMEOUT_MS) {
				throw new Error(`${this.receiver}: not every event has an execution`);
			}
			await sleep(POLL_MS);
		}
		const executedMs = performance.now() - startedAt;
		const cpuMs = this.cpuMs() - cpuBefore;
		return { receiver: this.receiver, round, answeredMs, executedMs, cpuMs };
	}

	/** Sends {@link REFUSED} deliveries one after the other that it does not accept. */
	async refused(refusal: Refusal, round: number): Promise<RefusalRun> {
		const cpuBefore = this.cpuMs();
		for (let sent = 0; sent < REFUSED; sent++) {
			const body = eventBody();
			const headers = this.receiver === 'trigger' ? REFUSALS[refusal](body) : { [HEADER]: 'no' };
			const status = await this.send(body, headers);
			if (status < 400) throw new Error(`${this.receiver} answered ${status} with ${refusal}`);
		}
		return { receiver: this.receiver, refusal, round, cpuMs: (this.cpuMs() - cpuBefore) / REFUSED };
	}

	async stop(): Promise<void> {
		await this.n8n.stop();
	}

	private acceptedHeaders(body: string): Record<string, string> {
		return this.receiver === 'trigger' ? webhookHeaders(body, SECRET) : { [HEADER]: SECRET };
	}

	private async send(body: string, headers: Record<string, string>): Promise<number> {
		const { status } = await axios.post(this.url, body, {
			proxy: false,
			headers: { 'content-type': 'application/json', ...headers },
			validateStatus: () => true,
		});
		return status;
	}

	private cpuMs(): number {
		const stat = readFileSync(`/proc/${this.n8n.pid()}/stat`, 'utf8');
		// The second field is the name in brackets, which may hold anything.
		const [user, system] = stat
			.slice(stat.lastIndexOf(')') + 2)
			.split(' ')
			.slice(11, 13);
		return ((Number(user) + Number(system)) * 1_000) / TICKS;
	}
}

/** All bursts and refusals, each receiver in turn; the first round warms up and is not among them. */
export async function measureBursts(
	benches: BurstBench[],
	rounds: number,
	print: (line: string) => void,
): Promise<{ bursts: BurstRun[]; refusals: RefusalRun[] }> {
	const bursts: BurstRun[] = [];
	const refusals: RefusalRun[] = [];
	for (let round = 0; round <= rounds; round++) {
		for (let turn = 0; turn < benches.length; turn++) {
			const bench = benches[(round + turn) % benches.length];
			const burst = await bench.burst(round);
			const { answeredMs, executedMs, cpuMs } = burst;
			print(
				`${RECEIVER_TITLES[bench.receiver]}, ${round === 0 ? 'warm-up' : `round ${round}`}: ` +
					`answered in ${Math.round(answeredMs)} ms, executed in ${Math.round(executedMs)} ms, ${cpuMs} ms of CPU`,
			);
			if (round > 0) bursts.push(burst);
		}
	}
	for (const refusal of Object.keys(REFUSALS) as Refusal[]) {
		for (let round = 0; round <= rounds; round++) {
			for (let turn = 0; turn < benches.length; turn++) {
				const run = await benches[(round + turn) % benches.length].refused(refusal, round);
				const { receiver, cpuMs } = run;
				print(`${RECEIVER_TITLES[receiver]}, ${refusal}: ${cpuMs.toFixed(1)} ms of CPU`);
				if (round > 0) refusals.push(run);
			}
		}
	}
	return { bursts, refusals };
}

/** The runs as two Markdown tables: medians, and the ratio as the median of the rounds' own ratios. */
export function burstTables(bursts: BurstRun[], refusals: RefusalRun[]): string {
	const row = <Run extends { receiver: Receiver; round: number }>(
		title: string,
		runs: Run[],
		figure: (run: Run) => number,
		unit: (value: number) => string,
	) => {
		const [own, other] = RECEIVERS.map((receiver) =>
			runs.filter((run) => run.receiver === receiver),
		);
		const ratios = own.map((run) => {
			const pair = other.find(({ round }) => round === run.round);
			return figure(run) / figure(pair!);
		});
		const cells = [own, other].map((side) => unit(median(side.map(figure))!));
		return `| ${title} | ${cells.join(' | ')} | ${median(ratios)!.toFixed(2)} |`;
	};
	const head = [
		`| | ${RECEIVERS.map((receiver) => RECEIVER_TITLES[receiver]).join(' | ')} | ratio |`,
		'| --- | ---: | ---: | ---: |',
	];
	const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
	const eachMs = (ms: number) => `${ms.toFixed(1)} ms`;
	return [
		...head,
		row(`${EVENTS} events, all answered`, bursts, ({ answeredMs }) => answeredMs, seconds),
		row(`${EVENTS} events, all executed`, bursts, ({ executedMs }) => executedMs, seconds),
		row('CPU an event', bursts, ({ cpuMs }) => cpuMs / EVENTS, eachMs),
		...(Object.keys(REFUSALS) as Refusal[]).map((refusal) =>
			row(
				`CPU a refused delivery: ${refusal}`,
				refusals.filter((run) => run.refusal === refusal),
				({ cpuMs }) => cpuMs,
				eachMs,
			),
		),
	].join('\n');
}
