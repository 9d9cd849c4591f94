import type { Profiler } from 'node:inspector';

import { SENDERS, TITLES } from './contestants';
import { markdownTable } from './report';
import { type Measured, type Order, publishSender, setUp } from './setUp';

const CALLS = 1_000;

const PROFILER = 'the profiler';
const COLLECTOR = 'garbage collection';
/** Whose code a function is, by its file; the first that fits counts. */
const OWNERS: ReadonlyArray<[owner: string, url: RegExp]> = [
	['this package', /\/node_modules\/n8n-nodes-acountpay\//],
	["n8n's expressions", /\/(isolated-vm|@n8n\/expression-runtime|n8n-workflow|luxon)\//],
	["n8n's requests", /\/(n8n-core|@n8n\/(backend-network|client-oauth2)|axios|follow-redirects)\//],
	["n8n's credentials and database", /\/(@n8n\/typeorm|sqlite3|tarn)\/|node:internal\/crypto/],
	['the rest of n8n', /\/node_modules\//],
	[PROFILER, /^node:inspector/],
	['Node: sockets, HTTP, streams, timers', /^node:/],
];
const SHOWN = [...OWNERS.map(([owner]) => owner), COLLECTOR].filter((owner) => owner !== PROFILER);

/**
 * Adds up a profile of V8. A function's time is its own, without that of the functions that it calls; but a native function
 * counts for the code that called it.
 *
 * @returns ms for each owner
 */
function timeByOwner({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile) {
	const owners = new Map<number, string | undefined>();
	const setOwner = (node: Profiler.ProfileNode, caller?: string) => {
		const { url, functionName } = node.callFrame;
		const owner =
			functionName === '(garbage collector)'
				? COLLECTOR
				: (OWNERS.find(([, pattern]) => pattern.test(url))?.[0] ?? caller);
		owners.set(node.id, owner);
		for (const id of node.children ?? []) setOwner(byId.get(id)!, owner);
	};
	const byId = new Map(nodes.map((node) => [node.id, node]));
	setOwner(nodes[0]);
	const busy: Record<string, number> = {};
	samples.forEach((id, index) => {
		const owner = owners.get(id);
		if (owner !== undefined) busy[owner] = (busy[owner] ?? 0) + timeDeltas[index] / 1_000;
	});
	return busy;
}

/** Profiles a run of each sender; the one that warms it up compiles what this one runs. The table has ms per call. */
export async function measureProfile(order: Order): Promise<Measured> {
	const { n8ns, sandbox, on } = await setUp(SENDERS, order);
	const columns: Array<Record<string, number>> = [];
	for (const contestant of SENDERS) {
		const options = { contestant, n8n: n8ns[contestant], sandbox, warmUp: CALLS };
		const run = await publishSender(options);
		const { profile } = (await run(CALLS, true)) ?? {};
		if (!profile) throw new Error(`${TITLES[contestant]} failed`);
		columns.push(timeByOwner(profile));
	}
	const row = (title: string, owners: string[]) => [
		title,
		...columns.map((busy) => {
			const ms = owners.reduce((sum, owner) => sum + (busy[owner] ?? 0), 0);
			return (ms / CALLS).toFixed(2);
		}),
	];
	const table = markdownTable(
		SENDERS.map((contestant) => TITLES[contestant]),
		[...SHOWN.map((owner) => row(owner, [owner])), row('all', SHOWN)],
	);
	return { on, table };
}
